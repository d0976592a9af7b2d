package automata

// none ends a sibling list and stands for "no node".
const none int32 = -1

// node is one node of the prefix tree, and the edge that leads into it. A node's children are a list
// threaded through next, sorted by symbol. While states are merged, an entry of such a list is an edge: it
// leads to the representative of the entry (find), and its count is the entry's.
type node struct {
	first, next int32 // first child; next sibling with a larger symbol
	parent, sym int32 // the edge by which the node was made
	edge        int32 // words over the edge; negative: see addCounters
	size        int32 // words through or ending in the state
	paths       int32 // words that go on from the state
	final       int32 // words that end in the state
	rep         int32 // representative in the union-find forest, itself when unmerged. Paths are not compressed: merges are undone.
}

// tree is the prefix tree of the training words; node 0 is the root. While it grows, nodes stand in order
// of creation, later as pack puts them.
type tree struct {
	nodes  []node
	number []int32 // after pack: the order of creation, which breaks ties and names states

	types      int     // number of labels; the two below are used from two labels on
	finalTypes []int32 // node×types: final by label
	pathTypes  []int32 // node×types: paths by label
}

func newTree(types int) *tree {
	t := &tree{types: types}
	t.add(none, -1)
	return t
}

func (t *tree) add(parent, sym int32) int32 {
	n := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{first: none, next: none, parent: parent, sym: sym, rep: n})
	if t.types > 1 {
		t.finalTypes = append(t.finalTypes, make([]int32, t.types)...)
		t.pathTypes = append(t.pathTypes, make([]int32, t.types)...)
	}
	return n
}

// insert adds one word.
func (t *tree) insert(word []int32, typ int32) {
	n := int32(0)
	t.nodes[0].size++
	for _, a := range word {
		t.nodes[n].paths++
		if t.types > 1 {
			t.pathTypes[int(n)*t.types+int(typ)]++
		}
		n = t.child(n, a)
		t.nodes[n].edge++
		t.nodes[n].size++
	}
	t.nodes[n].final++
	if t.types > 1 {
		t.finalTypes[int(n)*t.types+int(typ)]++
	}
}

// child finds or makes n's child over symbol a.
func (t *tree) child(n, a int32) int32 {
	before := none
	c := t.nodes[n].first
	for c != none && t.nodes[c].sym < a {
		before, c = c, t.nodes[c].next
	}
	if c != none && t.nodes[c].sym == a {
		return c
	}
	fresh := t.add(n, a)
	t.nodes[fresh].next = c
	if before == none {
		t.nodes[n].first = fresh
	} else {
		t.nodes[before].next = fresh
	}
	return fresh
}

// pack lays the nodes out in the order in which merges walk them: the children of a node side by side, and
// the blocks of children depth first. Walking two subtrees in step then reads memory forwards.
func (t *tree) pack() {
	n := len(t.nodes)
	packed := make([]node, 1, n)
	t.number = make([]int32, 1, n)
	packed[0] = t.nodes[0]
	packed[0].rep = 0
	open := []int32{0} // packed nodes whose children are still to be placed
	for len(open) > 0 {
		q := open[len(open)-1]
		open = open[:len(open)-1]
		from := int32(len(packed))
		for c := packed[q].first; c != none; c = t.nodes[c].next {
			child := t.nodes[c]
			child.parent, child.next, child.rep = q, int32(len(packed))+1, int32(len(packed))
			packed = append(packed, child)
			t.number = append(t.number, c)
		}
		end := int32(len(packed))
		if from == end {
			continue
		}
		packed[q].first = from
		packed[end-1].next = none
		for c := end - 1; c >= from; c-- {
			if packed[c].first != none {
				open = append(open, c)
			}
		}
	}
	t.nodes = packed
	if t.types > 1 {
		t.finalTypes, t.pathTypes = t.permute(t.finalTypes), t.permute(t.pathTypes)
	}
}

func (t *tree) permute(old []int32) []int32 {
	out := make([]int32, len(old))
	for i, n := range t.number {
		copy(out[i*t.types:(i+1)*t.types], old[int(n)*t.types:])
	}
	return out
}

func (t *tree) find(n int32) int32 {
	for t.nodes[n].rep != n {
		n = t.nodes[n].rep
	}
	return n
}

// treeEdge says whether edge e of state q, which leads to state c, is the one that c was made by. The red
// states form a tree over these edges.
func (t *tree) treeEdge(q, e, c int32) bool {
	return t.nodes[c].sym == t.nodes[e].sym && t.find(t.nodes[c].parent) == q
}

// finals and pathsOf are the label's share of a state's counters.
func (t *tree) finals(n, typ int32) int32 {
	if t.types > 1 {
		return t.finalTypes[int(n)*t.types+int(typ)]
	}
	return t.nodes[n].final
}

func (t *tree) pathsOf(n, typ int32) int32 {
	if t.types > 1 {
		return t.pathTypes[int(n)*t.types+int(typ)]
	}
	return t.nodes[n].paths
}

// access is the word of n's tree path, first symbol first.
func (t *tree) access(n int32) []int32 {
	var w []int32
	for ; n != 0; n = t.nodes[n].parent {
		w = append(w, t.nodes[n].sym)
	}
	for i, j := 0, len(w)-1; i < j; i, j = i+1, j-1 {
		w[i], w[j] = w[j], w[i]
	}
	return w
}
