package modelfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/eval"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/train"
	"plumbline/runs/visible"
)

// training is the flags of train and retrain.
type training struct {
	out           string
	force         bool
	quantile, fpr float64
	key           command.Pseudonyms
	train.Options
}

func (a *app) trainCommand() *cobra.Command {
	var t training
	c := &cobra.Command{
		Use:   "train DATA… --model NAME -o FILE",
		Short: "Train a model on traffic of your own, without labels",
		Long: `train makes a model file from files of benign traffic, or from a data set by its name, without an experiment
file. How files are read is guessed as "data infer" does, unless --as names a data config; what looks like a label
takes the attacks out, and without labels all rows are taken for benign. Captures become flows in the columns of
zeek, or of the tool that --as names. The model learns from the earlier rows. The
later ones set the threshold (--held of all), and the last ones (--last) tell how many alarms come of traffic after
that.

The threshold is that of conformal p-values up to --fpr; with --quantile it is that quantile of the held-out scores.
key=value changes the experiment of one cell that this is, such as models.0.params.trees=300.`,
		Example: "  plumbline train my-flows.csv --model iforest -o model.plumb\n" +
			"  plumbline train synth --model znorm --fpr 0.001 -o model.plumb",
		Args:              needs(1, -1, "files or a data set to train on"),
		ValidArgsFunction: completeOne(func() []string { return a.Library().Names("data") }),
		RunE: func(c *cobra.Command, args []string) error {
			t.Threshold = eval.ThresholdRule{Rule: "conformal", Value: t.fpr}
			if c.Flags().Changed("quantile") {
				t.Threshold = eval.ThresholdRule{Rule: "quantile", Value: t.quantile}
			}
			if err := t.check(a, args); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			progress := a.Progress()
			t.Run.Observe = progress.Event
			made, err := train.Train(ctx, t.Options)
			progress.Close()
			if err != nil {
				return trainError(err)
			}
			return a.keepModel(t.out, made)
		},
	}
	f := c.Flags()
	f.StringVar(&t.Model, "model", "iforest", "name of a model, as \"plumbline models\" lists them")
	f.Float64Var(&t.fpr, "fpr", 0.01, "share of benign units that may be alarms")
	f.Float64Var(&t.quantile, "quantile", 0.99, "quantile of held-out scores that is the threshold, in place of --fpr")
	f.Uint64Var(&t.Seed, "seed", 1, "of the model")
	t.key.Flag(c)
	t.flags(a, c)
	c.MarkFlagsMutuallyExclusive("fpr", "quantile")
	return c
}

// flags are those that train and retrain share.
func (t *training) flags(a *app, c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&t.out, "out", "o", "", "model file to write")
	f.BoolVar(&t.force, "force", false, "write over a file that is there")
	f.StringVar(&t.As, "as", "",
		"name or file of the data config that reads the files; of captures also zeek, argus, netflow or cic")
	f.Float64Var(&t.Held, "held", 0.2, "share of the rows, later than those of training, that sets the threshold")
	f.Float64Var(&t.Last, "last", 0.1, "share of the rows, latest of all, that the alarms are counted on")
	f.IntVar(&t.Run.Workers, "workers", 0, "cells at work side by side; 0: one for each processor")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.DataFlag(c)
}

// check sorts the arguments, and says what is wrong with them.
func (t *training) check(a *app, args []string) error {
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && settings.IsOverride(arg) {
			t.Overrides = append(t.Overrides, arg)
			continue
		}
		t.Data = append(t.Data, arg)
	}
	switch {
	case len(t.Data) == 0:
		return usage(errors.New("name the files, or a data set, to train on"))
	case t.out == "":
		return usage(errors.New("-o names the model file to write"))
	case !(t.Held > 0 && t.Last > 0 && t.Held+t.Last < 1):
		return usage(fmt.Errorf("--held %g, --last %g: want shares above 0 that leave rows to train on", t.Held, t.Last))
	}
	var err error
	if t.Overrides, err = t.key.Override(t.Overrides); err != nil {
		return err
	}
	t.Library, t.Builtin, t.Dirs = a.Library(), configs.Files, a.DataDirs
	t.Run.Memory, t.Run.Command = runs.MachineMemory(), append([]string{"plumbline"}, a.Args...)
	return mayWrite(t.out, t.force, t.Data)
}

func trainError(err error) error {
	var problems settings.Problems
	switch {
	case errors.As(err, &problems):
		return usage(problems)
	case errors.Is(err, train.ErrSettings), errors.Is(err, bundle.ErrTable), errors.Is(err, bundle.ErrRefused):
		return usage(err)
	case errors.Is(err, context.Canceled):
		return failed(errors.New("interrupted: no model was written"))
	}
	return failed(err)
}

// keepModel writes a model file, and says what the model is like.
func (a *app) keepModel(out string, t *train.Trained) error {
	err := a.Output(out, nil, func(w io.Writer) error { _, err := w.Write(t.File); return failed(err) })
	if err != nil {
		return err
	}
	b, r := t.Bundle, &t.Result
	for _, w := range r.Warnings {
		fmt.Fprintf(a.Err, "warning: %s\n", visible.Text(w))
	}
	fmt.Fprintf(a.Out, "%s: %s on %d rows, threshold %s from %.0f later ones", out, b.Label, r.Train,
		number(float64(b.Threshold.Score)), float64(r.Valid))
	if n := r.Metric("alarms"); n == n && r.Test > 0 {
		fmt.Fprintf(a.Out, "; of the %d latest %.3g %% are alarms", r.Test, 100*n)
	} else if fpr := r.Metric("fpr"); fpr == fpr {
		fmt.Fprintf(a.Out, "; of the benign ones of the %d latest %.3g %% are alarms", r.Test, 100*fpr)
	}
	fmt.Fprintln(a.Out)
	return nil
}
