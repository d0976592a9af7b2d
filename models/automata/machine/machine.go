package machine

import (
	"fmt"

	"plumbline/numeric/elementary"
)

// Machine is a learnt probabilistic deterministic automaton. States[0] is the initial state.
type Machine struct {
	Alphabet []string
	Types    []string
	States   []State
	// The edges of state q are To[Start[q]:Start[q+1]], over the symbols On[...] in ascending order. They
	// only lead to states that are in the machine.
	Start []int32
	On    []int32
	To    []int32
	// Count[...] is how many training words left the state over each symbol, CountOn the symbol; there may
	// be counts without an edge.
	CountStart []int32
	CountOn    []int32
	Count      []int32
}

// State is one state of a machine.
type State struct {
	ID     int // as files name it
	Source int // ID of the state it was first reached from; the initial state's own for the initial state
	Size   int // words through or ending in the state
	Paths  int // words that go on
	Final  int // words that end
	// FinalTypes and PathTypes split Final and Paths by label.
	FinalTypes, PathTypes []int32
	Access                []int32 // the shortest word by which it was made
	Red, Sink, Blue       bool
}

// machine is the red states and the blue ones below them, breadth first, children by symbol.
func (l *learner) machine(alphabet, types []string) *Machine {
	t := l.tree
	m := &Machine{Alphabet: alphabet, Types: types}
	order := []int32{0}
	at := map[int32]int32{0: 0}
	for i := 0; i < len(order); i++ {
		q := order[i]
		if !l.isRed[q] {
			continue
		}
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			if c := t.find(e); c != 0 && t.treeEdge(q, e, c) {
				at[c] = int32(len(order))
				order = append(order, c)
			}
		}
	}
	id := func(n int32) int {
		switch {
		case l.Compat == V23:
			return int(at[n])
		case n == 0:
			return -1
		}
		return int(t.number[n])
	}
	for _, q := range order {
		m.addState(l, q, id)
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			if l.isRed[q] {
				m.On = append(m.On, t.nodes[e].sym)
				m.To = append(m.To, at[t.find(e)])
			}
			if c := l.count(q, e); c > 0 {
				m.CountOn = append(m.CountOn, t.nodes[e].sym)
				m.Count = append(m.Count, c)
			}
		}
	}
	m.Start = append(m.Start, int32(len(m.On)))
	m.CountStart = append(m.CountStart, int32(len(m.Count)))
	return m
}

func (m *Machine) addState(l *learner, q int32, id func(int32) int) {
	t := l.tree
	s := State{
		ID: id(q), Size: int(t.nodes[q].size), Paths: int(t.nodes[q].paths), Final: int(t.nodes[q].final),
		Access: t.access(q), Red: l.isRed[q], Blue: !l.isRed[q], Sink: !l.isRed[q] && l.sink(q),
	}
	s.Source = s.ID
	if q != 0 {
		s.Source = id(t.find(t.nodes[q].parent))
	}
	for typ := range int32(t.types) {
		s.FinalTypes = append(s.FinalTypes, t.finals(q, typ))
		s.PathTypes = append(s.PathTypes, t.pathsOf(q, typ))
	}
	m.States = append(m.States, s)
	m.Start = append(m.Start, int32(len(m.On)))
	m.CountStart = append(m.CountStart, int32(len(m.Count)))
}

// Next is the state that symbol a leads to from state q, or -1.
func (m *Machine) Next(q, a int32) int32 {
	return lookup(m.On[m.Start[q]:m.Start[q+1]], m.To[m.Start[q]:m.Start[q+1]], a, -1)
}

// Seen is how many training words left state q over symbol a.
func (m *Machine) Seen(q, a int32) int32 {
	return lookup(m.CountOn[m.CountStart[q]:m.CountStart[q+1]], m.Count[m.CountStart[q]:m.CountStart[q+1]], a, 0)
}

