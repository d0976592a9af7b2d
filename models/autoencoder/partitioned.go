package autoencoder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/cluster"
	"plumbline/numeric/kernel"
	"plumbline/numeric/stat"
)

// Sampling is which training rows the clusters are found among.
type Sampling struct {
	Sample int     `yaml:"sample" jsonschema:"minimum=1,maximum=10000000" jsonschema_description:"training rows, drawn without replacement, that the clusters are found among; all where there are fewer"`
	Trim   float64 `yaml:"trim" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share of the sample, by norm, that the clusters are found among; 1: all"`
}

// sample is the trimmed sample.
func (s Sampling) sample(train *data.Set, r *rand.Rand) [][]float32 {
	rows := r.Perm(train.N)[:min(s.Sample, train.N)]
	slices.Sort(rows)
	norms := make([]float64, len(rows))
	for i, row := range rows {
		norms[i] = kernel.SquaredLength(train.Row(row))
	}
	ascending := slices.Clone(norms)
	slices.Sort(ascending)
	limit := stat.Quantile(ascending, s.Trim)
	var x [][]float32
	for i, row := range rows {
		if norms[i] <= limit {
			x = append(x, train.Row(row))
		}
	}
	return x
}

// PartitionSpec is the models of the clusters.
type PartitionSpec struct {
	Base         models.Reference `yaml:"base" jsonschema_description:"model of each cluster: a name, or {model, params}; any model of vectors that learns without labels"`
	AdjustEpochs bool             `yaml:"adjust_epochs" jsonschema_description:"a cluster of nᵢ of N rows is trained for more epochs, min(max((N/k)/nᵢ, 1), 3) times as many, and the falls of the rate are as much further apart; for auto-encoders as the base"`
}

// minClusterRows is how many rows a cluster has at least, where there are as many.
const minClusterRows = 20

// partitioned is a detector that clusters rows by the nearest of some centres, and has a model of each cluster.
type partitioned struct {
	name string
	env  models.Env
	spec PartitionSpec
	find func(ctx context.Context, train *data.Set) (centres [][]float32, clusterOf []int32, err error)

	d         int
	centres   [][]float32
	clusterOf []int32 // of each centre
	models    []models.Detector
	shift     []float64 // q₅₀ of each cluster
	scale     []float64 // q₉₅ − q₅₀, or 1
}

// stretchable settings can be had for a longer training.
type stretchable interface {
	stretched(factor float64) models.Spec
}

// build checks the settings of a model and makes a detector of them.
func (a *partitioned) build(spec models.Spec) (models.Detector, error) {
	if err := models.CheckSpec(a.name, spec); err != nil {
		return nil, err
	}
	base, err := a.spec.Base.Spec()
	if err == nil {
		_, err = base.New(a.env)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: base: %w", a.name, models.ErrSpec, err)
	}
	if _, ok := base.(stretchable); a.spec.AdjustEpochs && !ok {
		return nil, fmt.Errorf("%s: %w: adjust_epochs: the base has no epochs that could be adjusted", a.name, models.ErrSpec)
	}
	return a, nil
}

// epochFactor is how many times as long a cluster of n of all rows is trained, of k clusters.
func epochFactor(n, rows, k int) float64 {
	return min(max(float64(rows)/float64(k)/float64(n), 1), 3)
}

// base is an unfitted model of cluster k of n rows.
func (a *partitioned) base(k, n, rows, of int) (models.Detector, error) {
	spec, err := a.spec.Base.Spec()
	if err != nil {
		return nil, err
	}
	if a.spec.AdjustEpochs && n > 0 {
		spec = spec.(stretchable).stretched(epochFactor(n, rows, of))
	}
	env := a.env
	env.Observe = nil // its progress is not that of the whole
	env.Seed = a.env.Rand(fmt.Sprint("part ", k)).Uint64()
	return spec.New(env)
}

