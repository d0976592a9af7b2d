package tune

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/runs/experiment"
)

func span(low, high float64, log bool) experiment.Domain {
	if log {
		return experiment.Domain{Log: []float64{low, high}}
	}
	return experiment.Domain{Uniform: []float64{low, high}}
}

func TestValues(t *testing.T) {
	d := dimension{key: "k", domain: span(0.001, 10, true)}
	for x, want := range map[float64]string{0: "0.001", 0.5: "0.1", 1: "10", 0.25: "0.01"} {
		if got := d.text(x); got != want {
			t.Errorf("%v is %s, not %s", x, got, want)
		}
	}
	whole := dimension{key: "k", domain: experiment.Domain{Int: []int{1, 3}, Points: 9}}
	if got := whole.points(); len(got) != 3 {
		t.Errorf("a range of three whole numbers has the points %v", got)
	}
	c := dimension{key: "c", choices: []string{`"a"`, "[1,2]"}}
	g := grid([]dimension{whole, c})
	if len(g) != 6 || !slices.Equal(assign([]dimension{whole, c}, g[5]), []string{"k=3", "c=[1,2]"}) {
		t.Errorf("%v", g)
	}
}

// TestMixture: the density integrates to one, and what is drawn follows it.
func TestMixture(t *testing.T) {
	m := newMixture([]float64{0.1, 0.15, 0.9})
	const n = 20000
	sum, below := 0.0, 0.0
	for i := range n {
		p := math.Exp(m.log((float64(i) + 0.5) / n))
		if sum += p / n; i < n/2 {
			below += p / n
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the density integrates to %v", sum)
	}
	r, hits := rand.New(rand.NewPCG(1, 2)), 0
	for range n {
		if m.draw(r) < 0.5 {
			hits++
		}
	}
	if got := float64(hits) / n; math.Abs(got-below) > 4*math.Sqrt(below*(1-below)/n) {
		t.Errorf("%.4f of what is drawn is below 0.5, the density says %.4f", got, below)
	}
	// by hand: gaps to the neighbours 0.1 (the end) and 0.05 around 0.1; 0.4 and 0.1 around 0.9, among 0.1, 0.15, 0.5
	for i, want := range []float64{0.2, 0.35, 0.4, 1} {
		if math.Abs(m.sd[i]-want) > 1e-12 {
			t.Errorf("width %d is %v, not %v", i, m.sd[i], want)
		}
	}
	if w := weights([]float64{0, 0, 2}, 3); !slices.Equal(w, []float64{0.5, 1. / 6, 1. / 3}) {
		t.Error(w)
	}
}

// TestParzenLearns: on a bowl with a choice that matters, 60 trials chosen by the estimator come nearer to the bottom
// than as many drawn at random, by the mean over 20 searches.
func TestParzenLearns(t *testing.T) {
	dims := []dimension{{key: "x", domain: span(0, 1, false)}, {key: "y", domain: span(0, 1, false)},
		{key: "c", choices: []string{"a", "b", "c"}}}
	bowl := func(p point) float64 {
		if p == nil {
			return -1
		}
		return -math.Pow(p[0]-0.3, 2) - math.Pow(p[1]-0.8, 2) - math.Abs(p[2]-1)/4
	}
	best := func(method string, seed uint64) float64 {
		s := &Search{Data: "d", Label: "m"}
		tune := &experiment.Tune{Method: method, Trials: 60, Seed: seed, Startup: 10, Batch: 2}
		err := s.run(context.Background(), tune, dims, 1, eval.Higher,
			func(_ context.Context, trials []*Trial, _, _ int) error {
				for _, tr := range trials {
					tr.judge([]cellResult{{Value: eval.Number(bowl(tr.at))}})
				}
				return nil
			})
		if err != nil || len(s.Trials) != 60 || s.Cells != 60 {
			t.Fatal(err, len(s.Trials), s.Cells)
		}
		return float64(s.Chosen().Value)
	}
	var random, parzen float64
	for seed := range uint64(20) {
		random, parzen = random-best("random", seed)/20, parzen-best("tpe", seed)/20
	}
	t.Logf("mean distance from the bottom: random %.5f, tpe %.5f", random, parzen)
	if parzen > random/2 {
		t.Errorf("mean distance from the bottom: random %.5f, tpe %.5f", random, parzen)
	}
}

// TestHalving: rounds of 27 trials with 9 cells, by hand, and the best of the last round wins whatever others had on
// less.
func TestHalving(t *testing.T) {
	tune := &experiment.Tune{Method: "halving", Trials: 27, Eta: 3, Seed: 1, Resource: experiment.Resource{Key: "cells"}}
	if got := levels(tune, 9, 27); !slices.Equal(got, []int{1, 3, 9}) {
		t.Error(got)
	}
	tune.Resource = experiment.Resource{Key: "models.ae.epochs", Min: 4, Max: 100}
	if got := levels(tune, 9, 9); !slices.Equal(got, []int{11, 33, 100}) {
		t.Error(got)
	}
	tune.Resource = experiment.Resource{Key: "cells"}
	dims := []dimension{{key: "x", domain: span(0, 1, false)}}
	var sizes, given []int
	s := &Search{Data: "d", Label: "m"}
	judge := func(_ context.Context, trials []*Trial, cells, _ int) error {
		sizes, given = append(sizes, len(trials)), append(given, cells)
		for _, tr := range trials {
			tr.judge(make([]cellResult, cells))
			if tr.Value = eval.Number(math.NaN()); tr.at != nil {
				tr.Value = eval.Number(tr.at[0])
			}
		}
		return nil
	}
	err := s.run(context.Background(), tune, dims, 9, eval.Lower, judge)
	if err != nil || !slices.Equal(sizes, []int{27, 9, 3}) || !slices.Equal(given, []int{1, 3, 9}) || s.Cells != 81 {
		t.Fatal(err, sizes, given, s.Cells)
	}
	for _, tr := range s.Trials[1:] {
		if tr.Number != s.Best && tr.at[0] < s.Trials[s.Best].at[0] {
			t.Errorf("trial %d at %v is better than the chosen one at %v", tr.Number, tr.at[0], s.Trials[s.Best].at[0])
		}
	}
}

// TestGridIsCounted: a grid that is too large is refused by its number of points, before any of them is made.
func TestGridIsCounted(t *testing.T) {
	wide := dimension{key: "k", domain: experiment.Domain{Uniform: []float64{0, 1}, Points: 1000}}
	small := dimension{key: "c", choices: []string{"1", "2", "3"}}
	nobody := func(context.Context, []*Trial, int, int) error {
		t.Error("a trial was begun")
		return nil
	}
	for _, c := range []struct {
		dims   []dimension
		trials int
		want   string
	}{
		{[]dimension{wide, wide, wide, wide, wide, wide, wide}, 0, "more than 99999 points"},
		{[]dimension{wide, wide, wide}, 20, "more than 99999 points"},
		{[]dimension{small, small}, 9, "9 points beside the settings of the file, 9 trials are asked for"},
	} {
		s := &Search{Label: "m"}
		err := s.run(t.Context(), &experiment.Tune{Method: "grid", Trials: c.trials}, c.dims, 1, eval.Higher, nobody)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d trials: %v, want %q", c.trials, err, c.want)
		}
	}
	if n := gridSize([]dimension{wide, small, small}); n != 9000 {
		t.Errorf("%d points, want 9000", n)
	}
}

// TestFound: what was chosen is told with the trials that failed.
func TestFound(t *testing.T) {
	ok, bad := Trial{Status: "ok", Values: []string{"a=1", "b=x"}}, Trial{Number: 2, Status: "failed", Error: "no such b"}
	for want, s := range map[string]Search{
		"the settings of the file": {Trials: []Trial{{Status: "ok"}, ok}},
		"a=1 b=x; 2 of 4 trials failed, first trial 2: no such b": {Best: 1,
			Trials: []Trial{{Status: "ok"}, ok, bad, {Number: 3, Status: "failed", Error: "later"}}},
		"none; 1 of 1 trials failed, first trial 2: no such b": {Best: -1, Trials: []Trial{bad}},
	} {
		if got := s.Found(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
