package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/bundle"
	"plumbline/runs/export"
	"plumbline/runs/record"
)

func (a *app) exportRunCommand() *cobra.Command {
	var to, out, files string
	var force bool
	c := &cobra.Command{
		Use:   "export RUNDIR[/CELL]|MODEL --to FORMAT -o PATH",
		Short: "Write a trained model, or a run, in another tool's format",
		Long: `export writes what runs left in other tools' formats ("data export" does so with the rows of data sets).

  onnx  one ONNX model of a cell or a model file: the preprocessing of numbers and categories, the model, and the
        threshold. It takes rows as they are in the data (numbers: float64, NaN where one is missing; categories:
        strings, empty where one is missing) and gives score (higher is more anomalous) and alarm. The columns'
        names, in order, and the threshold are in the model's metadata. A model that operators of ONNX cannot
        compute is refused, with the reason.
  card  the model card in Markdown: what it is for, its training data, threshold, metrics with intervals, and the
        limits that were measured
  croissant
        the card of its data set, as JSON-LD of Croissant 1.0: files with their hashes, and columns

Of a run directory:

  mlruns       an MLflow file store, which is made or added to: a run, and one below it for each cell. It belongs
               where it is written, since it names its folders by absolute paths
  tensorboard  event files: metrics by epoch and at the end, and settings to compare; a folder for each cell
  dvc          params.yaml, metrics.json and plots of each cell in DVCLive's layout, and a dvc.yaml that lists them

What is there already of the same run is written anew.`,
		Example: `  plumbline export runs/20240101-120000-quickstart/iforest/s1 --to onnx -o iforest.onnx
  plumbline export runs/20240101-120000-quickstart/iforest/s1 --to card -o card.md
  plumbline export runs/20240101-120000-quickstart --to mlruns -o mlruns`,
		Args: needs(1, 1, "a run directory, a cell of one, or a model file"),

		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usage(errors.New("export: -o names what to write"))
			}
			switch to {
			case "onnx":
				return a.exportONNX(args[0], out, force)
			case "card":
				return a.exportCard(args[0], out, force, export.Card)
			case "croissant":
				return a.exportCard(args[0], out, force, export.Croissant)
			case "mlruns":
				return exported(export.MLruns(args[0], out, export.Artifacts(files)))
			case "tensorboard":
				return exported(export.TensorBoard(args[0], out))
			case "dvc":
				return exported(export.DVC(args[0], out))
			}
			return usage(fmt.Errorf("--to %q: want onnx, card, croissant, mlruns, tensorboard or dvc", to))
		},
	}
	c.Flags().StringVar(&to, "to", "", "format")
	c.Flags().StringVarP(&out, "out", "o", "", "file or folder to write")
	c.Flags().StringVar(&files, "files", "small", "with mlruns, files to copy: none, small, or all (scores and models)")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no notes on stderr")
	command.Idle(c, func([]string) bool { return to != "mlruns" }, "without --to mlruns", "files")
	command.Idle(c, func([]string) bool { return to == "mlruns" || to == "tensorboard" || to == "dvc" },
		"with --to mlruns, tensorboard and dvc: what is there of the same run is written anew", "force")
	return c
}

// exportCard writes what is known of a cell or a model file.
func (a *app) exportCard(path, out string, force bool, write func(io.Writer, *bundle.Bundle) error) error {
	if err := mayWrite(out, force, []string{path}); err != nil {
		return err
	}
	b, err := export.Described(path)
	if err != nil {
		return usage(err)
	}
	var text bytes.Buffer
	if err := write(&text, b); errors.Is(err, export.ErrUndescribed) {
		return usage(fmt.Errorf("%s: %w: name RUNDIR/CELL, or a model file", path, err))
	} else if err != nil {
		return failed(err)
	}
	return a.Output(out, []string{path}, func(w io.Writer) error {
		_, err := text.WriteTo(w)
		return failed(err)
	})
}

// exported is the error of an export of a run directory.
func exported(err error) error {
	if errors.Is(err, export.ErrArguments) {
		return usage(err)
	}
	return failed(err)
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
