package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// share is the flags of a process that carries out some cells of a run beside others.
type share struct {
	cells    string
	names    []string
	takeOver bool
}

func (s *share) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.cells, "cells", "", "with --resume: these cells alone, as FIRST-LAST, numbers with commas, or "+
		"@FILE with a line for each task")
	c.Flags().StringArrayVar(&s.names, "cell", nil,
		"with --resume: this cell alone, by its name in results.csv or a part of it (repeatable)")
	c.Flags().BoolVar(&s.takeOver, "take-over", false,
		"take cells over from processes of which nothing can be known here: say so when they have ended")
}

// given says whether some cells are asked for.
func (s *share) given() bool { return s.cells != "" || len(s.names) > 0 }

func (s *share) check(resume string) error {
	if resume == "" && (s.given() || s.takeOver) {
		return usage(errors.New("run: --cells, --cell and --take-over are for a run that was begun: add --resume RUNDIR"))
	}
	return nil
}

// numbers is the cells that are asked for.
func (s *share) numbers(dir string, lo experiment.LoadOptions, local func(string) string) ([]int, error) {
	text := s.cells
	if file, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if text, err = taskLine(local(file)); err != nil {
			return nil, err
		}
	}
	var out []int
	if text != "" {
		var err error
		if out, err = runs.ParseCells(text); err != nil {
			return nil, fmt.Errorf("--cells: %w", err)
		}
	}
	if len(s.names) == 0 {
		return out, nil
	}
	more, err := runs.NamedCells(dir, lo, s.names)
	return append(out, more...), err
}

// taskLine is the line of a file of tasks that the scheduler's number for this one says.
func taskLine(file string) (string, error) {
	name, first := "JOB_COMPLETION_INDEX", 0
	if os.Getenv(name) == "" {
		name, first = "SLURM_ARRAY_TASK_ID", 1
	}
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return "", fmt.Errorf("--cells @%s: neither $JOB_COMPLETION_INDEX nor $SLURM_ARRAY_TASK_ID says which line", file)
	}
	raw, err := record.ReadFile(file, record.MaxJSON)
	if err != nil {
		return "", fmt.Errorf("--cells: %w", err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	if n < first || n-first >= len(lines) {
		return "", fmt.Errorf("--cells @%s: $%s is %d, and the file has %d lines", file, name, n, len(lines))
	}
	return lines[n-first], nil
}

// carryOutShare takes up some cells of a run.
func (a *app) carryOutShare(ctx context.Context, dir string, s *share, o runs.Options) error {
	lo := experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}
	var err error
	if o.Share, err = s.numbers(dir, lo, a.Local); err != nil {
		return usage(err)
	}
	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.Progress()
	defer p.Close()
	o.Observe, o.Command = p.Event, append([]string{"plumbline"}, a.Args...)
	outcome, err := runs.Resume(ctx, dir, lo, o)
	p.Close()
	switch {
	case errors.Is(err, record.ErrUnwritable) && outcome != nil:
		return failed(fmt.Errorf("%w; the same command goes on when there is room", err))
	case errors.Is(err, runs.ErrBusy):
		return &command.Failure{Code: command.ExitAgain, Err: err}
	case err != nil:
		return failed(err)
	}
	for _, h := range outcome.Held {
		fmt.Fprintln(a.Err, "left to another process:", h)
	}
	again := &command.Failure{Code: command.ExitAgain, Quiet: true, Err: errors.New("not done")}
	switch {
	case outcome.Interrupted:
		fmt.Fprintln(a.Err, "interrupted; the same command goes on")
		return again
	case len(outcome.Held) > 0:
		return again
	case outcome.Failed > 0:
		return a.notOK(outcome)
	}
	return nil
}
