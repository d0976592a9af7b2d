package machine

import (
	"slices"

	"plumbline/numeric/elementary"
)

// order is the red states in the order in which they are tested.
func (l *learner) order() []int32 {
	if l.Compat != V23 {
		return l.reds
	}
	out := slices.Clone(l.reds)
	slices.SortFunc(out, func(a, b int32) int {
		if d := l.tree.nodes[b].size - l.tree.nodes[a].size; d != 0 {
			return int(d)
		}
		return int(l.tree.number[a] - l.tree.number[b])
	})
	return out
}

// colour makes a state red and keeps reds in breadth-first order of the red tree, children by symbol.
func (l *learner) colour(n int32) {
	l.isRed[n] = true
	t := l.tree
	t.touch(n)
	l.reds = append(l.reds[:0], 0)
	for i := 0; i < len(l.reds); i++ {
		q := l.reds[i]
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			if c := t.find(e); c != 0 && l.isRed[c] && t.treeEdge(q, e, c) {
				l.reds = append(l.reds, c)
			}
		}
	}
}

// likeliest is the red state from which the words of a blue subtree have the highest probability, and its logarithm:
// the first of equals.
func (l *learner) likeliest(blue int32) (into int32, logp float64) {
	into = none
	for _, red := range l.reds {
		if red == 0 && !l.MergeRoot && len(l.reds) > 1 {
			continue
		}
		if p := l.logProbability(red, blue); into == none || p > logp {
			into, logp = red, p
		}
	}
	return into, logp
}

// logProbability is that of a subtree's words from a red state, counts smoothed by ½ (R. Krichevsky and V. Trofimov,
// IEEE Transactions on Information Theory 27, 1981). Beyond the red part, where nothing is known, all symbols are
// equally likely: so every state judges all words.
func (l *learner) logProbability(red, blue int32) (sum float64) {
	t := l.tree
	type at struct{ state, node int32 }
	stack := []at{{red, blue}}
	symbols := float64(l.symbols) + 1
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		total := elementary.Log(symbols / 2)
		if p.state != none {
			total = elementary.Log(float64(t.nodes[p.state].paths+t.nodes[p.state].final) + symbols/2)
		}
		term := func(seen, n int32) {
			if n > 0 {
				sum += float64(float64(n) * (elementary.Log(float64(seen)+0.5) - total))
			}
		}
		if l.FinalProb {
			end := int32(0)
			if p.state != none {
				end = t.nodes[p.state].final
			}
			term(end, t.nodes[p.node].final)
		}
		e := none
		if p.state != none {
			e = t.nodes[p.state].first
		}
		for c := t.nodes[p.node].first; c != none; c = t.nodes[c].next {
			n := l.count(p.node, c)
			if n == 0 {
				continue
			}
			for e != none && t.nodes[e].sym < t.nodes[c].sym {
				e = t.nodes[e].next
			}
			to := none
			if e != none && t.nodes[e].sym == t.nodes[c].sym {
				term(l.count(p.state, e), n)
				if to = t.find(e); !l.isRed[to] || t.nodes[e].edge < 0 {
					to = none
				}
			} else {
				term(0, n)
			}
			stack = append(stack, at{to, t.find(c)})
		}
	}
	return sum
}

// largestBlue is the blue state with the most words that is no sink, or that is one; the older one of equals; none if
// there is none. Blue states are reached from a red one by the edge that made them.
func (l *learner) largestBlue(sinks bool) int32 {
	t := l.tree
	best := none
	for _, q := range l.reds {
		for e := t.nodes[q].first; e != none; e = t.nodes[e].next {
			c := t.find(e)
			if l.isRed[c] || !t.treeEdge(q, e, c) || l.sink(c) != sinks {
				continue
			}
			if best != none && t.nodes[c].size < t.nodes[best].size {
				continue
			}
			if best == none || t.nodes[c].size > t.nodes[best].size || t.number[c] < t.number[best] {
				best = c
			}
		}
	}
	return best
}

func (l *learner) sink(n int32) bool {
	return int(l.tree.nodes[n].paths+l.tree.nodes[n].final) < l.SinkCount
}
