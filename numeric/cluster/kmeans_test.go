package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fitFrom iterates from the rows of m with the given numbers.
func fitFrom[T Number](ctx context.Context, o KMeans, m Matrix[T], first []int) (*Clustering, error) {
	o.K = len(first)
	if err := o.check(m.check(1)); err != nil {
		return nil, err
	}
	return newLloyd(o, m).run(ctx, first)
}

// TestKMeansReference: from the same rows, the same centres as scikit-learn's Lloyd.
func TestKMeansReference(t *testing.T) {
	ref, m := loadReference(t)
	for _, workers := range []int{1, 3} {
		for _, block := range []int{0, 7} {
			got, err := fitFrom(context.Background(), KMeans{MaxIter: 300, Block: block, Workers: workers}, m,
				ref.KMeans.InitRows)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Labels, ref.KMeans.Labels) || !near(got.Inertia, ref.KMeans.Inertia, 1e-12) ||
				got.Iterations != ref.KMeans.NIter {
				t.Errorf("inertia %v after %d iterations, want %v after %d; labels %v, want %v",
					got.Inertia, got.Iterations, ref.KMeans.Inertia, ref.KMeans.NIter, got.Labels, ref.KMeans.Labels)
			}
			for i, v := range slices.Concat(ref.KMeans.Centers...) {
				if !near(got.X[i], v, 1e-12) {
					t.Errorf("centre %d: %v, want %v", i/m.D, got.X[i], v)
				}
			}
		}
	}
}

// naiveKMeans is k-means++ and Lloyd's iterations by the book, every distance computed.
func naiveKMeans[T Number](o KMeans, m Matrix[T], r *rand.Rand) (centres [][]float64, labels []int32) {
	wide := func(row []T) (out []float64) {
		for _, v := range row {
			out = append(out, float64(v))
		}
		return out
	}
	centres = append(centres, wide(m.Row(r.IntN(m.N))))
	for i := 1; i < o.K; i++ {
		far, sum := make([]float64, m.N), 0.0
		for j := range far {
			far[j] = math.Inf(1)
			for _, c := range centres {
				far[j] = min(far[j], SquaredDistance(m.Row(j), c))
			}
			sum += far[j]
		}
		at, u := 0, r.Float64()*sum
		for ; at < m.N-1 && u >= far[at]; at++ {
			u -= far[at]
		}
		if sum > 0 {
			centres = append(centres, wide(m.Row(at)))
		}
	}
	labels = make([]int32, m.N)
	for range 300 {
		before := slices.Clone(labels)
		sums, n := make([][]float64, len(centres)), make([]float64, len(centres))
		for i := range labels {
			best := 0
			for c := range centres {
				if SquaredDistance(m.Row(i), centres[c]) < SquaredDistance(m.Row(i), centres[best]) {
					best = c
				}
			}
			labels[i] = int32(best)
			if sums[best] == nil {
				sums[best] = make([]float64, m.D)
			}
			n[best]++
			for j, v := range m.Row(i) {
				sums[best][j] += float64(v)
			}
		}
		for c := range centres {
			for j := range centres[c] {
				switch {
				case n[c] > 0 && o.Single:
					centres[c][j] = float64(float32(sums[c][j] / n[c]))
				case n[c] > 0:
					centres[c][j] = sums[c][j] / n[c]
				case o.Empty == DropEmpty:
					centres[c][j] = math.Inf(1)
				}
			}
		}
		if slices.Equal(before, labels) {
			break
		}
	}
	return centres, labels
}

