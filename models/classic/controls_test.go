package classic

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// By hand: means 2, 5 and 1; population deviations √2, 0 and 1.
func TestZNormByHand(t *testing.T) {
	train := modeltest.Vectors(3, []float64{0, 5, 0, 2, 5, 2, 2, 5, 0, 4, 5, 2})
	test := modeltest.Vectors(3, []float64{4, 5, 1, 2, 8, 1, 2, 5, -3, 0, 2, 4})
	modeltest.Near(t, "znorm", modeltest.FitScore(t, &ZNorm{}, models.Env{}, train, test),
		[]float64{math.Sqrt2, 3, 4, math.Sqrt(2 + 9 + 9)}, 1e-12)
	modeltest.Near(t, "best_feature", modeltest.FitScore(t, &BestFeature{}, models.Env{}, train, test),
		[]float64{math.Sqrt2, 3, 4, 3}, 1e-12)
}

// What the explanations promise: parts that make the score.
func TestExplain(t *testing.T) {
	train, test := modeltest.Vectors(3, modeltest.Clouds(1, 300, 3)), modeltest.Vectors(3, modeltest.Clouds(2, 40, 3))
	for name, c := range map[string]struct {
		spec models.Spec
		make func(parts []float64) float64
	}{
		"znorm":        {&ZNorm{}, func(p []float64) float64 { return math.Sqrt(p[0] + p[1] + p[2]) }},
		"best_feature": {&BestFeature{}, func(p []float64) float64 { return slices.Max(p) }},
		"pca":          {&PCA{Components: 1}, func(p []float64) float64 { return p[0] + p[1] + p[2] }},
	} {
		m := modeltest.Build(t, c.spec, models.Env{})
		if err := m.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		want, err := m.Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		_, parts, err := m.(models.Explainer).Explain(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float64, len(parts))
		for i, p := range parts {
			got[i] = c.make(p)
		}
		modeltest.Near(t, name, got, want, 1e-12)
	}
}

// A constant column whose mean does not come out exactly must not blow up.
func TestMomentsConstant(t *testing.T) {
	x := make([]float64, 3*10001)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range x {
		if x[i] = 0.1; i%3 == 1 {
			x[i] = r.NormFloat64()
		}
	}
	s := modeltest.Vectors(3, x)
	m, err := fitMoments(context.Background(), s, 2)
	if err != nil {
		t.Fatal(err)
	}
	if m.sd[0] != 1 || m.sd[2] != 1 || m.mean[0] != float64(float32(.1)) || math.Abs(m.sd[1]-1) > .05 {
		t.Errorf("means %v, deviations %v", m.mean, m.sd)
	}
}

// Scores of chance are uniform and unrelated from seed to seed.
func TestRandomUniform(t *testing.T) {
	const n = 20000
	x := make([]float64, 2*n)
	for i := range x {
		x[i] = float64(i / 2)
	}
	s := modeltest.Vectors(2, x)
	a := modeltest.FitScore(t, &Random{}, models.Env{Seed: 1}, s, s)
	b := modeltest.FitScore(t, &Random{}, models.Env{Seed: 2}, s, s)
	var mean, product float64
	for i := range a {
		mean += a[i] / n
		product += (a[i] - .5) * (b[i] - .5) / n
	}
	// Five standard errors: 1/√12 of a uniform value, 1/12 of the product.
	if math.Abs(mean-.5) > 5/math.Sqrt(12*n) || math.Abs(product) > 5/(12*math.Sqrt(n)) {
		t.Errorf("mean %v, covariance %v", mean, product)
	}
	slices.Sort(a)
	for i, v := range a {
		// Kolmogorov–Smirnov at far less than 1e-6.
		if math.Abs(v-float64(i)/n) > 3/math.Sqrt(n) {
			t.Fatalf("share below %v is %v", v, float64(i)/n)
		}
	}
}

func TestSampleTake(t *testing.T) {
	x := make([]float64, 1000)
	for i := range x {
		x[i] = float64(i)
	}
	s := modeltest.Vectors(1, x)
	log := models.Env{}.Logger()
	if got := (models.Sample{MaxRows: 0, Sample: "random"}).Take(s, log); got != s {
		t.Error("no limit takes another set")
	}
	if got := (models.Sample{MaxRows: 10, Sample: "first"}).Take(s, log); !slices.Equal(got.X, s.X[:10]) {
		t.Errorf("first: %v", got.X)
	}
	got := (models.Sample{MaxRows: 100, Sample: "random"}).Take(s, log)
	if got.N != 100 || !slices.IsSorted(got.X) || len(slices.Compact(slices.Clone(got.X))) != 100 {
		t.Errorf("random: %v", got.X)
	}
	if again := (models.Sample{MaxRows: 100, Sample: "random"}).Take(s, log); !slices.Equal(got.X, again.X) {
		t.Error("random rows differ from call to call")
	}
}
