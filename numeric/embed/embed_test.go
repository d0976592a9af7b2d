package embed

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// table is that of testdata/tsne.py, with the divergences of scikit-learn 1.2.1.
func table(t *testing.T) (x []float32, n, d int, kl map[string]struct {
	Exact     float64
	BarnesHut float64 `json:"barnes_hut"`
}) {
	t.Helper()
	var file struct {
		X  []float32
		KL map[string]struct {
			Exact     float64
			BarnesHut float64 `json:"barnes_hut"`
		}
	}
	raw, err := os.ReadFile("testdata/tsne.json")
	if err == nil {
		err = json.Unmarshal(raw, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.X, 200, 6, file.KL
}

// TestTSNEBesideScikitLearn: on 200 rows of five groups the divergence is that of scikit-learn 1.2.1 with the same
// perplexity from the same start, to 3 % of its exact one: its own Barnes–Hut is within 1.3 %. The workers change no
// bit.
func TestTSNEBesideScikitLearn(t *testing.T) {
	x, n, d, kl := table(t)
	for perplexity, want := range map[float64]float64{10: kl["10"].Exact, 30: kl["30"].Exact} {
		how := Defaults()
		how.Perplexity = perplexity
		e, err := how.Fit(context.Background(), x, n, d, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(e.KL-want) > 0.03*want {
			t.Errorf("perplexity %v: divergence %.4f, scikit-learn's is %.4f", perplexity, e.KL, want)
		}
		if got := divergence(t, how, x, n, d, e.Y); math.Abs(got-e.KL) > 0.02*e.KL {
			t.Errorf("perplexity %v: divergence %.4f, by all pairs %.4f", perplexity, e.KL, got)
		}
	}
	how := Defaults()
	how.Iterations = 60
	one, err := how.Fit(context.Background(), x, n, d, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	three, err := how.Fit(context.Background(), x, n, d, 1, 3)
	if err != nil || !slices.Equal(one.Y, three.Y) {
		t.Errorf("other points with three workers, %v", err)
	}
}

// dense is P of all pairs.
func dense(t *testing.T, how TSNE, x []float32, n, d int) []float64 {
	t.Helper()
	a, err := how.affinities(context.Background(), x, n, d, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, sum := make([]float64, n*n), 0.0
	for i := range n {
		for e := a.from[i]; e < a.from[i+1]; e++ {
			p[i*n+int(a.column[e])] = a.value[e]
			sum += a.value[e]
		}
	}
	for i := range n {
		for j := range n {
			if p[i*n+j] != p[j*n+i] {
				t.Fatalf("p of %d and %d: %v and %v", i, j, p[i*n+j], p[j*n+i])
			}
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("P sums to %v", sum)
	}
	return p
}

// divergence is KL(P‖Q) over all pairs.
func divergence(t *testing.T, how TSNE, x []float32, n, d int, y []float64) float64 {
	t.Helper()
	p, z, sum := dense(t, how, x, n, d), 0.0, 0.0
	near := func(i, j int) float64 {
		return 1 / (1 + math.Pow(y[2*i]-y[2*j], 2) + math.Pow(y[2*i+1]-y[2*j+1], 2))
	}
	for i := range n {
		for j := range n {
			if i != j {
				z += near(i, j)
			}
		}
	}
	for i := range n {
		for j := range n {
			if v := p[i*n+j]; v > 0 {
				sum += v * math.Log(v*z/near(i, j))
			}
		}
	}
	return sum
}

// TestGradient: that of the definition, over all pairs, to rounding where Theta is 0, and to 1 % of its length by
// Barnes and Hut; moving a point changes the divergence as it says.
func TestGradient(t *testing.T) {
	x, n, d, _ := table(t)
	how := Defaults()
	p := dense(t, how, x, n, d)
	sparse, err := how.affinities(context.Background(), x, n, d, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	y := make([]float64, 2*n)
	for i := range y {
		y[i] = 10 * r.NormFloat64()
	}
	y[6], y[7] = y[0], y[1] // points in one place
	want, z := make([]float64, 2*n), 0.0
	for i := range n {
		for j := range n {
			if i != j {
				z += 1 / (1 + math.Pow(y[2*i]-y[2*j], 2) + math.Pow(y[2*i+1]-y[2*j+1], 2))
			}
		}
	}
	const exaggeration = 3
	for i := range n {
		for j := range n {
			dx, dy := y[2*i]-y[2*j], y[2*i+1]-y[2*j+1]
			w := 1 / (1 + dx*dx + dy*dy)
			want[2*i] += 4 * (exaggeration*p[i*n+j] - w/z) * w * dx
			want[2*i+1] += 4 * (exaggeration*p[i*n+j] - w/z) * w * dy
		}
	}
	length := func(v []float64) (s float64) {
		for _, e := range v {
			s += e * e
		}
		return math.Sqrt(s)
	}
	for theta, tolerance := range map[float64]float64{0: 1e-12, 0.5: 0.01, 1: 0.1} {
		got, _, err := newGradient(sparse, theta, n, 2).at(context.Background(), y, exaggeration)
		if err != nil {
			t.Fatal(err)
		}
		off := slices.Clone(got)
		for i := range off {
			off[i] -= want[i]
		}
		if rel := length(off) / length(want); rel > tolerance {
			t.Errorf("theta %v: the gradient is off by %.2g of its length, want at most %v", theta, rel, tolerance)
		}
	}
	g := newGradient(sparse, 0, n, 1)
	plain, _, err := g.at(context.Background(), y, 1)
	if err != nil {
		t.Fatal(err)
	}
	slope := plain[11]
	const step = 1e-5
	up, down := slices.Clone(y), slices.Clone(y)
	up[11] += step
	down[11] -= step
	got := (divergence(t, how, x, n, d, up) - divergence(t, how, x, n, d, down)) / (2 * step)
	if math.Abs(got-slope) > 1e-6*(1e-3+math.Abs(slope)) {
		t.Errorf("the divergence changes by %v, the gradient says %v", got, slope)
	}
}

// TestComponents: those of a table whose axes are known, and 0 where there are no more.
func TestComponents(t *testing.T) {
	var x []float32
	for i := range 9 {
		a, b := float32(i%3-1), float32(i/3-1) // of the axes (3, 4)/5 and (−4, 3)/5
		x = append(x, 10+5*(3*a)/5-(4*b)/5, 20+5*(4*a)/5+(3*b)/5)
	}
	y, err := Components(context.Background(), x, 9, 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		want := []float64{5 * float64(i%3-1), -float64(i/3 - 1), 0}
		for j, w := range want {
			if math.Abs(y[3*i+j]-w) > 1e-5 {
				t.Errorf("row %d: component %d is %v, want %v", i, j, y[3*i+j], w)
			}
		}
	}
}

// TestPoorTables: few, equal and one-column rows are placed, and what cannot be is refused.
func TestPoorTables(t *testing.T) {
	how := Defaults()
	how.Iterations = 40
	line := make([]float32, 60)
	for i := range line {
		line[i] = float32(i)
	}
	for name, c := range map[string]struct {
		x    []float32
		n, d int
		ok   bool
	}{
		"four rows":    {line[:8], 4, 2, true},
		"equal rows":   {make([]float32, 60), 20, 3, true},
		"one column":   {line, 60, 1, true},
		"large values": {[]float32{3e38, -3e38, 1, 2, 3e38, 5}, 6, 1, true},
		"three rows":   {line[:6], 3, 2, false},
		"no rows":      {nil, 0, 2, false},
		"other size":   {line, 10, 2, false},
	} {
		e, err := how.Fit(context.Background(), c.x, c.n, c.d, 1, 2)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.ok && slices.ContainsFunc(e.Y, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			t.Errorf("%s: points %v", name, e.Y)
		}
	}
	for _, bad := range []TSNE{{}, {Perplexity: 5}, {Perplexity: 5, Iterations: 3, Exaggeration: 0.5},
		{Perplexity: 5, Iterations: 3, Exaggeration: 12, Theta: -1}} {
		if _, err := bad.Fit(context.Background(), line, 20, 3, 1, 1); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := how.Fit(ctx, line, 20, 3, 1, 1); err == nil {
		t.Error("a cancelled fit gives no error")
	}
}

// BenchmarkTSNE is 5,000 rows of 20 columns in ten groups, with scikit-learn's defaults.
func BenchmarkTSNE(b *testing.B) {
	const n, d = 5000, 20
	r := rand.New(rand.NewPCG(2, 2))
	centre := make([]float64, 10*d)
	for i := range centre {
		centre[i] = 3 * r.NormFloat64()
	}
	x := make([]float32, 0, n*d)
	for i := range n {
		for j := range d {
			x = append(x, float32(centre[i%10*d+j]+r.NormFloat64()))
		}
	}
	for b.Loop() {
		if _, err := Defaults().Fit(context.Background(), x, n, d, 1, 1); err != nil {
			b.Fatal(err)
		}
	}
}
