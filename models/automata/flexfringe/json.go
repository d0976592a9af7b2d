package flexfringe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"plumbline/models/automata/machine"
)

// ffModel is FlexFringe's JSON model file.
type ffModel struct {
	Types    []string `json:"types"`
	Alphabet []string `json:"alphabet"`
	Nodes    []ffNode `json:"nodes"`
	Edges    []ffEdge `json:"edges"`
}

type ffNode struct {
	ID     int    `json:"id"`
	Source int    `json:"source"`
	Label  string `json:"label"`
	Size   int    `json:"size"`
	Level  int    `json:"level"`
	Style  string `json:"style"`
	IsRed  int    `json:"isred"`
	IsSink int    `json:"issink"`
	IsBlue int    `json:"isblue"`
	Trace  string `json:"trace"`
	Data   ffData `json:"data"`

	at int64 // where it stands in the file, in bytes
}

type ffData struct {
	FinalCounts map[string]int    `json:"final_counts,omitempty"`
	PathCounts  map[string]int    `json:"path_counts,omitempty"`
	TotalFinal  int               `json:"total_final"`
	TotalPaths  int               `json:"total_paths"`
	TransCounts map[string]string `json:"trans_counts"`
}

type ffEdge struct {
	ID          string `json:"id"`
	Source      string `json:"source"`
	Target      string `json:"target"`
	Name        string `json:"name"`
	Appearances string `json:"appearances"`

	at int64
}

// ErrMachine is wrapped by errors about machine files that make no sense.
var ErrMachine = errors.New("unreadable machine")

// ReadMachine reads a machine in either form: JSON when the first character is a brace, else DOT.
func ReadMachine(r io.Reader, file string) (*machine.Machine, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("automata: %s: %w", file, err)
	}
	if text := bytes.TrimSpace(raw); len(text) > 0 && text[0] != '{' {
		return ReadDOT(bytes.NewReader(raw), file)
	}
	return ReadJSON(bytes.NewReader(raw), file)
}

// WriteJSON writes the machine as FlexFringe's JSON. The field "level", which only steers drawings, holds
// the length of the state's access word.
func WriteJSON(m *machine.Machine, w io.Writer) error {
	out := ffModel{Types: m.Types, Alphabet: m.Alphabet, Edges: []ffEdge{}}
	for q := range m.States {
		out.Nodes = append(out.Nodes, nodeOf(m, int32(q)))
	}
	for q := range m.States {
		for i := m.Start[q]; i < m.Start[q+1]; i++ {
			from, to := strconv.Itoa(m.States[q].ID), strconv.Itoa(m.States[m.To[i]].ID)
			out.Edges = append(out.Edges, ffEdge{ID: from + "_" + to, Source: from, Target: to,
				Name: m.Alphabet[m.On[i]]})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "\t")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("automata: write: %w", err)
	}
	return nil
}

func nodeOf(m *machine.Machine, q int32) ffNode {
	s := &m.States[q]
	n := ffNode{ID: s.ID, Source: s.Source, Size: s.Size, Level: len(s.Access), IsRed: machine.Bit(s.Red),
		IsSink: machine.Bit(s.Sink), IsBlue: machine.Bit(s.Blue)}
	if q == 0 {
		n.Source = -1
		n.Trace = "0 0"
	} else {
		words := []string{typeOf(m, s), strconv.Itoa(len(s.Access))}
		for _, a := range s.Access {
			words = append(words, m.Alphabet[a])
		}
		n.Trace = strings.Join(words, " ")
	}
	d := ffData{TotalFinal: s.Final, TotalPaths: s.Paths, TransCounts: map[string]string{},
		PathCounts: map[string]int{}, FinalCounts: map[string]int{}}
	var fin, path strings.Builder
	for k := range m.Types {
		id := strconv.Itoa(k)
		if c := at(s.FinalTypes, k); c > 0 {
			d.FinalCounts[id] = c
			fmt.Fprintf(&fin, "%s:%d , ", m.Types[k], c)
		}
		if c := at(s.PathTypes, k); c > 0 {
			d.PathCounts[id] = c
			fmt.Fprintf(&path, "%s:%d , ", m.Types[k], c)
		}
	}
	n.Label = "fin: " + fin.String() + " path: " + path.String()
	for i := m.CountStart[q]; i < m.CountStart[q+1]; i++ {
		d.TransCounts[m.Alphabet[m.CountOn[i]]] = strconv.Itoa(int(m.Count[i]))
	}
	n.Data = d
	return n
}

func at(v []int32, k int) int {
	if k < len(v) {
		return int(v[k])
	}
	return 0
}

