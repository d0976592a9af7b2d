// Package schedule is how the learning rate of a training goes on from epoch to epoch.
package schedule

import (
	"fmt"
	"math"

	"plumbline/numeric/elementary"
)

// Schedule is how the learning rate goes on from that of the first epoch: the schedulers of PyTorch, stepped
// once an epoch, in closed form.
type Schedule struct {
	// none; linear: from factor to end of the rate, over over epochs; step: times factor after each every epochs;
	// multistep: times factor after each of at; exponential: times factor after each epoch; cosine: half a cosine down
	// to least; cosine_restarts: the same again and again (Loshchilov and Hutter 2017); cyclic: up from least and down
	// again, every epochs each (Smith 2017)
	Kind string `yaml:"kind" jsonschema:"enum=none,enum=linear,enum=step,enum=multistep,enum=exponential,enum=cosine,enum=cosine_restarts,enum=cyclic"`
	// for step and cyclic: epochs
	Every int `yaml:"every" jsonschema:"minimum=1,maximum=100000"`
	// for multistep: epochs, ascending
	At []int `yaml:"at" jsonschema:"minimum=1,maximum=100000"`
	// for step, multistep, exponential; for linear the share of the rate that it begins with
	Factor float64 `yaml:"factor" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// for linear: the share of the rate that it ends with
	End float64 `yaml:"end" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// for linear and cosine: epochs that it takes, 0 all; for cosine_restarts: epochs of the first round, 0 all
	Over int `yaml:"over" jsonschema:"minimum=0,maximum=100000"`
	// for cosine_restarts: how many times longer each round is than the one before
	Growth int `yaml:"growth" jsonschema:"minimum=1,maximum=100"`
	// for cosine, cosine_restarts and cyclic: the lowest rate
	Least float64 `yaml:"least" jsonschema:"minimum=0,maximum=100"`
}

// Default leaves the rate as it is.
func Default() Schedule {
	return Schedule{Kind: "none", Every: 30, At: []int{}, Factor: 0.5, End: 1, Growth: 1}
}

// Check says what is wrong with the settings taken together.
func (s Schedule) Check() error {
	switch s.Kind {
	case "", "none", "step", "exponential":
	case "multistep":
		if len(s.At) == 0 {
			return fmt.Errorf("schedule: multistep needs at, the epochs after which the rate falls")
		}
		for i := range s.At {
			if i > 0 && s.At[i] <= s.At[i-1] {
				return fmt.Errorf("schedule: at: %d comes after %d", s.At[i], s.At[i-1])
			}
		}
	case "linear", "cosine", "cosine_restarts", "cyclic":
	default:
		return fmt.Errorf("schedule: unknown kind %q", s.Kind)
	}
	return nil
}

// Rate is the learning rate of an epoch, counted from 0, of a training of the given number of epochs that begins
// with base.
func (s Schedule) Rate(base float64, epoch, of int) float64 {
	over := s.Over
	if over == 0 {
		over = of
	}
	k := float64(epoch)
	wave := func(at, length float64) float64 {
		return s.Least + (base-s.Least)*(1+elementary.Cos(math.Pi*at/length))/2
	}
	switch s.Kind {
	case "linear":
		return base * (s.Factor + (s.End-s.Factor)*math.Min(k, float64(over))/float64(over))
	case "step":
		return base * elementary.Pow(s.Factor, float64(epoch/s.Every))
	case "multistep":
		n := 0
		for n < len(s.At) && s.At[n] <= epoch {
			n++
		}
		return base * elementary.Pow(s.Factor, float64(n))
	case "exponential":
		return base * elementary.Pow(s.Factor, k)
	case "cosine":
		return wave(k, float64(over))
	case "cosine_restarts":
		length := over
		for epoch >= length {
			epoch -= length
			length *= s.Growth
		}
		return wave(float64(epoch), float64(length))
	case "cyclic":
		up := float64(s.Every)
		cycle := math.Floor(1 + k/(2*up))
		return s.Least + float64((base-s.Least)*math.Max(0, 1-math.Abs(k/up-float64(2*cycle)+1)))
	}
	return base
}
