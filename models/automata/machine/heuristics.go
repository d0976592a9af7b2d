package machine

import (
	"math"

	"plumbline/numeric/elementary"
)

// heuristic judges a merge by the pairs of states that it would unite.
type heuristic interface {
	reset()
	add(left, right int32) bool // one pair; false rejects the merge at once
	score() (score float64, consistent bool)
}

// overlapTest is a heuristic that sums over the pairs of an overlap, and decides by the sums.
type overlapTest interface {
	heuristic
	sums() *likelihood
	// mayBeat says whether the score could still be above another when pairs to come have at most open degrees of freedom.
	mayBeat(other float64, open int) bool
}

func newHeuristic(l *learner) heuristic {
	if l.Heuristic == "edsm" {
		return &edsm{l: l}
	}
	l.dof = make([]int32, len(l.tree.nodes))
	if l.Heuristic == "alergia" {
		return &alergia{l: l}
	}
	h := likelihood{l: l}
	switch l.Heuristic {
	case "aic":
		h.most = func(k float64) float64 { return k }
		return &aic{h}
	case "kl":
		h.most = func(k float64) float64 { return k * l.Confidence }
		return &kl{h}
	}
	t := -elementary.Log(float64(float32(l.Confidence)))
	h.most = func(k float64) float64 { return survivable(t, k) / 2 }
	return &h
}

// bins are the counts of two states side by side: symbols seen on the left, the end of the word, and two
// pools of rare symbols.
type bins struct {
	left, right    []float64 // per symbol seen on the left
	dl, dr         float64   // smoothed totals
	l1, r1, l2, r2 float64   // pool 1: rare on the right; pool 2: rare or unseen on the left
}

// collect fills b from two states and says whether they have enough words to compare. leftOnly is over
// the symbols that the left state was left by.
func (b *bins) collect(l *learner, left, right int32) bool {
	t := l.tree
	enough := func(n int32) bool {
		have := t.nodes[n].paths
		if l.FinalProb {
			have += t.nodes[n].final
		}
		return int(have) >= l.StateCount
	}
	*b = bins{left: b.left[:0], right: b.right[:0]}
	if !enough(left) || !enough(right) {
		return false
	}
	unseen := float64(t.nodes[right].paths)
	r := t.nodes[right].first
	for e := t.nodes[left].first; e != none; e = t.nodes[e].next {
		L := l.count(left, e)
		if L == 0 {
			continue
		}
		for r != none && t.nodes[r].sym < t.nodes[e].sym {
			r = t.nodes[r].next
		}
		R := int32(0)
		if r != none && t.nodes[r].sym == t.nodes[e].sym {
			R = l.count(right, r)
		}
		b.left = append(b.left, float64(L))
		b.right = append(b.right, float64(R))
		unseen -= float64(R)
		b.pool(l, float64(L), float64(R))
	}
	b.r2 += unseen
	if l.FinalProb && (t.nodes[left].final > 0 || t.nodes[right].final > 0) {
		b.pool(l, float64(t.nodes[left].final), float64(t.nodes[right].final))
	}
	b.close(l)
	return true
}

func (b *bins) pool(l *learner, L, R float64) {
	s := float64(l.SymbolCount)
	if L >= s && R >= s {
		b.dl += L + l.Correction
		b.dr += R + l.Correction
	}
	if R < s {
		b.l1 += L
		b.r1 += R
	}
	if L < s {
		b.l2 += L
		b.r2 += R
	}
}

func (b *bins) close(l *learner) {
	if b.l1 != 0 || b.r1 != 0 {
		b.dl += b.l1 + l.Correction
		b.dr += b.r1 + l.Correction
	}
	if b.l2 != 0 || b.r2 != 0 {
		b.dl += b.l2 + l.Correction
		b.dr += b.r2 + l.Correction
	}
}

// alergia rejects a merge when one outgoing frequency differs by more than the Hoeffding bound (Carrasco
// and Oncina, ICGI 1994, with FlexFringe's pools). The score is the sum of the margins.
type alergia struct {
	l   *learner
	b   bins
	sum float64
}

func (a *alergia) reset() { a.sum = 0 }

func (a *alergia) score() (float64, bool) { return a.sum, true }

func (a *alergia) add(left, right int32) bool {
	if !a.b.collect(a.l, left, right) {
		return true
	}
	b := &a.b
	bound := float64((1/math.Sqrt(b.dl) + 1/math.Sqrt(b.dr)) * math.Sqrt(0.5*elementary.Log(2/a.l.Confidence)))
	test := func(L, R float64) bool {
		gap := math.Abs((L+a.l.Correction)/b.dl - (R+a.l.Correction)/b.dr)
		if bound < gap {
			return false
		}
		a.sum += bound - gap
		return true
	}
	if (b.l1 != 0 || b.r1 != 0) && !test(b.l1, b.r1) {
		return false
	}
	if (b.l2 != 0 || b.r2 != 0) && !test(b.l2, b.r2) {
		return false
	}
	for i := range b.left {
		if !test(b.left[i], b.right[i]) {
			return false
		}
	}
	return true
}

// edsm counts the evidence of labels (K. Lang, B. Pearlmutter and R. Price, ICGI 1998): the score is the
// number of pairs of states in both of which words with one label end, and a pair in which words with
// different labels end refutes. Frequencies have no say.
type edsm struct {
	l        *learner
	evidence int
}

func (h *edsm) reset() { h.evidence = 0 }

func (h *edsm) score() (float64, bool) { return float64(h.evidence), true }

func (h *edsm) add(left, right int32) bool {
	t := h.l.tree
	for a := range int32(t.types) {
		if t.finals(left, a) == 0 {
			continue
		}
		for b := range int32(t.types) {
			switch {
			case t.finals(right, b) == 0:
			case a != b:
				return false
			default:
				h.evidence++
			}
		}
	}
	return true
}
