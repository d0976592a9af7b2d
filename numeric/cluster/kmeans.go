package cluster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

const encodeMaxIteration = 300

// KMeansRun is one run of Lloyd's k-means from centres drawn as in k-means++ (Arthur and Vassilvitskii
// 2007). Ties go to the first centre.
func KMeansRun(x [][]float64, k int, r *rand.Rand) []int {
	centres := make([][]float64, 0, k)
	centres = append(centres, slices.Clone(x[r.IntN(len(x))]))
	far := make([]float64, len(x))
	for i := range far {
		far[i] = math.Inf(1)
	}
	for len(centres) < k {
		sum := 0.0
		for i := range x {
			far[i] = min(far[i], square(x[i], centres[len(centres)-1]))
			sum += far[i]
		}
		at := 0
		if u := r.Float64() * sum; sum > 0 {
			for at = 0; at < len(x)-1 && u >= far[at]; at++ {
				u -= far[at]
			}
		}
		centres = append(centres, slices.Clone(x[at]))
	}
	of := make([]int, len(x))
	for i := range of {
		of[i] = -1
	}
	for range encodeMaxIteration {
		moved := false
		for i := range x {
			best, least := 0, math.Inf(1)
			for c := range centres {
				if d := square(x[i], centres[c]); d < least {
					best, least = c, d
				}
			}
			if of[i] != best {
				of[i], moved = best, true
			}
		}
		if !moved {
			break
		}
		n := make([]float64, k)
		for c := range centres {
			clear(centres[c])
		}
		for i, c := range of {
			n[c]++
			for j, v := range x[i] {
				centres[c][j] += v
			}
		}
		for c := range centres {
			for j := range centres[c] {
				if n[c] > 0 {
					centres[c][j] /= n[c]
				} else {
					centres[c][j] = math.Inf(1) // nobody's
				}
			}
		}
	}
	return of
}

func square(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		d := a[i] - b[i]
		sum += float64(d * d)
	}
	return sum
}

func SquaredNorm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// KMeansCentres is Lloyd's algorithm from centres drawn as in k-means++ (Arthur and Vassilvitskii 2007). Rows
// that are all alike have fewer centres.
func KMeansCentres(ctx context.Context, x [][]float32, k int, r *rand.Rand) ([][]float32, error) {
	centres := [][]float32{slices.Clone(x[r.IntN(len(x))])}
	far := make([]float64, len(x))
	for i := range far {
		far[i] = math.Inf(1)
	}
	for len(centres) < k {
		sum := 0.0
		for i, row := range x {
			far[i] = min(far[i], Distance(row, centres[len(centres)-1]))
			sum += far[i]
		}
		if !(sum > 0) {
			break
		}
		at, u := 0, r.Float64()*sum
		for ; at < len(x)-1 && u >= far[at]; at++ {
			u -= far[at]
		}
		centres = append(centres, slices.Clone(x[at]))
	}
	of := make([]int, len(x))
	const most = 300
	for range most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		moved := false
		for i, row := range x {
			if c := Nearest(centres, row); c != of[i] {
				of[i], moved = c, true
			}
		}
		sums, n := make([][]float64, len(centres)), make([]float64, len(centres))
		for i, row := range x {
			c := of[i]
			if sums[c] == nil {
				sums[c] = make([]float64, len(row))
			}
			n[c]++
			for j, v := range row {
				sums[c][j] += float64(v)
			}
		}
		for c := range centres {
			for j := range sums[c] {
				centres[c][j] = float32(sums[c][j] / n[c])
			}
		}
		if !moved {
			break
		}
	}
	return centres, nil
}

func Distance(a, b []float32) float64 {
	sum := 0.0
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += float64(d * d)
	}
	return sum
}

// Nearest is the number of the nearest centre, the first among equals.
func Nearest(centres [][]float32, row []float32) int {
	best, least := 0, math.Inf(1)
	for c := range centres {
		if d := Distance(row, centres[c]); d < least {
			best, least = c, d
		}
	}
	return best
}
