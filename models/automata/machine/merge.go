package machine

// write is one entry of the undo log.
type write struct {
	at  *int32
	old int32
}

// set changes a value of the tree, in a test so that rollback can take it back.
func (l *learner) set(at *int32, v int32) {
	if !l.forGood {
		l.log = append(l.log, write{at, *at})
	}
	*at = v
}

// rollback undoes all that was set since the log had length mark.
func (l *learner) rollback(mark int) {
	for i := len(l.log) - 1; i >= mark; i-- {
		*l.log[i].at = l.log[i].old
	}
	l.log = l.log[:mark]
}

// pair is a merge in progress: the state left takes over the edges kids[from:] of the state that it was
// united with, of which those before at are done.
type pair struct {
	left     int32
	from, at int
}

// try tests whether red and blue may be merged, with a score above the one to beat where that is cheap to tell. The
// score is of use only if they may.
func (l *learner) try(red, blue int32) (score float64, ok bool) {
	if test, ok := l.heuristic.(overlapTest); ok && !l.TestMerge && l.dof != nil {
		return l.tryOverlap(test, red, blue)
	}
	l.heuristic.reset()
	mark := len(l.log)
	ok = l.fold(red, blue, true, l.TestMerge)
	l.rollback(mark)
	if !ok {
		return 0, false
	}
	return l.heuristic.score()
}

// overlapPair is a pair of states of an overlap, the most degrees of freedom that it and the pairs below may have, and
// where these and its terms are among all.
type overlapPair struct {
	left, right, dof int32
	children, after  int32
	terms, afterTerm int32
}

// betweenTests is after how many pairs of few words a test looks whether it can still have the highest score.
const betweenTests = 64

// tryOverlap tests the overlap of two subtrees, which merges nothing. It goes breadth first as long as no pair refutes
// the merge: states near the root have the most words, and show first what does not fit. What few words go through is
// left for the end, since it has no terms, and of that first what is cheap to count. The terms of an overlap that
// nothing refutes are then added up depth first, children by symbol, as a merge would meet its pairs.
func (l *learner) tryOverlap(test overlapTest, red, blue int32) (score float64, ok bool) {
	h := test.sums()
	h.reset()
	h.terms, h.recording = h.terms[:0], true
	l.overlap = append(l.overlap[:0], l.pairOf(red, blue))
	l.later, l.last = l.later[:0], l.last[:0]
	l.openDOF = int(l.overlap[0].dof)
	if !test.mayBeat(l.toBeat, l.openDOF) {
		return 0, false
	}
	few := h.fewWords()
	for i := 0; i < len(l.overlap); i++ {
		switch p := &l.overlap[i]; {
		case !l.few(p.left, p.right, few):
			if !l.expand(h, i) {
				return 0, false
			}
		case l.tree.whole(p.left) && l.tree.whole(p.right):
			l.later = append(l.later, int32(i))
		default:
			l.last = append(l.last, int32(i))
		}
	}
	for _, list := range [][]int32{l.later, l.last} {
		for n, i := range list {
			if n%betweenTests == 0 && !test.mayBeat(l.toBeat, l.openDOF) || !l.expandFew(h, int(i), few) {
				return 0, false
			}
		}
	}
	h.orig, h.merged = 0, 0
	l.open = append(l.open[:0], 0)
	for len(l.open) > 0 {
		p := &l.overlap[l.open[len(l.open)-1]]
		l.open = l.open[:len(l.open)-1]
		h.replay(h.terms[p.terms:p.afterTerm])
		for k := p.after - 1; k >= p.children; k-- {
			l.open = append(l.open, k)
		}
	}
	return test.score()
}

// pairOf is a pair that is to be met.
func (l *learner) pairOf(left, right int32) overlapPair {
	p := overlapPair{left: left, right: right, dof: l.dof[right]}
	if l.counted(left) {
		p.dof = min(p.dof, l.dof[left])
	}
	return p
}

// expandFew is expand for pair i of the overlap, which few words go through, and for all pairs below.
func (l *learner) expandFew(h *likelihood, i int, few int32) bool {
	from := len(l.overlap)
	if l.fewOverlap(h, l.overlap[i].left, l.overlap[i].right, few) {
		l.openDOF -= int(l.overlap[i].dof)
		return h.possible(l.openDOF)
	}
	if !l.expand(h, i) {
		return false
	}
	for k := from; k < len(l.overlap); k++ {
		if !l.expand(h, k) {
			return false
		}
	}
	return true
}

