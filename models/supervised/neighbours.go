package supervised

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/neighbour"
)

// Neighbours is the classes of the k nearest training rows, by Euclidean distance:
//
//	p(c | x) ∝ Σ_{i among the k nearest, y_i = c} w_i v_i,  v_i = 1 (vote: uniform) or 1/‖x−x_i‖ (distance)
//	score(x) = 1 − p(benign | x)
//
// where w_i is the weight of the row's class. By distance, rows that are equal to x vote alone, if there are any. Equal
// distances go to the row that stands first. (T. Cover and P. Hart, Nearest Neighbor Pattern Classification, IEEE
// Transactions on Information Theory 1967; S. Dudani, The Distance-Weighted k-Nearest-Neighbor Rule, IEEE SMC 1976.)
//
// Fit keeps the rows; each scored row costs n distances of d multiplications. Columns should be scaled.
type Neighbours struct {
	Common `yaml:",inline"`
	// neighbours; 5 as in scikit-learn; fewer where there are fewer training rows
	K int `yaml:"k" jsonschema:"minimum=1,maximum=100000"`
	// weight of a neighbour's vote: uniform or the inverse of its distance
	Vote string `yaml:"vote" jsonschema:"enum=uniform,enum=distance"`
}

func init() {
	models.Register(models.Info{
		Name: "knn_classifier",
		Doc:  "Classes of the k nearest training rows; the score is the share of attacks among them.",
		Paper: "T. Cover and P. Hart, Nearest Neighbor Pattern Classification, IEEE Transactions on Information Theory 13, " +
			"1967",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &Neighbours{defaultCommon(), 5, "uniform"} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *Neighbours) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("knn_classifier", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "knn_classifier", spec: s, common: s.Common,
		learn: func(_ context.Context, _ models.Env, p *problem) (classifier, error) {
			return newVoters(p.k, min(spec.K, p.n), spec.Vote == "distance", slices.Clone(p.x), p.d, slices.Clone(p.y),
				slices.Clone(p.w)), nil
		},
		load: func(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
			return loadVoters(spec.Vote == "distance", meta, arrays, d, k)
		},
	}, env)}, nil
}

// voters is training rows that vote.
type voters struct {
	classes, k int
	inverse    bool // votes are weighted by the inverse distance
	ref        *neighbour.Reference
	y          []int32
	w          []float64
}

func newVoters(classes, k int, inverse bool, x []float32, d int, y []int32, w []float64) *voters {
	return &voters{classes, k, inverse, neighbour.New(x, len(y), d), y, w}
}

func (m *voters) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	clear(out[:n*m.classes])
	return m.ref.Nearest(ctx, x, m.k, env.Parallel(), -1, func(i int, near []neighbour.Neighbour) {
		p := out[i*m.classes : (i+1)*m.classes]
		equal := m.inverse && near[0].Distance == 0
		sum := 0.0
		for _, o := range near {
			v := m.w[o.Row]
			switch {
			case equal && o.Distance > 0:
				v = 0
			case m.inverse && !equal:
				v *= near[0].Distance / o.Distance // in units of the nearest, so that nothing overflows
			}
			p[m.y[o.Row]] += v
			sum += v
		}
		for c := range p {
			p[c] /= sum
		}
	})
}

// contributions are what each column adds to how much farther the nearest benign row is than the nearest attack, by
// squared distance: (x_j − b_j)² − (x_j − a_j)² for the nearest benign row b and attack a.
func (m *voters) contributions(row []float32, out []float64) {
	nearest, square := [2]int{-1, -1}, [2]float64{math.Inf(1), math.Inf(1)}
	for i, c := range m.y {
		side := min(int(c), 1)
		if d := neighbour.Distance(row, m.ref.Row(i)); d < square[side] {
			nearest[side], square[side] = i, d
		}
	}
	benign, attack := m.ref.Row(nearest[0]), m.ref.Row(nearest[1])
	for j, v := range row {
		b, a := float64(v)-float64(benign[j]), float64(v)-float64(attack[j])
		out[j] = float64(b*b) - float64(a*a)
	}
}

// votersMeta is the JSON of saved voters.
type votersMeta struct {
	K int `json:"k"`
}

func (m *voters) state() (any, models.Arrays) {
	return votersMeta{m.k}, models.Arrays{"rows": m.ref.X, "classes": m.y, "weights": m.w}
}

func loadVoters(inverse bool, raw json.RawMessage, arrays models.Arrays, d, classes int) (classifier, error) {
	var meta votersMeta
	if err := strict(raw, &meta); err != nil {
		return nil, err
	}
	y, err := models.Array[int32](arrays, "classes", -1)
	if err != nil {
		return nil, err
	}
	n := len(y)
	if meta.K < 1 || meta.K > n || n > math.MaxInt32/d {
		return nil, fmt.Errorf("%d neighbours of %d rows of %d columns", meta.K, n, d)
	}
	w, err := models.FiniteArray[float64](arrays, "weights", n)
	if err != nil {
		return nil, err
	}
	x, err := models.FiniteArray[float32](arrays, "rows", n*d)
	if err != nil {
		return nil, err
	}
	var seen [2]bool
	for i, c := range y {
		if c < 0 || int(c) >= classes || !(w[i] > 0) {
			return nil, fmt.Errorf("row %d of class %d has the weight %v", i, c, w[i])
		}
		seen[min(c, 1)] = true
	}
	if !seen[0] || !seen[1] {
		return nil, fmt.Errorf("rows of one kind: %w", errState)
	}
	return newVoters(classes, meta.K, inverse, x, d, y, w), nil
}
