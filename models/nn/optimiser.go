package nn

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Optimiser says how gradients change weights. Rate is the learning rate of the first epoch. The update rules
// are those of PyTorch.
type Optimiser struct {
	// adam (Kingma and Ba 2015), adamw (Loshchilov and Hutter 2019), sgd with momentum, adadelta (Zeiler 2012), adagrad
	// (Duchi and others 2011), rmsprop (Tieleman and Hinton 2012)
	Kind string `yaml:"kind" jsonschema:"enum=adam,enum=adamw,enum=sgd,enum=adadelta,enum=adagrad,enum=rmsprop"`
	// learning rate of the first epoch
	Rate float64 `yaml:"rate" jsonschema:"exclusiveMinimum=0,maximum=100"`
	// for sgd and rmsprop
	Momentum float64 `yaml:"momentum" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// for adadelta and rmsprop: decay of the running averages
	Rho float64 `yaml:"rho" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// what of the weights is added to their gradient; with adamw, the share of the rate by which they shrink each step
	WeightDecay float64 `yaml:"weight_decay" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// longer gradients are cut to this Euclidean norm, over all weights; 0: none
	Clip float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
}

func defaultOptimiser() Optimiser {
	return Optimiser{Kind: "adam", Rate: 0.001, Momentum: 0, Rho: 0.9}
}

func (o Optimiser) check() error {
	switch o.Kind {
	case "adam", "adamw", "sgd", "adadelta", "adagrad", "rmsprop":
		return nil
	}
	return fmt.Errorf("neural: unknown optimiser %q", o.Kind)
}

// plainAdam tells whether the kernels have this optimiser.
func (o Optimiser) plainAdam() bool { return o.Kind == "adam" && o.WeightDecay == 0 && o.Clip == 0 }

// Stepper applies an optimiser to parameters of one shape, and holds its running averages. Arithmetic is
// in float32 with the scalars prepared in float64, as PyTorch does it.
type Stepper struct {
	o    Optimiser
	t    int
	a, b [][]float32
}

// NewStepper begins with empty averages.
func NewStepper(o Optimiser, shape Params) *Stepper {
	s := &Stepper{o: o}
	for _, p := range shape {
		s.a = append(s.a, make([]float32, len(p)))
		s.b = append(s.b, make([]float32, len(p)))
	}
	return s
}

// Step changes p by its gradient g at a learning rate. It may change g too.
func (s *Stepper) Step(p, g Params, rate float64) {
	s.t++
	if s.o.Clip > 0 {
		clip(g, s.o.Clip)
	}
	if decay := float32(s.o.WeightDecay); decay > 0 {
		for k := range p {
			for i, v := range p[k] {
				if s.o.Kind == "adamw" {
					p[k][i] = v - float32(float32(rate*s.o.WeightDecay)*v)
				} else {
					g[k][i] += float32(decay * v)
				}
			}
		}
	}
	for k := range p {
		switch s.o.Kind {
		case "adam", "adamw":
			s.adam(p[k], g[k], s.a[k], s.b[k], rate)
		case "adadelta":
			s.adadelta(p[k], g[k], s.a[k], s.b[k], rate)
		case "adagrad":
			s.adagrad(p[k], g[k], s.a[k], rate)
		case "rmsprop":
			s.rmsprop(p[k], g[k], s.a[k], s.b[k], rate)
		default:
			momentum, lr := float32(s.o.Momentum), float32(rate)
			for i, gi := range g[k] {
				s.a[k][i] = float32(momentum*s.a[k][i]) + gi
				p[k][i] -= float32(lr * s.a[k][i])
			}
		}
	}
}

// clip cuts a gradient to a norm.
func clip(g Params, norm float64) {
	sum := 0.0
	for _, a := range g {
		for _, v := range a {
			sum += float64(float64(v) * float64(v))
		}
	}
	if f := float32(norm / (math.Sqrt(sum) + 1e-6)); f < 1 {
		for _, a := range g {
			for i := range a {
				a[i] *= f
			}
		}
	}
}

// adam: m ← β₁m+(1−β₁)g, v ← β₂v+(1−β₂)g², w ← w − η·m̂/(√v̂+ε) with β₁ = .9, β₂ = .999, ε = 1e-8.
func (s *Stepper) adam(p, g, m, v []float32, rate float64) {
	const b1, b2, eps = 0.9, 0.999, 1e-8
	c1, c2 := 1-math.Pow(b1, float64(s.t)), 1-math.Pow(b2, float64(s.t))
	size, root := float32(rate/c1), float32(math.Sqrt(c2))
	for i, gi := range g {
		m[i] = float32(b1*m[i]) + float32((1-b1)*gi)
		v[i] = float32(b2*v[i]) + float32(float32((1-b2)*gi)*gi)
		p[i] -= size * m[i] / (float32(math.Sqrt(float64(v[i])))/root + eps)
	}
}

// adadelta: S ← ρS+(1−ρ)g², Δ = √(D+ε)/√(S+ε)·g, D ← ρD+(1−ρ)Δ², w ← w − η·Δ with ε = 1e-6.
func (s *Stepper) adadelta(p, g, sq, acc []float32, rate float64) {
	const eps = 1e-6
	rho, rest, lr := float32(s.o.Rho), float32(1-s.o.Rho), float32(rate)
	for i, gi := range g {
		sq[i] = float32(rho*sq[i]) + float32(float32(rest*gi)*gi)
		delta := float32(math.Sqrt(float64(acc[i]+eps))) / float32(math.Sqrt(float64(sq[i]+eps))) * gi
		acc[i] = float32(rho*acc[i]) + float32(float32(rest*delta)*delta)
		p[i] -= float32(lr * delta)
	}
}

// adagrad: S ← S+g², w ← w − η·g/(√S+ε) with ε = 1e-10.
func (s *Stepper) adagrad(p, g, sq []float32, rate float64) {
	const eps = 1e-10
	lr := float32(rate)
	for i, gi := range g {
		sq[i] += float32(gi * gi)
		p[i] -= lr * gi / (float32(math.Sqrt(float64(sq[i]))) + eps)
	}
}

// rmsprop: S ← ρS+(1−ρ)g², B ← µB + g/(√S+ε), w ← w − η·B with ε = 1e-8.
func (s *Stepper) rmsprop(p, g, sq, moving []float32, rate float64) {
	const eps = 1e-8
	rho, rest, momentum, lr := float32(s.o.Rho), float32(1-s.o.Rho), float32(s.o.Momentum), float32(rate)
	for i, gi := range g {
		sq[i] = float32(rho*sq[i]) + float32(float32(rest*gi)*gi)
		moving[i] = float32(momentum*moving[i]) + gi/(float32(math.Sqrt(float64(sq[i])))+eps)
		p[i] -= float32(lr * moving[i])
	}
}

// optimiserMemory is what an optimiser remembers from step to step: the averages of the kernels' Adam, or a stepper's.
type optimiserMemory struct {
	m, v []float32
	step *Stepper // nil: Adam of the kernels
	t    int      // steps so far
}

func (s *optimiserMemory) arrays() [][]float32 {
	if s.step == nil {
		return [][]float32{s.m, s.v}
	}
	return slices.Concat(s.step.a, s.step.b)
}

// Averages copies the arrays.
func (s *optimiserMemory) Averages() (arrays [][]float32, steps int) {
	for _, a := range s.arrays() {
		arrays = append(arrays, slices.Clone(a))
	}
	return arrays, s.t
}

// SetAverages takes over what Averages gave.
func (s *optimiserMemory) SetAverages(arrays [][]float32, steps int) error {
	into := s.arrays()
	if !sameShape(arrays, into) {
		return errors.New("neural: an optimiser's state of another network")
	}
	for i, a := range arrays {
		copy(into[i], a)
	}
	if s.t = steps; s.step != nil {
		s.step.t = steps
	}
	return nil
}