func (a *partitioned) Fit(ctx context.Context, train *data.Set) error {
	a.models = nil
	if err := models.CheckVectors(a.name, train, 0, 1); err != nil {
		return err
	}
	centres, clusterOf, err := a.find(ctx, train)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	of, sizes, err := a.sizes(ctx, centres, clusterOf, train)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	for len(sizes) > 1 && slices.Min(sizes) < minClusterRows {
		small := int32(slices.Index(sizes, slices.Min(sizes)))
		centres, clusterOf = without(centres, clusterOf, small)
		if of, sizes, err = a.sizes(ctx, centres, clusterOf, train); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	var dets []models.Detector
	var shift, scale []float64
	for k := range sizes {
		rows := membersOf(of, k)
		det, err := a.base(k, len(rows), train.N, len(sizes))
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		own := train.Subset(rows).Unlabelled()
		if err := det.Fit(ctx, own); err != nil {
			return fmt.Errorf("%s: cluster %d of %d rows: %w", a.name, k+1, len(rows), err)
		}
		scores, err := det.Score(ctx, own)
		if err != nil {
			return fmt.Errorf("%s: cluster %d: %w", a.name, k+1, err)
		}
		slices.Sort(scores)
		q50, q95 := stat.Quantile(scores, 0.5), stat.Quantile(scores, 0.95)
		spread := q95 - q50
		if !(spread > 0) {
			spread = 1
		}
		dets, shift, scale = append(dets, det), append(shift, q50), append(scale, spread)
		a.env.Progress(models.Epoch{N: k + 1, Of: len(sizes), Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(), Samples: len(rows)})
	}
	a.d, a.centres, a.clusterOf, a.models, a.shift, a.scale = train.D, centres, clusterOf, dets, shift, scale
	return nil
}

// sizes is the cluster of each row, and how many rows each cluster has.
func (a *partitioned) sizes(ctx context.Context, centres [][]float32, clusterOf []int32, s *data.Set) (of []int32, sizes []int, err error) {
	of, err = a.assign(ctx, centres, clusterOf, s)
	sizes = make([]int, slices.Max(clusterOf)+1)
	for _, k := range of {
		sizes[k]++
	}
	return of, sizes, err
}

// without is the centres that are not of one cluster, the others' numbers moving up.
func without(centres [][]float32, clusterOf []int32, gone int32) (c [][]float32, p []int32) {
	for i, k := range clusterOf {
		switch {
		case k < gone:
			c, p = append(c, centres[i]), append(p, k)
		case k > gone:
			c, p = append(c, centres[i]), append(p, k-1)
		}
	}
	return c, p
}

func membersOf(of []int32, k int) (rows []int) {
	for i, c := range of {
		if int(c) == k {
			rows = append(rows, i)
		}
	}
	return rows
}

// assign is the cluster of the nearest centre of each row.
func (a *partitioned) assign(ctx context.Context, centres [][]float32, clusterOf []int32, s *data.Set) ([]int32, error) {
	of := make([]int32, s.N)
	rows := cluster.Matrix[float32]{N: s.N, D: s.D, X: s.X}
	if err := cluster.Assign(ctx, cluster.NewCentres(cluster.Rows(centres), nil), rows, a.env.Parallel(), of); err != nil {
		return nil, err
	}
	for i, c := range of {
		of[i] = clusterOf[c]
	}
	return of, nil
}

func (a *partitioned) check(s *data.Set) error {
	if a.models == nil {
		return fmt.Errorf("%s: %w", a.name, models.ErrNotFitted)
	}
	return models.CheckVectors(a.name, s, a.d, 0)
}

// Clusters is the cluster of each row.
func (a *partitioned) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	if err := a.check(s); err != nil {
		return nil, err
	}
	of, err := a.assign(ctx, a.centres, a.clusterOf, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	return of, nil
}

func (a *partitioned) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of, err := a.Clusters(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for k, det := range a.models {
		rows := membersOf(of, k)
		if len(rows) == 0 {
			continue
		}
		scores, err := det.Score(ctx, s.Subset(rows).Unlabelled())
		if err != nil {
			return nil, fmt.Errorf("%s: cluster %d: %w", a.name, k+1, err)
		}
		for i, row := range rows {
			v := (scores[i] - a.shift[k]) / a.scale[k]
			out[row] = max(-math.MaxFloat64, min(v, math.MaxFloat64))
		}
	}
	return out, nil
}

func (a *partitioned) Save(w io.Writer) error {
	if a.models == nil {
		return fmt.Errorf("%s: save: %w", a.name, models.ErrNotFitted)
	}
	arrays := models.Arrays{"centres": slices.Concat(a.centres...), "of": a.clusterOf, "shift": a.shift, "scale": a.scale}
	for k, det := range a.models {
		var b bytes.Buffer
		if err := det.Save(&b); err != nil {
			return fmt.Errorf("%s: save: cluster %d: %w", a.name, k+1, err)
		}
		arrays[fmt.Sprint("part", k)] = b.Bytes()
	}
	return models.WriteState(w, a.name, nn.StateMeta{Width: a.d}, arrays)
}

func (a *partitioned) Load(r io.Reader) error {
	var meta nn.StateMeta
	arrays, err := models.ReadState(r, a.name, &meta)
	if err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: load: %w: %s", a.name, models.ErrState, fmt.Sprintf(format, args...))
	}
	missing := func(err error) error { return fmt.Errorf("%s: load: %w", a.name, err) }
	shift, err := models.Array[float64](arrays, "shift", -1)
	if err != nil {
		return missing(err)
	}
	n := len(shift)
	scale, err := models.Array[float64](arrays, "scale", n)
	if err != nil {
		return missing(err)
	}
	clusterOf, err := models.Array[int32](arrays, "of", -1)
	if err != nil {
		return missing(err)
	}
	if meta.Width < 1 || meta.Width > 1<<20 || n < 1 || n > 100 || len(clusterOf) < n || len(clusterOf) > maxSubclusters {
		return bad("%d clusters of %d columns around %d centres", n, meta.Width, len(clusterOf))
	}
	flat, err := models.Array[float32](arrays, "centres", len(clusterOf)*meta.Width)
	if err != nil {
		return missing(err)
	}
	for _, v := range flat {
		if v-v != 0 {
			return bad("a centre is at %v", v)
		}
	}
	var centres [][]float32
	for i, k := range clusterOf {
		if k < 0 || int(k) >= n {
			return bad("centre %d is of cluster %d of %d", i, k, n)
		}
		centres = append(centres, flat[i*meta.Width:(i+1)*meta.Width])
	}
	one := &data.Set{Kind: data.Vectors, N: 1, D: meta.Width, X: make([]float32, meta.Width)}
	var dets []models.Detector
	for k := range n {
		if shift[k]-shift[k] != 0 || !(scale[k] > 0 && scale[k] <= math.MaxFloat64) {
			return bad("cluster %d is scaled by %v and %v", k+1, shift[k], scale[k])
		}
		raw, err := models.Array[uint8](arrays, fmt.Sprint("part", k), -1)
		if err != nil {
			return missing(err)
		}
		det, err := a.base(k, 0, 0, n)
		if err == nil {
			err = det.Load(bytes.NewReader(raw))
		}
		if err != nil {
			return fmt.Errorf("%s: load: cluster %d: %w", a.name, k+1, err)
		}
		if _, err := det.Score(context.Background(), one); err != nil {
			return bad("cluster %d: %v", k+1, err)
		}
		dets = append(dets, det)
	}
	a.d, a.centres, a.clusterOf, a.models, a.shift, a.scale = meta.Width, centres, clusterOf, dets, shift, scale
	return nil
}

var (
	_ models.Detector  = (*partitioned)(nil)
	_ models.Clusterer = (*partitioned)(nil)
)
