package machine

import (
	"math"

	"plumbline/numeric/elementary"
	"plumbline/numeric/stat"
)

// likelihood tests the whole merge at once: twice the loss of log-likelihood against chi-squared (Verwer
// and others, ICGI 2010). The score is the p-value. In the compatible modes the degrees of freedom are the
// bins seen on both sides, even below the threshold; for clean mode see addClean.
//
// No bin lowers the loss, by the log-sum inequality. So a merge is refuted as soon as its loss is beyond what the
// degrees of freedom that are still to come would allow at most.
type likelihood struct {
	l            *learner
	b            bins
	orig, merged float64
	dof          int
	most         func(k float64) float64 // loss that no merge of k degrees of freedom survives
	terms        []term                  // of the bins so far
	recording    bool                    // keep them
}

// term is what a bin adds to the log-likelihoods of two states apart and together.
type term struct{ orig, merged float64 }

func (h *likelihood) reset() { h.orig, h.merged, h.dof, h.recording = 0, 0, 0, false }

func (h *likelihood) sums() *likelihood { return h }

// replay adds kept terms.
func (h *likelihood) replay(terms []term) {
	for _, t := range terms {
		h.orig += t.orig
		h.merged += t.merged
	}
}

// gain adds a term.
func (h *likelihood) gain(orig, merged float64) {
	h.orig += float64(orig)
	h.merged += float64(merged)
	if h.recording {
		h.terms = append(h.terms, term{orig, merged})
	}
}

// possible says whether the merge could still be accepted when pairs to come have at most open degrees of freedom.
func (h *likelihood) possible(open int) bool {
	k := h.dof + open
	return k >= unboundedDOF || h.orig-h.merged <= float64(h.most(float64(k))*(1+1e-6))+1e-3 // but for rounding
}

// mayBeat: the score falls with the loss and rises with the degrees of freedom.
func (h *likelihood) mayBeat(other float64, open int) bool {
	k := h.dof + open
	switch {
	case other >= 1:
		return false
	case other <= 0 || k >= unboundedDOF:
		return true
	}
	loss := h.orig - h.merged - 1e-3 // but for rounding
	return pValue(2*loss, k) > float64(other*(1-1e-9))
}

// survivable is what χ² of k degrees of freedom is above with a probability of at most exp(−t) (B. Laurent and P.
// Massart, Annals of Statistics 28, 2000).
func survivable(t, k float64) float64 { return k + 2*math.Sqrt(k*t) + 2*t }

func (h *likelihood) score() (float64, bool) {
	p := pValue(2*(h.orig-h.merged), h.dof)
	return p, p >= float64(float32(h.l.Confidence))
}

// pValue is P(χ²(dof) > x), with the conventions that no difference is no evidence, and that a difference
// without degrees of freedom refutes.
func pValue(x float64, dof int) float64 {
	switch {
	case x <= 0x1p-52:
		return 1
	case dof == 0:
		return 0
	}
	return stat.ChiSquaredSurvival(x, float64(dof))
}

func (h *likelihood) add(left, right int32) bool {
	if !h.addPair(left, right) {
		return false
	}
	// the pairs below are to come, and their degrees of freedom are among those of the right state's subtree
	return h.l.dof == nil || h.possible(h.l.openDOF+int(h.l.dof[right]))
}

// addPair is add, but for what the pairs to come allow.
func (h *likelihood) addPair(left, right int32) bool {
	l, t := h.l, h.l.tree
	if t.types > 1 && !h.sameType(left, right) {
		return false
	}
	if l.Compat == Clean {
		h.addClean(left, right)
		return true
	}
	if h.b.collect(l, left, right) {
		h.addBins(l.FinalProb, float64(t.nodes[left].final), float64(t.nodes[right].final))
	}
	if l.Compat == V23 && l.TypeDist && h.collectTypes(left, right) {
		h.addBins(false, 0, 0)
	}
	return true
}

