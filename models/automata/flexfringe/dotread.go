package flexfringe

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/models/automata/machine"
)

// ReadDOT reads a machine from a drawing: one that WriteDOT made, which gives the machine back exactly; one
// of FlexFringe; or any directed graph whose arrows are labelled with a symbol, or a line with symbol and
// count for each symbol. The initial state is the one that an arrow without a label leads to.
//
// FlexFringe's drawings leave out the counts of symbols whose states are not drawn, and those of labelled data
// all counts of symbols: probabilities in such states are then not those of the model file ([HasCounts]).
// States without a number for a name are numbered in order of appearance. Guards on attributes, subgraphs and
// HTML labels are refused. The error wraps ErrMachine and names the file with line and column, or with node or arrow.
func ReadDOT(r io.Reader, file string) (*machine.Machine, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("automata: %s: %w", file, err)
	}
	statements, err := parseDOT(raw)
	if err != nil {
		sep := ": "
		if errors.As(err, &syntaxError{}) {
			sep = ":"
		}
		return nil, fmt.Errorf("automata: %w: %s%s%w", ErrMachine, file, sep, err)
	}
	m, err := readDOT(statements)
	if err != nil {
		where := file
		var at *dotError
		if errors.As(err, &at) && at.at >= 0 && at.at < len(statements) {
			where += ": " + statements[at.at].String()
		}
		return nil, fmt.Errorf("automata: %w: %s: %w", ErrMachine, where, err)
	}
	return m, nil
}

// dotMachine collects a machine from the statements of a drawing.
type dotMachine struct {
	ffModel
	encoded        bool
	symbols, types map[string]bool
	nodes          map[string]*dotNode
	order          []string // of first appearance
	start          string
	startAt        int
	arrows         []dotStatement
}

type dotNode struct {
	attrs map[string]string
	at    int
}

func readDOT(statements []dotStatement) (*machine.Machine, error) {
	d := &dotMachine{symbols: map[string]bool{}, types: map[string]bool{}, nodes: map[string]*dotNode{}}
	for _, s := range statements {
		if s.keyword == "graph" {
			if err := d.graph(s); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range statements {
		if s.keyword != "" {
			continue
		}
		d.node(s.from, s)
		if s.arrow {
			d.node(s.to, s)
			d.arrows = append(d.arrows, s)
		}
	}
	if err := d.findStart(); err != nil {
		return nil, err
	}
	return d.build()
}

// graph takes the lists of names, which keep their order, from the graph's attributes.
func (d *dotMachine) graph(s dotStatement) error {
	d.encoded = d.encoded || s.attrs["encoding"] == "percent"
	for key, add := range map[string]func(string){"types": d.addType, "alphabet": d.addSymbol} {
		for _, word := range strings.Fields(s.attrs[key]) {
			name, err := d.name(word)
			if err != nil {
				return &dotError{s.at, err}
			}
			add(name)
		}
	}
	return nil
}

func (d *dotMachine) name(word string) (string, error) {
	if !d.encoded {
		return word, nil
	}
	return decodeName(word)
}

func (d *dotMachine) addType(name string) {
	if !d.types[name] {
		d.types[name] = true
		d.Types = append(d.Types, name)
	}
}

func (d *dotMachine) addSymbol(name string) {
	if !d.symbols[name] {
		d.symbols[name] = true
		d.Alphabet = append(d.Alphabet, name)
	}
}

func (d *dotMachine) node(name string, s dotStatement) {
	n := d.nodes[name]
	if n == nil {
		n = &dotNode{attrs: map[string]string{}, at: s.at}
		d.nodes[name] = n
		d.order = append(d.order, name)
	}
	if !s.arrow {
		for k, v := range s.attrs {
			n.attrs[k] = v
		}
		n.at = s.at
	}
}

// findStart takes out the arrow without a label and the node that it leaves, which is no state.
func (d *dotMachine) findStart() error {
	marker := ""
	var labelled []dotStatement
	for _, a := range d.arrows {
		switch {
		case strings.TrimSpace(a.attrs["label"]) != "":
			labelled = append(labelled, a)
		case marker != "":
			return dotFail(a.at, "a second arrow without a label: only the one to the initial state has none")
		default:
			marker, d.start, d.startAt = a.from, a.to, a.at
		}
	}
	if marker == "" {
		return dotFail(-1, "no arrow without a label leads to the initial state")
	}
	for _, a := range labelled {
		if a.from == marker || a.to == marker {
			return dotFail(a.at, "node %q marks the initial state and is a state itself", marker)
		}
	}
	if marker == d.start {
		return dotFail(d.startAt, "node %q marks the initial state and is a state itself", marker)
	}
	d.arrows = labelled
	delete(d.nodes, marker)
	d.order = slices.DeleteFunc(d.order, func(n string) bool { return n == marker })
	return nil
}

func (d *dotMachine) build() (*machine.Machine, error) {
	id := map[string]int{}
	numbered := true
	for _, name := range d.order {
		v, err := strconv.ParseInt(name, 10, 32)
		numbered = numbered && err == nil
		id[name] = int(v)
	}
	if !numbered {
		for i, name := range d.order {
			id[name] = i
		}
	}
	at := map[string]int{}
	access := map[int][]string{}
	for i, name := range d.order {
		at[name] = i
		n := ffNode{ID: id[name], at: int64(d.nodes[name].at)}
		words, err := d.readState(&n, d.nodes[name])
		if err != nil {
			return nil, err
		}
		access[n.ID] = words
		if name == d.start {
			n.Source, n.Trace = -1, "0 0"
		}
		d.Nodes = append(d.Nodes, n)
	}
	for _, a := range d.arrows {
		if err := d.readArrow(a, &d.Nodes[at[a.from]], id[a.to]); err != nil {
			return nil, err
		}
	}
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.Data.TotalPaths < 0 { // no label said how many words go on
			sum := 0
			for _, text := range n.Data.TransCounts {
				c, _ := strconv.Atoi(text)
				sum += c
			}
			n.Data.TotalPaths = sum
		}
	}
	m, where, err := d.machine()
	if err != nil {
		return nil, &dotError{int(where), err}
	}
	symbols, err := ids("alphabet", m.Alphabet)
	if err != nil {
		return nil, err
	}
	for q := range m.States {
		for _, word := range access[m.States[q].ID] {
			a, ok := symbols[word]
			if !ok {
				return nil, dotFail(d.startAt, "state %d: its access word holds the unknown symbol %q", m.States[q].ID,
					word)
			}
			m.States[q].Access = append(m.States[q].Access, a)
		}
	}
	return m, nil
}

// readState reads a state's label and our attributes. It returns the access word.
func (d *dotMachine) readState(n *ffNode, from *dotNode) (access []string, err error) {
	n.Data.TransCounts = map[string]string{}
	if err := d.readLabel(n, from.attrs["label"]); err != nil {
		return nil, &dotError{from.at, err}
	}
	for _, c := range strings.Fields(from.attrs["class"]) {
		switch c {
		case "red":
			n.IsRed = 1
		case "blue":
			n.IsBlue = 1
		case "sink":
			n.IsSink = 1
		}
	}
	if text, has := from.attrs["source"]; has {
		v, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, dotFail(from.at, "source %q is not a whole number", text)
		}
		n.Source = int(v)
	}
	for _, word := range strings.Fields(from.attrs["counts"]) {
		text, count, _ := strings.Cut(word, ":")
		name, err := d.name(text)
		if err != nil {
			return nil, &dotError{from.at, err}
		}
		if _, err := counter(count); err != nil {
			return nil, &dotError{from.at, err}
		}
		d.addSymbol(name)
		n.Data.TransCounts[name] = count
	}
	for _, word := range strings.Fields(from.attrs["access"]) {
		name, err := d.name(word)
		if err != nil {
			return nil, &dotError{from.at, err}
		}
		access = append(access, name)
	}
	return access, nil
}

