package machine

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// packedWords are words of one label as numbers: a symbol, counted from 1, takes a few bits from the highest on, and
// what is left is 0. Sorted, they are the words of a prefix tree from its first branch to its last, and the words
// through a node are a run of them. Short words over a small alphabet, such as windows, make up trees so without a walk
// from the root for each.
type packedWords struct {
	bits  uint // of a symbol
	words []packedWord
	room  []packedWord // what sorting needs
	limit int          // of words: then equal ones are joined
	n     int          // words that were added
}

// packedWord is equal words.
type packedWord struct {
	key   uint64
	first int32 // the place of the first of them among all words
	count int32
}

const firstLimit = 1 << 20

func newPackedWords(symbols int) *packedWords {
	return &packedWords{bits: max(1, uint(bits.Len(uint(symbols)))), limit: firstLimit}
}

// fits says whether a word can be packed.
func (p *packedWords) fits(word []int32) bool {
	return uint(len(word))*p.bits <= 64 && p.n < math.MaxInt32
}

func (p *packedWords) add(word []int32) {
	key, at := uint64(0), uint(64)
	for _, a := range word {
		at -= p.bits
		key |= uint64(a+1) << at
	}
	if len(p.words) == p.limit {
		p.join()
		if 2*len(p.words) > p.limit {
			p.limit *= 2
		}
	}
	if len(p.words) == cap(p.words) {
		p.words = slices.Grow(p.words, max(1024, len(p.words)))
	}
	p.words = append(p.words, packedWord{key, int32(p.n), 1})
	p.n++
}

// length is the symbols of a word.
func (p *packedWords) length(key uint64) int {
	return int((64 - uint(bits.TrailingZeros64(key)) + p.bits - 1) / p.bits)
}

// unpack is a word's symbols.
func (p *packedWords) unpack(key uint64, into []int32) []int32 {
	for into = into[:0]; key != 0; key <<= p.bits {
		into = append(into, int32(key>>(64-p.bits))-1)
	}
	return into
}

// join sorts the words and makes one of equal ones.
func (p *packedWords) join() {
	p.room = slices.Grow(p.room[:0], len(p.words))[:len(p.words)]
	p.words, p.room = sortByKey(p.words, p.room)
	kept := p.words[:0]
	for _, w := range p.words {
		if last := len(kept) - 1; last >= 0 && kept[last].key == w.key {
			kept[last].count += w.count
		} else {
			kept = append(kept, w)
		}
	}
	p.words = kept
}

// sortByKey is a stable sort, from the lowest bits in which words differ to the highest. It returns the sorted words
// and the other slice.
func sortByKey(words, room []packedWord) (sorted, other []packedWord) {
	const digit = 11
	differ := uint64(0)
	for i := range words {
		differ |= words[i].key ^ words[0].key
	}
	for shift := uint(bits.TrailingZeros64(differ)); differ>>shift != 0; shift += digit {
		if differ>>shift&(1<<digit-1) == 0 {
			continue
		}
		var place [1 << digit]int32
		for i := range words {
			place[words[i].key>>shift&(1<<digit-1)]++
		}
		at := int32(0)
		for k, n := range place {
			place[k], at = at, at+n
		}
		for i := range words {
			to := &place[words[i].key>>shift&(1<<digit-1)]
			room[*to] = words[i]
			*to++
		}
		words, room = room, words
	}
	return words, room
}

// insertInto adds the words to a tree that takes words of any kind, in the order of their first.
func (p *packedWords) insertInto(t *prefixTreeBuilder) {
	p.join()
	slices.SortFunc(p.words, func(a, b packedWord) int { return cmp.Compare(a.first, b.first) })
	var word []int32
	for _, w := range p.words {
		word = p.unpack(w.key, word)
		t.insert(word, 0, w.count)
	}
}

// span is the words through a node whose subtree is as the words made it: keys[from:from+n], of which the first depth
// bits lead to the node. n is 0 where merges have changed it, and manyKeys for that many or more.
type span struct {
	from     int32
	n, depth uint8
}

const manyKeys = 255

var errTooManyNodes = errors.New("the prefix tree grows over 2147483647 nodes; use windows or less data")

// tree is that of prefixTreeBuilder for the same words, and what packed words say more.
func (p *packedWords) tree() (*tree, error) {
	p.join()
	p.room = nil
	size, before := 1, uint64(0)
	for i, w := range p.words {
		shared := 0
		if i > 0 {
			shared = bits.LeadingZeros64(before^w.key) / int(p.bits) // the words differ
		}
		size += p.length(w.key) - shared
		before = w.key
	}
	if size > math.MaxInt32 {
		return nil, errTooManyNodes
	}
	l := &layout{
		packedWords: p, t: &tree{nodes: make([]node, 1, size), number: make([]int32, 1, size), types: 1},
		made: make([]int32, p.n),
	}
	t := l.t
	t.spans, t.keys, t.bits = make([]span, 1, size), make([]uint64, len(p.words)), p.bits
	root := &t.nodes[0]
	*root = node{first: none, next: none, parent: none, sym: -1}
	for i, w := range p.words {
		t.keys[i] = w.key
		root.size += w.count
	}
	l.open = append(l.open, run{0, 0, int32(len(p.words)), 0})
	for len(l.open) > 0 {
		r := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		l.place(r)
	}
	// A word's nodes that no word before it has are its last ones, and were made after those of the words before.
	made := int32(1)
	for i, n := range l.made {
		made += n
		l.made[i] = made
	}
	for n := range t.nodes[1:] {
		x := &t.nodes[1+n]
		t.number[1+n] = l.made[t.number[1+n]] - 1 - x.rep
		x.rep = int32(1 + n)
	}
	for lz := range t.shared {
		t.shared[lz] = uint8(uint(lz) / p.bits)
	}
	return t, nil
}

