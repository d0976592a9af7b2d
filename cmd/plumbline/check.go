package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"plumbline/data"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE [OVERRIDE…]",
		Short: "Say everything about an experiment that can be known before training",
		Long: `check reads an experiment file as run does, reports every problem with its place, looks for the data files,
and prints the cells that would be run. It trains nothing and reads no data.`,
		Example: "  plumbline check configs/experiments/quickstart.yaml\n  plumbline check configs/experiments/quickstart.yaml seeds=[1,2,3]",
		Args:    needs(1, -1, "an experiment file"),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.load(args[0], args[1:])
			if err != nil {
				return err
			}
			var missing []error
			for i := range e.Sets {
				s := &e.Sets[i]
				c := s.Config
				fmt.Fprintf(a.out, "data %s: split %s, steps %v, unit %s\n", c.Name, s.Split.Kind, s.Prep.Names(), s.Unit)
				if c.Generated() {
					fmt.Fprintln(a.out, "  made by the program")
				}
				for _, f := range append(append([]string(nil), c.Files.Train...), c.Files.Test...) {
					path, err := e.Finder.Find(c.Folder, f)
					switch {
					case err == nil:
						fmt.Fprintf(a.out, "  %s\n", path)
					case errors.Is(err, data.ErrNoFile):
						fmt.Fprintf(a.out, "  %s is missing\n", f)
						missing = append(missing, err)
					default:
						missing = append(missing, err)
					}
				}
				if s.Split.Validation == 0 && e.Threshold.On == "validation" {
					fmt.Fprintln(a.out, "  warning: no rows are held out (split.validation: 0): thresholds will be undefined")
				}
			}
			plan := e.Plan()
			for _, c := range plan {
				fmt.Fprintf(a.out, "cell %s\n", c.Path())
			}
			fmt.Fprintf(a.out, "%d cells: %d data sets, %d models, %d seeds (deterministic models run once)\n", len(plan), len(e.Sets), len(e.Entries), len(e.Seeds))
			return usage(errors.Join(missing...))
		},
	}
}
