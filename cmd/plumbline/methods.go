package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/configs"
	"plumbline/runs/methods"
	"plumbline/runs/record"
)

func (a *app) methodsCommand() *cobra.Command {
	var format, out string
	c := &cobra.Command{
		Use:   "methods RUNDIR",
		Short: "Write the methods section of a run",
		Long: `methods writes what a paper says of a run's methods: data sets with their files, hashes and rows of each class
and part, split, preprocessing, models with the settings that are not their defaults, seeds, threshold, intervals,
tests and software. All of it comes from the run directory, and every number of it stands there.

Formats: markdown, latex (booktabs, tabularx), and bibtex, the references that both cite.`,
		Example: `  plumbline methods runs/20240101-120000-quickstart
  plumbline methods runs/20240101-120000-quickstart --format latex -o methods.tex
  plumbline methods runs/20240101-120000-quickstart --format bibtex -o methods.bib`,
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rec, err := record.Open(args[0])
			if err != nil {
				return usage(err)
			}
			section, err := methods.Write(rec, configs.Files)
			if err != nil {
				return usage(err)
			}
			err = a.Output(out, args, func(w io.Writer) error { return usage(section.Render(w, format)) })
			if err != nil {
				return err
			}
			return a.faults(rec)
		},
	}
	c.Flags().StringVarP(&format, "format", "f", "markdown", strings.Join(methods.Formats, ", "))
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(methods.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}
