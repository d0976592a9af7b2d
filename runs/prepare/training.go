package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/runs/experiment"
)

// Training is the training part of a data set's split as a table of its own. No row of the test part is in it, nor a
// level or a class that only test rows have, nor a way to the files: what is fitted to it, chosen by it and judged on
// it cannot depend on the test part.
type Training struct {
	table  *data.Table
	set    experiment.DataSet
	report *source.ReadReport
	memory int64
}

// ErrFolds is wrapped by the error about a split that has several test parts.
var ErrFolds = errors.New("the split has several test parts")

// ReadTraining reads the training part of a data set, with the rows that its split holds out for thresholds. Where the
// files say what is training, the others are not opened, unless the split takes a sample of both or moves attacks from
// one to the other. Attacks that models without labels take for benign are benign here, and those that models with
// labels are not shown are left out.
func ReadTraining(ctx context.Context, set *experiment.DataSet, f source.Finder, workers int, memory int64) (
	*Training, error,
) {
	name, spec := set.Config.Name, set.Split
	if n := len(spec.FoldNames()); n > 1 {
		return nil, fmt.Errorf("runs: %s: %w, %d of kind %s: training rows of one are test rows of another", name, ErrFolds,
			n, spec.Kind)
	}
	config, err := set.Config.TrainingFiles()
	if err != nil {
		return nil, err
	}
	alone := spec.Kind == "official" && spec.Rows == 0 && spec.Contamination == 0 &&
		set.Attacks == 0
	if !alone {
		config = set.Config
	}
	f.Memory = memory
	t, report, err := source.Read(ctx, config, f, workers)
	if err != nil {
		return nil, err
	}
	out := &Training{set: *set, report: report, memory: memory}
	out.set.Config, out.set.Doc, out.set.Evasion = &source.Config{Name: name, Label: config.Label}, settings.Node{}, nil
	out.set.Attacks, out.set.MinFlows = 0, 0
	if alone {
		out.table = t.Only(rowsOf(t, data.PartTrain))
	} else if out.table, err = cutOut(t, set); err != nil {
		return nil, err
	}
	if out.table.Rows == 0 {
		return nil, fmt.Errorf("runs: %s: no training rows", name)
	}
	return out, nil
}

func rowsOf(t *data.Table, part data.Part) (rows []int32) {
	for i := range int32(t.Rows) {
		if t.Parts == nil || t.Parts[i] == part {
			rows = append(rows, i)
		}
	}
	return rows
}

// cutOut takes the training part out of a table that holds the test part too.
func cutOut(t *data.Table, set *experiment.DataSet) (*data.Table, error) {
	sp, err := set.Split.Fold(t, 0)
	if err != nil {
		return nil, err
	}
	l := &live{Table: t, split: sp, labelled: t}
	train := sp.Train
	if n := set.Attacks; n > 0 {
		if err := l.show(set.Split, 0, n); err != nil {
			return nil, err
		}
		train = sp.Labelled(t)
	}
	if set.Split.Unlabelled != "all" && len(sp.Contaminants)+len(sp.Accused) > 0 {
		t = masked(t, sp)
	}
	rows := slices.Concat(train, sp.Valid)
	slices.Sort(rows)
	return t.Only(rows), nil
}

// Count is how many benign rows and attacks the training part has.
func (t *Training) Count() (benign, attacks int) {
	rows := make([]int32, t.table.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	return t.table.Count(rows)
}

// Name is that of the data set.
func (t *Training) Name() string { return t.table.Name }

// Warnings are what reading left to say.
func (t *Training) Warnings() []string { return t.report.Warnings }

// Set is what is left of the data set's settings: its name, unit and split, no files.
func (t *Training) Set() *experiment.DataSet { return &t.set }

// Sum is a hash of the rows, their values and truth.
func (t *Training) Sum() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for i := range t.table.Columns {
		c := &t.table.Columns[i]
		enc.Encode([]any{c.Name, c.Type.String(), c.Levels})
	}
	enc.Encode(t.table.Classes)
	var row []byte
	for r := range int32(t.table.Rows) {
		row = row[:0]
		for i := range t.table.Columns {
			row = t.table.Columns[i].AppendKey(row, r)
		}
		if t.table.Attack != nil {
			row = fmt.Appendf(row, " %v", t.table.Attack[r])
		}
		if t.table.Class != nil {
			row = fmt.Appendf(row, " %d", t.table.Class[r])
		}
		h.Write(append(row, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Source splits the training part once more, and prepares what the split makes of it: the test part of that source is
// training rows.
func (t *Training) Source(inner split.SplitSpec, steps prep.Spec, traces *prep.TraceSpec, workers int) *Source {
	set := t.set
	set.Split, set.Prep, set.Traces = inner, steps, traces
	return &Source{Set: &set, Workers: workers, Memory: t.memory, table: t.table, report: t.report, fixed: true}
}

// AttackClasses is how many attack classes the training part has.
func (t *Training) AttackClasses() int {
	seen := map[uint32]bool{}
	for i, attack := range t.table.Attack {
		if attack {
			seen[t.table.Class[i]] = true
		}
	}
	return len(seen)
}
