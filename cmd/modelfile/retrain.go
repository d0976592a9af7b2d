package modelfile

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"plumbline/data/profile"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/score"
	"plumbline/runs/train"
	"plumbline/runs/visible"
)

func (a *app) retrainCommand() *cobra.Command {
	var t training
	var asJSON bool
	var verdicts string
	c := &cobra.Command{
		Use:   "retrain MODEL NEWDATA… -o FILE",
		Short: "Train a model file anew on newer files, and say what moved",
		Long: `retrain trains the model of a model file with the same settings on other files, holding the latest rows out as
train does, and writes a new model file. It prints what moved: the columns whose values are not as in the old
training, by population stability index, the threshold, and how many alarms a day the old and the new model find in
the new files. With --verdicts, a store of alerts, what an analyst called true in the new files is not trained on.`,
		Example: "  plumbline retrain model.plumb my-flows.csv -o newer.plumb",
		Args:    needs(2, -1, "a model file and the newer files"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := t.check(a, args[1:]); err != nil {
				return err
			}
			b, err := bundle.Load(args[0])
			if err != nil {
				return usage(err)
			}
			if err := mayWrite(t.out, t.force, append(t.Data, args[0])); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if verdicts != "" {
				if t.Attacks, err = calledTrue(ctx, verdicts); err != nil {
					return err
				}
			}
			progress := a.Progress()
			t.Run.Observe = progress.Event
			made, err := train.Retrain(ctx, b, t.Options)
			progress.Close()
			if err != nil {
				return trainError(err)
			}
			if asJSON {
				said := *a.App
				said.Out = a.Err
				if err := (&app{&said}).keepModel(t.out, made.Trained); err != nil {
					return err
				}
				return a.JSON(moved{t.out, b.Threshold.Score, made.Bundle.Threshold.Score, made.Before, made.After})
			}
			if err := a.keepModel(t.out, made.Trained); err != nil {
				return err
			}
			return a.printMoved(b, made)
		},
	}
	t.flags(a, c)
	c.Flags().StringVar(&verdicts, "verdicts", "",
		"store of alerts: rows of those that an analyst called true are attacks")
	a.JSONFlag(c, &asJSON)
	return c
}

// calledTrue is the alerts of a store that an analyst called true.
func calledTrue(ctx context.Context, store string) ([]alerts.Alert, error) {
	s, err := alerts.OpenExisting(store)
	if err != nil {
		return nil, usage(err)
	}
	defer s.Close()
	list, err := s.List(ctx, alerts.Query{Verdict: string(alerts.True), Limited: true})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("--verdicts: nothing in %s was called true", store)
		return nil, usage(err)
	}
	return list, failed(err)
}

// moved is what retrain found, for programs.
type moved struct {
	Model     string         `json:"model"`
	Threshold any            `json:"threshold_before"`
	Now       any            `json:"threshold_after"`
	Before    *score.Summary `json:"before"`
	After     *score.Summary `json:"after"`
}

// mostMoved is how many columns are printed.
const mostMoved = 10

func (a *app) printMoved(b *bundle.Bundle, r *train.Retrained) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\t before\tafter")
	fmt.Fprintf(w, "threshold\t %s\t%s\n", number(float64(b.Threshold.Score)), number(float64(r.Bundle.Threshold.Score)))
	fmt.Fprintf(w, "alarms in the new files\t %d\t%d\n", r.Before.Alarms, r.After.Alarms)
	if r.Before.PerDay == r.Before.PerDay {
		fmt.Fprintf(w, "alarms a day\t %.4g\t%.4g\n", float64(r.Before.PerDay), float64(r.After.PerDay))
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	if len(r.Before.Drift) == 0 {
		return nil
	}
	fmt.Fprintf(a.Out, "\n%d of %d columns moved (stability index above %g):\n", len(r.Before.Moved),
		len(r.Before.Drift), profile.Shift)
	w = tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  column\tindex\tusual then\tusual now")
	for _, d := range r.Before.Drift[:min(mostMoved, len(r.Before.Drift))] {
		now := "-"
		if c := r.Bundle.Profile.Column(d.Column); c != nil {
			now = c.Usual
		}
		fmt.Fprintf(w, "  %s\t%.3g\t%s\t%s\n", visible.Text(d.Column), d.PSI, visible.Text(d.Usual), visible.Text(now))
	}
	return failed(w.Flush())
}
