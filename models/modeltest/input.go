package modeltest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/models"
)

func checkUnfitted(s *subject) {
	d := s.build(env(1, 1))
	for what, set := range map[string]*data.Set{"a proper set": s.test(), "nil": nil} {
		if _, err := s.score("unfitted", d, set); !errors.Is(err, models.ErrNotFitted) {
			s.failf("Score of %s before Fit: error %v, want ErrNotFitted", what, err)
		}
	}
	var b bytes.Buffer
	if err := s.guard("Save", func() error { return d.Save(&b) }); !errors.Is(err, models.ErrNotFitted) {
		s.failf("Save before Fit: error %v, want ErrNotFitted", err)
	}
}

// damage is a set that no model can work on, and what the error must say.
type damage struct {
	name    string
	do      func(*data.Set) *data.Set
	says    []string
	fit     bool // Fit must refuse it
	scoring bool // Score must refuse it
}

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

// damages of a set of each kind. Sample 3 is the one that is spoilt.
func damages(kind data.Kind) []damage {
	otherKind := data.Vectors + data.Traces - kind
	out := []damage{
		{"nil", func(*data.Set) *data.Set { return nil }, nil, true, true},
		{"no samples", func(c *data.Set) *data.Set { return first(c, 0) }, nil, true, false},
		{"the other kind", func(*data.Set) *data.Set { return generate(otherKind, 40, 20, 9) },
			[]string{otherKind.String()}, true, true},
		{"no kind", func(c *data.Set) *data.Set { c.Kind = 0; return c }, nil, true, true},
		{"a negative number of samples", func(c *data.Set) *data.Set { c.N = -1; return c }, nil, true, true},
		{"more samples than said", func(c *data.Set) *data.Set { c.N--; return c }, nil, true, true},
	}
	if kind == data.Traces {
		return append(out,
			damage{"a symbol beyond the alphabet", beyond, []string{"trace 3", "event 2"}, true, true},
			damage{"a negative symbol", func(c *data.Set) *data.Set { c.Traces[3].Symbols[2] = -2; return c },
				[]string{"trace 3", "event 2"}, true, true},
			damage{"NaN", func(c *data.Set) *data.Set { c.Traces[3].Events[2*traceWidth+1] = nan; return c },
				[]string{"trace 3", "event 2", "packets"}, true, true},
			damage{"infinity", func(c *data.Set) *data.Set { c.Traces[3].Events[2*traceWidth+1] = -inf; return c },
				[]string{"trace 3", "event 2", "packets"}, true, true},
			damage{"an event cut short", cutShort, []string{"trace 3"}, true, true},
		)
	}
	return append(out,
		damage{"no columns", func(c *data.Set) *data.Set { c.D, c.X, c.Features = 0, nil, nil; return c }, nil, true,
			true},
		damage{"a row cut short", func(c *data.Set) *data.Set { c.X = c.X[:len(c.X)-1]; return c }, nil, true, true},
		damage{"a column too many", func(c *data.Set) *data.Set { return widen(c, 1) }, []string{"7", "6"}, false,
			true},
		damage{"a column too few", func(c *data.Set) *data.Set { return widen(c, -1) }, []string{"5", "6"}, false,
			true},
		damage{"NaN", func(c *data.Set) *data.Set { c.Row(3)[2] = nan; return c }, []string{"row 3", "c2"}, true, true},
		damage{"infinity", func(c *data.Set) *data.Set { c.Row(3)[2] = inf; return c }, []string{"row 3", "c2"}, true,
			true},
		damage{"minus infinity without column names", namelessInf, []string{"row 3", "column 2"}, true, true},
	)
}

func beyond(c *data.Set) *data.Set {
	c.Traces[3].Symbols[2] = int32(len(c.Alphabet))
	return c
}

func cutShort(c *data.Set) *data.Set {
	t := &c.Traces[3]
	t.Events = t.Events[:len(t.Events)-1]
	return c
}

func namelessInf(c *data.Set) *data.Set {
	c.Row(3)[2] = -inf
	c.Features = nil
	return c
}

// widen adds or drops columns.
func widen(s *data.Set, by int) *data.Set {
	c := *s
	c.D += by
	c.X = make([]float32, c.N*c.D)
	for i := range c.N {
		copy(c.Row(i), s.Row(i))
	}
	c.Features = append(slices.Clone(s.Features), data.Quantities("more")...)[:c.D]
	return &c
}

