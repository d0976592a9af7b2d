package nn

import (
	"math"

	"plumbline/numeric/kernel"
)

// update is the optimiser's half of a trainer: packed parameters, the gradients of a batch's shards, and the step from
// these to new parameters. Spans of parameters may be updated by different workers; their number changes no bit.
type update struct {
	p, g []float32 // parameters, and a gradient of the same layout for each shard
	sum  []float32 // of the shards' gradients
	optimiserMemory
	spans   []span
	squares []float64 // of the batch's gradient, for each span
	clip    float64   // bound on the norm of the batch's gradient; 0: none
	flip    func()    // brings all transposed weights up to date

	flat, flatSum Params // p and sum, for the stepper
}

// span is a run of parameters that are updated at once, and the panel of w that is transposed into wt after it.
type span struct {
	from, to int
	w, wt    *kernel.Packed
	panel    int // −1: none
}

// newUpdate has parameters p, all 0 in its optimiser's memory. The spans come later: they point into what is laid over
// p.
func newUpdate(o Optimiser, size int, clip float64, flip func()) update {
	u := update{p: kernel.Alloc(size), g: kernel.Alloc(shards * size), clip: clip, flip: flip}
	if o.plainAdam() {
		u.m, u.v = kernel.Alloc(size), kernel.Alloc(size)
		return u
	}
	u.sum = kernel.Alloc(size)
	u.flat, u.flatSum = Params{u.p}, Params{u.sum}
	u.step = NewStepper(o, u.flat)
	return u
}

// setSpans is called once, when the weights are laid out.
func (u *update) setSpans(spans []span) {
	u.spans, u.squares = spans, make([]float64, len(spans))
}

// tasks is into how many tasks a step is cut at most; a stepper's step is one.
func (u *update) tasks(workers int) int {
	if u.step != nil {
		return 1
	}
	return workers
}

// shard is the gradient of shard k.
func (u *update) shard(k int) []float32 { return u.g[k*len(u.p) : (k+1)*len(u.p)] }

// share is part k of the spans, which are cut into the given number of parts.
func (u *update) share(k, of int) (from, to int) {
	return len(u.spans) * k / of, len(u.spans) * (k + 1) / of
}

// norm takes the squares of the spans of share k of the batch's gradient.
func (u *update) norm(k, of int) {
	size := len(u.p)
	from, to := u.share(k, of)
	for i := from; i < to; i++ {
		sum := 0.0
		for j := u.spans[i].from; j < u.spans[i].to; j++ {
			v := u.g[j]
			for s := 1; s < shards; s++ {
				v += u.g[s*size+j]
			}
			sum += float64(float64(v) * float64(v))
		}
		u.squares[i] = sum
	}
}

// factor is what the batch's gradient is multiplied by, once norm has seen all of it.
func (u *update) factor() float32 {
	if u.clip == 0 {
		return 1
	}
	sum := 0.0
	for _, v := range u.squares {
		sum += v
	}
	if norm := math.Sqrt(sum); norm > u.clip {
		return float32(u.clip / norm)
	}
	return 1
}

// apply does task k of a step, counted from 1: it changes the parameters by the shards' gradients.
func (u *update) apply(k, of int, rate float64, step int) {
	factor := u.factor()
	if u.step != nil {
		u.applyAll(rate, factor)
		return
	}
	size := len(u.p)
	lr := float32(rate / (1 - math.Pow(0.9, float64(step))))
	root := float32(1 / math.Sqrt(1-math.Pow(0.999, float64(step))))
	from, to := u.share(k, of)
	for _, s := range u.spans[from:to] {
		if factor != 1 {
			for i := range shards {
				g := u.g[i*size+s.from : i*size+s.to]
				for j := range g {
					g[j] *= factor
				}
			}
		}
		kernel.Adam(u.p[s.from:s.to], u.m[s.from:s.to], u.v[s.from:s.to], u.g[s.from:], shards, size, lr, root)
		if s.panel >= 0 {
			kernel.TransposePanel(*s.w, s.panel, *s.wt)
		}
	}
}

// applyAll is a step of the optimisers that package kernel does not have.
func (u *update) applyAll(rate float64, factor float32) {
	u.total()
	if factor != 1 {
		for i := range u.sum {
			u.sum[i] *= factor
		}
	}
	u.step.Step(u.flat, u.flatSum, rate)
	u.flip()
}

// total adds the shards' gradients up in u.sum.
func (u *update) total() {
	if u.sum == nil {
		u.sum = kernel.Alloc(len(u.p))
	}
	copy(u.sum, u.shard(0))
	for s := 1; s < shards; s++ {
		for i, v := range u.shard(s) {
			u.sum[i] += v
		}
	}
}
