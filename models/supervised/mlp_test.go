package supervised

import (
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/models/nn"
)

// overlapping is rows of k classes whose clouds overlap, benign the first.
func overlapping(n, k int) *data.Set {
	r := rand.New(rand.NewPCG(8, uint64(k)))
	s := &data.Set{Kind: data.Vectors, N: n, D: 3, Classes: []string{"benign", "dos", "scan"}[:k]}
	for i := range n {
		c := i % k
		s.Class, s.Attack = append(s.Class, uint32(c)), append(s.Attack, c > 0)
		for j := range 3 {
			v := r.NormFloat64()
			if j == c {
				v += 1.5
			}
			s.X = append(s.X, float32(v))
		}
	}
	return s
}

// TestMLPWithoutHiddenLayers: without hidden layers, and trained to the end, the network has the probabilities of
// logistic or softmax regression without a regulariser, which L-BFGS finds; weights of classes included.
func TestMLPWithoutHiddenLayers(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of package nn")
	}
	for _, c := range []struct {
		k               int
		target, weights string
	}{{2, "attack", "none"}, {2, "attack", "balanced"}, {3, "class", "none"}, {3, "class", "balanced"}} {
		s := overlapping(600, c.k)
		common := Common{Target: c.target, Weights: c.weights, Calibration: "none"}
		mlp := &MLP{Common: common, Activation: nn.ReLU, Training: nn.DefaultTraining(1500, 600)}
		mlp.Optimiser.Rate = 0.05
		mlp.Schedule.Kind = "cosine"
		probabilities := func(spec models.Spec) [][]float64 {
			d, err := spec.New(models.Env{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Fit(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			_, p, err := d.(models.Classifier).Probabilities(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		want, got := probabilities(&Logistic{common, 1e6, 10000}), probabilities(mlp)
		for i := range got {
			for k := range got[i] {
				if math.Abs(got[i][k]-want[i][k]) > 2e-3 {
					t.Fatalf("%+v: row %d, class %d: probability %v, logistic regression has %v", c, i, k, got[i][k],
						want[i][k])
				}
			}
		}
	}
}

// TestCrossEntropyGradient: the gradient in the margins is that of finite differences of −w·log p.
func TestCrossEntropyGradient(t *testing.T) {
	for _, k := range []int{2, 4} {
		r := rand.New(rand.NewPCG(5, uint64(k)))
		const n = 6
		b := &nn.Batch{}
		for i := range n {
			y, target := make([]float32, functions(k)), make([]float32, k)
			for c := range y {
				y[c] = float32(2 * r.NormFloat64())
			}
			target[i%k] = float32(0.5 + r.Float64())
			b.Output, b.Target = append(b.Output, y), append(b.Target, target)
			b.Slope = append(b.Slope, make([]float32, len(y)))
		}
		loss := func() float64 {
			sum := 0.0
			for i, y := range b.Output {
				margins := make([]float64, k) // of the first class 0, where there is one for two
				for c := range y {
					margins[k-len(y)+c] = float64(y[c])
				}
				total := 0.0
				for _, v := range margins {
					total += math.Exp(v)
				}
				for c, w := range b.Target[i] {
					sum -= float64(w) * (margins[c] - math.Log(total))
				}
			}
			return sum
		}
		goal := &crossEntropy{k}
		if got := goal.Gradient(b); math.Abs(got-loss()) > 1e-9 {
			t.Errorf("%d classes: loss %v, want %v", k, got, loss())
		}
		for i, y := range b.Output {
			for c := range y {
				was := y[c]
				y[c] = was + 1.0/512
				up := loss()
				y[c] = was - 1.0/512
				down := loss()
				y[c] = was
				if want := (up - down) * 256 / n; math.Abs(float64(b.Slope[i][c])-want) > 1e-5 {
					t.Errorf("%d classes: row %d, margin %d: slope %v, want %v", k, i, c, b.Slope[i][c], want)
				}
			}
		}
	}
}

// TestMLPLearnsWhatALineCannot: hidden layers tell classes apart that no line does, and training ends early.
func TestMLPLearnsWhatALineCannot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	s := &data.Set{Kind: data.Vectors, N: 800, D: 2}
	for range s.N {
		a, b := r.NormFloat64(), r.NormFloat64()
		s.X, s.Attack = append(s.X, float32(a), float32(b)), append(s.Attack, a*b > 0)
	}
	info, err := models.Lookup("mlp")
	if err != nil {
		t.Fatal(err)
	}
	spec := info.Defaults().(*MLP)
	spec.Epochs, spec.Optimiser.Rate = 1000, 0.01
	last := 0
	d, err := spec.New(models.Env{Seed: 1, Observe: func(e models.Epoch) { last = e.N }})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	scores, err := d.Score(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, v := range scores {
		if (v > 0.5) == s.Attack[i] {
			right++
		}
	}
	if right < 760 || last >= 1000 {
		t.Errorf("%d of 800 rows are told right after %d epochs", right, last)
	}
}

// TestMLPIsSurelyWrong: rows that a network is sure of and wrong about, so that their class has the probability 0, have
// a finite loss: training goes on and learns.
func TestMLPIsSurelyWrong(t *testing.T) {
	s := &data.Set{Kind: data.Vectors, N: 200, D: 2, Features: data.Quantities("a", "b")}
	r := rand.New(rand.NewPCG(4, 4))
	for i := range s.N {
		attack := i%2 == 0
		v := 1e4 * (1 + r.Float64())
		if !attack {
			v = -v
		}
		s.X, s.Attack = append(s.X, float32(v), float32(r.NormFloat64())), append(s.Attack, attack)
	}
	s.Attack[7] = true // not what its columns say
	mlp := &MLP{Common: defaultCommon(), Hidden: []int{8}, Activation: nn.Leaky, Training: nn.DefaultTraining(100, 20)}
	scores := modeltest.FitScore(t, mlp, models.Env{Seed: 1}, s, s)
	if scores[0] < 0.5 || scores[1] > 0.5 {
		t.Errorf("scores %v and %v", scores[0], scores[1])
	}
}