// lookup finds key in a sorted list of keys.
func lookup(keys, values []int32, key, otherwise int32) int32 {
	lo, hi := 0, len(keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if keys[mid] < key {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(keys) && keys[lo] == key {
		return values[lo]
	}
	return otherwise
}

// OnMissingEdge is what a replay does where a state has no edge for a symbol.
type OnMissingEdge string

const (
	Reset  OnMissingEdge = "reset"  // go on from the initial state
	Remain OnMissingEdge = "remain" // stay
	Stop   OnMissingEdge = "stop"   // the word ends there
)

// Replayer runs words through a machine. It holds the smoothed log-probabilities of every count, and is
// safe for concurrent use.
type Replayer struct {
	m          *Machine
	correction float64
	finalProb  bool
	onMissing  OnMissingEdge
	repeat     bool      // record the state before again where a step ends in the initial state, as FlexFringe's v23 does
	logSeen    []float64 // per count: ln((count+c)/total)
	logUnseen  []float64 // per state: ln(c/total), for a symbol that never left it
	logEnd     []float64 // per state: log-probability of the end of the word
}

// NewReplayer prepares replays with FlexFringe's smoothing: a symbol's probability in a state is its count
// plus correction over the sum of all positive counts plus correction, plus one more correction for the
// unseen; with finalProb the end of the word counts as a symbol.
func NewReplayer(m *Machine, correction float64, finalProb bool, onMissing OnMissingEdge, compat Compat) *Replayer {
	r := &Replayer{m: m, correction: correction, finalProb: finalProb, onMissing: onMissing, repeat: compat == V23}
	r.logSeen = make([]float64, len(m.Count))
	for q := range m.States {
		total := correction
		from, to := m.CountStart[q], m.CountStart[q+1]
		for _, c := range m.Count[from:to] {
			total += float64(c) + correction
		}
		final := float64(m.States[q].Final)
		if finalProb && final > 0 {
			total += final + correction
		}
		for i := from; i < to; i++ {
			r.logSeen[i] = elementary.Log((float64(m.Count[i]) + correction) / total)
		}
		r.logUnseen = append(r.logUnseen, elementary.Log(correction/total))
		r.logEnd = append(r.logEnd, elementary.Log((final+correction)/total))
	}
	return r
}

// Replay runs one word. states[i], if states is not nil, becomes the state recorded after symbol i (-1
// after a stop), scores[i] the log-probability of symbol i; both have the word's length. It returns the
// sum of the log-probabilities, that of the end included when the replayer has end probabilities.
// A symbol outside the alphabet counts as unseen.
func (r *Replayer) Replay(word []int32, states []int32, scores []float64) float64 {
	q, sum := int32(0), 0.0
	for i, a := range word {
		s, to := r.step(q, a)
		sum += s
		if scores != nil {
			scores[i] = s
		}
		if to < 0 {
			switch r.onMissing {
			case Remain:
				to = q
			case Reset:
				to = 0
			default:
				r.fill(i, states, scores)
				return sum
			}
		}
		q = to
		if states != nil {
			states[i] = q
			if r.repeat && q == 0 && i > 0 {
				states[i] = states[i-1]
			}
		}
	}
	if r.finalProb {
		sum += r.logEnd[q]
	}
	return sum
}

func (r *Replayer) fill(from int, states []int32, scores []float64) {
	for i := from; i < len(states); i++ {
		states[i] = -1
	}
	for i := from + 1; i < len(scores); i++ {
		scores[i] = 0
	}
}

func (r *Replayer) step(q, a int32) (logp float64, to int32) {
	m := r.m
	from, end := m.CountStart[q], m.CountStart[q+1]
	logp = r.logUnseen[q]
	lo, hi := from, end
	for lo < hi {
		mid := int32(uint32(lo+hi) >> 1)
		if m.CountOn[mid] < a {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < end && m.CountOn[lo] == a {
		logp = r.logSeen[lo]
	}
	return logp, m.Next(q, a)
}

// String is a machine's size in words.
func (m *Machine) String() string {
	return fmt.Sprintf("%d states, %d transitions, %d symbols", len(m.States), len(m.To), len(m.Alphabet))
}

// Bit is 1 for true and 0 for false, as files hold it.
func Bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
