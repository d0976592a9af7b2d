package neighbours

import (
	"context"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
	"plumbline/numeric/neighbour"
)

// ABOD is angle-based outlier detection: a row outside a cluster sees it under angles that vary little. With a and b
// the differences to two of the k nearest training rows,
//
//	score(x) = −Var_{a,b} ⟨a, b⟩ / (‖a‖² ‖b‖²)
//
// over all pairs, the population variance (Kriegel, Schubert and Zimek, Angle-based outlier detection in
// high-dimensional data, KDD 2008, section 4.3, FastABOD, without the weights 1/(‖a‖‖b‖) of its definition 1, as in
// PyOD). Training rows that repeat are kept once, so that copies do not fill the list of neighbours, and a copy of x
// among them is skipped, since nothing is seen under an angle from where it stands. With fewer than three rows left,
// there is no variance and the score is 0, the highest.
//
// Brute force: n distances for each scored row, and dk²/2 multiplications for the pairs.
type ABOD struct {
	// neighbours; 10 as in ADBench; fewer where there are fewer training rows
	K             int `yaml:"k" jsonschema:"minimum=3,maximum=10000"`
	models.Sample `yaml:",inline"`
}

const abod = "abod"

func init() {
	models.Register(models.Info{
		Name:     abod,
		Doc:      "Angle-based outlier detection: how little the angles vary under which a row sees its neighbours.",
		Paper:    "Kriegel, Schubert and Zimek, Angle-based outlier detection in high-dimensional data, KDD 2008",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &ABOD{K: 10, Sample: models.Sample{Sample: "random"}} },
	})
}

// New builds an unfitted detector.
func (c *ABOD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(abod, c); err != nil {
		return nil, err
	}
	spec := *c
	return detector(abod, c, env, 1,
		func(_ context.Context, s *data.Set) (judge, error) {
			s = once(spec.Take(s, env.Logger()))
			return &abodState{fewer(abod, spec.K, s.N, env), neighbour.New(s.X, s.N, s.D)}, nil
		}, loadABOD), nil
}

// once is a copy of the set in which every row stands once, in the order of their first places.
func once(s *data.Set) *data.Set {
	u, of := models.Distinct(s)
	if of != nil {
		return u
	}
	// Distinct leaves few repetitions alone.
	seen := make(map[string]bool, s.N)
	var first []int
	for i := range s.N {
		key := models.RowKey(s.Row(i))
		if !seen[key] {
			seen[key] = true
			first = append(first, i)
		}
	}
	return s.Subset(first)
}

type abodState struct {
	k   int
	ref *neighbour.Reference
}

func (m *abodState) reference() (*neighbour.Reference, int) { return m.ref, m.k }

func (m *abodState) worker() func([]float32, []neighbour.Neighbour, int) float64 {
	d := m.ref.D
	to := make([]float64, m.k*d) // differences to the neighbours, over their squared lengths
	return func(row []float32, near []neighbour.Neighbour, _ int) float64 {
		n := 0
		for _, o := range near {
			other, v := m.ref.Row(int(o.Row)), to[n*d:(n+1)*d]
			for j, x := range row {
				v[j] = float64(other[j]) - float64(x)
			}
			square := kernel.SquaredLength(v)
			if square == 0 {
				continue
			}
			for j := range v {
				v[j] /= square
			}
			n++
		}
		// Welford's update: the mean of squares less the square of the mean would cancel.
		count, mean, squares := 0.0, 0.0, 0.0
		for a := range n {
			for b := range a {
				v, other := 0.0, to[b*d:(b+1)*d]
				for j, x := range to[a*d : (a+1)*d] {
					v += float64(x * other[j])
				}
				count++
				delta := v - mean
				mean += delta / count
				squares += float64(delta * (v - mean))
			}
		}
		if count < 2 {
			return 0
		}
		return -squares / count
	}
}

func (m *abodState) state() (any, models.Arrays) {
	return rowsMeta{m.ref.N, m.k}, models.Arrays{"rows": m.ref.X}
}

func loadABOD(st models.State) (judge, error) {
	ref, k, err := loadRows(st, 1, func(n int) int { return n })
	if err != nil {
		return nil, err
	}
	return &abodState{k, ref}, nil
}
