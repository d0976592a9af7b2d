package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/configs/settings"
	"plumbline/data/source"
)

func (a *app) dataCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "data [NAME]",
		Short: "List the data sets, or describe one and find its files",
		Long: `data lists the data configs and whether their files are found. With a name it prints description, licence,
citation and where each file is or was looked for. data fetch NAME downloads what can be had without a form, data
infer FILE writes a config for a file of your own, data export NAME FILE writes the table as it is read.`,
		Example:           "  plumbline data\n  plumbline data synth\n  plumbline data --json",
		Args:              needs(0, 1, "at most one data set"),
		ValidArgsFunction: completeOne(func() []string { return a.Library().Names("data") }),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.describeData(args[0], asJSON)
			}
			return a.listData(asJSON)
		},
	}
	a.DataFlag(c)
	a.JSONFlag(c, &asJSON)
	c.AddCommand(a.flowsCommand(), a.fetchCommand(), a.inferCommand(), a.exportCommand(), a.simulateCommand())
	return c
}

// files says of each file of a data set where it is, or where it was looked for.
func files(c *source.Config, finder source.Finder) (found, missing []string) {
	for _, f := range viewFiles(c, finder) {
		if f.Error == "" {
			found = append(found, f.Path)
		} else {
			missing = append(missing, f.Error)
		}
	}
	return found, missing
}

// dataView is a data set as JSON shows it.
type dataView struct {
	Name     string     `json:"name"`
	Doc      string     `json:"doc"`
	Citation string     `json:"citation"`
	Licence  string     `json:"licence"`
	URL      string     `json:"url"`
	Format   string     `json:"format"`
	Tried    string     `json:"tried"`    // complete, sample, layout, or empty for data that the program makes
	BuiltIn  bool       `json:"built_in"` // made by the program: it has no files
	Files    []fileView `json:"files"`
}

// fileView is a data file and where it is.
type fileView struct {
	Name  string `json:"name"`
	Path  string `json:"path"`            // empty: not found
	Error string `json:"error,omitempty"` // why
}

func viewData(c *source.Config, finder source.Finder) dataView {
	return dataView{c.Name, c.Doc, c.Citation, c.Licence, c.URL, c.Format, c.Tried, c.Generated(),
		viewFiles(c, finder)}
}

func viewFiles(c *source.Config, f source.Finder) []fileView {
	files := []fileView{}
	for _, l := range c.Locate(f) {
		v := fileView{Name: l.Name, Path: l.Path}
		if l.Err != nil {
			v.Error = l.Err.Error()
		}
		files = append(files, v)
	}
	return files
}

func (a *app) listData(asJSON bool) error {
	views := []dataView{}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(w, "NAME\tFORMAT\tFILES\tWHAT")
	}
	var broken []error
	for _, name := range a.Library().Names("data") {
		c, finder, err := a.DataSet(name)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if asJSON {
			views = append(views, viewData(c, finder))
			continue
		}
		state := "built in"
		if !c.Generated() {
			found, missing := files(c, finder)
			state = fmt.Sprintf("%d of %d found", len(found), len(found)+len(missing))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Name, c.Format, state, settings.FirstSentence(c.Doc))
	}
	err := w.Flush()
	if asJSON {
		err = a.JSON(views)
	}
	if err != nil {
		return failed(err)
	}
	return usage(errors.Join(broken...))
}

func (a *app) describeData(name string, asJSON bool) error {
	c, finder, err := a.DataSet(name)
	if err != nil {
		return usage(err)
	}
	if asJSON {
		return a.JSON(viewData(c, finder))
	}
	fmt.Fprintln(a.Out, c.Name)
	if c.Doc != "" {
		fmt.Fprintf(a.Out, "\n%s", wrap(c.Doc, "  ", 100))
	}
	for _, line := range [][2]string{{"Citation", c.Citation}, {"Licence", c.Licence}, {"Publisher", c.URL}} {
		if line[1] != "" {
			fmt.Fprint(a.Out, wrap(line[0]+": "+line[1], "  ", 100))
		}
	}
	if c.Generated() {
		fmt.Fprintln(a.Out, "\nmade by the program: no files")
		return nil
	}
	found, missing := files(c, finder)
	for _, f := range found {
		fmt.Fprintf(a.Out, "\nfound %s", f)
	}
	for _, m := range missing {
		fmt.Fprintf(a.Out, "\n%s", m)
	}
	fmt.Fprintln(a.Out)
	return nil
}
