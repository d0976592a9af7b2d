package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// reference are 60 rows of 4 and what scikit-learn 1.2.1 and SciPy 1.10.1 make of them, in float64. The indices
// are those of the k-means grouping.
type reference struct {
	Source string
	Rows   [][]float64
	DBSCAN []struct {
		Eps    float64
		Least  int
		Labels []int32
	}
	Agglomerative map[string]struct {
		Labels  []int32
		Heights []float64
		Sizes   []int32
	}
	KMeans struct {
		InitRows []int `json:"init_rows"`
		Centers  [][]float64
		Labels   []int32
		Inertia  float64
		NIter    int `json:"n_iter"`
	}
	Silhouette       float64
	Silhouettes      []float64
	DaviesBouldin    float64 `json:"davies_bouldin"`
	CalinskiHarabasz float64 `json:"calinski_harabasz"`
}

func loadReference(t *testing.T) (*reference, Matrix[float64]) {
	t.Helper()
	raw, err := os.ReadFile("testdata/clusterings.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return &r, Matrix[float64]{len(r.Rows), len(r.Rows[0]), slices.Concat(r.Rows...)}
}

// blobs are n rows around three points, of which every fifth repeats one before it.
func blobs(n, d int, seed uint64) Matrix[float32] {
	r := rand.New(rand.NewPCG(seed, 3))
	m := Matrix[float32]{n, d, make([]float32, n*d)}
	for i := range n {
		for j := range d {
			m.X[i*d+j] = float32(4*(i%3)) + float32(r.NormFloat64())
		}
		if i%5 == 4 {
			copy(m.Row(i), m.Row(r.IntN(i)))
		}
	}
	return m
}

// narrow is m in float32.
func narrow(m Matrix[float64]) Matrix[float32] {
	out := Matrix[float32]{m.N, m.D, make([]float32, len(m.X))}
	for i, v := range m.X {
		out.X[i] = float32(v)
	}
	return out
}

func near(a, b, relative float64) bool { return math.Abs(a-b) <= relative*max(1, math.Abs(b)) }

func TestDBSCANReference(t *testing.T) {
	ref, m := loadReference(t)
	for _, c := range ref.DBSCAN {
		got, err := DBSCAN(context.Background(), narrow(m), c.Eps, c.Least, 2)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Labels, c.Labels) {
			t.Errorf("eps %v, at least %d rows: labels %v, want %v", c.Eps, c.Least, got.Labels, c.Labels)
		}
	}
}

// TestDBSCANByDefinition: clusters are the components of core rows, and a border row belongs to the first of
// the clusters that reach it, whatever the number of workers.
func TestDBSCANByDefinition(t *testing.T) {
	for seed := range uint64(6) {
		m := blobs(150, 3, seed)
		for _, eps := range []float64{0.3, 0.8, 1.2, 3} {
			for _, least := range []int{1, 2, 4, 10} {
				want, core := naiveDBSCAN(m, eps, least)
				for _, workers := range []int{1, 3} {
					got, err := DBSCAN(context.Background(), m, eps, least, workers)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(got.Labels, want) || !slices.Equal(got.Core, core) {
						t.Fatalf("seed %d, eps %v, at least %d rows, %d workers: got %v, want %v",
							seed, eps, least, workers, got.Labels, want)
					}
					if n := int(slices.Max(want)) + 1; got.Clusters != n {
						t.Errorf("%d clusters, want %d", got.Clusters, n)
					}
				}
			}
		}
	}
}

// naiveDBSCAN grows one cluster after the other from its first core row, as the paper has it.
func naiveDBSCAN(m Matrix[float32], eps float64, least int) (labels []int32, core []bool) {
	around := make([][]int, m.N)
	core, labels = make([]bool, m.N), make([]int32, m.N)
	for i := range m.N {
		labels[i] = Noise
		for j := range m.N {
			if math.Sqrt(SquaredDistance(m.Row(i), m.Row(j))) <= eps {
				around[i] = append(around[i], j)
			}
		}
		core[i] = len(around[i]) >= least
	}
	next := int32(0)
	for i := range m.N {
		if !core[i] || labels[i] != Noise {
			continue
		}
		labels[i] = next
		for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
			for _, j := range around[queue[0]] {
				if labels[j] != Noise {
					continue
				}
				if labels[j] = next; core[j] {
					queue = append(queue, j)
				}
			}
		}
		next++
	}
	return labels, core
}