// TestKMeansNaive: the same bits as the book's, also with repeated rows and more centres than values.
func TestKMeansNaive(t *testing.T) {
	if testing.Short() {
		t.Skip("values, which depend on no goroutine")
	}
	for seed := range uint64(8) {
		for _, empty := range []Empty{KeepEmpty, DropEmpty} {
			for _, k := range []int{1, 3, 17, 60} {
				m := blobs(200, 6, seed)
				if seed%2 == 1 { // a few values only
					for i := range m.X {
						m.X[i] = float32(math.Round(float64(m.X[i]) / 4))
					}
				}
				wide := Matrix[float64]{m.N, m.D, make([]float64, len(m.X))}
				for i, v := range m.X {
					wide.X[i] = float64(v) + 100
				}
				for _, workers := range []int{1, 2} {
					o := KMeans{K: k, Candidates: 1, MaxIter: 300, Empty: empty, Workers: workers}
					t.Run(fmt.Sprintf("seed=%d,%d,k=%d", seed, empty, k), func(t *testing.T) {
						sameAsNaive(t, o, wide, seed)
						o.Single = true
						sameAsNaive(t, o, m, seed)
					})
				}
			}
		}
	}
}

func sameAsNaive[T Number](t *testing.T, o KMeans, m Matrix[T], seed uint64) {
	t.Helper()
	got, err := Fit(context.Background(), o, m, rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		t.Fatal(err)
	}
	centres, labels := naiveKMeans(o, m, rand.New(rand.NewPCG(seed, 1)))
	if !slices.Equal(got.X, slices.Concat(centres...)) || !slices.Equal(got.Labels, labels) {
		t.Fatalf("%d centres %v, want %d %v", got.N, got.X, len(centres), centres)
	}
}

// TestKMeansRefill: all centres start at one place; the empty ones move to the far rows.
func TestKMeansRefill(t *testing.T) {
	m := Matrix[float64]{6, 1, []float64{1, 1, 1, 5, 5, 9}}
	got, err := fitFrom(context.Background(), KMeans{MaxIter: 50, Empty: RefillEmpty}, m, []int{0, 1, 2})
	if err != nil || got.Inertia > 1e-12 {
		t.Errorf("%+v, %v", got, err)
	}
	// Kept, an empty centre takes the ones when the first moves to the mean of all; given up, it takes nothing.
	for empty, want := range map[Empty]float64{KeepEmpty: 32.0 / 3, DropEmpty: 160.0 / 3} {
		got, err := fitFrom(context.Background(), KMeans{MaxIter: 50, Empty: empty}, m, []int{0, 1, 2})
		if err != nil || !near(got.Inertia, want, 1e-12) {
			t.Errorf("%d: %+v, %v", empty, got, err)
		}
	}
}

// TestKMeansCandidates: of several drawn rows the best makes a better start, on the average.
func TestKMeansCandidates(t *testing.T) {
	m := blobs(400, 2, 4)
	sum := map[int]float64{}
	for _, candidates := range []int{1, 0} {
		for seed := range uint64(40) {
			o := KMeans{K: 12, Candidates: candidates, MaxIter: 1}
			got, err := Fit(context.Background(), o, m, rand.New(rand.NewPCG(seed, 1)))
			if err != nil {
				t.Fatal(err)
			}
			sum[candidates] += got.Inertia / 40
		}
	}
	if !(sum[0] < 0.95*sum[1]) {
		t.Errorf("inertia %v with candidates, %v without", sum[0], sum[1])
	}
}

