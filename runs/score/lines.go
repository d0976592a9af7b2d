package score

import (
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/data/export"
)

// lines is a block of lines as it is built.
type lines struct {
	columns []export.Column
	at      map[string]int
}

// lines has room for n lines.
func (r *run) lines(n int) *lines {
	l := &lines{at: map[string]int{}}
	number := func(name string, integer, complete bool) {
		l.add(export.Column{Column: data.Column{Name: name, Type: data.Number, Num: make([]float64, n)}, Integer: integer,
			Complete: complete})
	}
	text := func(name string, kind data.ColumnType) {
		c := data.Column{Name: name, Type: kind, Code: make([]uint32, n)}
		for i := range c.Code {
			c.Code[i] = data.Missing
		}
		l.add(export.Column{Column: c})
	}
	text("file", data.Category)
	number("line", true, true)
	times := make([]int64, n)
	for i := range times {
		times[i] = data.NoTime
	}
	l.add(export.Column{Column: data.Column{Name: "time", Type: data.Time, Nanos: times}})
	text("src", data.Category)
	text("dst", data.Category)
	if r.units != nil {
		text("unit", data.Category)
		number("flows", true, true)
	}
	number("score", false, true)
	number("alarm", true, true)
	number("p_value", false, r.b.Calibration != nil)
	if r.o.Labels {
		number("attack", true, true)
		text("class", data.Category)
	}
	for k := range r.o.Reasons {
		text(fmt.Sprint("reason_", k+1), data.Category)
		number(fmt.Sprint("share_", k+1), false, false)
		text(fmt.Sprint("actual_", k+1), data.Category)
		text(fmt.Sprint("expected_", k+1), data.Category)
		share := l.column(fmt.Sprint("share_", k+1))
		for i := range share.Num {
			share.Num[i] = math.NaN()
		}
	}
	return l
}

func (l *lines) add(c export.Column) {
	l.at[c.Name] = len(l.columns)
	l.columns = append(l.columns, c)
}

func (l *lines) column(name string) *data.Column { return &l.columns[l.at[name]].Column }

// texts gives a column texts one by one; equal ones in a row share a level.
type texts struct {
	c    *data.Column
	last string
}

func (t *texts) set(i int, text string) {
	if n := len(t.c.Levels); n == 0 || t.last != text {
		t.c.Levels = append(t.c.Levels, text)
		t.last = text
	}
	t.c.Code[i] = uint32(len(t.c.Levels) - 1)
}

// reasons fills the columns of a line's reasons.
func (l *lines) reasons(i int, list []Reason) {
	for k, f := range list {
		set := func(name, text string) {
			if text != "" {
				c := l.column(fmt.Sprint(name, k+1))
				(&texts{c: c}).append(i, text)
			}
		}
		set("reason_", f.Name)
		set("actual_", f.Actual)
		set("expected_", f.Expected)
		l.column(fmt.Sprint("share_", k+1)).Num[i] = f.Share
	}
}

// append gives a line a text of its own.
func (t *texts) append(i int, text string) {
	t.c.Code[i] = uint32(len(t.c.Levels))
	t.c.Levels = append(t.c.Levels, text)
}

// addresses are the texts of a column as lines show them, by code.
func (r *run) addresses(c *data.Column) []string {
	if r.o.Pseudonyms == nil {
		return c.Levels
	}
	out := make([]string, len(c.Levels))
	for k, l := range c.Levels {
		out[k] = r.o.Pseudonyms.Text(l) // also where a column of categories stands for addresses
	}
	return out
}

// writeRows writes a line for each row.
func (r *run) writeRows(s *scored) error {
	var keep []int
	alarms := 0
	for i, v := range s.scores {
		is := r.alarm(v)
		if is {
			alarms++
		}
		r.count(s.table, s.row(i), is)
		if is || !r.o.AlarmsOnly {
			keep = append(keep, i)
		}
	}
	r.sum.Units += int64(len(s.scores))
	r.sum.Alarms += int64(alarms)
	if len(keep) == 0 {
		return nil
	}
	t := s.table
	l := r.lines(len(keep))
	show := r.shown(t)
	l.files(t, s, keep)
	line, score, alarm, p := l.column("line"), l.column("score"), l.column("alarm"), l.column("p_value")
	times := l.column("time")
	for k, i := range keep {
		row := s.row(i)
		if int(row) < len(t.Lines) {
			line.Num[k] = float64(t.Lines[row])
		}
		score.Num[k], p.Num[k] = s.scores[i], r.b.Calibration.P(s.scores[i])
		if r.alarm(s.scores[i]) {
			alarm.Num[k] = 1
		}
		if show.time != nil {
			times.Nanos[k] = show.time.Nanos[row]
		}
		if s.reasons != nil {
			l.reasons(k, s.reasons[row])
		}
	}
	for name, from := range map[string]*data.Column{"src": show.source, "dst": show.destination} {
		if from == nil {
			continue
		}
		to := l.column(name)
		to.Levels = r.addresses(from)
		for k, i := range keep {
			to.Code[k] = from.Code[s.row(i)]
		}
	}
	if r.o.Labels && t.Attack != nil {
		l.truth(t, s, keep)
	}
	return r.write(r.ctx, l.columns, len(keep))
}

// files says which file each line is of.
func (l *lines) files(t *data.Table, s *scored, keep []int) {
	c := l.column("file")
	for k := range t.Origins {
		c.Levels = append(c.Levels, t.Origins[k].Name)
	}
	if len(t.Origins) == 0 {
		return
	}
	at := 0
	for k, i := range keep {
		row := int(s.row(i))
		for at > 0 && row < t.Origins[at].FirstRow {
			at--
		}
		for at+1 < len(t.Origins) && row >= t.Origins[at].FirstRow+t.Origins[at].Rows {
			at++
		}
		c.Code[k] = uint32(at)
	}
}

func (l *lines) truth(t *data.Table, s *scored, keep []int) {
	attack, class := l.column("attack"), l.column("class")
	class.Levels = t.Classes
	for k, i := range keep {
		row := s.row(i)
		if t.Attack[row] {
			attack.Num[k] = 1
		}
		class.Code[k] = t.Class[row]
	}
}
