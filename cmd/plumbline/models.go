package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/configs/settings"
	"plumbline/models"
)

func (a *app) modelsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "models [NAME]",
		Short: "List the models, or describe one and its settings",
		Long: "models lists the registered models. With a name it prints the source, what the model needs, " +
			"and every setting with type, default and range.",
		Example:           "  plumbline models\n  plumbline models iforest --json",
		Args:              needs(0, 1, "at most one model"),
		ValidArgsFunction: completeOne(models.Names),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.describeModel(args[0], asJSON)
			}
			return a.listModels(asJSON)
		},
	}
	a.JSONFlag(c, &asJSON)
	return c
}

// modelView is a model as JSON shows it.
type modelView struct {
	Name          string           `json:"name"`
	Doc           string           `json:"doc"`
	Paper         string           `json:"paper"`
	Input         string           `json:"input"`
	Labels        string           `json:"labels"` // none, some or all
	Batch         bool             `json:"batch"`
	Deterministic bool             `json:"deterministic"` // with the default settings
	Settings      []settings.Field `json:"settings,omitempty"`
}

func viewModel(i models.Info) modelView {
	return modelView{i.Name, i.Doc, i.Paper, i.Needs.Input.String(), i.Needs.Labels.String(), i.Needs.Batch,
		!i.UsesSeed(i.Defaults()), settings.Fields(i.Defaults())}
}

func (a *app) listModels(asJSON bool) error {
	var views []modelView
	for _, name := range models.Names() {
		i, err := models.Lookup(name)
		if err != nil {
			return failed(err)
		}
		views = append(views, viewModel(i))
	}
	if asJSON {
		return a.JSON(views)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSEES\tLEARNS FROM\tWHAT")
	for _, v := range views {
		from := "benign rows"
		if v.Labels != models.NoLabels.String() {
			from = "labels"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.Name, v.Input, from, v.Doc)
	}
	return failed(w.Flush())
}

func (a *app) describeModel(name string, asJSON bool) error {
	i, err := models.Lookup(name)
	if err != nil {
		return usage(err)
	}
	v := viewModel(i)
	if asJSON {
		return a.JSON(v)
	}
	fmt.Fprintf(a.Out, "%s\n\n%s\n%s", v.Name, wrap(v.Doc, "  ", 100), wrap("Source: "+v.Paper, "  ", 100))
	fmt.Fprintf(a.Out, "  Sees %s", v.Input)
	if v.Labels != models.NoLabels.String() {
		fmt.Fprint(a.Out, "; learns from labels")
	}
	if v.Batch {
		fmt.Fprint(a.Out, "; a sample's score depends on the samples scored with it")
	}
	if v.Deterministic {
		fmt.Fprint(a.Out, "; ignores the seed")
	}
	fmt.Fprintln(a.Out)
	if len(v.Settings) == 0 {
		fmt.Fprintln(a.Out, "\nno settings")
		return nil
	}
	fmt.Fprintln(a.Out, "\nparams:")
	for _, f := range v.Settings {
		limits := ""
		if f.Range != "" {
			limits = ", " + f.Range
		}
		fmt.Fprintf(a.Out, "  %s: %s   # %s%s\n%s", f.Name, f.Default, f.Type, limits, wrap(f.Doc, "      ", 100))
	}
	return nil
}