func TestKMeansRefused(t *testing.T) {
	ctx, m, r := context.Background(), blobs(10, 2, 1), rand.New(rand.NewPCG(1, 1))
	good := KMeans{K: 2, MaxIter: 10}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Fit(cancelled, good, m, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, change := range map[string]func(o *KMeans, m *Matrix[float32]){
		"no centre":    func(o *KMeans, m *Matrix[float32]) { o.K = 0 },
		"no iteration": func(o *KMeans, m *Matrix[float32]) { o.MaxIter = 0 },
		"tolerance":    func(o *KMeans, m *Matrix[float32]) { o.Tol = math.NaN() },
		"candidates":   func(o *KMeans, m *Matrix[float32]) { o.Candidates = -1 },
		"no rows":      func(o *KMeans, m *Matrix[float32]) { *m = Matrix[float32]{0, 2, nil} },
		"shape":        func(o *KMeans, m *Matrix[float32]) { m.D = 3 },
	} {
		o, bad := good, m
		change(&o, &bad)
		if _, err := Fit(ctx, o, bad, r); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAssign: products of matrices find the centre that distances find, also among many that lie close together,
// far from zero, and where float32 overflows.
func TestAssign(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, scale := range []float64{1e-3, 1, 1e3, 1e18} {
		for _, shift := range []float64{0, 100} {
			for _, k := range []int{1, 5, 300} {
				draw := func(n int) []float32 {
					x := make([]float32, n*7)
					for i := range x {
						x[i] = float32(scale * (shift + r.NormFloat64()))
					}
					return x
				}
				flat := draw(k)
				flat = append(flat, flat[:7*min(k, 40)]...) // twins: the first wins
				var centres [][]float32
				for i := 0; i < len(flat); i += 7 {
					centres = append(centres, flat[i:i+7])
				}
				x := append(draw(600), flat[:7*min(k, 70)]...)
				m := Matrix[float32]{len(x) / 7, 7, x}
				labels := make([]int32, m.N)
				if err := Assign(context.Background(), NewCentres(Rows(centres), nil), m, 2, labels); err != nil {
					t.Fatal(err)
				}
				for i, c := range labels {
					if want := Nearest(centres, m.Row(i)); int(c) != want {
						t.Errorf("scale %v, shift %v: row %d is nearest to %d, want %d", scale, shift, i, c, want)
					}
				}
			}
		}
	}
}

// spreadRows are n rows of d numbers around k places, more around the first ones, from a linear congruential sequence,
// so that other programs can make them too.
func spreadRows(n, d, k int) Matrix[float64] {
	state := uint64(12345)
	u := func() float64 {
		state = (1103515245*state + 12345) % (1 << 31)
		return float64(state) / (1 << 31)
	}
	places := make([]float64, k*d)
	for i := range places {
		places[i] = 10 * u()
	}
	m := Matrix[float64]{N: n, D: d, X: make([]float64, 0, n*d)}
	for range n {
		a := u()
		at := int(float64(k) * a * u())
		for j := range d {
			b := u()
			m.X = append(m.X, places[at*d+j]+b+u()-1)
		}
	}
	return m
}

// TestKMeansInertia: one start ends at the inertia of scikit-learn 1.2.1, KMeans(k, n_init=1, algorithm="lloyd"), of
// which mean and deviation over random_state 0 to 299 stand here; the mean over a hundred seeds lies within four
// standard errors of their difference.
func TestKMeansInertia(t *testing.T) {
	if testing.Short() {
		t.Skip("values, which depend on no goroutine")
	}
	m := spreadRows(1000, 4, 16)
	sum := 0.0
	for _, x := range m.X {
		sum += x
	}
	if math.Abs(sum-20140.60844039917) > 1e-7 {
		t.Fatalf("the rows add up to %v", sum)
	}
	const seeds = 100
	for _, ref := range []struct {
		k        int
		mean, sd float64
	}{{8, 2318.9088897933166, 130.63612022305497}, {16, 710.519773315745, 50.48174385826254},
		{30, 477.4184167848079, 9.786935914059722}} {
		mean := 0.0
		for seed := range uint64(seeds) {
			got, err := Fit(context.Background(), KMeans{K: ref.k, MaxIter: 300}, m, rand.New(rand.NewPCG(seed, 7)))
			if err != nil {
				t.Fatal(err)
			}
			mean += got.Inertia / seeds
		}
		t.Logf("k %d: mean inertia %v, scikit-learn %v", ref.k, mean, ref.mean)
		if math.Abs(mean-ref.mean) > 4*ref.sd*math.Sqrt(1./seeds+1./300) {
			t.Errorf("k %d: mean inertia %v, scikit-learn %v", ref.k, mean, ref.mean)
		}
	}
}
