package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"plumbline/configs"
	"plumbline/runs/record"
	"plumbline/runs/report"
)

func (a *app) reportCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "report RUNDIR",
		Short: "Write the report of a run or of a search, one HTML page",
		Long: `report writes one HTML page that opens from disk without a network: what came out and what makes it doubtful,
the comparison (sorted, filtered and by any metric), curves, scores, attack classes, what a threshold would do on a
network of your size, published values, cells that failed, the methods section and the environment. It carries
aggregates, no rows. run writes it at its end as report.html in the run directory. Of a search's directory it shows the
trials, with all settings side by side.`,
		Example: `  plumbline report runs/20240101-120000-quickstart -o report.html`,
		Args:    needs(1, 1, "a run directory"),

		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var search bytes.Buffer
			is, err := report.WriteSearch(&search, args[0])
			if err != nil {
				return failed(err)
			}
			if is {
				return a.Output(out, args, func(w io.Writer) error { _, err := search.WriteTo(w); return failed(err) })
			}
			rec, err := record.Open(args[0])
			if err != nil {
				return usage(err)
			}
			err = a.Output(out, args, func(w io.Writer) error { return failed(report.Write(w, rec, configs.Files, 0)) })
			if err != nil {
				return err
			}
			return a.faults(rec)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	return c
}

// reportFile is the report in a run directory.
const reportFile = "report.html"

// reportLines is how many lines of scores the report at the end of a run reads at most.
const reportLines = 5_000_000

// keepReport leaves the report in the run directory and returns its path, "" if it could not be written.
func (a *app) keepReport(rec *record.Record) string {
	err := record.NewDirectory(rec.Dir).Write(reportFile, func(w io.Writer) error {
		return report.Write(w, rec, configs.Files, reportLines)
	})
	if err == nil {
		err = a.Keep(rec.Dir, reportFile)
	}
	if err != nil {
		if !a.Quiet {
			fmt.Fprintf(a.Err, "no report is kept (%v); it is made by: plumbline report %s\n", err, a.Shown(rec.Dir))
		}
		return ""
	}
	return filepath.Join(rec.Dir, reportFile)
}
