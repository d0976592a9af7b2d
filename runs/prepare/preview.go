package prepare

import (
	"context"
	"runtime"

	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Summary is what a data set comes to before any model sees it.
type Summary struct {
	record.DataManifest
	Columns []string // of the prepared matrix
	Symbols int      // of the traces' alphabet; 0: no traces
	Units   int      // that are judged
}

// Preview reads, splits and prepares one of the experiment's data sets as Run would, and trains nothing. The
// error is the one that its cells would end with.
func Preview(ctx context.Context, e *experiment.Experiment, set *experiment.DataSet, memory int64) (*Summary, error) {
	src := &Source{Set: set, Finder: e.Finder, Workers: runtime.GOMAXPROCS(0), Memory: memory}
	p, err := src.Prepare(ctx, 0)
	if err != nil {
		return nil, err
	}
	s := &Summary{DataManifest: p.Info, Columns: p.Pipe.Columns(), Units: len(p.Test.First)}
	if p.Tracer != nil {
		s.Symbols = len(p.Tracer.Alphabet)
	}
	p.warnOfMemory(e, s)
	if e.Audit != "off" {
		report, err := p.Audit(ctx)
		if err != nil {
			return nil, err
		}
		s.Warnings = append(s.Warnings, report.Warnings()...)
	}
	return s, nil
}

// warnOfMemory warns of the sets and the models that will not fit.
func (p *Prepared) warnOfMemory(e *experiment.Experiment, s *Summary) {
	held, sets := p.beside(), int64(0) // with the table; without it
	fit := map[Needs]bool{}
	for i := range e.Entries {
		needs := NeedsOf(e.Entries[i].Info.Needs)
		if _, seen := fit[needs]; seen {
			continue
		}
		err := p.fits(needs, held, p.src.Memory)
		if fit[needs] = err == nil; err != nil {
			s.Warnings = append(s.Warnings, err.Error())
			continue
		}
		held, sets = held+p.Bytes(needs), sets+p.Bytes(needs)
	}
	if len(p.Set.Split.FoldNames()) > 1 {
		sets = held // the table stays for the next fold
	}
	for i := range e.Entries {
		m := &e.Entries[i]
		needs := NeedsOf(m.Info.Needs)
		if !fit[needs] {
			continue
		}
		if err := modelFits(m, p.trainRows(needs), p.Pipe.Width(), sets, p.src.Memory); err != nil {
			s.Warnings = append(s.Warnings, err.Error())
		}
	}
}
