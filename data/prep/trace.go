package prep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/data"
	"plumbline/data/strictyaml"
)

// TraceSpec declares traces: whose events make one, what symbol an event is, and how a long trace is cut.
type TraceSpec struct {
	Key     []string     `yaml:"key" jsonschema_description:"columns whose values name the entity, such as the source address"`
	Symbols []SymbolSpec `yaml:"symbols" jsonschema_description:"columns that make up an event's symbol: a name, or {column, bins, top}"`
	Window  Window       `yaml:"window" jsonschema_description:"how traces are cut"`
	Order   string       `yaml:"order" jsonschema_description:"column that events are sorted by; default the first time column, or file order without one"`
	Label   string       `yaml:"label" jsonschema:"enum=last,enum=any" jsonschema_description:"a trace is an attack when its last event is, or when any is"`
	Events  bool         `yaml:"events" jsonschema_description:"events also carry the row of the prepared matrix"`
}

// Window cuts traces by count of events. Shorter traces stay whole; a last window reaches the end.
type Window struct {
	Length int `yaml:"length" jsonschema:"minimum=0" jsonschema_description:"events in a window; 0: traces stay whole"`
	Stride int `yaml:"stride" jsonschema:"minimum=1" jsonschema_description:"events from one window to the next"`
}

// SymbolSpec turns one column into part of a symbol.
type SymbolSpec struct {
	Column string `yaml:"column" jsonschema_description:"which column"`
	Kind   string `yaml:"kind" jsonschema:"enum=quantile,enum=log2,enum=kmeans" jsonschema_description:"numbers: where class limits lie: at equal shares of the benign training values, at the powers of two, or between the centres of a one-dimensional k-means"`
	Bins   int    `yaml:"bins" jsonschema:"minimum=0,maximum=1000" jsonschema_description:"numbers: how many classes (log2 needs none); 0: for kmeans, as many as the elbow of its sum of squares says, up to 10"`
	Top    int    `yaml:"top" jsonschema:"minimum=0" jsonschema_description:"categories: only the most frequent keep a symbol of their own; 0: all"`
}

// DecodeStrict takes a column name or a map.
func (s *SymbolSpec) DecodeStrict(d strictyaml.Doc) strictyaml.Problems {
	*s = SymbolSpec{Bins: 5, Kind: "quantile"}
	if d.Node.Kind == yaml.ScalarNode {
		s.Column = d.Node.Value
		return nil
	}
	type plain SymbolSpec
	p := plain(*s)
	ps := d.Decode(&p)
	*s = SymbolSpec(p)
	if s.Column == "" {
		ps = append(ps, d.Problem("names no column"))
	}
	if s.Bins < 2 && !(s.Bins == 0 && s.Kind == "kmeans") && s.Kind != "log2" {
		ps = append(ps, d.Problem("%d bins: want 2 or more, or 0 with kind kmeans", s.Bins))
	}
	return ps
}

// DefaultTraces is what a trace declaration says where a config does not.
func DefaultTraces() TraceSpec {
	return TraceSpec{Window: Window{Length: 0, Stride: 1}, Label: "last"}
}

// Check says what is wrong with the declaration as a whole.
func (s TraceSpec) Check() error {
	switch {
	case len(s.Key) == 0 || len(s.Symbols) == 0:
		return errors.New("traces: need a key and symbols")
	case s.Window.Length > 0 && s.Window.Stride > s.Window.Length:
		return fmt.Errorf("traces: a stride of %d over windows of %d leaves events out", s.Window.Stride, s.Window.Length)
	}
	return nil
}

// Tracer is a fitted trace declaration.
type Tracer struct {
	Spec     TraceSpec `json:"spec"`
	Parts    []part    `json:"parts"`
	Alphabet []string  `json:"alphabet"`
	ids      map[string]int32
}

// part is the fitted classes of one column.
type part struct {
	Column string    `json:"column"`
	Number bool      `json:"number"`
	Limits []float64 `json:"limits,omitempty"` // ascending; the class of v is the number of limits below v
	Levels []string  `json:"levels,omitempty"` // levels that keep their name
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
		p, err := sym.fit(t, r.Benign)
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
	for _, p := range tr.Parts {
		if !slices.IsSorted(p.Limits) {
			return fmt.Errorf("prep: traces: limits of column %s are not ascending", p.Column)
		}
	}
	if err := tr.Spec.Check(); err != nil {
		return fmt.Errorf("prep: %w", err)
	}
	if tr.Spec.Window.Stride < 1 || tr.Spec.Window.Length < 0 {
		return errors.New("prep: traces: impossible window")
	}
	tr.index()
	return nil
}

