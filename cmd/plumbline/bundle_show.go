package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"plumbline/runs/bundle"
	"plumbline/runs/visible"
)

func (a *app) bundleShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show MODEL",
		Short: "Show what a model file holds",
		Long: `show prints what a model file, or a cell of a run, holds: the model, its threshold, what it was trained on,
and the columns that a file must have to be scored. The file is checked as a whole first.`,
		Example:           "  plumbline bundle show model.plumb --json",
		Args:              needs(1, 1, "a model file or a cell of a run directory"),
		ValidArgsFunction: completeFolders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := bundle.Load(args[0])
			if err != nil {
				return usage(err)
			}
			v := viewBundle(b)
			if asJSON {
				return a.JSON(v)
			}
			return a.printBundle(v)
		},
	}
	a.JSONFlag(c, &asJSON)
	return c
}

// bundleView is a bundle as it is shown.
type bundleView struct {
	Path      string             `json:"path"`
	Hash      string             `json:"sha256"`
	Model     string             `json:"model"`
	Label     string             `json:"label"`
	Data      string             `json:"data"`
	Format    string             `json:"format"`
	Input     string             `json:"input"`
	Seed      uint64             `json:"seed"`
	Fold      string             `json:"fold,omitempty"`
	Unit      bundle.Unit        `json:"unit"`
	Threshold bundle.Threshold   `json:"threshold"`
	Columns   []bundle.Column    `json:"columns"`
	Features  int                `json:"features"`
	From      *bundle.Provenance `json:"provenance"`
}

func viewBundle(b *bundle.Bundle) bundleView {
	return bundleView{
		Path: b.Path, Hash: b.Hash, Model: b.Model, Label: b.Label, Data: b.Data, Format: b.Config().Format,
		Input: b.Info.Needs.Input.String(), Seed: b.Seed, Fold: b.Fold, Unit: b.Unit, Threshold: b.Threshold,
		Columns: b.Needed(), Features: b.Pipeline.Width(), From: b.Provenance,
	}
}

// shownMetrics are the metrics that are printed, as far as a cell has them.
var shownMetrics = []string{"auroc", "auprc", "f1", "precision", "recall", "fpr", "fpr_asked"}

func (a *app) printBundle(v bundleView) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	line("model", "%s (%s), seed %d", v.Label, v.Model, v.Seed)
	line("trained on", "%s (%s)", visible.Text(v.Data), v.Format)
	line("scores", "%s from %s of %d columns", visible.Text(v.Unit.Name), v.Input, v.Features)
	line("threshold", "%s, by %s %v on %s", number(float64(v.Threshold.Score)), v.Threshold.Rule, v.Threshold.Value,
		v.Threshold.On)
	if p := v.From; p != nil {
		line("from", "%s of %s", visible.Text(p.Cell), visible.Text(p.Run))
		line("trained", "%s by plumbline %s on %s", p.Trained.UTC().Format(time.RFC3339), visible.Text(p.Program),
			visible.Text(p.Platform))
		for _, f := range p.Data.Files {
			line("file", "%s, %d rows, sha256 %.12s…", visible.Text(f.Name), f.Rows, visible.Text(f.SHA256))
		}
		var found []string
		for _, name := range shownMetrics {
			if x := p.Result.Metric(name); x == x {
				found = append(found, name+" "+strconv.FormatFloat(x, 'g', 4, 64))
			}
		}
		if found != nil {
			line("measured", "%s", strings.Join(found, ", "))
		}
	}
	line("sha256", "%s", v.Hash)
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	fmt.Fprintln(a.Out, "\nA file to be scored needs these columns:")
	w = tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, c := range v.Columns {
		levels := ""
		if n := len(c.Levels); n > 0 {
			levels = fmt.Sprintf("%d values: %s", n, strings.Join(visible.All(c.Levels[:min(5, n)]), ", "))
			if n > 5 {
				levels += ", …"
			}
		}
		fmt.Fprintf(w, "  %s\t%v\t%s\n", visible.Text(c.Name), c.Type, levels)
	}
	return failed(w.Flush())
}
