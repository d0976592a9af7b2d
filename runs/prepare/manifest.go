package prepare

import (
	"slices"

	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/runs/record"
)

// dataManifest is what a fold holds, without warnings and audit.
func dataManifest(l *live, report *source.ReadReport, pipe *prep.Pipeline) record.DataManifest {
	t, split := l.Table, l.split
	m := record.DataManifest{
		Name: t.Name, Rows: t.Rows, BadRows: report.Bad, Train: len(l.benign), Valid: len(split.Valid), Test: len(split.Test),
		Notes: append(slices.Clone(report.Notes), pipe.Notes...),
	}
	m.Shown = len(split.Shown)
	for _, row := range split.Shown {
		m.ShownRows = append(m.ShownRows, t.Where(row))
	}
	if m.Unlabelled = t.Attack == nil; !m.Unlabelled {
		m.TestBenign, _ = t.Count(split.Test)
	}
	for _, a := range t.Attack {
		if a {
			m.Attacks++
		}
	}
	for _, o := range t.Origins {
		m.Files = append(m.Files, record.NewFileRecord(o))
	}
	return m
}