func (s SymbolSpec) fit(t *data.Table, rows []int32) (part, error) {
	p := part{Column: s.Column}
	c, err := t.Column(s.Column)
	if err != nil {
		return p, err
	}
	switch c.Type {
	case data.Number:
		p.Number = true
		var v []float64
		for _, r := range rows {
			if x := c.Num[r]; x == x {
				v = append(v, x)
			}
		}
		slices.Sort(v)
		p.Limits = slices.Compact(s.limits(v))
	case data.Category, data.Address:
		p.Levels = topLevels(c, rows, s.Top)
	default:
		return p, fmt.Errorf("column %s of type %v cannot be part of a symbol", s.Column, c.Type)
	}
	return p, nil
}

// limits are the class limits for ascending values; a value belongs to the class of the number of limits
// below it.
func (s SymbolSpec) limits(v []float64) (out []float64) {
	switch {
	case len(v) == 0:
	case s.Kind == "log2":
		for limit := 0.0; limit < v[len(v)-1]; limit = max(1, 2*limit) {
			out = append(out, limit)
		}
	case s.Kind == "kmeans":
		centres := kmeans1(v, s.Bins)
		for i := 1; i < len(centres); i++ {
			out = append(out, (centres[i-1]+centres[i])/2)
		}
	default:
		for k := 1; k < s.Bins; k++ {
			out = append(out, quantileOf(v, float64(k)/float64(s.Bins)))
		}
	}
	return out
}

// topLevels is the most frequent levels of the rows (all for top 0), sorted by name.
func topLevels(c *data.Column, rows []int32, top int) []string {
	n := make([]int, len(c.Levels))
	for _, r := range rows {
		if k := c.Code[r]; k != data.Missing {
			n[k]++
		}
	}
	var codes []int
	for k := range n {
		if n[k] > 0 {
			codes = append(codes, k)
		}
	}
	slices.SortFunc(codes, func(a, b int) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(c.Levels[a], c.Levels[b])
	})
	if top > 0 && len(codes) > top {
		codes = codes[:top]
	}
	out := make([]string, len(codes))
	for i, k := range codes {
		out[i] = c.Levels[k]
	}
	slices.Sort(out)
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
			k, _ := slices.BinarySearch(s.parts[i].Limits, c.Num[row])
			to = fmt.Append(to, k)
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
	Keys    []string // of the traces, in order of first appearance among the rows
	Ends    []int32  // Ends[k] is where key k's events end
	Symbols []int32  // of each event
	Rows    []int32  // of the table, of each event
	Attack  []bool   // of each event; nil without labels
	Class   []uint32
	X       []float32 // events×D, when Spec.Events is set
	D       int
	Columns []string // D names
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
	if q.Rows, q.Keys, q.Ends, err = tr.sortByKey(t, rows); err != nil {
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
		q.X, q.D, q.Columns = v.X, v.D, v.Columns
	}
	return q, nil
}

// Cut makes the traces of sequences. It shares their memory.
func (tr *Tracer) Cut(q *Sequences, classes []string) *data.Set {
	s := &data.Set{Kind: data.Traces, Alphabet: tr.Alphabet, Classes: classes, D: q.D, Columns: q.Columns}
	from := 0
	for k, end := range q.Ends {
		tr.cut(s, q, q.Keys[k], from, int(end))
		from = int(end)
	}
	s.N = len(s.Traces)
	return s
}

// sortByKey orders the rows by key, then by time, then as given. ends[k] is where key k's rows end.
func (tr *Tracer) sortByKey(t *data.Table, rows []int32) (sorted []int32, names []string, ends []int32, err error) {
	group, groupNames, err := t.Groups(tr.Spec.Key)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("prep: traces: key: %w", err)
	}
	var order *data.Column
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Type == data.Time && tr.Spec.Order == "" || tr.Spec.Order == c.Name {
			order = c
			break
		}
	}
	if tr.Spec.Order != "" && (order == nil || order.Type != data.Time && order.Type != data.Number) {
		return nil, nil, nil, fmt.Errorf("prep: traces: order: no time or number column %q", tr.Spec.Order)
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
	n, length, stride := end-first, tr.Spec.Window.Length, tr.Spec.Window.Stride
	if length == 0 || length > n {
		length = n
	}
	for from := first; ; from += stride {
		from = min(from, end-length)
		to := from + length
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
		if to == end {
			return
		}
	}
}
