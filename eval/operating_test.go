package eval

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// ten is ten units: scores 10 … 1, attacks at 10, 8, 7 and 2; 5 and 6 have one score.
func ten(t *testing.T) *Ranking {
	t.Helper()
	r, err := Rank([]float64{10, 9, 8, 7, 5.5, 5.5, 4, 3, 2, 1},
		[]bool{true, false, true, true, false, false, false, false, true, false})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBudgets: by hand from the ranking of [ten], + − + + (− −) − − + −.
func TestBudgets(t *testing.T) {
	r := ten(t)
	for alerts, want := range map[float64]float64{0: 0, 0.9: 0, 1: 0.25, 3: 0.5, 4: 0.75, 5: 0.75, 6: 0.75, 9: 1, 99: 1} {
		near(t, "recall within alerts", r.RecallWithin(alerts), want, 1e-15)
	}
	if !math.IsNaN(r.RecallWithin(-1)) || !math.IsNaN(r.RecallWithin(math.NaN())) {
		t.Error("a budget that is none has a recall")
	}
	// 6 benign units: a rate of .2 allows one of them, which the threshold under 7 flags with three attacks of four
	near(t, "precision at FPR", r.PrecisionAtFPR(0.2, 0.01), 0.01*0.75/(0.01*0.75+0.99/6), 1e-15)
	near(t, "precision at FPR 0", r.PrecisionAtFPR(0, 0.01), 1, 1e-15)
	// with the set's own prevalence it is the share among the four that are flagged
	near(t, "precision at FPR and the own prevalence", r.PrecisionAtFPR(0.2, 0.4), 0.75, 1e-15)
}

// TestCosts: at prevalence .4, the set's own, the cost of a unit is that of the mistakes over ten units. With 1 and 1
// the fewest mistakes are two (above 6: one benign unit flagged, one attack missed); with a miss at 10 flagging down
// to 2 costs 5 of ten, with a false alarm at 10 only the first is flagged: 3.
func TestCosts(t *testing.T) {
	r := ten(t)
	for _, c := range []struct{ alarm, miss, want float64 }{{1, 1, 0.2}, {1, 10, 0.5}, {10, 1, 0.3}, {0, 1, 0},
		{1, 0, 0}} {
		near(t, "lowest cost", r.OracleCost(Costs{c.alarm, c.miss}, 0.4), c.want, 1e-15)
	}
	near(t, "cost", Costs{1, 100}.Of(0.9, 0.02, 0.01), 100*0.01*0.1+0.99*0.02, 1e-15)
	empty, err := Rank([]float64{1}, []bool{true})
	if err != nil || !math.IsNaN(empty.OracleCost(Costs{1, 1}, 0.4)) {
		t.Error("no benign unit, and a cost", err)
	}
}

// TestCostRule: with probabilities that are right, no threshold costs less than 1/(1 + ratio).
func TestCostRule(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p, attack := make([]float64, 200_000), make([]bool, 200_000)
	for i := range p {
		p[i] = math.Pow(rng.Float64(), 2)
		attack[i] = rng.Float64() < p[i]
	}
	r, err := Rank(p, attack)
	if err != nil {
		t.Fatal(err)
	}
	prevalence := float64(r.P) / float64(r.P+r.N)
	for _, ratio := range []float64{0.5, 1, 9, 99} {
		at, _, err := ThresholdRule{Rule: "cost", Value: ratio}.Fit(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := Costs{1, ratio}
		flags := r.At(at)
		got, best := c.Of(flags.Recall(), flags.FPR(), prevalence), r.OracleCost(c, prevalence)
		if got > 1.01*best || got < best {
			t.Errorf("ratio %v, threshold %v: cost %v, lowest %v", ratio, at, got, best)
		}
	}
	if (ThresholdRule{Rule: "cost"}).Check() == nil {
		t.Error("a ratio of 0 is accepted")
	}
}

// TestConformal: p-values by hand, and the promise: with n benign scores and a new one exchangeable with them, p ≤ α
// has the probability ⌊α(n+1)⌋/(n+1) where no two scores are equal.
func TestConformal(t *testing.T) {
	got := ConformalP([]float64{1, 2, 2, 5}, []float64{0, 1, 2, 3, 5, 6})
	if want := []float64{1, 1, 0.8, 0.4, 0.4, 0.2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const n, draws = 29, 20_000
	for _, alpha := range []float64{0.05, 0.1, 0.34} {
		hits, above := 0, 0
		for range draws {
			benign := make([]float64, n)
			for i := range benign {
				benign[i] = rng.NormFloat64()
			}
			one := []float64{rng.NormFloat64()}
			at, warnings, err := ThresholdRule{Rule: "conformal", Value: alpha}.Fit(benign)
			if err != nil || warnings != nil {
				t.Fatal(err, warnings)
			}
			slices.Sort(benign)
			p := ConformalP(benign, one)[0]
			if p <= alpha {
				hits++
			}
			if one[0] > at {
				above++
			}
			if (p <= alpha) != (one[0] > at) {
				t.Fatalf("p %v at α %v, score %v and threshold %v", p, alpha, one[0], at)
			}
		}
		want := math.Floor(alpha*(n+1)) / (n + 1)
		if sd := math.Sqrt(want * (1 - want) / draws); math.Abs(float64(hits)/draws-want) > 4*sd || hits != above {
			t.Errorf("α %v: %v of the draws, want %v", alpha, float64(hits)/draws, want)
		}
	}
	at, warnings, err := ThresholdRule{Rule: "conformal", Value: 0.1}.Fit([]float64{1, 2, 3})
	if err != nil || at != 3 || len(warnings) != 1 || !strings.Contains(warnings[0], "too few") {
		t.Errorf("three scores: %v, %v, %v", at, warnings, err)
	}
}

// TestBenjaminiHochberg: the 25 P of Garcia-Arenzana and others 2014, of which one, two and six are rejected by
// statsmodels 0.13.5 (multipletests, fdr_bh).
func TestBenjaminiHochberg(t *testing.T) {
	p := []float64{0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34,
		0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	for q, want := range map[float64]int{0.05: 1, 0.1: 2, 0.25: 6} {
		largest, n := 0.0, 0
		smallest := 1.0
		for i, yes := range BenjaminiHochberg(p, q) {
			if yes {
				largest = max(largest, p[i])
				n++
			} else {
				smallest = min(smallest, p[i])
			}
		}
		if n != want || largest >= smallest {
			t.Errorf("q %v: %d rejected up to %v, want %d", q, n, largest, want)
		}
	}
	if got := BenjaminiHochberg(nil, 0.1); len(got) != 0 {
		t.Error(got)
	}
}

// TestSPOT: thresholds and alarms along a stream are those of the same algorithm with the tail fitted by scipy 1.10.1
// (the likelihood of genpareto, Nelder-Mead from six starts). Without a stream the threshold is that of pot.
func TestSPOT(t *testing.T) {
	const q = 0.002
	golden := (math.Sqrt(5) - 1) / 2
	exponential := func(from, n int) []float64 { // evenly spread quantiles of the exponential distribution
		out := make([]float64, n)
		for i := range out {
			_, u := math.Modf((float64(from+i) + 0.5) * golden)
			out[i] = -math.Log(1 - u)
		}
		return out
	}
	benign := exponential(0, 1000)
	pot, _, err := ThresholdRule{Rule: "pot", Value: q}.Fit(benign)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first threshold", pot, 6.347515096975423, 1e-4)
	for n, want := range map[int]struct {
		threshold float64
		alarms    int
	}{0: {pot, 0}, 2000: {5.791406129503183, 4}, 5000: {5.503224272034475, 15}, 10_000: {5.3129492688167534, 39},
		20_000: {5.140388344840847, 92}} {
		stream := exponential(1000, n)
		alarms, at, err := SPOT(benign, stream, q)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "threshold", at, want.threshold, 1e-4)
		if got := CountFlags(alarms, make([]bool, n)).FP; got != want.alarms {
			t.Errorf("%d scores: %d alarms, want %d", n, got, want.alarms)
		}
	}
	attacks := []float64{1000, 2000, 3000}
	alarms, after, err := SPOT(benign, attacks, q)
	if err != nil || slices.Contains(alarms, false) || after != pot {
		t.Errorf("alarms teach: %v after %v, %v", after, pot, err)
	}
	if _, _, err := SPOT(nil, attacks, q); err == nil {
		t.Error("no benign score, and no error")
	}
	if _, _, err := SPOT(benign, []float64{math.NaN()}, q); err == nil {
		t.Error("a score that is no number, and no error")
	}
}

// TestOccurrences, by hand, gap 10 s. Source 1: attacks of class 1 at 0, 5, 12 (one event, the second is flagged) and
// at 30 (another, missed); class 2 at 6 (flagged). Source 2: class 1 at 5 (missed). One attack has no time.
func TestOccurrences(t *testing.T) {
	const none = math.MinInt64
	seconds := []int64{12, 0, 5, 30, 6, 5, none, 1, 2, 3}
	source := []int32{1, 1, 1, 1, 1, 2, 1, 1, 1, 2}
	class := []uint32{1, 1, 1, 1, 2, 1, 1, 0, 0, 0}
	attack := []bool{true, true, true, true, true, true, true, false, false, false}
	scores := []float64{1, 1, 9, 1, 9, 1, 9, 1, 9, 1}
	times := make([]int64, len(seconds))
	for i, s := range seconds {
		if times[i] = none; s != none {
			times[i] = s * 1e9
		}
	}
	o := FindOccurrences(times, none, source, Truth{Attack: attack, Class: class}, 10e9)
	if o.Count != 4 || o.Of[0] != o.Of[1] || o.Of[0] != o.Of[2] || o.Of[3] == o.Of[0] || o.Of[6] != -1 || o.Of[7] != -1 {
		t.Fatalf("%d: %v", o.Count, o.Of)
	}
	f := o.Judge(scores, attack, 5)
	near(t, "recall", f.Recall, 0.5, 1e-15)
	if !math.IsNaN(f.Delay) {
		t.Errorf("half of the events are missed, and the median delay is %v", f.Delay)
	}
	// adjusted: 3 + 1 + 1 attacks flagged, 2 missed, one false alarm: 2·5 / (2·5 + 1 + 2)
	near(t, "adjusted F1", f.PointAdjustedF1, 10.0/13, 1e-15)
	// a threshold that all but the last event exceed: delays 0, 0, 0 and never
	scores[5], scores[3] = 9, 9
	near(t, "delay", o.Judge(scores, attack, 5).Delay, 0, 1e-15)
	scores[2], scores[0], scores[4] = 1, 9, 1 // 12, –, 0, 0 s: the median of 0, 0, 12 and never
	near(t, "delay", o.Judge(scores, attack, 5).Delay, 6, 1e-12)
	without := FindOccurrences(times, none, nil, Truth{Attack: attack, Class: class}, 10e9)
	if without.Count != 3 || without.Of[5] != without.Of[2] {
		t.Errorf("without sources: %d, %v", without.Count, without.Of)
	}
}

// TestPointAdjustedRandom: what 2,000 random detectors have on average, with events of 1 to 200 units.
func TestPointAdjustedRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var times []int64
	var attack []bool
	var class []uint32
	for k, length := range []int{1, 5, 20, 200, 3} {
		for range length {
			times, attack, class = append(times, int64(k)*1e12), append(attack, true), append(class, 1)
		}
	}
	for i := range 2000 {
		times, attack, class = append(times, int64(i)), append(attack, false), append(class, 0)
	}
	o := FindOccurrences(times, math.MinInt64, nil, Truth{Attack: attack, Class: class}, 1e9)
	scores := make([]float64, len(times))
	for _, share := range []float64{0.01, 0.05, 0.2} {
		mean, stated := 0.0, 0.0
		const draws = 2000
		for range draws {
			for i := range scores {
				scores[i] = rng.Float64()
			}
			f := o.Judge(scores, attack, 1-share)
			if !math.IsNaN(f.PointAdjustedF1) {
				mean += f.PointAdjustedF1 / draws
			}
			stated += f.PointAdjustedRandom / draws
		}
		// the ratio of expectations is not the expectation of the ratio: within 5 %
		if math.Abs(mean-stated) > 0.05*mean {
			t.Errorf("share %v: %v on average, stated %v", share, mean, stated)
		}
	}
}
