package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/runs/compare"
)

// shownDifferences is how many lines of differences are printed without --all.
const shownDifferences = 20

func (a *app) verifyCommand() *cobra.Command {
	var asJSON, all bool
	var ignore []string
	c := &cobra.Command{
		Use:   "verify RUNDIR OTHER",
		Short: "Say whether two run directories have the same results, and what differs",
		Long: `verify compares two finished run directories cell by cell: every column of results.csv but times and peak
memory, and every line of the scores, as text, so that equal means equal in every bit. It shows that a change of the
program, of the number of workers or of the machine changed no result.

Exit code: 0 when all is equal, 1 when something differs, 2 when a directory cannot be read.`,
		Example:           "  plumbline verify runs/20240101-120000-quickstart runs/20240102-090000-quickstart",
		Args:              needs(2, 2, "two run directories"),
		ValidArgsFunction: completeFolders(2),
		RunE: func(_ *cobra.Command, args []string) error {
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
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("every difference; else the first %d", shownDifferences))
	c.Flags().StringSliceVar(&ignore, "ignore", nil, "columns of results.csv that may differ, besides "+strings.Join(compare.Measured, ", "))
	return c
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
