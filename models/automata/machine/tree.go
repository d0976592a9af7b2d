package machine

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
	rep         int32 // representative in the union-find forest, itself when unmerged; not compressed: merges are undone
}

// tree is the prefix tree of the training words, in which states are merged; node 0 is the root.
type tree struct {
	nodes  []node
	number []int32 // the order of creation, which breaks ties and names states

	types      int     // number of labels; the two below are used from two labels on
	finalTypes []int32 // node×types: final by label
	pathTypes  []int32 // node×types: paths by label

	// Of packed words: each node's, all of them, the bits of a symbol, and the symbols in a number of bits.
	spans  []span
	keys   []uint64
	bits   uint
	shared [64]uint8
}

// prefixTreeBuilder is a prefix tree that grows, its nodes in order of creation.
type prefixTreeBuilder struct {
	blocks [][]builderNode // of builderBlock nodes each, so that growing copies nothing
	n      int

	// The nodes near the root, which most words pass, have a table of their children by symbol beside their list.
	symbols, depth int // of the alphabet; how deep nodes with tables are
	tables         []int32

	types                 int
	finalTypes, pathTypes []int32 // as in tree
}

// tableSpace bounds the numbers in tables.
const tableSpace = 1 << 18

// builderNode is what a node of a growing tree has to know.
type builderNode struct {
	first, next, sym int32
	words            int32 // through the node or ending in it
	final            int32 // of these, words that end in it
	table            int32 // where its table begins; none without one
}

const builderBlock = 1 << 14

func newPrefixTreeBuilder(symbols, types int) *prefixTreeBuilder {
	t := &prefixTreeBuilder{types: types, symbols: symbols}
	for space := symbols; symbols > 0 && space <= tableSpace; space *= symbols {
		if t.depth++; symbols == 1 {
			break
		}
	}
	t.add(-1, 0)
	return t
}

func (t *prefixTreeBuilder) at(n int32) *builderNode {
	return &t.blocks[n/builderBlock][n%builderBlock]
}

func (t *prefixTreeBuilder) add(sym int32, depth int) int32 {
	n := int32(t.n)
	if t.n%builderBlock == 0 {
		t.blocks = append(t.blocks, make([]builderNode, 0, builderBlock))
	}
	b := &t.blocks[len(t.blocks)-1]
	table := none
	if depth < t.depth {
		table = int32(len(t.tables))
		for range t.symbols {
			t.tables = append(t.tables, none)
		}
	}
	*b = append(*b, builderNode{first: none, next: none, sym: sym, table: table})
	t.n++
	if t.types > 1 {
		t.finalTypes = append(t.finalTypes, make([]int32, t.types)...)
		t.pathTypes = append(t.pathTypes, make([]int32, t.types)...)
	}
	return n
}

// insert adds a word, a number of times.
func (t *prefixTreeBuilder) insert(word []int32, typ, times int32) {
	n := int32(0)
	t.at(0).words += times
	for depth, a := range word {
		if t.types > 1 {
			t.pathTypes[int(n)*t.types+int(typ)] += times
		}
		n = t.child(n, a, depth)
		t.at(n).words += times
	}
	t.at(n).final += times
	if t.types > 1 {
		t.finalTypes[int(n)*t.types+int(typ)] += times
	}
}

// child finds or makes the child over symbol a of n, which is at a depth.
func (t *prefixTreeBuilder) child(n, a int32, depth int) int32 {
	node := t.at(n)
	var known *int32
	if node.table != none {
		known = &t.tables[node.table+a]
		if *known != none {
			return *known
		}
	}
	link := &node.first
	for *link != none {
		c := t.at(*link)
		if c.sym == a {
			return *link
		}
		if c.sym > a {
			break
		}
		link = &c.next
	}
	after := *link
	if known != nil {
		*known = int32(t.n)
	}
	fresh := t.add(a, depth+1)
	*link = fresh
	t.at(fresh).next = after
	return fresh
}

// tree lays the nodes out in the order in which merges walk them: the children of a node side by side, and
// the blocks of children depth first. Walking two subtrees in step then reads memory forwards.
func (t *prefixTreeBuilder) tree() *tree {
	out := &tree{nodes: make([]node, 1, t.n), number: make([]int32, 1, t.n), types: t.types}
	root := t.at(0)
	out.nodes[0] = node{
		first: root.first, next: none, parent: none, sym: -1,
		size: root.words, paths: root.words - root.final, final: root.final,
	}
	open := []int32{0} // nodes whose children are still to be placed
	for len(open) > 0 {
		q := open[len(open)-1]
		open = open[:len(open)-1]
		from := int32(len(out.nodes))
		for c := out.nodes[q].first; c != none; {
			s, n := t.at(c), int32(len(out.nodes))
			out.nodes = append(out.nodes, node{
				first: s.first, next: n + 1, parent: q, sym: s.sym, edge: s.words,
				size: s.words, paths: s.words - s.final, final: s.final, rep: n,
			})
			out.number = append(out.number, c)
			c = s.next
		}
		end := int32(len(out.nodes))
		if from == end {
			continue
		}
		out.nodes[q].first = from
		out.nodes[end-1].next = none
		for c := end - 1; c >= from; c-- {
			if out.nodes[c].first != none {
				open = append(open, c)
			}
		}
	}
	if t.types > 1 {
		out.finalTypes, out.pathTypes = out.permute(t.finalTypes), out.permute(t.pathTypes)
	}
	return out
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
