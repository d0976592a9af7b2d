package runs

import (
	"context"
	"runtime"
)

// Survey is what a data set comes to before any model sees it.
type Survey struct {
	DataManifest
	Columns []string // of the prepared matrix
	Symbols int      // of the traces' alphabet; 0: no traces
	Units   int      // that are judged
}

// Survey reads, splits and prepares one of the experiment's data sets as Run would, and trains nothing. The
// error is the one that its cells would end with.
func (e *Experiment) Survey(ctx context.Context, set *DataSet) (*Survey, error) {
	src := &source{set: set, finder: e.Finder, workers: runtime.GOMAXPROCS(0)}
	p, err := src.prepare(ctx, 0)
	if err != nil {
		return nil, err
	}
	s := &Survey{DataManifest: p.info, Columns: p.pipe.Columns(), Units: len(p.test.first)}
	if p.tracer != nil {
		s.Symbols = len(p.tracer.Alphabet)
	}
	return s, nil
}
