package dashboard

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
)

// TestScale: codes keep numbers to 0.05 %, whole ones of bytes and counts to a unit where they are small.
func TestScale(t *testing.T) {
	s := newScale([]float64{0, 3, math.NaN(), 1e12, math.Inf(1)})
	for _, v := range []float64{0, 1, 2, 40, 1500, 123456, 7e9, 1e12} {
		if got := s.value(s.code(v)); math.Abs(got-v) > 0.0005*v {
			t.Errorf("%v became %v", v, got)
		}
	}
	if s.code(math.NaN()) != none || !math.IsNaN(s.value(none)) || s.code(1e13) != none-1 || s.code(-1) != 0 {
		t.Error("missing values and those beyond the ends")
	}
	n := newScale([]float64{-100, 100})
	if got := n.value(n.code(-7)); math.Abs(got+7) > 0.01 {
		t.Error(got)
	}
	for _, odd := range [][]float64{nil, {math.NaN()}, {5}, {5, 5}} {
		if s := newScale(odd); !(s.Low < s.High) {
			t.Errorf("%v: %v", odd, s)
		}
	}
}

// TestAxis: at most maxBins bins whatever the span, edges are round, every time is in its bin.
func TestAxis(t *testing.T) {
	const second = int64(1e9)
	for _, span := range []int64{0, 1, 1e6, second, 3600 * second, 86_400 * second, 400 * 86_400 * second,
		200 * 365 * 86_400 * second} {
		for _, from := range []int64{-5 * second, 0, 1_700_000_000 * second} {
			nanos := []int64{from + span, data.NoTime, from}
			a := newAxis(nanos, 3)
			if a.Bins < 1 || a.Bins > maxBins || a.Missing != 1 || a.Rows {
				t.Errorf("span %d: %+v", span, a)
			}
			for _, v := range []int64{from, from + span} {
				if b := a.bin(floorDiv(v, 1e6)); b < 0 || b >= a.Bins {
					t.Errorf("span %d from %d: bin %d of %d", span, from, b, a.Bins)
				}
			}
			if a.Start%a.Step != 0 {
				t.Errorf("span %d: starts at %d, steps %d", span, a.Start, a.Step)
			}
		}
	}
	for _, n := range []int{1, 2, 288, 289, 1_000_000} {
		if a := newAxis(nil, n); !a.Rows || a.bin(int64(n-1)) != a.Bins-1 || a.Bins > maxBins {
			t.Errorf("%d rows: %+v", n, a)
		}
	}
	a := newAxis([]int64{0, 86_400 * second}, 2)
	if a.day() != 144 || a.slot(0) != 0 || a.slot(145) != 1 || a.width() != "10 minutes" {
		t.Errorf("%+v: day %d, slot %d, %s", a, a.day(), a.slot(145), a.width())
	}
}

// TestOrder: flows are in the order of time, those of equal times in that of their rows, those without at the end.
func TestOrder(t *testing.T) {
	table := &data.Table{Name: "x", Rows: 5, Columns: []data.Column{{Name: "ts", Type: data.Time,
		Nanos: []int64{5e9, data.NoTime, 1e9, 5e9, -3e9}}}}
	f := New(Input{Table: table})
	if want := []int32{4, 2, 0, 3, 1}; !slices.Equal(f.Row, want) || f.Bin[4] != nowhere || f.Axis.Missing != 1 {
		t.Errorf("%v, want %v; bins %v", f.Row, want, f.Bin)
	}
	if f.Mark != "" || slices.Contains(f.Lacks, "time") || !slices.Contains(f.Lacks, "src") {
		t.Errorf("mark %q, lacks %v", f.Mark, f.Lacks)
	}
}

// TestMarks: without a model attacks are marked, with one what is above its threshold; none without a threshold.
func TestMarks(t *testing.T) {
	table := &data.Table{Name: "x", Rows: 3, Attack: []bool{false, true, true}, Class: []uint32{0, 1, 1},
		Classes: []string{"benign", "scan"}}
	for _, c := range []struct {
		scores []float64
		limit  float64
		mark   string
		want   []uint8
	}{
		{nil, math.NaN(), "attack", []uint8{0, marked | attack, marked | attack}},
		{[]float64{5, math.NaN(), 6}, 5, "alarm", []uint8{0, attack, marked | attack}},
		{[]float64{5, 4, 6}, math.NaN(), "alarm", []uint8{0, attack, attack}},
	} {
		f := New(Input{Table: table, Scores: c.scores, Limit: c.limit})
		if f.Mark != c.mark || !slices.Equal(f.Flag, c.want) {
			t.Errorf("%v above %v: %q %v", c.scores, c.limit, f.Mark, f.Flag)
		}
	}
}

// TestSample: a sample has its size, is in order, is the same for the same seed, and is drawn evenly.
func TestSample(t *testing.T) {
	draw := func(seed uint64) *Flows {
		f := scored(5000, 7)
		f.Sample(1000, seed)
		return f
	}
	a, b, c := draw(1), draw(1), draw(2)
	if a.N != 1000 || a.Of != 5000 || !slices.Equal(a.Row, b.Row) || slices.Equal(a.Row, c.Row) {
		t.Error("not a sample of its seed")
	}
	half := 0
	for i := range a.N {
		if i > 0 && a.Bin[i] < a.Bin[i-1] {
			t.Fatal("out of order")
		}
		if a.Row[i] < 2500 {
			half++
		}
	}
	if half < 430 || half > 570 {
		t.Errorf("%d of 1000 are of the first half of the rows", half)
	}
}