// fewWords is below how many words through either state of a pair the compatible modes pool all symbols of both, and
// count pools too rare to be used: then there are degrees of freedom, and no terms. 0: with these settings it cannot be
// told by the number of words.
func (h *likelihood) fewWords() int32 {
	l := h.l
	if l.Compat == Clean || l.MergeData || l.FinalProb || l.StateCount > 0 || l.tree.types > 1 {
		return 0
	}
	return int32(max(0, l.SymbolCount))
}

// fewDOF is the degrees of freedom of such a pair: each of the shared symbols that both were left by, a pool of these
// with all of the left state's, one with all of the right state's, and where words end in both and labels are tested
// the label and two pools of it.
func (h *likelihood) fewDOF(left, right int32, shared int) (dof int) {
	l, r := &h.l.tree.nodes[left], &h.l.tree.nodes[right]
	if dof = shared; shared > 0 {
		dof++
	}
	if l.paths > 0 && r.paths > 0 {
		dof++
	}
	if l.final > 0 && r.final > 0 {
		dof += h.endDOF()
	}
	return dof
}

// endDOF is those of the label of the words that end in both states of a pair.
func (h *likelihood) endDOF() int {
	if h.l.Compat == V23 && h.l.TypeDist {
		return 3
	}
	return 0
}

// sameType: states whose words end with one label must not meet states whose words end with another.
func (h *likelihood) sameType(left, right int32) bool {
	t := h.l.tree
	only := func(n int32) (int, bool) {
		k, kinds := -1, 0
		for typ := range t.types {
			if t.finals(n, int32(typ)) > 0 {
				k, kinds = typ, kinds+1
			}
		}
		return k, kinds == 1
	}
	a, pureA := only(left)
	b, pureB := only(right)
	return !pureA || !pureB || a == b
}

func (h *likelihood) collectTypes(left, right int32) bool {
	l, t, b := h.l, h.l.tree, &h.b
	have := func(n int32) int {
		v := t.nodes[n].paths
		if l.FinalProb {
			v += t.nodes[n].final
		}
		return int(v)
	}
	if have(left) < l.StateCount || have(right) < l.StateCount {
		return false
	}
	*b = bins{left: b.left[:0], right: b.right[:0]}
	unseen := float64(t.nodes[right].final)
	for typ := range int32(t.types) {
		L, R := float64(t.finals(left, typ)), float64(t.finals(right, typ))
		if L == 0 {
			continue
		}
		b.left, b.right = append(b.left, L), append(b.right, R)
		unseen -= R
		b.pool(l, L, R)
	}
	b.r2 += unseen
	b.close(l)
	return true
}

func (h *likelihood) addBins(final bool, finalL, finalR float64) {
	l, b := h.l, &h.b
	if b.dl < float64(l.StateCount) || b.dr < float64(l.StateCount) {
		return
	}
	s := float64(l.SymbolCount)
	both := func(L, R float64) bool { return L >= s && R >= s }
	either := func(L, R float64) bool { return L >= s || R >= s }
	symbols := both
	if l.Compat == V23 {
		symbols = either
	}
	addPools := func() {
		h.term(b.l1, b.r1, either(b.l1, b.r1))
		h.term(b.l2, b.r2, either(b.l2, b.r2))
	}
	if l.Compat == V23 {
		addPools()
	}
	for i := range b.left {
		h.term(b.left[i], b.right[i], symbols(b.left[i], b.right[i]))
	}
	if final && l.Compat != V23 {
		h.term(finalL, finalR, symbols(finalL, finalR))
	}
	if l.Compat != V23 {
		addPools()
	}
}

// term adds one bin as the compatible modes do.
func (h *likelihood) term(L, R float64, use bool) {
	if L == 0 && R == 0 {
		return
	}
	if L > 0 && R > 0 {
		h.dof++
	}
	if !use {
		return
	}
	L += h.l.Correction
	R += h.l.Correction
	h.gain(xlog(L, h.b.dl)+xlog(R, h.b.dr), xlog(L+R, h.b.dl+h.b.dr))
}

