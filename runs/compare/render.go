package compare

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/eval"
)

// Formats lists what Render knows.
var Formats = []string{"table", "markdown", "latex", "html", "csv", "json"}

// Render writes the comparison in one of Formats.
func (c *Comparison) Render(w io.Writer, format string) error {
	switch format {
	case "table", "markdown", "latex", "html":
		return writeSheets(w, format, c.sheets())
	case "csv":
		return c.csv(w)
	case "json":
		return c.json(w)
	}
	return fmt.Errorf("compare: unknown format %q; known: %s", format, strings.Join(Formats, ", "))
}

// title is the column head of a metric.
func title(metric string) string { return eval.TitleOf(metric) }

// grid is the rows of a group as cells of text, heads first.
func (c *Comparison) grid(g *Group) [][]string {
	head := []string{"#", "model", title(c.Metric), "95 % interval", "over"}
	for _, m := range g.Columns {
		if m != c.Metric {
			head = append(head, title(m))
		}
	}
	head = append(head, "ok/n")
	mark := slices.ContainsFunc(g.Rows, func(r Row) bool { return r.SawLabels })
	if mark {
		head = append(head, "saw")
	}
	out := [][]string{head}
	for i := range g.Rows {
		r := &g.Rows[i]
		rank := ""
		if r.Rank > 0 {
			rank = strconv.Itoa(r.Rank)
		}
		name := r.Label
		if r.Unbeaten != "" {
			name += unbeatenMark
		}
		line := []string{rank, name, plusMinus(r.Main), interval(r.Main), r.Main.rests(g.Test)}
		for _, m := range g.Columns {
			if m != c.Metric {
				line = append(line, short(m, r.Others[m].Mean))
			}
		}
		line = append(line, fmt.Sprintf("%d/%d", r.OK, r.Cells))
		if mark && r.Attacks > 0 {
			line = append(line, fmt.Sprintf("%d attacks", r.Attacks))
		} else if mark && r.SawLabels {
			line = append(line, "labels")
		} else if mark {
			line = append(line, "benign")
		}
		out = append(out, line)
	}
	return out
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

func short(metric string, v float64) string {
	if strings.HasSuffix(metric, "_seconds") && !math.IsNaN(v) {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return number(v)
}

func plusMinus(v Value) string {
	if v.N < 2 {
		return number(v.Mean)
	}
	return number(v.Mean) + " ± " + number(v.SD)
}

func interval(v Value) string {
	if !v.Interval.Defined() {
		return "–"
	}
	return fmt.Sprintf("[%s, %s]", number(v.Interval.Low), number(v.Interval.High))
}

// rests says what the interval is over and how many of it there are: "5 seeds", "10 folds", "20 units"; a dash
// where there is no interval.
func (v Value) rests(units int) string {
	switch v.kind() {
	case "":
		return "–"
	case "units":
		return fmt.Sprintf("%d units", units)
	}
	return fmt.Sprintf("%d %s", v.N, v.Over)
}

// heading is what a group stands for.
func (g *Group) heading() string {
	if g.Unlabelled {
		return fmt.Sprintf("%s, unit %s: %d scored, no labels", g.Data, g.Unit, g.Test)
	}
	return fmt.Sprintf("%s, unit %s: %d judged, %s attacks", g.Data, g.Unit, g.Test, percent(g.Prevalence))
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

// notes are the lines below a group's table.
func (g *Group) notes() []string {
	var out []string
	over := func(what string) bool {
		return slices.ContainsFunc(g.Rows, func(r Row) bool { return r.Main.kind() == what })
	}
	if slices.ContainsFunc(g.Rows, func(r Row) bool { return r.Main.N > 1 }) {
		out = append(out, "± standard deviation over seeds or folds; the interval is that of the mean")
	}
	if over("units") && (over("seeds") || over("folds")) {
		out = append(out, "intervals over units are about the choice of test units, the others about other seeds or folds")
	}
	if over("folds") {
		out = append(out, "over folds: seeds are averaged within a fold; corrected for the training rows that folds share")
	}
	if g.points != "" {
		out = append(out, g.points)
	}
	if text := g.unbeaten(); text != "" {
		out = append(out, text)
	}
	for _, r := range g.Rows {
		for _, e := range r.Errors {
			out = append(out, r.Label+" "+e)
		}
	}
	out = append(out, g.Audit...)
	out = append(out, g.Shrunk...)
	for _, w := range g.Warnings {
		out = append(out, "warning: "+w)
	}
	return out
}

// sheet is a group's table.
func (c *Comparison) sheet(g *Group) *sheet {
	s := &sheet{title: g.heading(), lines: plain(c.grid(g)), notes: g.notes(), left: 1, last: true}
	for i := range g.Rows {
		s.lines[i+1][2].best, s.lines[i+1][2].even = g.Rows[i].Best, g.Rows[i].Even
	}
	if s.evens() || s.marked() && g.how != byErrors && g.how != byTests { // the second: what was not tested
		s.notes = append([]string{g.how}, s.notes...)
	}
	return s
}

// sheets is the groups' tables, the warnings about all of them below the last.
func (c *Comparison) sheets() (out []*sheet) {
	for k := range c.Groups {
		out = append(out, c.sheet(&c.Groups[k]))
		for i := range c.Groups[k].Published {
			out = append(out, c.Groups[k].Published[i].sheet(c.Groups[k].Data))
		}
	}
	last := out[len(out)-1]
	for _, w := range c.Warnings {
		last.notes = append(last.notes, "warning: "+w)
	}
	return out
}

// writeSheets writes tables for people in one of the formats table, markdown, latex and html.
func writeSheets(w io.Writer, format string, sheets []*sheet) error {
	var b strings.Builder
	switch {
	case format == "html":
		b.WriteString(htmlStyle)
	case format == "latex" && slices.ContainsFunc(sheets, func(s *sheet) bool { return s.width() > latexWidth }):
		b.WriteString("% needs \\usepackage{booktabs,graphicx}\n")
	case format == "latex":
		b.WriteString("% needs \\usepackage{booktabs}\n")
	}
	for k, s := range sheets {
		if k > 0 && format != "markdown" {
			b.WriteByte('\n')
		}
		switch format {
		case "markdown":
			s.markdown(&b)
		case "latex":
			s.latex(&b)
		case "html":
			s.html(&b)
		default:
			if s.marked() {
				s.notes = append([]string{s.marks()}, s.notes...)
			}
			s.text(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Comparison) csv(w io.Writer) error {
	cw := csv.NewWriter(w)
	cw.Write([]string{"data", "unit", "rank", "label", "model", "metric", "n", "cells", "mean", "sd", "low", "high",
		"interval", "run", "saw_labels", "best", "not_worse", "control",
		"unbeaten_control", "warnings", "saw_attacks", "published", "published_difference", "verdict"})
	text := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	for k := range c.Groups {
		g := &c.Groups[k]
		for _, r := range g.Rows {
			warnings := strings.Join(slices.Concat(r.Errors, g.Warnings, c.Warnings), "; ")
			for _, m := range c.metrics(g) {
				v := r.Others[m]
				theirs, difference, verdict := "", "", ""
				if p := g.verdict(r.Label, m); p != nil {
					theirs, difference, verdict = text(p.Theirs), text(float64(p.Difference)), p.Verdict
				}
				cw.Write([]string{g.Data, g.Unit, strconv.Itoa(r.Rank), r.Label, r.Model, m, strconv.Itoa(v.N),
					strconv.Itoa(r.Cells), text(v.Mean), text(v.SD), text(v.Interval.Low), text(v.Interval.High), v.kind(), r.Run,
					strconv.FormatBool(r.SawLabels), strconv.FormatBool(r.Best && m == c.Metric),
					strconv.FormatBool(r.Even && m == c.Metric), strconv.FormatBool(r.Control), r.Unbeaten, warnings,
					strconv.Itoa(r.Attacks), theirs, difference, verdict})
			}
		}
	}
	cw.Flush()
	return cw.Error()
}

// metrics is the comparison's metric and the others shown of a group.
func (c *Comparison) metrics(g *Group) []string {
	out := []string{c.Metric}
	for _, m := range g.Columns {
		if m != c.Metric {
			out = append(out, m)
		}
	}
	return out
}

func (c *Comparison) json(w io.Writer) error {
	type value struct {
		N        int         `json:"n"`
		Mean     eval.Number `json:"mean"`
		SD       eval.Number `json:"sd"`
		Low      eval.Number `json:"low"`
		High     eval.Number `json:"high"`
		Interval string      `json:"interval,omitempty"`
	}
	type row struct {
		Rank    int              `json:"rank"`
		Label   string           `json:"label"`
		Model   string           `json:"model"`
		Run     string           `json:"run"`
		OK      int              `json:"ok"`
		Cells   int              `json:"cells"`
		Metrics map[string]value `json:"metrics"`
		Errors  []string         `json:"errors,omitempty"`

		SawLabels bool `json:"saw_labels,omitempty"`
		Best      bool `json:"best,omitempty"`      // by the metric
		Even      bool `json:"not_worse,omitempty"` // not significantly worse than the best
		Attacks   int  `json:"saw_attacks,omitempty"`

		Control  bool   `json:"control,omitempty"`
		Unbeaten string `json:"unbeaten_control,omitempty"` // the best control, where the model is not better
	}
	type group struct {
		Data     string   `json:"data"`
		Unit     string   `json:"unit"`
		Test     int      `json:"n_test"`
		Rows     []row    `json:"rows"`
		Audit    []string `json:"audit,omitempty"`
		Shrunk   []string `json:"left_out,omitempty"`
		Warnings []string `json:"warnings,omitempty"`

		Published []Published `json:"published,omitempty"`
	}
	out := struct {
		Metric   string   `json:"metric"`
		Groups   []group  `json:"groups"`
		Warnings []string `json:"warnings,omitempty"`
	}{Metric: c.Metric, Warnings: c.Warnings}
	for k := range c.Groups {
		g := &c.Groups[k]
		og := group{Data: g.Data, Unit: g.Unit, Test: g.Test, Audit: g.Audit, Shrunk: g.Shrunk,
			Warnings: g.Warnings, Published: g.Published}
		for _, r := range g.Rows {
			or := row{Rank: r.Rank, Label: r.Label, Model: r.Model, Run: r.Run, OK: r.OK, Cells: r.Cells, Errors: r.Errors,
				Metrics: map[string]value{}, SawLabels: r.SawLabels, Best: r.Best, Even: r.Even,
				Attacks: r.Attacks, Control: r.Control, Unbeaten: r.Unbeaten}
			for _, m := range c.metrics(g) {
				v := r.Others[m]
				or.Metrics[m] = value{v.N, eval.Number(v.Mean), eval.Number(v.SD), eval.Number(v.Interval.Low),
					eval.Number(v.Interval.High), v.kind()}
			}
			og.Rows = append(og.Rows, or)
		}
		out.Groups = append(out.Groups, og)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
