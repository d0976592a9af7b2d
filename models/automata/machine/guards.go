package machine

import (
	"context"
	"errors"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/numeric/stat"
)

// GuardedLearnSpec is how a machine over events of several attributes is learnt (RTI+ of Verwer, de Weerdt and
// Witteveen, A likelihood-ratio test for identifying probabilistic deterministic real-time automata, ICGI 2010,
// with attributes in the place of time).
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

// Hyperrectangle is a guard: an event's attributes lie in it when Low[a] ≤ x[a] < High[a] for all a.
type Hyperrectangle struct{ Low, High []float32 }

func wholeSpace(d int) Hyperrectangle {
	b := Hyperrectangle{make([]float32, d), make([]float32, d)}
	for a := range d {
		b.Low[a], b.High[a] = float32(math.Inf(-1)), float32(math.Inf(1))
	}
	return b
}

// holds says whether an event is in it.
func (b *Hyperrectangle) holds(x []float32) bool {
	for a, v := range x {
		if v < b.Low[a] || v >= b.High[a] {
			return false
		}
	}
	return true
}

// cut is what lies below v in attribute a, and what lies from v on.
func (b *Hyperrectangle) cut(a int, v float32) (below, above Hyperrectangle) {
	below = Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	above = Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	below.High[a], above.Low[a] = v, v
	return below, above
}

// joined is the union of two hyperrectangles, if that is one.
func (b *Hyperrectangle) joined(o *Hyperrectangle) (Hyperrectangle, bool) {
	differ := -1
	for a := range b.Low {
		if b.Low[a] == o.Low[a] && b.High[a] == o.High[a] {
			continue
		}
		if differ >= 0 || b.High[a] != o.Low[a] && o.High[a] != b.Low[a] {
			return Hyperrectangle{}, false
		}
		differ = a
	}
	u := Hyperrectangle{slices.Clone(b.Low), slices.Clone(b.High)}
	if differ >= 0 {
		u.Low[differ], u.High[differ] = min(b.Low[differ], o.Low[differ]), max(b.High[differ], o.High[differ])
	}
	return u, true
}

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

const quarters = 4

// position is an event of a trace.
type position struct{ trace, event int32 }

// tally counts, for each attribute, the events in each quarter of its values.
type tally struct {
	n      float64
	counts [][quarters]float64
}

func newTally(d int) *tally { return &tally{counts: make([][quarters]float64, d)} }

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

// bin finds each event's quarters.
func (l *guardedLearner) bin() error {
	total := 0
	for i := range l.traces {
		n := len(l.traces[i].Events) / l.d
		l.length = append(l.length, int32(n))
		total += n
	}
	if total == 0 {
		return errors.New("no events")
	}
	limits := make([][quarters - 1]float32, l.d)
	values := make([]float32, 0, total)
	for a := range l.d {
		values = values[:0]
		for i := range l.traces {
			for j := a; j < len(l.traces[i].Events); j += l.d {
				values = append(values, l.traces[i].Events[j])
			}
		}
		slices.Sort(values)
		for q := range limits[a] {
			limits[a][q] = values[min(int(math.RoundToEven(float64((q+1)*total)/quarters)), total-1)]
		}
	}
	for i := range l.traces {
		quart := make([]uint8, len(l.traces[i].Events))
		for j, v := range l.traces[i].Events {
			for _, limit := range limits[j%l.d] {
				if v >= limit {
					quart[j]++
				}
			}
		}
		l.quart = append(l.quart, quart)
	}
	return nil
}

// count adds the event after p to a tally.
func (l *guardedLearner) count(t *tally, p position) { l.countLater(t, p, 0) }

