package main

import (
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"plumbline/cmd/terminal"
	"plumbline/data/eda"
	"plumbline/runs/edapage"
)

func (a *app) edaCommand() *cobra.Command {
	var asJSON bool
	var out, against string
	var tests []string
	var memory memorySize
	c := &cobra.Command{
		Use:   "eda NAME|FILE",
		Short: "Describe a data set: its columns, what goes together, what changes, and hypothesis tests",
		Long: `eda describes a data set before any model sees it: of each column missing and different values, moments,
quantiles, a histogram, its commonest values, outliers, and how benign rows and attacks differ; what goes together
(Pearson, Spearman, Cramér's V); what is missing together; rows over time and from when on columns are others; time
windows that tell attacks; and hypothesis tests as question, answer, effect, assumptions.

NAME:train and NAME:test are the official training and test rows alone. --against compares with another data set and
says what moved. --test asks about a pair of columns: 'src_bytes ~ label', 'service ~ flag', 'label ~ urgent > 0'.
With -o the folder gets eda.json and eda.html, a page that opens without a network.

All is exact while the packed columns fit --memory; of what does not fit ranks are good to an error that is printed.`,
		Example: "  plumbline eda synth\n  plumbline eda synth --against my-flows.csv\n" +
			"  plumbline eda synth --test src_bytes~label --json\n  plumbline eda my-flows.csv",
		Args:              needs(1, 1, "a data set or a file"),
		ValidArgsFunction: completeOne(func() []string { return a.Library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			for _, pair := range tests {
				if _, _, err := eda.CutPair(pair); err != nil {
					return usage(err)
				}
			}
			data, notes, err := a.packed(c, args[0], int64(memory))
			if err != nil {
				return err
			}
			request := eda.Request{Tests: tests, Notes: notes}
			if against != "" {
				if request.Against, _, err = a.packed(c, against, int64(memory)); err != nil {
					return err
				}
			}
			r, err := data.Report(c.Context(), request)
			if err != nil {
				return failed(err)
			}
			if out != "" {
				if err := a.keepEDA(out, r); err != nil {
					return err
				}
			}
			if asJSON {
				return a.JSON(r)
			}
			return failed(terminal.EDA(a.Out, r, a.Draws))
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "folder for eda.json and eda.html")
	c.Flags().StringVar(&against, "against", "", "another data set or file to compare with")
	c.Flags().StringArrayVar(&tests, "test", nil, "pair to test, such as 'src_bytes ~ label' (repeatable)")
	a.memoryFlag(c, &memory)
	a.JSONFlag(c, &asJSON)
	a.DataFlag(c)
	return c
}

// packed reads a data set, or a part of it, for its description.
func (a *app) packed(c *cobra.Command, name string, memory int64) (*eda.Collector, []string, error) {
	name, part := eda.CutPart(name)
	cfg, finder, err := a.DataSet(name)
	if err != nil {
		return nil, nil, usage(err)
	}
	finder.Memory = memory
	reading := terminal.NewReading(a.Terminal, a.Quiet)
	defer reading.Close()
	data, notes, err := eda.Read(c.Context(), cfg, finder, part,
		eda.Options{Memory: memory, Workers: runtime.GOMAXPROCS(0), Seed: 1}, reading.Rows)
	return data, notes, failed(err)
}

// keepEDA leaves the description in a folder, as JSON and as a page.
func (a *app) keepEDA(folder string, r *eda.Report) error {
	err := a.Output(filepath.Join(folder, "eda.json"), nil, func(w io.Writer) error { return failed(r.JSON(w)) })
	if err != nil {
		return err
	}
	return a.Output(filepath.Join(folder, "eda.html"), nil, func(w io.Writer) error { return failed(edapage.Write(w, r)) })
}
