package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/data/export"
	"plumbline/runs/experiment"
	"plumbline/runs/foreign"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// preparedSettings is the flags of data export --prepared.
type preparedSettings struct {
	on, labels, truth bool
	parts             []string
	format, out       string
	memory            memorySize
	key               command.Pseudonyms
}

// preparedFlags are the flags that only go with --prepared.
var preparedFlags = []string{"split", "format", "labels", "truth", "out", "memory"}

func (a *app) preparedFlags(c *cobra.Command, s *preparedSettings) {
	c.Flags().BoolVar(&s.on, "prepared", false, "write what models see of an experiment's data sets, to a folder")
	c.Flags().StringSliceVar(&s.parts, "split", prepare.PartNames, "--prepared: the parts to write")
	c.Flags().StringVar(&s.format, "format", "npy", "--prepared: "+strings.Join(export.SetFormats, ", "))
	c.Flags().BoolVar(&s.labels, "labels", false,
		"--prepared: train is the labelled rows, with attack and class, in place of the benign ones")
	c.Flags().BoolVar(&s.truth, "truth", false, "--prepared: attack and class in valid and test too")
	c.Flags().StringVarP(&s.out, "out", "o", "prepared", "--prepared: the folder")
	a.memoryFlag(c, &s.memory)
	c.MarkFlagDirname("out")
	c.RegisterFlagCompletionFunc("split", cobra.FixedCompletions(prepare.PartNames, cobra.ShellCompDirectiveNoFileComp))
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(export.SetFormats, cobra.ShellCompDirectiveNoFileComp))
}

// exportArgs is a data set and a file, or with --prepared an experiment and overrides.
func exportArgs(s *preparedSettings) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if s.on {
			return cmp.Or(command.NoEffect(c, "with --prepared", "force", "spreadsheet"),
				needs(1, -1, "an experiment")(c, args))
		}
		return cmp.Or(command.NoEffect(c, "without --prepared", preparedFlags...),
			needs(2, 2, "a data set and a file")(c, args))
	}
}

// exportPrepared writes the parts of every data set and fold of an experiment as models see them.
func (a *app) exportPrepared(ctx context.Context, args []string, s *preparedSettings) error {
	for _, name := range s.parts {
		if !slices.Contains(prepare.PartNames, name) {
			return usage(fmt.Errorf("--split: unknown part %q; known: %s", name, strings.Join(prepare.PartNames, ", ")))
		}
	}
	if !slices.Contains(export.SetFormats, s.format) {
		return usage(fmt.Errorf("--format: unknown format %q; known: %s", s.format, strings.Join(export.SetFormats, ", ")))
	}
	e, err := s.key.Load(a.App, args)
	if err != nil {
		return err
	}
	if err := e.FindFiles(e.Plan()); err != nil {
		return usage(err)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	for i := range e.Sets {
		if err := a.exportSet(ctx, e, &e.Sets[i], s); err != nil {
			return err
		}
	}
	return nil
}

// exportSet writes the folds of one data set, each to a folder of its own.
func (a *app) exportSet(
	ctx context.Context, e *experiment.Experiment, set *experiment.DataSet, s *preparedSettings,
) error {
	src := &prepare.Source{Set: set, Finder: e.Finder, Workers: runtime.GOMAXPROCS(0), Memory: int64(s.memory)}
	for k, fold := range set.Split.FoldNames() {
		folder := filepath.Join(s.out, set.Config.Name, fold)
		if _, err := os.Stat(filepath.Join(folder, "manifest.json")); err == nil {
			return usage(fmt.Errorf("%s has a manifest.json already: name another folder (--out)", folder))
		} else if !errors.Is(err, os.ErrNotExist) {
			return usage(err)
		}
		p, err := src.Prepare(ctx, k)
		if err != nil {
			return failed(err)
		}
		for _, w := range p.Info.Warnings {
			if !a.Quiet {
				fmt.Fprintf(a.Err, "%s: warning: %s\n", set.Config.Name, strings.TrimPrefix(w, set.Config.Name+": "))
			}
		}
		var parts []foreign.Part
		for _, name := range prepare.PartNames {
			if !slices.Contains(s.parts, name) {
				continue
			}
			rows, sum, err := p.Part(ctx, name, s.truth && name != "train" || s.labels && name == "train")
			if err != nil {
				return failed(err)
			}
			parts = append(parts, foreign.Part{Name: name, Set: rows, Sum: sum})
		}
		m, err := foreign.WriteFolder(ctx, folder, s.format, record.Build().Version, p, fold, parts)
		if err != nil {
			return failed(err)
		}
		for _, part := range parts {
			one := m.Parts[part.Name]
			fmt.Fprintf(a.Out, "%s: %s: %d rows, %d columns\n", folder, part.Name, one.Samples, one.Columns)
		}
	}
	return nil
}
