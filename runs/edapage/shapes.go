package edapage

import (
	"encoding/json"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/data/eda"
	"plumbline/runs/page"
	"plumbline/runs/visible"
)

const smallWidth, smallHeight = 160, 28

// merged adds up neighbouring bins until there are at most n.
func merged(v []float64, n int) []float64 {
	wide := (len(v) + n - 1) / max(1, n)
	if wide <= 1 {
		return v
	}
	var out []float64
	for from := 0; from < len(v); from += wide {
		sum := 0.0
		for _, x := range v[from:min(from+wide, len(v))] {
			sum += x
		}
		out = append(out, sum)
	}
	return out
}

// small is a feature's distribution beside its name: benign rows over attacks, each by their own share; of categories
// the rows of the commonest levels.
func small(f *eda.Feature, labelled bool) template.HTML {
	benign, attack := counts(f)
	var b strings.Builder
	b.WriteString(`<svg viewBox="0 0 160 28" role="img" aria-label="` + html.EscapeString("distribution of "+f.Name) +
		`">`)
	b.WriteString(`<line class="base" x1="0" y1="27.5" x2="160" y2="27.5"/>`)
	if labelled {
		b.WriteString(steps("attack", attack, f.Histogram == nil))
	}
	b.WriteString(steps("benign", benign, f.Histogram == nil))
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// counts are rows by bins or levels; all rows in the first where there are no labels.
func counts(f *eda.Feature) (benign, attack []float64) {
	if f.Histogram != nil {
		return merged(f.Histogram.Benign, smallBins), merged(f.Histogram.Attack, smallBins)
	}
	for _, l := range f.Top {
		benign, attack = append(benign, float64(l.Benign)), append(attack, float64(l.Attack))
	}
	return benign, attack
}

// steps is bins as an area, or levels as bars. Heights are square roots, so that rare bins show.
func steps(class string, v []float64, bars bool) string {
	top := 0.0
	for _, x := range v {
		top = max(top, x)
	}
	if top == 0 {
		return ""
	}
	var b strings.Builder
	number := func(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
	wide := float64(smallWidth) / float64(max(len(v), 4))
	gap := 0.0
	if bars {
		gap = min(4, wide/4)
	}
	last := -1.0
	for i, x := range v {
		y := 27 - 25*math.Sqrt(x/top)
		at := float64(i) * wide
		switch {
		case x == 0:
			if last >= 0 {
				b.WriteString("V27")
			}
			last = -1
			continue
		case last < 0 || bars:
			if last >= 0 {
				b.WriteString("V27")
			}
			b.WriteString("M" + number(at) + " 27V" + number(y))
		case y != last:
			b.WriteString("V" + number(y))
		}
		b.WriteString("H" + number(at+wide-gap))
		last = y
	}
	if last >= 0 {
		b.WriteString("V27")
	}
	return `<path class="` + class + `" d="` + b.String() + `"/>`
}

// details is what scripts show of a feature when it is opened.
func details(r *eda.Report, v *view) []map[string]any {
	out := []map[string]any{}
	for _, shown := range v.Features {
		f := r.Features[shown.Index]
		d := map[string]any{"n": f.N, "missing": f.Missing, "type": f.Type}
		var q []any
		for _, s := range []*eda.Summary{f.All, f.Benign, f.Attack} {
			if s == nil {
				continue
			}
			row := []any{s.N, rounded(float64(s.Mean)), rounded(float64(s.SD)), rounded(float64(s.Skewness)),
				rounded(float64(s.Kurtosis)), s.Zeros}
			for _, x := range s.Quantiles {
				row = append(row, rounded(float64(x)))
			}
			q = append(q, row)
		}
		if q != nil {
			d["q"] = q
		}
		if h := f.Histogram; h != nil {
			benign, attack := merged(h.Benign, detailBins), merged(h.Attack, detailBins)
			wide := (len(h.Benign) + detailBins - 1) / detailBins
			var edges []any
			write := rounded
			if f.Type == "time" { // to a millisecond
				write = func(v float64) any { return json.Number(strconv.FormatFloat(v, 'f', 3, 64)) }
			}
			for k := 0; k < len(h.Edges)-1; k += wide {
				edges = append(edges, write(h.Edges[k]))
			}
			edges = append(edges, write(h.Edges[len(h.Edges)-1]))
			d["h"] = map[string]any{"edges": edges, "b": page.Pack(whole(benign)), "a": page.Pack(whole(attack)),
				"rule": h.Rule, "log": h.Log, "bins": len(h.Benign)}
		}
		var top []any
		for _, l := range f.Top {
			top = append(top, []any{visible.Text(clip(l.Text, 60)), l.Benign, l.Attack})
		}
		d["top"] = top
		if f.Days != nil && r.Periods != nil {
			var by []any
			for _, x := range f.Days {
				by = append(by, rounded(float64(x)))
			}
			d["days"] = by
		}
		if m := f.Moved; m != nil {
			d["moved"] = map[string]any{"index": rounded(float64(m.Index)), "distance": rounded(float64(m.Distance)),
				"missing": []any{rounded(float64(m.Missing[0])), rounded(float64(m.Missing[1]))},
				"medians": []any{rounded(float64(m.Medians[0])), rounded(float64(m.Medians[1]))}, "fresh": m.NewLevels,
				"rows": m.NewRows, "examples": clipped(m.NewExamples), "gone": m.Gone}
		}
		out = append(out, d)
	}
	return out
}

func clipped(texts []string) []string {
	out := []string{}
	for _, s := range texts {
		out = append(out, visible.Text(clip(s, 40)))
	}
	return out
}

func whole(v []float64) []uint32 {
	out := make([]uint32, len(v))
	for i, x := range v {
		out[i] = uint32(min(x, math.MaxUint32))
	}
	return out
}

// maps are the matrices for scripts, in an order that puts alike columns together.
func maps(r *eda.Report, v *view) []map[string]any {
	out := []map[string]any{}
	for _, m := range []struct {
		name string
		of   *eda.Matrix
	}{{"Spearman's ρ", r.Spearman}, {"Pearson's r", r.Pearson}, {"Cramér's V", r.CramersV}} {
		if m.of == nil || len(m.of.Columns) < 2 {
			continue
		}
		order := slices.Clone(m.of.Order)
		if len(order) > maxHeat {
			order = order[:maxHeat]
			v.HeatLeft = len(m.of.Columns) - maxHeat
		}
		var names []string
		var cells []uint8
		for _, i := range order {
			names = append(names, visible.Text(clip(m.of.Columns[i], 40)))
			for _, j := range order {
				cell := uint8(255)
				if x := float64(m.of.R[i][j]); !math.IsNaN(x) {
					cell = uint8(math.Round((x + 1) / 2 * 254))
				}
				cells = append(cells, cell)
			}
		}
		v.Maps = append(v.Maps, m.name)
		out = append(out, map[string]any{"name": m.name, "columns": names, "r": page.Pack(cells), "rows": m.of.Rows})
	}
	return out
}
