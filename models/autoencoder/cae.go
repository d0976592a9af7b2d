package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/cluster"
	"plumbline/numeric/stat"
)

func init() {
	models.Register(models.Info{
		Name: "cae",
		Doc: "Clustering auto-encoder: rows are drawn to centres in the bottleneck while it learns to rebuild " +
			"them; the score is the distance from the nearest centre.",
		Paper: "V. Q. Nguyen, V. H. Nguyen, N.-A. Le-Khac, V. L. Cao, Clustering-Based Deep Autoencoders for " +
			"Network Anomaly Detection, FDSE 2020; the loss as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultCAE() },
	})
}

func defaultCAE() *CAESpec {
	s := &CAESpec{Architecture: defaultArchitecture(nn.Linear), Clusters: 3, Force: 300, Centring: "none",
		Score: "distance", Quantile: 0.95, Training: nn.DefaultTraining(100, 100)}
	s.Bias = 0.01
	return s
}

// CAESpec configures cae. With encoder e, decoder g and centres c_1 … c_k in the bottleneck,
//
//	D(x)  = min_j ‖e(x) − c_j‖
//	loss  = mean over a batch of (1/d)·Σ_j (x_j − g(e(x))_j)² + κ·D(x)² + ω·(1/k)·Σ_j ‖m_j‖²
//	score = D(x), or D(x)/τ_j
//
// The centres begin as those of k-means on the bottleneck of the first batch's rows and take one step of
// Lloyd's algorithm over all training rows after each epoch; a centre that no row is nearest to stays. m_j is
// the mean of the bottlenecks of a batch's rows nearest to c_j; in the published loss c_j stands in its place,
// which has no gradient, since the centres are constants in an epoch, and is the same as no such term. τ_j is
// a quantile of the distances of the training rows nearest to c_j.
type CAESpec struct {
	Architecture `yaml:",inline"`
	// k: centres
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=100"`
	// κ: weight of the squared distances
	Force float64 `yaml:"force" jsonschema:"minimum=0,maximum=10000"`
	// what is drawn to the origin: nothing, or the means of each batch's clusters
	Centring string `yaml:"centring" jsonschema:"enum=none,enum=batchmean"`
	// ω: weight of that
	CentringForce float64 `yaml:"centring_force" jsonschema:"minimum=0,maximum=10000"`
	// distance from the nearest centre, or that over the quantile τ of its cluster, which makes wide and narrow
	// clusters comparable: above 1 (threshold {rule: fixed, value: 1}) is then beyond the own threshold of each cluster
	Score string `yaml:"score" jsonschema:"enum=distance,enum=relative"`
	// of the training distances of a cluster that is its τ
	Quantile    float64 `yaml:"quantile" jsonschema:"exclusiveMinimum=0,maximum=1"`
	nn.Training `yaml:",inline"`
}

// Rescaled is the same with a training that is this many times as long.
func (s *CAESpec) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// New checks the values.
func (s *CAESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("cae", s); err != nil {
		return nil, err
	}
	err := errors.Join(s.Architecture.Check(), s.Training.Check())
	if err == nil && s.Centring == "batchmean" && s.CentringForce == 0 {
		err = errors.New("centring batchmean needs a centring_force above 0")
	}
	if err != nil {
		return nil, fmt.Errorf("cae: %w: %w", models.ErrSpec, err)
	}
	m := cae{spec: *s, env: env}
	return &caeDetector{models.NewFitted(models.Method[*cae]{
		Name: "cae", Spec: s, Reads: models.ReadsRows, Min: 1, Fit: m.fit, Load: m.load,
	})}, nil
}

// caeDetector is the detector.
type caeDetector struct{ *models.Fitted[*cae] }

// cae is the settings and, in what fit and load return, what was learned.
type cae struct {
	spec    CAESpec
	env     models.Env
	net     nn.Network
	p       nn.Params
	centres [][]float32
	limits  []float64 // τ of each cluster, 0 where no row is nearest
}

func (a *cae) network(d int) nn.Network {
	n := a.spec.Network(d)
	n.Shrink = a.spec.Force * float64(n.Bottleneck()) // Shrink weighs a mean over columns, κ a sum
	return n
}

func (a cae) fit(ctx context.Context, train *data.Set) (*cae, error) {
	net := a.network(train.D)
	net.Centres = [][]float32{make([]float32, net.Bottleneck())} // until the first batch is seen
	if a.spec.Centring == "batchmean" {
		net.Centring = a.spec.CentringForce
	}
	var centres [][]float32
	fit := nn.TrainJob{Network: net, Inputs: train.X, Targets: train.X, Rows: train.N, Bias: float32(a.spec.Bias)}
	fit.OnEpoch = watched(a.env, net, func(tr nn.Trainer, order []int32) error {
		var err error
		if centres == nil {
			centres, err = a.begin(ctx, net, tr.Params(), train, order)
		} else {
			centres, err = a.step(ctx, net, tr.Params(), train, order, centres)
		}
		if err != nil {
			return err
		}
		return tr.(nn.Centred).SetCentres(centres)
	})
	fit.OnResume = func(tr nn.Trainer, _ int) error {
		centres = tr.(nn.Centred).Centres()
		return nil
	}
	p, err := fit.Train(ctx, a.env, a.spec.Training)
	if err != nil {
		return nil, err
	}
	of, far, err := a.distances(ctx, net, p, centres, train)
	if err != nil {
		return nil, err
	}
	limits := make([]float64, len(centres))
	for c := range centres {
		var own []float64
		for i, k := range of {
			if int(k) == c {
				own = append(own, far[i])
			}
		}
		if slices.Sort(own); len(own) > 0 {
			limits[c] = stat.Quantile(own, a.spec.Quantile)
		}
	}
	a.net, a.p, a.centres, a.limits = net, p, centres, limits
	return &a, nil
}

