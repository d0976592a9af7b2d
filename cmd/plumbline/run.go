package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs"
	"plumbline/runs/compare"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/submit"
)

func (a *app) runCommand() *cobra.Command {
	var out, resume, metric string
	var workers int
	var list bool
	var part share
	var hand launcher
	var keep command.Cache
	var memory memorySize
	var key command.Pseudonyms
	c := &cobra.Command{
		Use:   "run FILE [OVERRIDE…]",
		Short: "Carry an experiment out and print its comparison",
		Long: `run carries an experiment file out: it checks the file, reads and prepares each data set once, trains and
scores every model with every seed, writes a run directory, and prints the comparison.

An override changes a setting for this run: key=value, +key=value to add, ~key to delete; keys are dotted paths,
values are YAML. models.0.epochs=5 is short for models.0.params.epochs=5.

FILE may be the name of an experiment of configs/experiments or configs/papers, which are built into the program
(--list says which there are), or the experiment.yaml of a run directory, which repeats that run. A run that was
interrupted or killed is taken up by --resume: cells that are done are kept.

With --cells or --cell it takes up some cells of a run, while other processes on this or other machines take up others;
"plumbline collect" then writes results.csv and the report. Cells have numbers, from 1, in the order of results.csv.
--cells @FILE reads the line of the file that $JOB_COMPLETION_INDEX (from 0) or $SLURM_ARRAY_TASK_ID says. A cell that
another process has is left to it, unless that process is known to have ended.

Where machines share no folder, a run lives in a bucket: --out s3://BUCKET/PREFIX and --resume s3://BUCKET/PREFIX/RUN
(docs/scale.md). Commands that read a run take such an address too.

With --launcher slurm, kubernetes or print other processes do that: docs/scale.md shows how. Times, memory and tasks
are settings of the key launch; run --resume RUNDIR --launcher hands out again what is not ok.

Exit code: 0 when every cell is ok, 1 when one is not, 2 when the file or the arguments are wrong, and of --cells 75
when it was interrupted or another process has a cell: started again, it goes on.`,
		Example: `  plumbline run quickstart
  plumbline run --list
  plumbline run configs/experiments/quickstart.yaml seeds=[1] models=[znorm,iforest] --out /tmp/runs
  plumbline run configs/experiments/nsl-kdd-baselines.yaml --data ~/datasets
  plumbline run --resume runs/20240101-120000-quickstart
  plumbline run --resume runs/20240101-120000-quickstart --cells 1-4
  plumbline run quickstart --launcher print launch.group=2`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case list:
				return cmp.Or(command.Alone(c, "with --list", "list"), needs(0, 0, "no experiment with --list")(c, args))
			case resume != "" && len(args) > 0:
				return usage(errors.New("run: --resume takes no file and no overrides: a run is taken up as it was begun"))
			}
			err := cmp.Or(part.check(resume), hand.check(c, resume, &part))
			if part.given() {
				err = cmp.Or(err, command.NoEffect(c, "with --cells and --cell: collect prints the table", "metric"))
			}
			if resume == "" {
				return cmp.Or(err, needs(1, -1, "an experiment file")(c, args))
			}
			return cmp.Or(err, command.NoEffect(c, "with --resume: a run is taken up as it was begun, where it stands",
				"out", "pseudonym-key"))
		},
		ValidArgsFunction: a.CompleteExperiment,
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return a.listExperiments()
			}
			if !slices.Contains(eval.MetricNames(), metric) {
				return usage(fmt.Errorf("--metric: unknown metric %q%s", metric, settings.DidYouMean(metric, eval.MetricNames())))
			}
			if workers < 0 {
				return usage(fmt.Errorf("--workers %d: want a number of cells, or 0 for one each processor", workers))
			}
			store, err := keep.Store()
			if err != nil {
				return usage(err)
			}
			var e *experiment.Experiment
			if resume == "" {
				if e, err = key.Load(a.App, args); err != nil {
					return err
				}
				if e.Tune != nil {
					return usage(fmt.Errorf("%s has the key tune, which run does not look at: plumbline tune %s, or leave it out "+
						"with the override ~tune", args[0], args[0]))
				}
			}
			if resume == "" {
				if err = submit.Possible(hand.name, e, out, false); err == nil {
					out, err = a.Below(c.Context(), out)
				}
			} else {
				resume, err = a.Work(c.Context(), resume, part.given())
			}
			if err != nil {
				return err
			}
			o := runs.Options{
				Remote: a.remote,
				Root:   out, Workers: workers, Memory: int64(memory), Cache: store, TakeOver: part.takeOver,
			}
			if !hand.local() {
				return a.launch(c.Context(), &hand, e, resume, o)
			}
			if part.given() {
				return a.carryOutShare(c.Context(), resume, &part, o)
			}
			return a.carryOut(c.Context(), e, resume, metric, o)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "runs", "folder that run directories are made in")
	c.Flags().BoolVar(&list, "list", false, "list the experiments that can be named, and run none")
	c.Flags().StringVar(&resume, "resume", "", "run directory to take up again")
	c.Flags().IntVar(&workers, "workers", 0, "cells at work side by side; 0: as the experiment says")
	c.Flags().StringVar(&metric, "metric", "auroc", "metric that the closing table ranks by")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	part.flags(c)
	hand.flags(c)
	key.Flag(c)
	a.DataFlag(c)
	a.memoryFlag(c, &memory)
	a.CacheFlags(c, &keep)
	c.MarkFlagDirname("out")
	c.MarkFlagDirname("resume")
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// listExperiments prints the experiments that have a name, with the first sentence of what each is for.
func (a *app) listExperiments() error {
	lib := a.Library()
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tWHAT")
	for _, name := range lib.Experiments() {
		doc, err := lib.Experiment(name)
		if err != nil {
			return usage(err)
		}
		fmt.Fprintf(w, "%s\t%s\n", name, settings.Summary(doc))
	}
	return failed(w.Flush())
}

