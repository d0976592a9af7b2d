package autoencoder

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// threeClouds is rows of three clouds of different widths.
func threeClouds(n int) *data.Set {
	r := rand.New(rand.NewPCG(51, 52))
	s := &data.Set{Kind: data.Vectors, N: n, D: 4}
	for i := range n {
		for j := range 4 {
			s.X = append(s.X, float32(float64(3*(i%3)*(j%2))+r.NormFloat64()*float64(1+i%3)))
		}
	}
	return s
}

func fittedCAE(t *testing.T, change func(s *CAESpec)) *cae {
	t.Helper()
	spec := defaultCAE()
	spec.Epochs = 3
	change(spec)
	d, err := spec.New(models.Env{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), threeClouds(200)); err != nil {
		t.Fatal(err)
	}
	a, err := d.(*caeDetector).Learned()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCentringForce: without centring its force changes nothing, as the published term has no gradient; with it,
// weights.
func TestCentringForce(t *testing.T) {
	none := fittedCAE(t, func(s *CAESpec) {})
	forced := fittedCAE(t, func(s *CAESpec) { s.CentringForce = 1500 })
	centred := fittedCAE(t, func(s *CAESpec) { s.Centring, s.CentringForce = "batchmean", 1500 })
	if fmt.Sprint(none.p, none.centres) != fmt.Sprint(forced.p, forced.centres) {
		t.Error("the force of no centring changes weights")
	}
	if fmt.Sprint(none.p) == fmt.Sprint(centred.p) {
		t.Error("centring changes no weight")
	}
}

// TestLloydStep: rows 0, 1, 10 and 12 of an encoder that leaves them as they are. The first three are nearest to 0, a
// tie
// going to the first centre, the last to 20, and none to 100, which stays; a row that is held out does not count.
func TestLloydStep(t *testing.T) {
	net := nn.Network{Layers: []nn.Dense{{In: 1, Out: 1, Activation: nn.Linear},
		{In: 1, Out: 1, Activation: nn.Linear}}, Optimiser: nn.Optimiser{Kind: "sgd"}, Latent: 1}
	p := nn.Params{{1}, {0}, {1}, {0}}
	train := &data.Set{Kind: data.Vectors, N: 4, D: 1, X: []float32{0, 1, 10, 12}}
	a := &cae{spec: *defaultCAE()}
	for want, order := range map[string][]int32{"[[3.6666667] [12] [100]]": {3, 0, 2, 1},
		"[[3.6666667] [20] [100]]": {0, 1, 2}} {
		got, err := a.step(context.Background(), net, p, train, order, [][]float32{{0}, {20}, {100}})
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("rows %v: centres %v, %v, want %s", order, got, err, want)
		}
	}
}

// TestOneLloydStepAnEpoch: with weights that hardly move, the centres after an epoch more are those of one step more.
func TestOneLloydStepAnEpoch(t *testing.T) {
	still := func(epochs int) *cae {
		return fittedCAE(t, func(s *CAESpec) { s.Epochs, s.Batch, s.Optimiser.Rate = epochs, 5, 1e-12 })
	}
	train := threeClouds(200)
	all := make([]int32, train.N)
	for i := range all {
		all[i] = int32(i)
	}
	moved := 0.0
	for epochs := 1; epochs <= 3; epochs++ {
		before, after := still(epochs), still(epochs+1)
		want, err := before.step(context.Background(), before.net, before.p, train, all, before.centres)
		if err != nil {
			t.Fatal(err)
		}
		for c := range want {
			for j, v := range want[c] {
				moved = math.Max(moved, math.Abs(float64(v-before.centres[c][j])))
				if math.Abs(float64(v-after.centres[c][j])) > 1e-5 {
					t.Fatalf("after %d epochs %v, after one more %v, want %v", epochs, before.centres, after.centres,
						want)
				}
			}
		}
	}
	if moved < 0.01 {
		t.Errorf("centres move by %v: the case is too weak", moved)
	}
}

// TestReductions: what the bottleneck adds to the loss is b times as much where its squares are summed up.
func TestReductions(t *testing.T) {
	set := threeClouds(30)
	rows := []int32{3, 1, 4, 15, 9}
	loss := func(shrink float64, reduction string) (float64, int) {
		spec := defaultSAE()
		spec.Hidden, spec.Shrink, spec.Reduction, spec.Latent = []int{4, 3}, shrink, reduction, models.ReferenceTo("ae")
		net := spec.network(set.D)
		net.Optimiser = nn.Optimiser{Kind: "sgd"}
		engine, err := nn.LookupEngine("fused")
		if err != nil {
			t.Fatal(err)
		}
		tr, err := engine.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0.1), 1)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := tr.Gradient(set.X, set.X, rows)
		if err != nil {
			t.Fatal(err)
		}
		return v, net.Bottleneck()
	}
	plain, b := loss(0, "mean")
	mean, _ := loss(10, "mean")
	sum, _ := loss(10, "sum")
	if b != 3 || !(mean > plain+0.01) || math.Abs((sum-plain)/(mean-plain)-float64(b)) > 1e-4 {
		t.Errorf("losses %v without, %v by the mean and %v by the sum over %d columns", plain, mean, sum, b)
	}
}
