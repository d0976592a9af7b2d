package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/runs"
	"plumbline/runs/compare"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// shownDifferences is how many lines of differences are printed without --all.
const shownDifferences = 20

func (a *app) verifyCommand() *cobra.Command {
	var asJSON, all, files, reference, asReference bool
	var ignore []string
	var tolerance float64
	var out string
	c := &cobra.Command{
		Use:   "verify RUNDIR [OTHER] | verify RUNDIR --files | verify RUNDIR --reference",
		Short: "Say whether two run directories have the same results, or whether one is as its run left it",
		Long: `verify compares two finished run directories cell by cell: every column of results.csv but times and peak
memory, and every line of the scores, as text, so that equal means equal in every bit. It shows that a change of the
program, of the number of workers or of the machine changed no result. With one run directory its experiment is carried
out again here, and compared.

A cell is byte-equal, tolerance-equal (with --tolerance: no number differs by more than that share of the larger one, or
of 1) or different. The instruction set in force in each run is named: other processors round the sums of some models
otherwise.

With --files it checks one run directory against what its run wrote: the plan against the experiment, every file that a
cell lists against its size and sha256, and every metric against the cell's scores, from which it is computed again.
Files that the run did not write do not count.

With --reference it holds a run of a shipped experiment to what that gave where it was measured: the mean of each model
lies in the band in which 99 of 100 repetitions with other seeds do, or it does not.

Exit code: 0 when all is equal (or within --tolerance) or as it was left, 1 when something differs, 2 when a directory
cannot be read.`,
		Example: "  plumbline verify runs/20240101-120000-quickstart runs/20240102-090000-quickstart\n" +
			"  plumbline verify runs/20240101-120000-quickstart --files\n" +
			"  plumbline verify runs/20240101-120000-quickstart --reference",
		Args: func(c *cobra.Command, args []string) error {
			if files || reference || asReference {
				return needs(1, 1, "one run directory with --files or --reference")(c, args)
			}
			return needs(1, 2, "two run directories, or one to carry out again")(c, args)
		},
		ValidArgsFunction: completeFolders(2),
		RunE: func(c *cobra.Command, args []string) error {
			if files {
				return a.verifyFiles(c.Context(), args[0], asJSON, all)
			}
			if reference || asReference {
				return a.verifyReference(args[0], asJSON, asReference)
			}
			if tolerance < 0 || tolerance >= 1 {
				return usage(fmt.Errorf("--tolerance %v: want a share from 0 to less than 1", tolerance))
			}
			if len(args) == 1 {
				again, remove, err := a.repeat(c.Context(), args[0], out)
				defer remove()
				if err != nil {
					return err
				}
				args = append(args, again)
			}
			e, err := compare.Equal(args[0], args[1], slices.Concat(compare.Measured, ignore), tolerance)
			if err != nil {
				return usage(err)
			}
			if asJSON {
				err = a.JSON(e)
			} else {
				a.printEquality(e, all)
			}
			if err == nil && e.Verdict() == compare.Different {
				return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("the runs differ")}
			}
			return err
		},
	}
	a.JSONFlag(c, &asJSON)
	c.Flags().BoolVar(&files, "files", false, "check one run directory against what its run wrote")
	c.Flags().BoolVar(&reference, "reference", false, "hold a run of a shipped experiment to what that gave before")
	c.Flags().BoolVar(&asReference, "as-reference", false, "print the run as lines of a reference")
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("every difference; else the first %d", shownDifferences))
	c.Flags().Float64Var(&tolerance, "tolerance", 0, "share that numbers may differ by")
	c.Flags().StringVarP(&out, "out", "o", "", "folder that the repetition is kept in; else it is removed")
	a.DataFlag(c)
	c.Flags().StringSliceVar(&ignore, "ignore", nil,
		"columns of results.csv that may differ, besides "+strings.Join(compare.Measured, ", "))
	command.Idle(c, func(args []string) bool { return len(args) == 2 }, "with two run directories", "out", "data")
	command.Idle(c, func([]string) bool { return reference || asReference }, "with a reference", "all")
	for _, name := range []string{"tolerance", "ignore", "out"} { // of comparing two runs alone
		c.MarkFlagsMutuallyExclusive("files", "reference", "as-reference", name)
	}
	return c
}

