package prep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data"
)

// TraceSpec declares traces: whose events make one, what symbol an event is, and how a long trace is cut.
type TraceSpec struct {
	// columns whose values name the entity, such as the source address
	Key []string `yaml:"key"`
	// columns that make up an event's symbol: a name, or {column, bins, top}
	Symbols []SymbolSpec `yaml:"symbols"`
	// how traces are cut
	Window Window `yaml:"window"`
	// column that events are sorted by; default the first time column, or file order without one
	Order string `yaml:"order"`
	// a trace is an attack when its last event is, or when any is
	Label string `yaml:"label" jsonschema:"enum=last,enum=any"`
	// events also carry the row of the prepared matrix
	Events bool `yaml:"events"`
}

// DefaultTraces is what a trace declaration says where a config does not.
func DefaultTraces() TraceSpec {
	return TraceSpec{Window: defaultWindow(), Label: "last"}
}

// Check says what is wrong with the declaration as a whole.
func (s TraceSpec) Check() error {
	if len(s.Key) == 0 || len(s.Symbols) == 0 {
		return errors.New("traces: need a key and symbols")
	}
	return s.Window.check()
}

// Tracer is a fitted trace declaration.
type Tracer struct {
	Spec     TraceSpec `json:"spec"`
	Parts    []part    `json:"parts"`
	Alphabet []string  `json:"alphabet"`
	ids      map[string]int32
}

const (
	otherLevel   = "(other)"
	absentSymbol = "-"
)

// Fit learns class limits, levels and the alphabet from the benign training rows. The alphabet is every
// combination that occurs in them, sorted; one that does not is data.UnknownSymbol later.
func (s TraceSpec) Fit(ctx context.Context, t *data.Table, r Rows) (*Tracer, error) {
	tr := &Tracer{Spec: s, ids: map[string]int32{}}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("prep: %w", err)
	}
	if _, _, err := t.Groups(s.Key); err != nil {
		return nil, fmt.Errorf("prep: traces: key: %w", err)
	}
	if len(r.Benign) == 0 {
		return nil, errors.New("prep: traces: no benign training rows to learn from")
	}
	for _, sym := range s.Symbols {
		p, err := sym.fit(t, r.Benign, s)
		if err != nil {
			return nil, fmt.Errorf("prep: traces: %w", err)
		}
		tr.Parts = append(tr.Parts, p)
	}
	texts, err := tr.bind(t)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var key []byte
	for i, row := range r.Benign {
		if i%65536 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("prep: traces: %w", ctx.Err())
		}
		key = texts.append(key[:0], row)
		if !seen[string(key)] {
			seen[string(key)] = true
			tr.Alphabet = append(tr.Alphabet, string(key))
		}
	}
	slices.Sort(tr.Alphabet)
	tr.index()
	return tr, nil
}

func (tr *Tracer) index() {
	tr.ids = make(map[string]int32, len(tr.Alphabet))
	for i, a := range tr.Alphabet {
		tr.ids[a] = int32(i)
	}
}

// UnmarshalJSON reads and checks a saved tracer.
func (tr *Tracer) UnmarshalJSON(raw []byte) error {
	type plain Tracer
	var p plain
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("prep: traces: %w", err)
	}
	*tr = Tracer(p)
	if tr.Spec.Window.Kind == "" { // as saved when there was no other kind
		tr.Spec.Window.Kind = "count"
	}
	for _, p := range tr.Parts {
		if err := p.check(); err != nil {
			return fmt.Errorf("prep: traces: column %s: %w", p.Column, err)
		}
	}
	if err := tr.Spec.Check(); err != nil {
		return fmt.Errorf("prep: %w", err)
	}
	tr.index()
	return nil
}

