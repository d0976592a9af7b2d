package audit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/data"
	"plumbline/data/split"
	"plumbline/numeric/stat"
)

// days is five days of 200 benign rows and 60 attacks. From day change on benign sizes come from another range; id
// numbers the rows, draw is drawn for each, and a worm's rows differ in nothing else.
func days(change int) (*data.Table, *split.Split) {
	r := rand.New(rand.NewPCG(1, 2))
	t := &data.Table{Name: "days", Classes: []string{"ok", "worm", "ghost"}, Columns: []data.Column{
		{Name: "at", Type: data.Time}, {Name: "size", Type: data.Number}, {Name: "draw", Type: data.Number},
		{Name: "id", Type: data.Number}, {Name: "kind", Type: data.Category, Levels: []string{"a", "b"}}}}
	add := func(day int, class uint32, size float64) {
		t.Columns[0].Nanos = append(t.Columns[0].Nanos,
			time.Date(2018, 2, 26+day, 0, 0, 0, t.Rows, time.UTC).UnixNano())
		t.Columns[1].Num = append(t.Columns[1].Num, size)
		t.Columns[2].Num = append(t.Columns[2].Num, math.Floor(r.Float64()*1e6)/7)
		t.Columns[3].Num = append(t.Columns[3].Num, float64(1000+t.Rows))
		t.Columns[4].Code = append(t.Columns[4].Code, uint32(r.IntN(2)))
		t.Attack, t.Class = append(t.Attack, class > 0), append(t.Class, class)
		t.Rows++
	}
	for day := range 5 {
		for range 200 {
			size := r.NormFloat64()
			if day >= change {
				size += 4
			}
			add(day, 0, size)
		}
		for range 60 {
			add(day, 1, 77)
		}
	}
	t.Origins = []data.Origin{{Rows: t.Rows}}
	sp := &split.Split{}
	for i := range int32(t.Rows) {
		if i%2 == 0 {
			sp.Train = append(sp.Train, i)
		} else {
			sp.Test = append(sp.Test, i)
		}
	}
	return t, sp
}

// TestBreakHasADate: the day is named from which on benign rows are others, and none where they stay.
func TestBreakHasADate(t *testing.T) {
	for change, want := range map[int]string{1: "2018-02-27", 3: "2018-03-01", 5: ""} {
		tb, sp := days(change)
		r, err := Table(context.Background(), tb, sp)
		if err != nil {
			t.Fatal(err)
		}
		d := r.Drift
		if d == nil || len(d.Periods) != 5 || d.Periods[0].Rows != 200 {
			t.Fatalf("%+v", d)
		}
		if d.Break != want || want != "" && d.BreakMost[0] != "size" {
			t.Errorf("change at day %d: break %q of %.3f by %v", change, d.Break, d.BreakPSI, d.BreakMost)
		}
		said := strings.Contains(fmt.Sprint(r.Findings), "benign rows from "+want)
		if said != (want != "") {
			t.Errorf("change at day %d: findings %v", change, r.Findings)
		}
	}
}

// TestStabilityIndex against the sum by hand: shares 50/100 and 25/100 with half a row more in each of two bins.
func TestStabilityIndex(t *testing.T) {
	p, q := 50.5/101, 25.5/101
	want := (q-p)*math.Log(q/p) + ((1-q)-(1-p))*math.Log((1-q)/(1-p))
	if got := stat.StabilityIndex([]float64{50, 50, 0}, []float64{25, 75, 0}); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, by hand %v", got, want)
	}
	if got := stat.StabilityIndex([]float64{3, 9}, []float64{3, 9}); got != 0 {
		t.Error("equal shares:", got)
	}
}

func smell(t *testing.T, r *Report, name string) Smell {
	t.Helper()
	for _, s := range r.Smells {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no smell %q", name)
	return Smell{}
}

func TestSmells(t *testing.T) {
	if len(sniffed(t)) != 6 {
		t.Error("there are six smells")
	}
	tb, sp := days(5)
	r, err := Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Identifiers) != 1 || r.Identifiers[0] != "id" {
		t.Errorf("identifiers %v", r.Identifiers)
	}
	// a worm's rows are two, by kind, but for a value that is drawn for each
	if s := smell(t, r, "artificial diversity"); !s.Found || !strings.Contains(s.Text, "by draw") {
		t.Error(s)
	}
	if s := smell(t, r, "highly dependent features"); !s.Found || !strings.Contains(s.Text, "1 columns alone") {
		t.Error(s)
	}
	for _, name := range []string{"wrong labels", "unclear ground truth", "traffic collapse", "poor diversity"} {
		if s := smell(t, r, name); s.Found {
			t.Error(s)
		}
	}
	// without that the worm is one row in two, and ids alone keep its rows apart
	tb.Columns = append(tb.Columns[:2:2], tb.Columns[3:]...)
	if r, err = Table(context.Background(), tb, sp); err != nil {
		t.Fatal(err)
	}
	if r.Features.All != 0 || r.Bare.All != 298 {
		t.Errorf("%d rows repeat with the id, %d without, want 0 and 298", r.Features.All, r.Bare.All)
	}
	if s := smell(t, r, "poor diversity"); !s.Found || !strings.Contains(s.Text, "worm (99.3 %)") {
		t.Error(s)
	}
	if s := smell(t, r, "traffic collapse"); !s.Found { // of two rows one has more than half
		t.Error(s)
	}
	// half of the worm's rows under another class's name, and a few called benign
	for i := range tb.Rows {
		if tb.Attack[i] && i%2 == 0 {
			tb.Class[i] = 2
		}
	}
	for i, n := 0, 0; n < 3; i++ {
		if tb.Attack[i] {
			tb.Attack[i], tb.Class[i] = false, 0
			n++
		}
	}
	if r, err = Table(context.Background(), tb, sp); err != nil {
		t.Fatal(err)
	}
	if s := smell(t, r, "unclear ground truth"); !s.Found || !strings.Contains(s.Text, "worm (100.0 %)") {
		t.Error(s)
	}
	if s := smell(t, r, "wrong labels"); !s.Found {
		t.Error(s)
	}
}

// sniffed is the smells of a table.
func sniffed(t *testing.T) []Smell {
	t.Helper()
	tb, sp := table()
	r, err := Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	return r.Smells
}

// TestStrayRow: a benign row far before the others makes no period, no break, and no tenths that all but one are empty.
func TestStrayRow(t *testing.T) {
	for change, want := range map[int]string{5: "", 3: "2018-03-01"} {
		tb, sp := days(change)
		tb.Columns[0].Nanos[0] = 0 // 1970
		r, err := Table(context.Background(), tb, sp)
		if err != nil {
			t.Fatal(err)
		}
		d := r.Drift
		if d == nil || len(d.Periods) != 5 || d.Periods[0].Rows != 200 || d.Periods[0].From != "2018-02-26" ||
			d.Break != want {
			t.Errorf("%+v, want the break %q", d, want)
		}
	}
	var nanos []int64
	var rows []int32
	begin := time.Date(2020, 5, 4, 3, 0, 0, 0, time.UTC).UnixNano()
	for i := range int32(1000) {
		nanos, rows = append(nanos, begin+int64(i)*int64(time.Second)), append(rows, i)
	}
	nanos[17] = 0
	period, from := periods(&data.Column{Nanos: nanos}, rows)
	count := make([]int, len(from))
	for _, p := range period {
		count[p]++
	}
	if len(from) != 10 || from[0] != "2020-05-04T03:00:00Z" || slices.Min(count) < 90 {
		t.Errorf("%v %v", from, count)
	}
}
