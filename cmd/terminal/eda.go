package terminal

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"plumbline/data/eda"
	"plumbline/runs/visible"
)

const (
	barsWidth   = 16
	shownPairs  = 8
	shownLevels = 3
)

// EDA prints a description of a data set; bars says whether the stream shows bars.
func EDA(out io.Writer, r *eda.Report, bars bool) error {
	fmt.Fprintf(out, "%s\n\n", visible.Text(r.Data))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.Says {
		fmt.Fprintf(w, "%s\t%s\n", f.Kind, visible.Text(f.Text))
	}
	labelled := r.Labelled && r.Attacks > 0 && r.Attacks < r.Rows
	heads := "\nCOLUMN\tTYPE\tMISSING\tDISTINCT\tMEDIAN OR COMMONEST\tMEAN\tSD"
	if labelled {
		heads += "\tAUROC ALONE"
	}
	if r.Periods != nil {
		heads += "\tDRIFT"
	}
	if r.Against != nil {
		heads += "\tMOVED"
	}
	if bars {
		heads += "\tVALUES"
		if labelled {
			heads = strings.Replace(heads, "\tVALUES", "\tBENIGN\tATTACKS", 1)
		}
	}
	fmt.Fprintln(w, heads)
	for _, f := range r.Features {
		line := fmt.Sprintf("%s\t%s\t%d\t%d\t%s\t%s\t%s", visible.Text(f.Name), f.Type, f.Missing, f.Distinct, middle(f),
			ofSummary(f, func(s *eda.Summary) eda.Number { return s.Mean }),
			ofSummary(f, func(s *eda.Summary) eda.Number { return s.SD }))
		if labelled {
			line += "\t" + Number(float64(f.AUROC))
		}
		if r.Periods != nil {
			line += "\t" + figures(f.Drift)
		}
		if r.Against != nil {
			moved := eda.Number(math.NaN())
			if f.Moved != nil {
				moved = f.Moved.Index
			}
			line += "\t" + figures(moved)
		}
		if bars {
			line += "\t" + shape(f, labelled)
		}
		fmt.Fprintln(w, line)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	strongest(out, r)
	return questions(out, r)
}

// figures is a number to four figures.
func figures(v eda.Number) string {
	if math.IsNaN(float64(v)) {
		return "–"
	}
	return fmt.Sprintf("%.4g", float64(v))
}

func ofSummary(f *eda.Feature, of func(*eda.Summary) eda.Number) string {
	if f.All == nil {
		return "–"
	}
	return figures(of(f.All))
}

// middle is the median of numbers, the commonest level of others.
func middle(f *eda.Feature) string {
	switch {
	case f.All != nil:
		return figures(f.All.Quantiles[4])
	case len(f.Top) > 0:
		text := []rune(visible.Text(f.Top[0].Text))
		return string(text[:min(len(text), 24)])
	}
	return "–"
}

// shape is a feature's distribution as bars.
func shape(f *eda.Feature, labelled bool) string {
	if f.Histogram == nil {
		var benign, attack []float64
		for _, l := range f.Top {
			benign, attack = append(benign, float64(l.Benign)), append(attack, float64(l.Attack))
		}
		if !labelled {
			return squeezed(benign, barsWidth)
		}
		return squeezed(benign, barsWidth) + "\t" + squeezed(attack, barsWidth)
	}
	if !labelled {
		all := make([]float64, len(f.Histogram.Benign))
		for i := range all {
			all[i] = f.Histogram.Benign[i] + f.Histogram.Attack[i]
		}
		return squeezed(all, barsWidth)
	}
	return squeezed(f.Histogram.Benign, barsWidth) + "\t" + squeezed(f.Histogram.Attack, barsWidth)
}

// strongest prints the pairs of columns that go together most by ranks.
func strongest(out io.Writer, r *eda.Report) {
	pairs := r.Spearman.Strongest(shownPairs)
	if len(pairs) == 0 {
		return
	}
	fmt.Fprintf(out, "\nGO TOGETHER BY RANKS (Spearman)\n")
	for _, p := range pairs {
		fmt.Fprintf(out, "%6.3f  %s, %s\n", float64(p.R), visible.Text(p.A), visible.Text(p.B))
	}
}

func questions(out io.Writer, r *eda.Report) error {
	if len(r.Questions) > 0 {
		fmt.Fprintf(out, "\nTESTS (p adjusted for %d tests by Holm)\n", r.Tests())
	}
	for _, q := range r.Questions {
		fmt.Fprintf(out, "%s\n  %s\n", visible.Text(q.Question), visible.Text(q.Answer))
		for _, e := range q.Effects[:min(len(q.Effects), shownLevels)] {
			interval := ""
			if !math.IsNaN(float64(e.Low)) {
				interval = fmt.Sprintf(" [%s, %s]", figures(e.Low), figures(e.High))
			}
			fmt.Fprintf(out, "  %s %s%s\n", visible.Text(e.Name), figures(e.Value), interval)
		}
		for _, a := range q.Assumptions {
			if a.Holds == "no" {
				fmt.Fprintf(out, "  not so: %s (%s)\n", visible.Text(a.Text), visible.Text(a.Why))
			}
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, t := range q.Tests {
			fmt.Fprintf(w, "    %s\t%s\tp %s\tHolm %s\n", visible.Text(t.Name), figures(t.Statistic), eda.P(float64(t.LogP)),
				eda.P(float64(t.Holm)))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
