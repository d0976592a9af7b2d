package use

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"plumbline/data/value"
	"plumbline/runs/alerts"
)

func (a *app) alertsJudgeCommand() *cobra.Command {
	var store, note string
	c := &cobra.Command{
		Use:   "judge ID|GROUP true|false|note",
		Short: "Keep what an analyst says of an alert, or of a group",
		Long: `judge keeps a verdict on an alert, or on all alerts of a group, by the beginning of its name: true (it is what
it says), false (it is benign) or note (neither). While the settings of watch say verdicts: entity, further alerts of
the same cause, source and destination as one that is called false are ignored; with verdicts: group, all of its
cause.`,
		Example: "  plumbline alerts judge 95531e1f99fcb83e false --note backup --store alerts.db",
		Args:    needs(2, 2, "an alert or group and a verdict"),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := alerts.ParseVerdict(args[1])
			if err != nil {
				return usage(err)
			}
			s, err := alerts.OpenExisting(store)
			if err != nil {
				return usage(err)
			}
			defer s.Close()
			n, err := s.Judge(c.Context(), args[0], v, note)
			if errors.Is(err, alerts.ErrNoAlert) {
				return usage(err)
			}
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.Out, "%s: %s\n", value.Count(int(n), "alert"), v)
			return nil
		},
	}
	c.Flags().StringVar(&store, "store", "alerts.db", "file of the alerts")
	c.Flags().StringVar(&note, "note", "", "why")
	return c
}
