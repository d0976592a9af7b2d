package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/data/bucket"
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/tune"
)

func (a *app) tuneCommand() *cobra.Command {
	var resume, metric string
	var asJSON bool
	var memory memorySize
	var hand launcher
	o := tune.Options{}
	c := &cobra.Command{
		Use:   "tune FILE [OVERRIDE…]",
		Short: "Search for settings of models inside the training data, and test once",
		Long: `tune tries settings of an experiment's models as its key tune says: every combination (grid), at random, by a
tree-structured Parzen estimator (tpe), or many on little and the best on more (halving). A trial is a cell for each
seed and fold of the training rows; each model gets the same number of trials, the settings of the file among them.

The search sees training rows alone: official test files are not opened, and rows that a split tests are taken out
before anything is fitted. When it is done the experiment is carried out once, on the test part and with the
experiment's seeds, with the settings of the file and with those that were found.

With --share several processes, on any machines that see the directory, carry one search out, and the last of them
reads the test part; --launcher slurm, kubernetes or print starts as many as launch.throttle says: docs/scale.md.

The directory keeps every trial. A search that was interrupted or killed is taken up by --resume: cells that are done
are kept, and what is found does not depend on the number of workers. One that has read its test part is only shown.

Exit code: 0 when all is done, 1 when something failed, 2 when the file or the arguments are wrong.`,
		Example: `  plumbline tune tune-quickstart
  plumbline tune tune-quickstart tune.method=tpe tune.trials=12 --no-test
  plumbline tune --resume runs/20240101-120000-tune-quickstart`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case bucket.Is(o.Root) || bucket.Is(resume):
				return usage(errors.New("tune: a search is kept in a folder; in a bucket, runs alone are"))
			case resume == "":
				return cmp.Or(hand.check(c, resume, nil), needs(1, -1, "an experiment file with the key tune")(c, args))
			case len(args) > 0:
				return usage(errors.New("tune: --resume takes no file and no overrides: a search is taken up as it was begun"))
			}
			return cmp.Or(hand.check(c, resume, nil),
				command.NoEffect(c, "with --resume: a search is taken up where it stands", "out"))
		},
		ValidArgsFunction: a.CompleteExperiment,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(eval.MetricNames(), metric) {
				return usage(fmt.Errorf("--metric: unknown metric %q%s", metric, settings.DidYouMean(metric, eval.MetricNames())))
			}
			if o.Workers < 0 {
				return usage(fmt.Errorf("--workers %d: want a number of cells, or 0 for one each processor", o.Workers))
			}
			o.Memory, o.Command = int64(memory), append([]string{"plumbline"}, a.Args...)
			if o.Share && resume == "" {
				return usage(errors.New("tune: --share is for a search that was begun: add --resume DIR"))
			}
			if hand.local() {
				return a.tune(c.Context(), args, resume, metric, asJSON, o)
			}
			var e *experiment.Experiment
			if resume == "" {
				var err error
				if e, err = a.loadTuned(args); err != nil {
					return err
				}
			}
			return a.launchSearch(c.Context(), &hand, e, resume, o)
		},
	}
	c.Flags().StringVarP(&o.Root, "out", "o", "runs", "folder that the search's directory is made in")
	c.Flags().StringVar(&resume, "resume", "", "directory of a search to take up again")
	c.Flags().IntVar(&o.Workers, "workers", 0, "cells at work side by side; 0: one for each processor")
	c.Flags().BoolVar(&o.Share, "share", false,
		"with --resume: other processes are at work on the search too; each cell is trained by one of them")
	hand.flags(c)
	c.Flags().BoolVar(&o.NoTest, "no-test", false, "search alone; --resume reads the test part later")
	c.Flags().StringVar(&metric, "metric", "auroc", "metric of the test part that is shown")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.JSONFlag(c, &asJSON)
	a.DataFlag(c)
	a.memoryFlag(c, &memory)
	command.Idle(c, func([]string) bool { return o.NoTest || asJSON }, "with --no-test and --json", "metric")
	c.MarkFlagDirname("out")
	c.MarkFlagDirname("resume")
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// loadTuned reads an experiment with the key tune.
func (a *app) loadTuned(args []string) (*experiment.Experiment, error) {
	e, err := a.Load(args[0], args[1:])
	if err == nil && e.Tune == nil {
		err = usage(fmt.Errorf("%s has no key tune, which says what to search for: see docs/tuning.md", args[0]))
	}
	return e, err
}

