package automaton

import (
	"context"
	"errors"
	"fmt"
	"os"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/data/corpus"
	"plumbline/models/automata"
	"plumbline/runs/experiment"
	"plumbline/runs/investigate"
)

// cellMachine is the machine of a cell.
type cellMachine struct {
	*investigate.Cell
	states *automata.States
}

// machineCell opens RUNDIR/CELL; nil for a path that is a file.
func machineCell(path string) (*cellMachine, error) {
	if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
		return nil, nil
	}
	dir, name := splitCell(path)
	if name == "" {
		return nil, nil
	}
	c, err := investigate.OpenCell(dir, name)
	if err != nil {
		return nil, usage(err)
	}
	stated, ok := c.Detector.(automata.Stated)
	if !ok {
		return nil, usage(fmt.Errorf("%s: %s is not a machine over symbols; markov, sequent and pdfa are", path, c.Model))
	}
	st, err := stated.States(c.Tracer.Alphabet)
	return &cellMachine{c, st}, failed(err)
}

// testPart is the traces that a cell was tested on, with a label, the entity and the place of the last flow for each.
func (a *app) testPart(ctx context.Context, c *cellMachine, keep command.Cache, j *replayJob) (corpus.Words, error) {
	store, err := keep.Store()
	if err != nil {
		return nil, usage(err)
	}
	o := investigate.Options{Load: experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}, Cache: store}
	p, test, err := c.TestPart(ctx, o)
	if errors.Is(err, investigate.ErrInvestigate) {
		return nil, usage(err)
	}
	if err != nil {
		return nil, failed(err)
	}
	flows, err := p.Flows(ctx, nil)
	if err != nil {
		return nil, failed(err)
	}
	last := func(trace int) int32 {
		rows := test.Traces[trace].Rows
		at, _ := flows.At(rows[len(rows)-1])
		return at
	}
	j.labels, j.more = flows.Classes, []string{"key", "where"}
	j.values = func(trace int) []string { return []string{test.Traces[trace].Key, flows.Where(last(trace))} }
	return func(yield func([]int32, int32) bool) {
		for i := range test.Traces {
			if !yield(test.Traces[i].Symbols, int32(flows.Class[last(i)])) {
				return
			}
		}
	}, nil
}
