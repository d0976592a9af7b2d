package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"plumbline/runs/plot"
	"plumbline/runs/record"
	"plumbline/runs/report"
)

func (a *app) plotCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "plot RUNDIR",
		Short: "Write the figures of a run as SVG, each with its numbers as CSV",
		Long: `plot writes the figures of a run's report as files: ROC curves with bands over seeds and folds, and where
scores stand by class, each as SVG with a CSV file of the plotted numbers beside it.`,
		Example:           "  plumbline plot runs/20240101-120000-quickstart -o figures",
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rec, err := record.Open(args[0])
			if err != nil {
				return usage(err)
			}
			figures, err := report.Figures(rec)
			if err != nil {
				return failed(err)
			}
			if len(figures) == 0 {
				return failed(errors.New("plot: the run has no scores with attacks and benign units to draw"))
			}
			used := map[string]int{}
			for _, f := range figures {
				if err := a.writeFigure(out, fileOf(f.Name, used), f); err != nil {
					return err
				}
			}
			return a.faults(rec)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "figures", "folder to write to")
	c.MarkFlagDirname("out")
	return c
}

// writeFigure writes a figure and its numbers, and says where.
func (a *app) writeFigure(folder, name string, f *plot.Figure) error {
	for extension, fill := range map[string]func(io.Writer) error{".svg": f.SVG, ".csv": f.CSV} {
		if err := a.output(filepath.Join(folder, name+extension), nil, fill); err != nil {
			return failed(err)
		}
	}
	_, err := fmt.Fprintln(a.out, filepath.Join(folder, name+".svg"))
	return failed(err)
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
