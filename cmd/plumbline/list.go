package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/runs/record"
	"plumbline/runs/tune"
)

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List the run directories of a folder",
		Long: `list shows the run directories of a folder (default "runs"), oldest first: how many cells are ok, and the best
AUROC. Of a search of settings it shows how many trials ended, and the best AUROC on the test part. A run some of whose
files are missing or edited is damaged; "plumbline verify RUNDIR --files" says which.`,
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
				v := viewRun(r)
				ok := fmt.Sprintf("%d/%d", v.OK, v.Cells)
				if v.Trials != nil {
					ok = fmt.Sprintf("%d trials", *v.Trials)
				}
				if v.State != finished {
					ok += " " + v.State
				}
				best, auroc := "–", "–"
				if v.Best != nil {
					best, auroc = v.Best.Data+" "+v.Best.Label, number(v.Best.AUROC)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Run, v.Name, ok, best, auroc)
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
	State string    `json:"state"` // finished, interrupted, unfinished, damaged, or untested of a search
	OK    int       `json:"ok"`
	Cells int       `json:"cells"`
	Best  *bestView `json:"best"` // null: no cell has an AUROC
	// Trials is how many of a search ended; its cells are those that read the test part.
	Trials *int `json:"trials,omitempty"`
}

const finished = "finished"

// bestView is the cell with the highest AUROC.
type bestView struct {
	Data  string  `json:"data"`
	Label string  `json:"label"`
	Cell  string  `json:"cell"`
	AUROC float64 `json:"auroc"`
}

func viewRun(r *record.Record) runView {
	search := tune.Listed(r)
	v := runView{Run: r.Dir, Name: r.Name, State: cmp.Or(state(r), finished), OK: r.OK(), Cells: len(r.Results)}
	if search != nil {
		v.State, v.Trials = search.State, &search.Trials
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
