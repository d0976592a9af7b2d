package compare

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"plumbline/runs/record"
)

// Measured are the columns of results.csv that differ between two executions of the same cells.
var Measured = []string{"fit_seconds", "score_seconds", "peak_rss_mb"}

// Equality is how far two run directories have the same results.
type Equality struct {
	Cells       int          `json:"cells"`       // cells that both have
	Scores      int          `json:"scores"`      // of them: cells whose scores were compared
	Differences []Difference `json:"differences"` // none: the runs are equal
	// Sets is the instruction set that was in force in each run, as its manifest says.
	Sets [2]string `json:"instruction_sets"`
	// Verdicts is, of each cell that both have: byte-equal, tolerance-equal or different.
	Verdicts map[string]string `json:"verdicts"`
}

// What a cell of two runs is.
const (
	ByteEqual      = "byte-equal"      // every bit of its scores and metrics
	ToleranceEqual = "tolerance-equal" // numbers that differ do so by no more than the tolerance
	Different      = "different"
)

// Verdict is that of the runs: the worst of their cells; different where one lacks something.
func (e *Equality) Verdict() string {
	worst := ByteEqual
	for _, d := range e.Differences {
		if !d.Near {
			return Different
		}
		worst = ToleranceEqual
	}
	return worst
}

// Count is how many cells have a verdict.
func (e *Equality) Count(verdict string) (n int) {
	for _, v := range e.Verdicts {
		if v == verdict {
			n++
		}
	}
	return n
}

// Difference is one place where two runs are not equal.
type Difference struct {
	Cell string `json:"cell"` // empty: of the whole run
	What string `json:"what"` // a column of results.csv, "scores", or what is missing
	One  string `json:"one"`  // the value in the first run
	Two  string `json:"two"`  // and in the second
	Near bool   `json:"within_tolerance"`
}

// String is the difference in one line.
func (d Difference) String() string {
	at := d.What
	if d.Cell != "" {
		at = d.Cell + ": " + d.What
	}
	return fmt.Sprintf("%s: %s, %s", at, d.One, d.Two)
}

// near says whether two numbers, as texts, are within the tolerance: of the larger one, or of 1 where both are smaller.
func near(x, y string, tolerance float64) bool {
	u, err := strconv.ParseFloat(x, 64)
	v, err2 := strconv.ParseFloat(y, 64)
	return err == nil && err2 == nil && math.Abs(u-v) <= tolerance*math.Max(1, math.Max(math.Abs(u), math.Abs(v)))
}

// Equal holds the results.csv and the scores of two finished run directories against each other, cell by cell.
// Scores are compared as text, which is their every bit; columns of results.csv that ignore names, such as
// [Measured], are left out. Numbers that differ by no more than the tolerance are differences that say so. The error
// says what cannot be read.
func Equal(one, two string, ignore []string, tolerance float64) (*Equality, error) {
	a, err := readTable(one)
	if err != nil {
		return nil, err
	}
	b, err := readTable(two)
	if err != nil {
		return nil, err
	}
	e := &Equality{Differences: []Difference{}, Verdicts: map[string]string{}}
	for i, dir := range []string{one, two} {
		var m record.Manifest
		if record.ReadJSON(dir, "manifest.json", &m) == nil {
			e.Sets[i] = m.Kernels
		}
	}
	shared := e.columns(a, b, ignore)
	for _, cell := range a.cells {
		row, ok := b.rows[cell]
		if !ok {
			e.add(cell, "cell", "is there", "is not there")
			continue
		}
		e.Cells++
		known := len(e.Differences)
		for _, c := range shared {
			if x, y := a.rows[cell][a.at[c]], row[b.at[c]]; x != y {
				e.add(cell, c, text(x), text(y))
				e.Differences[len(e.Differences)-1].Near = near(x, y, tolerance)
			}
		}
		if err := e.scores(one, two, cell, tolerance); err != nil {
			return nil, err
		}
		if len(e.Differences) > known {
			e.modelSeeds(one, two, cell)
		}
		e.Verdicts[cell] = ByteEqual
	}
	for _, cell := range b.cells {
		if _, ok := a.rows[cell]; !ok {
			e.add(cell, "cell", "is not there", "is there")
		}
	}
	for _, d := range e.Differences {
		switch _, both := e.Verdicts[d.Cell]; {
		case !both:
		case !d.Near:
			e.Verdicts[d.Cell] = Different
		case e.Verdicts[d.Cell] == ByteEqual:
			e.Verdicts[d.Cell] = ToleranceEqual
		}
	}
	return e, nil
}

func (e *Equality) add(cell, what, one, two string) {
	e.Differences = append(e.Differences, Difference{Cell: cell, What: what, One: one, Two: two})
}

func text(s string) string {
	if s == "" {
		return "empty"
	}
	return s
}

