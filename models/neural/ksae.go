package neural

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "ksae",
		Doc:      "K-means shrink auto-encoder: training rows are parted by k-means and each part gets a model of its own; a row is judged by that of its part.",
		Paper:    "T. C. Bui, V. L. Cao, M. Hoang, Q. U. Nguyen, A Clustering-based Shrink AutoEncoder for Detecting Anomalies in Intrusion Detection Systems, KSE 2019; the parting as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultKSAE() },
	})
}

func defaultKSAE() *KSAESpec {
	return &KSAESpec{Clusters: 3, Sampling: Sampling{15000, 0.9}, Parts: Parts{Base: models.ReferenceTo("sae")}}
}

// KSAESpec configures ksae. Of a sample of the training rows those whose norm is below its Trim quantile are
// clustered by k-means; every training row goes to the nearest centre, and a model of kind Base is fitted to
// each part. With s the score that the model of a row's part gives it, and q₅₀ and q₉₅ quantiles of that
// model's scores of its own training rows,
//
//	score = (s − q₅₀)/(q₉₅ − q₅₀)
//
// which brings the models to one scale; published figures instead average one AUROC a part, which is another
// quantity, and stands with the run's metrics. Parts of fewer than minPart rows join the next nearest.
type KSAESpec struct {
	Clusters int `yaml:"clusters" jsonschema:"minimum=1,maximum=100" jsonschema_description:"k: parts"`
	Sampling `yaml:",inline"`
	Parts    `yaml:",inline"`
}

// New checks the values.
func (s *KSAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	a := &parted{name: "ksae", env: env, how: s.Parts}
	a.find = func(ctx context.Context, train *data.Set) ([][]float32, []int32, error) {
		r := env.Rand("centres")
		centres, err := kmeansCentres(ctx, spec.draw(train, r), spec.Clusters, r)
		if err != nil {
			return nil, nil, err
		}
		part := make([]int32, len(centres))
		for k := range part {
			part[k] = int32(k)
		}
		return centres, part, nil
	}
	return a.build(s)
}

func squaredNorm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// kmeansCentres is Lloyd's algorithm from centres drawn as in k-means++ (Arthur and Vassilvitskii 2007). Rows
// that are all alike have fewer centres.
func kmeansCentres(ctx context.Context, x [][]float32, k int, r *rand.Rand) ([][]float32, error) {
	centres := [][]float32{slices.Clone(x[r.IntN(len(x))])}
	far := make([]float64, len(x))
	for i := range far {
		far[i] = math.Inf(1)
	}
	for len(centres) < k {
		sum := 0.0
		for i, row := range x {
			far[i] = min(far[i], distance(row, centres[len(centres)-1]))
			sum += far[i]
		}
		if !(sum > 0) {
			break
		}
		at, u := 0, r.Float64()*sum
		for ; at < len(x)-1 && u >= far[at]; at++ {
			u -= far[at]
		}
		centres = append(centres, slices.Clone(x[at]))
	}
	of := make([]int, len(x))
	const most = 300
	for range most {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		moved := false
		for i, row := range x {
			if c := Nearest(centres, row); c != of[i] {
				of[i], moved = c, true
			}
		}
		sums, n := make([][]float64, len(centres)), make([]float64, len(centres))
		for i, row := range x {
			c := of[i]
			if sums[c] == nil {
				sums[c] = make([]float64, len(row))
			}
			n[c]++
			for j, v := range row {
				sums[c][j] += float64(v)
			}
		}
		for c := range centres {
			for j := range sums[c] {
				centres[c][j] = float32(sums[c][j] / n[c])
			}
		}
		if !moved {
			break
		}
	}
	return centres, nil
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += float64(d * d)
	}
	return sum
}

// Nearest is the number of the nearest centre, the first among equals.
func Nearest(centres [][]float32, row []float32) int {
	best, least := 0, math.Inf(1)
	for c := range centres {
		if d := distance(row, centres[c]); d < least {
			best, least = c, d
		}
	}
	return best
}
