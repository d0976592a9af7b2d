package figures

import (
	"math"
	"slices"
	"strconv"

	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/plot"
)

// MaxLines is how many curves a figure has: those beyond the colours are grey.
const MaxLines = 12

// maxClasses is how many attack classes a table of a page has, and a figure of its own.
const maxClasses, maxDrawn = 24, 48

// height is that of a chart of curves, by its width: narrow ones are not lower than they can be read.
func height(width float64) float64 { return math.Max(220, 0.65*width) }

// lines is one curve of each row, over the points from first on.
func lines(all []*Curves, of func(*Curves) *band, first int) (out []plot.Line) {
	for _, c := range all[:min(len(all), MaxLines)] {
		b := of(c)
		l := plot.Line{Name: c.Label, Y: b.mean[first:]}
		if c.Cells > 1 {
			l.Low, l.High = b.low[first:], b.high[first:]
		}
		out = append(out, l)
	}
	return out
}

// ROC is the curves of rows, best first, on a logarithmic axis from 0.1 %.
func ROC(data string, all []*Curves, width float64) *plot.Figure {
	at := Rates()
	first := slices.IndexFunc(at, func(v float64) bool { return v > 0.00099 })
	return plot.Lines("roc-"+data, "True-positive rate against false-positive rate on "+data, width, height(width),
		plot.Axis{Label: "false-positive rate", Low: 0.001, High: 1, Log: true, Percent: true},
		plot.Axis{Label: "true-positive rate", Low: 0, High: 1, Percent: true}, at[first:],
		lines(all, func(c *Curves) *band { return &c.tpr }, first), true)
}

// PR is precision against recall of rows, best first, on an axis of precision that begins below the lowest curve, since
// all have much where most units are attacks. Grey curves count from a recall of 10 % on: before, one unit moves them.
func PR(data string, all []*Curves, width float64) *plot.Figure {
	curves := lines(all, func(c *Curves) *band { return &c.ppv }, 0)
	y := plot.Axis{Label: "precision", Low: 1, High: 1, Percent: true}
	for i, l := range curves {
		low := l.Y
		if i >= len(plot.Colours) {
			low = l.Y[len(l.Y)/10:]
		} else if l.Low != nil {
			low = l.Low
		}
		y.Low = min(y.Low, slices.Min(low))
	}
	y.Low = math.Max(0, math.Floor(10*y.Low-1e-9)/10)
	return plot.Lines("pr-"+data, "Precision against recall on "+data, width, height(width),
		plot.Axis{Label: "recall", Low: 0, High: 1, Percent: true}, y, recalls(), curves, false)
}

// Scores is where the scores of a row stand by class.
func Scores(data string, c *Curves, width float64) *plot.Figure {
	return plot.Areas("scores-"+data+"-"+c.Label, "Scores of "+c.Label+" on "+data, width, max(110, 0.3*width),
		"rank of the score, benign units and attacks weighing alike", c.benign, c.attack, c.threshold)
}

// Recall is the attack classes and, for each row, the share of each that is found, NaN where the row has none; the
// first 24 classes by name.
func Recall(all []*Curves) (classes []string, share [][]float64) { return recallOf(all, maxClasses) }

func recallOf(all []*Curves, most int) (classes []string, share [][]float64) {
	for _, c := range all {
		for class := range c.recall {
			if !slices.Contains(classes, class) {
				classes = append(classes, class)
			}
		}
	}
	slices.Sort(classes)
	classes = classes[:min(len(classes), most)]
	for _, c := range all {
		row := make([]float64, len(classes))
		for i, class := range classes {
			row[i] = math.NaN()
			if v, ok := c.recall[class]; ok {
				row[i] = v
			}
		}
		share = append(share, row)
	}
	return classes, share
}

