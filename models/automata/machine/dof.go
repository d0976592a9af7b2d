package machine

import (
	"math"
	"slices"
)

// countDOF counts the degrees of freedom of the blue state's subtrees, children before their parents.
func (l *learner) countDOF(blue int32) {
	if l.dof == nil {
		return
	}
	t := l.tree
	l.open = append(l.open[:0], blue)
	for i := 0; i < len(l.open); i++ {
		q := &t.nodes[l.open[i]]
		if l.counted(l.open[i]) {
			continue
		}
		if l.MergeData && int(q.paths+q.final) < l.StateCount {
			continue // no state below has more words: none gives evidence, now or before
		}
		for c := q.first; c != none; c = t.nodes[c].next {
			if t.nodes[c].edge >= 0 {
				l.open = append(l.open, t.find(c))
			}
		}
	}
	for _, n := range slices.Backward(l.open) {
		if l.counted(n) {
			continue
		}
		sum := l.maxDOF(n)
		for c := t.nodes[n].first; c != none && (sum > 0 || !l.MergeData); c = t.nodes[c].next {
			if t.nodes[c].edge >= 0 {
				sum += int(l.dof[t.find(c)])
			}
		}
		l.dof[n] = int32(min(sum, unboundedDOF))
	}
}

// counted says whether a subtree was counted before and is as it was then.
func (l *learner) counted(n int32) bool {
	return l.dof[n] > 0 && l.tree.spans != nil && l.tree.spans[n].n > 0
}

// unboundedDOF stands for all degrees of freedom from there on.
const unboundedDOF = math.MaxInt32

// maxDOF is the most degrees of freedom that one pair with a right state adds: a bin for each of its symbols, for
// the end of the word and for two pools, and likewise for its labels. The clean test counts the left state's symbols
// too.
func (l *learner) maxDOF(n int32) (k int) {
	t, types := l.tree, 0
	q := &t.nodes[n]
	words := q.paths
	if l.FinalProb {
		words += q.final
	}
	if int(words) < l.StateCount {
		return 0
	}
	switch {
	case l.Heuristic == "alergia":
		return 1 // it has none, but evidence
	case l.Compat == Clean:
		return l.symbols + 1
	}
	k = 2 // also where no word goes on: such a state may speak against a merge
	for c := q.first; c != none; c = t.nodes[c].next {
		k++
	}
	if l.FinalProb {
		k++
	}
	if l.Compat == V23 && l.TypeDist && q.final > 0 {
		for typ := range int32(t.types) {
			if t.finals(n, typ) > 0 {
				types++
			}
		}
		k += types + 2
	}
	return k
}
