package nn

import (
	"math"

	"plumbline/numeric/kernel"
)

// cross makes the input of the layer after the bridge.
func (t *fused) cross(r *workspace, p *pass) {
	d, b := t.stack.layers[0].In, t.net.Bottleneck()
	wide, narrow, to := kernel.Pad(d), kernel.Pad(b), kernel.Pad(b+BridgeColumns)
	for i := range p.rows {
		x, y := r.in[0][i*wide:i*wide+d], r.act[t.net.Bridge.After-1][i*wide:i*wide+d]
		BridgeFeatures(x, r.act[t.net.Latent-1][i*narrow:i*narrow+b], y, r.shown.features[i*to:i*to+b+BridgeColumns])
	}
}

// BridgeFloor is the least norm that the bridge divides by: rows of zeros have no direction.
const BridgeFloor = 1e-6

// BridgeFeatures fills f with what a [Bridge] makes of a row x, its bottleneck z and its reconstruction y.
func BridgeFeatures(x, z, y, f []float32) {
	copy(f, z)
	far, nx, ny, dot := bridgeNorms(x, y)
	f[len(z)], f[len(z)+1] = float32(far/nx), float32(dot/(nx*ny))
}

// bridgeNorms are ‖x−y‖, ‖x‖ and ‖y‖, the last two at least BridgeFloor, and x·y.
func bridgeNorms(x, y []float32) (far, nx, ny, dot float64) {
	for j, v := range x {
		a, b := float64(v), float64(y[j])
		far += float64((a - b) * (a - b))
		nx += float64(a * a)
		ny += float64(b * b)
		dot += float64(a * b)
	}
	return math.Sqrt(far), max(math.Sqrt(nx), BridgeFloor), max(math.Sqrt(ny), BridgeFloor), dot
}

// crossBack takes the gradient of what layer i, the one after the bridge, got to the reconstruction, and keeps what of
// it goes to the bottleneck.
func (t *fused) crossBack(r *workspace, p *pass, l *fusedLayer, i int) {
	l.mulBack(len(p.rows), r.grad[i], r.shown.grad)
	d, b := t.stack.layers[0].In, t.net.Bottleneck()
	wide, narrow, to := kernel.Pad(d), kernel.Pad(b), kernel.Pad(b+BridgeColumns)
	weight := 2 * t.net.Bridge.Weight / float64(p.batch)
	for k := range p.rows {
		df, joint := r.shown.grad[k*to:k*to+b+BridgeColumns], r.shown.from[k*to:]
		for j := range df {
			df[j] += joint[j]
		}
		copy(r.shown.dz[k*narrow:k*narrow+b], df)
		x, y := r.in[0][k*wide:k*wide+d], r.act[i-1][k*wide:k*wide+d]
		far, nx, ny, dot := bridgeNorms(x, y)
		r.loss += float64(t.net.Bridge.Weight * far * far)
		// ∂(‖x−y‖/‖x‖)/∂y = (y−x)/(‖x−y‖‖x‖), ∂cos/∂y = x/(‖x‖‖y‖) − cos·y/‖y‖²
		apart := weight
		if far > 0 {
			apart += float64(df[b]) / (far * nx)
		}
		turn := float64(df[b+1])
		shrink := turn * dot / (nx * ny * ny * ny)
		if ny == BridgeFloor {
			shrink = 0
		}
		out := r.grad[i-1][k*wide : k*wide+d]
		for j := range out {
			a, v := float64(x[j]), float64(y[j])
			out[j] = float32(float64(apart*(v-a)) + turn*a/(nx*ny) - float64(shrink*v))
		}
	}
}

// pullBridge adds to the bottleneck's gradient what comes past the reconstruction.
func (t *fused) pullBridge(r *workspace, p *pass) {
	d := r.grad[t.net.Latent-1]
	for j, v := range r.shown.dz[:len(p.rows)*kernel.Pad(t.net.Bottleneck())] {
		d[j] += v
	}
}
