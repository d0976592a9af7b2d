package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/join"
)

// Join is a second table that says which rows are attacks: intervals with addresses and ports, or labels by a key.
type Join struct {
	// files of the second table, looked up as those of the data set
	Files []string `yaml:"files"`
	// the second table itself in place of files: lines of cells with commas between, the first with the names of the
	// columns
	Table string `yaml:"table"`
	// how the files are read; default delimited with a header, every column as text
	Format string `yaml:"format"`
	// settings of the format
	Options settings.Node `yaml:"options"`

	join.Spec `yaml:",inline"`

	config *Config // of the second table
}

// tableName stands for the name of a file in messages about a table that is written in the config.
const tableName = "label.join.table"

// decode checks the settings and makes the data config of the second table.
func (j *Join) decode(c *Config, at settings.Node) (ps settings.Problems) {
	add := func(err error) { ps = append(ps, at.Problem("%v", err)) }
	if (len(j.Files) == 0) == (j.Table == "") {
		add(errors.New("join needs either files or a table"))
	}
	if err := j.Spec.Check(); err != nil {
		add(err)
	}
	if j.Format == "" {
		j.Format = "delimited"
	}
	fresh, ok := formats[j.Format]
	if !ok {
		add(fmt.Errorf("unknown format %q%s", j.Format, settings.DidYouMean(j.Format, Formats())))
		return ps
	}
	j.config = &Config{
		Name: c.Name + " (join)", Format: j.Format, Folder: c.Folder, Options: j.Options, source: fresh(),
		Files: Files{Train: slices.Clone(j.Files)},
	}
	if j.config.Folder == "" {
		j.config.Folder = c.Name
	}
	if d, ok := j.config.source.(*Delimited); ok {
		d.Header, d.Separator, d.DefaultType = true, "auto", "category"
	}
	if j.Table != "" {
		j.config.Files.Train = []string{tableName}
	}
	ps = append(ps, j.Options.Decode(j.config.source)...)
	if len(ps) == 0 {
		ps = append(ps, j.config.source.Check(j.Options)...)
	}
	return ps
}

// read reads the second table. The origins are its files.
func (j *Join) read(ctx context.Context, f Finder, workers int) (*data.Table, *ReadReport, error) {
	if j.Table == "" {
		return Read(ctx, j.config, f, workers)
	}
	src, ok := j.config.source.(fileSource)
	if !ok {
		return nil, nil, fmt.Errorf("data: %s: format %s reads no text", j.config.Name, j.Format)
	}
	tb := newIntake(j.config)
	if err := src.Read(ctx, strings.NewReader(j.Table), tableName, tb.Builder, workers); err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", j.config.Name, err)
	}
	if tb.BadCount > 0 {
		return nil, nil, fmt.Errorf("data: %s: %s", j.config.Name, tb.Examples[0])
	}
	tb.origin(data.Origin{Name: tableName, Rows: tb.Rows}, 0)
	t, err := tb.finish()
	return t, &ReadReport{}, err
}

// joinTruth labels the rows of a table by the second one, and takes out those that the config leaves out.
func (b *intake) joinTruth(ctx context.Context, t *data.Table, f Finder, workers int) error {
	rule := b.config.Label
	second, report, err := rule.Join.read(ctx, f, workers)
	if err != nil {
		return err
	}
	b.Warnings = append(b.Warnings, report.Warnings...)
	res, err := join.Rows(t, second, rule.Join.Spec)
	if err != nil {
		return fmt.Errorf("data: %s: label: %w", t.Name, err)
	}
	truth, err := rule.joined(res)
	if err != nil {
		return fmt.Errorf("data: %s: label.join: %w", t.Name, err)
	}
	t.Attack, t.Class = make([]bool, t.Rows), make([]uint32, t.Rows)
	ids := data.NewInterner(&t.Classes)
	keep, out := make([]bool, t.Rows), 0
	for i, m := range res.Rows {
		v := outcome{drop: rule.Join.Unmatched == "drop", class: "benign"}
		if m >= 0 {
			v = truth[m]
		}
		if keep[i] = !v.drop; v.drop {
			out++
			continue
		}
		t.Attack[i], t.Class[i] = v.attack, uint32(ids.ID([]byte(v.class)))
	}
	for _, o := range second.Origins {
		if o.Path != "" {
			b.joined = append(b.joined, data.Origin{Path: o.Path, Name: o.Name, Bytes: o.Bytes, SHA256: o.SHA256})
		}
	}
	b.notes = append(b.notes, fmt.Sprintf("%d of %d rows are labelled by %d of the %d rows of %s",
		res.Fitted, t.Rows, res.Used, res.Rules, rule.Join.name()))
	if res.Fitted == 0 {
		said := fmt.Sprintf("%s: no row of %s fits a row", t.Name, rule.Join.name())
		if res.Spans != "" {
			said += " (" + res.Spans + ": are the clocks of one zone?)"
		}
		b.Warnings = append(b.Warnings, said)
	}
	if out == t.Rows {
		return fmt.Errorf("data: %s: label.join leaves no rows", t.Name)
	}
	if out > 0 {
		b.notes = append(b.notes, fmt.Sprintf("%d of %d rows are left out by label.join", out, t.Rows))
		t.Keep(keep)
	}
	return nil
}

func (j *Join) name() string {
	if len(j.Files) == 1 {
		return filepath.Base(j.Files[0])
	}
	return "label.join"
}

// joined is what each match of a join means.
func (l Label) joined(res *join.Result) ([]outcome, error) {
	labels := newLabeler(l)
	out := make([]outcome, len(res.Matches))
	for i, m := range res.Matches {
		v, name := outcome{attack: true}, "attack"
		if l.Join.Label != "" {
			text := labels.clean(m.Label)
			var err error
			if v, err = labels.label(text); err != nil {
				return nil, err
			}
			name = text
		}
		if class := labels.clean(m.Class); class != "" && !labels.noClass[SameLabel(class)] {
			name = class
		}
		if v.class != "" {
			name = v.class
		}
		if to, ok := labels.rename[SameLabel(name)]; ok {
			name = to
		}
		v.class = name
		out[i] = v
	}
	return out, nil
}