// layout is a tree that is made from sorted words, its nodes placed as prefixTreeBuilder.tree does.
type layout struct {
	*packedWords
	t    *tree
	open []run   // nodes whose children are still to be placed
	made []int32 // of each word: nodes that no word before it has
}

// run is a node and the words through it.
type run struct {
	node, from, to int32
	depth          uint // bits that lead to the node
}

// place places the children of a node. Until all are placed, number is a node's first word, and rep how many symbols
// that goes on for.
func (l *layout) place(r run) {
	t, words := l.t, l.words
	q := &t.nodes[r.node]
	i, top := r.from, 64-l.bits
	if i < r.to && words[i].key<<r.depth == 0 {
		q.final = words[i].count
		i++
	}
	q.paths = q.size - q.final
	if i == r.to {
		return
	}
	from, depth := int32(len(t.nodes)), r.depth+l.bits
	q.first = from
	for i < r.to {
		a, begin, first := words[i].key<<r.depth>>top, i, i
		size := int32(0)
		for ; i < r.to && words[i].key<<r.depth>>top == a; i++ {
			size += words[i].count
			if words[i].first < words[first].first {
				first = i
			}
		}
		w := &words[first]
		l.made[w.first]++
		n := int32(len(t.nodes))
		t.nodes = append(t.nodes, node{
			first: none, next: n + 1, parent: r.node, sym: int32(a) - 1, edge: size, size: size,
			rep: int32(l.length(w.key)) - int32(depth/l.bits),
		})
		t.number = append(t.number, w.first)
		t.spans = append(t.spans, span{begin, uint8(min(i-begin, manyKeys)), uint8(depth)})
	}
	end := int32(len(t.nodes))
	t.nodes[end-1].next = none
	for c, to := end-1, r.to; c >= from; c-- {
		l.open = append(l.open, run{c, t.spans[c].from, to, depth})
		to = t.spans[c].from
	}
}

// whole says whether a node's subtree is as its words made it, which are not many.
func (t *tree) whole(n int32) bool {
	return t.spans != nil && t.spans[n].n > 0 && t.spans[n].n < manyKeys
}

// words is the words through a whole node, and how many bits lead to it.
func (t *tree) words(n int32) (keys []uint64, depth uint) {
	s := &t.spans[n]
	return t.keys[s.from : s.from+int32(s.n)], uint(s.depth)
}

// touch says that a merge changes what is at a node.
func (t *tree) touch(n int32) {
	if t.spans != nil {
		t.spans[n].n = 0
	}
}

// sharedDOF is the sum of fewDOF over the pairs of two subtrees as sorted words a and b, of which the first from and
// with bits are not looked at; end is what a word adds that ends in both. Of words that share their first d symbols,
// a pair for each of them: with C the nodes that both trees have, as many as C has without its root, one more for each
// that has children in C, and for each that has children in both.
func (t *tree) sharedDOF(a, b []uint64, from, with uint, end int) (dof int) {
	switch {
	case len(a) == 1:
		return t.sharedWithOne(a[0]<<from, b, with, end)
	case len(b) == 1:
		return t.sharedWithOne(b[0]<<with, a, from, end)
	}
	i, j, top := 0, 0, 64-t.bits
	if a[0]<<from == 0 {
		i = 1
	}
	if b[0]<<with == 0 {
		j = 1
	}
	dof = end * (i & j)
	if i < len(a) && j < len(b) {
		dof++
	}
	shared := 0
	for i < len(a) && j < len(b) {
		x, y := a[i]<<from>>top, b[j]<<with>>top
		switch {
		case x < y:
			i++
			continue
		case x > y:
			j++
			continue
		}
		p, q := i, j
		for i++; i < len(a) && a[i]<<from>>top == x; i++ {
		}
		for j++; j < len(b) && b[j]<<with>>top == x; j++ {
		}
		shared = 1
		dof += 1 + t.sharedDOF(a[p:i], b[q:j], from+t.bits, with+t.bits, end)
	}
	return dof + shared
}

// sharedWithOne is sharedDOF of one word: a path, as far as some of the others go along.
func (t *tree) sharedWithOne(x uint64, others []uint64, with uint, end int) int {
	most, beyond, equal := uint(0), 0, 0
	for _, key := range others {
		y := key << with
		if x == y {
			most, beyond, equal = (64-uint(bits.TrailingZeros64(x))+t.bits-1)/t.bits, 0, end
			continue
		}
		k := uint(t.shared[bits.LeadingZeros64(x^y)&63])
		if k < most {
			continue
		}
		if k > most {
			most, beyond = k, 0
		}
		if x<<(k*t.bits) != 0 && y<<(k*t.bits) != 0 {
			beyond = 1
		}
	}
	return int(3*most) + beyond + equal
}
