package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/audit"
	"plumbline/data/source"
	"plumbline/data/split"
	refitted "plumbline/runs/audit"
	"plumbline/runs/visible"
)

func (a *app) auditCommand() *cobra.Command {
	var asJSON, refit bool
	c := &cobra.Command{
		Use:   "audit NAME|FILE",
		Short: "Look for what makes results on a data set mean less than they seem",
		Long: `audit reads a data set, splits it as its config says (a plain FILE as data infer guesses), and reports
duplicates within and across training and test, equal rows with different labels, hosts and connections on both sides,
columns that alone give the truth away, constant and identifying columns, disordered times, values that cannot be
right, classes too small to read, rows that repeat another without the columns that name rows, six design smells
(Flood and others 2024), and from when on benign rows are others than before.

With --refit a shallow forest is trained on half of the rows, then without identifiers and the columns that alone tell
attacks, then without one more column at a time while it still finds every attack. Of a file without labels it
reports what needs none.`,
		Example: "  plumbline audit synth\n  plumbline audit synth --json\n  plumbline audit synth --refit\n" +
			"  plumbline audit my-flows.csv",
		Args:              needs(1, 1, "a data set or a file"),
		ValidArgsFunction: completeOne(func() []string { return a.library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, finder, err := a.dataSet(args[0])
			if err != nil {
				return usage(err)
			}
			t, _, err := source.Read(c.Context(), cfg, finder, runtime.GOMAXPROCS(0))
			if err != nil {
				return failed(err)
			}
			spec := split.DefaultSplit()
			if ps := cfg.Split.Decode(&spec); len(ps) > 0 {
				return usage(ps)
			}
			sp, err := spec.Apply(t)
			if err != nil && t.Attack == nil {
				fmt.Fprintf(a.err, "looked at as a whole, since it cannot be split: %v\n", err)
				sp, err = nil, nil
			}
			if err != nil {
				return failed(err)
			}
			r, err := audit.Table(c.Context(), t, sp)
			if err != nil {
				return failed(err)
			}
			out := struct {
				*audit.Report
				Refit *refitted.Refit `json:"refit,omitempty"`
			}{Report: r}
			if refit {
				if out.Refit, err = refitted.Forest(c.Context(), t, r, 1, runtime.GOMAXPROCS(0)); err != nil {
					return failed(fmt.Errorf("audit: %s: %w", r.Data, err))
				}
			}
			switch {
			case asJSON:
				return a.json(out)
			case r.Unlabelled:
				return failed(printUnlabelled(a.out, r))
			}
			if err := printAudit(a.out, r, spec.Kind); err != nil || !refit {
				return failed(err)
			}
			return failed(printRefit(a.out, out.Refit))
		},
	}
	a.jsonFlag(c, &asJSON)
	c.Flags().BoolVar(&refit, "refit", false, "train a shallow forest without the columns that give attacks away")
	a.dataFlag(c)
	return c
}

// printRefit prints the rounds of a refit.
func printRefit(out io.Writer, r *refitted.Refit) error {
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

// printSmells prints the six smells and the benign rows over time.
func printSmells(out io.Writer, r *audit.Report) error {
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

// printUnlabelled prints what an audit without labels found.
func printUnlabelled(out io.Writer, r *audit.Report) error {
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

func printAudit(out io.Writer, r *audit.Report, split string) error {
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
	return printSmells(out, r)
}
