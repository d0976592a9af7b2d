package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/audit"
	"plumbline/data/source"
	"plumbline/data/split"
)

func (a *app) auditCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit NAME|FILE",
		Short: "Look for what makes results on a data set mean less than they seem",
		Long: `audit reads a data set, splits it as its config says (a plain FILE as data infer guesses), and reports
duplicates within and across training and test, equal rows with different labels, hosts and connections on both sides,
columns that alone give the truth away, constant and identifying columns, disordered times, values that cannot be
right, and classes too small to read. Of a file without labels it reports what needs none.`,
		Example:           "  plumbline audit synth\n  plumbline audit synth --json\n  plumbline audit my-flows.csv",
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
			switch {
			case err != nil:
				return failed(err)
			case asJSON:
				return a.json(r)
			case r.Unlabelled:
				return failed(printUnlabelled(a.out, r))
			}
			return failed(printAudit(a.out, r, spec.Kind))
		},
	}
	a.jsonFlag(c, &asJSON)
	a.dataFlag(c)
	return c
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
		fmt.Fprintf(out, "%-12s %s\n", f.Kind, visible(f.Text))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nCLASS\tTRAIN\tTEST")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%d\t%d\n", visible(c.Name), c.Train, c.Test)
	}
	fmt.Fprintln(w, "\nCOLUMN\tTYPE\tDISTINCT\tMISSING\tNEGATIVE\tAUROC ALONE\tONE CUT")
	for _, c := range r.Columns {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.4f\t%.4f\n", visible(c.Name), c.Type, c.Distinct, c.Missing,
			c.Negative, c.AUROC, c.Stump)
	}
	return w.Flush()
}
