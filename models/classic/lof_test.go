package classic

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models"
	"plumbline/numeric/neighbour"
)

func TestLOFFixtures(t *testing.T) {
	fx := loadFixtures(t)
	train, test := vectors(4, flat(fx.Train)), vectors(4, flat(fx.Test))
	spec := &LOF{K: fx.LOF.K, Sample: models.Sample{Sample: "random"}}
	near(t, "score", fitScore(t, spec, models.Env{}, train, test), negated(fx.LOF.Test), 1e-5)

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
	near(t, "training rows", own, negated(fx.LOF.TrainNOF), 1e-5)
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
	scores := fitScore(t, &LOF{K: 20, Sample: models.Sample{Sample: "random"}}, models.Env{}, vectors(2, train),
		vectors(2, test))
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
