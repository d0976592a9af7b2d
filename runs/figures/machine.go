package figures

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"plumbline/models/automata"
	"plumbline/models/automata/machine"
	"plumbline/runs/compare"
	"plumbline/runs/investigate"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

// maxStates is how many states a drawing of a machine has at most: the most visited.
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
	c, err := investigate.OpenCell(dir, cell)
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

// Machine draws a machine: its most visited states, 12 at most, and from each its two most frequent arrows to others of
// them, each with its most frequent symbol and the number of the rest, the darker the more words took it.
func Machine(name string, m *machine.Machine, width float64) *plot.Figure {
	order := make([]int, len(m.States))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order[min(1, len(order)):], func(a, b int) int {
		return cmp.Compare(m.States[b].Size, m.States[a].Size)
	})
	order = order[:min(len(order), maxStates)]
	place := make(map[int32]int, len(order))
	var nodes []string
	for i, q := range order {
		place[int32(q)] = i
		nodes = append(nodes, strconv.Itoa(m.States[q].ID))
	}
	var edges []plot.Edge
	for i, q := range order {
		type symbol struct {
			name  string
			count int32
		}
		to := map[int][]symbol{}
		for e := m.Start[q]; e < m.Start[q+1]; e++ {
			k, kept := place[m.To[e]]
			if !kept {
				continue
			}
			to[k] = append(to[k], symbol{m.Alphabet[m.On[e]], countOn(m, q, m.On[e])})
		}
		var leave []plot.Edge
		for k := range nodes {
			symbols := to[k]
			if len(symbols) == 0 {
				continue
			}
			slices.SortStableFunc(symbols, func(a, b symbol) int { return cmp.Compare(b.count, a.count) })
			e := plot.Edge{From: i, To: k, Label: symbols[0].name}
			for _, s := range symbols {
				e.Weight += float64(s.count)
			}
			if n := len(symbols) - 1; n > 0 {
				e.Label += " +" + strconv.Itoa(n)
			}
			leave = append(leave, e)
		}
		slices.SortStableFunc(leave, func(a, b plot.Edge) int { return cmp.Compare(b.Weight, a.Weight) })
		edges = append(edges, leave[:min(len(leave), maxArrows)]...)
	}
	title := fmt.Sprintf("The %d states of the machine %s, arrows by their symbols", len(m.States), name)
	if len(order) < len(m.States) {
		title = fmt.Sprintf("The %d most visited of %d states of the machine %s", len(order), len(m.States), name)
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
