package foreign

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/experiment"
)

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scores.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadTable: columns are found by name, and what is wrong is said with its line.
func TestReadTable(t *testing.T) {
	tab, err := readTable(write(t, "class,score,attack,row\na,1.5,0,3\n\"b,\nc\",-2e3,1,0\n"), "scores.csv", 4)
	if err != nil {
		t.Fatal(err)
	}
	if tab.score[3] != 1.5 || tab.score[0] != -2000 || !math.IsNaN(tab.score[1]) || tab.attack[0] != 1 ||
		tab.attack[1] != -1 {
		t.Errorf("%v %v", tab.score, tab.attack)
	}
	marked, err := readTable(write(t, "\ufeffrow,score\r\n2,7\r\n"), "scores.csv", 4)
	if err != nil || marked.score[2] != 7 {
		t.Errorf("with a byte-order mark: %v", err)
	}
	for text, want := range map[string]string{
		"":                                "no header",
		"row,value\n0,1\n":                ":1: want a header",
		"row,score\n0,1\nx,2\n":           `:3: row "x" is no row number`,
		"row,score\n4,1\n":                ":2: row 4: the data set has the rows 0 to 3",
		"row,score\n-1,1\n":               ":2: row -1",
		"row,score\n1,1\n2,1\n1,3\n":      ":4: row 1 has a score in line 2 already",
		"row,score\n1,NaN\n":              `:2: score "NaN" is no finite number`,
		"row,score\n1,inf\n":              `:2: score "inf"`,
		"row,score\n1,\n":                 `:2: score ""`,
		"row,score\n1,2,3\n":              "wrong number of fields",
		"row,score,attack\n1,2,perhaps\n": `:2: attack "perhaps"`,
	} {
		if _, err := readTable(write(t, text), "scores.csv", 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestScoresOfSet: a set's rows are looked up, and those that lack a score are counted.
func TestScoresOfSet(t *testing.T) {
	tab, err := readTable(write(t, "row,score,attack\n5,0.5,1\n2,0.2,0\n"), "scores.csv", 6)
	if err != nil {
		t.Fatal(err)
	}
	set := func(rows ...int32) *data.Set {
		return &data.Set{Kind: data.Vectors, N: len(rows), D: 1, X: make([]float32, len(rows)), Rows: rows}
	}
	if got, err := tab.of(set(2, 5, 2)); err != nil || !slices.Equal(got, []float64{0.2, 0.5, 0.2}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := tab.of(set(2, 1, 3)); err == nil || errors.Is(err, ErrNoRows) ||
		!strings.Contains(err.Error(), "2 of 3 rows (first: row 1)") {
		t.Error(err)
	}
	if _, err := tab.of(set(0, 1)); !errors.Is(err, ErrNoRows) {
		t.Error(err)
	}
	if _, err := tab.of(&data.Set{Kind: data.Traces, N: 1}); !errors.Is(err, models.ErrInput) {
		t.Error(err)
	}
	units := func(rows ...int32) *experiment.Units {
		return &experiment.Units{First: rows, Truth: eval.Truth{Attack: make([]bool, len(rows))}}
	}
	if err := tab.agrees(units(2, 1)); err != nil {
		t.Error(err)
	}
	if err := tab.agrees(units(5)); err == nil ||
		!strings.Contains(err.Error(), "row 5 has attack 1, and the data set has 0") {
		t.Error(err)
	}
}

// TestFill: names in braces stand for what the cell is; one that stands for nothing is refused.
func TestFill(t *testing.T) {
	for _, c := range []struct{ fold, want string }{{"f2", "mine-kdd-7-f2.csv"}, {"", "mine-kdd-7.csv"}} {
		d := cell{env: models.Env{Seed: 99}, at: &Place{Data: "kdd", Label: "l", Seed: 7, Fold: c.fold}}
		if got := d.fill("mine-{data}-{seed}-{fold}.csv"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for text, want := range map[string]string{"{data}{sed}": "sed", "{fold}": "", `{"a": 1}`: "", "{": "", "a}{x}": "x"} {
		if got, bad := unknownPlaceholder(text); got != want || bad != (want != "") {
			t.Errorf("%q: %q", text, got)
		}
	}
	for _, spec := range []models.Spec{&Scores{name: scores}, &Scores{name: scores, File: "{sed}"},
		&Command{name: command, Format: "npy"},
		&Command{name: command, Format: "npy", Run: []string{"x", "{dat}"}},
		&Command{name: command, Format: "npy", Run: []string{"x"}, Timeout: "1"},
		&Command{name: command, Format: "x", Run: []string{"x"}}} {
		if _, err := spec.New(models.Env{}); !errors.Is(err, models.ErrSpec) {
			t.Errorf("%+v: %v", spec, err)
		}
	}
	det, err := (&Scores{name: scores, File: "x"}).New(models.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := det.Fit(t.Context(), &data.Set{Kind: data.Vectors}); !errors.Is(err, errNoCell) {
		t.Error(err)
	}
	if _, err := det.Score(t.Context(), &data.Set{Kind: data.Vectors}); !errors.Is(err, models.ErrNotFitted) {
		t.Error(err)
	}
}

// TestOutput: the beginning and the end of what a program prints are kept.
func TestOutput(t *testing.T) {
	var o output
	o.Write([]byte("first\n"))
	for range 40 {
		o.Write([]byte(strings.Repeat("x", 1<<16)))
	}
	o.Write([]byte("\n\x1b[31mlast\x07\n\n"))
	var b strings.Builder
	if err := o.writeTo(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); len(text) > 3*keepEnds || !strings.HasPrefix(text, "first\n") ||
		!strings.HasSuffix(text, "last\x07\n\n") || !strings.Contains(text, "bytes are left out") {
		t.Errorf("%d bytes", len(text))
	}
	if got := o.last(); got != "[31mlast" {
		t.Errorf("%q", got)
	}
}

// FuzzReadTable: any bytes are a table whose scores are finite, or an error.
func FuzzReadTable(f *testing.F) {
	f.Add([]byte("row,score,attack\n0,1.5,0\n3,-2,1\n"))
	f.Add([]byte("row,score\n\"0\n\",1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tab, err := readTable(write(t, string(raw)), "scores.csv", 8)
		if err != nil {
			return
		}
		for _, v := range tab.score {
			if math.IsInf(v, 0) {
				t.Fatalf("%q: %v", raw, tab.score)
			}
		}
	})
}
