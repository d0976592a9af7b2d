package eval

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAroundStays: whatever the estimate and its error, the interval holds the estimate and stays in the range; with
// small errors it is the plain one.
func TestAroundStays(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	for _, in := range []Range{Share, Signed, Positive, {math.Inf(-1), 3}, Anything} {
		low, high := max(in.Low, -50), min(in.High, 50)
		for range 2000 {
			x := low + (high-low)*r.Float64()
			half := math.Exp(8 * r.NormFloat64())
			i := in.around(x, half)
			if !(i.Low <= x && x <= i.High && i.Low >= in.Low && i.High <= in.High) {
				t.Fatalf("in %v around %v ± %v: %v", in, x, half, i)
			}
			small := 1e-6 * min(x-low, high-x)
			i = in.around(x, small)
			near(t, "low", i.Low, x-small, 1e-4*small+1e-12)
			near(t, "high", i.High, x+small, 1e-4*small+1e-12)
		}
	}
	// The mean .5562 and sd .1149 of two seeds, of which the plain interval reaches from −.4761 to 1.5886.
	i := Share.around(0.5562, 12.706204736432095*0.1149/math.Sqrt2)
	near(t, "low", i.Low, 0.0187, 1e-4)
	near(t, "high", i.High, 0.9880, 1e-4)
}

func TestAroundEnds(t *testing.T) {
	for _, c := range []struct {
		in      Range
		x, half float64
		want    Interval
	}{
		{Share, 1, 0, Interval{1, 1}}, {Share, 0, 0.1, noInterval}, {Share, 1, 0.1, noInterval},
		{Positive, 0, 0.1, noInterval},
		{Share, math.NaN(), 0.1, noInterval}, {Share, 0.5, math.NaN(), noInterval}, {Share, 1.5, 0.25, Interval{1.25, 1.75}},
		{Anything, 3, 1, Interval{2, 4}}, {Share, 0.5, math.Inf(1), Interval{0, 1}},
	} {
		got := c.in.around(c.x, c.half)
		near(t, "low", got.Low, c.want.Low, 0)
		near(t, "high", got.High, c.want.High, 0)
		if got.Defined() == math.IsNaN(c.want.Low) {
			t.Errorf("%v: defined %v", got, got.Defined())
		}
	}
}

// TestPool: two seeds in each of three folds. The folds' means are .82, .9 and .7; t(2, .975) = 4.302652729911275
// (SciPy 1.10.1).
func TestPool(t *testing.T) {
	cells := []Repetition{{"f1", 0.80}, {"f2", 0.88}, {"f3", 0.7}, {"f1", 0.84}, {"f2", 0.92}, {"f3", math.NaN()}}
	mean := (0.82 + 0.9 + 0.7) / 3
	sd := math.Sqrt(((0.82-mean)*(0.82-mean) + (0.9-mean)*(0.9-mean) + (0.7-mean)*(0.7-mean)) / 2)
	for _, overlap := range []float64{0, 0.5, 2} {
		r := Pool(cells, overlap, Anything)
		half := 4.302652729911275 * sd * math.Sqrt(1.0/3+overlap)
		near(t, "mean", r.Mean, mean, 1e-12)
		near(t, "sd", r.SD, sd, 1e-12)
		near(t, "low", r.Interval.Low, mean-half, 1e-8)
		near(t, "high", r.Interval.High, mean+half, 1e-8)
		if r.N != 3 || r.Over != "folds" || r.Missing != 1 {
			t.Errorf("%+v", r)
		}
	}
	for _, unknown := range []float64{math.NaN(), -1} {
		if r := Pool(cells, unknown, Share); r.Interval.Defined() || r.Mean != mean || len(r.Warnings) != 3 {
			t.Errorf("%+v", r)
		}
	}
	for i := range cells {
		cells[i].Fold = "f1"
	}
	one := Pool(cells, 0.5, Share)
	seeds := Repeat([]float64{0.80, 0.88, 0.7, 0.84, 0.92, math.NaN()}, Share)
	if one.Interval != seeds.Interval || one.N != 5 || one.Over != "seeds" {
		t.Errorf("in one fold %+v, over seeds %+v", one, seeds)
	}
	if r := Pool(nil, 0.5, Share); r.N != 0 || !math.IsNaN(r.Mean) || r.Interval.Defined() {
		t.Errorf("of nothing: %+v", r)
	}
	equal := Repeat([]float64{0.1, 0.1, 0.1}, Share)
	if equal.Interval.Defined() || equal.SD != 0 || equal.Mean != 0.1 || len(equal.Warnings) != 2 {
		t.Errorf("of equal values: %+v", equal)
	}
}

// scored draws n scores of which a share is of attacks, shifted up by one standard deviation; digits limits their
// distinct values.
func scored(r *rand.Rand, n int, share, digits float64) (scores []float64, attack []bool) {
	scores, attack = make([]float64, n), make([]bool, n)
	for i := range scores {
		if scores[i] = r.NormFloat64(); r.Float64() < share {
			scores[i]++
			attack[i] = true
		}
		scores[i] = math.Round(scores[i]*digits) / digits
	}
	return scores, attack
}

