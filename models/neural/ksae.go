package neural

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
	return &KSAESpec{Clusters: 3, Sample: 15000, Trim: 0.9, Base: models.ReferenceTo("sae")}
}

// KSAESpec configures ksae. Of a sample of the training rows those whose norm is below its Trim quantile are
// clustered by k-means; every training row goes to the nearest centre, and a model of kind Base is fitted to
// each part. With s the score that the model of a row's part gives it, and q₅₀ and q₉₅ quantiles of that
// model's scores of its own training rows,
//
//	score = (s − q₅₀)/(q₉₅ − q₅₀)
//
// which brings the models to one scale; published figures instead average one AUROC a part, which is another
// quantity. Parts of fewer than minPart rows join the next nearest.
type KSAESpec struct {
	Clusters int              `yaml:"clusters" jsonschema:"minimum=1,maximum=100" jsonschema_description:"k: parts"`
	Sample   int              `yaml:"sample" jsonschema:"minimum=1,maximum=10000000" jsonschema_description:"training rows, drawn without replacement, that the centres are found among; all where there are fewer"`
	Trim     float64          `yaml:"trim" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share of the sample, by norm, that the centres are found among; 1: all"`
	Base     models.Reference `yaml:"base" jsonschema_description:"model of each part: a name, or {model, params}; any model of vectors that learns without labels"`
}

// minPart is how many rows a part has at the least, where there are as many.
const minPart = 20

// New checks the values.
func (s *KSAESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("ksae", s); err != nil {
		return nil, err
	}
	if _, err := s.Base.Build(env); err != nil {
		return nil, fmt.Errorf("ksae: %w: base: %w", models.ErrSpec, err)
	}
	return &ksae{spec: *s, env: env}, nil
}

type ksae struct {
	spec    KSAESpec
	env     models.Env
	d       int
	centres [][]float32
	parts   []models.Detector
	shift   []float64 // q₅₀ of each part
	scale   []float64 // q₉₅ − q₅₀, or 1
}

func (a *ksae) Fit(ctx context.Context, train *data.Set) error {
	a.parts = nil
	if err := models.CheckVectors("ksae", train, 0, 1); err != nil {
		return err
	}
	centres, err := a.findCentres(ctx, train)
	if err != nil {
		return fmt.Errorf("ksae: %w", err)
	}
	of, err := a.assign(ctx, centres, train)
	if err != nil {
		return fmt.Errorf("ksae: %w", err)
	}
	for len(centres) > 1 {
		sizes := make([]int, len(centres))
		for _, k := range of {
			sizes[k]++
		}
		small := slices.Index(sizes, slices.Min(sizes))
		if sizes[small] >= minPart {
			break
		}
		centres = slices.Delete(centres, small, small+1)
		if of, err = a.assign(ctx, centres, train); err != nil {
			return fmt.Errorf("ksae: %w", err)
		}
	}
	var parts []models.Detector
	var shift, scale []float64
	for k := range centres {
		var rows []int
		for i, c := range of {
			if int(c) == k {
				rows = append(rows, i)
			}
		}
		env := a.env
		env.Seed = a.env.Rand(fmt.Sprint("part ", k)).Uint64()
		det, err := a.spec.Base.Build(env)
		if err != nil {
			return fmt.Errorf("ksae: %w", err)
		}
		own := train.Subset(rows).Unlabelled()
		if err := det.Fit(ctx, own); err != nil {
			return fmt.Errorf("ksae: part %d of %d rows: %w", k+1, len(rows), err)
		}
		scores, err := det.Score(ctx, own)
		if err != nil {
			return fmt.Errorf("ksae: part %d: %w", k+1, err)
		}
		slices.Sort(scores)
		q50, q95 := quantile(scores, 0.5), quantile(scores, 0.95)
		spread := q95 - q50
		if !(spread > 0) {
			spread = 1
		}
		parts, shift, scale = append(parts, det), append(shift, q50), append(scale, spread)
		a.env.Progress(models.Epoch{N: k + 1, Of: len(centres), Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(), Samples: len(rows)})
	}
	a.d, a.centres, a.parts, a.shift, a.scale = train.D, centres, parts, shift, scale
	return nil
}

