package investigate

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/data"
	"plumbline/data/cache"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Investigation is the alarms of a cell, sorted by what caused them.
type Investigation struct {
	Cell      string       `json:"cell"`
	Threshold eval.Number  `json:"threshold"`
	Samples   int          `json:"samples"` // flows or windows of the test part
	Alarms    int          `json:"alarms"`  // of them are sorted here
	Reasons   bool         `json:"reasons"` // the model gives some; else there is one group, without a cause
	Columns   []string     `json:"columns"` // of the flows' values
	Groups    []CauseGroup `json:"groups"`  // largest first
}

// CauseGroup is the alarms of one cause.
type CauseGroup struct {
	Cause   string      `json:"cause"`
	Alarms  int         `json:"alarms"`
	Attacks int         `json:"attacks"` // of the alarms: those whose flow is labelled an attack
	Highest eval.Number `json:"highest_score"`
	Classes []Tally     `json:"classes"` // of the flows, most frequent first
	Symbols []Tally     `json:"symbols,omitempty"`
	Keys    []Tally     `json:"keys,omitempty"` // entities
	Flows   []Finding   `json:"-"`              // highest score first
}

// Tally is how often something occurs.
type Tally struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Finding is an alarm with the flow that it comes from.
type Finding struct {
	Score  float64
	Event  int    // position of the flow in its trace, from 0; -1 where samples are flows
	Row    int32  // of the table
	Where  string // file:line
	Key    string // of the trace
	Symbol string
	Attack bool
	Class  string
	Values []string // of the columns

	// Actual and Expected are the value of the cause's column as the model sees it, and what the model expects there,
	// in the units of the prepared matrix; empty where the cause is no column or the model expects nothing.
	Actual, Expected string
}

// ErrInvestigate is wrapped by errors about a cell that cannot be investigated.
var ErrInvestigate = errors.New("cannot be investigated")

// Options is how a cell is investigated.
type Options struct {
	Load  experiment.LoadOptions
	All   bool         // sort every sample, not the alarms alone
	Cache *cache.Store // of prepared data; nil: none
}

// Investigate scores the test part of a finished cell again with the model that it left, and sorts the samples that
// are above the threshold by cause: what a [models.Investigator] says, or the largest contribution of a
// [models.Explainer]; of other models that judge rows one by one the source column without whose value the score falls
// most. Those of a model that can be asked for no reasons are one group, without a cause. Where units are judged, the
// samples of alarming units are sorted. It refuses data that differ from what the cell saw. The cell's folder gets
// investigation.json and investigation.csv.
func Investigate(ctx context.Context, dir, cell string, o Options) (*Investigation, error) {
	c, err := OpenCell(dir, cell)
	if err != nil {
		return nil, err
	}
	limit := float64(c.Threshold.Score)
	if math.IsNaN(limit) && !o.All {
		return nil, c.refuse("it has no threshold, so nothing is an alarm; ask for all samples")
	}
	p, test, err := c.TestPart(ctx, o)
	if err != nil {
		return nil, err
	}
	raw, scores, err := c.Rule().Score(ctx, c.Detector, test, p.Test)
	if err != nil {
		return nil, err
	}
	scored := &bundle.Scored{Samples: test, Raw: raw, Units: p.Test, Scores: scores, Limit: limit}
	alarm := alarming(c.Bundle, scored, o.All)
	causes, expected, err := why(ctx, c.Bundle, scored, alarm)
	if err != nil {
		return nil, c.refuse("%w", err)
	}
	inv := &Investigation{Cell: c.Result.Cell, Threshold: c.Threshold.Score, Samples: test.N, Reasons: causes != nil}
	inv.Columns = shownColumns(c.Bundle)
	flows, err := p.Flows(ctx, inv.Columns)
	if err != nil {
		return nil, err
	}
	if err := inv.sort(flows.Table, flows.At, test, raw, causes, expected, alarm); err != nil {
		return nil, err
	}
	return inv, inv.write(record.NewDirectory(dir))
}

// alarming says which samples are to be sorted.
func alarming(b *bundle.Bundle, s *bundle.Scored, all bool) func(i int) bool {
	switch {
	case all:
		return func(int) bool { return true }
	case s.Units.Keys == nil && b.Aggregate.Unit != "share": // not every window that holds an alarming flow is one
		return func(i int) bool { return s.Raw[i] > s.Limit }
	}
	return alarms(s.Units, s.Samples, s.Scores, s.Limit)
}

// why is the cause of each sample that is sorted, and what the model expects of it.
func why(ctx context.Context, b *bundle.Bundle, s *bundle.Scored, alarm func(int) bool) ([]models.Cause,
	map[string]Expectation, error) {
	causes, err := causesOf(ctx, b.Detector, b.Info.Needs, s.Samples, s.Raw, alarm)
	if err != nil {
		return nil, nil, err
	}
	expected, err := ExpectedOf(ctx, b.Detector, s.Samples)
	return causes, expected, err
}

// alarms says which samples hold a row of a unit above the threshold.
func alarms(us *experiment.Units, s *data.Set, scores []float64, threshold float64) func(int) bool {
	over := map[int32]bool{}
	for i, r := range us.Rows {
		if scores[us.Unit[i]] > threshold {
			over[r] = true
		}
	}
	return func(i int) bool { return slices.ContainsFunc(rowsOf(s, i), func(r int32) bool { return over[r] }) }
}

// rowsOf is the table rows of a sample.
func rowsOf(s *data.Set, i int) []int32 {
	if s.Kind == data.Traces {
		return s.Traces[i].Rows
	}
	return s.Rows[i : i+1]
}

