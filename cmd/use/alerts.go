package use

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/alerts"
	"plumbline/runs/visible"
)

// alertQuery is the flags that say which alerts are meant.
type alertQuery struct {
	store, last, from, to string
	q                     alerts.Query
}

func (o *alertQuery) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.store, "store", "alerts.db", "file of the alerts")
	c.Flags().StringVar(&o.q.Model, "model", "", "of this model, by its name")
	c.Flags().StringVar(&o.q.Cause, "cause", "", "with this root cause")
	c.Flags().StringVar(&o.q.Group, "group", "", "of this group")
	c.Flags().StringVar(&o.q.Address, "address", "", "from or to this address")
	c.Flags().StringVar(&o.q.Verdict, "verdict", "", "with the verdict true, false or note; any: with one; none: without")
	c.Flags().StringVar(&o.from, "from", "", "of traffic from this time on (2026-11-27 or 2026-11-27T12:00:00Z)")
	c.Flags().StringVar(&o.to, "until", "", "of traffic before this time")
	c.Flags().StringVar(&o.last, "last", "", "of the traffic of the last stretch of time, such as 24h or 7d")
	c.Flags().BoolVar(&o.q.Limited, "all", false, "those too that the limit held back")
	c.MarkFlagsMutuallyExclusive("from", "last")
}

// open opens the store and reads the times.
func (o *alertQuery) open() (*alerts.Store, error) {
	for text, at := range map[*string]*time.Time{&o.from: &o.q.From, &o.to: &o.q.To} {
		if *text == "" {
			continue
		}
		var err error
		if *at, err = time.Parse(time.RFC3339, *text); err != nil {
			if *at, err = time.Parse(time.DateOnly, *text); err != nil {
				return nil, usage(fmt.Errorf("%q is no time: want one such as 2026-11-27 or 2026-11-27T12:00:00Z", *text))
			}
		}
	}
	if o.last != "" {
		span, err := alerts.ParseSpan(o.last)
		if err != nil {
			return nil, usage(err)
		}
		o.q.From = time.Now().Add(-span)
	}
	s, err := alerts.OpenExisting(o.store)
	return s, usage(err)
}

func (a *app) alertsCommand() *cobra.Command {
	var o alertQuery
	var asJSON, follow bool
	c := &cobra.Command{
		Use:   "alerts",
		Short: "Show the alerts of watched traffic, and judge them",
		Long: `alerts lists what "plumbline watch" found, newest first, by time, model, cause, group, address and verdict.
"alerts show" prints one with its reasons, "alerts groups" counts them by root cause, "alerts judge" keeps what an
analyst says of one or of a group: further alerts like one that is called false are ignored. "alerts export" writes
them for other programs, or the rows of those with a verdict for training.`,
		Example: "  plumbline alerts --store alerts.db --top --limit 5\n  plumbline alerts groups --store alerts.db",
		Args:    needs(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if follow {
				if err := command.Alone(c, "with --follow: all alerts are shown as they come", "follow", "store"); err != nil {
					return err
				}
			}
			s, err := o.open()
			if err != nil {
				return err
			}
			defer s.Close()
			if follow {
				return a.followAlerts(c.Context(), s)
			}
			list, err := s.List(c.Context(), o.q)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return a.JSON(list)
			}
			w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "id\ttime\tverdict\talert")
			for i := range list {
				x := &list[i]
				at := "-"
				if !x.Time.IsZero() {
					at = x.Time.Format(time.DateTime)
				}
				verdict := string(x.Verdict)
				if x.Note != "" {
					verdict += ": " + x.Note
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.ID, at, visible.Text(verdict), visible.Text(x.Sentence()))
			}
			return failed(w.Flush())
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&o.q.Top, "top", false, "highest score first")
	c.Flags().BoolVar(&follow, "follow", false, "print a line for each alert as it comes, until an interrupt")
	c.Flags().IntVar(&o.q.Limit, "limit", 20, "most alerts that are shown; 0: all")
	a.JSONFlag(c, &asJSON)
	c.AddCommand(a.alertsShowCommand(), a.alertsGroupsCommand(), a.alertsJudgeCommand(), a.alertsExportCommand())
	return c
}

// followAlerts prints alerts as they come into a store.
func (a *app) followAlerts(ctx context.Context, s *alerts.Store) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	last, err := s.Last(ctx)
	if err != nil {
		return failed(err)
	}
	err = s.Subscribe(ctx, last, func(x *alerts.Alert) error {
		line, err := x.Encode("text")
		if err == nil {
			_, err = fmt.Fprintf(a.Out, "%s\n", line)
		}
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	return failed(err)
}
