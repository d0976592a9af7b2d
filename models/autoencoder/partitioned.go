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
	"plumbline/numeric/stat"
)

// Sampling is which training rows the parts are found among.
type Sampling struct {
	Sample int     `yaml:"sample" jsonschema:"minimum=1,maximum=10000000" jsonschema_description:"training rows, drawn without replacement, that the parts are found among; all where there are fewer"`
	Trim   float64 `yaml:"trim" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share of the sample, by norm, that the parts are found among; 1: all"`
}

// draw is the trimmed sample.
func (s Sampling) draw(train *data.Set, r *rand.Rand) [][]float32 {
	rows := r.Perm(train.N)[:min(s.Sample, train.N)]
	slices.Sort(rows)
	norms := make([]float64, len(rows))
	for i, row := range rows {
		norms[i] = cluster.SquaredNorm(train.Row(row))
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

// Parts is what becomes of the parts.
type Parts struct {
	Base         models.Reference `yaml:"base" jsonschema_description:"model of each part: a name, or {model, params}; any model of vectors that learns without labels"`
	AdjustEpochs bool             `yaml:"adjust_epochs" jsonschema_description:"a part of nᵢ of N rows is trained for more epochs, min(max((N/k)/nᵢ, 1), 3) times as many, and the falls of the rate are as much further apart; for auto-encoders as the base"`
}

// minPart is how many rows a part has at the least, where there are as many.
const minPart = 20

// parted is a detector that parts rows by the nearest of some centres, and has a model of each part.
type parted struct {
	name string
	env  models.Env
	how  Parts
	find func(ctx context.Context, train *data.Set) (centres [][]float32, part []int32, err error)

	d       int
	centres [][]float32
	part    []int32 // of each centre
	parts   []models.Detector
	shift   []float64 // q₅₀ of each part
	scale   []float64 // q₉₅ − q₅₀, or 1
}

// stretchable settings can be had for a longer training.
type stretchable interface {
	stretched(factor float64) models.Spec
}

// build checks the settings of a model and makes a detector of them.
func (a *parted) build(spec models.Spec) (models.Detector, error) {
	if err := models.CheckSpec(a.name, spec); err != nil {
		return nil, err
	}
	base, err := a.how.Base.Spec()
	if err == nil {
		_, err = base.New(a.env)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: base: %w", a.name, models.ErrSpec, err)
	}
	if _, ok := base.(stretchable); a.how.AdjustEpochs && !ok {
		return nil, fmt.Errorf("%s: %w: adjust_epochs: the base has no epochs that could be adjusted", a.name, models.ErrSpec)
	}
	return a, nil
}

// epochFactor is how many times as long a part of n of so many rows is trained, of k parts.
func epochFactor(n, rows, k int) float64 {
	return min(max(float64(rows)/float64(k)/float64(n), 1), 3)
}

// base is an unfitted model of part k of n rows.
func (a *parted) base(k, n, rows, of int) (models.Detector, error) {
	spec, err := a.how.Base.Spec()
	if err != nil {
		return nil, err
	}
	if a.how.AdjustEpochs && n > 0 {
		spec = spec.(stretchable).stretched(epochFactor(n, rows, of))
	}
	env := a.env
	env.Observe = nil // its progress is not that of the whole
	env.Seed = a.env.Rand(fmt.Sprint("part ", k)).Uint64()
	return spec.New(env)
}

func (a *parted) Fit(ctx context.Context, train *data.Set) error {
	a.parts = nil
	if err := models.CheckVectors(a.name, train, 0, 1); err != nil {
		return err
	}
	centres, part, err := a.find(ctx, train)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	of, sizes, err := a.sizes(ctx, centres, part, train)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	for len(sizes) > 1 && slices.Min(sizes) < minPart {
		small := int32(slices.Index(sizes, slices.Min(sizes)))
		centres, part = without(centres, part, small)
		if of, sizes, err = a.sizes(ctx, centres, part, train); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	var parts []models.Detector
	var shift, scale []float64
	for k := range sizes {
		rows := membersOf(of, k)
		det, err := a.base(k, len(rows), train.N, len(sizes))
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		own := train.Subset(rows).Unlabelled()
		if err := det.Fit(ctx, own); err != nil {
			return fmt.Errorf("%s: part %d of %d rows: %w", a.name, k+1, len(rows), err)
		}
		scores, err := det.Score(ctx, own)
		if err != nil {
			return fmt.Errorf("%s: part %d: %w", a.name, k+1, err)
		}
		slices.Sort(scores)
		q50, q95 := stat.Quantile(scores, 0.5), stat.Quantile(scores, 0.95)
		spread := q95 - q50
		if !(spread > 0) {
			spread = 1
		}
		parts, shift, scale = append(parts, det), append(shift, q50), append(scale, spread)
		a.env.Progress(models.Epoch{N: k + 1, Of: len(sizes), Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(), Samples: len(rows)})
	}
	a.d, a.centres, a.part, a.parts, a.shift, a.scale = train.D, centres, part, parts, shift, scale
	return nil
}

// sizes is the part of each row, and how many rows each part has.
func (a *parted) sizes(ctx context.Context, centres [][]float32, part []int32, s *data.Set) (of []int32, sizes []int, err error) {
	of, err = a.assign(ctx, centres, part, s)
	sizes = make([]int, slices.Max(part)+1)
	for _, k := range of {
		sizes[k]++
	}
	return of, sizes, err
}

// without is the centres that are not of one part, the others' numbers moving up.
func without(centres [][]float32, part []int32, gone int32) (c [][]float32, p []int32) {
	for i, k := range part {
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

// assign is the part of the nearest centre of each row.
func (a *parted) assign(ctx context.Context, centres [][]float32, part []int32, s *data.Set) ([]int32, error) {
	of := make([]int32, s.N)
	const few = 16
	if len(centres) <= few {
		err := a.env.Blocks(ctx, s.N, 256, func(from, to int) {
			for i := from; i < to; i++ {
				of[i] = part[cluster.Nearest(centres, s.Row(i))]
			}
		})
		return of, err
	}
	m := newManyCentres(centres)
	err := a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		m.each(s.X, from, to, func(i, c int) { of[i] = part[c] })
	})
	return of, err
}

// manyCentres finds the nearest of many centres by products of matrices: that with the largest x·c − ‖c‖²/2.
// Those that come so near to it that float32 cannot tell are compared in float64.
type manyCentres struct {
	centres [][]float32
	scorer  *nn.Scorer
	most    float64 // largest ‖c‖²
}

func newManyCentres(centres [][]float32) *manyCentres {
	d, k := len(centres[0]), len(centres)
	m := &manyCentres{centres: centres}
	bias := make([]float32, k)
	for c, row := range centres {
		norm := cluster.SquaredNorm(row)
		m.most = max(m.most, norm)
		bias[c] = float32(-norm / 2)
	}
	net := nn.Network{Layers: []nn.Dense{{In: d, Out: k, Activation: nn.Linear}}}
	m.scorer = net.NewScorer(nn.Params{slices.Concat(centres...), bias})
	return m
}

// each calls f with the nearest centre of each row, the first among equals.
func (m *manyCentres) each(x []float32, from, to int, f func(row, centre int)) {
	d := len(m.centres[0])
	m.scorer.Clone().Each(x, from, to, 0, func(i int, y []float32) {
		row := x[i*d : (i+1)*d]
		top := y[0]
		sound := true
		for _, v := range y {
			top = max(top, v)
			sound = sound && v-v == 0
		}
		if !sound { // float32 overflowed
			f(i, cluster.Nearest(m.centres, row))
			return
		}
		// the rounding of a sum of d products, twice over
		floor := float64(top) - 2.4e-7*float64(d+1)*(cluster.SquaredNorm(row)+m.most)
		best, least := 0, math.Inf(1)
		for c, v := range y {
			if float64(v) < floor {
				continue
			}
			if far := cluster.Distance(row, m.centres[c]); far < least {
				best, least = c, far
			}
		}
		f(i, best)
	})
}

func (a *parted) check(s *data.Set) error {
	if a.parts == nil {
		return fmt.Errorf("%s: %w", a.name, models.ErrNotFitted)
	}
	return models.CheckVectors(a.name, s, a.d, 0)
}

// Clusters is the part of each row.
func (a *parted) Clusters(ctx context.Context, s *data.Set) ([]int32, error) {
	if err := a.check(s); err != nil {
		return nil, err
	}
	of, err := a.assign(ctx, a.centres, a.part, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	return of, nil
}

func (a *parted) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of, err := a.Clusters(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for k, det := range a.parts {
		rows := membersOf(of, k)
		if len(rows) == 0 {
			continue
		}
		scores, err := det.Score(ctx, s.Subset(rows).Unlabelled())
		if err != nil {
			return nil, fmt.Errorf("%s: part %d: %w", a.name, k+1, err)
		}
		for i, row := range rows {
			v := (scores[i] - a.shift[k]) / a.scale[k]
			out[row] = max(-math.MaxFloat64, min(v, math.MaxFloat64))
		}
	}
	return out, nil
}

func (a *parted) Save(w io.Writer) error {
	if a.parts == nil {
		return fmt.Errorf("%s: save: %w", a.name, models.ErrNotFitted)
	}
	arrays := models.Arrays{"centres": slices.Concat(a.centres...), "of": a.part, "shift": a.shift, "scale": a.scale}
	for k, det := range a.parts {
		var b bytes.Buffer
		if err := det.Save(&b); err != nil {
			return fmt.Errorf("%s: save: part %d: %w", a.name, k+1, err)
		}
		arrays[fmt.Sprint("part", k)] = b.Bytes()
	}
	return models.WriteState(w, a.name, nn.WidthMeta{Width: a.d}, arrays)
}

func (a *parted) Load(r io.Reader) error {
	var meta nn.WidthMeta
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
	part, err := models.Array[int32](arrays, "of", -1)
	if err != nil {
		return missing(err)
	}
	if meta.Width < 1 || meta.Width > 1<<20 || n < 1 || n > 100 || len(part) < n || len(part) > maxSubclusters {
		return bad("%d parts of %d columns around %d centres", n, meta.Width, len(part))
	}
	flat, err := models.Array[float32](arrays, "centres", len(part)*meta.Width)
	if err != nil {
		return missing(err)
	}
	for _, v := range flat {
		if v-v != 0 {
			return bad("a centre is at %v", v)
		}
	}
	var centres [][]float32
	for i, k := range part {
		if k < 0 || int(k) >= n {
			return bad("centre %d is of part %d of %d", i, k, n)
		}
		centres = append(centres, flat[i*meta.Width:(i+1)*meta.Width])
	}
	one := &data.Set{Kind: data.Vectors, N: 1, D: meta.Width, X: make([]float32, meta.Width)}
	var parts []models.Detector
	for k := range n {
		if shift[k]-shift[k] != 0 || !(scale[k] > 0 && scale[k] <= math.MaxFloat64) {
			return bad("part %d is scaled by %v and %v", k+1, shift[k], scale[k])
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
			return fmt.Errorf("%s: load: part %d: %w", a.name, k+1, err)
		}
		if _, err := det.Score(context.Background(), one); err != nil {
			return bad("part %d: %v", k+1, err)
		}
		parts = append(parts, det)
	}
	a.d, a.centres, a.part, a.parts, a.shift, a.scale = meta.Width, centres, part, parts, shift, scale
	return nil
}

var (
	_ models.Detector  = (*parted)(nil)
	_ models.Clusterer = (*parted)(nil)
)
