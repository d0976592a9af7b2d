package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/configs"
	"plumbline/runs/figures"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

func (a *app) plotCommand() *cobra.Command {
	var out, width string
	var formats []string
	c := &cobra.Command{
		Use:   "plot RUNDIR",
		Short: "Write the figures of a run or of a search as SVG, PDF or PNG, each with its numbers as CSV",
		Long: `plot writes a figure of everything that a run directory has the numbers for, with a CSV file of them beside it:
ROC and precision-recall curves with bands over seeds and folds, where scores stand by class, recall by attack class,
decisions at the threshold, false-positive rates beside those asked for, loss by epoch, test rows in the plane
(keep: {coordinates: ...}), alarms by root cause (after investigate), state machines, published values beside ours,
critical differences over data sets and each model against what a run varies (vary); of a search's directory the
objective against each setting. Text has 8 points in the width that is asked for; PDF has its font within, PNG 300 dots
to an inch.`,
		Example: "  plumbline plot runs/20240101-120000-quickstart -o figures\n" +
			"  plumbline plot runs/20240101-120000-quickstart -o figures --format pdf --width ieee",
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pixels, err := plot.Pixels(width)
			if err != nil {
				return usage(err)
			}
			for _, f := range formats {
				if !slices.Contains(plot.Formats, f) {
					return usage(fmt.Errorf("--format %q: want %s", f, strings.Join(plot.Formats, ", ")))
				}
			}
			made, err := figures.Trials(args[0], pixels)
			if err != nil {
				return failed(err)
			}
			var rec *record.Record
			if made == nil {
				if rec, err = record.Open(args[0]); err != nil {
					return usage(err)
				}
				if made, err = figures.All(rec, configs.Files, pixels); err != nil {
					return failed(err)
				}
			}
			if len(made) == 0 {
				return failed(errors.New("plot: the directory has no numbers to draw"))
			}
			used := map[string]int{}
			for _, f := range made {
				if err := a.writeFigure(out, fileOf(f.Name, used), formats, f); err != nil {
					return err
				}
			}
			if rec == nil {
				return nil
			}
			return a.faults(rec)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "figures", "folder to write to")
	c.Flags().StringSliceVar(&formats, "format", []string{"svg"}, strings.Join(plot.Formats, ", ")+", or several")
	c.Flags().StringVar(&width, "width", "7", "width in inches, or "+strings.Join(plot.Venues(), ", "))
	c.MarkFlagDirname("out")
	return c
}

// writeFigure writes a figure in each format and its numbers, and says where.
func (a *app) writeFigure(folder, name string, formats []string, f *plot.Figure) error {
	if err := a.Output(filepath.Join(folder, name+".csv"), nil, f.CSV); err != nil {
		return failed(err)
	}
	for _, format := range formats {
		path := filepath.Join(folder, name+"."+format)
		if err := a.Output(path, nil, func(w io.Writer) error { return f.Write(w, format) }); err != nil {
			return failed(err)
		}
		if _, err := fmt.Fprintln(a.Out, path); err != nil {
			return failed(err)
		}
	}
	return nil
}

var noFileName = regexp.MustCompile(`[^\pL\pN._-]+`)

// fileOf is a name as that of a file, with a number where another figure has it.
func fileOf(name string, used map[string]int) string {
	name = noFileName.ReplaceAllString(name, "-")
	if used[name]++; used[name] > 1 {
		name = fmt.Sprintf("%s-%d", name, used[name])
	}
	return name
}
