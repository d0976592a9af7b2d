package deep

import (
	"math"

	"plumbline/models/nn"
	"plumbline/numeric/cluster"
	"plumbline/numeric/elementary"
	"plumbline/numeric/stat"
)

// energyGoal is the objective of dagmm on the logits of memberships. What the bridge of the network gives is modelled
// by Gaussians whose parameters are those of the batch (equation 5),
//
//	φ_k = N_k/n   µ_k = Σ_i γ_ik f_i/N_k   Σ_k = Σ_i γ_ik (f_i−µ_k)(f_i−µ_k)ᵀ/N_k + Ridge·I   N_k = Σ_i γ_ik
//
// and the loss is Energy·mean E(f_i) + Penalty·Σ_k Σ_j 1/(Σ_k)_jj.
type energyGoal struct{ Energy, Penalty, Ridge float64 }

// deadShare is the share of a batch below which a component counts as dead: it is left out, since its parameters are
// quotients of numbers near 0.
const deadShare = 1e-8

// component is one Gaussian of a mixture.
type component struct {
	share float64 // φ; 0: dead
	size  float64 // N
	mean  []float64
	cov   []float64 // d×d, ridge included
	g     *cluster.Gaussian
}

// memberships are the softmax of logits.
func memberships(logits []float32, out []float64) {
	for k, v := range logits {
		out[k] = float64(v)
	}
	stat.Softmax(out, out)
}

// mixtureOf is the Gaussians of rows f with memberships γ. A covariance without an inverse is an error.
func mixtureOf(gamma [][]float64, f [][]float32, ridge float64) ([]component, error) {
	d, n := len(f[0]), float64(len(f))
	out := make([]component, len(gamma[0]))
	for k := range out {
		c := component{mean: make([]float64, d), cov: make([]float64, d*d)}
		for i, row := range f {
			c.size += gamma[i][k]
			for j, v := range row {
				c.mean[j] += float64(gamma[i][k] * float64(v))
			}
		}
		if c.size <= deadShare*n {
			continue
		}
		c.share = c.size / n
		for j := range c.mean {
			c.mean[j] /= c.size
		}
		for i, row := range f {
			for a := range d {
				e := gamma[i][k] / c.size * (float64(row[a]) - c.mean[a])
				for b := range d {
					c.cov[a*d+b] += float64(e * (float64(row[b]) - c.mean[b]))
				}
			}
		}
		for j := range d {
			c.cov[j*d+j] += ridge
		}
		var err error
		if c.g, err = cluster.NewGaussian(c.mean, c.cov); err != nil {
			return nil, err
		}
		out[k] = c
	}
	return out, nil
}

// energy is E(f) = −log Σ_k φ_k N(f; µ_k, Σ_k) (equation 6), and, where of is not nil, the responsibility of each
// component in it.
func energy(mix []component, f []float32, of []float64) float64 {
	d := len(f)
	top := math.Inf(-1)
	logs := make([]float64, len(mix))
	for k, c := range mix {
		if logs[k] = math.Inf(-1); c.share > 0 {
			sum := 0.0
			for a := range d {
				v := 0.0
				for b := range a + 1 {
					v += float64(c.g.W[a*d+b] * (float64(f[b]) - c.mean[b]))
				}
				sum += float64(v * v)
			}
			logs[k] = elementary.Log(c.share) + c.g.LogDet - (sum+float64(float64(d)*elementary.Log(2*math.Pi)))/2
			top = max(top, logs[k])
		}
	}
	sum := 0.0
	for _, v := range logs {
		sum += elementary.Exp(v - top)
	}
	for k := range of {
		of[k] = elementary.Exp(logs[k]-top) / sum
	}
	return -top - elementary.Log(sum)
}

