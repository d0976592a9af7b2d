package eda

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/stat"
)

func init() { manyDistinct, windowRows, sampleRows = 4000, 4000, 8192 }

// flows is n rows of a network with times over three days, two hosts' addresses, sizes of many values, whole numbers,
// categories and missing values; attacks come in bursts of one host and are larger.
func flows(n int, seed uint64, labelled bool) *data.Table {
	r := rand.New(rand.NewPCG(seed, 1))
	t := &data.Table{Name: "flows", Rows: n, Origins: []data.Origin{{Name: "flows", Rows: n}}}
	when := data.Column{Name: "ts", Type: data.Time}
	src := data.Column{Name: "src", Type: data.Address, Levels: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "evil"}}
	size := data.Column{Name: "bytes", Type: data.Number}
	port := data.Column{Name: "dst_port", Type: data.Number}
	gap := data.Column{Name: "gap", Type: data.Number}
	proto := data.Column{Name: "proto", Type: data.Category, Levels: []string{"tcp", "udp", "icmp"}}
	same := data.Column{Name: "same", Type: data.Number}
	if labelled {
		t.Classes = []string{"ok", "flood"}
	}
	for i := range n {
		attack := labelled && i%1000 < 100
		when.Nanos = append(when.Nanos, int64(i)*3*86400/int64(n)*1e9+1_700_000_000*1e9)
		host, v := uint32(r.IntN(3)), math.Exp(5+2*r.NormFloat64())
		p := uint32(r.IntN(2))
		if attack {
			host, v, p = 3, math.Exp(8+r.NormFloat64()), 2*p
		}
		src.Code, size.Num, proto.Code = append(src.Code, host), append(size.Num, v), append(proto.Code, p)
		port.Num = append(port.Num, float64(r.IntN(1000)))
		g := float64(i % 7)
		if i%5 == 0 {
			g = math.NaN()
			proto.Code[i] = data.Missing
		}
		gap.Num, same.Num = append(gap.Num, g), append(same.Num, 3)
		if labelled {
			t.Attack = append(t.Attack, attack)
			t.Class = append(t.Class, map[bool]uint32{false: 0, true: 1}[attack])
		}
	}
	t.Columns = []data.Column{when, src, size, port, gap, proto, same}
	return t
}

