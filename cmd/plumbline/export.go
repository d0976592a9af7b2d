package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/data/export"
	"plumbline/data/source"
)

func (a *app) exportCommand() *cobra.Command {
	var force, inert bool
	var prepared preparedSettings
	c := &cobra.Command{
		Use:   "export NAME FILE",
		Short: "Write a data set's table, as it is read, or what models see of it",
		Long: `export reads a data set as an experiment would and writes its table: every column that is kept or derived, then
attack (0 or 1) and class where there are labels, then part, file and line, which say where each row came
from. The name of FILE says the format: .parquet, .csv or .ndjson, the latter two also with .gz or .zst.

A cell that begins with =, +, - or @ is a formula to a spreadsheet program: with --spreadsheet such texts, which
whoever made the traffic may have chosen, get a single quote in front. They are then other texts than in the data.

Missing values are nulls, in CSV empty cells; times are UTC. The file appears whole or not at all. "data infer"
on it writes a config that reads it back.

With --prepared the arguments are those of "run", an experiment and overrides, and what its models see is written to
OUT/DATA, of a split with folds to OUT/DATA/FOLD: the prepared matrix of train (the benign rows, or with --labels
the labelled ones), valid and test, the row of the table that each sample is, and manifest.json with the columns and
the hashes of all files and matrices. The models "scores" and "command" take methods that use these files into a
comparison.`,
		Example: `  plumbline data export synth synth.parquet
  plumbline data export synth synth.csv.gz
  plumbline data export quickstart --prepared --split train,test --format csv --out /tmp/runs/prepared`,
		Args: exportArgs(&prepared),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return a.Library().Names("data"), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return []string{"parquet", "csv", "ndjson", "gz", "zst"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if prepared.on {
				return a.exportPrepared(c.Context(), args, &prepared)
			}
			name, path := args[0], args[1]
			if format, _, err := export.ExportFormat(path); err != nil {
				return usage(err)
			} else if inert && format != "csv" {
				return usage(fmt.Errorf("--spreadsheet: %s is not a CSV file", path))
			}
			cfg, finder, err := a.DataSet(name)
			if err != nil {
				return usage(err)
			}
			m, err := prepared.key.Mapper()
			if err != nil {
				return err
			}
			cfg = cfg.WithPseudonyms(m)
			var inputs []string
			for _, f := range cfg.Locate(finder) {
				inputs = append(inputs, f.Path)
			}
			if err := mayWrite(path, force, inputs); err != nil {
				return err
			}
			// an interrupt takes the unfinished file away
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if !a.Quiet {
				fmt.Fprintf(a.Err, "%s: reading\n", name)
			}
			t, rep, err := source.Read(ctx, cfg, finder, runtime.GOMAXPROCS(0))
			if err != nil {
				return failed(err)
			}
			for _, w := range rep.Warnings {
				fmt.Fprintf(a.Err, "%s: warning: %s\n", name, strings.TrimPrefix(w, name+": "))
			}
			if inert {
				t = export.Inert(t)
			}
			columns, err := export.Export(ctx, t, path, a.exportProgress(name, t.Rows))
			if err != nil {
				return failed(err)
			}
			st, err := os.Stat(path)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.Out, "%s: %d rows, %d columns, %.1f MB\n", path, t.Rows, len(columns), float64(st.Size())/1e6)
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	c.Flags().BoolVar(&inert, "spreadsheet", false,
		"CSV: a single quote before texts that a spreadsheet would run as a formula")
	prepared.key.Flag(c)
	a.preparedFlags(c, &prepared)
	a.DataFlag(c)
	return c
}

// exportProgress prints a line about every two seconds.
func (a *app) exportProgress(name string, rows int) func(done int) {
	next := time.Now().Add(2 * time.Second)
	return func(done int) {
		if a.Quiet || time.Now().Before(next) {
			return
		}
		next = time.Now().Add(2 * time.Second)
		fmt.Fprintf(a.Err, "%s: %d of %d rows written (%d %%)\n", name, done, rows, 100*done/max(1, rows))
	}
}
