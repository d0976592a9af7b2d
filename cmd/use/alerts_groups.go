package use

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/runs/alerts"
	"plumbline/runs/visible"
)

func (a *app) alertsGroupsCommand() *cobra.Command {
	var store, model string
	var asJSON bool
	c := &cobra.Command{
		Use:     "groups",
		Short:   "Count alerts by root cause",
		Long:    "groups counts the alerts of each model and root cause: given on, held back by the limit, ignored.",
		Example: "  plumbline alerts groups --store alerts.db",
		Args:    needs(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := alerts.OpenExisting(store)
			if err != nil {
				return usage(err)
			}
			defer s.Close()
			groups, err := s.Groups(c.Context(), model)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return a.JSON(groups)
			}
			w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "group\tmodel\tcause\talerts\tlimited\tignored\thighest\tlast")
			for _, g := range groups {
				at := "-"
				if !g.Last.IsZero() {
					at = g.Last.Format(time.DateTime)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%.4g\t%s\n", g.ID, visible.Text(g.Model), visible.Text(g.Cause), g.Alerts,
					g.Limited, g.Ignored, g.Highest, at)
			}
			return failed(w.Flush())
		},
	}
	c.Flags().StringVar(&store, "store", "alerts.db", "file of the alerts")
	c.Flags().StringVar(&model, "model", "", "of this model, by its name")
	a.JSONFlag(c, &asJSON)
	return c
}
