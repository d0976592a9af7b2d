package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
)

// KDE is a Gaussian kernel density: with n training rows x_i of d columns and bandwidth h,
//
//	log p(x) = log Σ_i exp(−‖x−x_i‖²/2h²) − log n − d/2 · log(2πh²)
//	score(x) = −log p(x)
//
// (Parzen, On estimation of a probability density function and mode, Annals of Mathematical Statistics
// 33, 1962.) One bandwidth serves all columns: put them on one scale first. Fit keeps the rows; every
// scored row costs n distances of d multiplications and n exponentials, hence the limit on rows.
type KDE struct {
	// h: a number, or scott for n^(−1/(d+4)), or silverman for (n(d+2)/4)^(−1/(d+4)); 1 as in scikit-learn
	Bandwidth     Bandwidth `yaml:"bandwidth" jsonschema:"oneof_type=string;number"`
	models.Sample `yaml:",inline"`
}

// Bandwidth is scott, silverman or a positive number in decimal.
type Bandwidth string

const kde = "kde"

func init() {
	models.Register(models.Info{
		Name: kde,
		Doc:  "Gaussian kernel density of the training rows; the score is the negative log density.",
		Paper: "Parzen, On estimation of a probability density function and mode, Annals of Mathematical " +
			"Statistics, 1962",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Defaults: func() models.Spec {
			return &KDE{Bandwidth: "1",
				Sample: models.Sample{MaxRows: 10000, Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *KDE) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(kde, c); err != nil {
		return nil, err
	}
	if _, err := bandwidths.Number(string(c.Bandwidth)); err != nil {
		return nil, fmt.Errorf("%s: %w: bandwidth: %w", kde, models.ErrSpec, err)
	}
	spec := *c
	return models.RowMethod{
		Name: kde, Spec: c, Env: env, Min: 1, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			s = spec.Take(s, env.Logger())
			h := spec.Bandwidth.value(s.N, s.D)
			return newKDE(append([]float32(nil), s.X...), s.N, s.D, h, kernel.Middles(s.X, s.N, s.D)), nil
		},
		Load: loadKDE,
	}.Detector(), nil
}

var bandwidths = models.EnumOrNumber{
	Words: []string{"scott", "silverman"},
	Fits:  func(h float64) bool { return h >= 1e-50 && h <= 1e50 },
	Want:  "1e-50 to 1e50",
}

// UnmarshalSettings takes a word or a number.
func (b *Bandwidth) UnmarshalSettings(d settings.Node) settings.Problems {
	text, ps := bandwidths.Decode(d)
	*b = Bandwidth(text)
	return ps
}

// MarshalYAML writes a number as a number.
func (b Bandwidth) MarshalYAML() (any, error) { return bandwidths.YAML(string(b)), nil }

// value is h for n rows of d columns.
func (b Bandwidth) value(n, d int) float64 {
	exponent := -1 / float64(d+4)
	switch b {
	case "scott":
		return elementary.Pow(float64(n), exponent)
	case "silverman":
		return elementary.Pow(float64(n)*float64(d+2)/4, exponent)
	}
	v, _ := bandwidths.Number(string(b)) // checked by New
	return v
}

// kdeState is the training rows, prepared for the kernel exp(−‖x−x_i‖²/2h²).
type kdeState struct {
	d         int
	bandwidth float64
	shift     []float64
	x         []float32 // n×d
	p         *similarity.Points
}

func newKDE(x []float32, n, d int, h float64, shift []float64) *kdeState {
	f := similarity.Function{Kind: similarity.RBF, Gamma: 1 / (2 * h * h)}
	return &kdeState{d: d, bandwidth: h, shift: shift, x: x, p: similarity.New(f, x, n, d, shift, false)}
}

func (m *kdeState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	if err := m.p.LogSumsAt(ctx, s.X, workers, out); err != nil {
		return err
	}
	h := m.bandwidth
	norm := elementary.Log(float64(m.p.N)) + float64(float64(m.d)/2*elementary.Log(2*math.Pi*h*h))
	for i, v := range out {
		out[i] = norm - v
	}
	return nil
}

// kdeMeta is the JSON part of the saved state.
type kdeMeta struct {
	Rows      int     `json:"rows"`
	Bandwidth float64 `json:"bandwidth"`
}

func (m *kdeState) RowState() (any, models.Arrays) {
	return kdeMeta{m.p.N, m.bandwidth}, models.Arrays{"rows": m.x, "shift": m.shift}
}

func loadKDE(st models.State) (models.RowLearned, error) {
	var meta kdeMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	n, d := meta.Rows, st.Columns
	if n < 1 || n > math.MaxInt32 || !(meta.Bandwidth >= 1e-50 && meta.Bandwidth <= 1e50) {
		return nil, fmt.Errorf("%d rows of %d columns, bandwidth %v", n, d, meta.Bandwidth)
	}
	x, err := models.FiniteArray[float32](st.Arrays, "rows", n*d)
	if err != nil {
		return nil, err
	}
	shift, err := models.FiniteArray[float64](st.Arrays, "shift", d)
	if err != nil {
		return nil, err
	}
	return newKDE(x, n, d, meta.Bandwidth, shift), nil
}
