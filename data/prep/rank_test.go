package prep

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
)

var (
	rankA = []float64{1, 2, 3, 4, 5, 6, 7, 6.5, 8, 9, 10, 11}
	rankB = []float64{1, 1, 1, 2, 2, 2, 3, 3, 1, 2, 3, 3}
	rankC = []float64{0.5, 0.25, 0.75, 0.1, 0.9, 0.3, 0.6, 0.2, 0.8, 0.4, 0.55, 0.65}
)

func rankTable() *data.Table {
	t := &data.Table{Name: "t", Rows: 12, Attack: make([]bool, 12), Class: make([]uint32, 12)}
	t.Classes = []string{"ok", "bad"}
	for i := 7; i < 12; i++ {
		t.Attack[i], t.Class[i] = true, 1
	}
	for name, v := range map[string][]float64{"a": rankA, "b": rankB, "c": rankC} {
		t.Columns = append(t.Columns, data.Column{Name: name, Type: data.Number, Num: slices.Clone(v)})
	}
	slices.SortFunc(t.Columns, func(x, y data.Column) int { return strings.Compare(x.Name, y.Name) })
	return t
}

// TestRankValues: scikit-learn 1.2.1 gives feature_selection.chi2 and metrics.mutual_info_score (of the bins) so.
func TestRankValues(t *testing.T) {
	attack := rankTable().Attack
	for i, v := range [][]float64{rankA, rankB, rankC} {
		chi, err := chiSquare(v, attack)
		want := []float64{1.15910345e+01, 6.85714286e-01, 6.85714286e-03}[i]
		if err != nil || math.Abs(chi-want) > 1e-8*want+1e-9 {
			t.Errorf("chi2 of column %d is %v, %v; want %v", i, chi, err, want)
		}
		mi := mutualInformation(v, attack, 4)
		if want = []float64{0.5200647239178224, 0.1168581213727174, 0.042679097696713075}[i]; math.Abs(mi-want) > 1e-12 {
			t.Errorf("mutual information of column %d is %v, want %v", i, mi, want)
		}
	}
	// missing in all attacks and nowhere else: as much as the labels hold, −5/12 ln(5/12) − 7/12 ln(7/12)
	v := slices.Repeat([]float64{1}, 12)
	for i := 7; i < 12; i++ {
		v[i] = math.NaN()
	}
	entropy := -5./12*math.Log(5./12) - 7./12*math.Log(7./12)
	if got, want := mutualInformation(v, attack, 4), entropy; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := mutualInformation(slices.Repeat([]float64{3}, 12), attack, 4); got != 0 {
		t.Errorf("a constant tells %v", got)
	}
	if _, err := chiSquare([]float64{1, -1}, []bool{true, false}); err == nil {
		t.Error("chi2 of negative values")
	}
}

func fitted(t *testing.T, tb *data.Table, text string, r Rows) (*Pipeline, error) {
	t.Helper()
	return pipe(t, text).Fit(context.Background(), tb, r, 2)
}

// TestSelectFeatures keeps the first by each measure, in the order of the table, and learns from training rows alone.
func TestSelectFeatures(t *testing.T) {
	all := Rows{Benign: []int32{0, 1, 2, 3, 4, 5, 6}, All: []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	for text, want := range map[string]string{
		"[{step: select_features, keep: 1}]":                                                        "a",
		"[{step: select_features, keep: 2, by: chi2}]":                                              "a b",
		"[{step: select_features, keep: 1, by: variance, columns: [b, c]}]":                         "a b",
		"[{step: select_features, keep: 9}]":                                                        "a b c",
		"[{step: scale, kind: minmax, fit: train}, {step: select_features, keep: 1, by: variance}]": "b",
	} {
		p, err := fitted(t, rankTable(), text, all)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Join(p.Columns(), " "); got != want {
			t.Errorf("%s keeps %s, want %s", text, got, want)
		}
		notes := strings.Join(p.Notes, "\n")
		if strings.Contains(notes, "looked at the labels") == strings.Contains(text, "variance") {
			t.Errorf("%s: notes %q", text, notes)
		}
	}
	// a column that tells everything in rows that do not train is worth nothing
	tb := rankTable()
	for i := range tb.Columns[2].Num {
		tb.Columns[2].Num[i] = 0
		if i >= 10 {
			tb.Columns[2].Num[i] = 1000
		}
	}
	r := Rows{Benign: all.Benign, All: all.All[:10]}
	p, err := fitted(t, tb, "[{step: select_features, keep: 2}]", r)
	if err != nil || slices.Contains(p.Columns(), "c") {
		t.Errorf("%v, %v", p.Columns(), err)
	}
	if _, err := fitted(t, rankTable(), "[select_features]", Rows{Benign: all.Benign, All: all.Benign}); err == nil ||
		!strings.Contains(err.Error(), "set split.attacks: split") {
		t.Errorf("without attacks: %v", err)
	}
}

// TestMissingIndicator: a column of its own says where a value was missing, before impute fills it.
func TestMissingIndicator(t *testing.T) {
	tb := rankTable()
	for _, i := range []int{2, 5, 11} {
		tb.Columns[1].Num[i] = math.NaN()
	}
	all := Rows{Benign: []int32{0, 1, 2, 3, 4, 5, 6}, All: []int32{0, 1, 2, 3, 4, 5, 6}}
	p, err := fitted(t, tb, "[missing_indicator, {step: impute, number: constant, value: 7}]", all)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Columns(), " "); got != "a b c b=(missing)" {
		t.Fatalf("columns %s", got)
	}
	s, err := p.Apply(context.Background(), tb, []int32{1, 2, 11}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{2, 1, 0.25, 0}, {3, 7, 0.75, 1}, {11, 7, 0.65, 1}} {
		if got := s.X[i*s.D : (i+1)*s.D]; !slices.Equal(got, want) {
			t.Errorf("row %d: %v, want %v", i, got, want)
		}
	}
}
