package schedule

import (
	"math"
	"testing"
)

// TestSchedules: the rates of the first epochs, worked out from the definitions.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want []float64
	}{
		{Schedule{Kind: "none"}, []float64{1, 1, 1}},
		{Schedule{Kind: "linear", Factor: 0.5, End: 1, Over: 2}, []float64{0.5, 0.75, 1, 1}},
		{Schedule{Kind: "step", Every: 2, Factor: 0.1}, []float64{1, 1, 0.1, 0.1, 0.01}},
		{Schedule{Kind: "multistep", At: []int{1, 3}, Factor: 0.5}, []float64{1, 0.5, 0.5, 0.25}},
		{Schedule{Kind: "exponential", Factor: 0.5}, []float64{1, 0.5, 0.25}},
		{Schedule{Kind: "cosine", Over: 4, Least: 0.2},
			[]float64{1, 0.6 + 0.4*math.Sqrt(0.5), 0.6, 0.6 - 0.4*math.Sqrt(0.5), 0.2}},
		{Schedule{Kind: "cosine_restarts", Over: 2, Growth: 2},
			[]float64{1, 0.5, 1, 0.5 + 0.5*math.Sqrt(0.5), 0.5, 0.5 - 0.5*math.Sqrt(0.5), 1}},
		{Schedule{Kind: "cyclic", Every: 2, Least: 0.2}, []float64{0.2, 0.6, 1, 0.6, 0.2, 0.6}},
	} {
		if err := c.s.Check(); err != nil {
			t.Error(err)
		}
		for k, want := range c.want {
			if got := c.s.Rate(1, k, 10); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: epoch %d has rate %v, want %v", c.s.Kind, k, got, want)
			}
		}
	}
	for _, s := range []Schedule{{Kind: "multistep"}, {Kind: "multistep", At: []int{3, 3}}, {Kind: "warm"}} {
		if s.Check() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}
