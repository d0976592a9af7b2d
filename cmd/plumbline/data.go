package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/source"
)

func (a *app) dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:               "data [NAME]",
		Short:             "List the data sets, or describe one and find its files",
		Long:              "data lists the data configs and whether their files are found. With a name it prints description, licence, citation and where each file is or was looked for. data fetch NAME downloads what can be had without a form, data infer FILE writes a config for a file of your own, data export NAME FILE writes the table as it is read.",
		Example:           "  plumbline data\n  plumbline data synth",
		Args:              needs(0, 1, "at most one data set"),
		ValidArgsFunction: completeOne(func() []string { return a.library().Names("data") }),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.describeData(args[0])
			}
			return a.listData()
		},
	}
	a.dataFlag(c)
	c.AddCommand(a.fetchCommand(), a.inferCommand(), a.exportCommand())
	return c
}

func (a *app) dataConfig(name string) (*source.Config, error) {
	doc, err := a.library().Open("data", name)
	if err != nil {
		return nil, err
	}
	return source.DecodeConfig(doc)
}

// files says of each file of a data set where it is.
func (a *app) files(c *source.Config) (found, missing []string) {
	f := source.NewFinder(a.dataDirs...)
	for _, name := range append(append([]string(nil), c.Files.Train...), c.Files.Test...) {
		if path, err := f.Find(c.Folder, name); err == nil {
			found = append(found, path)
		} else {
			missing = append(missing, err.Error())
		}
	}
	return found, missing
}

func (a *app) listData() error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tFORMAT\tFILES\tWHAT")
	var broken []error
	for _, name := range a.library().Names("data") {
		c, err := a.dataConfig(name)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		state := "built in"
		if !c.Generated() {
			found, missing := a.files(c)
			state = fmt.Sprintf("%d of %d found", len(found), len(found)+len(missing))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Name, c.Format, state, sentence(c.Doc))
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	return usage(errors.Join(broken...))
}

func (a *app) describeData(name string) error {
	c, err := a.dataConfig(name)
	if err != nil {
		return usage(err)
	}
	fmt.Fprintf(a.out, "%s\n\n%s", c.Name, wrap(c.Doc, "  ", 100))
	for _, line := range [][2]string{{"Citation", c.Citation}, {"Licence", c.Licence}, {"Publisher", c.URL}} {
		if line[1] != "" {
			fmt.Fprint(a.out, wrap(line[0]+": "+line[1], "  ", 100))
		}
	}
	if c.Generated() {
		fmt.Fprintln(a.out, "\nmade by the program: no files")
		return nil
	}
	found, missing := a.files(c)
	for _, f := range found {
		fmt.Fprintf(a.out, "\nfound %s", f)
	}
	for _, m := range missing {
		fmt.Fprintf(a.out, "\n%s", m)
	}
	fmt.Fprintln(a.out)
	return nil
}