// TestIntervalsOfMany: above the limit both ways agree, to the error of 400 resamples.
func TestIntervalsOfMany(t *testing.T) {
	if testing.Short() {
		t.Skip("resamples 210,000 units")
	}
	r := rand.New(rand.NewPCG(31, 2))
	for _, c := range []struct{ share, digits float64 }{{0.3, 1e9}, {0.02, 4}, {0.002, 1e9}} {
		scores, attack := scored(r, manyUnits+10_000, c.share, c.digits)
		k, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		auroc, ap := k.Intervals(400, 1)
		again, apAgain := k.Bootstrap(400, 2)
		for _, p := range []struct {
			name      string
			got, want Interval
		}{{"AUROC", auroc, again}, {"AP", ap, apAgain}} {
			width := p.want.High - p.want.Low
			near(t, p.name+" low", p.got.Low, p.want.Low, 0.1*width)
			near(t, p.name+" high", p.got.High, p.want.High, 0.1*width)
			near(t, p.name+" width", p.got.High-p.got.Low, width, 0.15*width)
		}
		if none, _ := k.Intervals(0, 1); none.Defined() {
			t.Error("no resamples are asked for, and an interval is given")
		}
	}
}

// TestIntervalsOfLopsided: a class with none or one of many units leaves intervals undefined, and takes no time.
func TestIntervalsOfLopsided(t *testing.T) {
	for _, c := range []struct {
		benign  int
		defined bool
	}{{0, false}, {1, false}, {2, true}, {manyUnits, false}, {manyUnits - 1, true}} {
		scores, attack := make([]float64, manyUnits+1), make([]bool, manyUnits+1)
		for i := range scores {
			scores[i], attack[i] = float64(i*7919%1009), i >= c.benign
		}
		if c.benign == manyUnits {
			attack[manyUnits] = false
		}
		k, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		if auroc, ap := k.Intervals(50, 1); auroc.Defined() != c.defined || ap.Defined() != c.defined {
			t.Errorf("%d benign of %d: %v, %v", c.benign, len(scores), auroc, ap)
		}
	}
}

// TestIntervalsOfFew is the bootstrap up to the limit, bit by bit.
func TestIntervalsOfFew(t *testing.T) {
	scores, attack := scored(rand.New(rand.NewPCG(31, 3)), 500, 0.3, 10)
	k, err := Rank(scores, attack)
	if err != nil {
		t.Fatal(err)
	}
	a, b := k.Intervals(100, 7)
	c, d := k.Bootstrap(100, 7)
	if a != c || b != d {
		t.Errorf("%v %v, bootstrap %v %v", a, b, c, d)
	}
}

// TestMerge: groups without attacks can be joined without a bit of AUROC or average precision changing.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 4))
	for range 200 {
		scores, attack := scored(r, 2+r.IntN(200), 0.1, float64(1+r.IntN(40)))
		k, err := Rank(scores, attack)
		if err != nil {
			t.Fatal(err)
		}
		m := k.merge()
		near(t, "AUROC", m.ROCAUC(), k.ROCAUC(), 0)
		near(t, "AP", m.AveragePrecision(), k.AveragePrecision(), 0)
		if len(m.Score) > 2*k.P+1 || m.P != k.P || m.N != k.N {
			t.Fatalf("%d groups of %d attacks", len(m.Score), k.P)
		}
	}
}

// TestDrawGroups: counts add up, empty groups stay empty, and the mean is the group's share.
func TestDrawGroups(t *testing.T) {
	rng := rand.NewPCG(31, 5)
	size := []int32{0, 70, 0, 20, 10, 0}
	sum := make([]float64, len(size))
	count := make([]int32, len(size))
	const rounds = 4000
	for range rounds {
		drawGroups(rng, count, size, 100)
		n := int32(0)
		for g, c := range count {
			n += c
			sum[g] += float64(c)
			if c < 0 || c > 0 && size[g] == 0 {
				t.Fatalf("drawn %v of %v", count, size)
			}
		}
		if n != 100 {
			t.Fatalf("%d drawn, want 100", n)
		}
	}
	for g, s := range sum {
		near(t, "mean count", s/rounds, float64(size[g]), 5*math.Sqrt(float64(size[g])/rounds))
	}
}

// TestErrors: standard errors need two of each class, and a lone group has none.
func TestErrors(t *testing.T) {
	k, err := Rank([]float64{1, 2, 3}, []bool{false, false, true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUROC", k.AUROCError(), math.NaN(), 0)
	near(t, "AP", k.APError(), math.NaN(), 0)
	if k, err = Rank([]float64{1, 1, 1, 1}, []bool{false, false, true, true}); err != nil {
		t.Fatal(err)
	}
	near(t, "AUROC of equal scores", k.AUROCError(), 0, 0)
	near(t, "AP of equal scores", k.APError(), 0, 0)
}
