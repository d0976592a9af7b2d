package machine

import (
	"context"
	"errors"
	"slices"

	"plumbline/data"
)

// GuardedLearnSpec is how a machine over events of several attributes is learnt (RTI+ of Verwer, de Weerdt and
// Witteveen, A likelihood-ratio test for identifying probabilistic deterministic real-time automata from positive data,
// ICGI 2010, with attributes in the place of time).
type GuardedLearnSpec struct {
	// significance level: smaller splits less and merges more. Every value of every attribute is tried as a guard, so
	// it has to be small
	Alpha float64 `yaml:"alpha" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// divide alpha by the number of guards that are tried at a time
	Bonferroni bool `yaml:"bonferroni"`
	// events that each side of a comparison needs
	MinEvents int `yaml:"min_events" jsonschema:"minimum=1"`
	// events after the next one that are compared too
	Depth int `yaml:"depth" jsonschema:"minimum=0,maximum=20"`
	// states, at most: beyond, what is left is merged with what it is most like. 1: no states and no guards
	MaxStates int `yaml:"max_states" jsonschema:"minimum=1,maximum=65536"`
}

// DefaultGuarded is the settings that find planted machines and no guards in noise.
func DefaultGuarded() GuardedLearnSpec {
	return GuardedLearnSpec{Alpha: 1e-6, MinEvents: 30, Depth: 2, MaxStates: 1000}
}

// position is an event of a trace.
type position struct{ trace, event int32 }

// guardedLearner is a machine in the making. Red states are those of the machine; each of their edges leads to one or
// is blue: then it keeps the events that went through it last, one for each trace that stands there.
type guardedLearner struct {
	spec   GuardedLearnSpec
	d      int
	traces []data.Trace
	length []int32
	quart  [][]uint8 // of each trace: the quarter of each event's attributes, events×d
	red    []*redState
}

type redState struct {
	seen  *tally // events that left it
	edges []*growingEdge
}

type growingEdge struct {
	guard  Hyperrectangle
	target int32 // −1: blue
	events []position
}

// LearnGuarded learns a machine from traces whose events have d attributes. Every event's attributes are put into
// quarters by the quartiles of all events; two sets of events are alike when the quarters of the events that follow
// them, up to Depth later ones, are distributed alike by a likelihood-ratio test,
//
//	x = 2·Σ n_ij·ln(n_ij·n/(n_i·n_j)),  χ² with Σ_attributes (quarters that occur − 1) degrees of freedom
//
// Red-blue: of the blue edges the one with most events is split by the guard that makes its two sides differ most
// significantly (p < α), else merged with the red state that it is most like (p ≥ α), else it becomes a state.
// O(events·d) memory; a split costs O(n·d²·Depth) for n events.
func LearnGuarded(ctx context.Context, spec GuardedLearnSpec, traces []data.Trace, d int) (*GuardedMachine, error) {
	if d < 1 {
		return nil, errors.New("events have no attributes")
	}
	l := &guardedLearner{spec: spec, d: d, traces: traces}
	if err := l.bin(); err != nil {
		return nil, err
	}
	l.red = append(l.red, l.newState())
	root := l.red[0].edges[0]
	for t := range traces {
		if l.length[t] > 0 {
			l.count(l.red[0].seen, position{int32(t), -1})
			root.events = append(root.events, position{int32(t), 0})
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		state, at := l.largestBlue()
		if state < 0 {
			return l.machine(), nil
		}
		e := l.red[state].edges[at]
		if a, v, ok := l.bestSplit(e); ok && spec.MaxStates > 1 {
			l.split(state, at, a, v)
			continue
		}
		target, ok := l.bestMerge(e)
		if !ok && len(l.red) < spec.MaxStates {
			target = int32(len(l.red))
			l.red = append(l.red, l.newState())
		}
		events := e.events
		e.target, e.events = target, nil
		for _, p := range events {
			l.route(target, p)
		}
	}
}

// MaxStates bounds a machine that is read.
const MaxStates = 1 << 16

func (l *guardedLearner) newState() *redState {
	return &redState{seen: newTally(l.d), edges: []*growingEdge{{guard: wholeSpace(l.d), target: -1}}}
}

func (l *guardedLearner) row(p position) []float32 {
	return l.traces[p.trace].Events[int(p.event)*l.d : (int(p.event)+1)*l.d]
}

// route lets a trace go on from the state that its event p led to, up to the next blue edge.
func (l *guardedLearner) route(state int32, p position) {
	for {
		s := l.red[state]
		l.count(s.seen, p)
		if p.event++; p.event >= l.length[p.trace] {
			return
		}
		for _, e := range s.edges {
			if !e.guard.holds(l.row(p)) {
				continue
			}
			if e.target < 0 {
				e.events = append(e.events, p)
				return
			}
			state = e.target
			break
		}
	}
}

// largestBlue is the blue edge with most events, the first among equals; edges without any are left.
func (l *guardedLearner) largestBlue() (state, at int) {
	state, most := -1, 0
	for s, r := range l.red {
		for i, e := range r.edges {
			if e.target < 0 && len(e.events) > most {
				state, at, most = s, i, len(e.events)
			}
		}
	}
	return state, at
}

// machine is what was learnt: edges that nothing went through are left out, and guards that lead to the same state and
// make up a larger one are joined.
func (l *guardedLearner) machine() *GuardedMachine {
	m := &GuardedMachine{D: l.d}
	for _, r := range l.red {
		var s GuardedState
		for _, e := range r.edges {
			if e.target >= 0 {
				s.Edges = append(s.Edges, GuardedEdge{e.guard, e.target})
			}
		}
		for joined := true; joined; {
			joined = false
			for i := 0; i < len(s.Edges) && !joined; i++ {
				for j := i + 1; j < len(s.Edges); j++ {
					if s.Edges[i].Target != s.Edges[j].Target {
						continue
					}
					if u, ok := s.Edges[i].Guard.joined(&s.Edges[j].Guard); ok {
						s.Edges[i].Guard = u
						s.Edges = slices.Delete(s.Edges, j, j+1)
						joined = true
						break
					}
				}
			}
		}
		m.States = append(m.States, s)
	}
	return m
}
