package main

import (
	"github.com/spf13/cobra"

	"plumbline/models"
	"plumbline/runs/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [experiment|data|MODEL]",
		Short: "Print the JSON Schema of a config file, for editors",
		Long: `schema prints the JSON Schema of experiment files (the default), of data configs, or of one model's params.
Editors that speak YAML's language server complete and check a file that begins with

  # yaml-language-server: $schema=experiment.schema.json`,
		Example:           "  plumbline schema > experiment.schema.json\n  plumbline schema iforest",
		Args:              needs(0, 1, "at most one kind of file"),
		ValidArgsFunction: completeOne(func() []string { return append([]string{"experiment", "data"}, models.Names()...) }),
		RunE: func(_ *cobra.Command, args []string) error {
			what := "experiment"
			if len(args) == 1 {
				what = args[0]
			}
			s, err := schema.Of(what)
			if err != nil {
				return usage(err)
			}
			return a.JSON(s)
		},
	}
}