// quantile interpolates between ascending values (type 7 of Hyndman and Fan 1996).
func quantile(v []float64, p float64) float64 {
	at := p * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// findCentres is k-means on the trimmed sample: distinct centres, at most as many as asked for.
func (a *ksae) findCentres(ctx context.Context, train *data.Set) ([][]float32, error) {
	r := a.env.Rand("centres")
	rows := r.Perm(train.N)[:min(a.spec.Sample, train.N)]
	slices.Sort(rows)
	norms := make([]float64, len(rows))
	for i, row := range rows {
		norms[i] = squaredNorm(train.Row(row))
	}
	ascending := slices.Clone(norms)
	slices.Sort(ascending)
	limit := quantile(ascending, a.spec.Trim)
	var x [][]float32
	for i, row := range rows {
		if norms[i] <= limit {
			x = append(x, train.Row(row))
		}
	}
	return kmeansCentres(ctx, x, a.spec.Clusters, r)
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
			if c := nearest(centres, row); c != of[i] {
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

// nearest is the nearest centre, the first among equals.
func nearest(centres [][]float32, row []float32) int {
	best, least := 0, math.Inf(1)
	for c := range centres {
		if d := distance(row, centres[c]); d < least {
			best, least = c, d
		}
	}
	return best
}

// assign is the nearest centre of each row.
func (a *ksae) assign(ctx context.Context, centres [][]float32, s *data.Set) ([]int32, error) {
	of := make([]int32, s.N)
	err := a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		for i := from; i < to; i++ {
			of[i] = int32(nearest(centres, s.Row(i)))
		}
	})
	return of, err
}

func (a *ksae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if a.parts == nil {
		return nil, fmt.Errorf("ksae: %w", models.ErrNotFitted)
	}
	if err := models.CheckVectors("ksae", s, a.d, 0); err != nil {
		return nil, err
	}
	of, err := a.assign(ctx, a.centres, s)
	if err != nil {
		return nil, fmt.Errorf("ksae: %w", err)
	}
	out := make([]float64, s.N)
	for k, det := range a.parts {
		var rows []int
		for i, c := range of {
			if int(c) == k {
				rows = append(rows, i)
			}
		}
		if len(rows) == 0 {
			continue
		}
		scores, err := det.Score(ctx, s.Subset(rows).Unlabelled())
		if err != nil {
			return nil, fmt.Errorf("ksae: part %d: %w", k+1, err)
		}
		for i, row := range rows {
			v := (scores[i] - a.shift[k]) / a.scale[k]
			out[row] = max(-math.MaxFloat64, min(v, math.MaxFloat64))
		}
	}
	return out, nil
}

func (a *ksae) Save(w io.Writer) error {
	if a.parts == nil {
		return fmt.Errorf("ksae: save: %w", models.ErrNotFitted)
	}
	arrays := models.Arrays{"centres": slices.Concat(a.centres...), "shift": a.shift, "scale": a.scale}
	for k, det := range a.parts {
		var b bytes.Buffer
		if err := det.Save(&b); err != nil {
			return fmt.Errorf("ksae: save: part %d: %w", k+1, err)
		}
		arrays[fmt.Sprint("part", k)] = b.Bytes()
	}
	return models.WriteState(w, "ksae", widthMeta{a.d}, arrays)
}

func (a *ksae) Load(r io.Reader) error {
	var meta widthMeta
	arrays, err := models.ReadState(r, "ksae", &meta)
	if err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("ksae: load: %w: %s", models.ErrState, fmt.Sprintf(format, args...))
	}
	shift, err := models.Array[float64](arrays, "shift", -1)
	if err != nil {
		return fmt.Errorf("ksae: load: %w", err)
	}
	n := len(shift)
	scale, err := models.Array[float64](arrays, "scale", n)
	if err != nil {
		return fmt.Errorf("ksae: load: %w", err)
	}
	if meta.Width < 1 || meta.Width > 1<<20 || n < 1 || n > 100 {
		return bad("%d parts of %d columns", n, meta.Width)
	}
	flat, err := models.Array[float32](arrays, "centres", n*meta.Width)
	if err != nil {
		return fmt.Errorf("ksae: load: %w", err)
	}
	for _, v := range flat {
		if v-v != 0 {
			return bad("a centre is at %v", v)
		}
	}
	one := &data.Set{Kind: data.Vectors, N: 1, D: meta.Width, X: make([]float32, meta.Width)}
	var centres [][]float32
	var parts []models.Detector
	for k := range n {
		if shift[k]-shift[k] != 0 || !(scale[k] > 0 && scale[k] <= math.MaxFloat64) {
			return bad("part %d is scaled by %v and %v", k+1, shift[k], scale[k])
		}
		raw, err := models.Array[uint8](arrays, fmt.Sprint("part", k), -1)
		if err != nil {
			return fmt.Errorf("ksae: load: %w", err)
		}
		det, err := a.spec.Base.Build(a.env)
		if err == nil {
			err = det.Load(bytes.NewReader(raw))
		}
		if err != nil {
			return fmt.Errorf("ksae: load: part %d: %w", k+1, err)
		}
		if _, err := det.Score(context.Background(), one); err != nil {
			return bad("part %d: %v", k+1, err)
		}
		centres, parts = append(centres, flat[k*meta.Width:(k+1)*meta.Width]), append(parts, det)
	}
	a.d, a.centres, a.parts, a.shift, a.scale = meta.Width, centres, parts, shift, scale
	return nil
}

var _ models.Detector = (*ksae)(nil)
