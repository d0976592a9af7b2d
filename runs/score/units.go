package score

import (
	"cmp"
	"container/list"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/runs/bundle"
)

// unit is a host, connection or other entity whose rows are judged together.
type unit struct {
	key, shown string
	file       string
	line       int32
	time       int64
	src, dst   string
	first      int64 // place of its first row in the input
	last       int64 // of the row that was its last
	flows      int64
	sum, best  float64 // best: highest, or of the last row
	over       int64   // rows above the limit of flows
	attack     bool
	class      string
	reasons    []Reason
	in         *list.Element
}

// units are those that are open.
type units struct {
	b     *bundle.Bundle
	rule  bundle.Rule
	hold  int
	open  map[string]*unit
	heard *list.List // those heard of last at the back
	text  func(c *data.Column, row int32) string
	show  func(t *data.Table) shown
	now   shown // of the table at hand
}

func newUnits(r *run) *units {
	return &units{b: r.b, rule: r.b.Rule(), hold: r.o.Hold, open: map[string]*unit{}, heard: list.New(), text: r.text,
		show: r.shown}
}

// score is that of the unit by the rule of the bundle.
func (u *unit) score(rule string) float64 {
	switch rule {
	case "mean":
		return u.sum / float64(u.flows)
	case "share":
		return float64(u.over) / float64(u.flows)
	}
	return u.best
}

// add puts rows to their units, and gives those that had to be closed.
func (us *units) add(s *scored) ([]*unit, error) {
	t := s.table
	group, names, err := t.Groups(us.b.Unit.Columns)
	if err != nil {
		return nil, err
	}
	at := make([]*unit, len(names))
	us.now = us.show(t)
	for i, v := range s.scores {
		row := s.row(i)
		g := group[row]
		u := at[g]
		if u == nil || u.in == nil {
			if u = us.open[names[g]]; u == nil {
				u = us.begin(s, row, names[g])
			}
			at[g] = u
		}
		place := s.place(row)
		u.flows++
		u.sum += v
		if v > us.rule.FlowLimit {
			u.over++
		}
		switch {
		case us.rule.Unit == "last" && (place >= u.last || u.flows == 1):
			u.best, u.reasons = v, s.reasons[row]
		case us.rule.Unit != "last" && (u.flows == 1 || v > u.best):
			u.best = v
			if list, ok := s.reasons[row]; ok {
				u.reasons = list
			}
		}
		u.last = max(u.last, place)
		if place < u.first {
			us.describe(u, s, row)
		}
		if t.Attack != nil && t.Attack[row] && !u.attack {
			u.attack, u.class = true, t.Classes[t.Class[row]]
		}
		us.heard.MoveToBack(u.in)
	}
	if len(us.open) <= us.hold {
		return nil, nil
	}
	var closed []*unit
	for len(us.open) > us.hold/2 {
		closed = append(closed, us.heard.Front().Value.(*unit))
		us.close(closed[len(closed)-1])
	}
	return closed, nil
}

func (us *units) begin(s *scored, row int32, key string) *unit {
	u := &unit{key: key, best: math.Inf(-1)}
	us.describe(u, s, row)
	if t := s.table; t.Attack != nil && !t.Attack[row] {
		u.class = t.Classes[t.Class[row]]
	}
	us.open[key] = u
	u.in = us.heard.PushBack(u)
	return u
}

// describe notes where and when a unit's first row is.
func (us *units) describe(u *unit, s *scored, row int32) {
	t := s.table
	u.first, u.time = s.place(row), data.NoTime
	for k := range t.Origins {
		if o := &t.Origins[k]; int(row) >= o.FirstRow && int(row) < o.FirstRow+o.Rows {
			u.file = o.Name
		}
	}
	if int(row) < len(t.Lines) {
		u.line = t.Lines[row]
	}
	show := us.now
	if show.time != nil {
		u.time = show.time.Nanos[row]
	}
	if show.source != nil {
		u.src = us.text(show.source, row)
	}
	if show.destination != nil {
		u.dst = us.text(show.destination, row)
	}
	u.shown = ""
	for k, name := range us.b.Unit.Columns {
		if k > 0 {
			u.shown += " "
		}
		if c, err := t.Column(name); err == nil {
			u.shown += us.text(c, row)
		} else if _, names, err := t.Only([]int32{row}).Groups([]string{name}); err == nil { // @file, @day
			u.shown += names[0]
		}
	}
}

func (us *units) close(u *unit) {
	delete(us.open, u.key)
	us.heard.Remove(u.in)
	u.in = nil
}

// all closes those that are open, in the order of their first rows.
func (us *units) all() []*unit {
	var out []*unit
	for e := us.heard.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*unit))
	}
	clear(us.open)
	us.heard.Init()
	slices.SortFunc(out, func(a, b *unit) int { return cmp.Compare(a.first, b.first) })
	return out
}

// closeUnits writes lines of units.
func (r *run) closeUnits(closed []*unit) error {
	early := int64(len(closed))
	if len(r.units.open) == 0 { // the end
		early = 0
	}
	r.sum.ClosedEarly += early
	var keep []*unit
	for _, u := range closed {
		if u.flows < int64(r.b.MinFlows) {
			r.sum.Small++
			continue
		}
		is := r.alarm(u.score(r.b.Aggregate.Unit))
		r.sum.Units++
		if is {
			r.sum.Alarms++
		}
		if r.o.Labels {
			r.sum.truth(u.attack, is)
		}
		if is || !r.o.AlarmsOnly {
			keep = append(keep, u)
		}
	}
	if len(keep) == 0 {
		return nil
	}
	l := r.lines(len(keep))
	set := map[string]*texts{}
	for _, name := range []string{"file", "src", "dst", "unit"} {
		set[name] = &texts{c: l.column(name)}
	}
	line, flows, score := l.column("line"), l.column("flows"), l.column("score")
	alarm, p, times := l.column("alarm"), l.column("p_value"), l.column("time")
	for k, u := range keep {
		v := u.score(r.b.Aggregate.Unit)
		line.Num[k], flows.Num[k], score.Num[k], p.Num[k] = float64(u.line), float64(u.flows), v, r.b.Calibration.P(v)
		times.Nanos[k] = u.time
		if r.alarm(v) {
			alarm.Num[k] = 1
			l.reasons(k, u.reasons)
		}
		for name, text := range map[string]string{"file": u.file, "src": u.src, "dst": u.dst, "unit": u.shown} {
			if text != "" {
				set[name].set(k, text)
			}
		}
		if r.o.Labels {
			if u.attack {
				l.column("attack").Num[k] = 1
			}
			if u.class != "" {
				(&texts{c: l.column("class")}).append(k, u.class)
			}
		}
	}
	return r.write(r.ctx, l.columns, len(keep))
}
