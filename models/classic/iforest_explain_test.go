package classic

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/isolation"
)

// TestPathContributions: the contributions of a row add up to the mean path of the training rows minus the row's own,
// over c(ψ), so that the score follows from their sum; rows that stand out in one column have the most there; the
// offset of a contamination changes none.
func TestPathContributions(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	train := &data.Set{Kind: data.Vectors, N: 500, D: 4}
	for range train.N * train.D {
		train.X = append(train.X, float32(r.NormFloat64()))
	}
	test := &data.Set{Kind: data.Vectors, N: 3, D: 4, X: []float32{0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, -7}}
	spec := IForest{Trees: 100, MaxSamples: 256, MaxFeatures: 1}
	explain := func(contamination float64) [][]float64 {
		own := spec
		own.Contamination = contamination
		d, err := own.New(models.Env{Seed: 2})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		_, why, err := d.(models.Explainer).Explain(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		return why
	}
	m, err := fitIForest(context.Background(), spec, models.Env{Seed: 2}, train)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float64, test.N)
	if err := m.ScoreRows(context.Background(), test, 1, scores); err != nil {
		t.Fatal(err)
	}
	root := 0.0
	for k, mean := range m.means() {
		root += mean[0] / float64(len(m.trees))
		rows := 0.0 // of the leaves, from their paths alone
		var walk func(at int32, depth int)
		walk = func(at int32, depth int) {
			if n := m.trees[k].Nodes[at]; n.Column >= 0 {
				walk(at+1, depth+1)
				walk(n.Right, depth+1)
				return
			}
			rows += rowsOfPath(m.trees[k].Path[at] - float64(depth))
		}
		if walk(0, 0); rows != 256 {
			t.Fatalf("tree %d has %v rows", k, rows)
		}
	}
	why, shifted := explain(0), explain(0.1)
	for i, v := range why {
		sum := 0.0
		for j, c := range v {
			sum += c
			if c != shifted[i][j] {
				t.Errorf("row %d, column %d: %v, with an offset %v", i, j, c, shifted[i][j])
			}
		}
		path := -math.Log2(scores[i]) * isolation.AveragePath(m.psi)
		if want := (root - path) / isolation.AveragePath(m.psi); math.Abs(sum-want) > 1e-9 {
			t.Errorf("row %d: contributions add up to %v, want %v", i, sum, want)
		}
	}
	if why[1][1] <= 2*max(why[1][0], why[1][2], why[1][3]) || why[2][3] <= 2*max(why[2][0], why[2][1], why[2][2]) {
		t.Errorf("contributions %v", why)
	}
}

// TestConditionalContributions: of two columns with correlation ρ, by hand: P = [1 −ρ; −ρ 1]/(1−ρ²), so that at (x, y)
// the first is expected at ρy and contributes (x − ρy)²/(1−ρ²).
func TestConditionalContributions(t *testing.T) {
	const rho = 0.6
	train := &data.Set{Kind: data.Vectors, N: 4, D: 2}
	a, b := math.Sqrt(1+rho), math.Sqrt(1-rho) // four points along the axes of the ellipse
	for _, p := range [][2]float64{{a, a}, {-a, -a}, {b, -b}, {-b, b}} {
		train.X = append(train.X, float32(p[0]), float32(p[1]))
	}
	d, err := (&Mahalanobis{Ridge: 1e-12}).New(models.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), train); err != nil {
		t.Fatal(err)
	}
	test := &data.Set{Kind: data.Vectors, N: 1, D: 2, X: []float32{2, -1}}
	_, why, err := d.(models.Explainer).Explain(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	expected, err := d.(models.Expecter).Expected(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range [][2]float64{{2.6 * 2.6 / 0.64, -0.6}, {2.2 * 2.2 / 0.64, 1.2}} {
		if math.Abs(why[0][j]-want[0]) > 1e-4 || math.Abs(expected[0][j]-want[1]) > 1e-5 {
			t.Errorf("column %d: contribution %v and expected value %v, want %v", j, why[0][j], expected[0][j], want)
		}
	}
}