var linkages = map[string]Linkage{
	"ward": WardLinkage, "average": AverageLinkage, "complete": CompleteLinkage, "single": SingleLinkage,
}

func TestAgglomerateReference(t *testing.T) {
	ref, m := loadReference(t)
	for name, by := range linkages {
		want := ref.Agglomerative[name]
		for _, storage := range []int{4, 8} {
			build, tol := agglomerate[float64, float64], 1e-12
			if storage == 4 {
				build, tol = agglomerate[float32, float64], 1e-5
			}
			tree, err := build(context.Background(), m, by, 2)
			if err != nil {
				t.Fatal(err)
			}
			for i, merge := range tree.Merges {
				if !near(merge.Height, want.Heights[i], tol) || merge.Size != want.Sizes[i] {
					t.Errorf("%s: merge %d of %d rows at %v, want %d at %v",
						name, i, merge.Size, merge.Height, want.Sizes[i], want.Heights[i])
				}
			}
			k := slices.Max(want.Labels) + 1
			got, err := tree.Cut(int(k))
			if err != nil {
				t.Fatal(err)
			}
			same := slices.Clone(want.Labels)
			renumber(same)
			if !slices.Equal(got, same) {
				t.Errorf("%s: groups %v, want %v", name, got, same)
			}
		}
	}
}

// TestAgglomerateByDefinition: each merge is of the two groups whose distance, computed from the rows, is least.
func TestAgglomerateByDefinition(t *testing.T) {
	m := blobs(60, 3, 7)
	for name, by := range linkages {
		tree, err := Agglomerate(context.Background(), m, by, 1)
		if err != nil {
			t.Fatal(err)
		}
		groups := map[int32][]int{}
		for i := range m.N {
			groups[int32(i)] = []int{i}
		}
		for i, merge := range tree.Merges {
			least := math.Inf(1)
			for a, one := range groups {
				for b, other := range groups {
					if a < b {
						least = min(least, apart(m, by, one, other))
					}
				}
			}
			own := apart(m, by, groups[merge.A], groups[merge.B])
			if !near(own, least, 1e-9) || !near(merge.Height, least, 1e-9) {
				t.Fatalf("%s: merge %d at %v joins groups %v apart, the nearest two are %v apart",
					name, i, merge.Height, own, least)
			}
			groups[int32(m.N+i)] = append(groups[merge.A], groups[merge.B]...)
			delete(groups, merge.A)
			delete(groups, merge.B)
		}
		if len(groups) != 1 {
			t.Errorf("%s: %d groups are left", name, len(groups))
		}
	}
}

// apart is the distance of two groups by the definition of the linkage.
func apart(m Matrix[float32], by Linkage, one, other []int) float64 {
	if by == WardLinkage {
		mean := func(rows []int) []float64 {
			out := make([]float64, m.D)
			for _, i := range rows {
				for j, v := range m.Row(i) {
					out[j] += float64(v) / float64(len(rows))
				}
			}
			return out
		}
		a, b := float64(len(one)), float64(len(other))
		return math.Sqrt(2 * a * b / (a + b) * SquaredDistance(mean(one), mean(other)))
	}
	sum, least, most := 0.0, math.Inf(1), 0.0
	for _, i := range one {
		for _, j := range other {
			d := math.Sqrt(SquaredDistance(m.Row(i), m.Row(j)))
			sum, least, most = sum+d, min(least, d), max(most, d)
		}
	}
	switch by {
	case AverageLinkage:
		return sum / float64(len(one)*len(other))
	case CompleteLinkage:
		return most
	}
	return least
}

func TestCut(t *testing.T) {
	tree, err := Agglomerate(context.Background(), blobs(20, 2, 1), SingleLinkage, 1)
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; k <= 25; k++ {
		labels, err := tree.Cut(k)
		if err != nil {
			t.Fatal(err)
		}
		if got := int(slices.Max(labels)) + 1; got != min(k, 20) {
			t.Errorf("%d groups for k = %d", got, k)
		}
	}
	if _, err := tree.Cut(0); err == nil {
		t.Error("a cut into no group is accepted")
	}
	one, err := Agglomerate(context.Background(), Matrix[float64]{1, 2, []float64{3, 4}}, WardLinkage, 1)
	if err != nil || len(one.Merges) != 0 {
		t.Errorf("one row: %d merges, %v", len(one.Merges), err)
	}
}

