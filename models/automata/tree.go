package automata

// none ends a sibling list and stands for "no node".
const none int32 = -1

// tree is the prefix tree of the training words as flat arrays, one entry a node in order of creation;
// node 0 is the root. A node's children are a list threaded through next, sorted by symbol. While states
// are merged, an entry of such a list is an edge: its target is the representative of the entry
// (find), its count is edge[entry].
type tree struct {
	first, next []int32 // first child; next sibling with a larger symbol
	parent, sym []int32 // the edge by which the node was created
	edge        []int32 // words over the edge into the node
	size        []int32 // words through or ending in the state
	paths       []int32 // words that go on from the state
	final       []int32 // words that end in the state
	rep         []int32 // representative in the union-find forest; itself when unmerged. No path compression: merges are undone.

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
	n := int32(len(t.first))
	t.first = append(t.first, none)
	t.next = append(t.next, none)
	t.parent = append(t.parent, parent)
	t.sym = append(t.sym, sym)
	t.edge = append(t.edge, 0)
	t.size = append(t.size, 0)
	t.paths = append(t.paths, 0)
	t.final = append(t.final, 0)
	if t.types > 1 {
		for range t.types {
			t.finalTypes = append(t.finalTypes, 0)
			t.pathTypes = append(t.pathTypes, 0)
		}
	}
	return n
}

// insert adds one word.
func (t *tree) insert(word []int32, typ int32) {
	n := int32(0)
	t.size[0]++
	for _, a := range word {
		t.paths[n]++
		if t.types > 1 {
			t.pathTypes[int(n)*t.types+int(typ)]++
		}
		n = t.child(n, a)
		t.edge[n]++
		t.size[n]++
	}
	t.final[n]++
	if t.types > 1 {
		t.finalTypes[int(n)*t.types+int(typ)]++
	}
}

// child finds or makes n's child over symbol a.
func (t *tree) child(n, a int32) int32 {
	before := none
	c := t.first[n]
	for c != none && t.sym[c] < a {
		before, c = c, t.next[c]
	}
	if c != none && t.sym[c] == a {
		return c
	}
	fresh := t.add(n, a)
	t.next[fresh] = c
	if before == none {
		t.first[n] = fresh
	} else {
		t.next[before] = fresh
	}
	return fresh
}

// seal makes every node its own representative. No words are inserted after it.
func (t *tree) seal() {
	t.rep = make([]int32, len(t.first))
	for i := range t.rep {
		t.rep[i] = int32(i)
	}
}

func (t *tree) find(n int32) int32 {
	for t.rep[n] != n {
		n = t.rep[n]
	}
	return n
}

// treeEdge says whether edge e of state q, which leads to state c, is the one that c was made by. The red
// states form a tree over these edges.
func (t *tree) treeEdge(q, e, c int32) bool {
	return t.sym[c] == t.sym[e] && t.find(t.parent[c]) == q
}

// finals and pathsOf are the label's share of a state's counters.
func (t *tree) finals(n, typ int32) int32 {
	if t.types > 1 {
		return t.finalTypes[int(n)*t.types+int(typ)]
	}
	return t.final[n]
}

func (t *tree) pathsOf(n, typ int32) int32 {
	if t.types > 1 {
		return t.pathTypes[int(n)*t.types+int(typ)]
	}
	return t.paths[n]
}

// access is the word of n's tree path, first symbol first.
func (t *tree) access(n int32) []int32 {
	var w []int32
	for ; n != 0; n = t.parent[n] {
		w = append(w, t.sym[n])
	}
	for i, j := 0, len(w)-1; i < j; i, j = i+1, j-1 {
		w[i], w[j] = w[j], w[i]
	}
	return w
}
