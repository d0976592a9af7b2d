package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"plumbline/runs/bundle"
	"plumbline/runs/export"
	"plumbline/runs/record"
)

func (a *app) exportRunCommand() *cobra.Command {
	var to, out string
	var force bool
	c := &cobra.Command{
		Use:   "export RUNDIR/CELL|MODEL --to FORMAT -o PATH",
		Short: "Write a trained model in another tool's format",
		Long: `export writes what runs left in other tools' formats ("data export" does so with the rows of data sets).

  onnx  one ONNX model of a cell or a model file: the preprocessing of numbers and categories, the model, and the
        threshold. It takes rows as they are in the data (numbers: float64, NaN where one is missing; categories:
        strings, empty where one is missing) and gives score (higher is more anomalous) and alarm. The columns'
        names, in order, and the threshold are in the model's metadata. A model that operators of ONNX cannot
        compute is refused, with the reason.`,
		Example: "  plumbline export runs/20240101-120000-quickstart/iforest/s1 --to onnx -o iforest.onnx",
		Args:    needs(1, 1, "a cell of a run directory, or a model file"),

		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usage(errors.New("export: -o names what to write"))
			}
			switch to {
			case "onnx":
				return a.exportONNX(args[0], out, force)
			}
			return usage(fmt.Errorf("--to %q: want onnx", to))
		},
	}
	c.Flags().StringVar(&to, "to", "", "format")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no notes on stderr")
	return c
}

// exportONNX writes a cell or a model file as one ONNX model.
func (a *app) exportONNX(path, out string, force bool) error {
	if err := mayWrite(out, force, []string{path}); err != nil {
		return err
	}
	b, err := bundle.Load(path)
	if err != nil {
		return usage(err)
	}
	m, err := export.ONNX(b, record.Build().Version)
	if errors.Is(err, export.ErrNoForm) {
		return usage(err)
	} else if err != nil {
		return failed(err)
	}
	if !a.Quiet {
		for _, note := range m.Notes {
			fmt.Fprintln(a.Err, "note:", note)
		}
	}
	return a.Output(out, []string{path}, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(m.Bytes))
		return failed(err)
	})
}
