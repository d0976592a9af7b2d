package join

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"plumbline/data"
)

// Match is what the second table says of a row of the first.
type Match struct {
	Label string // text of the column label, empty where there is none
	Class string // text of the column class, or the flag; empty where there is none
}

// Result is the outcome of a join.
type Result struct {
	Rows    []int32 // for each row of the first table the match, an index into Matches; −1: nothing fits
	Matches []Match // different ones
	Fitted  int     // rows of the first table that something fits
	Rules   int     // rows of the second table (times flags) that say something
	Used    int     // those of them that fit a row and decided it
	Spans   string  // the times of both tables, for a message; empty without times
}

// rule is one row of the second table, or one flag of it.
type rule struct {
	want     []string // for each column the normal text, a network, or "": any
	networks []netip.Prefix
	from, to int64 // inclusive
	match    int32
	order    int32
}

// Rows finds for each row of the first table the first row of the second that fits it.
func Rows(first, second *data.Table, s Spec) (*Result, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	columns := s.columns()
	have := make([]values, len(columns))
	for i, name := range columns {
		c, err := first.Column(name)
		if err != nil {
			return nil, err
		}
		have[i] = newValues(c)
	}
	res := &Result{Rows: make([]int32, first.Rows)}
	rules, err := s.rules(second, columns, res)
	if err != nil {
		return nil, err
	}
	begin, end, err := s.spans(first)
	if err != nil {
		return nil, err
	}
	if s.From != "" {
		res.Spans = fmt.Sprintf("rows from %s, intervals from %s", spanText(begin, end), ruleSpan(rules))
	}
	ix := newIndex(rules, columns, s.Mirror)
	used := make([]bool, len(rules))
	row := make([]string, len(columns))
	for i := range res.Rows {
		for k := range columns {
			row[k] = ""
			if c := have[k].code[i]; c >= 0 {
				row[k] = have[k].texts[c]
			}
		}
		from, to := int64(math.MinInt64), int64(math.MaxInt64)
		if begin != nil {
			if from, to = begin[i], begin[i]; from == data.NoTime {
				res.Rows[i] = -1
				continue
			}
			if end != nil && end[i] != data.NoTime {
				to = max(from, end[i])
			}
		}
		res.Rows[i] = -1
		if r := ix.find(row, from, to); r != nil {
			res.Rows[i] = r.match
			used[r.order] = true
			res.Fitted++
		}
	}
	res.Rules = len(rules)
	for _, u := range used {
		if u {
			res.Used++
		}
	}
	return res, nil
}

// spans are the times at which rows of the first table begin and end; nil where times play no part.
func (s Spec) spans(first *data.Table) (begin, end []int64, err error) {
	if s.From == "" {
		return nil, nil, nil
	}
	c, err := first.TimeColumn(s.Time)
	if err != nil {
		return nil, nil, fmt.Errorf("join: %w", err)
	}
	if s.End == "" {
		return c.Nanos, nil, nil
	}
	e, err := first.TimeColumn(s.End)
	if err != nil {
		return nil, nil, fmt.Errorf("join: %w", err)
	}
	return c.Nanos, e.Nanos, nil
}

