package use

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/runs/alerts"
	"plumbline/runs/visible"
)

func (a *app) alertsShowCommand() *cobra.Command {
	var store string
	c := &cobra.Command{
		Use:     "show ID",
		Short:   "Print an alert with its reasons",
		Long:    "show prints one alert, by the beginning of its ID: what was judged, where it stands, and why.",
		Example: "  plumbline alerts show 0f3c9a1b --store alerts.db",
		Args:    needs(1, 1, "an alert"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := alerts.OpenExisting(store)
			if err != nil {
				return usage(err)
			}
			defer s.Close()
			x, err := s.Get(c.Context(), args[0])
			if errors.Is(err, alerts.ErrNoAlert) {
				return usage(err)
			}
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.Out, "%s\n", visible.Text(x.Sentence()))
			w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			line := func(name, text string) {
				if text != "" {
					fmt.Fprintf(w, "%s\t%s\n", name, visible.Text(text))
				}
			}
			line("id", x.ID)
			if !x.Time.IsZero() {
				line("time", x.Time.Format(time.RFC3339Nano))
			}
			line("where", x.Where())
			line("unit", x.Unit+" "+x.Entity)
			line("group", x.Group)
			if x.P != nil {
				line("p-value", fmt.Sprintf("%.3g", *x.P))
			}
			line("verdict", string(x.Verdict))
			line("note", x.Note)
			for _, r := range x.Reasons {
				text := fmt.Sprintf("%.0f %%: %s %s", 100*r.Share, r.Name, r.Actual)
				if r.Expected != "" {
					text += ", expected " + r.Expected
				}
				line("reason", text)
			}
			return failed(w.Flush())
		},
	}
	c.Flags().StringVar(&store, "store", "alerts.db", "file of the alerts")
	return c
}
