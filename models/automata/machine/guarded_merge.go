package machine

import (
	"plumbline/numeric/elementary"
	"plumbline/numeric/stat"
)

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
				e.x += float64(2 * x * elementary.Log(x*(a.n+b.n)/(a.n*(x+y))))
			}
			if y > 0 {
				e.x += float64(2 * y * elementary.Log(y*(a.n+b.n)/(b.n*(x+y))))
			}
		}
		e.dof += max(0, kinds-1)
	}
}

// enough says whether two tallies can be compared.
func (l *guardedLearner) enough(a, b *tally) bool {
	return a.n >= float64(l.spec.MinEvents) && b.n >= float64(l.spec.MinEvents)
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

// compare compares the events after some positions with those that left a state, and goes on along the state's edges.
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

// compareSets compares what follows two sets of events, up to depth events later.
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
