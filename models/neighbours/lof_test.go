package neighbours

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/neighbour"
)

func TestLOFFixtures(t *testing.T) {
	fx := modeltest.LoadFixtures(t)
	train, test := modeltest.Vectors(4, modeltest.Flat(fx.Train)), modeltest.Vectors(4, modeltest.Flat(fx.Test))
	spec := &LOF{K: fx.LOF.K, Sample: models.Sample{Sample: "random"}}
	modeltest.Near(t, "score", modeltest.FitScore(t, spec, models.Env{}, train, test),
		modeltest.Negated(fx.LOF.Test), 1e-5)

	m, err := fitLOF(context.Background(), *spec, models.Env{}, train)
	if err != nil {
		t.Fatal(err)
	}
	own := make([]float64, train.N)
	err = m.ref.Nearest(context.Background(), train.X, m.k, 1, 0,
		func(i int, found []neighbour.Neighbour) { own[i] = m.factor(found) })
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Near(t, "training rows", own, modeltest.Negated(fx.LOF.TrainNOF), 1e-5)
}

// On uniform data the factor is 1 up to chance, away from the edges (Breunig et al., lemma 1).
func TestLOFUniform(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	train, test := make([]float64, 4000*2), make([]float64, 500*2)
	for i := range train {
		train[i] = r.Float64()
	}
	for i := range test {
		test[i] = .1 + .8*r.Float64()
	}
	scores := modeltest.FitScore(
		t,
		&LOF{K: 20, Sample: models.Sample{Sample: "random"}},
		models.Env{},
		modeltest.Vectors(2, train),
		modeltest.Vectors(2, test),
	)
	var mean float64
	for _, v := range scores {
		mean += v / 500
		if v < .8 || v > 1.6 {
			t.Errorf("factor %v", v)
		}
	}
	if math.Abs(mean-1) > .04 {
		t.Errorf("mean factor %v", mean)
	}
}

// TestKNNOfAll: where every row is a neighbour, the distances to 0, 3 and 7 from 1 are 1, 2 and 6, from 10 they are 10,
// 7 and 3.
func TestKNNOfAll(t *testing.T) {
	train, test := modeltest.Vectors(1, []float64{0, 3, 7}), modeltest.Vectors(1, []float64{1, 10})
	for distance, want := range map[string][]float64{
		"mean": {3, 20. / 3}, "largest": {6, 10}, "median": {2, 7},
	} {
		spec := &KNN{K: 100, Distance: distance, Sample: models.Sample{Sample: "first"}}
		modeltest.Near(t, distance, modeltest.FitScore(t, spec, models.Env{}, train, test), want, 1e-12)
	}
}

func TestKNNByHand(t *testing.T) {
	train, test := modeltest.Vectors(1, []float64{0, 1, 3, 7, 7}), modeltest.Vectors(1, []float64{0, 2, 7, 100})
	modeltest.Near(
		t,
		"largest",
		modeltest.FitScore(t, &KNN{K: 3, Distance: "largest", Sample: models.Sample{Sample: "first"}}, models.Env{},
			train, test),
		[]float64{3, 2, 4, 97},
		1e-12,
	)
	modeltest.Near(
		t,
		"mean",
		modeltest.FitScore(t, &KNN{K: 2, Distance: "mean", Sample: models.Sample{Sample: "first"}}, models.Env{}, train,
			test),
		[]float64{.5, 1, 0, 93},
		1e-12,
	)
	modeltest.Near(
		t,
		"k over n",
		modeltest.FitScore(t, &KNN{K: 9, Distance: "largest", Sample: models.Sample{MaxRows: 3, Sample: "first"}},
			models.Env{}, train, test),
		[]float64{3, 2, 7, 100},
		1e-12,
	)
}

// TestNSLKDD: AUROC within .02 of scikit-learn's, as repeated rows leave open which are the neighbours.
func TestNSLKDD(t *testing.T) {
	modeltest.OnNSLKDD(t, func(t *testing.T, ref modeltest.NSLKDDReference, train, test *data.Set) {
		ref.SameAUROC(t, "lof", &LOF{K: 20, Sample: models.Sample{Sample: "random"}}, .02, train, test)
	})
}

func TestSameBits(t *testing.T) { modeltest.SameBits(t) }
