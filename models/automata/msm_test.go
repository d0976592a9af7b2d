package automata

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/planted"
)

func boxSet(traces []data.Trace) *data.Set {
	return &data.Set{Kind: data.Traces, N: len(traces), D: 3, Features: data.Quantities("x", "y", "z"), Traces: traces}
}

func TestCommonScale(t *testing.T) {
	st := stateModel{n: 5}
	st.rank([]float64{4, 1, 3, 2, 10})
	for s, want := range map[float64]float64{0: 0, 1: 1.0 / 6, 2.5: 2.0 / 6, 10: 5.0 / 6, 17: 1 + math.Log(2),
		math.Inf(1): 1 + math.Log1p(math.MaxFloat64)} {
		if got := st.normalised(s); math.Abs(got-want) > 1e-12 {
			t.Errorf("score %v becomes %v, want %v", s, got, want)
		}
	}
	if few := (&stateModel{n: 2}); few.normalised(0) != 1 {
		t.Error("a state that met two events does not give 1")
	}
	flat := stateModel{n: 3}
	flat.rank([]float64{7, 7, 7})
	if got := flat.normalised(7); got != 0.5 {
		t.Errorf("equal scores: %v", got)
	}
	many := stateModel{n: 5000}
	scores := make([]float64, 5000)
	for i := range scores {
		scores[i] = float64(i)
	}
	many.rank(scores)
	if got := many.normalised(2500); math.Abs(got-0.5) > 0.002 || len(many.ordered) != maxRanks {
		t.Errorf("of many: %v, %d kept", got, len(many.ordered))
	}
}

// TestRulesByHand: events 1, 2, 3, 4, 5 have quartiles 2, 3 and 4, so that 2, 1, 1, 1 of them are in the quarters,
// a mean of 3 and a deviation of √2; a second attribute is always 7.
func TestRulesByHand(t *testing.T) {
	set := &data.Set{Kind: data.Vectors, N: 5, D: 2, X: []float32{1, 7, 2, 7, 3, 7, 4, 7, 5, 7}}
	test := &data.Set{Kind: data.Vectors, N: 3, D: 2, X: []float32{0, 7, 5, 7, 3, 8}}
	for rule, want := range map[string][]float64{
		"quartile": {-math.Log(3.0/9) - math.Log(6.0/9), -math.Log(2.0/9) - math.Log(6.0/9),
			-math.Log(2.0/9) - math.Log(1.0/9)},
		"sigma": {3 / math.Sqrt2, 2 / math.Sqrt2, farOff},
	} {
		spec := defaultMSM()
		spec.Rule = rule
		m := &msm{spec: *spec}
		st := &stateModel{n: 5}
		if _, err := m.fitStateModel(context.Background(), st, set, quartilesOf(set.X, 2), ""); err != nil {
			t.Fatal(err)
		}
		got, err := m.raw(context.Background(), st, test)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9*want[i] {
				t.Errorf("%s: event %d scores %v, want %v", rule, i, got[i], want[i])
			}
		}
	}
}

// TestContextOfAnEvent: events that are common, but not where they stand, are found by states and not by one state.
func TestContextOfAnEvent(t *testing.T) {
	train, benign := boxSet(planted.Traces(2000, 1)), boxSet(planted.Traces(100, 2))
	attack := boxSet(planted.Traces(100, 3))
	for i := range attack.Traces { // the same events backwards
		x := attack.Traces[i].Events
		var turned []float32
		for n := len(x); n > 0; n -= 3 {
			turned = append(turned, x[n-3:n]...)
		}
		attack.Traces[i].Events = turned
	}
	share := func(states int) float64 {
		s := defaultMSM()
		s.Rule, s.MaxStates, s.MaxEvents = "quartile", states, 1e6
		d := fitted(t, s, train)
		b, err := d.Score(context.Background(), benign)
		if err != nil {
			t.Fatal(err)
		}
		a, err := d.Score(context.Background(), attack)
		if err != nil {
			t.Fatal(err)
		}
		n := 0.0
		for _, v := range a {
			for _, w := range b {
				if v > w {
					n++
				}
			}
		}
		return n / float64(len(a)*len(b))
	}
	if got := share(1000); got < 0.95 {
		t.Errorf("states: order is told in %.2f of the pairs", got)
	}
	if got := share(1); got < 0.3 || got > 0.7 {
		t.Errorf("one state: order is told in %.2f of the pairs, which it cannot know", got)
	}
}

// TestMachinesOfKeys: a key with few events has no machine, and a trace is judged by the machine that suits it.
func TestMachinesOfKeys(t *testing.T) {
	s := defaultMSM()
	s.Per, s.Rule = "key", "sigma"
	train := &data.Set{Kind: data.Traces, D: 1}
	for i := range 60 {
		train.Traces = append(train.Traces, data.Trace{Key: "low", Events: []float32{float32(i % 5)}},
			data.Trace{Key: "high", Events: []float32{100 + float32(i%5)}})
	}
	train.Traces = append(train.Traces, data.Trace{Key: "rare", Events: []float32{50}})
	train.N = len(train.Traces)
	d := fitted(t, s, train)
	if n := len(learned[*msm](t, d).machines); n != 2 {
		t.Fatalf("%d machines, want 2", n)
	}
	test := &data.Set{Kind: data.Traces, N: 4, D: 1,
		Traces: []data.Trace{{Events: []float32{2}}, {Events: []float32{102}}, {Events: []float32{50}}, {}}}
	got, err := d.Score(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	if got[0] > 1 || got[1] > 1 || got[2] <= 1 || got[3] != 0 {
		t.Errorf("scores %v", got)
	}
	s.KeyEvents = 1000
	det, _ := s.New(models.Env{})
	if err := det.Fit(context.Background(), train); !errors.Is(err, models.ErrInput) ||
		!strings.Contains(err.Error(), "key_events") {
		t.Errorf("no key has enough events: error %v", err)
	}
}

// learned is what a fitted detector has learned.
func learned[L models.Learned](t *testing.T, d models.Detector) L {
	t.Helper()
	of, err := d.(interface{ Learned() (L, error) }).Learned()
	if err != nil {
		t.Fatal(err)
	}
	return of
}