// blocks gives a table to a collector in blocks of a size, with texts under each block's own codes.
func blocks(t *testing.T, c *Collector, table *data.Table, size int) *Collector {
	t.Helper()
	for from := 0; from < table.Rows; from += size {
		rows := make([]int32, 0, size)
		for i := from; i < min(from+size, table.Rows); i++ {
			rows = append(rows, int32(i))
		}
		part := table.Only(rows)
		if table.Class != nil { // classes are numbered alike in all blocks
			part.Classes, part.Class = table.Classes, table.Class[from:from+len(rows)]
		}
		if err := c.Add(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func report(t *testing.T, c *Collector, r Request) *Report {
	t.Helper()
	rep, err := c.Report(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func encoded(t *testing.T, r *Report) string {
	t.Helper()
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestSameWhateverBlocks: the report does not depend on how rows are cut into blocks, nor on the number of workers.
func TestSameWhateverBlocks(t *testing.T) {
	table := flows(70_000, 3, true)
	want := encoded(t, report(t, blocks(t, NewCollector(Options{Workers: 1}), table, table.Rows), Request{}))
	got := encoded(t, report(t, blocks(t, NewCollector(Options{Workers: 4}), table, 7001), Request{}))
	if want != got {
		t.Errorf("reports differ:\n%.3000s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

// TestPlainly: what the packed rows say is what plain loops over the table say.
func TestPlainly(t *testing.T) {
	table := flows(9_000, 5, true)
	c := blocks(t, NewCollector(Options{Workers: 2}), table, 1_000)
	if c.columns[2].raw == nil {
		t.Error("a column of values that do not repeat is kept by codes")
	}
	r := report(t, c, Request{Tests: []string{"bytes ~ label", "bytes ~ proto", "proto ~ src", "bytes ~ gap",
		"label ~ bytes"}})
	near := func(what string, got Number, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) <= 1e-9*math.Max(1e-3, math.Abs(want))) {
			t.Errorf("%s: %v, want %v", what, float64(got), want)
		}
	}
	v := table.Columns[2].Num
	f := r.Features[2]
	mean, sd := stat.MeanSD(v)
	sorted := slices.Sorted(slices.Values(v))
	near("mean", f.All.Mean, mean)
	near("sd", f.All.SD, sd)
	for k, q := range Quantiles {
		near(fmt.Sprint("quantile ", q), f.All.Quantiles[k], stat.Quantile(sorted, q))
	}
	if f.Distinct != len(slices.Compact(sorted)) || f.N != table.Rows || f.RankError != 0 {
		t.Errorf("%d values of %d rows", f.Distinct, f.N)
	}
	sum := 0.0
	for i := range f.Histogram.Benign {
		sum += f.Histogram.Benign[i] + f.Histogram.Attack[i]
	}
	if int(sum) != table.Rows {
		t.Errorf("the histogram has %v rows", sum)
	}
	// pairs where both are there
	var x, y []float64
	for i, g := range table.Columns[4].Num {
		if g == g {
			x, y = append(x, g), append(y, v[i])
		}
	}
	if r.Features[4].Missing != table.Rows-len(x) {
		t.Errorf("%d are missing", r.Features[4].Missing)
	}
	i, j := slices.Index(r.Pearson.Columns, "gap"), slices.Index(r.Pearson.Columns, "bytes")
	near("Pearson", r.Pearson.R[i][j], plainCorrelation(x, y))
	near("Pearson", r.Pearson.R[j][i], plainCorrelation(x, y))
	if k := slices.Index(r.Pearson.Columns, "same"); !math.IsNaN(float64(r.Pearson.R[k][i])) {
		t.Error("a constant column has a correlation")
	}
	// the table of two categories
	counts := make(hypothesis.Table, 3)
	for k := range counts {
		counts[k] = make([]float64, 4)
	}
	for i, p := range table.Columns[5].Code {
		if p != data.Missing {
			counts[p][table.Columns[1].Code[i]]++
		}
	}
	near("χ²", r.Questions[2].Tests[0].Statistic, hypothesis.Independence(counts).Statistic)
	if r.Questions[3].Effects[0].Name != "Spearman's ρ" || r.Questions[1].Effects[0].Name != "η², log scale" ||
		r.Questions[4].Effects[0].Name != "odds ratio of a standard deviation" {
		t.Errorf("%+v", r.Questions)
	}
	// the rows that lack a protocol lack a gap, and no others
	if len(r.Patterns) != 1 || r.Patterns[0].Rows != table.Rows/5 || !slices.Equal(r.Patterns[0].Columns,
		[]string{"gap", "proto"}) {
		t.Errorf("%+v", r.Patterns)
	}
	if r.Distinct != table.Rows || !r.Counted {
		t.Errorf("%d distinct rows", r.Distinct)
	}
	if n := len(r.Periods.From); n != 4 {
		t.Errorf("%d days", n)
	}
	rows := 0
	for i := range r.Course.Benign {
		rows += r.Course.Benign[i] + r.Course.Attack[i]
	}
	if rows != table.Rows || len(r.Course.Benign) > courseBins {
		t.Errorf("%d rows in %d bins", rows, len(r.Course.Benign))
	}
	if len(r.Windows) == 0 || r.Windows[0].AUROC < 0.9 || !strings.Contains(r.Windows[0].Derive, `key: ["src"]`) {
		t.Errorf("%+v", r.Windows)
	}
}

// TestStreamed: under a memory that holds nothing, columns are sketches whose ranks are within the error that is
// printed, moments are those of all rows, and correlations are those of the whole up to the sample's error.
func TestStreamed(t *testing.T) {
	table := flows(40_000, 7, true)
	whole := report(t, blocks(t, NewCollector(Options{}), table, 20_000), Request{})
	c := blocks(t, NewCollector(Options{Memory: 1 << 17, Seed: 1}), table, 500)
	r := report(t, c, Request{})
	if len(r.Streamed) == 0 || !slices.Contains(r.Streamed, "bytes") {
		t.Fatalf("streamed: %v", r.Streamed)
	}
	if !slices.ContainsFunc(r.Says, func(f Finding) bool {
		return f.Kind == "memory" && strings.Contains(f.Text,
			"±0.13 %")
	}) {
		t.Errorf("%v", r.Says)
	}
	sorted := slices.Sorted(slices.Values(table.Columns[2].Num))
	f, g := r.Features[2], whole.Features[2]
	for k, q := range f.All.Quantiles {
		first, _ := slices.BinarySearch(sorted, float64(q))
		if off := math.Abs(float64(first)/float64(len(sorted)) - Quantiles[k]); off > f.RankError {
			t.Errorf("the %v quantile is off by %v of the ranks", Quantiles[k], off)
		}
	}
	for name, pair := range map[string][2]Number{"mean": {f.All.Mean, g.All.Mean}, "sd": {f.All.SD, g.All.SD},
		"skewness": {f.All.Skewness, g.All.Skewness}, "kurtosis": {f.Attack.Kurtosis, g.Attack.Kurtosis}} {
		if math.Abs(float64(pair[0]-pair[1])) > 1e-8*math.Abs(float64(pair[1])) {
			t.Errorf("%s %v, of all rows %v", name, pair[0], pair[1])
		}
	}
	if f.N != g.N || math.Abs(float64(f.Distinct-g.Distinct)) > 0.04*float64(g.Distinct) {
		t.Errorf("%d rows, %d values; %d and %d", f.N, f.Distinct, g.N, g.Distinct)
	}
	if math.Abs(float64(f.AUROC-g.AUROC)) > 2*f.RankError {
		t.Errorf("AUROC %v, of all rows %v", f.AUROC, g.AUROC)
	}
	if r.Pearson.Rows < sampleRows || r.Pearson.Rows > 2*sampleRows {
		t.Errorf("a sample of %d rows", r.Pearson.Rows)
	}
	i, j := slices.Index(r.Spearman.Columns, "bytes"), slices.Index(r.Spearman.Columns, "attack")
	if off := math.Abs(float64(r.Spearman.R[i][j] - whole.Spearman.R[i][j])); off > 4/math.Sqrt(float64(sampleRows)) {
		t.Errorf("ρ %v, of all rows %v", r.Spearman.R[i][j], whole.Spearman.R[i][j])
	}
	if encoded(t, report(t, c, Request{})) != encoded(t, r) {
		t.Error("a second report says otherwise")
	}
	if a, b := encoded(t, r), encoded(t, report(t, blocks(t, NewCollector(Options{Memory: 1 << 17, Seed: 1, Workers: 3}),
		table, 500), Request{})); a != b {
		t.Error("the same rows give other sketches")
	}
}

// TestUnlabelled: without labels there are no classes and no usual questions, and pairs can be asked.
func TestUnlabelled(t *testing.T) {
	r := report(t, blocks(t, NewCollector(Options{}), flows(5000, 1, false), 999), Request{})
	if r.Labelled || r.Questions != nil || r.Windows != nil || !math.IsNaN(float64(r.Features[2].AUROC)) {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(r.Says[0].Text, "without labels") {
		t.Error(r.Says[0].Text)
	}
	c := blocks(t, NewCollector(Options{}), flows(5000, 1, false), 999)
	for pair, want := range map[string]string{"bytes ~ label": "no labels", "bytes": "want two columns", "byte ~ " +
		"gap": "no column",
		"gap ~ gap": "want two columns", "label ~ bytes > 3": "no labels"} {
		if _, err := c.Report(t.Context(), Request{Tests: []string{pair}}); err == nil || !strings.Contains(err.Error(),
			want) {
			t.Errorf("%s: %v", pair, err)
		}
	}
}

// TestAgainst: a column that moved is told from those that did not, new levels are counted, columns may lack.
func TestAgainst(t *testing.T) {
	a, b := flows(20_000, 1, true), flows(20_000, 2, true)
	for i := range b.Rows {
		b.Columns[2].Num[i] *= 10
	}
	b.Columns[5].Levels = []string{"tcp", "sctp", "icmp"}
	b.Columns[6].Name = "other"
	r := report(t, blocks(t, NewCollector(Options{}), a, 3000), Request{
		Against: blocks(t, NewCollector(Options{}), b, 3000)})
	size, port, proto := r.Features[2].Moved, r.Features[3].Moved, r.Features[5].Moved
	if size.Index < 0.5 || size.Distance < 0.3 || port.Index > 0.02 {
		t.Errorf("%+v, %+v", size, port)
	}
	if proto.NewLevels != 1 || proto.NewExamples[0] != "sctp" || proto.NewRows < 5000 {
		t.Errorf("%+v", proto)
	}
	if !slices.Equal(r.Against.Lacks, []string{"same"}) || !slices.Equal(r.Against.More,
		[]string{"other"}) || !r.Against.Benign {
		t.Errorf("%+v", r.Against)
	}
	var says []string
	for _, f := range r.Says {
		says = append(says, f.Text)
	}
	all := strings.Join(says, "\n")
	for _, want := range []string{"bytes (", "proto (1, ", "Columns that are not there: same"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said: %s", want, all)
		}
	}
}

// TestSmall: one row, one column, constant and empty columns, one class: a report, never a panic.
func TestSmall(t *testing.T) {
	nan := math.NaN()
	for name, table := range map[string]*data.Table{
		"one row": {Rows: 1, Columns: []data.Column{{Name: "a", Type: data.Number, Num: []float64{1}}}},
		"missing": {Rows: 2, Columns: []data.Column{{Name: "a", Type: data.Number, Num: []float64{nan, nan}}}},
		"infinities": {Rows: 3, Columns: []data.Column{{Name: "a", Type: data.Number, Num: []float64{math.Inf(1), 0,
			math.Inf(-1)}}}},
		"huge": {Rows: 3, Columns: []data.Column{{Name: "a", Type: data.Number,
			Num: []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64}}}},
		"texts": {Rows: 2, Columns: []data.Column{{Name: "a", Type: data.Category, Code: []uint32{0, data.Missing},
			Levels: []string{""}}}},
		"one class": {Rows: 2, Attack: []bool{true, true}, Class: []uint32{0, 0}, Classes: []string{"x"},
			Columns: []data.Column{{Name: "a", Type: data.Number, Num: []float64{1, 2}}}},
		"two rows": {Rows: 2, Attack: []bool{true, false}, Class: []uint32{1, 0}, Classes: []string{"x", "y"},
			Columns: []data.Column{{Name: "src_bytes", Type: data.Number, Num: []float64{1, 2}},
				{Name: "urgent", Type: data.Number, Num: []float64{0, 0}},
				{Name: "flag", Type: data.Category, Code: []uint32{0, 1}, Levels: []string{"S", "F"}},
				{Name: "proto", Type: data.Category, Code: []uint32{0, 0}, Levels: []string{"tcp"}},
				{Name: "t", Type: data.Time, Nanos: []int64{5, data.NoTime}}}},
		"no column": {Rows: 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewCollector(Options{Workers: 2})
			if err := c.Add(t.Context(), table); err != nil {
				t.Fatal(err)
			}
			r := report(t, c, Request{})
			if encoded(t, r); len(r.Says) == 0 {
				t.Error("nothing is said")
			}
		})
	}
	if _, err := NewCollector(Options{}).Report(t.Context(), Request{}); err == nil {
		t.Error("a report of nothing")
	}
}

// TestPeriod: counts that repeat every 24 bins have that period, noise has none.
func TestPeriod(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	wave, noise := make([]float64, 240), make([]float64, 240)
	for i := range wave {
		wave[i] = 100 + 50*math.Sin(2*math.Pi*float64(i)/24) + r.NormFloat64()
		noise[i] = r.NormFloat64()
	}
	if got := period(autocorrelation(wave, 100)); got != 24 {
		t.Errorf("period %d", got)
	}
	if got := period(autocorrelation(noise, 100)); got != 0 {
		t.Errorf("period %d of noise", got)
	}
	wave[200] += 500
	if z := rollingZ(wave, 48); z[200] < 5 || math.Abs(z[150]) > 4 {
		t.Errorf("z %v and %v", z[200], z[150])
	}
}

func TestP(t *testing.T) {
	for logP, want := range map[float64]string{math.Log(0.0356): "0.036", math.Log(3.02785e-67): "3.0e-67", 0: "1",
		math.Log(9.97e-6): "1.0e-5", math.Log(9.94e-6): "9.9e-6",
		-47847.9064: "8.3e-20781", math.NaN(): "undefined", math.Inf(-1): "0"} {
		if got := P(logP); got != want {
			t.Errorf("P(%v) = %s, want %s", logP, got, want)
		}
	}
}

// TestBeyond: columns that correlations leave out are said.
func TestBeyond(t *testing.T) {
	table := &data.Table{Name: "wide", Rows: 40, Origins: []data.Origin{{Name: "wide", Rows: 40}}}
	for j := range maxCorrelated + maxCategories + 5 {
		c := data.Column{Name: fmt.Sprintf("c%d", j), Type: data.Number}
		if j < maxCategories+2 {
			c.Type, c.Levels = data.Category, []string{"a", "b"}
		}
		for i := range table.Rows {
			c.Num, c.Code = append(c.Num, float64(i*j%7)), append(c.Code, uint32(i%2))
		}
		if c.Type == data.Category {
			c.Num = nil
		} else {
			c.Code = nil
		}
		table.Columns = append(table.Columns, c)
	}
	r := report(t, blocks(t, NewCollector(Options{Workers: 1}), table, 40), Request{})
	var got []string
	for _, f := range r.Says {
		if f.Kind == "pairs" {
			got = append(got, f.Text)
		}
	}
	want := []string{"Correlations: of the first 256 of the 259 columns of numbers.",
		"Cramér's V: of the first 24 of the 26 columns of categories."}
	if !slices.Equal(got, want) || len(r.Pearson.Columns) != maxCorrelated {
		t.Errorf("%q of %d columns, want %q", got, len(r.Pearson.Columns), want)
	}
}
