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
	src := &Source{Set: set, Finder: e.Finder, Workers: runtime.GOMAXPROCS(0)}
	p, err := src.Prepare(ctx, 0)
	if err != nil {
		return nil, err
	}
	s := &Summary{DataManifest: p.Info, Columns: p.Pipe.Columns(), Units: len(p.Test.First)}
	if p.Tracer != nil {
		s.Symbols = len(p.Tracer.Alphabet)
	}
	seen := map[Needs]bool{}
	for i := range e.Entries {
		needs := NeedsOf(e.Entries[i].Info.Needs)
		if seen[needs] {
			continue
		}
		seen[needs] = true
		if err := p.fits(needs, memory); err != nil {
			s.Warnings = append(s.Warnings, err.Error())
		}
	}
	return s, nil
}
