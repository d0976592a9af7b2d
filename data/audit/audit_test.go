package audit

import (
	"context"
	"math"
	"os"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/data/split"
)

// table: six rows, the first three train. Rows 0, 1 and 3 have equal features; row 3 is an attack.
func table() (*data.Table, *split.Split) {
	t := &data.Table{
		Name: "t", Rows: 6,
		Columns: []data.Column{
			{Name: "at", Type: data.Time, Nanos: []int64{1, 3, 2, 4, 5, 6}},
			{Name: "host", Type: data.Address, Levels: []string{"a", "b"}, Code: []uint32{0, 0, 1, 0, 1, 1}},
			{Name: "size", Type: data.Number, Num: []float64{1, 1, 2, 1, 9, 8}},
			{Name: "flat", Type: data.Number, Num: []float64{4, 4, 4, 4, 4, 4}},
			{
				Name:   "proto",
				Type:   data.Category,
				Levels: []string{"tcp", "udp"},
				Code:   []uint32{0, 0, 0, 0, 1, data.Missing},
			},
		},
		Attack: []bool{
			false,
			false,
			false,
			true,
			true,
			true,
		}, Class: []uint32{0, 0, 0, 1, 1, 2}, Classes: []string{"ok", "scan", "worm"},
		Origins: []data.Origin{{Rows: 6}},
	}
	return t, &split.Split{Train: []int32{0, 1, 2}, Test: []int32{3, 4, 5}}
}

func TestByHand(t *testing.T) {
	tb, sp := table()
	r, err := Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Repeats{All: 2, Train: 1, TrainOK: 1, Across: 1, Conflicts: 3}); r.Features != want {
		t.Errorf("features %+v, want %+v", r.Features, want)
	}
	if want := (Repeats{}); r.Whole != want {
		t.Errorf("whole rows %+v, want %+v", r.Whole, want)
	}
	if g := r.Groups[0]; len(r.Groups) != 1 || g.Groups != 2 || g.Both != 2 || g.TestIn != 3 {
		t.Errorf("groups %+v", r.Groups)
	}
	if r.Disordered["at"] != 1 || r.BaseRate != 1 {
		t.Errorf("disordered %v, base rate %v", r.Disordered, r.BaseRate)
	}
	columns := map[string]Column{}
	for _, c := range r.Columns {
		columns[c.Name] = c
	}
	// size has few values, so each stands at its share of attacks: benign ⅓ ⅓ 0, attacks ⅓ 1 1; of nine
	// pairs seven are won, two tied
	if c := columns["size"]; math.Abs(c.AUROC-8.0/9) > 1e-12 || math.Abs(c.Stump-5.0/6) > 1e-12 || c.Distinct != 4 {
		t.Errorf("size %+v", c)
	}
	// proto: tcp holds a quarter attacks, udp and missing nothing else
	if c := columns["proto"]; math.Abs(c.AUROC-5.0/6) > 1e-12 || c.Missing != 1 || c.Distinct != 3 {
		t.Errorf("proto %+v", c)
	}
	kinds := map[string]bool{}
	for _, f := range r.Findings {
		kinds[f.Kind] = true
	}
	for _, k := range []string{
		"conflicts", "groups", "constant", "time", "small_class", "one_class", "duplicates", "overlap",
	} {
		if !kinds[k] {
			t.Errorf("no finding of kind %s: %+v", k, r.Findings)
		}
	}
	if !strings.Contains(r.Line(), "33.3 % occur in training") {
		t.Error(r.Line())
	}
	tb.Attack = nil
	if r, err := Table(context.Background(), tb, sp); err != nil || !r.Unlabelled || r.Test != len(sp.Test) ||
		!strings.Contains(r.Line(), "33.3 % occur in training") || strings.Contains(r.Line(), "conflicting") {
		t.Errorf("without labels: %+v, %v", r, err)
	}
}

// TestKnownFacts checks the audit against what is known of the data: KDD99's 10 % file has 145,586 distinct
// rows (Tavallaee and others 2009), 233,738 rows of its test file repeat an earlier one and 9,446 of the
// benign training rows do; NSL-KDD has no repeated rows within a file; the best single column of UNSW-NB15
// is one of time to live.
func TestKnownFacts(t *testing.T) {
	t.Run("kddcup99", func(t *testing.T) {
		r := shipped(t, "kddcup99", "kddcup99")
		if r.Whole.Train != 494021-145586 || r.Whole.Test != 233738 || r.Whole.TrainOK != 9446 {
			t.Errorf("repeated: %+v", r.Whole)
		}
		if !strings.Contains(r.Line(), "75.2 % of test rows repeat, 58.2 % occur in training") {
			t.Error(r.Line())
		}
	})
	t.Run("nsl-kdd", func(t *testing.T) {
		r := shipped(t, "nsl-kdd", "nsl-kdd")
		if r.Whole.Train != 0 || r.Whole.Test != 0 || r.Whole.Across != 610 || r.Features.Conflicts != 210 {
			t.Errorf("repeated: %+v, %+v", r.Whole, r.Features)
		}
	})
	t.Run("unsw-nb15-half", func(t *testing.T) {
		r := shipped(t, "unsw-nb15-half", "unsw-nb15")
		best := Column{}
		for _, c := range r.Columns {
			if c.AUROC > best.AUROC {
				best = c
			}
		}
		if best.Name != "ct_state_ttl" || math.Abs(best.AUROC-0.8600) > 5e-4 {
			t.Errorf("the best single column is %+v", best)
		}
	})
}

func shipped(t *testing.T, name, folder string) *Report {
	t.Helper()
	dir := datatest.Dir(t, folder)
	raw, err := os.ReadFile("../../configs/data/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := settings.Parse(name, raw)
	if err != nil {
		t.Fatal(err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	tb, _, err := source.Read(context.Background(), c, source.NewFinder(dir), 2)
	if err != nil {
		t.Fatal(err)
	}
	s := split.DefaultSplit()
	c.Split.Decode(&s)
	sp, err := s.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestConstantInTraining: a column that has one value in the benign training rows and others in test is named, by how
// many test rows have those.
func TestConstantInTraining(t *testing.T) {
	tb, sp := table()
	tb.Columns = []data.Column{
		{Name: "flag", Type: data.Number, Num: []float64{0, 0, 0, 1, 1, 0}},
		{Name: "same", Type: data.Number, Num: []float64{3, 3, 3, 3, 3, 3}},
		{Name: "free", Type: data.Number, Num: []float64{1, 2, 3, 4, 5, 6}},
		{Name: "proto", Type: data.Category, Levels: []string{"tcp", "udp"}, Code: []uint32{0, 0, 0, 0, 1, data.Missing}},
	}
	r, err := Table(context.Background(), tb, sp)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0, 0, 2} {
		if c := r.Columns[i]; c.Beyond != want {
			t.Errorf("%s: %d test rows are beyond training, want %d", c.Name, c.Beyond, want)
		}
	}
	n := 0
	for _, f := range r.Findings {
		if f.Kind == "constant" &&
			strings.Contains(f.Text, "has one value in the benign training rows, and another in 2 test rows") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d findings of columns that are constant in training, want 2: %+v", n, r.Findings)
	}
}
