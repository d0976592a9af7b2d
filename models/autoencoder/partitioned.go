package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/kernel"
	"plumbline/numeric/stat"
)

// Sampling is which training rows the clusters are found among.
type Sampling struct {
	// training rows, drawn without replacement, that the clusters are found among; all where there are fewer
	Sample int `yaml:"sample" jsonschema:"minimum=1,maximum=10000000"`
	// share of the sample, by norm, that the clusters are found among; 1: all
	Trim float64 `yaml:"trim" jsonschema:"exclusiveMinimum=0,maximum=1"`
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
	// model of each cluster: a name, or {model, params}; any model of vectors that learns without labels
	Base models.Reference `yaml:"base"`
	// a cluster of nᵢ of N rows is trained for more epochs, min(max((N/k)/nᵢ, 1), 3) times as many, and the falls of
	// the rate are as much further apart; for auto-encoders as the base
	AdjustEpochs bool `yaml:"adjust_epochs"`
}

// minClusterRows is how many rows a cluster has at least, where there are as many.
const minClusterRows = 20

// partitioned clusters rows by the nearest of some centres, and has a model of each cluster: the settings and, in
// what fit and load return, what was learned.
type partitioned struct {
	name string
	env  models.Env
	spec PartitionSpec
	find func(ctx context.Context, train *data.Set) (*cluster.Partition, error)

	clusters *cluster.Partition
	rows     []int32           // training rows of each cluster
	models   []models.Detector // of each cluster
	shift    []float64         // q₅₀ of each cluster
	scale    []float64         // q₉₅ − q₅₀, or 1
}

// partitionedDetector is the detector.
type partitionedDetector struct{ *models.Fitted[*partitioned] }

// detector checks the settings of a model and makes a detector of them.
func (a partitioned) detector(spec models.Spec) (models.Detector, error) {
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
	if _, ok := base.(models.Rescalable); a.spec.AdjustEpochs && !ok {
		return nil, fmt.Errorf("%s: %w: adjust_epochs: the base has no epochs that could be adjusted",
			a.name, models.ErrSpec)
	}
	return &partitionedDetector{models.NewFitted(models.Method[*partitioned]{
		Name: a.name, Spec: spec, Reads: models.ReadsRows, Min: 1, Fit: a.fit, Load: a.load,
	})}, nil
}

// epochFactor is how many times as long a cluster of n of all rows is trained, of k clusters.
func epochFactor(n, rows, k int) float64 {
	return min(max(float64(rows)/float64(k)/float64(n), 1), 3)
}

// base is the model of cluster k, by the training rows of each, and its environment.
func (a *partitioned) base(k int) (models.Reference, models.Env, error) {
	env := a.env
	env.Seed = a.env.Rand(fmt.Sprint("part ", k)).Uint64()
	if !a.spec.AdjustEpochs {
		return a.spec.Base, env, nil
	}
	spec, err := a.spec.Base.Spec()
	if err != nil {
		return a.spec.Base, env, err
	}
	all := 0
	for _, n := range a.rows {
		all += int(n)
	}
	return a.spec.Base.With(spec.(models.Rescalable).Rescaled(epochFactor(int(a.rows[k]), all, len(a.rows)))), env, nil
}

func (a partitioned) fit(ctx context.Context, train *data.Set) (*partitioned, error) {
	clusters, err := a.find(ctx, train)
	if err != nil {
		return nil, err
	}
	of, err := a.use(ctx, clusters, train)
	for err == nil && len(a.rows) > 1 && slices.Min(a.rows) < minClusterRows {
		if clusters, err = clusters.Without(int32(slices.Index(a.rows, slices.Min(a.rows)))); err == nil {
			of, err = a.use(ctx, clusters, train)
		}
	}
	if err != nil {
		return nil, err
	}
	for k, rows := range cluster.Members(of, clusters.Groups) {
		if err := a.fitCluster(ctx, k, train.Subset(rows).Unlabelled()); err != nil {
			return nil, fmt.Errorf("cluster %d of %d rows: %w", k+1, a.rows[k], err)
		}
		a.env.Progress(models.Epoch{N: k + 1, Of: len(a.rows), Loss: math.NaN(), ValidLoss: math.NaN(),
			Rate: math.NaN(), Samples: int(a.rows[k])})
	}
	return &a, nil
}

// fitCluster adds the model of cluster k, which has these rows.
func (a *partitioned) fitCluster(ctx context.Context, k int, own *data.Set) error {
	base, env, err := a.base(k)
	if err != nil {
		return err
	}
	det, err := base.Fit(ctx, env, own)
	if err != nil {
		return err
	}
	scores, err := det.Score(ctx, own)
	if err != nil {
		return err
	}
	slices.Sort(scores)
	q50, q95 := stat.Quantile(scores, 0.5), stat.Quantile(scores, 0.95)
	spread := q95 - q50
	if !(spread > 0) {
		spread = 1
	}
	a.models, a.shift, a.scale = append(a.models, det), append(a.shift, q50), append(a.scale, spread)
	return nil
}