func TestJudgeReference(t *testing.T) {
	ref, m := loadReference(t)
	got, err := Judge(context.Background(), m, ref.KMeans.Labels, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]float64{
		"silhouette":        {got.Silhouette, ref.Silhouette},
		"Davies-Bouldin":    {got.DaviesBouldin, ref.DaviesBouldin},
		"Calinski-Harabasz": {got.CalinskiHarabasz, ref.CalinskiHarabasz},
	} {
		if !near(pair[0], pair[1], 1e-12) {
			t.Errorf("%s %v, want %v", name, pair[0], pair[1])
		}
	}
	if got.SilhouetteRows != 60 || got.Rows != 60 || got.Clusters != 3 {
		t.Errorf("%+v", got)
	}
	all := make([]int, m.N)
	for i := range all {
		all[i] = i
	}
	each, err := silhouettes(context.Background(), m, ref.KMeans.Labels, 3, all, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range each {
		if !near(v, ref.Silhouettes[i], 1e-12) {
			t.Errorf("row %d: silhouette %v, want %v", i, v, ref.Silhouettes[i])
		}
	}
	// Noise is left out: the indices are those of the other rows alone.
	labels := slices.Clone(ref.KMeans.Labels)
	var kept Matrix[float64]
	var of []int32
	for i := range labels {
		if i%7 == 0 {
			labels[i] = Noise
			continue
		}
		kept.X, of = append(kept.X, m.Row(i)...), append(of, labels[i])
	}
	kept.N, kept.D = len(of), m.D
	with, err := Judge(context.Background(), m, labels, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Judge(context.Background(), kept, of, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if *with != *without {
		t.Errorf("with noise %+v, without %+v", with, without)
	}
}

// TestJudgeSample: above the limit the silhouette of a sample stands for that of all.
func TestJudgeSample(t *testing.T) {
	if testing.Short() {
		t.Skip("many rows, of which other tests have fewer")
	}
	m := blobs(SilhouetteRows+2000, 2, 3)
	labels := make([]int32, m.N)
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	got, err := Judge(context.Background(), m, labels, rand.New(rand.NewPCG(1, 2)), 2)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]int, m.N)
	for i := range rows {
		rows[i] = i
	}
	each, err := silhouettes(context.Background(), m, labels, 3, rows, 2)
	if err != nil {
		t.Fatal(err)
	}
	all := 0.0
	for _, v := range each {
		all += v / float64(len(each))
	}
	if got.SilhouetteRows != SilhouetteRows || got.Rows != m.N || math.Abs(got.Silhouette-all) > 0.01 ||
		got.Silhouette == all {
		t.Errorf("%+v, over all rows %v", got, all)
	}
}

func TestRefused(t *testing.T) {
	ctx := context.Background()
	m := blobs(10, 2, 1)
	short := Matrix[float32]{10, 3, m.X}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range map[string]error{
		"one group":          second(Judge(ctx, m, make([]int32, 10), nil, 1)),
		"a group a row":      second(Judge(ctx, m, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, 1)),
		"few labels":         second(Judge(ctx, m, []int32{0, 1}, nil, 1)),
		"judge, shape":       second(Judge(ctx, short, make([]int32, 10), nil, 1)),
		"eps 0":              second(DBSCAN(ctx, m, 0, 3, 1)),
		"eps NaN":            second(DBSCAN(ctx, m, math.NaN(), 3, 1)),
		"no rows around":     second(DBSCAN(ctx, m, 1, 0, 1)),
		"dbscan, shape":      second(DBSCAN(ctx, short, 1, 1, 1)),
		"agglomerate, shape": second(Agglomerate(ctx, short, WardLinkage, 1)),
		"agglomerate, none":  second(Agglomerate(ctx, Matrix[float32]{0, 2, nil}, WardLinkage, 1)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, err := range map[string]error{
		"dbscan":      second(DBSCAN(cancelled, m, 1, 2, 1)),
		"agglomerate": second(Agglomerate(cancelled, m, WardLinkage, 1)),
		"judge":       second(Judge(cancelled, m, []int32{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, nil, 1)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
