package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/eval"
	"plumbline/runs/record"
)

// Axes are what rows and columns of a pivot can be, beside model.
var Axes = []string{"data", "metric", "class", "seed", "fold"}

// Pivot is a table of means whose rows and columns are two of model, data, metric, class, seed and fold.
type Pivot struct {
	Title         string // what stays the same in it
	Data          string // of an axis of robustness: the data set that is varied
	Metric        string // "" where metrics are an axis
	Down, Across  string // the axes
	Rows, Columns []string
	Cells         [][]PivotCell // of each row
	Ranks         []float64     // of each model over data sets, NaN where it has no value on one; nil for other axes
	Notes         []string
	Warnings      []string

	failed   []string // errors of cells, which are among Notes too
	models   []string // in their order, whichever axis they are
	untested []string // models some of whose means have no error
	how      string   // the marks were made
}

// PivotCell is one mean.
type PivotCell struct {
	Value
	OK, Cells  int
	Best, Even bool   // of the models beside it: the best; not significantly worse than the best
	Unbeaten   string // with the axis data: the best control, where the model is not shown to be better

	metric string
}

// Pivot is the comparison as tables of models against another axis, or the other way round. Where data is no axis there
// is a table for each data set. The axis class takes the metrics auroc and recall.
func (c *Comparison) Pivot(down, across string) ([]*Pivot, error) {
	other := across
	if across == "model" {
		other = down
	}
	curves := c.along(other)
	if (down == "model") == (across == "model") || !slices.Contains(Axes, other) && curves == nil {
		return nil, fmt.Errorf("compare: pivot %s,%s: want model and one of %s, or an axis of robustness that the runs vary",
			down, across, strings.Join(Axes, ", "))
	}
	if other == "class" && c.Metric != "auroc" && c.Metric != "recall" {
		return nil, fmt.Errorf("compare: of attack classes there are auroc and recall, not %s", c.Metric)
	}
	groups := curves
	for k := range c.Groups {
		if curves != nil {
			break
		}
		if g := &c.Groups[k]; other != "data" || groups == nil {
			groups = append(groups, []*Group{g})
		} else {
			groups[0] = append(groups[0], g)
		}
	}
	var out []*Pivot
	for _, of := range groups {
		table := c.pivot
		if curves != nil {
			table = c.curve
		}
		p, err := table(of, other)
		if err != nil {
			return nil, err
		}
		if across == "model" {
			p.transpose()
		}
		out = append(out, p)
	}
	last := out[len(out)-1]
	last.Warnings = append(last.Warnings, c.Warnings...)
	return out, nil
}

// pivot is the table of models against the other axis.
func (c *Comparison) pivot(groups []*Group, other string) (*Pivot, error) {
	p := &Pivot{Metric: c.Metric, Down: "model", Across: other, Title: title(c.Metric)}
	rows := map[string]map[string]PivotCell{} // by label and column
	add := func(label, column string, cell PivotCell) {
		if rows[label] == nil {
			rows[label] = map[string]PivotCell{}
			p.models = append(p.models, label)
		}
		rows[label][column] = cell
		if !slices.Contains(p.Columns, column) {
			p.Columns = append(p.Columns, column)
		}
	}
	if other == "metric" {
		p.Metric, p.Title = "", "metrics"
	}
	if other != "data" {
		p.Title += ", " + groups[0].heading()
	}
	if groups[0].points != "" {
		p.Notes = append(p.Notes, groups[0].points)
	}
	for _, g := range groups {
		told := len(p.failed)
		for i := range g.Rows {
			r := &g.Rows[i]
			if err := c.spread(g, r, other, add); err != nil {
				return nil, err
			}
			for _, e := range r.Errors {
				p.failed = append(p.failed, g.Data+": "+r.Label+" "+e)
			}
		}
		p.Notes = append(p.Notes, p.failed[told:]...)
		for _, text := range slices.Concat(g.Audit, g.Shrunk) {
			p.Notes = append(p.Notes, g.Data+": "+text)
		}
		for _, w := range g.Warnings {
			p.Warnings = append(p.Warnings, g.Data+": "+w)
		}
	}
	if other == "seed" || other == "class" || other == "fold" {
		slices.SortStableFunc(p.Columns, naturally)
	}
	p.Rows = slices.Clone(p.models)
	for _, label := range p.models {
		line := make([]PivotCell, len(p.Columns))
		for k, column := range p.Columns {
			cell, ok := rows[label][column]
			if !ok {
				cell = PivotCell{Value: Value{Mean: math.NaN(), SD: math.NaN(), Interval: noInterval}, metric: p.metricOf(column)}
			}
			line[k] = cell
		}
		p.Cells = append(p.Cells, line)
	}
	if c.tested && other == "data" {
		p.how = byTests
	} else {
		p.how = byErrors
		p.mark()
	}
	if other == "data" {
		return p, p.rank(direction(c.Metric))
	}
	return p, nil
}

var noInterval = eval.Interval{Low: math.NaN(), High: math.NaN()}

// metricOf is the metric of a column.
func (p *Pivot) metricOf(column string) string {
	if p.Metric == "" {
		return column
	}
	return p.Metric
}

