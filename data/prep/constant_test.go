package prep

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
)

// pipe is steps from their text.
func pipe(t *testing.T, text string) Spec {
	t.Helper()
	doc, err := settings.Parse("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(doc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbersTable is a table of number columns; rows from the half on test.
func numbersTable(columns map[string][]float64) (*data.Table, Rows, []int32) {
	t := &data.Table{Name: "t"}
	for _, name := range []string{"a", "b", "c"} {
		if v := columns[name]; v != nil {
			t.Columns = append(t.Columns, data.Column{Name: name, Type: data.Number, Num: v})
			t.Rows = len(v)
		}
	}
	var train, test []int32
	for i := range t.Rows {
		if 2*i < t.Rows {
			train = append(train, int32(i))
		} else {
			test = append(test, int32(i))
		}
	}
	return t, Rows{Benign: train, All: train}, test
}

// TestRoundingIsNoSpread: a column that is constant but for rounding (0.3 and 0.1+0.2) stays within rounding of one
// value, whatever scales it, as a column that is constant does; a column of tiny numbers keeps its spread.
func TestRoundingIsNoSpread(t *testing.T) {
	point3 := 0.1
	point3 += 0.2
	noisy := []float64{0.3, point3, 0.3, point3, 0.3, point3, 0.3, point3}
	tiny := []float64{1e-15, 2e-15, 3e-15, 4e-15, 1e-15, 2e-15, 3e-15, 4e-15}
	for _, kind := range []string{"zscore", "minmax", "maxabs", "robust", "quantile", "normal"} {
		tb, rows, test := numbersTable(map[string][]float64{"a": noisy, "b": tiny})
		p, err := pipe(t, "[{step: scale, kind: "+kind+"}]").Fit(context.Background(), tb, rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Apply(context.Background(), tb, test, 1)
		if err != nil {
			t.Fatal(err)
		}
		low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
		for i := range s.N {
			for j, v := range s.Row(i) {
				low[j], high[j] = min(low[j], float64(v)), max(high[j], float64(v))
			}
		}
		if high[0]-low[0] > 1e-6 {
			t.Errorf("%s: rounding becomes a spread of %g", kind, high[0]-low[0])
		}
		if high[1]-low[1] < 0.5 {
			t.Errorf("%s: the spread of tiny numbers becomes %g", kind, high[1]-low[1])
		}
	}
	tb, rows, _ := numbersTable(map[string][]float64{"a": noisy, "b": tiny, "c": {5, 5, 5, 5, 5, 6, 5, 5}})
	p, err := pipe(t, "[drop_constant]").Fit(context.Background(), tb, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Columns(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("drop_constant keeps %v, want b", got)
	}
}

// TestDroppedColumnsThatVary: a column that is constant in training and not in test is named, a constant one is not.
func TestDroppedColumnsThatVary(t *testing.T) {
	tb, rows, test := numbersTable(map[string][]float64{
		"a": {0, 0, 0, 0, 0, 1, 1, 0}, "b": {7, 7, 7, 7, 7, 7, math.NaN(), 7}, "c": {1, 2, 3, 4, 5, 6, 7, 8},
	})
	tb.Columns = append(
		tb.Columns,
		data.Column{
			Name:   "proto",
			Type:   data.Category,
			Levels: []string{"tcp", "udp", "gre"},
			Code:   []uint32{0, 0, 0, 0, 0, 1, 2, 0},
		},
	)
	for steps, want := range map[string][]string{
		"[drop_constant, onehot]": {
			"column a is dropped (drop_constant), since it hardly varies in training; 2 of 4 test rows have another value",
			"column proto is dropped (drop_constant), since it hardly varies in training; 2 of 4 test rows have another value",
		},
		"[onehot, drop_low_variance]": {
			"column a is dropped (drop_low_variance), since it hardly varies in training; 2 of 4 test rows have another value",
			"column proto=tcp is dropped (drop_low_variance), since it hardly varies in training; " +
				"2 of 4 test rows have another value",
		},
		"[onehot]": nil,
	} {
		p, err := pipe(t, steps).Fit(context.Background(), tb, rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Varying(tb, test); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", steps, got, want)
		}
	}
}

// TestManyLevels: a column with a level a row is said, and its matrix is as wide as max_levels.
func TestManyLevels(t *testing.T) {
	const n = 6000
	c := data.Column{Name: "host", Type: data.Category, Code: make([]uint32, n)}
	var all []int32
	for i := range n {
		c.Levels = append(c.Levels, fmt.Sprintf("h%04d", i))
		c.Code[i] = uint32(i)
		all = append(all, int32(i))
	}
	c.Code[n-1] = 42 // h0042 and no other occurs twice
	tb := &data.Table{Name: "t", Rows: n, Columns: []data.Column{c}}
	for _, k := range []struct {
		step  string
		width int
	}{{"onehot", 1000}, {"{step: onehot, max_levels: 3}", 3}, {"{step: onehot, max_levels: 60000}", n - 1}} {
		p, err := pipe(t, "["+k.step+"]").Fit(context.Background(), tb, Rows{Benign: all, All: all}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Outputs) != k.width ||
			!slices.ContainsFunc(p.Outputs, func(o Output) bool { return o.Level == "h0042" }) {
			t.Errorf("%s: %d columns, want %d with the most frequent level", k.step, len(p.Outputs), k.width)
		}
		if w := strings.Join(p.Warnings, "\n"); !strings.Contains(
			w,
			"column host has 5999 levels in 6000 training rows",
		) ||
			!strings.Contains(w, "name rows rather than describe them") {
			t.Errorf("%s: warned %q", k.step, w)
		}
	}
}