// Gradient is that of the loss, through the parameters of the batch too. A covariance without an inverse makes the loss
// no number, which ends training with an error.
func (o *energyGoal) Gradient(b *nn.Batch) float64 {
	n, k, d := len(b.Output), len(b.Output[0]), len(b.Bridge[0])
	gamma, of := make([][]float64, n), make([][]float64, n)
	for i, y := range b.Output {
		gamma[i], of[i] = make([]float64, k), make([]float64, k)
		memberships(y, gamma[i])
	}
	mix, err := mixtureOf(gamma, b.Bridge, o.Ridge)
	if err != nil {
		return math.NaN()
	}
	loss := 0.0
	for i, f := range b.Bridge {
		loss += float64(o.Energy * energy(mix, f, of[i]))
	}
	inGamma := make([][]float64, n) // gradient of the mean loss in γ
	for i := range inGamma {
		inGamma[i] = make([]float64, k)
	}
	inF := make([][]float64, n)
	for i := range inF {
		inF[i] = make([]float64, d)
	}
	for c := range mix {
		if mix[c].share > 0 {
			loss += float64(float64(n) * o.component(b, &mix[c], c, gamma, of, inGamma, inF))
		}
	}
	for i := range b.Output {
		dot := 0.0
		for c := range k {
			dot += float64(gamma[i][c] * inGamma[i][c])
		}
		for c := range k {
			b.Slope[i][c] = float32(gamma[i][c] * (inGamma[i][c] - dot))
		}
		for j := range d {
			b.Joint[i][j] = float32(inF[i][j])
		}
	}
	return loss
}

// component adds to the gradients what comes through one component, and is its penalty.
func (o *energyGoal) component(b *nn.Batch, c *component, k int, gamma, of, inGamma, inF [][]float64) float64 {
	penalty := 0.0
	d, weight := len(c.mean), o.Energy/float64(len(b.Bridge))
	inverse := make([]float64, d*d) // WᵀW
	for r := range d {
		for p := range r + 1 {
			for q := range r + 1 {
				inverse[p*d+q] += float64(c.g.W[r*d+p] * c.g.W[r*d+q])
			}
		}
	}
	// Gradients in φ, µ and Σ: with r_i the responsibilities and e = Σ⁻¹(f−µ), that of E is −r/φ, −r·e and
	// r·(Σ⁻¹ − e·eᵀ)/2, and in f, past them, r·e.
	inShare, inMean, inCov := 0.0, make([]float64, d), make([]float64, d*d)
	e := make([]float64, d)
	for i, f := range b.Bridge {
		r := weight * of[i][k]
		inShare -= r / c.share
		for p := range d {
			e[p] = 0
			for q := range d {
				e[p] += float64(inverse[p*d+q] * (float64(f[q]) - c.mean[q]))
			}
		}
		for p := range d {
			inMean[p] -= float64(r * e[p])
			inF[i][p] += float64(r * e[p])
			for q := range d {
				inCov[p*d+q] += r * (inverse[p*d+q] - float64(e[p]*e[q])) / 2
			}
		}
	}
	for j := range d {
		v := c.cov[j*d+j]
		penalty += o.Penalty / v
		inCov[j*d+j] -= o.Penalty / (v * v)
	}
	// and on: ∂φ/∂γ_i = 1/n, ∂µ/∂γ_i = (f_i−µ)/N, ∂Σ/∂γ_i = ((f_i−µ)(f_i−µ)ᵀ − Σ + Ridge·I)/N
	n := float64(len(b.Bridge))
	for i, f := range b.Bridge {
		sum := inShare / n
		for p := range d {
			ep := float64(f[p]) - c.mean[p]
			sum += inMean[p] * ep / c.size
			inF[i][p] += float64(gamma[i][k] / c.size * inMean[p])
			for q := range d {
				eq := float64(f[q]) - c.mean[q]
				spread := float64(ep*eq) - c.cov[p*d+q]
				if p == q {
					spread += o.Ridge
				}
				sum += inCov[p*d+q] * spread / c.size
				inF[i][p] += float64(2 * gamma[i][k] / c.size * inCov[p*d+q] * eq)
			}
		}
		inGamma[i][k] += sum
	}
	return penalty
}
