package nn

import (
	"math"

	"plumbline/numeric/kernel"
)

// sample makes r.in after a variational bottleneck a sample around its means, and sums its KL up.
func (t *fused) sample(r *workspace, p *pass) {
	v := t.net.Variational
	b := t.net.Bottleneck()
	narrow, wide := kernel.Pad(b), kernel.Pad(2*b)
	r.kl = 0
	for k := range p.rows {
		given := r.act[t.net.Latent-1][k*wide : k*wide+2*b]
		z, slope := r.in[t.net.Latent][k*narrow:k*narrow+b], r.slope[k*narrow:k*narrow+b]
		StandardNormal(z, t.net.Seed, p.step, p.first+k)
		for j := range b {
			mu, s := float64(given[j]), float64(given[b+j])
			dev := math.Exp(s/2) * float64(z[j])
			z[j], slope[j] = float32(mu+dev), float32(dev/2)
			r.kl += v.divergence(mu, s) / float64(b)
		}
	}
}

// divergence is the KL term of one number of the bottleneck.
func (v *Variational) divergence(mu, s float64) float64 {
	return (math.Exp(s) + mu*mu - v.Alpha - v.Alpha*s + v.Alpha*math.Log(v.Alpha)) / (2 * v.Alpha)
}

// penalty is what a batch's KL adds to the loss, and its derivative.
func (v *Variational) penalty(kl float64) (loss, slope float64) {
	if v.Log {
		return v.Weight * math.Log10(kl+1), v.Weight / ((kl + 1) * math.Ln10)
	}
	return v.Weight * kl, v.Weight
}

// sampleGrad turns the gradient of what was sampled into that of the means and log-variances.
func (t *fused) sampleGrad(r *workspace, p *pass) {
	v := t.net.Variational
	b := t.net.Bottleneck()
	narrow, wide := kernel.Pad(b), kernel.Pad(2*b)
	kl := 0.0
	for _, o := range t.workspaces {
		kl += o.kl
	}
	loss, slope := v.penalty(kl / float64(p.batch))
	if p.shard == 0 {
		r.loss += loss * float64(p.batch)
	}
	slope /= 2 * v.Alpha * float64(b) * float64(p.batch)
	for k := range p.rows {
		given := r.act[t.net.Latent-1][k*wide : k*wide+2*b]
		d := r.grad[t.net.Latent-1][k*wide : k*wide+2*b]
		for j := range b {
			mu, s := float64(given[j]), float64(given[b+j])
			dz := r.dz[k*narrow+j]
			d[j] = dz + float32(slope*2*mu)
			d[b+j] = dz*r.slope[k*narrow+j] + float32(slope*(math.Exp(s)-v.Alpha))
		}
	}
}