func checkInput(s *subject) {
	d := s.trained()
	want := s.scores("before bad input", d, s.test())
	for _, bad := range damages(s.info.Needs.Input) {
		if bad.name == "NaN" && s.info.Needs.Native {
			continue
		}
		if bad.fit {
			fresh := s.build(env(1, 1))
			s.refused("Fit", bad, s.fit(bad.name, fresh, bad.do(s.train())))
			if _, err := s.score("after a failed Fit", fresh, s.test()); !errors.Is(err, models.ErrNotFitted) {
				s.failf("Score after Fit refused %s: error %v, want ErrNotFitted", bad.name, err)
			}
		}
		_, err := s.score(bad.name, d, bad.do(s.test()))
		if bad.scoring || err != nil {
			s.refused("Score", bad, err)
		}
	}
	s.same("after refusing bad input", s.scores("after bad input", d, s.test()), want)
	again := s.fitted("before a refused Fit", env(1, 1), s.train())
	if s.fit("no training set", again, nil) == nil {
		s.failf("Fit of nil is taken")
	}
	if _, err := s.score("after a refused Fit", again, s.test()); !errors.Is(err, models.ErrNotFitted) {
		s.failf("Score after a good Fit and a refused one: error %v, want ErrNotFitted", err)
	}
	if s.info.Needs.Labels.Any() {
		for what, spoil := range map[string]func(*data.Set){
			"no labels":          func(c *data.Set) { c.Attack, c.Class, c.Classes = nil, nil, nil },
			"a label too few":    func(c *data.Set) { c.Attack = c.Attack[1:] },
			"a class too few":    func(c *data.Set) { c.Class = c.Class[1:] },
			"an unknown class":   func(c *data.Set) { c.Class[3] = 99 },
			"no classes, labels": func(c *data.Set) { c.Class, c.Classes = nil, nil },
		} {
			train := s.train()
			spoil(train)
			err := s.fit(what, s.build(env(1, 1)), train)
			if len(train.Attack) != train.N || err != nil {
				s.refused("Fit", damage{name: what}, err)
			}
		}
	}
}

// checkNative: a native model learns from rows that lack values and from codes of categories, scores both, also codes
// that it has not seen, and says the same after it was saved; other models refuse codes.
func checkNative(s *subject) {
	spoilt := func(c *data.Set) *data.Set {
		c.Features = slices.Clone(c.Features)
		c.Features[4].Kind = data.Code
		for i := range c.N {
			row := c.Row(i)
			row[4] = float32(i % 3)
			if s.info.Needs.Native && i%4 == 0 {
				row[1], row[4] = nan, nan
			}
		}
		return c
	}
	if !s.info.Needs.Native {
		if s.info.Needs.Input == data.Vectors {
			codes := damage{name: "codes of categories", says: []string{"c4"}}
			s.refused("Fit", codes, s.fit("codes", s.build(env(1, 2)), spoilt(s.train())))
		}
		return
	}
	d := s.fitted("missing values", env(1, 2), spoilt(s.train()))
	test := spoilt(s.test())
	test.Row(3)[4] = 200
	for j := range test.D {
		test.Row(5)[j] = nan
	}
	want := s.scores("missing values", d, test)
	again := s.build(env(1, 2))
	if err := s.load("missing values", again, s.saved("missing values", d)); err != nil {
		s.fatalf("Load: %v", err)
	}
	s.same("after Load", s.scores("after Load", again, test), want)
	if e, ok := d.(models.Explainer); ok {
		_, c, err := e.Explain(context.Background(), test)
		bad := slices.ContainsFunc(slices.Concat(c...), func(v float64) bool { return v != v })
		if err != nil || len(c) != test.N || bad {
			s.failf("Explain with missing values: %d rows, %v", len(c), err)
		}
	}
}

func (s *subject) refused(call string, bad damage, err error) {
	if errors.Is(err, errPanic) {
		return // reported
	}
	if !errors.Is(err, models.ErrInput) {
		s.failf("%s of a set with %s: error %v, want one that wraps ErrInput", call, bad.name, err)
		return
	}
	for _, text := range bad.says {
		if !strings.Contains(err.Error(), text) {
			s.failf("%s of a set with %s: error %q does not name %q", call, bad.name, err, text)
		}
	}
}

