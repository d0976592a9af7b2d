package main

import (
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/runs/record"
)

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "list [FOLDER]",
		Short:             "List the run directories of a folder",
		Long:              `list shows the run directories of a folder (default "runs"), oldest first: how many cells are ok, and the best AUROC.`,
		Example:           "  plumbline list\n  plumbline list /tmp/runs",
		Args:              needs(0, 1, "at most one folder"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			root := "runs"
			if len(args) == 1 {
				root = args[0]
			}
			records, err := record.List(root)
			if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
				err = nil // nothing was run yet
			}
			if err != nil {
				return usage(err)
			}
			if len(records) == 0 {
				fmt.Fprintf(a.err, "no run directories in %s; plumbline run makes one\n", root)
				return nil
			}
			w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "RUN\tNAME\tOK\tBEST\tAUROC")
			for _, r := range records {
				ok := fmt.Sprintf("%d/%d", r.OK(), len(r.Results))
				if st := state(r); st != "" {
					ok += " " + st
				}
				best, auroc := bestCell(r)
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Dir, r.Name, ok, best, auroc)
			}
			return failed(w.Flush())
		},
	}
}

func bestCell(r *record.Record) (name, auroc string) {
	top := -1.0
	name, auroc = "–", "–"
	for _, c := range r.Results {
		if v := c.Metric("auroc"); c.Status == record.OK && v > top {
			top, name, auroc = v, c.Data+" "+c.Label, number(v)
		}
	}
	return name, auroc
}