func (a *app) verifyFiles(ctx context.Context, dir string, asJSON, all bool) error {
	v, err := runs.Verify(ctx, dir, experiment.LoadOptions{Builtin: configs.Files})
	if err != nil {
		return usage(err)
	}
	if asJSON {
		if err := a.JSON(v); err != nil {
			return err
		}
	} else {
		for i, f := range v.Faults {
			if i == shownDifferences && !all {
				fmt.Fprintf(a.Out, "and %d more (--all)\n", len(v.Faults)-i)
				break
			}
			fmt.Fprintln(a.Out, f)
		}
		verdict := "as the run left it"
		switch n := len(v.Faults); {
		case n == 1:
			verdict = "1 fault"
		case n > 1:
			verdict = fmt.Sprintf("%d faults", n)
		}
		fmt.Fprintf(a.Out, "%s: %d cells, %d files, %d metrics computed again\n", verdict, v.Cells, v.Files, v.Metrics)
	}
	if len(v.Faults) > 0 {
		return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("the run is not as it was left")}
	}
	return nil
}

// verifyReference holds a run to the reference of its experiment, or prints it as one.
func (a *app) verifyReference(dir string, asJSON, asReference bool) error {
	r, err := record.Open(dir)
	if err != nil {
		return usage(err)
	}
	if asReference {
		lines, err := compare.ReferenceOf(r)
		if err != nil {
			return usage(err)
		}
		return failed(compare.WriteReference(a.Raw, lines, false))
	}
	all, err := compare.ShippedReference()
	if err != nil {
		return failed(err)
	}
	bands, err := compare.Bands(r, all)
	if err != nil {
		return usage(err)
	}
	if asJSON {
		err = a.JSON(bands)
	} else {
		err = a.printBands(bands)
	}
	if err == nil && slices.ContainsFunc(bands, func(b compare.Band) bool { return b.Verdict == compare.Outside }) {
		return &command.Failure{Code: exitFailed, Quiet: true, Err: errors.New("outside of the reference")}
	}
	return err
}

func (a *app) printBands(bands []compare.Band) error {
	counts := map[string]int{}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DATA\tMODEL\tMETRIC\tHERE\tBAND\tCELLS\tVERDICT")
	for _, b := range bands {
		counts[b.Verdict]++
		verdict := b.Verdict
		if b.Why != "" {
			verdict += ": " + b.Why
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s to %s\t%d\t%s\n", b.Data, b.Label, b.Metric, number(b.Mean), number(b.Low),
			number(b.High), b.Cells, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, "%d within the band, %d outside, %d not comparable\n", counts[compare.Within],
		counts[compare.Outside], counts[compare.NotComparable])
	return err
}

// faults prints what is wrong with run directories on stderr; the error, if something is, has been reported.
func (a *app) faults(records ...*record.Record) error {
	n := 0
	for _, r := range records {
		for i, f := range r.Faults {
			n++
			if i == shownDifferences {
				fmt.Fprintf(a.Err, "%s: and %d more: plumbline verify %s --files\n", r.Dir, len(r.Faults)-i, r.Dir)
				break
			}
			fmt.Fprintf(a.Err, "%s: %s\n", r.Dir, f)
		}
	}
	if n == 0 {
		return nil
	}
	err := errors.New("run directories are not as their runs left them")
	return &command.Failure{Code: exitFailed, Quiet: true, Err: err}
}

func (a *app) printEquality(e *compare.Equality, all bool) {
	for i, d := range e.Differences {
		if i == shownDifferences && !all {
			fmt.Fprintf(a.Out, "and %d more (--all)\n", len(e.Differences)-i)
			break
		}
		fmt.Fprintln(a.Out, d)
	}
	fmt.Fprintf(a.Out, "%s: %d cells, scores of %d: %d byte-equal, %d tolerance-equal, %d different\n", e.Verdict(),
		e.Cells, e.Scores, e.Count(compare.ByteEqual), e.Count(compare.ToleranceEqual), e.Count(compare.Different))
	if e.Sets[0] != "" || e.Sets[1] != "" {
		fmt.Fprintf(a.Out, "instruction sets: %s, %s\n", e.Sets[0], e.Sets[1])
	}
}

// repeat carries the experiment of a run directory out again; remove takes the repetition away unless it is to be kept.
func (a *app) repeat(ctx context.Context, dir, out string) (again string, remove func(), err error) {
	remove = func() {}
	e, err := a.Load(filepath.Join(dir, "experiment.yaml"), nil)
	if err != nil {
		return "", remove, err
	}
	if out == "" {
		if out, err = os.MkdirTemp("", "plumbline-verify-"); err != nil {
			return "", remove, failed(err)
		}
		folder := out
		remove = func() { os.RemoveAll(folder) }
	}
	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.Progress()
	defer p.Close()
	o, err := runs.Run(ctx, e, runs.Options{
		Root: out, Observe: p.Event, Command: append([]string{"plumbline"}, a.Args...),
	})
	switch {
	case err != nil:
		return "", remove, failed(err)
	case o.Interrupted:
		return "", remove, failed(errors.New("interrupted"))
	}
	return o.Dir, remove, nil
}