// expand takes the evidence of pair i of the overlap and appends the pairs below it. It says whether the merge is still
// possible.
func (l *learner) expand(h *likelihood, i int) bool {
	t := l.tree
	p := l.overlap[i]
	l.openDOF -= int(p.dof)
	p.terms = int32(len(h.terms))
	if !h.addPair(p.left, p.right) {
		return false
	}
	p.afterTerm, p.children = int32(len(h.terms)), int32(len(l.overlap))
	e := t.nodes[p.left].first
	for c := t.nodes[p.right].first; c != none; c = t.nodes[c].next {
		for e != none && t.nodes[e].sym < t.nodes[c].sym {
			e = t.nodes[e].next
		}
		if e == none {
			break
		}
		x, y := &t.nodes[e], &t.nodes[c]
		if x.sym != y.sym || x.edge < 0 || y.edge < 0 {
			continue
		}
		if x, y := t.find(e), t.find(c); x != y {
			below := l.pairOf(x, y)
			l.overlap = append(l.overlap, below)
			l.openDOF += int(below.dof)
		}
	}
	p.after = int32(len(l.overlap))
	l.overlap[i] = p
	return h.possible(l.openDOF) // with what the pairs below may add
}

// few says whether less than a number of words go through either state, those of merged states not counted.
func (l *learner) few(left, right, number int32) bool {
	a, b := &l.tree.nodes[left], &l.tree.nodes[right]
	return a.paths+a.final < number && b.paths+b.final < number
}

// fewOverlap counts the degrees of freedom of a pair of states that few words go through, and of those below it: by
// words where they are whole, else depth first, as the states lie in memory. Where more words go through one of them,
// as they may after merges, it counts nothing and says no.
func (l *learner) fewOverlap(h *likelihood, left, right, number int32) bool {
	t := l.tree
	dof, end := 0, h.endDOF()
	l.open = append(l.open[:0], left, right)
	for n := len(l.open); n > 0; n = len(l.open) {
		q, r := l.open[n-2], l.open[n-1]
		l.open = l.open[:n-2]
		if !l.few(q, r, number) {
			return false
		}
		if t.whole(q) && t.whole(r) {
			a, from := t.words(q)
			b, with := t.words(r)
			dof += t.sharedDOF(a, b, from, with, end)
			continue
		}
		shared := 0
		e := t.nodes[q].first
		for c := t.nodes[r].first; c != none; {
			y := &t.nodes[c]
			for e != none && t.nodes[e].sym < y.sym {
				e = t.nodes[e].next
			}
			if e == none {
				break
			}
			if x := &t.nodes[e]; x.sym == y.sym && x.edge >= 0 && y.edge >= 0 {
				if x.parent == q && y.parent == r {
					shared++
				}
				if x, y := t.find(e), t.find(c); x != y {
					l.open = append(l.open, x, y)
				}
			}
			c = y.next
		}
		dof += h.fewDOF(q, r, shared)
	}
	h.dof += dof
	return true
}

// merge folds blue into red for good.
func (l *learner) merge(red, blue int32) {
	l.forGood = true
	l.fold(red, blue, false, true)
	l.forGood = false
}

// fold walks the two subtrees in step, depth first and children by symbol. With test every pair is put to
// the heuristic, which may reject; with change the states and their counters are united and loops that
// the merge makes are followed. Subtrees that only the right side has are taken over when it is not a
// test. An explicit stack: a trace may have a million symbols.
func (l *learner) fold(left, right int32, test, change bool) bool {
	t := l.tree
	l.stack, l.kids, l.openDOF = l.stack[:0], l.kids[:0], 0
	if !l.unite(left, right, test, change) {
		return false
	}
	for len(l.stack) > 0 {
		if test && l.exhausted() {
			return true
		}
		top := &l.stack[len(l.stack)-1]
		if top.at == len(l.kids) {
			l.kids = l.kids[:top.from]
			l.stack = l.stack[:len(l.stack)-1]
			continue
		}
		c := l.kids[top.at]
		top.at++
		if l.dof != nil {
			l.openDOF -= int(l.dof[t.find(c)])
		}
		before, e := none, t.nodes[top.left].first
		for e != none && t.nodes[e].sym < t.nodes[c].sym {
			before, e = e, t.nodes[e].next
		}
		if e == none || t.nodes[e].sym != t.nodes[c].sym || t.nodes[e].edge < 0 {
			if change && !test {
				l.attach(top.left, before, e, c)
			}
			continue
		}
		x, y := t.find(e), t.find(c)
		if x != y && !l.unite(x, y, test, change) {
			return false
		}
	}
	return true
}

