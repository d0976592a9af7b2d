package figures

import (
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/eval"
)

// TestCurves: rates at thresholds that exist, and places of scores by hand: attacks at ranks 3 and 4 of 4.
func TestCurves(t *testing.T) {
	r, err := eval.Rank([]float64{1, 2, 3, 4}, []bool{false, false, true, true})
	if err != nil {
		t.Fatal(err)
	}
	benign, attack, mark := distribution(r, 2.5)
	half := bins / 2
	for i := range bins {
		low, high := 2.0/bins, 0.0
		if i >= half {
			low, high = high, low
		}
		if math.Abs(benign[i]-low) > 1e-12 || math.Abs(attack[i]-high) > 1e-12 {
			t.Fatalf("bin %d has %v of the benign and %v of the attacks, want %v and %v", i, benign[i], attack[i], low, high)
		}
	}
	if mark != 0.5 {
		t.Errorf("the threshold is at %v, want ½", mark)
	}
	random := rand.New(rand.NewPCG(1, 2))
	scores, attacks := make([]float64, 500), make([]bool, 500)
	for i := range scores {
		scores[i], attacks[i] = math.Round(10*random.NormFloat64()), i%4 == 0 // with ties
	}
	if r, err = eval.Rank(scores, attacks); err != nil {
		t.Fatal(err)
	}
	for i, v := range heights(r, Rates()) {
		if want := r.TPRAtFPR(Rates()[i]); v != want {
			t.Errorf("at %v: %v, want %v", Rates()[i], v, want)
		}
	}
	// precision at a share of attacks found: the best threshold that finds as many, looked for among all
	for i, got := range precisions(r, recalls()) {
		want := math.NaN()
		for g := range r.Score {
			at := r.At(math.Nextafter(r.Score[g], math.Inf(-1)))
			if float64(at.TP) >= recalls()[i]*float64(r.P)-1e-9 {
				want = float64(at.TP) / float64(at.TP+at.FP)
				break
			}
		}
		if got != want {
			t.Errorf("precision at recall %v: %v, want %v", recalls()[i], got, want)
		}
	}
	benign, attack, _ = distribution(r, math.NaN())
	for _, of := range [][]float64{benign, attack} {
		sum := 0.0
		for _, v := range of {
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("shares sum to %v", sum)
		}
	}
}