// Classes is the heat map of recall by attack class; nil without classes.
func Classes(data string, all []*Curves, width float64) *plot.Figure {
	classes, share := recallOf(all, maxDrawn)
	if len(classes) == 0 {
		return nil
	}
	var rows []string
	texts := make([][]string, len(share))
	for i, row := range share {
		rows = append(rows, all[i].Label)
		for _, v := range row {
			texts[i] = append(texts[i], Percent(v))
		}
	}
	return plot.Heat("classes-"+data, "Recall in per cent by attack class on "+data, width, "model", rows, classes, share,
		texts)
}

// Percent is a share as whole per cents without the sign, – where it is undefined.
func Percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.Itoa(int(math.Round(100 * v)))
}

// Confusion is what a row calls benign units and attacks at its threshold; nil without one.
func Confusion(data string, c *Curves, width float64) *plot.Figure {
	names := []string{"benign", "attack"}
	share, texts := make([][]float64, 2), make([][]string, 2)
	for t, row := range c.called {
		if row[0]+row[1] == 0 {
			return nil
		}
		for _, n := range row {
			v := float64(n) / float64(row[0]+row[1])
			share[t] = append(share[t], v)
			texts[t] = append(texts[t], strconv.Itoa(n)+" ("+strconv.FormatFloat(100*v, 'g', 3, 64)+" %)")
		}
	}
	return plot.Heat("confusion-"+data+"-"+c.Label, "What "+c.Label+" calls benign units and attacks on "+data, width,
		"truth", names, []string{"called benign", "called an attack"}, share, texts)
}

// Achieved is the false-positive rate of each row on test beside the one that its threshold was asked for, on a
// logarithmic axis; nil where no threshold was asked for a rate.
func Achieved(g *compare.Group, width float64) *plot.Figure {
	var points []plot.Point
	asked := math.NaN()
	for i := range g.Rows {
		r := &g.Rows[i]
		v, want := r.Value("fpr"), r.Value("fpr_asked")
		if math.IsNaN(v.Mean) || math.IsNaN(want.Mean) {
			continue
		}
		if math.IsNaN(asked) {
			asked = want.Mean
		}
		p := plot.Point{Name: r.Label, Value: v.Mean, Low: math.NaN(), High: math.NaN(), Grey: r.Control, Beside: math.NaN()}
		if v.Interval.Defined() {
			p.Low, p.High = math.Max(v.Interval.Low, 1e-4), v.Interval.High
		}
		points = append(points, p)
	}
	if points == nil {
		return nil
	}
	return plot.Dots("fpr-"+g.Data, "False-positive rate on "+g.Data+" at the threshold; asked: "+
		strconv.FormatFloat(100*asked, 'g', 3, 64)+" %", width, plot.Axis{Label: "false-positive rate on test", Low: 1e-4,
		High: 1, Log: true, Percent: true}, asked, "false-positive rate", "", points)
}

// Published is our values beside those that a source reports; nil without a pair.
func Published(data string, p *compare.Published, width float64) *plot.Figure {
	byMetric := map[string][]plot.Point{}
	metric := ""
	for _, v := range p.Verdicts {
		ours := float64(v.Ours)
		byMetric[v.Metric] = append(byMetric[v.Metric], plot.Point{Name: v.Label, Value: ours, Low: math.NaN(),
			High: math.NaN(), Beside: v.Theirs})
		if !math.IsNaN(ours) && (metric == "" || len(byMetric[v.Metric]) > len(byMetric[metric])) {
			metric = v.Metric
		}
	}
	points := byMetric[metric]
	if metric == "" || len(points) == 0 {
		return nil
	}
	axis := plot.Axis{Label: eval.TitleOf(metric), Low: 0, High: 1}
	low, high := 1.0, 0.0
	for _, q := range points {
		for _, v := range []float64{q.Value, q.Beside} {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low >= 0 && high <= 1 {
		axis.Low, axis.High = math.Floor(low*10)/10, math.Min(1, math.Ceil(high*10+1e-9)/10)
	} else {
		axis.Low, axis.High = low, high
	}
	if axis.Low >= axis.High {
		axis.Low, axis.High = axis.Low-0.1, axis.High+0.1
	}
	return plot.Dots("published-"+data, "Ours beside "+p.Source, width, axis, math.NaN(), "ours", "published", points)
}