// rules are the rows of the second table.
func (s Spec) rules(second *data.Table, columns []string, res *Result) ([]rule, error) {
	theirs := make([]*values, len(columns))
	for k, name := range columns {
		column, ok := s.Key[name]
		if !ok {
			continue // of flags
		}
		c, err := second.Column(column)
		if err != nil {
			return nil, err
		}
		v := newValues(c)
		theirs[k] = &v
	}
	from, to, err := s.intervals(second)
	if err != nil {
		return nil, err
	}
	says, err := s.says(second, columns)
	if err != nil {
		return nil, err
	}
	matches := map[Match]int32{}
	var out []rule
	for i := range second.Rows {
		base := rule{want: make([]string, len(columns)), from: math.MinInt64, to: math.MaxInt64}
		if from != nil {
			if from[i] == data.NoTime {
				return nil, fmt.Errorf("join: %s: column %s has no time", second.Where(int32(i)), s.From)
			}
			base.from, base.to = from[i]-int64(s.Slack*1e9), to[i]+int64(s.Slack*1e9)
			if base.to < base.from {
				return nil, fmt.Errorf("join: %s: the interval ends before it begins", second.Where(int32(i)))
			}
		}
		for k, v := range theirs {
			if v != nil && v.code[i] >= 0 {
				base.want[k] = v.texts[v.code[i]]
			}
		}
		for _, say := range says(i) {
			id, ok := matches[say.match]
			if !ok {
				id = int32(len(res.Matches))
				matches[say.match] = id
				res.Matches = append(res.Matches, say.match)
			}
			for _, where := range say.where {
				r := base
				r.want = slices.Clone(base.want)
				for k, text := range where {
					r.want[k] = text
				}
				r.match, r.order = id, int32(len(out))
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// intervals are the times of the second table's rows; nil where times play no part.
func (s Spec) intervals(second *data.Table) (from, to []int64, err error) {
	if s.From == "" {
		return nil, nil, nil
	}
	read := func(name string) ([]int64, error) {
		c, err := second.Column(name)
		if err != nil {
			return nil, err
		}
		return instants(second, c, s.TimeLayouts)
	}
	if from, err = read(s.From); err != nil {
		return nil, nil, err
	}
	to = slices.Clone(from)
	if s.To != "" {
		ends, err := read(s.To)
		if err != nil {
			return nil, nil, err
		}
		for i, e := range ends {
			if e != data.NoTime {
				to[i] = e
			}
		}
	} else if s.Length > 0 {
		for i := range to {
			to[i] += int64(s.Length*1e9) - 1
		}
	}
	return from, to, nil
}

// saying is what a row of the second table says, and of which values of flags' columns.
type saying struct {
	match Match
	where []map[int]string // by column; more than one are alternatives
}

// says returns what each row of the second table says.
func (s Spec) says(second *data.Table, columns []string) (func(row int) []saying, error) {
	text := func(name string) (func(row int) string, error) {
		if name == "" {
			return func(int) string { return "" }, nil
		}
		c, err := second.Column(name)
		if err != nil {
			return nil, err
		}
		return func(row int) string {
			if c.Missing(row) {
				return ""
			}
			return strings.TrimSpace(string(c.AppendText(nil, int32(row))))
		}, nil
	}
	if len(s.Flags) == 0 {
		label, err := text(s.Label)
		if err != nil {
			return nil, err
		}
		class, err := text(s.Class)
		if err != nil {
			return nil, err
		}
		return func(row int) []saying {
			return []saying{{Match{label(row), class(row)}, []map[int]string{nil}}}
		}, nil
	}
	var flags []saying
	var raised []func(row int) string
	for _, flag := range slices.Sorted(maps.Keys(s.Flags)) {
		value, err := text(flag)
		if err != nil {
			return nil, err
		}
		raised = append(raised, value)
		flags = append(flags, saying{Match{Class: flag}, alternatives(s.Flags[flag], columns)})
	}
	return func(row int) (out []saying) {
		for i, f := range flags {
			if v := raised[i](row); v != "" && normal(v) != "0" {
				out = append(out, f)
			}
		}
		return out
	}, nil
}

// alternatives are all combinations of the values that a flag names for columns.
func alternatives(where map[string][]string, columns []string) []map[int]string {
	out := []map[int]string{{}}
	for _, name := range slices.Sorted(maps.Keys(where)) {
		k := slices.Index(columns, name)
		var next []map[int]string
		for _, have := range out {
			for _, text := range where[name] {
				with := maps.Clone(have)
				with[k] = normal(text)
				next = append(next, with)
			}
		}
		out = next
	}
	return out
}

func spanText(begin, end []int64) string {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, list := range [][]int64{begin, end} {
		for _, v := range list {
			if v != data.NoTime {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return between(low, high)
}

func ruleSpan(rules []rule) string {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, r := range rules {
		low, high = min(low, r.from), max(high, r.to)
	}
	return between(low, high)
}

func between(low, high int64) string {
	if low > high {
		return "no time"
	}
	at := func(v int64) string { return time.Unix(0, v).UTC().Format(time.DateTime) }
	return at(low) + " to " + at(high)
}

func byFrom(a, b *rule) int {
	return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.order, b.order))
}
