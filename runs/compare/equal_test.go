package compare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// ended is a run directory with one cell, as text.
type ended struct{ results, scores string }

func (r ended) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cell := filepath.Join(dir, "cells", "d", "m", "s1")
	if err := os.MkdirAll(cell, 0o755); err != nil {
		t.Fatal(err)
	}
	if r.results != "" {
		if err := os.WriteFile(filepath.Join(dir, "results.csv"), []byte(r.results), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if r.scores != "" {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cell, "scores.csv.zst"), z.EncodeAll([]byte(r.scores), nil), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var sound = ended{
	"data,auroc,fit_seconds,cell\nd,0.5,1.25,cells/d/m/s1\n",
	"row,unit,score,attack,class\n0,0,0.25,0,benign\n1,1,0.75,1,scan\n",
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*ended)
		want   string // in the one difference; empty: equal
	}{
		{"the same", func(*ended) {}, ""},
		{"another time", func(r *ended) { r.results = strings.Replace(r.results, "1.25", "9", 1) }, ""},
		{"another figure", func(r *ended) { r.results = strings.Replace(r.results, "0.5", "0.6", 1) },
			"cells/d/m/s1: auroc: 0.5, 0.6"},
		{"an undefined figure", func(r *ended) { r.results = strings.Replace(r.results, "0.5", "", 1) }, "auroc: 0.5, empty"},
		{"a last bit", func(r *ended) { r.scores = strings.Replace(r.scores, "0.75", "0.7500000000000001", 1) },
			`scores (1 of 3 lines, by up to 1.11e-16): ["1" "1" "0.75"`},
		{"another truth", func(r *ended) { r.scores = strings.Replace(r.scores, "1,scan", "0,benign", 1) },
			"scores (1 of 3 lines, by up to 0)"},
		{"a line less", func(r *ended) { r.scores = strings.TrimSuffix(r.scores, "1,1,0.75,1,scan\n") },
			"scores (1 of 3 lines"},
		{"no scores", func(r *ended) { r.scores = "" }, "scores: are kept, are not kept"},
		{"another cell", func(r *ended) { r.results = strings.Replace(r.results, "/s1", "/s2", 1) },
			"cells/d/m/s1: cell: is there, is not there"},
		{"a column less", func(r *ended) { r.results = "data,cell\nd,cells/d/m/s1\n" },
			"column auroc of results.csv: is there, is not there"},
		{"a column more", func(r *ended) { r.results = "data,new,auroc,cell\nd,7,0.5,cells/d/m/s1\n" },
			"column new of results.csv: is not there, is there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := sound
			c.change(&other)
			e, err := Equal(sound.write(t), other.write(t), Measured, 0)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(e.Differences) != 0 || e.Cells != 1 || e.Scores != 1 {
					t.Errorf("%+v", e)
				}
				return
			}
			if len(e.Differences) == 0 || !strings.Contains(e.Differences[0].String(), c.want) {
				t.Errorf("%v, want %q", e.Differences, c.want)
			}
		})
	}
}

// TestEqualNamesModelSeeds: of a fold that differs it is said that its model had another seed. One of an earlier
// version had the cell's.
func TestEqualNamesModelSeeds(t *testing.T) {
	other := sound
	other.scores = strings.Replace(sound.scores, "0.75", "0.5", 1)
	one, two := sound.write(t), other.write(t)
	for dir, status := range map[string]string{
		one: `{"result": {"seed": 3}}`, two: `{"result": {"seed": 3, "model_seed": 1234}}`} {
		if err := os.WriteFile(filepath.Join(dir, "cells/d/m/s1/status.json"), []byte(status), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Equal(one, two, Measured, 0)
	if err != nil || len(e.Differences) != 2 || e.Differences[1].String() != "cells/d/m/s1: seed of the model: 3, 1234" {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err = Equal(two, two, Measured, 0); err != nil || len(e.Differences) != 0 {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err = Equal(two, sound.write(t), Measured, 0); err != nil || len(e.Differences) != 1 {
		t.Errorf("without a status: %+v, %v", e, err)
	}
}

// TestEqualIgnores: a column that is named is not compared, others are.
func TestEqualIgnores(t *testing.T) {
	other := ended{strings.NewReplacer("0.5", "0.6", "1.25", "9").Replace(sound.results), sound.scores}
	for ignore, want := range map[string]int{"": 2, "auroc": 1, "auroc,fit_seconds": 0} {
		e, err := Equal(sound.write(t), other.write(t), strings.Split(ignore, ","), 0)
		if err != nil || len(e.Differences) != want {
			t.Errorf("without %q: %v, %v; want %d differences", ignore, e.Differences, err, want)
		}
	}
}

func TestEqualRefuses(t *testing.T) {
	good := sound.write(t)
	for name, c := range map[string]struct {
		other ended
		want  string
	}{
		"no results":      {ended{"", ""}, "has no results.csv"},
		"no cells":        {ended{"a,b\n1,2\n", ""}, "no column cell"},
		"an empty file":   {ended{"\n", ""}, "no column cell"},
		"a path outside":  {ended{"cell\n../../x\n", ""}, `"../../x" is no cell`},
		"a cell twice":    {ended{"cell\nx\nx\n", ""}, ":3: cell x is there twice"},
		"a ragged row":    {ended{"cell,b\nx\n", ""}, "wrong number of fields"},
		"damaged scores":  {ended{sound.results, "row\n\"\n"}, "scores.csv.zst"},
		"ragged scores":   {ended{sound.results, "row,unit\n1\n"}, "wrong number of fields"},
		"missing folders": {ended{}, "results.csv"},
	} {
		if _, err := Equal(good, c.other.write(t), Measured, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestTolerance: what numbers alone differ in is within a tolerance or not; truths, texts and lines that are missing
// never are.
func TestTolerance(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           string // with a tolerance of one in a thousand
	}{
		{"nothing", "x", "x", ByteEqual},
		{"a score by little", "0.75", "0.7504", ToleranceEqual},
		{"a score by much", "0.75", "0.76", Different},
		{"a truth", "1,scan", "0,benign", Different},
		{"a line", "1,1,0.75,1,scan\n", "", Different},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sound
			r.scores = strings.Replace(r.scores, c.from, c.to, 1)
			e, err := Equal(sound.write(t), r.write(t), Measured, 1e-3)
			if err != nil || e.Verdict() != c.want || e.Verdicts["cells/d/m/s1"] != c.want || e.Count(c.want) != 1 {
				t.Errorf("%v: %s, %v, want %s", err, e.Verdict(), e.Verdicts, c.want)
			}
		})
	}
	r := sound
	r.results = strings.Replace(r.results, "0.5", "", 1) // undefined is no number
	if e, err := Equal(sound.write(t), r.write(t), Measured, 0.9); err != nil || e.Verdict() != Different {
		t.Error(err, e)
	}
}
