package prep

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
)

func projected(t *testing.T, steps string) (*Pipeline, *data.Set, error) {
	t.Helper()
	doc, err := settings.Parse("p.yaml", []byte(steps))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(doc)
	if err != nil {
		return nil, nil, err
	}
	table := rankTable()
	all := make([]int32, table.Rows)
	for i := range all {
		all[i] = int32(i)
	}
	p, err := s.Fit(context.Background(), table, Rows{Benign: all, All: all}, 2)
	if err != nil {
		return nil, nil, err
	}
	set, err := p.Apply(context.Background(), table, all, 2)
	return p, set, err
}

// TestProjectAsScikitLearn: PCA of scikit-learn 1.2.1 on the same table, its components with the sign of ours, which is
// that of the largest entry.
func TestProjectAsScikitLearn(t *testing.T) {
	p, s, err := projected(t, "[{step: project, components: 3}]")
	if err != nil {
		t.Fatal(err)
	}
	q := p.Projection
	for k, want := range [][]float64{
		{0.981769170568, 0.189443952705, 0.015501113035},
		{-0.183516078304, 0.965965223405, -0.18229930383},
		{-0.049509036809, 0.176131132843, 0.983120887438},
	} {
		for j, v := range want {
			if math.Abs(q.Vectors[k][j]-v) > 1e-6 { // the matrix is in float32
				t.Errorf("component %d, column %d: %v, want %v", k, j, q.Vectors[k][j], v)
			}
		}
		if share := []float64{0.960273192376, 0.034992545276, 0.004734262348}[k]; math.Abs(q.Shares[k]-share) > 1e-7 {
			t.Errorf("component %d has a share of %v, want %v", k, q.Shares[k], share)
		}
	}
	for _, c := range []struct {
		row  int
		want []float64
	}{{0, []float64{-5.13919685432, -0.04073832862, 0.073476927734}},
		{8, []float64{1.737837673568, -1.380040667899, 0.021849936305}}} {
		for k, v := range c.want {
			if got := float64(s.Row(c.row)[k]); math.Abs(got-v) > 2e-6 {
				t.Errorf("row %d, component %d: %v, want %v", c.row, k, got, v)
			}
		}
	}
	for share, want := range map[string]int{"0.9": 1, "0.95": 1, "0.99": 2, "0.9999": 3, "2": 2} {
		p, s, err := projected(t, "[{step: project, components: "+share+"}]")
		if err != nil || s.D != want || p.Width() != want {
			t.Errorf("components: %s: %d columns, want %d, %v", share, s.D, want, err)
			continue
		}
		if names := p.Columns(); names[0] != "pc1" || len(names) != want || len(s.Features) != want {
			t.Errorf("columns %v", names)
		}
	}
}

// TestProjectIsSaved: a pipeline that was read back makes the same matrix, and a damaged projection is refused.
func TestProjectIsSaved(t *testing.T) {
	p, s, err := projected(t, "[{step: scale, kind: zscore}, {step: project, components: 2}]")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q Pipeline
	if err := json.Unmarshal(raw, &q); err != nil {
		t.Fatal(err)
	}
	again, err := q.Apply(context.Background(), rankTable(), s.Rows, 1)
	if err != nil || !slices.Equal(again.X, s.X) {
		t.Errorf("another matrix after reading back: %v", err)
	}
	for name, spoil := range map[string]func(q *Projection){
		"no components":      func(q *Projection) { q.Vectors, q.Shares = nil, nil },
		"a missing mean":     func(q *Projection) { q.Mean = q.Mean[:2] },
		"a component of two": func(q *Projection) { q.Vectors[1] = q.Vectors[1][:2] },
		"a missing share":    func(q *Projection) { q.Shares = q.Shares[:1] },
	} {
		var q Pipeline
		if err := json.Unmarshal(raw, &q); err != nil {
			t.Fatal(err)
		}
		spoil(q.Projection)
		bad, err := json.Marshal(&q)
		if err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal(bad, new(Pipeline)) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestProjectErrors(t *testing.T) {
	for steps, want := range map[string]string{
		"[{step: project, components: 1.5}]":               "neither a share below 1 nor a whole number",
		"[{step: project, components: 4}]":                 "4 components of 3 columns",
		"[{step: project, columns: [a]}]":                  "project takes all columns",
		"[project, {step: scale, kind: zscore}]":           "has to be the last step",
		"[{step: select, columns: [a]}, project, project]": "has to be the last step",
		"[{step: project, components: 0}]":                 "components",
	} {
		if _, _, err := projected(t, steps); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", steps, err, want)
		}
	}
}