// addClean adds one pair as the textbook's test of homogeneity does: every symbol that both states together were left
// by SymbolCount times is a bin, and so is the end of the word; what is rarer is pooled; a pair has one degree of
// freedom less than it has bins. Counts are not smoothed, and one that is nothing on one side is evidence. On few words
// the ratio is larger than chi-squared, and a merge sums over many such pairs: where machines are to be exact rather
// than probable, StateCount should be some tens.
func (h *likelihood) addClean(left, right int32) {
	l, t := h.l, h.l.tree
	a, b := &t.nodes[left], &t.nodes[right]
	dl, dr := float64(a.paths), float64(b.paths)
	if l.FinalProb {
		dl, dr = dl+float64(a.final), dr+float64(b.final)
	}
	if need := max(1, float64(l.StateCount)); dl < need || dr < need {
		return
	}
	bins, rareL, rareR := 0, 0.0, 0.0
	add := func(L, R float64) {
		if L+R == 0 {
			return
		}
		bins++
		h.gain(xlog(L, dl)+xlog(R, dr), xlog(L+R, dl+dr))
	}
	symbol := func(L, R float64) {
		if L+R < float64(l.SymbolCount) {
			rareL, rareR = rareL+L, rareR+R
			return
		}
		add(L, R)
	}
	x, y := a.first, b.first
	for x != none || y != none {
		switch {
		case y == none || x != none && t.nodes[x].sym < t.nodes[y].sym:
			symbol(float64(l.count(left, x)), 0)
			x = t.nodes[x].next
		case x == none || t.nodes[y].sym < t.nodes[x].sym:
			symbol(0, float64(l.count(right, y)))
			y = t.nodes[y].next
		default:
			symbol(float64(l.count(left, x)), float64(l.count(right, y)))
			x, y = t.nodes[x].next, t.nodes[y].next
		}
	}
	if l.FinalProb {
		symbol(float64(a.final), float64(b.final))
	}
	add(rareL, rareR)
	h.dof += max(0, bins-1)
}

// slack is by how much rounding may make a loss of log-likelihood differ from nothing.
const slack = 1e-9

// aic accepts a merge that does not make Akaike's information criterion worse: with the loss of
// log-likelihood Δ and k parameters saved, as the likelihood ratio test counts both,
//
//	score = 2k − 2Δ ≥ 0
//
// (H. Akaike, IEEE Transactions on Automatic Control 19, 1974). The compatible modes have FlexFringe's rule:
// the score must be above confidence_bound, and a merge that saves no parameter is refuted.
type aic struct{ likelihood }

func (h *aic) score() (float64, bool) {
	score := 2 * (float64(h.dof) - (h.orig - h.merged))
	if h.l.Compat != Clean {
		return score, h.dof > 0 && score > float64(float32(h.l.Confidence))
	}
	if score < 0 && score > -slack {
		score = 0
	}
	return score, score >= 0
}

func (h *aic) mayBeat(other float64, open int) bool {
	k := h.dof + open
	return k >= unboundedDOF || 2*(float64(k)-(h.orig-h.merged))+2e-3 > other
}

// kl accepts a merge whose loss of log-likelihood, which is the Kullback-Leibler divergence that the merge
// adds times the number of words, is at most confidence_bound for each parameter that it saves; one that
// saves none must lose nothing. The score is what is left of the bound (after F. Thollard, P. Dupont and
// C. de la Higuera, ICML 2000, who divide by states where FlexFringe divides by parameters).
type kl struct{ likelihood }

func (h *kl) score() (float64, bool) {
	loss := h.orig - h.merged
	if loss < slack {
		loss = 0
	}
	if h.dof == 0 {
		return 0, loss == 0
	}
	score := h.l.Confidence - loss/float64(h.dof)
	return score, score >= 0
}

// mayBeat: a pair without loss lowers the loss for each parameter, so nothing is known.
func (h *kl) mayBeat(float64, int) bool { return true }

// xlog is x·ln(x/of), and 0 for x = 0.
func xlog(x, of float64) float64 {
	if x == 0 {
		return 0
	}
	return x * elementary.Log(x/of)
}
