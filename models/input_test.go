package models

import (
	"errors"
	"math"
	"testing"

	"plumbline/data"
)

func vectors() *data.Set {
	return &data.Set{Kind: data.Vectors, N: 2, D: 2, X: []float32{1, 2, 3, 4},
		Features: data.Quantities("bytes", "packets"),
		Attack:   []bool{false, true}}
}

func traces() *data.Set {
	return &data.Set{
		Kind: data.Traces, N: 2, D: 2, Alphabet: []string{"a", "b"}, Features: data.Quantities("bytes", "packets"),
		Traces: []data.Trace{
			{Key: "h0", Symbols: []int32{0, 1}, Events: []float32{1, 2, 3, 4}},
			{Key: "h1", Symbols: []int32{1, data.UnknownSymbol}, Events: []float32{5, 6, 7, 8}},
		},
	}
}

func TestCheckVectors(t *testing.T) {
	inf, nan := float32(math.Inf(-1)), float32(math.NaN())
	for _, c := range []struct {
		name       string
		change     func(*data.Set) *data.Set
		width, min int
		want       string // after "m: unusable input: "
	}{
		{"sound", nil, 2, 1, ""},
		{"any width", nil, 0, 1, ""},
		{"without names", func(s *data.Set) *data.Set { s.Features = nil; return s }, 2, 1, ""},
		{"none, and none asked for", func(s *data.Set) *data.Set { s.N, s.X = 0, nil; return s }, 2, 0, ""},
		{"extreme values", func(s *data.Set) *data.Set { s.X[0], s.X[1] = math.MaxFloat32, -math.MaxFloat32; return s },
			2, 1, ""},
		{"nil", func(*data.Set) *data.Set { return nil }, 2, 1, "no set given"},
		{"traces", func(*data.Set) *data.Set { return traces() }, 2, 1, "works on vectors, given traces"},
		{"no kind", func(s *data.Set) *data.Set { s.Kind = 0; return s }, 2, 1, "works on vectors, given Kind(0)"},
		{"too few", nil, 2, 3, "2 samples, needs at least 3"},
		{"negative", func(s *data.Set) *data.Set { s.N = -2; return s }, 2, -5,
			"matrix of 4 values does not have -2×2"},
		{"both negative", func(s *data.Set) *data.Set { s.N, s.D = -2, -2; return s }, 2, -5,
			"matrix of 4 values does not have -2×-2"},
		{"short matrix", func(s *data.Set) *data.Set { s.X = s.X[:3]; return s }, 2, 1,
			"matrix of 3 values does not have 2×2"},
		{"no columns", func(s *data.Set) *data.Set { s.D, s.X = 0, nil; return s }, 0, 1, "samples have no columns"},
		{"other width", nil, 3, 1, "2 columns, fitted on 3"},
		{"names", func(s *data.Set) *data.Set { s.Features = s.Features[:1]; return s }, 2, 1,
			"1 column names for 2 columns"},
		{"NaN", func(s *data.Set) *data.Set { s.X[3] = nan; return s }, 2, 1, `row 1, column "packets" is NaN`},
		{"infinity", func(s *data.Set) *data.Set { s.X[2] = inf; s.Features = nil; return s }, 2, 1,
			`row 1, column 0 is -Inf`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := vectors()
			if c.change != nil {
				s = c.change(s)
			}
			expect(t, CheckVectors("m", s, c.width, c.min, false), c.want)
		})
	}
}

func expect(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v", err)
	case want != "" && (!errors.Is(err, ErrInput) || err.Error() != "m: unusable input: "+want):
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestCheckTraces(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*data.Set) *data.Set
		min    int
		want   string
	}{
		{"sound", nil, 1, ""},
		{"symbols alone", func(s *data.Set) *data.Set {
			s.Traces[0].Events, s.Traces[1].Events, s.D = nil, nil,
				0
			return s
		}, 1, ""},
		{"events alone", func(s *data.Set) *data.Set { s.Traces[0].Symbols, s.Traces[1].Symbols = nil, nil; return s },
			1, ""},
		{"empty trace", func(s *data.Set) *data.Set { s.Traces[0] = data.Trace{}; return s }, 1, ""},
		{"none, and none asked for", func(s *data.Set) *data.Set { s.N, s.Traces = 0, nil; return s }, 0, ""},
		{"nil", func(*data.Set) *data.Set { return nil }, 1, "no set given"},
		{"vectors", func(*data.Set) *data.Set { return vectors() }, 1, "works on traces, given vectors"},
		{"too few", nil, 3, "2 traces, needs at least 3"},
		{"wrong count", func(s *data.Set) *data.Set { s.N = 3; return s }, 1, "2 traces, set says 3"},
		{"symbol too large", func(s *data.Set) *data.Set { s.Traces[1].Symbols[0] = 2; return s }, 1,
			"trace 1 (h1): event 0 has symbol 2, the alphabet has 2"},
		{"symbol too small", func(s *data.Set) *data.Set { s.Traces[1].Symbols[1] = -2; return s }, 1,
			"trace 1 (h1): event 1 has symbol -2, the alphabet has 2"},
		{"NaN", func(s *data.Set) *data.Set { s.Traces[0].Events[3] = float32(math.NaN()); return s }, 1,
			`trace 0 (h0): event 1, column "packets" is NaN`},
		{"events without a width", func(s *data.Set) *data.Set { s.D = 0; return s }, 1,
			"trace 0 (h0): 4 event values for 2 symbols of width 0"},
		{"events of a negative width", func(s *data.Set) *data.Set { s.D = -2; return s }, 1,
			"trace 0 (h0): 4 event values for 2 symbols of width -2"},
		{"event cut short", func(s *data.Set) *data.Set { s.Traces[0].Events = s.Traces[0].Events[:3]; return s }, 1,
			"trace 0 (h0): 3 event values for 2 symbols of width 2"},
		{"an event too many", func(s *data.Set) *data.Set {
			s.Traces[0].Events = append(s.Traces[0].Events, 1,
				2)
			return s
		}, 1, "trace 0 (h0): 6 event values for 2 symbols of width 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := traces()
			if c.change != nil {
				s = c.change(s)
			}
			expect(t, CheckTraces("m", s, c.min), c.want)
		})
	}
}

func TestCheckLabels(t *testing.T) {
	expect(t, CheckLabels("m", vectors()), "")
	expect(t, CheckLabels("m", vectors().Unlabelled()), "0 labels for 2 samples")
}
