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

// RenderPivots writes pivots in one of Formats.
func RenderPivots(w io.Writer, format string, pivots []*Pivot) error {
	switch format {
	case "csv":
		return pivotCSV(w, pivots)
	case "json":
		return pivotJSON(w, pivots)
	case "table", "markdown", "latex", "html":
		var sheets []*sheet
		for _, p := range pivots {
			sheets = append(sheets, p.sheet())
		}
		return writeSheets(w, format, sheets)
	}
	return fmt.Errorf("compare: unknown format %q; known: %s", format, strings.Join(Formats, ", "))
}

// text is a cell: the mean, half the width of its interval where there is one, or its ends where half the width would
// lead out of the metric's range, and how many cells are ok.
func (c *PivotCell) text() string {
	if c.Cells == 0 {
		return "–"
	}
	text := short(c.metric, c.Mean)
	if c.Interval.Defined() && !math.IsNaN(c.Mean) {
		about, _ := eval.MetricNamed(c.metric)
		half := (c.Interval.High - c.Interval.Low) / 2
		if c.Mean-half < about.Range.Low || c.Mean+half > about.Range.High {
			text += fmt.Sprintf(" [%s, %s]", short(c.metric, c.Interval.Low), short(c.metric, c.Interval.High))
		} else {
			text += " ± " + short(c.metric, half)
		}
	}
	if c.Unbeaten != "" {
		text += unbeatenMark
	}
	return fmt.Sprintf("%s (%d/%d)", text, c.OK, c.Cells)
}

// heads are the names of rows or columns as tables show them.
func heads(axis string, names []string) []string {
	if axis != "metric" {
		return names
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = title(n)
	}
	return out
}

func (p *Pivot) sheet() *sheet {
	s := &sheet{title: p.Title}
	head := append([]string{p.Down}, heads(p.Across, p.Columns)...)
	if p.Ranks != nil && p.Down == "model" {
		head = append(head, "mean rank")
	}
	s.lines = plain([][]string{head})
	intervals, unbeaten := false, false
	for i, name := range heads(p.Down, p.Rows) {
		line := []entry{{text: name}}
		for k := range p.Cells[i] {
			c := &p.Cells[i][k]
			line = append(line, entry{text: c.text(), best: c.Best, even: c.Even})
			intervals = intervals || c.Interval.Defined()
			unbeaten = unbeaten || c.Unbeaten != ""
		}
		if p.Ranks != nil && p.Down == "model" {
			line = append(line, entry{text: rankText(p.Ranks[i])})
		}
		s.lines = append(s.lines, line)
	}
	if p.Ranks != nil && p.Down != "model" {
		line := []entry{{text: "mean rank"}}
		for _, r := range p.Ranks {
			line = append(line, entry{text: rankText(r)})
		}
		s.lines = append(s.lines, line)
	}
	if intervals {
		s.notes = append(s.notes, "mean ± half the width of its 95 % interval, or [its ends] (cells that are ok / cells)")
	}
	if s.evens() || s.marked() && p.untested != nil {
		s.notes = append(s.notes, p.how+untested(p.untested))
	}
	if unbeaten {
		s.notes = append(s.notes, "† not shown to be better than the best control on the data set")
	}
	s.notes = append(s.notes, p.Notes...)
	for _, w := range p.Warnings {
		s.notes = append(s.notes, "warning: "+w)
	}
	return s
}

func rankText(r float64) string {
	if math.IsNaN(r) {
		return "–"
	}
	return strconv.FormatFloat(r, 'f', 1, 64)
}

// numberText is a number as files hold it, empty where it is undefined.
func numberText(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func pivotCSV(w io.Writer, pivots []*Pivot) error {
	cw := csv.NewWriter(w)
	cw.Write([]string{"table", "row", "column", "metric", "mean", "sd", "low", "high", "interval", "n", "ok", "cells",
		"best", "not_worse", "unbeaten_control", "warnings"})
	for _, p := range pivots {
		warnings := strings.Join(slices.Concat(p.failed, p.Warnings), "; ")
		for i, row := range p.Rows {
			for k, column := range p.Columns {
				c := &p.Cells[i][k]
				cw.Write([]string{p.Title, row, column, c.metric, numberText(c.Mean), numberText(c.SD),
					numberText(c.Interval.Low), numberText(c.Interval.High), c.kind(), strconv.Itoa(c.N), strconv.Itoa(c.OK),
					strconv.Itoa(c.Cells), strconv.FormatBool(c.Best), strconv.FormatBool(c.Even), c.Unbeaten, warnings})
			}
		}
	}
	cw.Flush()
	return cw.Error()
}

func pivotJSON(w io.Writer, pivots []*Pivot) error {
	type cell struct {
		Row      string      `json:"row"`
		Column   string      `json:"column"`
		Metric   string      `json:"metric"`
		Mean     eval.Number `json:"mean"`
		SD       eval.Number `json:"sd"`
		Low      eval.Number `json:"low"`
		High     eval.Number `json:"high"`
		Interval string      `json:"interval,omitempty"`
		N        int         `json:"n"`
		OK       int         `json:"ok"`
		Cells    int         `json:"cells"`
		Best     bool        `json:"best,omitempty"`
		Even     bool        `json:"not_worse,omitempty"`
		Unbeaten string      `json:"unbeaten_control,omitempty"`
	}
	type table struct {
		Title    string        `json:"title"`
		Down     string        `json:"down"`
		Across   string        `json:"across"`
		Rows     []string      `json:"rows"`
		Columns  []string      `json:"columns"`
		Cells    []cell        `json:"cells"`
		Ranks    []eval.Number `json:"mean_ranks,omitempty"` // of the models
		Notes    []string      `json:"notes,omitempty"`
		Warnings []string      `json:"warnings,omitempty"`
	}
	out := []table{}
	for _, p := range pivots {
		t := table{Title: p.Title, Down: p.Down, Across: p.Across, Rows: p.Rows, Columns: p.Columns, Notes: p.Notes,
			Warnings: p.Warnings}
		for i, row := range p.Rows {
			for k, column := range p.Columns {
				c := &p.Cells[i][k]
				t.Cells = append(t.Cells, cell{row, column, c.metric, eval.Number(c.Mean), eval.Number(c.SD),
					eval.Number(c.Interval.Low), eval.Number(c.Interval.High), c.kind(), c.N, c.OK, c.Cells, c.Best, c.Even,
					c.Unbeaten})
			}
		}
		for _, r := range p.Ranks {
			t.Ranks = append(t.Ranks, eval.Number(r))
		}
		out = append(out, t)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
