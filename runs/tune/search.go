package tune

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs/experiment"
)

// Trial is one set of values and what became of it.
type Trial struct {
	Number int      `json:"trial"` // from 0, the settings of the file
	Values []string `json:"values"`
	Status string   `json:"status"` // ok, or failed where a cell is
	Error  string   `json:"error,omitempty"`
	// Value is the mean of the objective over the cells, and SD their standard deviation.
	Value eval.Number `json:"value"`
	SD    eval.Number `json:"sd"`
	// Cells is how many the value is over, and Resource what the key of successive halving was set to in the last round.
	Cells    int     `json:"cells"`
	Resource int     `json:"resource,omitempty"`
	Round    int     `json:"round"` // of successive halving, from 0: the last one that the trial was in
	Seconds  float64 `json:"seconds"`

	at point
}

// Search is the trials of one model on one data set.
type Search struct {
	Data   string   `json:"data"`
	Label  string   `json:"label"`
	Keys   []string `json:"keys"`
	Sum    string   `json:"training_sha256"` // of the rows that the search saw
	Benign int      `json:"benign"`
	Attack int      `json:"attacks"`
	Best   int      `json:"best"`  // trial; -1: none is ok
	Cells  int      `json:"cells"` // that were asked for, all trials together
	Trials []Trial  `json:"trials"`
}

// Chosen is the best trial, nil without one.
func (s *Search) Chosen() *Trial {
	if s.Best < 0 {
		return nil
	}
	return &s.Trials[s.Best]
}

// Found is the values that were chosen, and how many trials failed, with the first error: those were paid for and say
// nothing.
func (s *Search) Found() string {
	text := "none"
	if best := s.Chosen(); best != nil {
		if text = strings.Join(best.Values, " "); text == "" {
			text = "the settings of the file"
		}
	}
	failed, first := 0, ""
	for _, t := range s.Trials {
		if t.Status != "ok" {
			if failed++; failed == 1 {
				first = fmt.Sprintf("trial %d: %s", t.Number, t.Error)
			}
		}
	}
	if failed > 0 {
		text += fmt.Sprintf("; %d of %d trials failed, first %s", failed, len(s.Trials), first)
	}
	return text
}

// judge sets a trial's value to the mean of its cells.
func (t *Trial) judge(cells []cellResult) {
	t.Cells, t.Status, t.Error, t.Seconds = len(cells), "ok", "", 0
	var v []float64
	for _, c := range cells {
		t.Seconds += c.Seconds
		switch x := float64(c.Value); {
		case c.Error != "":
			t.Status, t.Error = "failed", c.Error
		case math.IsNaN(x):
			t.Status, t.Error = "failed", "the objective is not defined on a fold"
		default:
			v = append(v, x)
		}
	}
	t.Value, t.SD = eval.Number(math.NaN()), eval.Number(math.NaN())
	if t.Status != "ok" {
		return
	}
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	t.Value = eval.Number(mean)
	if len(v) > 1 {
		t.SD = eval.Number(math.Sqrt(sum / float64(len(v)-1)))
	}
}

