package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"plumbline/runs/bundle"
	"plumbline/runs/record"
)

func (a *app) bundleCommand() *cobra.Command {
	var out string
	var force bool
	c := &cobra.Command{
		Use:   "bundle RUNDIR/CELL -o FILE",
		Short: "Write what a finished cell scores with as one file",
		Long: `bundle writes a finished cell as one file, a model file: which columns are read and how, the fitted
preprocessing, the model, the threshold, traces and unit, metrics, and where it all comes from. It holds no code. The
same cell gives the same bytes. Its first two lines are text, with the format and a hash over everything; the rest is a
zip archive. What takes RUNDIR/CELL for its model takes a model file too.`,
		Example: "  plumbline bundle runs/20240101-120000-quickstart/iforest/s1 -o model.plumb\n" +
			"  plumbline bundle show runs/20240101-120000-quickstart/iforest/s1",
		Args:              needs(1, 1, "a cell of a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usage(errors.New("bundle: -o names the file to write"))
			}
			dir, cell := splitCell(args[0])
			if cell == "" {
				return usage(fmt.Errorf("%s names no cell; \"plumbline show %s\" lists them", args[0], args[0]))
			}
			if err := mayWrite(out, force, nil); err != nil {
				return err
			}
			var b bytes.Buffer
			err := bundle.Pack(&b, dir, cell)
			switch {
			case errors.Is(err, record.ErrNoCell), errors.Is(err, bundle.ErrRefused):
				return usage(err)
			case err != nil:
				return failed(err)
			}
			return a.Output(out, nil, func(w io.Writer) error { _, err := b.WriteTo(w); return failed(err) })
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "model file to write")
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.AddCommand(a.bundleShowCommand())
	return c
}
