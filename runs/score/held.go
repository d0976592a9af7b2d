package score

import (
	"slices"

	"plumbline/data"
	"plumbline/runs/bundle"
	"plumbline/runs/experiment"
)

// held is rows that cannot be judged yet: of traces whose windows are not complete, or of a model that judges rows
// together.
type held struct {
	r     *run
	table *data.Table // the columns that the model or a line needs
	codes []map[string]uint32
	class map[string]uint32
	at    []int64 // place of each row in the input
	rows  []gathered

	wanted  []string
	cursors map[string]*cursor // of open traces that were cut already
}

// gathered is what a row has from the windows that hold it and were scored.
type gathered struct {
	n                     int32
	late                  bool    // it came after later events of its trace had been judged
	nanos                 int64   // late: the order that it has instead, of a time
	num                   float64 // or of a number
	max, sum, last, first float64
	ends                  bool // last is of a window that ends with it
	reasons               []Reason
}

func (g *gathered) add(score float64, ends bool) {
	if g.n == 0 || score > g.max {
		g.max = score
	}
	if g.n == 0 {
		g.first = score
	}
	if g.n++; ends {
		g.last, g.ends = score, true
	}
	g.sum += score
}

// score is that of the flow by the rule of the bundle.
func (g *gathered) score(rule string) float64 {
	switch {
	case rule == "mean":
		return g.sum / float64(g.n)
	case rule == "last" && g.ends:
		return g.last
	case rule == "last":
		return g.first
	}
	return g.max
}

func newHeld(r *run) *held {
	h := &held{r: r, cursors: map[string]*cursor{}}
	for _, c := range r.b.Needed() {
		h.wanted = append(h.wanted, c.Name)
	}
	return h
}

