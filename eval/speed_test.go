package eval

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkJudge is all that is done with the scores of one cell: metrics, classes and intervals from 500 resamples,
// on as many units as ten times KDD99's file leaves for the test. distinct: no two scores are equal; tied: each score
// ten times.
func BenchmarkJudge(b *testing.B) {
	const n = 4_259_264
	for _, c := range []struct {
		name    string
		attacks float64 // share
		copies  int
	}{{"distinct", 0.8, 1}, {"tied", 0.8, 10}, {"rare", 1e-4, 1}} {
		b.Run(fmt.Sprintf("%s-%d", c.name, n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(21, 1))
			scores := make([]float64, n)
			truth := Truth{Attack: make([]bool, n), Class: make([]uint32, n), Names: []string{"benign", "dos", "probe", "r2l"}}
			for i := range scores {
				if i%c.copies != 0 {
					scores[i], truth.Attack[i], truth.Class[i] = scores[i-1], truth.Attack[i-1], truth.Class[i-1]
					continue
				}
				if scores[i] = r.NormFloat64(); r.Float64() < c.attacks {
					scores[i]++
					truth.Attack[i], truth.Class[i] = true, uint32(1+r.IntN(3))
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Summarise(scores, truth, 0.5, 500, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
