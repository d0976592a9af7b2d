package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data"
	"plumbline/data/audit"
)

func (a *app) auditCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit NAME",
		Short: "Look for what makes results on a data set mean less than they seem",
		Long: `audit reads a data set, splits it as its config says, and reports duplicates within and across training and
test, equal rows with different labels, hosts and connections on both sides, columns that alone give the
truth away, constant and identifying columns, disordered times, and classes too small to read.`,
		Example:           "  plumbline audit synth\n  plumbline audit synth --json",
		Args:              needs(1, 1, "a data set"),
		ValidArgsFunction: completeOne(func() []string { return a.library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := a.dataConfig(args[0])
			if err != nil {
				return usage(err)
			}
			t, _, err := data.Read(c.Context(), cfg, data.NewFinder(a.dataDirs...), runtime.GOMAXPROCS(0))
			if err != nil {
				return failed(err)
			}
			split := data.DefaultSplit()
			if ps := cfg.Split.Decode(&split); len(ps) > 0 {
				return usage(ps)
			}
			sp, err := split.Apply(t)
			if err != nil {
				return failed(err)
			}
			r, err := audit.Table(c.Context(), t, sp)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return a.json(r)
			}
			return failed(printAudit(a.out, r, split.Kind))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	a.dataFlag(c)
	return c
}

func printAudit(out io.Writer, r *audit.Report, split string) error {
	fmt.Fprintf(out, "%s: %d rows; split %s: %d train, %d test, %.1f %% of them attacks\n\n", r.Data, r.Rows, split, r.Train, r.Test, 100*r.BaseRate)
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%-12s %s\n", f.Kind, f.Text)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nCLASS\tTRAIN\tTEST")
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s\t%d\t%d\n", c.Name, c.Train, c.Test)
	}
	fmt.Fprintln(w, "\nCOLUMN\tTYPE\tDISTINCT\tMISSING\tNEGATIVE\tAUROC ALONE\tONE CUT")
	for _, c := range r.Columns {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.4f\t%.4f\n", c.Name, c.Type, c.Distinct, c.Missing, c.Negative, c.AUROC, c.Stump)
	}
	return w.Flush()
}