func (a *app) carryOut(ctx context.Context, e *experiment.Experiment, resume, metric string, o runs.Options) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.Progress()
	defer p.Close()
	o.Observe, o.Command = p.Event, append([]string{"plumbline"}, a.Args...)
	var outcome *runs.Outcome
	var err error
	if resume != "" {
		outcome, err = runs.Resume(ctx, resume, experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}, o)
	} else {
		outcome, err = runs.Run(ctx, e, o)
	}
	p.Close()
	switch {
	case errors.Is(err, record.ErrUnwritable) && outcome != nil:
		return failed(fmt.Errorf("%w; the run ended there: make room and go on with: plumbline run --resume %s", err,
			a.Shown(outcome.Dir)))
	case err != nil:
		return failed(err)
	}
	if err := a.sumUp(outcome, metric); err != nil {
		return err
	}
	switch {
	case outcome.Interrupted:
		fmt.Fprintf(a.Err, "interrupted; go on with: plumbline run --resume %s\n", a.Shown(outcome.Dir))
		return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("interrupted")}
	case outcome.Failed > 0:
		return a.notOK(outcome)
	}
	return nil
}

// notOK says which cells are not.
func (a *app) notOK(outcome *runs.Outcome) error {
	fmt.Fprintf(a.Err, "%d of %d cells are not ok (%s): see results.csv and log.jsonl there\n", outcome.Failed,
		len(outcome.Results), outcome.NotOK())
	return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("cells failed")}
}

// sumUp leaves tests and a report in a run directory, and prints the comparison.
func (a *app) sumUp(outcome *runs.Outcome, metric string) error {
	rec, err := record.Open(outcome.Dir)
	if err != nil {
		return failed(err)
	}
	a.keepTests(rec)
	table, err := compare.Compare([]*record.Record{rec}, metric, nil)
	if err != nil {
		return usage(err)
	}
	if err := table.AddPublished(configs.Files, false); err != nil {
		return failed(err)
	}
	if err := table.Render(a.Out, "table"); err != nil {
		return failed(err)
	}
	fmt.Fprintln(a.Out)
	if file := a.keepReport(rec); file != "" {
		fmt.Fprintf(a.Out, "report: %s\n", a.Shown(file))
	}
	fmt.Fprintln(a.Out, a.Shown(outcome.Dir))
	return nil
}

// testLines is how many lines of scores the tests at the end of a run read at most.
const testLines = 3_000_000

// keepTests leaves the tests of the models in the run directory; runs with more scores are left to compare --test.
func (a *app) keepTests(rec *record.Record) {
	if !rec.Complete || rec.OK() < 2 {
		return
	}
	tests, err := compare.MakeTests(rec, testLines)
	if err == nil {
		err = record.NewDirectory(rec.Dir).WriteJSON(compare.TestsFile, tests)
	}
	if err == nil {
		err = a.Keep(rec.Dir, compare.TestsFile)
	}
	if err != nil && !a.Quiet {
		fmt.Fprintf(a.Err, "no tests are kept (%v); they are made by: plumbline compare %s --test all\n", err,
			a.Shown(rec.Dir))
	}
}

// interruptible cancels the context at the first interrupt; the second one ends the program as usual.
func (a *app) interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			fmt.Fprintf(a.Err, "\n%s: stopping; what is done is kept (again to stop at once)\n", strings.ToLower(s.String()))
			cancel()
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
