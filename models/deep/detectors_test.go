package deep

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/models/nn"
)

// clouds is n rows around (2, −1, 0, 0) and, for each attack, one around (2, −1, 0, 0) but 3 off in a column.
func clouds(seed uint64, n, attacks int) *data.Set {
	r := rand.New(rand.NewPCG(seed, 77))
	s := &data.Set{Kind: data.Vectors, N: n + attacks, D: 4}
	for i := range s.N {
		row := []float64{2, -1, 0, 0}
		s.Attack = append(s.Attack, i >= n)
		if i >= n {
			row[3] += 3
		}
		for _, v := range row {
			s.X = append(s.X, float32(v+0.5*r.NormFloat64()))
		}
	}
	return s
}

func fitted(t *testing.T, spec models.Spec, env models.Env, train *data.Set) models.Detector {
	t.Helper()
	d, err := spec.New(env)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(t.Context(), train); err != nil {
		t.Fatal(err)
	}
	return d
}

func scored(t *testing.T, d models.Detector, s *data.Set) []float64 {
	t.Helper()
	out, err := d.Score(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSoftBoundaryShare: ν is the share of the training rows that lie outside the boundary, so that their scores are
// above 0, and training has drawn the boundary in.
func TestSoftBoundaryShare(t *testing.T) {
	train := clouds(1, 500, 0)
	for _, nu := range []float64{0.02, 0.1, 0.4} {
		radius := func(epochs int) float64 {
			spec := defaultDeepSVDD()
			spec.Objective, spec.Nu, spec.Epochs, spec.WarmUp = "soft_boundary", nu, epochs, 3
			d := fitted(t, spec, models.Env{Seed: 4}, train)
			outside := 0.0
			for _, v := range scored(t, d, train) {
				if v > 0 {
					outside++
				}
			}
			if share := outside / 500; math.Abs(share-nu) > 0.003 {
				t.Errorf("ν %v: %v of the training rows lie outside", nu, share)
			}
			l, err := d.(*models.Fitted[*deepSVDD]).Learned()
			if err != nil {
				t.Fatal(err)
			}
			return l.radius
		}
		if few, many := radius(3), radius(60); !(many < 0.95*few) {
			t.Errorf("ν %v: R² is %v after 3 epochs, %v after 60", nu, few, many)
		}
	}
}

// TestCentreKeepsFromZero: no coordinate of the centre is nearer to 0 than the floor, also where the representation is
// 0 for all rows, and a network that gives the same for all rows is warned of.
func TestCentreKeepsFromZero(t *testing.T) {
	e := Encoder{Hidden: []int{3}, Activation: nn.Leaky, CentreFloor: 0.1}
	net := e.network(2)
	s := &data.Set{Kind: data.Vectors, N: 2, D: 2, X: []float32{1, 0, 0, 1}}
	p := nn.Params{{0.02, 0.02, -0.04, 0, 3, 5}} // means .02, −.02 and 4
	c, err := e.centre(net, p, s, func(int) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{0.1, -0.1, 4} {
		if math.Abs(c[j]-want) > 1e-6 {
			t.Errorf("coordinate %d of the centre is %v, want %v", j, c[j], want)
		}
	}
	var log bytes.Buffer
	env := models.Env{Log: slog.New(slog.NewTextHandler(&log, nil))}
	warnOfCollapse(env, "x", []float64{0.5, 0.5}, s)
	if !strings.Contains(log.String(), "collapsed") {
		t.Error("no warning of one distance for rows that differ")
	}
	log.Reset()
	warnOfCollapse(env, "x", []float64{0.5, 0.6}, s)
	warnOfCollapse(env, "x", []float64{0.5, 0.5}, &data.Set{N: 2, D: 1, X: []float32{1, 1}})
	if log.Len() > 0 {
		t.Errorf("warned without a reason: %s", &log)
	}
}

// TestLabelledAttacksHelp: with a few labelled attacks of the kind that is tested, both models that take them rank
// better than deep_svdd, which sees none; devnet has attacks on average near its margin and other rows near 0.
func TestLabelledAttacksHelp(t *testing.T) {
	train, test := clouds(1, 600, 15), clouds(2, 400, 100)
	blind := clouds(1, 600, 0)
	base := modeltest.AUROC(t, scored(t, fitted(t, defaultDeepSVDD(), models.Env{Seed: 1}, blind), test), test.Attack)
	sad := modeltest.AUROC(t, scored(t, fitted(t, defaultDeepSAD(), models.Env{Seed: 1}, train), test), test.Attack)
	dev := scored(t, fitted(t, lookup(t, "devnet"), models.Env{Seed: 1}, train), test)
	net := modeltest.AUROC(t, dev, test.Attack)
	t.Logf("AUROC: deep_svdd %.4f, deep_sad %.4f, devnet %.4f", base, sad, net)
	if !(sad > base && net > base && net > 0.99) {
		t.Errorf("AUROC: deep_svdd %.4f, deep_sad %.4f, devnet %.4f", base, sad, net)
	}
	benign, attacks := 0.0, 0.0
	for i, v := range dev {
		if test.Attack[i] {
			attacks += v / 100
		} else {
			benign += math.Abs(v) / 400
		}
	}
	if !(benign < 1 && attacks > 4) {
		t.Errorf("devnet: deviations of %v for benign rows, %v for attacks", benign, attacks)
	}
}

func lookup(t *testing.T, model string) models.Spec {
	t.Helper()
	info, err := models.Lookup(model)
	if err != nil {
		t.Fatal(err)
	}
	return info.Defaults()
}

// TestLabelsAreNeeded: models that learn from labelled attacks say so where there is none, or nothing else.
func TestLabelsAreNeeded(t *testing.T) {
	for _, model := range []string{"devnet", "deep_sad"} {
		for _, s := range []*data.Set{clouds(1, 20, 0), clouds(1, 0, 20)} {
			d, err := lookup(t, model).New(models.Env{})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Fit(t.Context(), s); !errors.Is(err, models.ErrInput) {
				t.Errorf("%s: error %v", model, err)
			}
		}
	}
}

// TestBalanced: attacks stand in an epoch as often as other rows, none is left out, and there are enough for the
// batches asked for.
func TestBalanced(t *testing.T) {
	for _, c := range []struct{ others, attacks, least int }{{100, 3, 0}, {100, 3, 400}, {5, 80, 0}, {1, 1, 0}} {
		var others, attacks []int32
		for i := range c.others {
			others = append(others, int32(i))
		}
		for i := range c.attacks {
			attacks = append(attacks, int32(1000+i))
		}
		met := map[int32]int{}
		sum := 0
		for _, r := range balanced(others, attacks, c.least) {
			met[r]++
			if r >= 1000 {
				sum++
			} else {
				sum--
			}
		}
		if sum != 0 || len(met) != c.others+c.attacks {
			t.Errorf("%+v: %d more attacks than others, %d rows met", c, sum, len(met))
		}
		for _, list := range [][]int32{others, attacks} {
			var times []int
			for _, r := range list {
				times = append(times, met[r])
			}
			if slices.Max(times) > slices.Min(times)+1 {
				t.Errorf("%+v: rows are met between %d and %d times", c, slices.Min(times), slices.Max(times))
			}
		}
	}
}

// TestEnergyByHand: the energy of two Gaussians in one dimension, from their densities.
func TestEnergyByHand(t *testing.T) {
	f := [][]float32{{0}, {2}, {10}, {14}}
	gamma := [][]float64{{1, 0}, {1, 0}, {0.25, 0.75}, {0, 1}}
	mix, err := mixtureOf(gamma, f, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	// N = 2.25 and 1.75, µ = (0+2+2.5)/2.25 = 2 and (7.5+14)/1.75 = 86/7
	// Σ = (4+0+.25·64)/2.25 + .5 = 169/18, (.75·(16/7)²+(12/7)²)/1.75 + .5
	want := 0.0
	for _, c := range []struct{ share, mean, variance float64 }{
		{2.25 / 4, 2, 20/2.25 + 0.5},
		{1.75 / 4, 86.0 / 7, (0.75*256/49+144.0/49)/1.75 + 0.5},
	} {
		want += c.share * math.Exp(-(5-c.mean)*(5-c.mean)/(2*c.variance)) / math.Sqrt(2*math.Pi*c.variance)
	}
	of := make([]float64, 2)
	if got := energy(mix, []float32{5}, of); math.Abs(got+math.Log(want)) > 1e-12 || math.Abs(of[0]+of[1]-1) > 1e-12 {
		t.Errorf("energy %v, want %v; responsibilities %v", got, -math.Log(want), of)
	}
	// a component that no row belongs to is left out
	for i := range gamma {
		gamma[i] = []float64{1, 0}
	}
	if mix, err = mixtureOf(gamma, f, 0.5); err != nil || mix[1].share != 0 {
		t.Fatalf("a dead component: %+v, %v", mix, err)
	}
	if v := energy(mix, []float32{5}, of); math.IsNaN(v) || math.IsInf(v, 0) || of[1] != 0 {
		t.Errorf("energy with a dead component: %v, responsibilities %v", v, of)
	}
}

// TestDAGMMOnCopies: rows that are all alike, whose covariances are 0 but for the ridge, neither stop training nor make
// scores that are no numbers.
func TestDAGMMOnCopies(t *testing.T) {
	s := &data.Set{Kind: data.Vectors, N: 50, D: 3}
	for range s.N {
		s.X = append(s.X, 1, -2, 0.5)
	}
	spec := defaultDAGMM()
	spec.Epochs = 20
	for i, v := range scored(t, fitted(t, spec, models.Env{}, s), s) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("score %d is %v", i, v)
		}
	}
}