// rand is the stream of a trial of a model, so that it draws the same whatever other models do.
func (s *Search) rand(seed uint64, trial int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%d", s.Data, s.Label, trial)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// evaluate gives trials their values on some of the cells, from the first on; resource, where not 0, is set under the
// key of successive halving.
type evaluate func(ctx context.Context, trials []*Trial, cells, resource int) error

// run tries as the method says.
func (s *Search) run(ctx context.Context, t *experiment.Tune, dims []dimension, cells int, better eval.Better,
	eval evaluate,
) error {
	add := func(at point) *Trial {
		s.Trials = append(s.Trials, Trial{Number: len(s.Trials), Values: assign(dims, at), at: at})
		return &s.Trials[len(s.Trials)-1]
	}
	wanted := t.Trials
	var points []point
	if t.Method == "grid" {
		n := gridSize(dims)
		if wanted == 0 {
			wanted = min(n, maxGrid) + 1
		}
		if n+1 > wanted {
			return fmt.Errorf("tune: the grid of %s has %s points beside the settings of the file, %d trials are %s: "+
				"fewer points, or method random", s.Label, manyPoints(n), wanted, asked(t.Trials))
		}
		points = grid(dims)
	}
	s.Trials = make([]Trial, 0, wanted) // evaluate holds pointers
	add(nil)
	switch t.Method {
	case "grid":
		for _, p := range points {
			add(p)
		}
	case "tpe":
		for len(s.Trials) < min(wanted, t.Startup) {
			add(random(dims, s.rand(t.Seed, len(s.Trials))))
		}
	default:
		for len(s.Trials) < wanted {
			add(random(dims, s.rand(t.Seed, len(s.Trials))))
		}
	}
	if t.Method == "halving" {
		return s.halve(ctx, t, cells, better, eval)
	}
	for done := 0; done < len(s.Trials); {
		var batch []*Trial
		for i := done; i < len(s.Trials); i++ {
			batch = append(batch, &s.Trials[i])
		}
		if err := eval(ctx, batch, cells, 0); err != nil {
			return err
		}
		s.Cells += cells * len(batch)
		done = len(s.Trials)
		if t.Method == "tpe" {
			var ended []scored
			for i := range s.Trials {
				ended = append(ended, scored{s.Trials[i].at, sign(better) * float64(s.Trials[i].Value)})
			}
			for range min(t.Batch, wanted-done) {
				add(parzen(dims, ended, s.rand(t.Seed, len(s.Trials))))
			}
		}
	}
	s.choose(better)
	return nil
}

// asked is why a grid has no more trials.
func asked(trials int) string {
	if trials == 0 {
		return "the most that a search tries"
	}
	return "asked for, and every model has the same number"
}

// halve gives all trials little, and the best 1/eta of a round eta times as much in the next.
func (s *Search) halve(ctx context.Context, t *experiment.Tune, cells int, better eval.Better, eval evaluate) error {
	left := make([]*Trial, len(s.Trials))
	for i := range s.Trials {
		left[i] = &s.Trials[i]
	}
	rounds := levels(t, cells, len(left))
	for k, level := range rounds {
		n, resource := level, 0
		if t.Resource.Key != "cells" {
			n, resource = cells, level
		}
		for _, trial := range left {
			trial.Round, trial.Resource = k, resource
		}
		if err := eval(ctx, left, n, resource); err != nil {
			return err
		}
		s.Cells += n * len(left)
		slices.SortStableFunc(left, func(a, b *Trial) int { return order(a, b, better) })
		if k+1 < len(rounds) {
			left = slices.Clone(left[:max(1, len(left)/t.Eta)])
			slices.SortFunc(left, func(a, b *Trial) int { return a.Number - b.Number })
		}
	}
	s.Best = -1
	if left[0].Status == "ok" {
		s.Best = left[0].Number
	}
	return nil
}

// levels is what each round gives a trial: whole cells, or values of the resource's key; the last is all there is.
func levels(t *experiment.Tune, cells, trials int) (out []int) {
	low, high := 1, cells
	if t.Resource.Key != "cells" {
		low, high = t.Resource.Min, t.Resource.Max
	}
	for level, left := high, 1; ; level, left = level/t.Eta, left*t.Eta {
		out = append(out, level)
		if level/t.Eta < low || left*t.Eta > trials {
			break
		}
	}
	slices.Reverse(out)
	return out
}

func sign(better eval.Better) float64 {
	if better == eval.Lower {
		return -1
	}
	return 1
}

// order sorts better trials first, those that failed last; of equal ones the earlier.
func order(a, b *Trial, better eval.Better) int {
	x, y := sign(better)*float64(a.Value), sign(better)*float64(b.Value)
	switch {
	case math.IsNaN(x) || math.IsNaN(y):
		return btoi(math.IsNaN(x)) - btoi(math.IsNaN(y))
	case x > y:
		return -1
	case x < y:
		return 1
	}
	return a.Number - b.Number
}

// choose sets Best.
func (s *Search) choose(better eval.Better) {
	best := &s.Trials[0]
	for i := range s.Trials {
		if order(&s.Trials[i], best, better) < 0 {
			best = &s.Trials[i]
		}
	}
	s.Best = -1
	if best.Status == "ok" {
		s.Best = best.Number
	}
}
