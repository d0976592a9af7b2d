package automata

import (
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/models/automata/machine"
)

// States is the machine of a fitted detector, for drawing and replaying.
type States struct {
	Machine *machine.Machine
	// Replay runs one word as the detector does. states[i], if states is not nil, becomes the state after symbol i (-1
	// for none), scores[i] the log-probability of symbol i. It returns the word's log-probability.
	Replay func(word, states []int32, scores []float64) float64
	Visits []int64    // of each state in training; nil where they are not counted
	Total  VisitTotal // what a score of visits is compared with
}

// Stated is a detector on one machine over symbols.
type Stated interface {
	// States is the machine, whose symbols have the names of the alphabet. The error is ErrNotFitted, or says that the
	// alphabet is another one.
	States(alphabet []string) (*States, error)
}

// States is the learnt machine.
func (p *pdfaDetector) States(alphabet []string) (*States, error) {
	d, err := p.Learned()
	if err != nil {
		return nil, err
	}
	return d.states(alphabet)
}

func (d *learntMachine) states(alphabet []string) (*States, error) {
	if len(alphabet) != len(d.mach.Alphabet) {
		return nil, fmt.Errorf("%s: %d names for %d symbols", d.name, len(alphabet), len(d.mach.Alphabet))
	}
	m := *d.mach
	m.Alphabet, m.States = alphabet, slices.Clone(m.States)
	if len(m.Types) == 1 { // a saved machine has no counts by label, and needs none where there is one
		for i := range m.States {
			s := &m.States[i]
			s.FinalTypes, s.PathTypes = []int32{int32(s.Final)}, []int32{int32(s.Paths)}
		}
	}
	return &States{Machine: &m, Replay: d.rep.Replay, Visits: d.visit, Total: DistinctStates}, nil
}

// States is the learnt machine, with visits as they are scored.
func (q *sequentDetector) States(alphabet []string) (*States, error) {
	d, err := q.Learned()
	if err != nil {
		return nil, err
	}
	s, err := d.states(alphabet)
	if err == nil {
		s.Total = d.total
	}
	return s, err
}

// States is the chain as a machine with a state for each context that was seen. The initial one is the empty context.
// A context that only words end in is a state without edges; one that holds an unknown symbol is none.
func (d *markovDetector) States(alphabet []string) (*States, error) {
	m, err := d.Learned()
	if err != nil {
		return nil, err
	}
	if len(alphabet) != m.k {
		return nil, fmt.Errorf("markov: %d names for %d symbols", len(alphabet), m.k)
	}
	contexts := [][]int32{nil} // of each state
	at := map[uint64]int32{contextKey(nil): 0}
	state := func(context []int32) int32 {
		key := contextKey(context)
		q, ok := at[key]
		if !ok {
			q = int32(len(contexts))
			at[key] = q
			contexts = append(contexts, slices.Clone(context))
		}
		return q
	}
	out := &machine.Machine{Alphabet: alphabet, Types: []string{"benign"}}
	var arrivals []int
	for q := 0; q < len(contexts); q++ {
		c := contexts[q]
		out.Start = append(out.Start, int32(len(out.On)))
		out.CountStart = append(out.CountStart, int32(len(out.On)))
		s := machine.State{ID: q, Red: true, Access: c}
		if i, ok := m.counts.find(contextKey(c)); ok {
			symbols, times := m.counts.after(i)
			for j, a := range symbols {
				n := int(times[j])
				s.Paths += n
				if a == data.UnknownSymbol {
					continue
				}
				next := append(slices.Clone(c), a)
				to := state(next[max(0, len(next)-m.spec.Order):])
				out.On, out.To = append(out.On, a), append(out.To, to)
				out.CountOn, out.Count = append(out.CountOn, a), append(out.Count, int32(n))
				for len(arrivals) <= int(to) {
					arrivals = append(arrivals, 0)
				}
				arrivals[to] += n
			}
		}
		out.States = append(out.States, s)
	}
	out.Start = append(out.Start, int32(len(out.On)))
	out.CountStart = append(out.CountStart, int32(len(out.On)))
	for q := range out.States {
		s := &out.States[q]
		s.Size = s.Paths
		if q > 0 && q < len(arrivals) { // words come to the initial state by beginning there
			s.Size = max(s.Size, arrivals[q])
		}
		s.Final = s.Size - s.Paths
		s.FinalTypes, s.PathTypes = []int32{int32(s.Final)}, []int32{int32(s.Paths)}
	}
	replay := func(word, states []int32, scores []float64) (sum float64) {
		for i, a := range word {
			logp := -m.surprisal(m.before(word, i), a)
			sum += logp
			if scores != nil {
				scores[i] = logp
			}
			if states != nil {
				q, ok := at[contextKey(m.before(word, i+1))]
				if states[i] = q; !ok {
					states[i] = -1
				}
			}
		}
		return sum
	}
	return &States{Machine: out, Replay: replay}, nil
}

var (
	_ Stated = (*markovDetector)(nil)
	_ Stated = (*sequentDetector)(nil)
	_ Stated = (*pdfaDetector)(nil)
)