// use takes these clusters, finds that of each training row, and counts how many rows each has.
func (a *partitioned) use(ctx context.Context, clusters *cluster.Partition, s *data.Set) ([]int32, error) {
	a.clusters, a.rows = clusters, make([]int32, clusters.Groups)
	of, err := a.assign(ctx, s)
	for _, k := range of {
		a.rows[k]++
	}
	return of, err
}

// assign is the cluster of each row.
func (a *partitioned) assign(ctx context.Context, s *data.Set) ([]int32, error) {
	of := make([]int32, s.N)
	if err := a.clusters.Assign(ctx, models.RowMatrix(s), a.env.Parallel(), of); err != nil {
		return nil, err
	}
	return of, nil
}

// Clusters is the cluster of each row.
func (d *partitionedDetector) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	of, err := a.assign(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s: clusters: %w", a.name, err)
	}
	return of, nil
}

// Reconstruction is what the model of a row's cluster makes of it; nil where the base rebuilds nothing.
func (d *partitionedDetector) Reconstruction(ctx context.Context, s *data.Set) ([]float64, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	of, err := a.assign(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for k, rows := range cluster.Members(of, a.clusters.Groups) {
		base, ok := a.models[k].(models.Reconstructor)
		if !ok {
			return nil, nil
		}
		own, err := base.Reconstruction(ctx, s.Subset(rows).Unlabelled())
		if err != nil || own == nil && len(rows) > 0 {
			return nil, err
		}
		for i, row := range rows {
			out[row] = own[i]
		}
	}
	return out, nil
}

// Score is what the model of a row's cluster says, on the scale that the clusters share.
func (a *partitioned) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of, err := a.assign(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for k, rows := range cluster.Members(of, a.clusters.Groups) {
		if len(rows) == 0 {
			continue
		}
		scores, err := a.models[k].Score(ctx, s.Subset(rows).Unlabelled())
		if err != nil {
			return nil, fmt.Errorf("cluster %d: %w", k+1, err)
		}
		for i, row := range rows {
			v := (scores[i] - a.shift[k]) / a.scale[k]
			out[row] = max(-math.MaxFloat64, min(v, math.MaxFloat64))
		}
	}
	return out, nil
}

// State is the centres, what they belong to, and the clusters' models.
func (a *partitioned) State() (any, models.Arrays, error) {
	arrays := models.Arrays{
		"centres": a.clusters.Single(), "of": a.clusters.Of, "rows": a.rows, "shift": a.shift, "scale": a.scale,
	}
	for k, det := range a.models {
		if err := a.spec.Base.Save(arrays, fmt.Sprint("part", k), det); err != nil {
			return nil, nil, fmt.Errorf("cluster %d: %w", k+1, err)
		}
	}
	return nil, arrays, nil
}

func (a partitioned) load(st models.State) (*partitioned, error) {
	var err [5]error
	a.shift, err[0] = models.FiniteArray[float64](st.Arrays, "shift", -1)
	n, d := len(a.shift), st.Columns
	a.scale, err[1] = models.FiniteArray[float64](st.Arrays, "scale", n)
	a.rows, err[2] = models.Array[int32](st.Arrays, "rows", n)
	of, wrong := models.Array[int32](st.Arrays, "of", -1)
	err[3] = wrong
	flat, wrong := models.FiniteArray[float32](st.Arrays, "centres", len(of)*d)
	err[4] = wrong
	if err := errors.Join(err[:]...); err != nil {
		return nil, err
	}
	if n < 1 || n > 100 || len(of) < n || len(of) > maxSubclusters {
		return nil, fmt.Errorf("%d clusters around %d centres", n, len(of))
	}
	clusters, wrong := cluster.NewPartition(slices.Collect(slices.Chunk(flat, d)), of)
	if wrong != nil {
		return nil, wrong
	}
	if clusters.Groups != n {
		return nil, fmt.Errorf("centres of %d clusters for %d", clusters.Groups, n)
	}
	a.clusters = clusters
	for k := range n {
		if a.scale[k] <= 0 || a.rows[k] < 1 {
			return nil, fmt.Errorf("cluster %d of %d rows is scaled by %v", k+1, a.rows[k], a.scale[k])
		}
	}
	for k := range n {
		base, env, err := a.base(k)
		if err != nil {
			return nil, err
		}
		det, err := base.Load(st.Arrays, fmt.Sprint("part", k), env, d)
		if err != nil {
			return nil, fmt.Errorf("cluster %d: %w", k+1, err)
		}
		a.models = append(a.models, det)
	}
	return &a, nil
}

var (
	_ models.Detector  = (*partitionedDetector)(nil)
	_ models.Clusterer = (*partitionedDetector)(nil)

	_ models.Reconstructor = (*partitionedDetector)(nil)
)
