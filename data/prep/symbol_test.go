package prep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/numeric/cluster"
)

// sizes is a table of one host's events with these values, in this order.
func sizes(v ...float64) *data.Table {
	n := len(v)
	return &data.Table{
		Name:    "x",
		Rows:    n,
		Classes: []string{"ok"},
		Attack:  make([]bool, n),
		Class:   make([]uint32, n),
		Columns: []data.Column{
			{Name: "host", Type: data.Address, Levels: []string{"h"}, Code: make([]uint32, n)},
			{Name: "size", Type: data.Number, Num: v}},
	}
}

func symbols(t testing.TB, tb *data.Table, text string) *Tracer {
	t.Helper()
	doc, err := settings.Parse("s.yaml", []byte("{key: [host], symbols: ["+text+"]}"))
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultTraces()
	if ps := doc.Decode(&s); len(ps) > 0 {
		t.Fatal(ps)
	}
	rows := make([]int32, tb.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	tr, err := s.Fit(context.Background(), tb, Rows{Benign: rows, All: rows})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func classes(tr *Tracer, v ...float64) string {
	var out []string
	for _, x := range v {
		out = append(out, string(tr.Parts[0].appendClass(nil, x)))
	}
	return strings.Join(out, " ")
}

func TestPercentileAndFrequency(t *testing.T) {
	// of 0 … 10, the 50th and 100th percentiles are 5 and 10
	tb := sizes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if got := classes(symbols(t, tb, "{column: size, kind: percentile, bins: 2}"), -1, 5, 5.1, 10,
		11); got != "0 0 1 1 2" {
		t.Errorf("percentile: %s", got)
	}
	// of ½, 1½: the median 1, the largest 1½, rounded up to 2
	if got := classes(symbols(t, sizes(0.5, 1.5), "{column: size, kind: percentile, bins: 2}"), 1, 1.6, 2,
		2.1); got != "0 1 1 2" {
		t.Errorf("percentile of fractions: %s", got)
	}
	// 40 and 60 three times, 80 twice; the others 1 2 3 4 have the median 2½
	tb = sizes(40, 60, 40, 60, 40, 60, 80, 80, 1, 2, 3, 4)
	if got := classes(symbols(t, tb, "{column: size, kind: frequency, top: 3, bins: 2}"), 40, 60, 80, 1, 2, 3,
		70); got != "=40 =60 =80 0 0 1 1" {
		t.Errorf("frequency: %s", got)
	}
}

// TestPercentilesOfWholeNumbers: the k-th percentile of 0 … 100 is k, and that of 0, 10, … 1000 is 10·k, for every k.
func TestPercentilesOfWholeNumbers(t *testing.T) {
	for _, step := range []float64{1, 10} {
		v := make([]float64, 101)
		for i := range v {
			v[i] = step * float64(i)
		}
		for _, n := range []int{10, 20, 25, 50, 100} {
			for k, limit := range percentiles(v, n) {
				if want := step * float64((k+1)*100/n); limit != want {
					t.Errorf("step %v, share %d of %d: %v, want %v", step, k+1, n, limit, want)
				}
			}
		}
	}
}

// TestEncodeByHand: in 1 1 2 1 9 2 (of one host) the values 1, 2 and 9 occur 3, 2 and 1 times.
func TestEncodeByHand(t *testing.T) {
	tb := sizes(1, 1, 2, 1, 9, 2, math.NaN(), 1)
	p := part{Values: []float64{1, 2, 9}, Codes: make([]int, 3)}
	d := p.describe(&tb.Columns[1], []int32{0, 1, 2, 3, 4, 5, 6, 7}, []int32{6, 8}, 7)
	// pairs 1→1, 1→2, 2→1, 1→9, 9→2. The followers 1 1 2 2 9 have the deciles 1 1 1.2 1.6 2 2 2 3.4 6.2 9,
	// rounded up 1 1 2 2 2 2 2 4 7 9, so that 1, 2 and 9 are of class 0, 2 and 9. The predecessors 1 1 1 2 9
	// have 1 1 1 1 1 1.4 1.8 3.4 6.2 9, rounded up 1 1 1 1 1 2 2 4 7 9: classes 0, 5 and 9.
	row := func(n, self float64, after, before map[int]float64) []float64 {
		out := make([]float64, encodeWidth)
		out[0], out[1] = math.Log10(n+1), self
		for k, v := range after {
			out[2+k] = v
		}
		for k, v := range before {
			out[2+encodeNeighbours+k] = v
		}
		return out
	}
	want := [][]float64{
		row(4, 1, map[int]float64{0: 1, 2: 1, 9: 1}, map[int]float64{0: 1, 5: 1}),
		row(2, 0, map[int]float64{0: 1}, map[int]float64{0: 1, 9: 1}),
		row(1, 0, map[int]float64{2: 1}, map[int]float64{0: 1}),
	}
	for i := range want {
		for j := range want[i] {
			if math.Abs(d[i][j]-want[i][j]) > 1e-12 {
				t.Errorf("value %d: %v, want %v", i, d[i], want[i])
				break
			}
		}
	}
}

// TestEncodeFindsRoles: requests of any size are followed by answers of any size; what they have in common
// is their place.
func TestEncodeFindsRoles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	var v []float64
	for range 3000 {
		v = append(v, float64(100+r.IntN(5)), float64(9000+r.IntN(5)))
	}
	tr := symbols(t, sizes(v...), "{column: size, kind: encode, clusters: 2}")
	if got := classes(tr, 100, 101, 102, 103, 104); got != "0 0 0 0 0" {
		t.Errorf("requests: %s", got)
	}
	if got := classes(tr, 9000, 9001, 9002, 9003, 9004, 77); got != "1 1 1 1 1 0" {
		t.Errorf("answers and an unseen size: %s", got)
	}
	again := symbols(t, sizes(v...), "{column: size, kind: encode, clusters: 2}")
	if !slices.Equal(tr.Parts[0].Codes, again.Parts[0].Codes) {
		t.Error("two fits differ")
	}
	bins := symbols(t, sizes(v...), "{column: size, kind: encode, bins: 20}")
	if got := classes(bins, 100, 1e6); strings.Fields(got)[0] == "" || bins.Parts[0].code(1e6) != bins.Parts[0].Other {
		t.Errorf("bins: %s", got)
	}
	if p := bins.Parts[0]; len(p.Codes) != len(p.Limits) || p.code(101) == p.code(9001) {
		t.Errorf("bins: %+v", p)
	}
}

// TestSilhouetteByHand: at 0, 1 | 5, 7 the distances within are 1 and 2, between 5 7 4 6.
func TestSilhouetteByHand(t *testing.T) {
	x := [][]float64{{0}, {1}, {5}, {7}}
	want := ((6-1.)/6 + (5-1.)/5 + (4.5-2)/4.5 + (6.5-2)/6.5) / 4
	got, err := cluster.Silhouette(context.Background(), cluster.Rows(x), []int32{0, 0, 1, 1}, 2, []int{0, 1, 2, 3}, 1)
	if err != nil || math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v; %v", got, want, err)
	}
	for _, c := range []struct {
		x    [][]float64
		k    int
		want []int
	}{
		{x, 2, []int{0, 0, 1, 1}},
		{x[:1], 1, []int{0}},
		{[][]float64{{3}, {3}, {3}}, 2, []int{0, 0, 0}},
	} {
		if got, err := clusterRows(c.x, c.k); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v in %d classes: %v, %v", c.x, c.k, got, err)
		}
	}
}

func TestSymbolErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{column: size, bins: 1}":                     "1 bins",
		"{column: size, kind: percentile, bins: 0}":   "0 bins",
		"{column: size, kind: encode, bins: 1}":       "1 bins",
		"{column: size, kind: encode, clusters: 1}":   "1 cluster",
		"{column: size, clusters: 3}":                 "go with kind encode",
		"{kind: encode}":                              "names no column",
		"{column: host, kind: encode}":                "holds categories",
		"{column: host, kind: frequency}":             "holds categories",
		"{column: size, kind: encode, level: [hots]}": `"hots"`,
	} {
		doc, err := settings.Parse("s.yaml", []byte("{key: [host], symbols: ["+text+"]}"))
		if err != nil {
			t.Fatal(err)
		}
		s := DefaultTraces()
		got := fmt.Sprint(doc.Decode(&s))
		if got == "" {
			_, err := s.Fit(context.Background(), sizes(1, 2, 3), Rows{Benign: []int32{0, 1, 2}})
			got = fmt.Sprint(err)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", text, got, want)
		}
	}
}