// countLater adds the event that comes later events after the one that follows p.
func (l *guardedLearner) countLater(t *tally, p position, later int) {
	i := int(p.event) + 1 + later
	if i >= int(l.length[p.trace]) {
		return
	}
	t.n++
	for a, q := range l.quart[p.trace][i*l.d : (i+1)*l.d] {
		t.counts[a][q]++
	}
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

// evidence is a statistic and its degrees of freedom.
type evidence struct{ x, dof float64 }

// p is the probability of as much under the same distribution; 1 without evidence.
func (e evidence) p() float64 {
	if e.dof <= 0 {
		return 1
	}
	return stat.ChiSquaredSurvival(e.x, e.dof)
}

func (e *evidence) add(a, b *tally) {
	for i := range a.counts {
		kinds := 0.0
		for q := range quarters {
			x, y := a.counts[i][q], b.counts[i][q]
			if x+y == 0 {
				continue
			}
			kinds++
			if x > 0 {
				e.x += 2 * x * math.Log(x*(a.n+b.n)/(a.n*(x+y)))
			}
			if y > 0 {
				e.x += 2 * y * math.Log(y*(a.n+b.n)/(b.n*(x+y)))
			}
		}
		e.dof += max(0, kinds-1)
	}
}

// enough says whether two tallies can be compared.
func (l *guardedLearner) enough(a, b *tally) bool {
	return a.n >= float64(l.spec.MinEvents) && b.n >= float64(l.spec.MinEvents)
}

// bestSplit is the guard that splits an edge's events most significantly.
func (l *guardedLearner) bestSplit(e *growingEdge) (attribute int, at float32, ok bool) {
	n := len(e.events)
	if n < 2*l.spec.MinEvents {
		return 0, 0, false
	}
	all := make([]*tally, l.spec.Depth+1)
	for j := range all {
		all[j] = newTally(l.d)
		for _, p := range e.events {
			l.countLater(all[j], p, j)
		}
	}
	type guard struct {
		a    int
		v    float32
		p, x float64
	}
	var best guard
	tried := 0
	sorted := slices.Clone(e.events)
	for a := range l.d {
		slices.SortStableFunc(sorted, func(p, q position) int {
			switch v, w := l.row(p)[a], l.row(q)[a]; {
			case v < w:
				return -1
			case v > w:
				return 1
			}
			return 0
		})
		below, above := make([]*tally, len(all)), make([]*tally, len(all))
		for j := range all {
			below[j] = newTally(l.d)
			above[j] = &tally{all[j].n, slices.Clone(all[j].counts)}
		}
		for i, p := range sorted {
			v := l.row(p)[a]
			if i >= l.spec.MinEvents && n-i >= l.spec.MinEvents && v != l.row(sorted[i-1])[a] {
				var got evidence
				for j := range all {
					if !l.enough(below[j], above[j]) {
						break
					}
					got.add(below[j], above[j])
				}
				tried++
				if q := got.p(); q < l.spec.Alpha && got.dof > 0 {
					if x := got.x / got.dof; !ok || q < best.p || q == best.p && x > best.x {
						best, ok = guard{a, v, q, x}, true
					}
				}
			}
			for j := range all {
				l.countLater(below[j], p, j)
				l.uncountLater(above[j], p, j)
			}
		}
	}
	if ok && l.spec.Bonferroni && best.p >= l.spec.Alpha/float64(tried) {
		return 0, 0, false
	}
	return best.a, best.v, ok
}

func (l *guardedLearner) uncountLater(t *tally, p position, later int) {
	i := int(p.event) + 1 + later
	if i >= int(l.length[p.trace]) {
		return
	}
	t.n--
	for a, q := range l.quart[p.trace][i*l.d : (i+1)*l.d] {
		t.counts[a][q]--
	}
}

// split makes two blue edges of one.
func (l *guardedLearner) split(state, at, a int, v float32) {
	e := l.red[state].edges[at]
	below, above := e.guard.cut(a, v)
	one, other := &growingEdge{guard: below, target: -1}, &growingEdge{guard: above, target: -1}
	for _, p := range e.events {
		to := other
		if one.guard.holds(l.row(p)) {
			to = one
		}
		to.events = append(to.events, p)
	}
	l.red[state].edges[at] = one
	l.red[state].edges = slices.Insert(l.red[state].edges, at+1, other)
}

// bestMerge is the state that an edge's events are most like, and whether they may be of it. One with too few events
// to tell goes to the first.
func (l *guardedLearner) bestMerge(e *growingEdge) (target int32, ok bool) {
	best := -1.0
	for s := range l.red {
		got := l.compare(int32(s), e.events, 0)
		if p := got.p(); p > best {
			target, best = int32(s), p
		}
	}
	return target, best >= l.spec.Alpha
}

// compare holds the events after some positions against those that left a state, and goes on along the state's edges.
func (l *guardedLearner) compare(state int32, events []position, depth int) (sum evidence) {
	own := newTally(l.d)
	for _, p := range events {
		l.count(own, p)
	}
	s := l.red[state]
	if !l.enough(own, s.seen) {
		return sum
	}
	sum.add(own, s.seen)
	if depth == l.spec.Depth {
		return sum
	}
	through := make([][]position, len(s.edges))
	for _, p := range events {
		if p.event++; p.event >= l.length[p.trace] {
			continue
		}
		for i, e := range s.edges {
			if e.guard.holds(l.row(p)) {
				through[i] = append(through[i], p)
				break
			}
		}
	}
	for i, e := range s.edges {
		var more evidence
		if e.target >= 0 {
			more = l.compare(e.target, through[i], depth+1)
		} else {
			more = l.compareSets(e.events, through[i], l.spec.Depth-depth-1)
		}
		sum.x, sum.dof = sum.x+more.x, sum.dof+more.dof
	}
	return sum
}

// compareSets holds what follows two sets of events against each other, up to depth events later.
func (l *guardedLearner) compareSets(a, b []position, depth int) (sum evidence) {
	for j := range depth + 1 {
		s, t := newTally(l.d), newTally(l.d)
		for _, p := range a {
			l.countLater(s, p, j)
		}
		for _, p := range b {
			l.countLater(t, p, j)
		}
		if !l.enough(s, t) {
			return sum
		}
		sum.add(s, t)
	}
	return sum
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
