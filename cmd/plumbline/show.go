package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/configs/settings"
	"plumbline/runs/record"
)

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show RUNDIR[/CELL]",
		Short: "Show a run directory, or one of its cells",
		Long: `show prints what a run was made with and how its cells ended. With a cell (as in the column "cell" of
results.csv, or a part of it that only one cell has) it prints that cell's settings and metrics.`,
		Example: "  plumbline show runs/20240101-120000-quickstart\n" +
			"  plumbline show runs/20240101-120000-quickstart/iforest/s1 --json",
		Args:              needs(1, 1, "a run directory, or one of its cells"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, cell := splitCell(args[0])
			r, err := record.Open(dir)
			if err != nil {
				return usage(err)
			}
			switch {
			case cell != "" && asJSON:
				err = a.showCellJSON(r, cell)
			case cell != "":
				err = a.showCell(r, cell)
			case asJSON:
				err = a.JSON(shownRun{viewRun(r), r.Manifest, append([]record.Result{}, r.Results...)})
			default:
				err = a.showRun(r)
			}
			if err != nil {
				return err
			}
			return a.faults(r)
		},
	}
	a.JSONFlag(c, &asJSON)
	return c
}

// shownRun is a run directory as JSON shows it.
type shownRun struct {
	runView
	Manifest record.Manifest `json:"manifest"` // as in manifest.json
	Results  []record.Result `json:"results"`  // the rows of results.csv
}

// shownCell is a cell as JSON shows it: what stands in its files, null where there is none.
type shownCell struct {
	Cell       string          `json:"cell"`
	Status     json.RawMessage `json:"status"`
	Spec       any             `json:"spec"`
	Threshold  json.RawMessage `json:"threshold"`
	Metrics    json.RawMessage `json:"metrics"`
	Clusters   json.RawMessage `json:"clusters"`
	Importance json.RawMessage `json:"importance"`
}

func (a *app) showCellJSON(r *record.Record, name string) error {
	c, err := r.Find(name)
	if err != nil {
		return usage(err)
	}
	read := func(file string) ([]byte, error) {
		raw, err := record.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(c.Cell), file), record.MaxJSON)
		if errors.Is(err, record.ErrUnusual) || os.IsNotExist(err) {
			return nil, nil // it is among the faults
		}
		return raw, err
	}
	v := shownCell{Cell: c.Cell}
	for file, to := range map[string]*json.RawMessage{"importance.json": &v.Importance,
		"status.json": &v.Status, "threshold.json": &v.Threshold, "metrics.json": &v.Metrics, "clusters.json": &v.Clusters,
	} {
		if *to, err = read(file); err != nil {
			return failed(err)
		}
	}
	spec, err := read("spec.yaml")
	if err != nil {
		return failed(err)
	}
	doc, err := settings.Parse("spec.yaml", spec)
	if err != nil {
		return failed(err)
	}
	if v.Spec, err = doc.Value(); err != nil {
		return failed(err)
	}
	return a.JSON(v)
}

// damaged is the state of a run some of whose files are not what it wrote.
const damaged = "damaged"

func (a *app) showRun(r *record.Record) error {
	m := r.Manifest
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "name\t%s\n", r.Name)
	fmt.Fprintf(w, "started\t%s\n", m.Started.Format("2006-01-02 15:04:05 MST"))
	switch state(r) {
	case "":
		fmt.Fprintf(w, "took\t%s\n", m.Finished.Sub(m.Started).Round(1e8))
	case damaged:
		fmt.Fprintf(w, "damaged\tfiles are not what the run wrote: plumbline verify %s --files\n", r.Dir)
	default:
		fmt.Fprintf(w, "%s\tgo on with: plumbline run --resume %s\n", state(r), r.Dir)
	}
	fmt.Fprintf(w, "program\t%s\n", program(m))
	for _, d := range m.Data {
		fmt.Fprintf(w, "data\t%s: %s; %s, %d set thresholds, %d test\n", d.Name, d.Labelled(), d.Training(), d.Valid, d.Test)
		for _, f := range d.Files {
			if f.SHA256 != "" {
				fmt.Fprintf(w, "\t  %s, sha256 %s\n", f.Name, f.SHA256)
			}
		}
		for _, s := range d.Warnings {
			fmt.Fprintf(w, "\t  warning: %s\n", s)
		}
	}
	fmt.Fprintln(w, "\ncell\tstatus\tAUROC\tfit\terror")
	for _, c := range r.Results {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Cell, c.Status, number(c.Metric("auroc")), seconds(c.Metric("fit_seconds")),
			c.Error)
	}
	return failed(w.Flush())
}

// state is empty for a run that came to its end, else damaged, interrupted, or unfinished: killed, or still at work.
func state(r *record.Record) string {
	if r.Faults != nil {
		return damaged
	}
	for _, c := range r.Results {
		if c.Status == record.Interrupted {
			return record.Interrupted
		}
	}
	if !r.Complete {
		return "unfinished"
	}
	return ""
}

func (a *app) showCell(r *record.Record, name string) error {
	c, err := r.Find(name)
	if err != nil {
		return usage(err)
	}
	files := []string{"status.json", "spec.yaml", "threshold.json", "metrics.json", "clusters.json", "importance.json"}
	for _, file := range files {
		f, err := record.OpenFile(filepath.Join(r.Dir, filepath.FromSlash(c.Cell), file), record.MaxJSON)
		if errors.Is(err, record.ErrUnusual) || os.IsNotExist(err) {
			continue // it is among the faults
		}
		if err != nil {
			return failed(err)
		}
		fmt.Fprintf(a.Out, "# %s/%s\n", c.Cell, file)
		_, err = io.Copy(a.Out, f)
		f.Close()
		if err != nil {
			return failed(err)
		}
	}
	if a.Draws {
		return drawCell(a.Out, r, c)
	}
	return nil
}
