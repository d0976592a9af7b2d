package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/configs"
	"plumbline/runs"
	"plumbline/runs/compare"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// shownDifferences is how many lines of differences are printed without --all.
const shownDifferences = 20

func (a *app) verifyCommand() *cobra.Command {
	var asJSON, all, files bool
	var ignore []string
	c := &cobra.Command{
		Use:   "verify RUNDIR OTHER | verify RUNDIR --files",
		Short: "Say whether two run directories have the same results, or whether one is as its run left it",
		Long: `verify compares two finished run directories cell by cell: every column of results.csv but times and peak
memory, and every line of the scores, as text, so that equal means equal in every bit. It shows that a change of the
program, of the number of workers or of the machine changed no result.

With --files it checks one run directory against what its run wrote: the plan against the experiment, every file that a
cell lists against its size and sha256, and every metric against the cell's scores, from which it is computed again.
Files that the run did not write do not count.

Exit code: 0 when all is equal or as it was left, 1 when something differs, 2 when a directory cannot be read.`,
		Example: "  plumbline verify runs/20240101-120000-quickstart runs/20240102-090000-quickstart\n" +
			"  plumbline verify runs/20240101-120000-quickstart --files",
		Args: func(c *cobra.Command, args []string) error {
			if files {
				return needs(1, 1, "one run directory with --files")(c, args)
			}
			return needs(2, 2, "two run directories, or one with --files")(c, args)
		},
		ValidArgsFunction: completeFolders(2),
		RunE: func(c *cobra.Command, args []string) error {
			if files {
				return a.verifyFiles(c.Context(), args[0], asJSON, all)
			}
			e, err := compare.Equal(args[0], args[1], slices.Concat(compare.Measured, ignore))
			if err != nil {
				return usage(err)
			}
			if asJSON {
				err = a.json(e)
			} else {
				a.printEquality(e, all)
			}
			if err == nil && len(e.Differences) > 0 {
				return &failure{code: exitFailed, quiet: true, err: errors.New("the runs differ")}
			}
			return err
		},
	}
	a.jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&files, "files", false, "check one run directory against what its run wrote")
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("every difference; else the first %d", shownDifferences))
	c.Flags().StringSliceVar(&ignore, "ignore", nil,
		"columns of results.csv that may differ, besides "+strings.Join(compare.Measured, ", "))
	return c
}

func (a *app) verifyFiles(ctx context.Context, dir string, asJSON, all bool) error {
	v, err := runs.Verify(ctx, dir, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil {
		return usage(err)
	}
	if asJSON {
		if err := a.json(v); err != nil {
			return err
		}
	} else {
		for i, f := range v.Faults {
			if i == shownDifferences && !all {
				fmt.Fprintf(a.out, "and %d more (--all)\n", len(v.Faults)-i)
				break
			}
			fmt.Fprintln(a.out, f)
		}
		verdict := "as the run left it"
		if n := len(v.Faults); n > 0 {
			verdict = fmt.Sprintf("%d faults", n)
		}
		fmt.Fprintf(a.out, "%s: %d cells, %d files, %d metrics computed again\n", verdict, v.Cells, v.Files, v.Metrics)
	}
	if len(v.Faults) > 0 {
		return &failure{code: exitFailed, quiet: true, err: errors.New("the run is not as it was left")}
	}
	return nil
}

// faults prints what is wrong with run directories on stderr; the error, if something is, has been reported.
func (a *app) faults(records ...*record.Record) error {
	n := 0
	for _, r := range records {
		for i, f := range r.Faults {
			n++
			if i == shownDifferences {
				fmt.Fprintf(a.err, "%s: and %d more: plumbline verify %s --files\n", r.Dir, len(r.Faults)-i, r.Dir)
				break
			}
			fmt.Fprintf(a.err, "%s: %s\n", r.Dir, f)
		}
	}
	if n == 0 {
		return nil
	}
	return &failure{code: exitFailed, quiet: true, err: errors.New("run directories are not as their runs left them")}
}

func (a *app) printEquality(e *compare.Equality, all bool) {
	for i, d := range e.Differences {
		if i == shownDifferences && !all {
			fmt.Fprintf(a.out, "and %d more (--all)\n", len(e.Differences)-i)
			break
		}
		fmt.Fprintln(a.out, d)
	}
	verdict := "equal"
	if n := len(e.Differences); n > 0 {
		verdict = fmt.Sprintf("%d differences", n)
	}
	fmt.Fprintf(a.out, "%s: %d cells, scores of %d\n", verdict, e.Cells, e.Scores)
}
