package machine

import (
	"errors"
	"math"
	"slices"
)

const quarters = 4

// tally counts, for each attribute, the events in each quarter of its values.
type tally struct {
	n      float64
	counts [][quarters]float64
}

func newTally(d int) *tally { return &tally{counts: make([][quarters]float64, d)} }

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
