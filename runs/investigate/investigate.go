package investigate

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// Investigation is the alarms of a cell, sorted by what caused them.
type Investigation struct {
	Cell      string       `json:"cell"`
	Threshold eval.Number  `json:"threshold"`
	Samples   int          `json:"samples"` // flows or windows of the test part
	Alarms    int          `json:"alarms"`  // of them are sorted here
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
}

// ErrInvestigate is wrapped by errors about a cell that cannot be investigated.
var ErrInvestigate = errors.New("cannot be investigated")

// Investigate scores the test part of a finished cell again with the model that it left, and sorts the samples that
// are above the threshold by cause: what a [models.Investigator] says, or the largest contribution of a
// [models.Explainer]. Where units are judged, the samples of alarming units are sorted. With all, every sample is.
// It refuses data that differ from what the cell saw. The cell's folder gets investigation.json and investigation.csv.
func Investigate(ctx context.Context, dir, cell string, lo experiment.LoadOptions, all bool) (*Investigation, error) {
	rec, err := record.Open(dir)
	if err != nil {
		return nil, err
	}
	res, err := rec.Find(cell)
	if err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) (*Investigation, error) {
		return nil, fmt.Errorf("runs: %s %w: %s", res.Cell, ErrInvestigate, fmt.Sprintf(format, args...))
	}
	if res.Status != record.OK {
		return refuse("its status is %s", res.Status)
	}
	e, err := experiment.Load(filepath.Join(dir, "experiment.yaml"), lo)
	if err != nil {
		return nil, err
	}
	plan := e.Plan()
	at := slices.IndexFunc(plan, func(c experiment.Cell) bool { return c.Path() == res.Cell })
	if at < 0 {
		return refuse("experiment.yaml does not have it")
	}
	c := plan[at]
	det, err := loadModel(filepath.Join(dir, filepath.FromSlash(res.Cell), "model.bin"), c)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("it left no model.bin (keep.models)")
	case err != nil:
		return nil, err
	}
	var limits struct {
		Threshold eval.Number `json:"threshold"`
		FlowLimit eval.Number `json:"flow_limit"`
	}
	if err := record.ReadJSON(dir, res.Cell+"/threshold.json", &limits); err != nil {
		return nil, err
	}
	if math.IsNaN(float64(limits.Threshold)) && !all {
		return refuse("it has no threshold, so nothing is an alarm; ask for all samples")
	}
	src := &prepare.Source{Set: c.Set, Finder: e.Finder, Workers: runtime.GOMAXPROCS(0)}
	p, err := src.Prepare(ctx, c.Fold)
	if err != nil {
		return nil, err
	}
	s, err := p.Sets(ctx, prepare.NeedsOf(c.Entry.Info.Needs))
	if err != nil {
		return nil, err
	}
	if s.TestSum != res.TestSHA256 {
		return refuse("the test part differs from the one that it scored (sha256 %.12s…, then %.12s…)", s.TestSum, res.TestSHA256)
	}
	raw, err := bundle.Score(ctx, det, s.Test)
	if err != nil {
		return nil, err
	}
	causes, err := causesOf(ctx, det, s.Test)
	if err != nil {
		return nil, fmt.Errorf("runs: %s %w: %w", res.Cell, ErrInvestigate, err)
	}
	alarm := func(int) bool { return true }
	if !all {
		if alarm, err = alarms(p.Test, s.Test, raw, e.Aggregate, float64(limits.Threshold), float64(limits.FlowLimit)); err != nil {
			return nil, err
		}
	}
	inv := &Investigation{Cell: res.Cell, Threshold: limits.Threshold, Samples: s.Test.N}
	inv.sort(p, s.Test, raw, causes, alarm)
	return inv, inv.leave(record.NewDirectory(dir))
}

