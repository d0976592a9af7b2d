package main

import (
	"io"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/data/infer"
)

func (a *app) inferCommand() *cobra.Command {
	var out string
	var force bool
	c := &cobra.Command{
		Use:   "infer FILE",
		Short: "Write a data config for a file of your own",
		Long: `infer looks at the first rows of a CSV, TSV, Zeek, NDJSON or Parquet file and writes a data config that reads
it: separator, header, encoding, column types, missing marks, and guesses of the label column and of what is
benign in it. A file that "data export" wrote says these itself. A capture of packets is read as flows of zeek.
Put the result into configs/data beside your experiments and read it through: guesses carry a comment.`,
		Example: "  plumbline data infer my-flows.csv > configs/data/my-flows.yaml",
		Args:    needs(1, 1, "a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := mayWrite(out, force, args); err != nil {
				return err
			}
			text, err := infer.Infer(args[0])
			if err != nil {
				return usage(err)
			}
			return a.Output(out, args, func(w io.Writer) error { _, err := w.Write(text); return failed(err) })
		},
	}
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	command.NeedsOut(c, &out)
	return c
}
