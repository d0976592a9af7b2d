package nn

import (
	"math"

	"plumbline/numeric/cluster"
	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
)

// What is done to the bottleneck while a network trains: it is sampled, or drawn to centres.

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
			dev := float64(elementary.Exp(s/2) * float64(z[j]))
			z[j], slope[j] = float32(mu+dev), float32(dev/2)
			r.kl += v.divergence(mu, s) / float64(b)
		}
	}
}

// divergence is the KL term of one number of the bottleneck.
func (v *Variational) divergence(mu, s float64) float64 {
	sum := elementary.Exp(s) + float64(mu*mu) - v.Alpha - float64(v.Alpha*s) + float64(v.Alpha*elementary.Log(v.Alpha))
	return sum / (2 * v.Alpha)
}

// penalty is what a batch's KL adds to the loss, and its derivative.
func (v *Variational) penalty(kl float64) (loss, slope float64) {
	if v.Log {
		return v.Weight * elementary.Log10(kl+1), v.Weight / ((kl + 1) * math.Ln10)
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
		r.loss += float64(loss * float64(p.batch))
	}
	slope /= 2 * v.Alpha * float64(b) * float64(p.batch)
	for k := range p.rows {
		given := r.act[t.net.Latent-1][k*wide : k*wide+2*b]
		d := r.grad[t.net.Latent-1][k*wide : k*wide+2*b]
		for j := range b {
			mu, s := float64(given[j]), float64(given[b+j])
			dz := r.dz[k*narrow+j]
			d[j] = dz + float32(slope*2*mu)
			d[b+j] = float32(dz*r.slope[k*narrow+j]) + float32(slope*(elementary.Exp(s)-v.Alpha))
		}
	}
}

// pull adds the gradient of the distances from the centres at the bottleneck, and of the centres' members'
// means.
func (t *fused) pull(r *workspace, p *pass) {
	i := t.net.Latent - 1
	b := t.net.Bottleneck()
	wide := kernel.Pad(b)
	d, z := r.grad[i], r.in[i+1]
	force := float32(2 * t.net.Shrink / (float64(p.batch) * float64(b)))
	sum := 0.0
	if t.net.Centres == nil {
		for j, v := range z[:len(p.rows)*wide] {
			d[j] += float32(force * v)
			sum += float64(float64(v) * float64(v))
		}
		r.loss += t.net.Shrink * sum / float64(b)
		return
	}
	var push [][]float32
	if t.net.Centring > 0 {
		push = t.centring(r, p)
	}
	for k := range p.rows {
		row := z[k*wide : k*wide+b]
		c := cluster.Nearest(t.net.Centres, row)
		for j, v := range row {
			e := v - t.net.Centres[c][j]
			d[k*wide+j] += float32(force * e)
			sum += float64(float64(e) * float64(e))
			if push != nil {
				d[k*wide+j] += push[c][j]
			}
		}
	}
	r.loss += t.net.Shrink * sum / float64(b)
}

// members sums the bottleneck's rows up by nearest centre.
func (t *fused) members(r *workspace, p *pass) {
	b := t.net.Bottleneck()
	wide := kernel.Pad(b)
	if len(r.member) != len(t.net.Centres) {
		r.member, r.count = make([][]float64, len(t.net.Centres)), make([]float64, len(t.net.Centres))
		r.push = make([][]float32, len(t.net.Centres))
		for c := range r.member {
			r.member[c], r.push[c] = make([]float64, b), make([]float32, b)
		}
	}
	clear(r.count)
	for c := range r.member {
		clear(r.member[c])
	}
	z := r.in[t.net.Latent]
	for k := range p.rows {
		row := z[k*wide : k*wide+b]
		c := cluster.Nearest(t.net.Centres, row)
		r.count[c]++
		for j, v := range row {
			r.member[c][j] += float64(v)
		}
	}
}

// centring is what the gradient of a row grows by where it is nearest to each centre; it adds to the loss.
func (t *fused) centring(r *workspace, p *pass) [][]float32 {
	out := r.push
	weight := t.net.Centring / float64(len(out))
	for c := range out {
		clear(out[c])
		n := 0.0
		for _, o := range t.workspaces {
			n += o.count[c]
		}
		if n == 0 {
			continue
		}
		for j := range out[c] {
			m := 0.0
			for _, o := range t.workspaces {
				m += o.member[c][j]
			}
			m /= n
			out[c][j] = float32(2 * weight * m / n)
			if p.shard == 0 {
				r.loss += float64(weight * m * m * float64(p.batch))
			}
		}
	}
	return out
}