// checkDegenerate: poor data are either learnt from or refused in clear words.
func checkDegenerate(s *subject) {
	sets := map[string]func(*data.Set) *data.Set{
		"one sample":          func(c *data.Set) *data.Set { return first(c, 1) },
		"two samples":         func(c *data.Set) *data.Set { return first(c, 2) },
		"five samples":        func(c *data.Set) *data.Set { return first(c, 5) },
		"all samples equal":   func(c *data.Set) *data.Set { return c.Subset(make([]int, 100)) },
		"every sample twice":  func(c *data.Set) *data.Set { return c.Subset(twice(c.N)) },
		"attacks nowhere":     func(c *data.Set) *data.Set { clear(c.Attack); clear(c.Class); return c },
		"attacks everywhere":  func(c *data.Set) *data.Set { return all(c, true) },
		"no names of columns": func(c *data.Set) *data.Set { c.Features = nil; return c },
	}
	if s.info.Needs.Input == data.Vectors {
		sets["a constant column"] = func(c *data.Set) *data.Set { return column(c, 2, 5) }
		sets["a column of zeros"] = func(c *data.Set) *data.Set { return column(c, 2, 0) }
		sets["one column"] = func(c *data.Set) *data.Set { return widen(c, 1-width) }
	} else {
		sets["traces of one event"] = func(c *data.Set) *data.Set { return cut(c, 1) }
		sets["empty traces"] = func(c *data.Set) *data.Set { return cut(c, 0) }
		sets["one empty trace"] = func(c *data.Set) *data.Set {
			e := cut(clone(c),
				0)
			c.Traces[3] = e.Traces[3]
			return c
		}
		sets["symbols alone"] = symbolsAlone
		sets["unknown symbols"] = unknownSymbols
	}
	for name, make := range sets {
		d := s.build(env(1, 1))
		train := make(s.train())
		if err := s.fit(name, d, train); err != nil {
			s.refused("Fit", damage{name: name}, err)
			continue
		}
		for what, set := range map[string]*data.Set{"itself": train, "other data": make(s.test())} {
			if _, err := s.score("fitted on "+name, d, set); err != nil {
				s.refused("Score of "+what, damage{name: name}, err)
			}
		}
	}
	d := s.trained()
	for name, make := range sets {
		if set := make(s.test()); set.D == s.train().D {
			if _, err := s.score("fitted on whole data, "+name, d, set); err != nil {
				s.refused("Score", damage{name: name}, err)
			}
		}
	}
}

func twice(n int) []int {
	var idx []int
	for i := range n {
		idx = append(idx, i, i)
	}
	return idx
}

func all(s *data.Set, attack bool) *data.Set {
	for i := range s.Attack {
		s.Attack[i], s.Class[i] = attack, 1
	}
	return s
}

func column(s *data.Set, j int, v float32) *data.Set {
	for i := range s.N {
		s.Row(i)[j] = v
	}
	return s
}

func cut(s *data.Set, events int) *data.Set {
	for i := range s.Traces {
		t := &s.Traces[i]
		t.Symbols, t.Rows, t.Events = t.Symbols[:events], t.Rows[:events], t.Events[:events*s.D]
	}
	return s
}

func symbolsAlone(s *data.Set) *data.Set {
	s.D, s.Features = 0, nil
	for i := range s.Traces {
		s.Traces[i].Events = nil
	}
	return s
}

func unknownSymbols(s *data.Set) *data.Set {
	for i := range s.Traces {
		for j := range s.Traces[i].Symbols {
			if (i+j)%3 == 0 {
				s.Traces[i].Symbols[j] = data.UnknownSymbol
			}
		}
	}
	return s
}

// checkExtreme: finite values, however large or small, give finite scores or an error.
func checkExtreme(s *subject) {
	values := map[string]float32{"1e30": 1e30, "the largest float": math.MaxFloat32, "its negative": -math.MaxFloat32,
		"the smallest float": math.SmallestNonzeroFloat32, "zero": 0}
	d := s.trained()
	for name, v := range values {
		s.score("all values "+name, d, fill(s.test(), v)) // reports scores that are not finite
		mixed := s.test()
		for i := range mixed.X {
			if i%3 == 0 {
				mixed.X[i] = v
			}
		}
		s.score("some values "+name, d, mixed)
	}
	for _, by := range []float32{1e18, 1e-18} {
		d := s.build(env(1, 1))
		if err := s.fit("scaled", d, scale(s.train(), by)); err == nil {
			s.score("fitted on scaled data", d, scale(s.test(), by))
		}
	}
	// the detector is no worse for it
	if _, err := d.Score(context.Background(), s.test()); err != nil {
		s.failf("Score after extreme values: %v", err)
	}
}

func fill(s *data.Set, v float32) *data.Set {
	for i := range s.X {
		s.X[i] = v
	}
	for i := range s.Traces {
		for j := range s.Traces[i].Events {
			s.Traces[i].Events[j] = v
		}
	}
	return s
}

func scale(s *data.Set, by float32) *data.Set {
	for i := range s.X {
		s.X[i] *= by
	}
	for i := range s.Traces {
		for j := range s.Traces[i].Events {
			s.Traces[i].Events[j] *= by
		}
	}
	return s
}
