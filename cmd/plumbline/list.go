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
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List the run directories of a folder",
		Long: `list shows the run directories of a folder (default "runs"), oldest first: how many cells are ok, and the best
AUROC. A run some of whose files are missing or edited is damaged; "plumbline verify RUNDIR --files" says which.`,
		Example:           "  plumbline list\n  plumbline list /tmp/runs --json",
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
			if asJSON {
				return a.JSON(viewRuns(records))
			}
			if len(records) == 0 {
				fmt.Fprintf(a.Err, "no run directories in %s; plumbline run makes one\n", root)
				return nil
			}
			w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "RUN\tNAME\tOK\tBEST\tAUROC")
			for _, r := range records {
				ok := fmt.Sprintf("%d/%d", r.OK(), len(r.Results))
				if st := state(r); st != "" {
					ok += " " + st
				}
				best, auroc := "–", "–"
				if c := bestCell(r); c != nil {
					best, auroc = c.Data+" "+c.Label, number(c.Metric("auroc"))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Dir, r.Name, ok, best, auroc)
			}
			return failed(w.Flush())
		},
	}
	a.JSONFlag(c, &asJSON)
	return c
}

// runView is a run directory as JSON lists it.
type runView struct {
	Run   string    `json:"run"` // the directory
	Name  string    `json:"name"`
	State string    `json:"state"` // finished, interrupted, unfinished or damaged
	OK    int       `json:"ok"`
	Cells int       `json:"cells"`
	Best  *bestView `json:"best"` // null: no cell has an AUROC
}

// bestView is the cell with the highest AUROC.
type bestView struct {
	Data  string  `json:"data"`
	Label string  `json:"label"`
	Cell  string  `json:"cell"`
	AUROC float64 `json:"auroc"`
}

func viewRun(r *record.Record) runView {
	v := runView{Run: r.Dir, Name: r.Name, State: state(r), OK: r.OK(), Cells: len(r.Results)}
	if v.State == "" {
		v.State = "finished"
	}
	if c := bestCell(r); c != nil {
		v.Best = &bestView{c.Data, c.Label, c.Cell, c.Metric("auroc")}
	}
	return v
}

func viewRuns(records []*record.Record) []runView {
	views := []runView{}
	for _, r := range records {
		views = append(views, viewRun(r))
	}
	return views
}

// bestCell is the cell that is ok and has the highest AUROC, or nil.
func bestCell(r *record.Record) (best *record.Result) {
	top := -1.0
	for i := range r.Results {
		c := &r.Results[i]
		if v := c.Metric("auroc"); c.Status == record.OK && v > top {
			top, best = v, c
		}
	}
	return best
}
