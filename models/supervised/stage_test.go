package supervised

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/onnx"
)

// gapped is rows of a number and a category of four, attacks where the number is missing and the category even; some of
// the others lack values too.
func gapped(n int, seed uint64) *data.Set {
	r := rand.New(rand.NewPCG(seed, 3))
	s := &data.Set{Kind: data.Vectors, N: n, D: 2, Features: []data.Feature{{Name: "size"}, {Name: "kind",
		Source: "kind", Kind: data.Code}}}
	nan := float32(math.NaN())
	for range n {
		size, kind := float32(r.NormFloat64()), float32(r.IntN(4))
		if r.IntN(3) == 0 {
			size = nan
		}
		attack := size != size && int(kind)%2 == 0
		if r.IntN(40) == 0 {
			kind = nan
		}
		s.X, s.Attack = append(s.X, size, kind), append(s.Attack, attack)
	}
	return s
}

// encoded is gapped rows as numbers: size with the given median, and a column for each of four kinds.
func encoded(s *data.Set, median float32) *data.Set {
	out := &data.Set{Kind: data.Vectors, N: s.N, D: 5, Attack: s.Attack}
	for i := range s.N {
		size, kind := s.Row(i)[0], s.Row(i)[1]
		if size != size {
			size = median
		}
		row := []float32{size, 0, 0, 0, 0}
		for k := range 4 {
			if kind == float32(k) {
				row[1+k] = 1
			}
		}
		out.X = append(out.X, row...)
	}
	return out
}

