package nn

import (
	"math"

	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
)

// lossGradient turns the head's output r.y for n samples into the gradient of their share in the mean loss of a
// batch of the given size, adds its column sums to db, and adds the sum of the samples' losses to the workspace's.
func (s *recurrent) lossGradient(r *sequenceWorkspace, n int, target []float32, rows []int32, batch int, db []float32) {
	steps, columns, per := s.outputs(), s.targets(), s.Targets()
	scale := 1 / (float64(batch) * float64(per))
	total := n * steps
	if s.Loss == "mse" {
		for i, row := range rows {
			for t := range steps {
				at := int(row)*per + t*columns
				copy(r.want[(t*n+i)*s.wide:(t*n+i)*s.wide+columns], target[at:at+columns])
			}
		}
		r.loss += kernel.SquaredError(total, s.wide, r.y, r.want, db, float32(2*scale), &r.lanes)
		return
	}
	r.loss += s.loss(r, target, rows, scale)
	kernel.ColumnSums(total, s.wide, r.y, db)
}

// loss is the sum of the losses of a block of samples. The head's output becomes their gradient times scale.
func (s *recurrent) loss(r *sequenceWorkspace, target []float32, rows []int32, scale float64) float64 {
	n, steps, columns, per := len(rows), s.outputs(), s.targets(), s.Targets()
	f := losses[s.Loss]
	if len(s.Classes) > 0 {
		f = s.mixed
	}
	sum := 0.0
	for i, row := range rows {
		for t := range steps {
			at := int(row)*per + t*columns
			sum += f(r.y[(t*n+i)*s.wide:(t*n+i)*s.wide+s.Out], target[at:at+columns], scale)
		}
	}
	return sum
}

// losses are the losses of one row of the head, y, which they replace by their gradient times scale.
var losses = map[string]func(y, t []float32, scale float64) float64{
	"mse":      squares,
	"mae":      distances,
	"softmax":  crossEntropy,
	"logistic": logistic,
	"gaussian": gaussian,
}

func squares(y, t []float32, scale float64) float64 {
	sum := 0.0
	for j, v := range y {
		d := float64(v) - float64(t[j])
		sum += float64(d * d)
		y[j] = float32(2 * d * scale)
	}
	return sum
}

func distances(y, t []float32, scale float64) float64 {
	const sign = 1 << 31
	sum, step := 0.0, math.Float32bits(float32(scale))
	for j, v := range y {
		d := v - t[j]
		bits := math.Float32bits(d)
		size := bits &^ sign // without a branch on the sign, which nobody can predict
		y[j] = math.Float32frombits(bits&sign | step)
		if size == 0 || size > infinity { // no sign, or a NaN, which is to stay one
			y[j] = d
		}
		sum += float64(math.Float32frombits(size))
	}
	return sum
}

// infinity is the bits of +Inf, above which there are only NaNs.
const infinity = 0x7f800000

func crossEntropy(y, t []float32, scale float64) float64 {
	most := y[0]
	for _, v := range y {
		most = max(most, v)
	}
	class := int(t[0])
	loss := float64(most) - float64(y[class])
	sum := 0.0
	for j, v := range y {
		e := elementary.Exp(float64(v) - float64(most))
		sum += e
		y[j] = float32(e)
	}
	f := float32(scale / sum)
	for j := range y {
		y[j] *= f
	}
	y[class] -= float32(scale)
	return loss + elementary.Log(sum)
}

func logistic(y, t []float32, scale float64) float64 {
	sum := 0.0
	for j, v := range y {
		z, want := float64(v), float64(t[j])
		e := elementary.Exp(-math.Abs(z))
		p := 1 / (1 + e)
		if z < 0 {
			p = e / (1 + e)
		}
		sum += math.Max(z, 0) - float64(z*want) + elementary.Log1p(e)
		y[j] = float32((p - want) * scale)
	}
	return sum
}

func gaussian(y, t []float32, scale float64) float64 {
	floor := elementary.Log(MinVariance)
	n := len(t)
	sum := 0.0
	for j, want := range t {
		s := float64(y[n+j])
		floored := s < floor
		s = math.Max(s, floor)
		d := float64(y[j]) - float64(want)
		precision := elementary.Exp(-s)
		square := float64(d * d * precision)
		sum += float64(0.5 * (square + s))
		y[j] = float32(d * precision * scale)
		y[n+j] = float32(0.5 * (1 - square) * scale)
		if floored {
			y[n+j] = 0
		}
	}
	return sum
}

// mixed is gaussian followed by groups of classes.
func (s *recurrent) mixed(y, t []float32, scale float64) float64 {
	at := len(y) - s.grouped()
	sum := gaussian(y[:at], t[:at/2], scale)
	for g, k := range s.Classes {
		sum += crossEntropy(y[at:at+k], t[len(t)-len(s.Classes)+g:], scale)
		at += k
	}
	return sum
}