func loadModel(path string, c experiment.Cell) (models.Detector, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	defer f.Close()
	det, err := c.Entry.Spec.New(models.Env{Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	if err := det.Load(f); err != nil {
		return nil, fmt.Errorf("runs: %s: %w", path, err)
	}
	return det, nil
}

// causesOf asks the model for the cause of each sample.
func causesOf(ctx context.Context, det models.Detector, s *data.Set) ([]models.Cause, error) {
	if i, ok := det.(models.Investigator); ok {
		return i.Causes(ctx, s)
	}
	x, ok := det.(models.Explainer)
	if !ok {
		return nil, errors.New("the model gives no reasons for its scores")
	}
	names, parts, err := x.Explain(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]models.Cause, len(parts))
	for i, v := range parts {
		out[i] = models.Cause{Name: "none", Event: -1}
		top := math.Inf(-1)
		for k, c := range v {
			if k < len(names) && c > top {
				top, out[i].Name = c, names[k]
			}
		}
	}
	return out, nil
}

// alarms says which samples are above the threshold: their own scores where flows are judged, else those of their units.
func alarms(us *experiment.Units, s *data.Set, raw []float64, rule experiment.Aggregate, threshold, limit float64) (func(int) bool, error) {
	if us.Keys == nil && rule.Unit != "share" {
		return func(i int) bool { return raw[i] > threshold }, nil
	}
	flows, err := us.Flows(s, raw, rule.Flow)
	if err != nil {
		return nil, err
	}
	scores := us.Gather(flows, rule.Unit, limit)
	over := map[int32]bool{}
	for i, r := range us.Rows {
		if scores[us.Unit[i]] > threshold {
			over[r] = true
		}
	}
	return func(i int) bool { return slices.ContainsFunc(rowsOf(s, i), func(r int32) bool { return over[r] }) }, nil
}

// rowsOf is the table rows of a sample.
func rowsOf(s *data.Set, i int) []int32 {
	if s.Kind == data.Traces {
		return s.Traces[i].Rows
	}
	return s.Rows[i : i+1]
}

// sort makes the groups.
func (inv *Investigation) sort(p *prepare.Prepared, s *data.Set, raw []float64, causes []models.Cause, alarm func(int) bool) {
	t := p.Live.Table
	columns := shownColumns(t, p.Set)
	for _, c := range columns {
		inv.Columns = append(inv.Columns, c.Name)
	}
	at := map[string]int{}
	for i := range raw {
		rows := rowsOf(s, i)
		if len(rows) == 0 || !alarm(i) {
			continue
		}
		c := causes[i]
		k, ok := at[c.Name]
		if !ok {
			k = len(inv.Groups)
			at[c.Name] = k
			inv.Groups = append(inv.Groups, CauseGroup{Cause: c.Name})
		}
		f := Finding{Score: raw[i], Event: c.Event, Row: rows[len(rows)-1]}
		if c.Event >= 0 && c.Event < len(rows) {
			f.Row = rows[c.Event]
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
		f.Where, f.Attack, f.Class = t.Where(f.Row), t.Attack[f.Row], t.Classes[t.Class[f.Row]]
		for _, col := range columns {
			f.Values = append(f.Values, string(col.AppendText(nil, f.Row)))
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
}

// sum counts what is in a group and puts its flows in order.
func (g *CauseGroup) sum() {
	slices.SortStableFunc(g.Flows, func(a, b Finding) int { return cmp.Compare(b.Score, a.Score) })
	g.Alarms, g.Highest = len(g.Flows), eval.Number(g.Flows[0].Score)
	classes, symbols, keys := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range g.Flows {
		f := &g.Flows[i]
		if f.Attack {
			g.Attacks++
		}
		classes[f.Class]++
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

// shownColumns is what a flow is recognised by: its times and addresses, and what symbols are made of.
func shownColumns(t *data.Table, set *experiment.DataSet) (out []*data.Column) {
	want := map[string]bool{}
	if set.Traces != nil {
		for _, s := range set.Traces.Symbols {
			want[s.Column] = true
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type == data.Time || c.Type == data.Address || want[c.Name] {
			out = append(out, c)
		}
	}
	return out
}

// leave writes investigation.json (the groups) and investigation.csv (a line for each alarm) into the cell's folder.
func (inv *Investigation) leave(dir *record.Directory) error {
	if err := dir.WriteJSON(inv.Cell+"/investigation.json", inv); err != nil {
		return err
	}
	return dir.Write(inv.Cell+"/investigation.csv", inv.WriteCSV)
}

// WriteCSV writes a line for each alarm, in the order of the groups.
func (inv *Investigation) WriteCSV(w io.Writer) error {
	cw := csv.NewWriter(w)
	cw.Write(append([]string{"group", "cause", "score", "event", "where", "key", "symbol", "attack", "class"}, inv.Columns...))
	for k := range inv.Groups {
		g := &inv.Groups[k]
		for i := range g.Flows {
			f := &g.Flows[i]
			event := ""
			if f.Event >= 0 {
				event = strconv.Itoa(f.Event)
			}
			cw.Write(append([]string{strconv.Itoa(k + 1), g.Cause, strconv.FormatFloat(f.Score, 'g', -1, 64), event, f.Where, f.Key, f.Symbol, strconv.FormatBool(f.Attack), f.Class}, f.Values...))
		}
	}
	cw.Flush()
	return cw.Error()
}