// readLabel reads "id #size fin: label:n , path: label:n , paths final". A label of another kind holds nothing.
func (d *dotMachine) readLabel(n *ffNode, label string) error {
	n.Data.TotalPaths = -1
	var into map[string]int
	var totals []int
	own := false
	for _, word := range strings.Fields(label) {
		size, isSize := strings.CutPrefix(word, "#")
		switch {
		case isSize && !own:
			v, err := counter(size)
			if err != nil {
				return err
			}
			n.Size, own = v, true
		case !own || word == ",":
		case word == "fin:":
			n.Data.FinalCounts = map[string]int{}
			into = n.Data.FinalCounts
		case word == "path:":
			n.Data.PathCounts = map[string]int{}
			into = n.Data.PathCounts
		case strings.Contains(word, ":") && into != nil:
			i := strings.LastIndexByte(word, ':')
			v, err := counter(word[i+1:])
			if err != nil {
				return err
			}
			name, err := d.name(word[:i])
			if err != nil {
				return err
			}
			d.addType(name)
			into[strconv.Itoa(slices.Index(d.Types, name))] = v
		default:
			v, err := counter(word)
			if err != nil {
				return err
			}
			totals = append(totals, v)
		}
	}
	if !own {
		return nil
	}
	sum := func(counts map[string]int) (total int) {
		for _, c := range counts {
			total += c
		}
		return min(total, math.MaxInt32)
	}
	n.Data.TotalPaths, n.Data.TotalFinal = sum(n.Data.PathCounts), sum(n.Data.FinalCounts)
	if len(totals) == 2 {
		n.Data.TotalPaths, n.Data.TotalFinal = totals[0], totals[1]
	}
	return nil
}

// readArrow reads a line with symbol and, perhaps, count for each symbol of an arrow.
func (d *dotMachine) readArrow(a dotStatement, from *ffNode, to int) error {
	if strings.ContainsAny(a.attrs["label"], "<>") {
		return dotFail(a.at, "label %q: guards on attributes are not read", a.attrs["label"])
	}
	for line := range strings.SplitSeq(a.attrs["label"], "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		name, err := d.name(words[0])
		if err != nil {
			return &dotError{a.at, err}
		}
		if len(words) > 1 {
			if _, err := counter(words[1]); err != nil {
				return dotFail(a.at, "symbol %q: %w", name, err)
			}
			from.Data.TransCounts[name] = words[1]
		}
		d.addSymbol(name)
		d.Edges = append(d.Edges, ffEdge{ID: a.from + "_" + a.to, Source: strconv.Itoa(from.ID),
			Target: strconv.Itoa(to), Name: name, at: int64(a.at)})
	}
	return nil
}

func counter(text string) (int, error) {
	v, err := strconv.ParseInt(text, 10, 32)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is not a count", text)
	}
	return int(v), nil
}

// HasCounts says whether the machine counts words over its symbols. Without counts there are states to visit,
// but no probabilities.
func HasCounts(m *machine.Machine) bool {
	for _, c := range m.Count {
		if c > 0 {
			return true
		}
	}
	return false
}