// spread gives the cells of one model on one data set along an axis.
func (c *Comparison) spread(g *Group, r *Row, other string, add func(label, column string, cell PivotCell)) error {
	cell := func(v Value, cells []record.Result, metric string) PivotCell {
		out := PivotCell{Value: v, Cells: len(cells), metric: metric}
		for i := range cells {
			if cells[i].Status == record.OK {
				out.OK++
			}
		}
		return out
	}
	switch other {
	case "data":
		name := g.Data
		if slices.ContainsFunc(c.Groups, func(o Group) bool { return o.Data == g.Data && o.Unit != g.Unit }) {
			name += " (" + g.Unit + ")"
		}
		one := cell(r.Main, r.cells, c.Metric)
		one.Best, one.Even, one.Unbeaten = r.Best, r.Even, r.Unbeaten
		add(r.Label, name, one)
	case "metric":
		for _, m := range c.metrics(g) {
			add(r.Label, m, cell(r.Others[m], r.cells, m))
		}
	case "seed", "fold":
		var order []string
		of := map[string][]record.Result{}
		for _, one := range r.cells {
			key := strconv.FormatUint(one.Seed, 10)
			if other == "fold" {
				key = one.Fold
			}
			if of[key] == nil {
				order = append(order, key)
			}
			of[key] = append(of[key], one)
		}
		for _, key := range order {
			name := key
			if name == "" {
				name = "the only one"
			}
			add(r.Label, name, cell(value(of[key], c.Metric, r.overlap), of[key], c.Metric))
		}
	case "class":
		return c.byClass(r, func(class string, v Value, cells []record.Result) {
			add(r.Label, class, cell(v, cells, c.Metric))
		})
	}
	return nil
}

// byClass gives a model's means of each attack class, from the metrics.json of its cells.
func (c *Comparison) byClass(r *Row, add func(class string, v Value, cells []record.Result)) error {
	if r.dir == "" {
		return fmt.Errorf("compare: %s joins cells of several runs, whose classes are not joined", r.Label)
	}
	about, _ := eval.MetricNamed(c.Metric)
	values := map[string][]eval.Repetition{}
	var order []string
	for i := range r.cells {
		one := &r.cells[i]
		if one.Status != record.OK {
			continue
		}
		var m eval.Metrics
		if err := record.ReadJSON(r.dir, one.Cell+"/metrics.json", &m); err != nil {
			return err
		}
		for _, k := range m.Classes {
			v := k.AUROC
			if c.Metric == "recall" {
				v = k.Recall
			}
			if values[k.Class] == nil {
				order = append(order, k.Class)
			}
			values[k.Class] = append(values[k.Class], eval.Repetition{Fold: one.Fold, Value: v})
		}
	}
	for _, class := range order {
		rep := eval.Pool(values[class], r.overlap, about.Range)
		v := Value{N: rep.N, Over: rep.Over, Missing: rep.Missing, Mean: rep.Mean, SD: rep.SD, Interval: rep.Interval,
			Error: errorOf(rep, r.overlap)}
		add(class, v, r.cells)
	}
	return nil
}

// mark marks in each column the best model and those that are not significantly worse.
func (p *Pivot) mark() {
	for k, column := range p.Columns {
		sign := direction(p.metricOf(column))
		if sign == 0 {
			continue
		}
		values := make([]Value, len(p.Rows))
		for i := range p.Rows {
			values[i] = p.Cells[i][k].Value
		}
		best, even, unknown := notWorse(values, sign)
		for i, label := range p.Rows {
			p.Cells[i][k].Best, p.Cells[i][k].Even = i == best, even[i]
			if unknown[i] && !slices.Contains(p.untested, label) {
				p.untested = append(p.untested, label)
			}
		}
	}
}

// rank gives the models their mean rank over the columns, among those that have a value in each, and orders them by it.
func (p *Pivot) rank(sign float64) error {
	whole := map[string]int{} // place among those that are ranked
	for i, label := range p.Rows {
		if !slices.ContainsFunc(p.Cells[i], func(c PivotCell) bool { return math.IsNaN(c.Mean) }) {
			whole[label] = len(whole)
		}
	}
	blocks := make([][]float64, len(p.Columns))
	for k := range blocks {
		blocks[k] = make([]float64, len(whole))
		for i, label := range p.Rows {
			if at, ok := whole[label]; ok {
				blocks[k][at] = sign * p.Cells[i][k].Mean
			}
		}
	}
	ranks, err := eval.Friedman(blocks)
	if err != nil {
		return err
	}
	order := make([]int, len(p.Rows))
	rank := make([]float64, len(p.Rows))
	for i, label := range p.Rows {
		order[i], rank[i] = i, math.NaN()
		if at, ok := whole[label]; ok {
			rank[i] = ranks.Mean[at]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := rank[a], rank[b]
		switch {
		case math.IsNaN(y) && !math.IsNaN(x), x < y:
			return -1
		case math.IsNaN(x) && !math.IsNaN(y), x > y:
			return 1
		}
		return strings.Compare(p.Rows[a], p.Rows[b])
	})
	rows, cells := make([]string, len(order)), make([][]PivotCell, len(order))
	p.Ranks = make([]float64, len(order))
	for to, from := range order {
		rows[to], cells[to], p.Ranks[to] = p.Rows[from], p.Cells[from], rank[from]
	}
	p.Rows, p.Cells, p.models = rows, cells, rows
	return nil
}

// transpose turns rows into columns.
func (p *Pivot) transpose() {
	cells := make([][]PivotCell, len(p.Columns))
	for k := range cells {
		cells[k] = make([]PivotCell, len(p.Rows))
		for i := range p.Rows {
			cells[k][i] = p.Cells[i][k]
		}
	}
	p.Cells, p.Rows, p.Columns, p.Down, p.Across = cells, p.Columns, p.Rows, p.Across, p.Down
}

// naturally orders numbers by size and other texts by their bytes.
func naturally(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	if errX == nil && errY == nil && x != y {
		if x < y {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}
