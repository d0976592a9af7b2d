package all

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// TestCopiesAmongTies: rows that are alike have equal bytes of score, also where most distances are tied, as between
// the whole numbers and 0/1 columns of traffic: which of the tied neighbours count, and in which order they are summed,
// is the same for all copies.
func TestCopiesAmongTies(t *testing.T) {
	if testing.Short() {
		t.Skip("it says nothing about goroutines")
	}
	ctx := context.Background()
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Needs.Input != data.Vectors || info.Needs.Batch {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, d := range []int{3, 70} {
				r := rand.New(rand.NewPCG(5, uint64(d)))
				train, test := wholeNumbers(r, 240, d), wholeNumbers(r, 330, d)
				for i := range 80 {
					copy(train.Row(3*i), train.Row(17*i%240))
				}
				for i := range 40 { // copies far off, few enough not to be looked for, and copies of what was learnt
					copy(test.Row(7*i+41), test.Row(i))
					copy(test.Row(7*i+43), train.Row(i))
					copy(test.Row(7*i+44), train.Row(i))
				}
				det, err := small(t, name).New(models.Env{Seed: 1, Workers: 2})
				if err != nil {
					t.Fatal(err)
				}
				if err := det.Fit(ctx, train); err != nil {
					t.Fatal(err)
				}
				scores, err := det.Score(ctx, test)
				if err != nil {
					t.Fatal(err)
				}
				first, copies := map[string]int{}, 0
				for i, v := range scores {
					key := fmt.Sprint(test.Row(i))
					k, seen := first[key]
					if !seen {
						first[key] = i
						continue
					}
					if copies++; math.Float64bits(v) != math.Float64bits(scores[k]) {
						t.Fatalf("%d columns: row %d scores %v and its copy, row %d, %v", d, k, scores[k], i, v)
					}
				}
				if copies < 60 {
					t.Fatalf("%d columns: %d copies are too few to say anything", d, copies)
				}
			}
		})
	}
}

// wholeNumbers is n rows of small whole numbers, one in six of them an attack.
func wholeNumbers(r *rand.Rand, n, d int) *data.Set {
	s := &data.Set{
		Kind: data.Vectors, N: n, D: d, X: make([]float32, n*d),
		Attack: make([]bool, n), Class: make([]uint32, n), Classes: []string{"benign", "scan"},
	}
	for i := range s.X {
		s.X[i] = float32(r.IntN(3))
	}
	for i := range n {
		if i%6 == 0 {
			s.Attack[i], s.Class[i] = true, 1
			s.X[i*d] += 2
		}
	}
	return s
}
