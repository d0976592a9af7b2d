package figures

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"plumbline/runs/compare"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

// maxFile is the size to which a table of a run directory is read.
const maxFile = 1 << 28

// table reads a CSV file of a run; nil where there is none. Heads come first.
func table(dir, name string) ([][]string, error) {
	raw, err := record.ReadFile(filepath.Join(dir, filepath.FromSlash(name)), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("figures: %s: %w", name, err)
	}
	if len(rows) < 2 {
		return nil, nil
	}
	return rows, nil
}

// column is a column of a table as numbers, NaN where a field is none; nil where there is no such column.
func column(rows [][]string, name string) (out []float64) {
	k := slices.Index(rows[0], name)
	if k < 0 {
		return nil
	}
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[k], 64)
		if err != nil {
			v = math.NaN()
		}
		out = append(out, v)
	}
	return out
}

// maxEpochs is how many points a training curve has at most: those of longer ones are every second, third ... epoch.
const maxEpochs = 512

// Training is the loss by epoch of each row whose models report one, means over cells of one length; nil without any.
// The losses of different models have different units.
func Training(dir string, g *compare.Group, width float64) (*plot.Figure, error) {
	var out []plot.Line
	longest := 0
	for i := range g.Rows {
		r := &g.Rows[i]
		var b, held band
		n := 0
		for _, cell := range r.Results() {
			if cell.Status != record.OK || n == perRow {
				continue
			}
			rows, err := table(dir, cell.Cell+"/history.csv")
			if err != nil {
				return nil, err
			}
			if rows == nil {
				continue
			}
			loss := column(rows, "loss")
			if len(loss) < 2 || n > 0 && len(loss) != len(b.mean) {
				continue
			}
			b.add(loss)
			held.add(column(rows, "valid_loss"))
			n++
		}
		if n == 0 || len(out) >= MaxLines {
			continue
		}
		b.divide(n)
		held.divide(n)
		l := plot.Line{Name: r.Label, Y: b.mean}
		if n > 1 {
			l.Low, l.High = b.low, b.high
		}
		out, longest = append(out, l), max(longest, len(b.mean))
		if slices.ContainsFunc(held.mean, func(v float64) bool { return !math.IsNaN(v) }) {
			out = append(out, plot.Line{Name: r.Label + ", held-out rows", Y: held.mean})
		}
	}
	if out == nil {
		return nil, nil
	}
	every := (longest + maxEpochs - 1) / maxEpochs
	var at []float64
	for e := 0; e < longest; e += every {
		at = append(at, float64(e+1))
	}
	thin := func(v []float64) (y []float64) {
		for e := 0; v != nil && e < longest; e += every {
			y = append(y, math.NaN())
			if e < len(v) {
				y[len(y)-1] = v[e]
			}
		}
		return y
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i := range out {
		l := &out[i]
		l.Y, l.Low, l.High = thin(l.Y), thin(l.Low), thin(l.High)
		for _, v := range slices.Concat(l.Y, l.Low, l.High) {
			if v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if !(low < high) {
		return nil, nil
	}
	y := plot.Axis{Label: "loss", Low: low, High: 1.05 * high, Log: high/low > 20}
	if !y.Log {
		y.Low = 0
	}
	return plot.Lines("training-"+g.Data, "Loss by epoch on "+g.Data, width, height(width),
		plot.Axis{Label: "epoch", Low: 1, High: float64(longest)}, y, at, out, false), nil
}

// maxCauses is how many causes a chart has.
const maxCauses = 15

// Causes is the alarms of a cell by root cause, for each cell of a group that was investigated.
func Causes(dir string, g *compare.Group, width float64) (out []*plot.Figure, err error) {
	for i := range g.Rows {
		for _, cell := range g.Rows[i].Results() {
			var inv struct {
				Groups []struct {
					Cause           string
					Alarms, Attacks int
				}
			}
			err := record.ReadJSON(dir, cell.Cell+"/investigation.json", &inv)
			if errors.Is(err, fs.ErrNotExist) || err == nil && len(inv.Groups) == 0 {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("figures: %w", err)
			}
			var bars []plot.Bar
			for _, c := range inv.Groups[:min(len(inv.Groups), maxCauses)] {
				bars = append(bars, plot.Bar{Name: cmp.Or(c.Cause, "no cause given"), Counts: []int{c.Attacks,
					c.Alarms - c.Attacks}})
			}
			name := fmt.Sprintf("%s-%s-s%d", g.Data, g.Rows[i].Label, cell.Seed)
			out = append(out, plot.Bars("causes-"+name, "Alarms by root cause: "+name, width, []string{"on attacks",
				"on benign flows"}, bars))
		}
	}
	return out, nil
}