// columns is the columns that both have and that are compared; one that only one of them has is a difference.
func (e *Equality) columns(a, b *resultTable, ignore []string) (shared []string) {
	for _, c := range a.columns {
		switch _, ok := b.at[c]; {
		case slices.Contains(ignore, c):
		case !ok:
			e.add("", "column "+c+" of results.csv", "is there", "is not there")
		default:
			shared = append(shared, c)
		}
	}
	for _, c := range b.columns {
		if _, ok := a.at[c]; !ok && !slices.Contains(ignore, c) {
			e.add("", "column "+c+" of results.csv", "is not there", "is there")
		}
	}
	return shared
}

// resultTable is results.csv by cell.
type resultTable struct {
	columns, cells []string
	at             map[string]int // of a column
	rows           map[string][]string
}

func readTable(dir string) (*resultTable, error) {
	f, err := record.OpenFile(filepath.Join(dir, "results.csv"), record.MaxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("compare: %s has no results.csv: it is not the directory of a run that has ended", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("compare: %s: %w", f.Name(), err)
	}
	t := &resultTable{at: map[string]int{}, rows: map[string][]string{}}
	if len(lines) > 0 {
		t.columns = lines[0]
	}
	for i, c := range t.columns {
		t.at[c] = i
	}
	cell, ok := t.at["cell"]
	if !ok {
		return nil, fmt.Errorf("compare: %s: no column cell: not a results.csv", f.Name())
	}
	for i, row := range lines[1:] {
		name := row[cell]
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("compare: %s:%d: %q is no cell", f.Name(), i+2, name)
		}
		if t.rows[name] != nil {
			return nil, fmt.Errorf("compare: %s:%d: cell %s is there twice", f.Name(), i+2, name)
		}
		t.cells, t.rows[name] = append(t.cells, name), row
	}
	return t, nil
}

// scores compares a cell's scores line by line. Cells that both keep none are equal.
func (e *Equality) scores(one, two, cell string, tolerance float64) error {
	a, err := openScores(one, cell)
	if err != nil {
		return err
	}
	if a != nil {
		defer a.Close()
	}
	b, err := openScores(two, cell)
	if err != nil {
		return err
	}
	if b != nil {
		defer b.Close()
	}
	if a == nil || b == nil {
		if a != b {
			e.add(cell, "scores", kept(a), kept(b))
		}
		return nil
	}
	e.Scores++
	lines, differ, largest, within := 0, 0, 0.0, true
	first := [2]string{}
	for {
		x, err := a.Next()
		if err != nil {
			return err
		}
		y, err := b.Next()
		if err != nil {
			return err
		}
		if x == nil && y == nil {
			break
		}
		lines++
		if slices.Equal(x, y) {
			continue
		}
		if differ == 0 {
			first = [2]string{fmt.Sprintf("%q in line %d", x, lines), fmt.Sprintf("%q", y)}
		}
		differ++
		largest = math.Max(largest, distance(x, y))
		within = within && nearLines(x, y, tolerance)
	}
	if differ > 0 {
		what := fmt.Sprintf("scores (%d of %d lines, by up to %.3g)", differ, lines, largest)
		e.add(cell, what, first[0], first[1])
		e.Differences[len(e.Differences)-1].Near = within
	}
	return nil
}

// modelSeeds adds, of a cell that differs, that its model had another seed: versions before this one gave all folds the
// cell's.
func (e *Equality) modelSeeds(one, two, cell string) {
	var a, b record.Status
	for dir, st := range map[string]*record.Status{one: &a, two: &b} {
		if record.ReadJSON(dir, cell+"/status.json", st) != nil {
			return // there is nothing to be said of it
		}
	}
	of := func(r record.Result) string { return strconv.FormatUint(cmp.Or(r.ModelSeed, r.Seed), 10) }
	if x, y := of(a.Result), of(b.Result); x != y {
		e.add(cell, "seed of the model", x, y)
	}
}

// nearLines says whether two lines differ in their scores alone, and in these by no more than the tolerance.
func nearLines(x, y []string, tolerance float64) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && (i != scoreColumn || !near(x[i], y[i], tolerance)) {
			return false
		}
	}
	return true
}

const scoreColumn = 2 // row,unit,score,attack,class

// distance is how far the scores of two lines are from each other; 0 where one has none.
func distance(x, y []string) float64 {
	if len(x) <= scoreColumn || len(y) <= scoreColumn {
		return 0
	}
	u, err := strconv.ParseFloat(x[scoreColumn], 64)
	v, err2 := strconv.ParseFloat(y[scoreColumn], 64)
	if err != nil || err2 != nil {
		return 0
	}
	return math.Abs(u - v)
}

// openScores is nil where a cell keeps no scores.
func openScores(dir, cell string) (*record.ScoreLines, error) {
	s, err := record.OpenScores(dir, cell)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return s, err
}

func kept(s *record.ScoreLines) string {
	if s == nil {
		return "are not kept"
	}
	return "are kept"
}
