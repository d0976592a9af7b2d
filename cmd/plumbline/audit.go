package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"plumbline/cmd/terminal"
	"plumbline/data/audit"
	"plumbline/data/source"
	"plumbline/data/split"
	refitted "plumbline/runs/audit"
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
		ValidArgsFunction: completeOne(func() []string { return a.Library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, finder, err := a.DataSet(args[0])
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
				fmt.Fprintf(a.Err, "looked at as a whole, since it cannot be split: %v\n", err)
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
				return a.JSON(out)
			case r.Unlabelled:
				return failed(terminal.Unlabelled(a.Out, r))
			}
			if err := terminal.Audit(a.Out, r, spec.Kind); err != nil || !refit {
				return failed(err)
			}
			return failed(terminal.Refit(a.Out, out.Refit))
		},
	}
	a.JSONFlag(c, &asJSON)
	c.Flags().BoolVar(&refit, "refit", false, "train a shallow forest without the columns that give attacks away")
	a.DataFlag(c)
	return c
}
