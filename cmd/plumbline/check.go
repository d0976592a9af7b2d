package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/source"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
)

func (a *app) checkCommand() *cobra.Command {
	var read bool
	c := &cobra.Command{
		Use:   "check FILE [OVERRIDE…]",
		Short: "Say everything about an experiment that can be known before training",
		Long: `check reads an experiment file as run does, reports every problem with its place, looks for the data files,
and prints what would be run. It trains nothing and writes nothing.

Data that the program makes itself is also split and prepared, which gives the number of rows and of
columns; --read does that with data files too and so finds rows that cannot be read.

Exit code: 0 when the experiment can be run, 1 when its data cannot be read or prepared, 2 when the file or
the arguments are wrong or a data file is missing.`,
		Example: `  plumbline check configs/experiments/quickstart.yaml
  plumbline check configs/experiments/quickstart.yaml seeds=[1,2,3] --read`,
		Args:              needs(1, -1, "an experiment file"),
		ValidArgsFunction: a.completeExperiment,
		RunE: func(c *cobra.Command, args []string) error {
			e, err := a.load(args[0], args[1:])
			if err != nil {
				return err
			}
			var missing, bad []error
			for i := range e.Sets {
				lost := a.checkFiles(e, &e.Sets[i])
				missing = append(missing, lost...)
				if lost == nil && (read || e.Sets[i].Config.Generated()) {
					bad = append(bad, a.preview(c.Context(), e, &e.Sets[i]))
				}
			}
			if err := a.printPlan(e); err != nil {
				return failed(err)
			}
			if err := errors.Join(missing...); err != nil {
				return usage(errors.Join(append(missing, bad...)...))
			}
			return failed(errors.Join(bad...))
		},
	}
	c.Flags().BoolVar(&read, "read", false, "read, split and prepare data files too")
	a.dataFlag(c)
	return c
}

// checkFiles prints what applies to a data set and where its files are; the errors are about files that
// are not there.
func (a *app) checkFiles(e *experiment.Experiment, s *experiment.DataSet) (missing []error) {
	c := s.Config
	steps := strings.Join(s.Prep.Names(), ", ")
	if steps == "" {
		steps = "none"
	}
	split := s.Split.Kind
	if n := len(s.Split.FoldNames()); n > 1 {
		split += " of " + plural(n, "fold")
	}
	fmt.Fprintf(a.out, "%s\n  split %s; steps: %s; unit %s\n", c.Name, split, steps, s.Unit)
	if c.Generated() {
		fmt.Fprintln(a.out, "  made by the program: no files")
	}
	for _, f := range append(append([]string(nil), c.Files.Train...), c.Files.Test...) {
		path, err := e.Finder.Find(c.Folder, f)
		switch {
		case err == nil:
			fmt.Fprintf(a.out, "  found %s\n", path)
		case errors.Is(err, source.ErrNoFile):
			fmt.Fprintf(a.out, "  missing %s\n", f)
			missing = append(missing, err)
		default:
			missing = append(missing, err)
		}
	}
	if s.Split.Validation == 0 && e.Threshold.On == "validation" && !e.Threshold.Fixed() {
		fmt.Fprintln(a.out, "  warning: no rows are held out (split.validation: 0): thresholds will be undefined")
	}
	return missing
}

// preview prints what a data set comes to.
func (a *app) preview(ctx context.Context, e *experiment.Experiment, set *experiment.DataSet) error {
	s, err := prepare.Preview(ctx, e, set)
	if err != nil {
		return err
	}
	if len(set.Split.FoldNames()) > 1 {
		fmt.Fprintln(a.out, "  the first fold:")
	}
	fmt.Fprintf(a.out, "  %d rows, %d attacks; %d benign rows train, %d set thresholds, %d test (%d units)\n  %d columns after the steps", s.Rows, s.Attacks, s.Train, s.Valid, s.Test, s.Units, len(s.Columns))
	if s.Symbols > 0 {
		fmt.Fprintf(a.out, "; traces of %d symbols", s.Symbols)
	}
	fmt.Fprintln(a.out)
	if s.BadRows > 0 {
		fmt.Fprintf(a.out, "  %d rows cannot be read and are left out\n", s.BadRows)
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(a.out, "  warning: %s\n", w)
	}
	return nil
}

// printPlan prints the cells by model.
func (a *app) printPlan(e *experiment.Experiment) error {
	plan := e.Plan()
	cells := map[string]int{}
	for _, c := range plan {
		cells[c.Entry.Label]++
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nmodel\tsees\tcells")
	for _, m := range e.Entries {
		why := ""
		if !m.UsesSeed() && len(e.Seeds) > 1 {
			why = "\tignores the seed"
		}
		fmt.Fprintf(w, "%s\t%s\t%d%s\n", m.Label, m.Info.Needs.Input, cells[m.Label], why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, label := range withoutControl(e.Entries) {
		fmt.Fprintf(a.out, "note: %s sees several events at a time, and no %s with window: 1 stands beside it to show what that is worth\n", label.Label, label.Info.Name)
	}
	_, err := fmt.Fprintf(a.out, "\n%s: %s, %s, %s\n", plural(len(plan), "cell"), plural(len(e.Sets), "data set"), plural(len(e.Entries), "model"), plural(len(e.Seeds), "seed"))
	return err
}

// withoutControl is the models that see several events at a time and have no entry of the same kind that sees one.
func withoutControl(entries []experiment.Entry) (out []experiment.Entry) {
	type remembering interface{ Memory() int }
	controls := map[string]bool{}
	for _, e := range entries {
		if m, ok := e.Spec.(remembering); ok && m.Memory() == 1 {
			controls[e.Info.Name] = true
		}
	}
	for _, e := range entries {
		if m, ok := e.Spec.(remembering); ok && m.Memory() > 1 && !controls[e.Info.Name] {
			out = append(out, e)
		}
	}
	return out
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
