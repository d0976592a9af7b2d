package machine

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models/automata/planted"
)

// TestPlantedBoxes: from 2,000 traces on, the machine is found exactly, its guards at the planted values, and nothing
// depends on the noise.
func TestPlantedBoxes(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	for seed := range uint64(6) {
		m, err := LearnGuarded(context.Background(), DefaultGuarded(), planted.Traces(2000, seed), 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.States) != 3 {
			t.Errorf("seed %d: %d states, want 3", seed, len(m.States))
			continue
		}
		at := func(state int32, x, y float32) int32 {
			first := m.Next(state, []float32{x, y, 0})
			for z := float32(0); z < 200; z++ {
				if m.Next(state, []float32{x, y, z}) != first {
					t.Errorf("seed %d: the noise of an event decides in state %d", seed, state)
				}
			}
			return first
		}
		one, two := at(0, 104, 30), at(0, 105, 30)
		if one == two || one == 0 || two == 0 {
			t.Errorf("seed %d: from 0 to %d below 105 and to %d above", seed, one, two)
			continue
		}
		for what, ok := range map[string]bool{
			"0, 60":  at(0, 60, 59) == one,
			"0, 149": at(0, 149, 0) == two,
			"1, 44":  at(one, 150, 44) == two,
			"1, 45":  at(one, 150, 45) == one,
			"1, 0":   at(one, 199, 0) == two,
			"1, 89":  at(one, 140, 89) == one,
			"2":      at(two, 0, 120) == 0 && at(two, 199, 199) == 0,
		} {
			if !ok {
				t.Errorf("seed %d: a wrong turn at %s: %+v", seed, what, m.States)
			}
		}
		edges := 0
		for _, s := range m.States {
			edges += len(s.Edges)
		}
		if edges != 5 {
			t.Errorf("seed %d: %d edges, want 5: %+v", seed, edges, m.States)
		}
	}
}

// TestNoiseHasNoGuards: events that do not depend on each other make one state without guards.
func TestNoiseHasNoGuards(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 2))
		traces := make([]data.Trace, 1000)
		for i := range traces {
			for range 3 * 15 {
				traces[i].Events = append(traces[i].Events, float32(r.NormFloat64()))
			}
		}
		m, err := LearnGuarded(context.Background(), DefaultGuarded(), traces, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.States) != 1 || len(m.States[0].Edges) != 1 {
			t.Errorf("seed %d: %d states, edges %+v", seed, len(m.States), m.States[0].Edges)
		}
	}
}

// TestBoxesPartSpace: whatever the data, every event has exactly one edge in every state that has any.
func TestBoxesPartSpace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	spec := GuardedLearnSpec{Alpha: 0.3, MinEvents: 5, Depth: 1, MaxStates: 20} // splits noise
	m, err := LearnGuarded(context.Background(), spec, planted.Traces(200, 9), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.States) < 3 || len(m.States) > 20 {
		t.Fatalf("%d states", len(m.States))
	}
	for range 2000 {
		x := []float32{float32(r.IntN(260) - 30), float32(r.IntN(260) - 30), float32(r.IntN(260) - 30)}
		for i, s := range m.States {
			n := 0
			for k := range s.Edges {
				if s.Edges[k].Guard.holds(x) {
					n++
				}
			}
			if n > 1 {
				t.Fatalf("state %d has %d edges for %v", i, n, x)
			}
		}
	}
}

func TestJoinedBoxes(t *testing.T) {
	box := func(v ...float32) *Hyperrectangle {
		return &Hyperrectangle{Low: []float32{v[0], v[2]}, High: []float32{v[1], v[3]}}
	}
	if u, ok := box(0, 1, 0, 5).joined(box(1, 3, 0, 5)); !ok || !slices.Equal(u.Low, []float32{0, 0}) ||
		!slices.Equal(u.High, []float32{3, 5}) {
		t.Errorf("neighbours: %v, %v", u, ok)
	}
	for _, o := range []*Hyperrectangle{box(1, 3, 0, 4), box(2, 3, 0, 5), box(1, 3, 5, 9)} {
		if _, ok := box(0, 1, 0, 5).joined(o); ok {
			t.Errorf("%v is joined", o)
		}
	}
}

func TestBoxesOfNothing(t *testing.T) {
	if _, err := LearnGuarded(context.Background(), DefaultGuarded(), make([]data.Trace, 3), 2); err == nil {
		t.Error("a machine is learnt from no events")
	}
	if _, err := LearnGuarded(context.Background(), DefaultGuarded(), nil, 0); err == nil {
		t.Error("a machine is learnt from events without attributes")
	}
	m, err := LearnGuarded(context.Background(), DefaultGuarded(), []data.Trace{{Events: []float32{1, 2}}}, 2)
	if err != nil || len(m.States) != 1 {
		t.Errorf("one event: %+v, %v", m, err)
	}
}

func BenchmarkLearnBoxes(b *testing.B) {
	traces := planted.Traces(3500, 1) // some 100,000 events
	for b.Loop() {
		if _, err := LearnGuarded(context.Background(), DefaultGuarded(), traces, 3); err != nil {
			b.Fatal(err)
		}
	}
}
