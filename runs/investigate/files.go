package investigate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"

	"plumbline/data"
	"plumbline/data/pseudonym"
	read "plumbline/data/source"
	"plumbline/runs/bundle"
)

// FileOptions is how files are investigated.
type FileOptions struct {
	All        bool              // sort every sample, not the alarms alone
	Pseudonyms *pseudonym.Mapper // of addresses; nil: as they are
}

// Files scores files with a model and sorts the samples that are above the threshold by cause, as [Investigate] does
// those of a cell. The files are read as a whole.
func Files(ctx context.Context, b *bundle.Bundle, in *bundle.Input, o FileOptions) (*Investigation, error) {
	if math.IsNaN(float64(b.Threshold.Score)) && !o.All {
		return nil, fmt.Errorf("runs: %s %w: %w", b.Path, ErrInvestigate,
			errors.New("it has no threshold, so nothing is an alarm; ask for all samples"))
	}
	t, _, err := read.Read(ctx, in.Config, in.Finder, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, o.Pseudonyms.Error(err, in.Named)
	}
	t.Origins = slices.Clone(t.Origins)
	for i := range t.Origins {
		t.Origins[i].Name = in.File(t.Origins[i].Name)
	}
	t = in.Table(t)
	scored, err := b.Score(ctx, t)
	if err != nil {
		return nil, o.Pseudonyms.Error(err, in.Named)
	}
	alarm := alarming(b, scored, o.All)
	causes, expected, err := why(ctx, b, scored, alarm)
	if err != nil {
		return nil, fmt.Errorf("runs: %s %w: %w", b.Path, ErrInvestigate, err)
	}
	inv := &Investigation{
		Cell: b.Path, Threshold: b.Threshold.Score, Samples: scored.Samples.N, Reasons: causes != nil,
	}
	shown := shownTable(b, t)
	for i := range shown.Columns {
		c := &shown.Columns[i]
		inv.Columns = append(inv.Columns, c.Name)
		*c = o.Pseudonyms.Column(*c)
	}
	for i := range causes {
		causes[i].Name = o.Pseudonyms.Words(causes[i].Name)
	}
	at := func(row int32) (int32, bool) { return row, int(row) < t.Rows }
	if err := inv.sort(shown, at, scored.Samples, scored.Raw, causes, expected, alarm); err != nil {
		return nil, err
	}
	if o.Pseudonyms != nil && b.Tracer != nil {
		err = inv.rename(b, shown, t)
	}
	return inv, err
}

// shownTable is the columns of a table by which its flows are recognised, as a copy that shares their values.
func shownTable(b *bundle.Bundle, t *data.Table) *data.Table {
	names := shownColumns(b)
	out := *t
	out.Columns = nil
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type == data.Time || c.Type == data.Address || slices.Contains(names, c.Name) {
			out.Columns = append(out.Columns, *c)
		}
	}
	return &out
}

// rename gives the entities of findings the names that they have in the table that is shown.
func (inv *Investigation) rename(b *bundle.Bundle, shown, t *data.Table) error {
	hidden := *t
	hidden.Columns = slices.Clone(t.Columns)
	for i := range hidden.Columns {
		if c, err := shown.Column(hidden.Columns[i].Name); err == nil {
			hidden.Columns[i] = *c
		}
	}
	group, names, err := hidden.Groups(b.Tracer.Spec.Key)
	if err != nil {
		return err
	}
	for k := range inv.Groups {
		g := &inv.Groups[k]
		for i := range g.Flows {
			if f := &g.Flows[i]; f.Key != "" {
				f.Key = names[group[f.Row]]
			}
		}
		g.sum()
	}
	return nil
}

// Write writes investigation.json (the groups) and investigation.csv (a line for each alarm) by a function that makes
// files.
func (inv *Investigation) Write(file func(name string, fill func(w io.Writer) error) error) error {
	return errors.Join(
		file("investigation.json", func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(inv)
		}),
		file("investigation.csv", inv.WriteCSV))
}