// Columns is the columns that traces are made of: those of the key, of the symbols and of the order, where it names
// one. They may hold @file and @day (see [data.Table.Groups]).
func (tr *Tracer) Columns() []string {
	out := slices.Clone(tr.Spec.Key)
	for _, p := range tr.Parts {
		out = append(out, p.Column)
	}
	if tr.Spec.Order != "" {
		out = append(out, tr.Spec.Order)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Levels is the categories of a column that have a symbol of their own.
func (tr *Tracer) Levels(column string) (out []string) {
	for _, p := range tr.Parts {
		if p.Column == column {
			out = append(out, p.Levels...)
		}
	}
	return out
}

// symbolTexts writes the symbols of a table's rows.
type symbolTexts struct {
	parts []part
	cols  []*data.Column
	names [][]string // per part: the text of each code of its category column
}

func (tr *Tracer) bind(t *data.Table) (*symbolTexts, error) {
	s := &symbolTexts{parts: tr.Parts}
	for _, p := range tr.Parts {
		c, err := t.Column(p.Column)
		if err != nil {
			return nil, fmt.Errorf("prep: traces: %w", err)
		}
		if (c.Type == data.Number) != p.Number {
			return nil, fmt.Errorf("prep: traces: column %s is of type %v, not as fitted", p.Column, c.Type)
		}
		s.cols = append(s.cols, c)
		var names []string
		for _, l := range c.Levels {
			if _, ok := slices.BinarySearch(p.Levels, l); ok {
				names = append(names, symbolText(l))
			} else {
				names = append(names, otherLevel)
			}
		}
		s.names = append(s.names, names)
	}
	return s, nil
}

// symbolText is a level as part of a symbol: with a backslash where it could be taken for something else.
func symbolText(level string) string {
	if level == otherLevel || level == absentSymbol {
		return `\` + level
	}
	return escapeSymbol.Replace(level)
}

var escapeSymbol = strings.NewReplacer(`\`, `\\`, "|", `\|`)

func (s *symbolTexts) append(to []byte, row int32) []byte {
	for i, c := range s.cols {
		if i > 0 {
			to = append(to, '|')
		}
		switch {
		case s.parts[i].Number && c.Num[row] != c.Num[row]:
			to = append(to, absentSymbol...)
		case s.parts[i].Number:
			to = s.parts[i].appendClass(to, c.Num[row])
		case c.Code[row] == data.Missing:
			to = append(to, absentSymbol...)
		default:
			to = append(to, s.names[i][c.Code[row]]...)
		}
	}
	return to
}

// Sequences is the events of some rows in the order of their traces, before these are cut into windows.
type Sequences struct {
	Keys     []string // of the traces, in order of first appearance among the rows
	Ends     []int32  // Ends[k] is where key k's events end
	Symbols  []int32  // of each event
	Rows     []int32  // of the table, of each event
	Times    []int64  // of each event in nanoseconds, when windows are cut by time
	Attack   []bool   // of each event; nil without labels
	Class    []uint32
	X        []float32 // events×D, when Spec.Events is set
	D        int
	Features []data.Feature // of the D columns
}

// Apply makes the traces of the rows (one part of a split): one for each key, in order of first
// appearance, cut into windows. Windows of one key share memory. pipe gives the events' values and may be
// nil when Spec.Events is false.
func (tr *Tracer) Apply(ctx context.Context, t *data.Table, rows []int32, pipe *Pipeline) (*data.Set, error) {
	q, err := tr.Sequences(ctx, t, rows, pipe)
	if err != nil {
		return nil, err
	}
	return tr.Cut(q, t.Classes), nil
}

// Sequences is Apply without the cut.
func (tr *Tracer) Sequences(ctx context.Context, t *data.Table, rows []int32, pipe *Pipeline) (*Sequences, error) {
	texts, err := tr.bind(t)
	if err != nil {
		return nil, err
	}
	q := &Sequences{}
	if q.Rows, q.Keys, q.Ends, err = tr.Spec.sortByKey(t, rows); err != nil {
		return nil, err
	}
	q.Symbols = make([]int32, len(q.Rows))
	var key []byte
	for i, row := range q.Rows {
		if i%65536 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("prep: traces: %w", ctx.Err())
		}
		key = texts.append(key[:0], row)
		id, ok := tr.ids[string(key)]
		if !ok {
			id = data.UnknownSymbol
		}
		q.Symbols[i] = id
	}
	if tr.Spec.Window.Timed() {
		if q.Times, err = tr.Spec.times(t, q.Rows); err != nil {
			return nil, err
		}
	}
	if t.Attack != nil {
		q.Attack, q.Class = pickRows(t.Attack, q.Rows), pickRows(t.Class, q.Rows)
	}
	if tr.Spec.Events {
		if pipe == nil {
			return nil, errors.New("prep: traces: events need a pipeline")
		}
		v, err := pipe.Apply(ctx, t, q.Rows, 1)
		if err != nil {
			return nil, err
		}
		q.X, q.D, q.Features = v.X, v.D, v.Features
	}
	return q, nil
}

// Cut makes the traces of sequences. It shares their memory.
func (tr *Tracer) Cut(q *Sequences, classes []string) *data.Set {
	s := &data.Set{Kind: data.Traces, Alphabet: tr.Alphabet, Classes: classes, D: q.D, Features: q.Features}
	from := 0
	for k, end := range q.Ends {
		tr.cut(s, q, q.Keys[k], from, int(end))
		from = int(end)
	}
	s.N = len(s.Traces)
	return s
}

// sortByKey orders the rows by key, then by time, then as given. ends[k] is where key k's rows end.
func (s TraceSpec) sortByKey(t *data.Table, rows []int32) (sorted []int32, names []string, ends []int32, err error) {
	group, groupNames, err := t.Groups(s.Key)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("prep: traces: key: %w", err)
	}
	order, err := s.order(t)
	if err != nil {
		return nil, nil, nil, err
	}
	rank := map[int32]int32{} // groups in order of first appearance among the rows
	for _, r := range rows {
		if _, ok := rank[group[r]]; !ok {
			rank[group[r]] = int32(len(rank))
			names = append(names, groupNames[group[r]])
		}
	}
	sorted = slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b int32) int {
		if d := rank[group[a]] - rank[group[b]]; d != 0 {
			return int(d)
		}
		return compareOrder(order, a, b)
	})
	for i := range sorted {
		if i+1 == len(sorted) || group[sorted[i]] != group[sorted[i+1]] {
			ends = append(ends, int32(i+1))
		}
	}
	return sorted, names, ends, nil
}

func compareOrder(c *data.Column, a, b int32) int {
	switch {
	case c == nil:
		return 0
	case c.Type == data.Number && c.Num[a] < c.Num[b], c.Type == data.Time && c.Nanos[a] < c.Nanos[b]:
		return -1
	case c.Type == data.Number && c.Num[a] > c.Num[b], c.Type == data.Time && c.Nanos[a] > c.Nanos[b]:
		return 1
	}
	return 0
}

// cut adds the windows of one key, whose events are from first to end.
func (tr *Tracer) cut(s *data.Set, q *Sequences, key string, first, end int) {
	var times []int64
	if q.Times != nil {
		times = q.Times[first:end]
	}
	for _, w := range tr.Spec.Window.windows(end-first, times) {
		from, to := first+w.from, first+w.to
		trace := data.Trace{Key: key, Symbols: q.Symbols[from:to:to], Rows: q.Rows[from:to:to]}
		if q.D > 0 {
			trace.Events = q.X[from*q.D : to*q.D : to*q.D]
		}
		s.Traces = append(s.Traces, trace)
		if q.Attack != nil {
			at := to - 1
			if tr.Spec.Label == "any" {
				if k := slices.Index(q.Attack[from:to], true); k >= 0 {
					at = from + k
				}
			}
			s.Attack = append(s.Attack, q.Attack[at])
			s.Class = append(s.Class, q.Class[at])
		}
	}
}

// order is the column that events are sorted by; nil for the order of the table.
func (s TraceSpec) order(t *data.Table) (*data.Column, error) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type == data.Time && s.Order == "" || s.Order == c.Name && (c.Type == data.Time || c.Type == data.Number) {
			return c, nil
		}
	}
	if s.Order != "" {
		return nil, fmt.Errorf("prep: traces: order: no time or number column %q", s.Order)
	}
	return nil, nil
}

// times is the times of rows.
func (s TraceSpec) times(t *data.Table, rows []int32) ([]int64, error) {
	c, err := s.order(t)
	if err != nil {
		return nil, err
	}
	if c == nil || c.Type != data.Time {
		return nil, fmt.Errorf("prep: traces: %s has no time column to cut windows by (traces.order)", t.Name)
	}
	out := make([]int64, len(rows))
	for i, r := range rows {
		if out[i] = c.Nanos[r]; out[i] == data.NoTime {
			return nil, fmt.Errorf("prep: traces: %s: column %s has no time", t.Where(r), c.Name)
		}
	}
	return out, nil
}