// sort makes the groups.
func (inv *Investigation) sort(t *data.Table, at func(row int32) (int32, bool), s *data.Set, raw []float64,
	causes []models.Cause, expected map[string]Expectation, alarm func(int) bool) error {
	group := map[string]int{}
	for i := range raw {
		rows := rowsOf(s, i)
		if len(rows) == 0 || !alarm(i) {
			continue
		}
		c := models.Cause{Event: -1}
		if causes != nil {
			c = causes[i]
		}
		k, ok := group[c.Name]
		if !ok {
			k = len(inv.Groups)
			group[c.Name] = k
			inv.Groups = append(inv.Groups, CauseGroup{Cause: c.Name})
		}
		f := Finding{Score: raw[i], Event: c.Event, Row: rows[len(rows)-1]}
		if c.Event >= 0 && c.Event < len(rows) {
			f.Row = rows[c.Event]
		}
		if e, ok := expected[c.Name]; ok {
			f.Actual, f.Expected = e.of(s, i)
		}
		if s.Kind == data.Traces {
			tr := &s.Traces[i]
			f.Key = tr.Key
			if c.Event >= 0 && c.Event < len(tr.Symbols) {
				if a := tr.Symbols[c.Event]; a >= 0 && int(a) < len(s.Alphabet) {
					f.Symbol = s.Alphabet[a]
				} else {
					f.Symbol = "(unknown)"
				}
			}
		}
		row, ok := at(f.Row)
		if !ok {
			return fmt.Errorf("runs: row %d is not in the test part", f.Row)
		}
		f.Where = t.Where(row)
		if t.Attack != nil {
			f.Attack, f.Class = t.Attack[row], t.Classes[t.Class[row]]
		}
		for j := range t.Columns {
			f.Values = append(f.Values, string(t.Columns[j].AppendText(nil, row)))
		}
		inv.Groups[k].Flows = append(inv.Groups[k].Flows, f)
		inv.Alarms++
	}
	for k := range inv.Groups {
		inv.Groups[k].sum()
	}
	slices.SortStableFunc(inv.Groups, func(a, b CauseGroup) int {
		return cmp.Or(cmp.Compare(b.Alarms, a.Alarms), cmp.Compare(b.Highest, a.Highest), strings.Compare(a.Cause, b.Cause))
	})
	return nil
}

// sum counts what is in a group and puts its flows in order.
func (g *CauseGroup) sum() {
	slices.SortStableFunc(g.Flows, func(a, b Finding) int { return cmp.Compare(b.Score, a.Score) })
	g.Alarms, g.Highest, g.Attacks = len(g.Flows), eval.Number(g.Flows[0].Score), 0
	classes, symbols, keys := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range g.Flows {
		f := &g.Flows[i]
		if f.Attack {
			g.Attacks++
		}
		if f.Class != "" {
			classes[f.Class]++
		}
		if f.Symbol != "" {
			symbols[f.Symbol]++
		}
		if f.Key != "" {
			keys[f.Key]++
		}
	}
	g.Classes, g.Symbols, g.Keys = tallies(classes), tallies(symbols), tallies(keys)
}

// tallies is the most frequent names first.
func tallies(n map[string]int) (out []Tally) {
	for name, k := range n {
		out = append(out, Tally{name, k})
	}
	slices.SortFunc(out, func(a, b Tally) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
	return out
}

// maxCategories bounds the categories that are shown of a flow.
const maxCategories = 8

// shownColumns is what a flow is recognised by: its times and addresses, what symbols are made of, and its first
// categories; of a data set without any of these, its first numbers.
func shownColumns(b *bundle.Bundle) (out []string) {
	symbols := map[string]bool{}
	if b.Tracer != nil {
		for _, s := range b.Tracer.Spec.Symbols {
			symbols[s.Column] = true
		}
	}
	categories := 0
	var numbers []string
	for _, f := range b.Manifest.Columns {
		known := f.Type == data.Time || f.Type == data.Address || symbols[f.Name]
		if f.Type == data.Category && !known {
			categories++
			known = categories <= maxCategories
		}
		switch {
		case known:
			out = append(out, f.Name)
		case f.Type == data.Number && len(numbers) < maxCategories:
			numbers = append(numbers, f.Name)
		}
	}
	if out == nil {
		return numbers
	}
	return out
}

// write writes investigation.json (the groups) and investigation.csv (a line for each alarm) into the cell's folder.
func (inv *Investigation) write(dir *record.Directory) error {
	if err := dir.WriteJSON(inv.Cell+"/investigation.json", inv); err != nil {
		return err
	}
	return dir.Write(inv.Cell+"/investigation.csv", inv.WriteCSV)
}

// WriteCSV writes a line for each alarm, in the order of the groups.
func (inv *Investigation) WriteCSV(w io.Writer) error {
	cw := csv.NewWriter(w)
	head := []string{"group", "cause", "score", "event", "where", "key", "symbol", "attack", "class", "actual", "expected"}
	cw.Write(append(head, inv.Columns...))
	for k := range inv.Groups {
		g := &inv.Groups[k]
		for i := range g.Flows {
			f := &g.Flows[i]
			event := ""
			if f.Event >= 0 {
				event = strconv.Itoa(f.Event)
			}
			line := []string{
				strconv.Itoa(k + 1), g.Cause, strconv.FormatFloat(f.Score, 'g', -1, 64), event, f.Where, f.Key, f.Symbol,
				strconv.FormatBool(f.Attack), f.Class, f.Actual, f.Expected,
			}
			cw.Write(append(line, f.Values...))
		}
	}
	cw.Flush()
	return cw.Error()
}