// add puts a block's rows to those that are held, and judges what can be once there are too many.
func (h *held) add(t *data.Table, first int64) error {
	if h.table == nil {
		show := h.r.shown(t)
		for _, c := range []*data.Column{show.time, show.source, show.destination} {
			if c != nil && !slices.Contains(h.wanted, c.Name) {
				h.wanted = append(h.wanted, c.Name)
			}
		}
		h.table = &data.Table{Name: t.Name}
		for i := range t.Columns { // in the order of the files: the first time column is the first
			if c := &t.Columns[i]; slices.Contains(h.wanted, c.Name) {
				h.table.Columns = append(h.table.Columns, data.Column{Name: c.Name, Type: c.Type})
			}
		}
		h.known()
	}
	for from := 0; from < t.Rows; { // in pieces, so that what is held has a bound
		to := min(t.Rows, from+max(1, h.r.o.Hold-h.table.Rows))
		if err := h.take(t, from, to, first); err != nil {
			return err
		}
		if from = to; h.table.Rows >= h.r.o.Hold {
			if err := h.flush(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// known finds the codes of texts anew.
func (h *held) known() {
	h.codes = make([]map[string]uint32, len(h.table.Columns))
	for i := range h.table.Columns {
		h.codes[i] = map[string]uint32{}
		for code, l := range h.table.Columns[i].Levels {
			h.codes[i][l] = uint32(code)
		}
	}
	h.class = map[string]uint32{}
	for code, c := range h.table.Classes {
		h.class[c] = uint32(code)
	}
}

// take copies rows of a block.
func (h *held) take(t *data.Table, from, to int, first int64) error {
	find := t.Lookup()
	for i := range h.table.Columns {
		c := &h.table.Columns[i]
		src, err := find(c.Name)
		if err != nil {
			return err
		}
		switch {
		case src.Num != nil:
			c.Num = append(c.Num, src.Num[from:to]...)
		case src.Nanos != nil:
			c.Nanos = append(c.Nanos, src.Nanos[from:to]...)
		default:
			c.Code = recoded(c.Code, &c.Levels, h.codes[i], src.Code[from:to], src.Levels)
		}
	}
	if t.Attack != nil {
		h.table.Attack = append(h.table.Attack, t.Attack[from:to]...)
		h.table.Class = recoded(h.table.Class, &h.table.Classes, h.class, t.Class[from:to], t.Classes)
	}
	h.table.Lines = append(h.table.Lines, t.Lines[from:to]...)
	name := ""
	if len(t.Origins) > 0 {
		name = t.Origins[0].Name
	}
	if n := len(h.table.Origins); n == 0 || h.table.Origins[n-1].Name != name {
		h.table.Origins = append(h.table.Origins, data.Origin{Name: name, FirstRow: h.table.Rows})
	}
	h.table.Origins[len(h.table.Origins)-1].Rows += to - from
	for i := from; i < to; i++ {
		h.at = append(h.at, first+int64(i))
	}
	h.rows = append(h.rows, make([]gathered, to-from)...)
	h.table.Rows += to - from
	return nil
}

// recoded appends codes of texts that have others here.
func recoded(to []uint32, levels *[]string, known map[string]uint32, codes []uint32, texts []string) []uint32 {
	now := make([]uint32, len(texts))
	for i := range now {
		now[i] = data.Missing
	}
	for _, code := range codes {
		if code == data.Missing {
			to = append(to, data.Missing)
			continue
		}
		if now[code] == data.Missing {
			at, ok := known[texts[code]]
			if !ok {
				at = uint32(len(*levels))
				known[texts[code]] = at
				*levels = append(*levels, texts[code])
			}
			now[code] = at
		}
		to = append(to, now[code])
	}
	return to
}

// flush judges what can be, at the end all.
func (h *held) flush(end bool) error {
	if h.table == nil || h.table.Rows == 0 {
		return nil
	}
	if h.r.b.Info.Needs.Input == data.Traces && !h.r.b.Info.Needs.Batch {
		return h.traces(end)
	}
	h.r.sum.Batches++
	return h.together()
}

// together judges all rows that are held as one set.
func (h *held) together() error {
	b, r := h.r.b, h.r
	set, err := r.samples(h.table)
	if err != nil {
		return err
	}
	raw, err := bundle.Score(r.ctx, b.Detector, set)
	if err != nil {
		return err
	}
	us, err := experiment.Unit{Name: "flow"}.Units(h.table, allRows(h.table.Rows))
	if err != nil {
		return err
	}
	flows, err := us.Flows(set, raw, b.Aggregate.Flow)
	if err != nil {
		return err
	}
	s := &scored{table: h.table, scores: flows, at: h.at}
	if r.o.Reasons > 0 {
		if set.Kind == data.Vectors {
			alarms := r.above(raw)
			s.reasons, err = r.reasons(set, raw, alarms, alarms, h.table)
		} else {
			s.reasons, err = h.explain(set, raw)
		}
		if err != nil {
			return err
		}
	}
	if err := r.judge(s); err != nil {
		return err
	}
	h.keep(nil)
	return nil
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// explain gives the rows of the windows above the threshold the reasons of the window that scores highest.
func (h *held) explain(set *data.Set, raw []float64) (map[int32][]Reason, error) {
	alarms := h.r.above(raw)
	slices.SortStableFunc(alarms, func(a, b int) int { // the highest comes last and stays
		switch {
		case raw[a] < raw[b]:
			return -1
		case raw[a] > raw[b]:
			return 1
		}
		return 0
	})
	out := map[int32][]Reason{}
	last := make([]int, len(alarms))
	for k, i := range alarms {
		rows := set.Traces[i].Rows
		last[k] = int(rows[len(rows)-1])
	}
	// samples may share their last row: reasons are asked for one by one where they do
	for from := 0; from < len(alarms); {
		seen, to := map[int]bool{}, from
		for to < len(alarms) && !seen[last[to]] {
			seen[last[to]] = true
			to++
		}
		found, err := h.r.reasons(set, raw, alarms[from:to], last[from:to], h.table)
		if err != nil {
			return nil, err
		}
		for k := from; k < to; k++ {
			for _, row := range set.Traces[alarms[k]].Rows {
				out[row] = found[int32(last[k])]
			}
		}
		from = to
	}
	return out, nil
}

// keep leaves the rows marked, and nothing of the others; nil: none.
func (h *held) keep(marked []bool) {
	if marked == nil {
		marked = make([]bool, h.table.Rows)
	}
	var rows []int32
	for i, m := range marked {
		if m {
			rows = append(rows, int32(i))
		}
	}
	h.at, h.rows = data.KeepMarked(h.at, marked), data.KeepMarked(h.rows, marked)
	clear(h.rows[len(h.rows):cap(h.rows)]) // their reasons can go
	h.table = h.table.Only(rows)
	h.table.Origins = slices.DeleteFunc(h.table.Origins, func(o data.Origin) bool { return o.Rows == 0 })
	h.known()
}