func decoded(t *testing.T, model, params string) models.Spec {
	t.Helper()
	node, err := settings.Parse("params", []byte(params))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := models.Decode(model, node)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func scored(t *testing.T, d models.Detector, s *data.Set) []float64 {
	t.Helper()
	got, err := d.Score(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestVotingHandsNativeRowsOn: the vote of boosting and a logistic model is the mean of boosting on the rows as they
// are and of the logistic model on rows with the median and a column a category, bit for bit; so are categories that
// the training rows do not have, and rows of which nothing is known.
func TestVotingHandsNativeRowsOn(t *testing.T) {
	train, test := gapped(500, 1), gapped(300, 2)
	test.Row(0)[1] = 200
	test.Row(1)[0], test.Row(1)[1] = float32(math.NaN()), float32(math.NaN())
	var sizes []float64
	for i := range train.N {
		if v := train.Row(i)[0]; v == v {
			sizes = append(sizes, float64(v))
		}
	}
	slices.Sort(sizes)
	n := len(sizes)
	median := float32((sizes[(n-1)/2] + sizes[n/2]) / 2)
	boost := decoded(t, "boosting", "{rounds: 20, min_samples_leaf: 5}")
	a := scored(t, fit(t, boost, train), test)
	b := scored(t, fit(t, decoded(t, "logistic", "{}"), encoded(train, median)), encoded(test, median))
	spec := decoded(t, "voting", "{base: [{model: boosting, params: {rounds: 20, min_samples_leaf: 5}}, logistic]}")
	d := fit(t, spec, train)
	got := scored(t, d, test)
	for i := range got {
		if want := (a[i] + b[i]) / 2; got[i] != want {
			t.Fatalf("row %d: score %v, want (%v + %v)/2", i, got[i], a[i], b[i])
		}
	}
	var b2 bytes.Buffer
	if err := d.Save(&b2); err != nil {
		t.Fatal(err)
	}
	again, err := spec.New(models.Env{})
	if err == nil {
		err = again.Load(&b2)
	}
	if err != nil || !slices.Equal(scored(t, again, test), got) {
		t.Errorf("other scores after it was saved, %v", err)
	}
	if _, err := models.Graph(d, onnx.New("vote"), "x"); !errors.Is(err, models.ErrNoGraph) {
		t.Errorf("ONNX: %v", err)
	}
}

// TestEnsemblesHandNativeRowsOn: ensembles in which a model takes missing values and categories learn from them what
// no median and no column of one category says, say the same after they were saved, and ensembles of others refuse
// them.
func TestEnsemblesHandNativeRowsOn(t *testing.T) {
	train, test := gapped(500, 3), gapped(400, 4)
	for _, c := range []struct{ model, params string }{
		{"bagging", "{base: {model: boosting, params: {rounds: 10, min_samples_leaf: 5}}, models: 5, columns: 1}"},
		{"bagging", "{base: {model: boosting, params: {rounds: 10, min_samples_leaf: 5}}, models: 5, columns: 0.5}"},
		{"stacking", "{base: [{model: boosting, params: {rounds: 10, min_samples_leaf: 5}}, tree, one_rule], folds: 3}"},
		{"stacking", "{base: [logistic, {model: bagging, params: {base: boosting, models: 2}}], folds: 2}"},
		{"voting", "{base: [boosting, {model: voting, params: {base: [boosting, tree]}}], vote: hard}"},
		{"permuted", "{base: boosting}"},
	} {
		spec := decoded(t, c.model, c.params)
		info, err := models.Lookup(c.model)
		if err != nil || !info.NeedsOf(spec).Native || info.Needs.Native {
			t.Errorf("%s: needs %+v, of others %+v, %v", c.model, info.NeedsOf(spec), info.Needs, err)
		}
		d := fit(t, spec, train)
		got := scored(t, d, test)
		wrong := 0
		for i, v := range got {
			if (v > 0.5) != test.Attack[i] {
				wrong++
			}
		}
		if bound := 20; c.model != "permuted" && !strings.Contains(c.params, "columns: 0.5") && wrong > bound {
			t.Errorf("%s %s: %d of %d rows are on the wrong side", c.model, c.params, wrong, test.N)
		}
		var raw bytes.Buffer
		if err := d.Save(&raw); err != nil {
			t.Fatal(err)
		}
		again, err := spec.New(models.Env{})
		if err == nil {
			err = again.Load(&raw)
		}
		if err != nil || !slices.Equal(scored(t, again, test), got) {
			t.Errorf("%s %s: other scores after it was saved, %v", c.model, c.params, err)
		}
	}
	for _, params := range []string{"{base: [tree, logistic]}", "{base: [{model: voting, params: {base: [tree]}}]}"} {
		d, err := decoded(t, "voting", params).New(models.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Fit(context.Background(), train); !errors.Is(err, models.ErrInput) {
			t.Errorf("voting of models that take no missing values: %v", err)
		}
	}
}

// TestPlainRows: what lacks all values is 0, a column of categories without any is one column of 0, and rows of numbers
// that lack nothing are not copied.
func TestPlainRows(t *testing.T) {
	nan := float32(math.NaN())
	train := &data.Set{Kind: data.Vectors, N: 2, D: 4, X: []float32{nan, nan, 1, 4, nan, nan, 3, 5},
		Features: []data.Feature{{Name: "a"}, {Name: "b", Kind: data.Code}, {Name: "c", Kind: data.Code}, {Name: "d"}}}
	p := newPlain(train)
	got := p.of(&data.Set{Kind: data.Vectors, N: 3, D: 4, X: []float32{7, 0, 3, nan, nan, 1, 4, 2, nan, nan, 0.5, 0},
		Features: train.Features})
	want := []float32{
		7, 1, 0, 0, 0, 1, 4.5,
		0, 0, 0, 0, 0, 0, 2,
		0, 0, 0, 0, 0, 0, 0,
	}
	names := []string{"a", "b=0", "c=0", "c=1", "c=2", "c=3", "d"}
	if got.D != 7 || !slices.Equal(got.X, want) || !slices.Equal(got.ColumnNames(), names) {
		t.Errorf("%d columns %v: %v", got.D, got.ColumnNames(), got.X)
	}
	numbers := &data.Set{Kind: data.Vectors, N: 1, D: 2, X: []float32{1, 2}}
	if q := newPlain(numbers); q.of(numbers) != numbers {
		t.Error("rows of numbers are copied")
	} else if got := q.of(&data.Set{Kind: data.Vectors, N: 1, D: 2, X: []float32{nan, 5}}).X; got[0] != 1 || got[1] != 5 {
		t.Errorf("%v", got)
	}
}
