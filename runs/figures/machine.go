package figures

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"plumbline/models/automata"
	"plumbline/models/automata/machine"
	"plumbline/runs/bundle"
	"plumbline/runs/compare"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

// maxStates is how many states a drawing of a machine has at most.
const maxStates = 12

// maxArrows is how many arrows leave a state of a drawing at most: the most frequent.
const maxArrows = 2

// Machines is the state machine of each row of a group whose model is one over symbols, of its first cell.
func Machines(dir string, g *compare.Group, width float64) (out []*plot.Figure) {
	for i := range g.Rows {
		for _, cell := range g.Rows[i].Results() {
			if cell.Status != record.OK {
				continue
			}
			if m := machineOf(dir, cell.Cell); m != nil {
				out = append(out, Machine(g.Data+"-"+g.Rows[i].Label, m, width))
			}
			break
		}
	}
	return out
}

// machineOf is the machine of a cell, nil where it has none or left no model.
func machineOf(dir, cell string) *machine.Machine {
	c, err := bundle.Open(filepath.Join(dir, filepath.FromSlash(cell)))
	if err != nil {
		return nil
	}
	stated, ok := c.Detector.(automata.Stated)
	if !ok {
		return nil
	}
	st, err := stated.States(c.Tracer.Alphabet)
	if err != nil {
		return nil
	}
	return st.Machine
}

// arrow is the transitions from a state to another, by its most frequent symbol first.
type arrow struct {
	from, to int
	label    string
	words    int32 // of training that took it
}

// arrows are those that leave a state, the most frequent first.
func arrows(m *machine.Machine, q int) (out []arrow) {
	type symbol struct {
		name  string
		count int32
	}
	to := map[int][]symbol{}
	for e := m.Start[q]; e < m.Start[q+1]; e++ {
		k := int(m.To[e])
		to[k] = append(to[k], symbol{m.Alphabet[m.On[e]], countOn(m, q, m.On[e])})
	}
	for _, k := range slices.Sorted(maps.Keys(to)) {
		symbols := to[k]
		slices.SortStableFunc(symbols, func(a, b symbol) int { return cmp.Compare(b.count, a.count) })
		a := arrow{from: q, to: k, label: symbols[0].name}
		for _, s := range symbols {
			a.words += s.count
		}
		if n := len(symbols) - 1; n > 0 {
			a.label += " +" + strconv.Itoa(n)
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b arrow) int { return cmp.Compare(b.words, a.words) })
	return out
}

// drawn is the states of a drawing, 12 at most: from the first on always the one that the most frequent arrow out of
// those before leads to, so that each is reached; by is the arrow that led to each.
func drawn(m *machine.Machine, leave [][]arrow) (order []int, by map[int]arrow) {
	by = map[int]arrow{}
	if len(m.States) == 0 {
		return nil, by
	}
	in := map[int]bool{0: true}
	order = []int{0}
	for len(order) < maxStates {
		best := arrow{words: -1}
		for _, q := range order {
			for _, a := range leave[q] {
				if !in[a.to] && a.words > best.words {
					best = a
				}
			}
		}
		if best.words < 0 {
			break
		}
		in[best.to], by[best.to] = true, best
		order = append(order, best.to)
	}
	return order, by
}

// Machine draws a machine: its first state and those that its most frequent arrows lead to, 12 at most, and from each
// its two most frequent arrows to others of them and those that led to a state, each with its most frequent symbol and
// the number of the rest, the darker the more words took it.
func Machine(name string, m *machine.Machine, width float64) *plot.Figure {
	leave := make([][]arrow, len(m.States))
	for q := range m.States {
		leave[q] = arrows(m, q)
	}
	order, by := drawn(m, leave)
	var nodes []string
	for _, q := range order {
		nodes = append(nodes, strconv.Itoa(m.States[q].ID))
	}
	var edges []plot.Edge
	for i, q := range order {
		kept := 0
		for _, a := range leave[q] {
			k := slices.Index(order, a.to)
			if k < 0 || kept >= maxArrows && by[a.to] != a {
				continue
			}
			kept++
			edges = append(edges, plot.Edge{From: i, To: k, Label: a.label, Weight: float64(a.words)})
		}
	}
	title := fmt.Sprintf("The %d states of the machine %s, arrows by their symbols", len(m.States), name)
	if len(order) < len(m.States) {
		title = fmt.Sprintf("%d of the %d states of the machine %s, along its most frequent arrows", len(order),
			len(m.States), name)
	}
	return plot.Graph("machine-"+name, title, width, nodes, edges)
}

// countOn is how many training words left a state over a symbol.
func countOn(m *machine.Machine, q int, a int32) int32 {
	for i := m.CountStart[q]; i < m.CountStart[q+1]; i++ {
		if m.CountOn[i] == a {
			return m.Count[i]
		}
	}
	return 0
}