func (a *app) tune(ctx context.Context, args []string, resume, metric string, asJSON bool, o tune.Options) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.Progress()
	defer p.Close()
	o.Observe, o.Test = func(e tune.Event) { p.Say(tuneLine(e)) }, p.Event
	dir := resume
	var s *tune.State
	var err error
	if resume != "" {
		s, err = tune.Resume(ctx, resume, experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}, o)
	} else {
		var e *experiment.Experiment
		if e, err = a.loadTuned(args); err != nil {
			return err
		}
		dir, s, err = tune.Run(ctx, e, o)
	}
	p.Close()
	switch {
	case errors.Is(err, tune.ErrInterrupted):
		fmt.Fprintf(a.Err, "interrupted; go on with: plumbline tune --resume %s\n", dir)
		if o.Share {
			return &command.Failure{Code: command.ExitAgain, Quiet: true, Err: err}
		}
		return &command.Failure{Code: exitFailed, Quiet: true, Err: err}
	case err != nil:
		return failed(err)
	}
	if asJSON {
		return a.JSON(s)
	}
	return failed(a.printTuning(dir, metric, s))
}

// tuneLine is a step of a search in one line.
func tuneLine(e tune.Event) string {
	if e.Trial == nil {
		return e.Text
	}
	t := e.Trial
	line := fmt.Sprintf("[%d/%d] %s %s trial %d: ", e.Done, e.Total, e.Data, e.Label, t.Number)
	if t.Status != "ok" {
		return line + t.Status + ": " + t.Error
	}
	line += number(float64(t.Value))
	if t.Cells > 1 {
		line += fmt.Sprintf(" ± %.4f over %d cells", float64(t.SD), t.Cells)
	}
	return line + ", " + seconds(t.Seconds)
}

// printTuning shows what each search found and what it came to on the test part.
func (a *app) printTuning(dir, metric string, s *tune.State) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	tested := s.Test != nil && !s.Test.Finished.IsZero()
	head := "DATA\tMODEL\tTRIALS\tCELLS\tBEST\t" + s.Metric + " IN TRAINING: FILE\tBEST"
	if tested {
		head += "\t" + metric + " ON TEST: FILE\tTUNED\t" + tune.GainOf(metric)
	}
	fmt.Fprintln(w, head)
	var results []tune.Result
	if tested {
		var err error
		if results, err = s.Results(dir, metric); err != nil {
			return err
		}
	}
	for i, one := range s.Searches {
		best, file := one.Chosen(), one.Trials[0]
		before := number(float64(file.Value))
		if file.Round != best.Round {
			before = "out in round " + fmt.Sprint(file.Round+1)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s", one.Data, one.Label, len(one.Trials), one.Cells, best.Number, before,
			number(float64(best.Value)))
		if tested {
			r := results[i]
			fmt.Fprintf(w, "\t%s (n=%d)\t%s (n=%d)\t%+.4f", number(r.Default), len(r.DefaultSeeds), number(r.Tuned),
				len(r.TunedSeeds), r.Gain)
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, one := range s.Searches {
		fmt.Fprintf(a.Out, "\n%s on %s: %s", one.Label, one.Data, one.Found())
	}
	fmt.Fprintf(a.Out, "\n\n%s\n", dir)
	if !tested {
		fmt.Fprintf(a.Out, "the test part was not read; once: plumbline tune --resume %s\n", dir)
	}
	return nil
}
