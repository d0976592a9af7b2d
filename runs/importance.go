package runs

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/prepare"
)

// importanceRows bounds the test rows that importances are taken over.
const importanceRows = 10_000

// Importance is importance.json: what a model loses without a column of the data.
type Importance struct {
	Rows    int                `json:"rows"`    // test rows, drawn by the seed where there are more
	Repeats int                `json:"repeats"` // orders of each column
	AUROC   eval.Number        `json:"auroc"`   // of these rows as they are
	Columns []ColumnImportance `json:"columns"` // the most important one first
}

// ColumnImportance is the AUROC that is lost when the values of a column of the table, and so all columns that are made
// of it, come in a random order: mean and standard deviation over the orders.
type ColumnImportance struct {
	Column     string      `json:"column"`
	Importance eval.Number `json:"importance"`
	SD         eval.Number `json:"sd"`
}

// importance writes importance.json, where it was asked for and rows are what is judged.
func (j *job) importance(ctx context.Context, det models.Detector, test *data.Set, m *eval.Metrics) error {
	if j.exp.Keep.Importance == 0 || test.Kind != data.Vectors {
		return nil
	}
	truth := j.data.Test.Truth.Attack
	if !j.bySample(test) || truth == nil || attacksIn(truth) == 0 || attacksIn(truth) == len(truth) {
		m.Warnings = append(m.Warnings, "no importance.json: it takes single rows with both labels as what is judged")
		return nil
	}
	r := models.Env{Seed: j.cell.Seed}.Rand("importance")
	rows := r.Perm(test.N)[:min(test.N, importanceRows)]
	slices.Sort(rows)
	sample := test.Subset(rows)
	sample.Attack = make([]bool, len(rows))
	for k, i := range rows {
		sample.Attack[k] = truth[i]
	}
	if n := attacksIn(sample.Attack); n == 0 || n == sample.N {
		m.Warnings = append(m.Warnings, "no importance.json: the sample of test rows has one label")
		return nil
	}
	var names []string
	var groups [][]int
	for c, name := range j.sources(test) {
		at := slices.Index(names, name)
		if at < 0 {
			at = len(names)
			names, groups = append(names, name), append(groups, nil)
		}
		groups[at] = append(groups[at], c)
	}
	score := func(ctx context.Context, s *data.Set) ([]float64, error) { return bundle.Score(ctx, det, s) }
	whole, mean, sd, err := prep.Importances(ctx, score, sample, groups, j.exp.Keep.Importance, r)
	if err != nil {
		return fmt.Errorf("importance: %w", err)
	}
	out := Importance{Rows: sample.N, Repeats: j.exp.Keep.Importance, AUROC: eval.Number(whole)}
	for i, name := range names {
		out.Columns = append(out.Columns, ColumnImportance{name, eval.Number(mean[i]), eval.Number(sd[i])})
	}
	slices.SortStableFunc(out.Columns, func(a, b ColumnImportance) int { return cmp.Compare(b.Importance, a.Importance) })
	return j.files.WriteJSON("importance.json", out)
}

// sources is, for each column of a set, the column of the table that it is made of; its own name where it is of
// several.
func (j *job) sources(s *data.Set) []string {
	out := s.ColumnNames()
	for c, f := range j.data.Pipeline(prepare.NeedsOf(j.cell.Entry.Info.Needs)).Features() {
		if f.Source != "" {
			out[c] = f.Source
		}
	}
	return out
}
