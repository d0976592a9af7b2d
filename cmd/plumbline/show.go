package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/runs"
)

func (a *app) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUNDIR [CELL]",
		Short: "Show a run directory, or one of its cells",
		Long: `show prints what a run was made with and how its cells ended. With a cell (as in the column "cell" of
results.csv, or a part of it that only one cell has) it prints that cell's settings and metrics.`,
		Example: "  plumbline show runs/20240101-120000-quickstart\n  plumbline show runs/20240101-120000-quickstart iforest/s1",
		Args:    needs(1, 2, "a run directory and at most one cell"),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := runs.Open(args[0])
			if err != nil {
				return usage(err)
			}
			if len(args) == 2 {
				return a.showCell(r, args[1])
			}
			return a.showRun(r)
		},
	}
}

func (a *app) showRun(r *runs.Record) error {
	m := r.Manifest
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "name\t%s\n", r.Name)
	fmt.Fprintf(w, "started\t%s\n", m.Started.Format("2006-01-02 15:04:05 MST"))
	if r.Complete {
		fmt.Fprintf(w, "took\t%s\n", m.Finished.Sub(m.Started).Round(1e8))
	} else {
		fmt.Fprintf(w, "took\tunfinished: plumbline run --resume %s\n", r.Dir)
	}
	fmt.Fprintf(w, "program\t%s %s, %s, %s/%s, %d × %s\n", m.Version, m.Revision, m.Go, m.OS, m.Arch, m.CPUs, m.CPU)
	for _, d := range m.Data {
		fmt.Fprintf(w, "data\t%s: %d rows, %d attacks; %d benign train, %d set thresholds, %d test\n", d.Name, d.Rows, d.Attacks, d.Train, d.Valid, d.Test)
		for _, f := range d.Files {
			fmt.Fprintf(w, "\t  %s, sha256 %s\n", f.Name, f.SHA256)
		}
		for _, s := range d.Warnings {
			fmt.Fprintf(w, "\t  warning: %s\n", s)
		}
	}
	fmt.Fprintln(w, "\ncell\tstatus\tAUROC\tfit\terror")
	for _, c := range r.Results {
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%s\t%s\n", c.Cell, c.Status, float64(c.AUROC), seconds(float64(c.FitSeconds)), c.Error)
	}
	return failed(w.Flush())
}

func (a *app) showCell(r *runs.Record, name string) error {
	var found []string
	for _, c := range r.Results {
		if c.Cell == name {
			found = []string{c.Cell}
			break
		}
		if strings.Contains(c.Cell, name) {
			found = append(found, c.Cell)
		}
	}
	switch len(found) {
	case 0:
		return usage(fmt.Errorf("%s has no cell %q", r.Dir, name))
	case 1:
	default:
		return usage(fmt.Errorf("%q fits %d cells: %s", name, len(found), strings.Join(found, ", ")))
	}
	for _, file := range []string{"status.json", "spec.yaml", "threshold.json", "metrics.json"} {
		f, err := os.Open(filepath.Join(r.Dir, filepath.FromSlash(found[0]), file))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return failed(err)
		}
		fmt.Fprintf(a.out, "# %s/%s\n", found[0], file)
		_, err = io.Copy(a.out, f)
		f.Close()
		if err != nil {
			return failed(err)
		}
	}
	return nil
}
