package investigate

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"

	"plumbline/data"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// Cell is a finished cell of a run, opened.
type Cell struct {
	*bundle.Bundle
	Dir    string // of the run
	Result *record.Result
}

// OpenCell opens the cell of that name (see [record.Record.Find]). One that is not ok, or that left no model, is
// refused.
func OpenCell(dir, cell string) (*Cell, error) {
	b, _, result, err := bundle.OpenCell(dir, cell)
	c := &Cell{Bundle: b, Dir: dir, Result: result}
	switch {
	case err != nil && result == nil:
		return nil, err
	case err != nil:
		return nil, c.refuse("%w", err)
	}
	return c, nil
}

func (c *Cell) refuse(format string, args ...any) error {
	return fmt.Errorf("runs: %s %w: %w", c.Result.Cell, ErrInvestigate, fmt.Errorf(format, args...))
}

// TestPart is the fold that the cell worked on, prepared again from its experiment and data or taken from the cache,
// and the samples that the model was tested on. Data that differ from what it saw are refused.
func (c *Cell) TestPart(ctx context.Context, o Options) (*prepare.Prepared, *data.Set, error) {
	e, err := experiment.Load(filepath.Join(c.Dir, "experiment.yaml"), o.Load)
	if err != nil {
		return nil, nil, err
	}
	if e.Protocol.Prequential() {
		return nil, nil, c.refuse("its test rows were scored by a model that learned on (protocol: prequential), and the " +
			"model that is left is that of training")
	}
	at := slices.IndexFunc(e.Sets, func(s experiment.DataSet) bool { return s.Config.Name == c.Data })
	if at < 0 {
		return nil, nil, c.refuse("experiment.yaml has no data %s", c.Data)
	}
	set := &e.Sets[at]
	fold := slices.Index(set.Split.FoldNames(), c.Fold)
	if fold < 0 {
		return nil, nil, c.refuse("the split of experiment.yaml has no fold %q", c.Fold)
	}
	src := &prepare.Source{Set: set, Finder: e.Finder, Workers: runtime.GOMAXPROCS(0)}
	src.Store = prepare.NewCacheSlot(o.Cache, set, e.Finder, record.Build().Version, slog.New(slog.DiscardHandler), nil)
	p, err := src.Prepare(ctx, fold)
	if err != nil {
		return nil, nil, err
	}
	s, err := p.Sets(ctx, prepare.NeedsOf(c.Info.Needs))
	if err != nil {
		return nil, nil, err
	}
	if s.TestSum != c.Result.TestSHA256 {
		return nil, nil, c.refuse("the test part differs from the one that it scored (sha256 %.12s…, then %.12s…)",
			s.TestSum, c.Result.TestSHA256)
	}
	return p, s.Test, nil
}