// distances is which centre each row is nearest to in the bottleneck, and how far it is from there.
func (a *cae) distances(ctx context.Context, net nn.Network, p nn.Params, centres [][]float32, s *data.Set) (of []int32,
	far []float64, err error) {
	of, far = make([]int32, s.N), make([]float64, s.N)
	scorer := net.NewScorer(p)
	err = a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, net.Latent, func(i int, z []float32) {
			c := cluster.Nearest(centres, z)
			of[i], far[i] = int32(c), math.Sqrt(cluster.SquaredDistance(z, centres[c]))
			if !(far[i] <= nn.OverflowValue) { // float32 overflowed on the way
				far[i] = nn.OverflowValue
			}
		})
	})
	return of, far, err
}

// Clusters is the number of the nearest centre of each row.
func (d *caeDetector) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	of, _, err := a.distances(ctx, a.net, a.p, a.centres, s)
	if err != nil {
		return nil, fmt.Errorf("cae: clusters: %w", err)
	}
	return of, nil
}

// Reconstruction is that of the decoder.
func (d *caeDetector) Reconstruction(ctx context.Context, s *data.Set) ([]float64, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	return a.net.ReconstructionErrors(ctx, a.env, a.p, s)
}

// begin is the centres of the first batch's rows.
func (a *cae) begin(ctx context.Context, net nn.Network, p nn.Params, train *data.Set, order []int32) ([][]float32,
	error) {
	rows := order[:min(a.spec.Batch, len(order))]
	scorer := net.NewScorer(p)
	var z [][]float32
	for _, r := range rows {
		scorer.Each(train.X, int(r), int(r)+1, net.Latent, func(_ int, out []float32) {
			z = append(z, slices.Clone(out))
		})
	}
	return centresOf(ctx, z, a.spec.Clusters, a.env.Rand("centres"))
}

// step is one step of Lloyd's algorithm over the training rows.
func (a *cae) step(ctx context.Context, net nn.Network, p nn.Params, train *data.Set, order []int32,
	centres [][]float32) ([][]float32, error) {
	trained := make([]bool, train.N)
	for _, r := range order {
		trained[r] = true
	}
	const block = 4096
	sums := make([]*cluster.Sums, (train.N+block-1)/block)
	scorer := net.NewScorer(p)
	err := a.env.Blocks(ctx, train.N, block, func(from, to int) {
		own := cluster.NewSums(len(centres), len(centres[0]))
		scorer.Clone().Each(train.X, from, to, net.Latent, func(i int, z []float32) {
			if trained[i] {
				cluster.AddRow(own, cluster.Nearest(centres, z), z)
			}
		})
		sums[from/block] = own
	})
	if err != nil {
		return nil, err
	}
	for _, own := range sums[1:] {
		sums[0].Add(own)
	}
	return sums[0].Centres(centres, nn.OverflowValue), nil
}

// Score is the distance from the nearest centre.
func (a *cae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of, far, err := a.distances(ctx, a.net, a.p, a.centres, s)
	if err != nil {
		return nil, err
	}
	if a.spec.Score == "relative" {
		for i, c := range of {
			if limit := a.limits[c]; limit > 0 {
				far[i] = min(far[i]/limit, math.MaxFloat32)
			} else if far[i] > 0 { // no training row was there
				far[i] = math.MaxFloat32
			}
		}
	}
	return far, nil
}

// State is the weights, the centres and what is far in each cluster.
func (a *cae) State() (any, models.Arrays, error) {
	arrays := a.p.Named(a.net.Arrays())
	arrays["centres"], arrays["limits"] = slices.Concat(a.centres...), a.limits
	return nil, arrays, nil
}

func (a cae) load(st models.State) (_ *cae, err error) {
	if a.net, a.p, err = load(st, a.network); err != nil {
		return nil, err
	}
	flat, err := models.FiniteArray[float32](st.Arrays, "centres", -1)
	if err != nil {
		return nil, err
	}
	b := a.net.Bottleneck()
	if len(flat) == 0 || len(flat)%b != 0 {
		return nil, fmt.Errorf("%d numbers for centres of %d", len(flat), b)
	}
	for ; len(flat) > 0; flat = flat[b:] {
		a.centres = append(a.centres, flat[:b:b])
	}
	if a.limits, err = models.FiniteArray[float64](st.Arrays, "limits", len(a.centres)); err != nil {
		return nil, err
	}
	for _, v := range a.limits {
		if v < 0 {
			return nil, fmt.Errorf("a cluster's limit is %v", v)
		}
	}
	return &a, nil
}

var (
	_ models.Detector  = (*caeDetector)(nil)
	_ models.Clusterer = (*caeDetector)(nil)

	_ models.Reconstructor = (*caeDetector)(nil)
)
