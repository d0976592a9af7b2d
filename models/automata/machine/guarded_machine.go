package machine

import (
	"plumbline/data"
)

// GuardedMachine is a deterministic machine whose transitions are guarded by hyperrectangles, which partition the
// space of events in every state.
type GuardedMachine struct {
	D      int
	States []GuardedState // 0 is the initial one
}

// GuardedState is a state's transitions.
type GuardedState struct{ Edges []GuardedEdge }

// GuardedEdge is one transition.
type GuardedEdge struct {
	Guard  Hyperrectangle
	Target int32
}

// Next is the state after an event, or the same one where no edge takes it.
func (m *GuardedMachine) Next(state int32, x []float32) int32 {
	for i := range m.States[state].Edges {
		if e := &m.States[state].Edges[i]; e.Guard.holds(x) {
			return e.Target
		}
	}
	return state
}

// Meet is the events that each state meets, d numbers each.
func (m *GuardedMachine) Meet(traces []data.Trace) [][]float32 {
	out := make([][]float32, len(m.States))
	for i := range traces {
		q := int32(0)
		for x := traces[i].Events; len(x) > 0; x = x[m.D:] {
			out[q] = append(out[q], x[:m.D]...)
			q = m.Next(q, x[:m.D])
		}
	}
	return out
}
