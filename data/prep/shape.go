package prep

import (
	"errors"
	"fmt"
	"math"

	"plumbline/numeric/elementary"
)

func init() {
	register("log2", "signed logarithm: sign(v)·log₂(1+|v|)", func() step {
		return &log2{Common{Step: "log2", Fit: "benign"}}
	})
	register(
		"power",
		"Yeo and Johnson's power transform, with the exponent that makes training rows most normal",
		func() step {
			return &power{Common{Step: "power", Fit: "benign"}}
		},
	)
	register("group_ports", "turns port numbers into 0/1 columns of services and ranges", func() step {
		return &groupPorts{Common{Step: "group_ports", Fit: "benign"}}
	})
}

type log2 struct {
	Common `yaml:",inline"`
}

func (s *log2) fit(f *fitting) error {
	return f.each(func(c *column) bool { return numeric(c) && !c.dummy && s.on(c, f.table) }, func(c *column) error {
		c.ops = append(c.ops, Op{Kind: "log2"})
		return nil
	})
}

// power fits λ of Yeo and Johnson (Biometrika 87, 2000) by maximum likelihood, between −5 and 5. It does
// not standardise: add scale.
type power struct {
	Common `yaml:",inline"`
}

func (s *power) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	return f.each(func(c *column) bool { return numeric(c) && !c.dummy && s.on(c, f.table) }, func(c *column) error {
		v := f.values(c, rows)
		if len(v) == 0 {
			return errors.New("no values to learn from")
		}
		if constant(v) {
			return nil // a constant has no best exponent
		}
		c.ops = append(c.ops, Op{Kind: "power", A: bestPower(v)})
		return nil
	})
}

// yeoJohnson is ((v+1)^λ − 1)/λ for v ≥ 0 and −((1−v)^(2−λ) − 1)/(2−λ) below, with the logarithms that are
// their limits.
func yeoJohnson(v, lambda float64) float64 {
	const tiny = 1e-8
	switch {
	case v >= 0 && math.Abs(lambda) > tiny:
		return elementary.Expm1(lambda*elementary.Log1p(v)) / lambda
	case v >= 0:
		return elementary.Log1p(v)
	case math.Abs(2-lambda) > tiny:
		return -elementary.Expm1((2-lambda)*elementary.Log1p(-v)) / (2 - lambda)
	}
	return -elementary.Log1p(-v)
}

// bestPower maximises −n/2·ln Var(ψ(v)) + (λ−1)·Σ sign(v)·ln(1+|v|) by golden section, after a coarse search.
func bestPower(v []float64) float64 {
	slope := 0.0
	for _, x := range v {
		slope += math.Copysign(elementary.Log1p(math.Abs(x)), x)
	}
	likelihood := func(lambda float64) float64 {
		m, ss := 0.0, 0.0
		for _, x := range v {
			m += yeoJohnson(x, lambda)
		}
		m /= float64(len(v))
		for _, x := range v {
			d := yeoJohnson(x, lambda) - m
			ss += float64(d * d)
		}
		l := float64(-float64(len(v))/2*elementary.Log(ss/float64(len(v)))) + float64((lambda-1)*slope)
		if l != l {
			return math.Inf(-1)
		}
		return l
	}
	best, top := 1.0, math.Inf(-1)
	for lambda := -5.0; lambda <= 5; lambda += 0.25 {
		if l := likelihood(lambda); l > top {
			best, top = lambda, l
		}
	}
	lo, hi := best-0.25, best+0.25
	ratio := (math.Sqrt(5) - 1) / 2
	for hi-lo > 1e-6 {
		a, b := hi-float64(ratio*(hi-lo)), lo+float64(ratio*(hi-lo))
		if likelihood(a) >= likelihood(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return (lo + hi) / 2
}

// groupPorts replaces a port number by one 0/1 column for each common service and for the rest of the
// well-known, the registered and the dynamic range (RFC 6335). It learns nothing. A missing port is all zeros.
type groupPorts struct {
	Common `yaml:",inline"`
}

// portClasses are the groups; the first that holds a port has it.
var portClasses = []struct {
	name   string
	lo, hi float64
}{
	{"ftp", 20, 21}, {"ssh", 22, 22}, {"telnet", 23, 23}, {"smtp", 25, 25}, {"dns", 53, 53}, {"dhcp", 67, 68},
	{
		"http",
		80,
		80,
	}, {"pop3", 110, 110}, {"ntp", 123, 123}, {"netbios", 135, 139}, {"imap", 143, 143}, {"https", 443, 443},
	{
		"smb",
		445,
		445,
	}, {"rdp", 3389, 3389}, {"http-alt", 8080, 8080}, {"well-known", 0, 1023}, {"registered", 1024, 49151},
	{"dynamic", 49152, 65535},
}

func (s *groupPorts) fit(f *fitting) error {
	if len(s.Columns) == 0 {
		return errors.New("names no columns")
	}
	var out []*column
	for _, c := range f.columns {
		if !s.on(c, f.table) {
			out = append(out, c)
			continue
		}
		if c.text || c.dummy || len(c.ops) > 0 {
			return fmt.Errorf("column %s: want a number column that no step has changed", c.name)
		}
		for k, class := range portClasses {
			var inside []float64 // earlier classes within this one
			for _, e := range portClasses[:k] {
				if e.lo >= class.lo && e.hi <= class.hi {
					inside = append(inside, e.lo, e.hi)
				}
			}
			out = append(
				out,
				&column{
					name:   c.name + "=" + class.name,
					source: c.source,
					level:  class.name,
					ops:    []Op{{Kind: "range", A: class.lo, B: class.hi, Table: inside}},
				},
			)
		}
	}
	f.columns = out
	return nil
}
