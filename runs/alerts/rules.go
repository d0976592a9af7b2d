package alerts

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/configs/settings"
)

// Rules say which alerts are held back. The zero value holds none back.
type Rules struct {
	// how many alerts of one group are given on in a stretch of time; the others are kept and counted
	Limit Limit `yaml:"limit"`
	// alerts that are counted and neither kept nor given on; the first that fits decides
	Ignore []Ignore `yaml:"ignore"`
	// what an analyst's verdict false does: entity ignores further alerts of the same cause, source and destination,
	// group those of the same cause; off: nothing
	Verdicts string `yaml:"verdicts" jsonschema:"enum=entity,enum=group,enum=off"`
}

// DefaultRules gives on at most 100 alerts of a group in an hour of traffic.
func DefaultRules() Rules {
	return Rules{Limit: Limit{Alerts: 100, Per: Span(time.Hour)}, Verdicts: "entity"}
}

// Limit is how many alerts of a group are given on in a stretch of the traffic's time. Without times, all rows are in
// one stretch.
type Limit struct {
	// alerts of a group in a stretch; 0: any number
	Alerts int64 `yaml:"alerts" jsonschema:"minimum=0"`
	// length of a stretch, such as 30m, 1h or 1d
	Per Span `yaml:"per"`
}

// Ignore is what alerts must be like to be ignored: all that it gives must fit.
type Ignore struct {
	// source addresses: prefixes such as 10.0.0.0/8, or addresses
	Source Prefixes `yaml:"src"`
	// destination addresses
	Dest Prefixes `yaml:"dst"`
	// addresses of which either end is one
	Host Prefixes `yaml:"host"`
	// destination ports
	Port []string `yaml:"port"`
	// protocols; upper and lower case are the same
	Protocol []string `yaml:"protocol"`
	// root causes; * stands for any characters
	Cause []string `yaml:"cause"`
	// models, by name; * stands for any characters
	Model []string `yaml:"model"`
	// only scores that are above the threshold by at most this share of it, such as 20 %
	Within Percent `yaml:"within"`
	// last day on which the rule holds, of the traffic
	Until Day `yaml:"until"`
	// why
	Note string `yaml:"note"`
}

// check says what is wrong with a rule.
func (g *Ignore) check() error {
	if g.Source == nil && g.Dest == nil && g.Host == nil && len(g.Port)+len(g.Protocol)+len(g.Cause)+len(g.Model) == 0 &&
		g.Within == 0 {
		return errors.New("says nothing that an alert must be like, so that all would be ignored")
	}
	for _, p := range slices.Concat(g.Cause, g.Model) {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%q is no pattern", p)
		}
	}
	return nil
}

// UnmarshalSettings reads a rule.
func (g *Ignore) UnmarshalSettings(d settings.Node) settings.Problems {
	type plain Ignore
	var p plain
	ps := d.Decode(&p)
	*g = Ignore(p)
	if err := g.check(); err != nil && len(ps) == 0 {
		ps = append(ps, d.Problem("%v", err))
	}
	return ps
}

// Fits says whether an alert is one to ignore.
func (g *Ignore) Fits(a *Alert) bool {
	one := func(list []string, v string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(p string) bool { return strings.EqualFold(p, v) })
	}
	like := func(list []string, v string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(p string) bool {
			ok, _ := path.Match(strings.ReplaceAll(p, "/", "\x00"), strings.ReplaceAll(v, "/", "\x00"))
			return ok
		})
	}
	switch {
	case g.Source != nil && !g.Source.hold(a.Source), g.Dest != nil && !g.Dest.hold(a.Dest),
		g.Host != nil && !g.Host.hold(a.Source) && !g.Host.hold(a.Dest):
		return false
	case !one(g.Port, a.DestPort) || !one(g.Protocol, a.Protocol) || !like(g.Cause, a.Cause) || !like(g.Model, a.Model):
		return false
	case g.Within > 0 && !(a.Score-a.Threshold <= float64(g.Within)*math.Abs(a.Threshold)):
		return false
	}
	return g.Until == 0 || !a.Time.IsZero() && a.Time.UnixNano() < int64(g.Until)
}

// Prefixes are ranges of addresses.
type Prefixes []netip.Prefix

// Forms are a text or a list of them.
func (*Prefixes) Forms() []settings.Form {
	return []settings.Form{{}, {List: &settings.Form{}}}
}

// UnmarshalSettings reads prefixes or addresses.
func (p *Prefixes) UnmarshalSettings(d settings.Node) settings.Problems {
	var texts []string
	ps := d.Decode(&texts)
	*p = nil
	for _, t := range texts {
		prefix, err := netip.ParsePrefix(t)
		if a, is := address(t); err != nil && is {
			prefix, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			ps = append(ps, d.Problem("%q is neither an address nor a prefix such as 10.0.0.0/8", t))
			continue
		}
		*p = append(*p, prefix.Masked())
	}
	if len(ps) == 0 && len(*p) == 0 {
		ps = append(ps, d.Problem("no addresses"))
	}
	return ps
}

func (p Prefixes) hold(text string) bool {
	a, ok := address(text)
	return ok && slices.ContainsFunc(p, func(x netip.Prefix) bool { return x.Contains(a) })
}

// Percent is a share, written as 20 % or 0.2.
type Percent float64

// Forms are a number or a text.
func (*Percent) Forms() []settings.Form { return []settings.Form{{}} }

// UnmarshalSettings reads a share.
func (p *Percent) UnmarshalSettings(d settings.Node) settings.Problems {
	text, _ := d.Scalar()
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0) || math.IsInf(v, 0) {
		return settings.Problems{d.Problem("%q is no share: want one such as 20 %% or 0.2", text)}
	}
	*p = Percent(v)
	return nil
}

// Span is a length of time, written as 90s, 30m, 1h or 7d.
type Span time.Duration

// Forms are a text.
func (*Span) Forms() []settings.Form { return []settings.Form{{}} }

// UnmarshalSettings reads a length of time.
func (s *Span) UnmarshalSettings(d settings.Node) settings.Problems {
	text, _ := d.Scalar()
	v, err := ParseSpan(text)
	if err != nil {
		return settings.Problems{d.Problem("%v", err)}
	}
	*s = Span(v)
	return nil
}

// ParseSpan reads a length of time as [time.ParseDuration] does, and days.
func ParseSpan(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if v, err := strconv.ParseFloat(number, 64); err == nil && v >= 0 && v < 1e5 {
			return time.Duration(v * float64(day)), nil
		}
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is no length of time: want one such as 90s, 30m, 1h or 7d", text)
	}
	return v, nil
}

// Day is the end of a day, in nanoseconds since 1970 UTC.
type Day int64

// Forms are a text.
func (*Day) Forms() []settings.Form { return []settings.Form{{}} }

// UnmarshalSettings reads a day.
func (y *Day) UnmarshalSettings(d settings.Node) settings.Problems {
	text, _ := d.Scalar()
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return settings.Problems{d.Problem("%q is no day: want one such as 2026-12-31", text)}
	}
	*y = Day(t.AddDate(0, 0, 1).UnixNano())
	return nil
}
