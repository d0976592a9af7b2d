package prepare

import (
	"slices"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/runs/record"
)

// dataManifest is what a fold holds, without warnings and audit.
func dataManifest(l *live, report *source.ReadReport, pipe *prep.Pipeline) record.DataManifest {
	t, parts := l.Table, l.split
	m := record.DataManifest{
		Name: t.Name, Rows: t.Rows, BadRows: report.Bad, Train: len(l.benign), Valid: len(parts.Valid), Test: len(parts.Test),
		Notes: append(slices.Clone(report.Notes), pipe.Notes...),
	}
	m.Shown = len(parts.Shown)
	for _, row := range parts.Shown {
		m.ShownRows = append(m.ShownRows, t.Where(row))
	}
	if m.Unlabelled = t.Attack == nil; !m.Unlabelled {
		m.TestBenign, _ = t.Count(parts.Test)
	}
	for _, a := range t.Attack {
		if a {
			m.Attacks++
		}
	}
	m.Classes = classRows(t, parts)
	for _, o := range t.Origins {
		m.Files = append(m.Files, record.NewFileRecord(o))
	}
	return m
}

// classRows counts each class in the parts of a split, in the order of the table's classes; a name that benign rows and
// attacks share is there for both.
func classRows(t *data.Table, sp *split.Split) (out []record.ClassRows) {
	if t.Attack == nil {
		return nil
	}
	counts := make([]record.ClassRows, 2*len(t.Classes))
	count := func(rows []int32, add func(*record.ClassRows)) {
		for _, r := range rows {
			at := 2 * int(t.Class[r])
			if t.Attack[r] {
				at++
			}
			add(&counts[at])
		}
	}
	count(sp.Train, func(c *record.ClassRows) { c.Train++ })
	count(sp.Valid, func(c *record.ClassRows) { c.Valid++ })
	count(sp.Test, func(c *record.ClassRows) { c.Test++ })
	for i, c := range counts {
		if c.Train+c.Valid+c.Test > 0 {
			c.Name, c.Attack = t.Classes[i/2], i%2 == 1
			out = append(out, c)
		}
	}
	return out
}