// exhausted says whether no pair that a test has yet to come to could say anything: their right states have too few
// words. Where words have several labels, these may still refute.
func (l *learner) exhausted() bool {
	return l.dof != nil && l.openDOF == 0 && (l.tree.types == 1 || l.Heuristic == "alergia")
}

// attach makes edge c one of state into's, between before and e. An edge e over the same symbol is a mere
// counter, and c takes its place.
func (l *learner) attach(into, before, e, c int32) {
	t := l.tree
	if e != none && t.nodes[e].sym == t.nodes[c].sym {
		l.set(&t.nodes[c].edge, ^t.nodes[e].edge)
		if e == c {
			return
		}
		e = t.nodes[e].next
	}
	l.link(into, before, c, e)
}

func (l *learner) link(into, before, c, after int32) {
	t := l.tree
	at := &t.nodes[into].first
	if before != none {
		at = &t.nodes[before].next
	}
	l.set(&t.nodes[c].next, after)
	l.set(at, c)
}

// unite deals with one pair and leaves the right state's edges to be done.
func (l *learner) unite(left, right int32, test, change bool) bool {
	t := l.tree
	if test && !l.heuristic.add(left, right) {
		return false
	}
	from := len(l.kids)
	for c := t.nodes[right].first; c != none; c = t.nodes[c].next {
		if t.nodes[c].edge >= 0 {
			l.kids = append(l.kids, c)
			if l.dof != nil {
				l.openDOF += int(l.dof[t.find(c)])
			}
		}
	}
	l.stack = append(l.stack, pair{left, from, from})
	if !change {
		return true
	}
	if l.forGood {
		t.touch(left)
		t.touch(right)
	}
	l.set(&t.nodes[right].rep, left)
	if l.MergeData || l.Compat != V23 {
		l.set(&t.nodes[left].size, t.nodes[left].size+t.nodes[right].size)
	}
	if l.MergeData {
		l.addCounters(left, right)
	}
	return true
}

// addCounters adds the right state's counters to the left one's. Where the left state has no edge over a
// symbol, the right one's edge is put into its list as a counter alone (edge < 0, holding the complement)
// until the walk comes to it: only then does it lead anywhere.
func (l *learner) addCounters(left, right int32) {
	t := l.tree
	l.set(&t.nodes[left].paths, t.nodes[left].paths+t.nodes[right].paths)
	l.set(&t.nodes[left].final, t.nodes[left].final+t.nodes[right].final)
	if t.types > 1 {
		for k := range t.types {
			i, j := int(left)*t.types+k, int(right)*t.types+k
			l.set(&t.finalTypes[i], t.finalTypes[i]+t.finalTypes[j])
			l.set(&t.pathTypes[i], t.pathTypes[i]+t.pathTypes[j])
		}
	}
	before, e := none, t.nodes[left].first
	for c := t.nodes[right].first; c != none; {
		following := t.nodes[c].next
		for e != none && t.nodes[e].sym < t.nodes[c].sym {
			before, e = e, t.nodes[e].next
		}
		switch n := l.count(right, c); {
		case e == none || t.nodes[e].sym != t.nodes[c].sym:
			if t.nodes[c].edge >= 0 {
				l.set(&t.nodes[c].edge, ^n)
			}
			l.link(left, before, c, e)
			before = c
		case t.nodes[e].edge < 0:
			l.set(&t.nodes[e].edge, t.nodes[e].edge-n)
		default:
			l.set(&t.nodes[e].edge, t.nodes[e].edge+n)
		}
		c = following
	}
}

// count is how often state n was left over its edge e. Without merged data, edges that came from other
// states do not count.
func (l *learner) count(n, e int32) int32 {
	switch c := l.tree.nodes[e].edge; {
	case !l.MergeData && l.tree.nodes[e].parent != n:
		return 0
	case c < 0:
		return ^c
	default:
		return c
	}
}
