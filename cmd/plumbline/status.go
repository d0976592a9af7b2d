package main

import (
	"cmp"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/claim"
	"plumbline/runs/mirror"
	"plumbline/runs/status"
)

func (a *app) statusCommand() *cobra.Command {
	var watch time.Duration
	var asJSON bool
	var most int
	c := &cobra.Command{
		Use:   "status RUNDIR",
		Short: "How far a run is, while it is at work",
		Long: `status shows how far a run is, from any machine that sees its directory: how many cells have ended, are at
work, are lost (their process has ended without a word; whoever takes the run up does them) or wait, how long the rest
takes at the pace so far, the machines, and the first line of what failed.

It reads what processes have noted of their steps, not the cells, and disturbs nobody.`,
		Example: `  plumbline status runs/20240101-120000-quickstart
  plumbline status runs/20240101-120000-quickstart --watch 10s`,
		Annotations:       map[string]string{ownAddresses: "yes"},
		Args:              needs(1, 1, "a run directory"),
		ValidArgsFunction: command.CompleteFolders(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(c.Context())
			defer stop()
			for {
				s, err := mirror.ReadStatus(ctx, args[0], claim.AskScheduler)
				if err != nil {
					return failed(err)
				}
				if asJSON {
					err = a.JSON(s)
				} else {
					err = a.printStatus(s, most)
				}
				if err != nil || watch <= 0 || s.Ended() == s.Cells {
					return failed(err)
				}
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(watch):
				}
				if !asJSON {
					fmt.Fprintln(a.Out)
				}
			}
		},
	}
	c.Flags().DurationVar(&watch, "watch", 0, "look again every so often, such as 10s, until every cell has ended")
	c.Flags().IntVar(&most, "most", 20, "failures and cells that are listed at most")
	a.JSONFlag(c, &asJSON)
	return c
}

func (a *app) printStatus(s *status.Status, most int) error {
	fmt.Fprintf(a.Out, "%s: %d of %d cells have ended", s.Name, s.Ended(), s.Cells)
	if s.PerHour > 0 {
		fmt.Fprintf(a.Out, ", %.4g an hour", s.PerHour)
	}
	if s.Left > 0 {
		fmt.Fprintf(a.Out, ", about %v left", (time.Duration(s.Left) * time.Second).Round(time.Second))
	}
	fmt.Fprintf(a.Out, "\nok %d, failed %d, timeout %d, working %d, lost %d, waiting %d\n", s.OK, s.Failed, s.TimedOut,
		s.Working, s.Lost, s.Waiting)
	if s.Ended() == s.Cells && !s.Finished {
		fmt.Fprintf(a.Out, "results are not collected: plumbline collect %s\n", s.Run)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	if len(s.Nodes) > 0 {
		fmt.Fprintln(w, "\nHOST\tPROCESSES\tWORKING\tENDED\tLAST")
	}
	for _, n := range s.Nodes {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", n.Host, n.Processes, n.Working, n.Ended, n.Last.Format(time.DateTime))
	}
	if len(s.AtWork) > 0 {
		fmt.Fprintln(w, "\nCELL\tSTATE\tPROCESS")
	}
	for i, at := range s.AtWork {
		if i == most {
			fmt.Fprintf(w, "… %d more\n", len(s.AtWork)-most)
			break
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", cmp.Or(at.Cell, "the whole run"), at.State, at.Owner)
	}
	if len(s.Failures) > 0 {
		fmt.Fprintln(w, "\nNOT OK\tSTATUS\tERROR")
	}
	for i, f := range s.Failures {
		if i == most {
			fmt.Fprintf(w, "… %d more\n", len(s.Failures)-most)
			break
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Cell, f.Status, f.Error)
	}
	return w.Flush()
}