// TestAgainst: shares of the profile are of its benign flows, new levels are found, times of day are compared.
func TestAgainst(t *testing.T) {
	day := int64(86_400_000_000_000)
	table := func(days []int64, proto []uint32, attack []bool) *data.Table {
		t := &data.Table{Name: "p", Rows: len(days), Classes: []string{"a", "b"}, Class: make([]uint32, len(days)),
			Attack: attack, Columns: []data.Column{{Name: "ts", Type: data.Time}, {Name: "proto", Type: data.Category,
				Levels: []string{"tcp", "udp", "icmp"}, Code: proto}}}
		t.Columns[0].Nanos = days
		return t
	}
	f := New(Input{Table: table([]int64{0, 0, 3600e9, 0}, []uint32{0, 2, 2, 2}, make([]bool, 4))})
	old := New(Input{Table: table([]int64{day, 2 * day, 3 * day, 3*day + 1}, []uint32{0, 0, 1, 2},
		[]bool{false, false, false, true})})
	f.Against(old)
	v := view(t, f, "", 1)
	if f.Profile.N != 3 || f.Profile.Days != 3 || f.Own() != 4 || v.Of != 4 || v.Profile != 3 {
		t.Errorf("%+v, %d, %+v", f.Profile, f.Own(), v)
	}
	if fresh := f.fresh("proto"); !slices.Equal(fresh, []int{3}) {
		t.Errorf("new: %v", fresh)
	}
	if v.Time.P[0] != 1 || v.Time.P[1] != 0 { // three flows at midnight in three days
		t.Errorf("%v", v.Time.P[:2])
	}
	if v.Dims["proto"].P != 3 || v.Dims["proto"].Top[0] != (Bar{"icmp", 3, 0, 0}) {
		t.Errorf("%+v", v.Dims["proto"])
	}
	if v = view(t, f, "time=3600000,3700000", 1); v.Profile != 0 || v.Kept != 1 {
		t.Errorf("of the second hour: %d, %d of the profile", v.Kept, v.Profile)
	}
}

// TestLevels: beyond the most levels the rarest are one, and numbers are categories too.
func TestLevels(t *testing.T) {
	const n = maxLevels + 100
	table := &data.Table{Name: "x", Rows: n + 3, Columns: []data.Column{{Name: "dport", Type: data.Number}}}
	for i := range n + 3 {
		table.Columns[0].Num = append(table.Columns[0].Num, float64(max(0, i-3)))
	}
	f := New(Input{Table: table})
	d := f.Dims[f.dim("service")]
	if d.Title != "Destination port" || d.Levels[0] != "0" || len(d.Levels) != maxLevels+1 ||
		d.Levels[maxLevels] != others {
		t.Errorf("%s: %d levels, %q first", d.Title, len(d.Levels), d.Levels[0])
	}
}

func TestCountries(t *testing.T) {
	c, err := ReadCountries(strings.NewReader("\uFEFFprefix,country\n# a remark\n192.0.2.0/24, nl\n192.0.2.128/25,DE,x\n" +
		"2001:db8::/32,FR\n"))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"192.0.2.1": "NL", "192.0.2.200": "DE", "::ffff:192.0.2.1": "NL",
		"2001:db8::1": "FR", "10.0.0.1": "", "host": "", "": ""} {
		if got := c.Country(address); got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	for _, bad := range []string{"", "prefix,country\n", "192.0.2.0/24\n", "192.0.2.0/24,NL\nx,NL\n", "192.0.2.0/24,NLD\n",
		"192.0.2.0/24,4!\n", "\"", "10.0.0.0/8,\xc3\x9f\n"} {
		if _, err := ReadCountries(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if len(places) < 200 {
		t.Errorf("%d places", len(places))
	}
	for code, p := range places {
		if len(code) != 2 || p.Name == "" || p.Lat < -90 || p.Lat > 90 || p.Lon < -180 || p.Lon > 180 {
			t.Errorf("%s: %+v", code, p)
		}
	}
}

// TestBudget: columns of incompressible flows with every role stay below their bytes, and a page below its own.
func TestBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("sizes")
	}
	f := scored(20_000, 12)
	for range maxNums - len(f.Nums) {
		f.Nums = append(f.Nums, f.Nums[0])
	}
	var b bytes.Buffer
	if err := f.Write(t.Context(), &b, 1, 2, nil); err != nil {
		t.Fatal(err)
	}
	p, err := f.pack()
	if err != nil {
		t.Fatal(err)
	}
	if each := float64(len(p.Block)) / float64(f.N); each > MaxFlow || f.N != 20_000 || len(f.Nums) < 2 {
		t.Errorf("%.1f bytes a flow of %d, with %d numbers", each, f.N, len(f.Nums))
	}
	const fixed = 220_000 // style, script, first view, texts
	if b.Len() > fixed+MaxFlow*f.N {
		t.Errorf("the page has %d bytes", b.Len())
	}
	if n := len(engineScript) + len(forecastScript) + len(figuresScript) + len(pageScript) + len(style); n > 80_000 {
		t.Errorf("scripts and style have %d bytes", n)
	}
}
