package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"plumbline/data/audit"
	refitted "plumbline/runs/audit"
	"plumbline/runs/visible"
)

// Refit prints the rounds of a refit.
func Refit(out io.Writer, r *refitted.Refit) error {
	fmt.Fprintf(out, "\nREFIT: %s, %d rows train, %d test\n", r.Model, r.Train, r.Test)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ROUND\tCOLUMNS\tAUROC\tBALANCED ACCURACY\tWITHOUT")
	for i, round := range r.Rounds {
		without := strings.Join(visible.All(round.Without), ", ")
		if i == 0 {
			without = "-"
		}
		fmt.Fprintf(w, "%d\t%d\t%.4f\t%.4f\t%s\n", i+1, round.Columns, round.AUROC, round.Balanced, without)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Finding != "" {
		fmt.Fprintf(out, "%-12s %s\n", "refit", visible.Text(r.Finding))
	}
	return nil
}

// smells prints the six smells and the benign rows over time.
func smells(out io.Writer, r *audit.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSMELL\tFOUND\tMEASURED")
	for _, s := range r.Smells {
		found := "no"
		if s.Found {
			found = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, found, visible.Text(s.Text))
	}
	if d := r.Drift; d != nil {
		fmt.Fprintf(w, "\nBENIGN ROWS FROM\tROWS\tSTABILITY INDEX\tMOST\n")
		for _, p := range d.Periods {
			fmt.Fprintf(w, "%s\t%d\t%.3f\t%s\n", p.From, p.Rows, p.PSI, visible.Text(p.Most))
		}
	}
	return w.Flush()
}

// Unlabelled prints what an audit without labels found.
func Unlabelled(out io.Writer, r *audit.Report) error {
	fmt.Fprintf(out, "%s: %d rows without labels: classes and what a column tells are not looked at\n\n",
		r.Data, r.Rows)
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%-12s %s\n", f.Kind, f.Text)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nCOLUMN\tTYPE\tDISTINCT\tMISSING\tNEGATIVE")
	for _, c := range r.Columns {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", c.Name, c.Type, c.Distinct, c.Missing, c.Negative)
	}
	return w.Flush()
}

// Audit prints an audit of a data set that was split as named.
func Audit(out io.Writer, r *audit.Report, split string) error {
	fmt.Fprintf(out, "%s: %d rows; split %s: %d train, %d test, %.1f %% of them attacks\n\n", r.Data, r.Rows, split,
		r.Train, r.Test, 100*r.BaseRate)
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%-12s %s\n", f.Kind, visible.Text(f.Text))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nCLASS\tTRAIN\tTEST")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%d\t%d\n", visible.Text(c.Name), c.Train, c.Test)
	}
	fmt.Fprintln(w, "\nCOLUMN\tTYPE\tDISTINCT\tMISSING\tNEGATIVE\tAUROC ALONE\tONE CUT")
	for _, c := range r.Columns {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.4f\t%.4f\n", visible.Text(c.Name), c.Type, c.Distinct, c.Missing,
			c.Negative, c.AUROC, c.Stump)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return smells(out, r)
}