// typeOf is the label that most words through a state carry.
func typeOf(m *machine.Machine, s *machine.State) string {
	best, top := "0", -1
	for k, name := range m.Types {
		if n := at(s.FinalTypes, k) + at(s.PathTypes, k); n > top {
			best, top = name, n
		}
	}
	return best
}

// ReadJSON reads a model file of FlexFringe, of either version, or of WriteJSON. Edges to states that the
// file does not hold are left out, as FlexFringe does. The error wraps ErrMachine and names
// file:line:column.
func ReadJSON(r io.Reader, file string) (*machine.Machine, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("automata: %s: %w", file, err)
	}
	f, at, err := parseModel(raw)
	var m *machine.Machine
	if err == nil {
		m, at, err = f.machine()
	}
	if err != nil {
		return nil, fmt.Errorf("automata: %w: %s: %w", ErrMachine, FilePosition(file, raw, at), err)
	}
	return m, nil
}

// FilePosition is file:line:column of the byte at an offset; columns count bytes from 1.
func FilePosition(file string, raw []byte, at int64) string {
	before := raw[:max(0, min(at, int64(len(raw))))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("%s:%d:%d", file, line, len(before)-bytes.LastIndexByte(before, '\n'))
}

// JSONErrorOffset is the byte that an error of json.Unmarshal is about.
func JSONErrorOffset(err error) int64 {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return max(syntax.Offset-1, 0)
	case errors.As(err, &kind):
		return max(kind.Offset-1, 0)
	}
	return 0
}

