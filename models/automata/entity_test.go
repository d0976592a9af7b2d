package automata

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// hosts is traces of one column and one symbol an event: key, rows and values of each.
func hosts(list ...host) *data.Set {
	s := &data.Set{Kind: data.Traces, N: len(list), D: 1, Alphabet: []string{"a", "b"}}
	for _, h := range list {
		t := data.Trace{Key: h.key, Events: h.values, Rows: h.rows}
		for range h.values {
			t.Symbols = append(t.Symbols, 0)
		}
		if h.symbols != nil {
			t.Symbols = h.symbols
		}
		s.Traces = append(s.Traces, t)
	}
	return s
}

type host struct {
	key     string
	values  []float32
	rows    []int32
	symbols []int32
}

func entityScores(t *testing.T, model, params string, train, test *data.Set) []float64 {
	t.Helper()
	spec := modeltest.Spec(t, model, params)
	return modeltest.FitScore(t, spec, models.Env{}, train, test)
}

// ramp is n values from a start on.
func ramp(from float32, n int) (out []float32) {
	for i := range n {
		out = append(out, from+float32(i))
	}
	return out
}

func numbers(from, n int32) (out []int32) {
	for i := range n {
		out = append(out, from+i)
	}
	return out
}

// TestEntityMSMByHand: two hosts around 50 and 1050 train, each with a machine of one state that takes what is more
// than 48 or 49 from its mean for an alarm. Of c's four flows three are like the second host's; the two windows of d
// hold three flows, of which one is an alarm for either machine, and that one twice. Each trace has its host's score.
func TestEntityMSMByHand(t *testing.T) {
	train := hosts(host{key: "a", values: ramp(0, 100), rows: numbers(0, 100)},
		host{key: "b", values: ramp(1000, 100), rows: numbers(100, 100)},
		host{key: "few", values: ramp(5000, 9), rows: numbers(200, 9)})
	test := hosts(
		host{key: "c", values: []float32{1050, 1040, 1060, 50}, rows: numbers(0, 4)},
		host{key: "d", values: []float32{30, 9999}, rows: []int32{10, 11}},
		host{key: "d", values: []float32{9999, 70}, rows: []int32{11, 12}},
		host{key: "e", values: []float32{5001}, rows: []int32{20}},
		host{key: "f"},
	)
	got := entityScores(t, "entity_msm", "{rule: sigma, max_states: 1, key_events: 50}", train, test)
	for i, want := range []float64{0.25, 1. / 3, 1. / 3, 1, 0} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("scores %v: trace %d should have %v", got, i, want)
		}
	}
}

// TestEntitySymbolsByHand: machines of one state, whose symbols are two a to one b, and b alone.
func TestEntitySymbolsByHand(t *testing.T) {
	var x, y []int32
	for i := range int32(60) {
		x = append(x, max(0, i%3-1))
		y = append(y, 1)
	}
	train := hosts(host{key: "x", symbols: x}, host{key: "y", symbols: y}, host{key: "few", symbols: []int32{0, 0}})
	test := hosts(
		host{key: "p", symbols: []int32{0, 1}}, // ½(|2/3−1/2| + |1/3−1/2|) from x, ½ from y
		host{key: "q", symbols: []int32{1}},
		host{key: "q", symbols: []int32{1, 1}},
		host{key: "r", symbols: []int32{data.UnknownSymbol}},
		host{key: "s", symbols: []int32{}},
	)
	got := entityScores(t, "entity_symbols", "{sinkcount: 1000, key_events: 50}", train, test)
	for i, want := range []float64{1. / 6, 0, 0, 1, 0} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("scores %v: trace %d should have %v", got, i, want)
		}
	}
}

// TestEntityMeans: a host's row is the mean of its flows, each once.
func TestEntityMeans(t *testing.T) {
	m := &entityMeans{}
	set, e, of := m.rows(hosts(
		host{key: "a", values: []float32{1, 2}, rows: []int32{5, 6}},
		host{key: "none"},
		host{key: "a", values: []float32{2, 6}, rows: []int32{6, 7}},
		host{key: "b", values: []float32{4, 4}},
	))
	if !slices.Equal(set.X, []float32{3, 4}) || fmt.Sprint(of) != "[0 -1 1]" || fmt.Sprint(e.of) != "[0 1 0 2]" ||
		fmt.Sprint(e.flows) != "[3 0 2]" {
		t.Errorf("rows %v, of entities %v; entities of traces %v, their flows %v", set.X, of, e.of, e.flows)
	}
}
