package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/mirror"
)

func (a *app) collectCommand() *cobra.Command {
	var metric string
	var wait time.Duration
	var takeOver bool
	c := &cobra.Command{
		Use:   "collect RUNDIR",
		Short: "Sum up a run whose cells several processes carried out",
		Long: `collect writes results.csv, summary.json, the manifest and the report of a run whose cells were carried out
by several processes ("plumbline run --resume RUNDIR --cells"), and prints the comparison. It trains nothing and reads
no data.

It may be done while cells are at work, and again: cells that have not come to an end stand in the results as
interrupted, and the report says that the run is not finished. --wait waits until all have.

Exit code: 0 when every cell is ok, 1 when one is not or has not come to an end, 2 when the arguments are wrong.`,
		Example: `  plumbline collect runs/20240101-120000-quickstart
  plumbline collect runs/20240101-120000-quickstart --wait 12h`,
		Annotations:       map[string]string{ownAddresses: "yes"},
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: command.CompleteFolders(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(eval.MetricNames(), metric) {
				return usage(fmt.Errorf("--metric: unknown metric %q%s", metric, settings.DidYouMean(metric, eval.MetricNames())))
			}
			ctx, stop := a.interruptible(c.Context())
			defer stop()
			lo := experiment.LoadOptions{DataDirs: a.DataDirs, Builtin: configs.Files}
			late := error(nil)
			if wait > 0 {
				late = mirror.WaitForCells(ctx, args[0], lo, wait)
			}
			dir, err := a.View(ctx, args[0])
			if err != nil {
				return err
			}
			outcome, err := runs.Collect(ctx, dir, lo, runs.Options{TakeOver: takeOver, Remote: a.remote})
			if err != nil {
				return failed(errors.Join(late, err))
			}
			if err := a.sumUp(outcome, metric); err != nil {
				return err
			}
			switch {
			case outcome.Interrupted:
				fmt.Fprintf(a.Err, "the run is not finished: see plumbline status %s\n", args[0])
				return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("not finished")}
			case outcome.Failed > 0:
				return a.notOK(outcome)
			}
			return nil
		},
	}
	c.Flags().StringVar(&metric, "metric", "auroc", "metric that the closing table ranks by")
	c.Flags().DurationVar(&wait, "wait", 0, "wait this long for cells that have not come to an end, such as 12h")
	c.Flags().BoolVar(&takeOver, "take-over", false,
		"collect although a process of which nothing can be known here seems to: say so when it has ended")
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions(eval.MetricNames(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// remote is where a run directory lives, nil for here.
func (a *app) remote(dir string) (runs.Remote, error) {
	m, err := a.Mirror(dir)
	if m == nil {
		return nil, err
	}
	return m, err
}