// parseModel walks the outer object itself, so that each node and edge keeps its place.
func parseModel(raw []byte) (f *ffModel, at int64, err error) {
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		if len(bytes.TrimSpace(raw)) == 0 {
			return nil, 0, errors.New("the file is empty (EOF)")
		}
		return nil, JSONErrorOffset(err), err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	f = &ffModel{}
	// next is where the value that follows begins
	next := func() int64 {
		i := dec.InputOffset()
		for i < int64(len(raw)) && strings.IndexByte(" \t\r\n,:", raw[i]) >= 0 {
			i++
		}
		return i
	}
	if t, err := dec.Token(); err != nil {
		return nil, 0, err
	} else if t != json.Delim('{') {
		return nil, 0, errors.New("want a JSON object")
	}
	for dec.More() {
		at := next()
		key, err := dec.Token()
		if err != nil {
			return nil, at, err
		}
		at = next()
		switch key {
		case "types":
			err = dec.Decode(&f.Types)
		case "alphabet":
			err = dec.Decode(&f.Alphabet)
		case "nodes":
			at, err = decodeList(dec, next, func(at int64, n ffNode) { n.at = at; f.Nodes = append(f.Nodes, n) })
		case "edges":
			at, err = decodeList(dec, next, func(at int64, e ffEdge) { e.at = at; f.Edges = append(f.Edges, e) })
		default:
			var skip json.RawMessage
			err = dec.Decode(&skip)
		}
		if err != nil {
			return nil, at, err
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, next(), err
	}
	return f, 0, nil
}

// decodeList decodes the items of a list, or null, one by one. On an error it says where the item begins.
func decodeList[T any](dec *json.Decoder, next func() int64, add func(int64, T)) (int64, error) {
	at := next()
	switch t, err := dec.Token(); {
	case err != nil:
		return at, err
	case t == nil:
		return at, nil
	case t != json.Delim('['):
		return at, errors.New("want a list")
	}
	for dec.More() {
		at = next()
		var item T
		if err := dec.Decode(&item); err != nil {
			return at, err
		}
		add(at, item)
	}
	_, err := dec.Token()
	return next(), err
}

// machine is the model with numbers for names. On an error at is the offset of what is wrong.
func (f *ffModel) machine() (m *machine.Machine, at int64, err error) {
	if len(f.Nodes) == 0 {
		return nil, 0, errors.New("no nodes")
	}
	symbols, err := ids("alphabet", f.Alphabet)
	if err != nil {
		return nil, 0, err
	}
	if _, err := ids("types", f.Types); err != nil {
		return nil, 0, err
	}
	nodes := f.rootFirst()
	state := map[string]int32{}
	for i, n := range nodes {
		id := strconv.Itoa(n.ID)
		if _, twice := state[id]; twice {
			return nil, n.at, fmt.Errorf("two nodes have the id %d", n.ID)
		}
		state[id] = int32(i)
	}
	out := make([][]target, len(nodes))
	for _, e := range f.Edges {
		from, okFrom := state[e.Source]
		to, okTo := state[e.Target]
		a, known := symbols[e.Name]
		switch {
		case !okFrom:
			return nil, e.at, fmt.Errorf("edge %q leaves the unknown state %q", e.ID, e.Source)
		case !known:
			return nil, e.at, fmt.Errorf("edge %q carries the unknown symbol %q", e.ID, e.Name)
		case okTo:
			out[from] = append(out[from], target{a, to, e.at})
		}
	}
	m = &machine.Machine{Alphabet: f.Alphabet, Types: f.Types}
	for q, n := range nodes {
		if at, err := readNode(m, n, symbols, out[q]); err != nil {
			return nil, at, fmt.Errorf("node %d: %w", n.ID, err)
		}
	}
	m.States[0].Source = m.States[0].ID
	m.Start = append(m.Start, int32(len(m.On)))
	m.CountStart = append(m.CountStart, int32(len(m.Count)))
	return m, 0, nil
}

// target is an edge of a state, with its place in the file.
type target struct {
	sym, to int32
	at      int64
}

func ids(what string, names []string) (map[string]int32, error) {
	out := map[string]int32{}
	for i, n := range names {
		if _, twice := out[n]; twice {
			return nil, fmt.Errorf("%s: %q stands twice", what, n)
		}
		out[n] = int32(i)
	}
	return out, nil
}

// rootFirst is the nodes with the root, whose access word is empty, in front.
func (f *ffModel) rootFirst() []ffNode {
	nodes := slices.Clone(f.Nodes)
	root := slices.IndexFunc(nodes, func(n ffNode) bool {
		w := strings.Fields(n.Trace)
		return len(w) == 2 && w[1] == "0" && (n.Source == -1 || n.Source == n.ID)
	})
	if root > 0 {
		nodes[0], nodes[root] = nodes[root], nodes[0]
	}
	return nodes
}

func readNode(m *machine.Machine, n ffNode, symbols map[string]int32, edges []target) (at int64, err error) {
	s := machine.State{ID: n.ID, Source: n.Source, Size: n.Size, Paths: n.Data.TotalPaths, Final: n.Data.TotalFinal,
		Red: n.IsRed == 1, Sink: n.IsSink == 1, Blue: n.IsBlue == 1}
	const limit = 1 << 31
	if n.Size < 0 || s.Paths < 0 || s.Final < 0 || n.Size >= limit || s.Paths >= limit || s.Final >= limit {
		return n.at, errors.New("a counter is out of range")
	}
	s.FinalTypes, s.PathTypes = make([]int32, len(m.Types)), make([]int32, len(m.Types))
	for _, c := range []struct {
		from map[string]int
		to   []int32
	}{{n.Data.FinalCounts, s.FinalTypes}, {n.Data.PathCounts, s.PathTypes}} {
		for key, v := range c.from {
			k, err := strconv.Atoi(key)
			if err != nil || k < 0 || k >= len(c.to) || v < 0 || v >= limit {
				return n.at, fmt.Errorf("counter %q: %d of %d labels", key, v, len(c.to))
			}
			c.to[k] = int32(v)
		}
	}
	// names with blanks cannot be told apart in a trace: the access word is then left out
	if w := strings.Fields(n.Trace); len(w) > 2 && w[1] == strconv.Itoa(len(w)-2) {
		for _, a := range w[2:] {
			id, ok := symbols[a]
			if !ok {
				return n.at, fmt.Errorf("unknown symbol %q in its trace", a)
			}
			s.Access = append(s.Access, id)
		}
	}
	m.States = append(m.States, s)
	m.Start = append(m.Start, int32(len(m.On)))
	m.CountStart = append(m.CountStart, int32(len(m.Count)))
	slices.SortStableFunc(edges, func(a, b target) int { return int(a.sym - b.sym) })
	for i, e := range edges {
		if i > 0 && e.sym == edges[i-1].sym {
			return e.at, fmt.Errorf("two edges for the symbol %q", m.Alphabet[e.sym])
		}
		m.On, m.To = append(m.On, e.sym), append(m.To, e.to)
	}
	return n.at, readCounts(m, n.Data.TransCounts, symbols)
}

func readCounts(m *machine.Machine, counts map[string]string, symbols map[string]int32) error {
	var pairs [][2]int32
	for name, text := range counts {
		a, ok := symbols[name]
		if !ok {
			return fmt.Errorf("unknown symbol %q in its counts", name)
		}
		c, err := strconv.ParseInt(text, 10, 32)
		if err != nil || c < 0 {
			return fmt.Errorf("count %q of symbol %q", text, name)
		}
		if c > 0 {
			pairs = append(pairs, [2]int32{a, int32(c)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]int32) int { return int(a[0] - b[0]) })
	for _, p := range pairs {
		m.CountOn, m.Count = append(m.CountOn, p[0]), append(m.Count, p[1])
	}
	return nil
}
