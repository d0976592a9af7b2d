package automata

import "plumbline/data"

// entities are what the traces of a set belong to, by their keys: hosts, connections. A flow that several windows hold
// is one flow.
type entities struct {
	n     int     // of entities, in order of appearance
	of    []int32 // of each trace
	flows []int32 // how many each entity has
	flow  []int32 // of each event of the traces, one after the other: its number among all flows
	owner []int32 // entity of each flow
}

// entitiesOf finds the entities of a set; events says how many events a trace has. Where a trace does not say which
// rows its
// events are, each is a flow of its own.
func entitiesOf(s *data.Set, events func(i int) int) *entities {
	e := &entities{of: make([]int32, s.N)}
	seen := map[string]int32{}
	type place struct{ entity, row int32 }
	flows := map[place]int32{}
	for i := range s.Traces {
		t := &s.Traces[i]
		id, known := seen[t.Key]
		if !known {
			id = int32(e.n)
			seen[t.Key] = id
			e.n++
			e.flows = append(e.flows, 0)
		}
		e.of[i] = id
		for k := range events(i) {
			if k < len(t.Rows) {
				at := place{id, t.Rows[k]}
				if flow, known := flows[at]; known {
					e.flow = append(e.flow, flow)
					continue
				}
				flows[at] = int32(len(e.owner))
			}
			e.flow = append(e.flow, int32(len(e.owner)))
			e.owner = append(e.owner, id)
			e.flows[id]++
		}
	}
	return e
}

// spread gives each trace the score of its entity.
func (e *entities) spread(scores []float64) []float64 {
	out := make([]float64, len(e.of))
	for i, id := range e.of {
		out[i] = scores[id]
	}
	return out
}
