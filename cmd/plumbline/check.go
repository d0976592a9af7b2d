package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/value"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

func (a *app) checkCommand() *cobra.Command {
	var read, asJSON bool
	var memory memorySize
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
  plumbline check configs/experiments/quickstart.yaml seeds=[1,2,3] --read
  plumbline check quickstart --json`,
		Args:              needs(1, -1, "an experiment file"),
		ValidArgsFunction: a.CompleteExperiment,
		RunE: func(c *cobra.Command, args []string) error {
			e, err := a.Load(args[0], args[1:])
			if err != nil {
				return err
			}
			p := viewPlan(e)
			var missing, bad []error
			for i := range e.Sets {
				set := &p.Data[i]
				_, lost := e.Sets[i].Config.Paths(e.Finder)
				missing = append(missing, lost)
				if lost == nil && (read || set.BuiltIn) {
					sum, err := prepare.Preview(c.Context(), e, &e.Sets[i], int64(memory))
					if set.prepared(sum); err != nil {
						bad = append(bad, err)
						set.Error = err.Error()
					}
				}
			}
			if asJSON {
				err = a.JSON(p)
			} else {
				err = failed(a.printPlan(p))
			}
			if err != nil {
				return err
			}
			if err := errors.Join(missing...); err != nil {
				return usage(errors.Join(append(missing, bad...)...))
			}
			return failed(errors.Join(bad...))
		},
	}
	c.Flags().BoolVar(&read, "read", false, "read, split and prepare data files too")
	a.memoryFlag(c, &memory)
	a.JSONFlag(c, &asJSON)
	a.DataFlag(c)
	return c
}

// planView is what would be run, as JSON shows it.
type planView struct {
	Name   string      `json:"name"`
	Data   []setView   `json:"data"`
	Models []entryView `json:"models"`
	Seeds  []uint64    `json:"seeds"`
	Cells  int         `json:"cells"`
	Notes  []string    `json:"notes"`
}

// setView is a data set of an experiment.
type setView struct {
	Name     string       `json:"name"`
	Split    string       `json:"split"` // kind
	Folds    int          `json:"folds"`
	Steps    []string     `json:"steps"`
	Unit     string       `json:"unit"`
	BuiltIn  bool         `json:"built_in"`
	Files    []fileView   `json:"files"`
	Prepared *summaryView `json:"prepared"` // of the first fold; null: it was not read
	Warnings []string     `json:"warnings"`
	Error    string       `json:"error,omitempty"`
}

// summaryView is what a data set comes to.
type summaryView struct {
	Rows    int `json:"rows"`
	BadRows int `json:"bad_rows"`
	Attacks int `json:"attacks"`
	// Unlabelled: nobody knows which rows are attacks.
	Unlabelled bool     `json:"unlabelled,omitempty"`
	Train      int      `json:"n_train"`
	Valid      int      `json:"n_valid"`
	Test       int      `json:"n_test"` // rows
	Units      int      `json:"units"`  // that are judged
	Columns    []string `json:"columns"`
	Symbols    int      `json:"symbols"`
}

// entryView is a model of an experiment.
type entryView struct {
	Label       string `json:"label"`
	Model       string `json:"model"`
	Input       string `json:"input"` // vectors or traces
	Cells       int    `json:"cells"`
	IgnoresSeed bool   `json:"ignores_seed"`
}

// viewPlan is the experiment without what only its data can tell.
func viewPlan(e *experiment.Experiment) planView {
	plan := e.Plan()
	p := planView{Name: e.Name, Seeds: e.Seeds, Cells: len(plan), Notes: []string{}}
	for i := range e.Sets {
		s := &e.Sets[i]
		v := setView{
			Name: s.Config.Name, Split: s.Split.Kind, Folds: len(s.Split.FoldNames()), Unit: s.Unit.String(),
			Steps: append([]string{}, s.Prep.Names()...), BuiltIn: s.Config.Generated(),
			Files: viewFiles(s.Config, e.Finder), Warnings: []string{},
		}
		if s.Split.Validation == 0 && e.Threshold.On == "validation" && !e.Threshold.Fixed() {
			v.Warnings = append(v.Warnings, "no rows are held out (split.validation: 0): thresholds will be undefined")
		}
		p.Data = append(p.Data, v)
	}
	cells := map[string]int{}
	for _, c := range plan {
		cells[c.Entry.Label]++
	}
	for _, m := range e.Entries {
		p.Models = append(p.Models, entryView{
			m.Label, m.Info.Name, m.Info.Needs.Input.String(), cells[m.Label], !m.UsesSeed(),
		})
	}
	for _, m := range withoutControl(e.Entries) {
		p.Notes = append(p.Notes, fmt.Sprintf(
			"%s sees several events at a time, and no %s with window: 1 stands beside it to show what that is worth",
			m.Label, m.Info.Name))
	}
	return p
}

// prepared takes over what reading and preparing a data set gave, which is nil after an error.
func (v *setView) prepared(s *prepare.Summary) {
	if s == nil {
		return
	}
	v.Prepared = &summaryView{
		Rows: s.Rows, BadRows: s.BadRows, Attacks: s.Attacks, Unlabelled: s.Unlabelled, Train: s.Train, Valid: s.Valid,
		Test: s.Test, Units: s.Units, Columns: s.Columns, Symbols: s.Symbols,
	}
	v.Warnings = append(v.Warnings, s.Warnings...)
}

// printPlan prints the data sets, and the cells by model.
func (a *app) printPlan(p planView) error {
	for i := range p.Data {
		a.printSet(&p.Data[i])
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nmodel\tsees\tcells")
	for _, m := range p.Models {
		why := ""
		if m.IgnoresSeed && len(p.Seeds) > 1 {
			why = "\tignores the seed"
		}
		fmt.Fprintf(w, "%s\t%s\t%d%s\n", m.Label, m.Input, m.Cells, why)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintln(a.Out, "note: "+n)
	}
	_, err := fmt.Fprintf(a.Out, "\n%s: %s, %s, %s\n", value.Count(p.Cells, "cell"), value.Count(len(p.Data), "data set"),
		value.Count(len(p.Models), "model"), value.Count(len(p.Seeds), "seed"))
	return err
}

// printSet prints what applies to a data set, where its files are, and what it comes to.
func (a *app) printSet(v *setView) {
	steps := strings.Join(v.Steps, ", ")
	if steps == "" {
		steps = "none"
	}
	split := v.Split
	if v.Folds > 1 {
		split += " of " + value.Count(v.Folds, "fold")
	}
	fmt.Fprintf(a.Out, "%s\n  split %s; steps: %s; unit %s\n", v.Name, split, steps, v.Unit)
	if v.BuiltIn {
		fmt.Fprintln(a.Out, "  made by the program: no files")
	}
	for _, f := range v.Files {
		if f.Error == "" {
			fmt.Fprintf(a.Out, "  found %s\n", f.Path)
		} else {
			fmt.Fprintf(a.Out, "  missing %s\n", f.Name)
		}
	}
	if s := v.Prepared; s != nil {
		if v.Folds > 1 {
			fmt.Fprintln(a.Out, "  the first fold:")
		}
		d := record.DataManifest{Rows: s.Rows, Attacks: s.Attacks, Unlabelled: s.Unlabelled, Train: s.Train}
		fmt.Fprintf(a.Out, "  %s; %s, %d set thresholds, %d test (%d units)\n", d.Labelled(), d.Training(), s.Valid, s.Test,
			s.Units)
		fmt.Fprintf(a.Out, "  %d columns after the steps", len(s.Columns))
		if s.Symbols > 0 {
			fmt.Fprintf(a.Out, "; traces of %d symbols", s.Symbols)
		}
		fmt.Fprintln(a.Out)
		if s.BadRows > 0 {
			fmt.Fprintf(a.Out, "  %d rows cannot be read and are left out\n", s.BadRows)
		}
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(a.Out, "  warning: %s\n", w)
	}
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
