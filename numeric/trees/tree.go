package trees

import (
	"fmt"
	"math"
)

// Tree is a binary tree as flat arrays. Node 0 is the root and children stand after their parent. A row goes left where
// x[Column] ≤ At.
type Tree struct {
	Column      []int32 // −1 in leaves
	At          []float64
	Left, Right []int32
	Cover       []float64 // weight of the training rows in the node
	Value       []float64 // per node, of whatever width: probabilities of classes, or a margin

	// Missing says in which nodes rows without a value (NaN) go left; elsewhere they go right. Nil: in none.
	Missing []bool
	// Category is, for a node that splits by categories, the place of its sets in Sets, else −1. Nil: no node does.
	Category []int32
	Sets     []Sets
}

// Sets is the categories, numbers from 0 to 255, that a node knows, and those of them that go left. What is not known
// goes where missing values go.
type Sets struct{ Known, Left Set }

// Set is some of the numbers from 0 to 255.
type Set [4]uint64

// Add puts a number in.
func (s *Set) Add(k uint8) { s[k/64] |= 1 << (k % 64) }

// Has says whether a number is in.
func (s *Set) Has(k uint8) bool { return s[k/64]>>(k%64)&1 != 0 }

// in is Has for a value, which may be no number from 0 to 255.
func (s *Set) in(v float32) bool {
	return v >= 0 && v < 256 && float32(uint8(v)) == v && s.Has(uint8(v))
}

// Leaf is the node in which a row ends.
func (t *Tree) Leaf(row []float32) int {
	q := int32(0)
	if t.Category != nil {
		for t.Column[q] >= 0 {
			q = t.Child(q, row)
		}
		return int(q)
	}
	for {
		c := t.Column[q]
		if c < 0 {
			return int(q)
		}
		switch v := row[c]; {
		case float64(v) <= t.At[q]:
			q = t.Left[q]
		case v != v && t.Missing != nil && t.Missing[q]:
			q = t.Left[q]
		default:
			q = t.Right[q]
		}
	}
}

// Child is where a row goes from an inner node.
func (t *Tree) Child(q int32, row []float32) int32 {
	v := row[t.Column[q]]
	left := float64(v) <= t.At[q]
	if t.Category != nil && t.Category[q] >= 0 {
		s := &t.Sets[t.Category[q]]
		if left = s.Left.in(v); !s.Known.in(v) {
			v = float32(math.NaN())
		}
	}
	if v != v {
		left = t.Missing != nil && t.Missing[q]
	}
	if left {
		return t.Left[q]
	}
	return t.Right[q]
}

// Add appends a leaf.
func (t *Tree) Add(cover float64, value ...float64) int32 {
	t.Column, t.At = append(t.Column, -1), append(t.At, 0)
	t.Left, t.Right = append(t.Left, -1), append(t.Right, -1)
	t.Cover, t.Value = append(t.Cover, cover), append(t.Value, value...)
	if t.Missing != nil {
		t.Missing = append(t.Missing, false)
	}
	if t.Category != nil {
		t.Category = append(t.Category, -1)
	}
	return int32(len(t.Column) - 1)
}

// Split turns a leaf into an inner node.
func (t *Tree) Split(q int32, column int, at float64, left, right int32) {
	t.Column[q], t.At[q], t.Left[q], t.Right[q] = int32(column), at, left, right
}

// SendMissingLeft sends rows without a value left from a node.
func (t *Tree) SendMissingLeft(q int32) {
	if t.Missing == nil {
		t.Missing = make([]bool, len(t.Column))
	}
	t.Missing[q] = true
}

// SplitCategories makes an inner node split by categories.
func (t *Tree) SplitCategories(q int32, s Sets) {
	if t.Category == nil {
		t.Category = make([]int32, len(t.Column))
		for i := range t.Category {
			t.Category[i] = -1
		}
	}
	t.Category[q] = int32(len(t.Sets))
	t.Sets = append(t.Sets, s)
}

// Class is the first of the most probable of k classes of a row, in a tree whose values are probabilities.
func (t *Tree) Class(row []float32, k int) int {
	p := t.Value[t.Leaf(row)*k:]
	best := 0
	for c := range k {
		if p[c] > p[best] {
			best = c
		}
	}
	return best
}

// Check refuses trees of d columns and width values a node that no walk would get through.
func (t *Tree) Check(d, width int) error {
	n := len(t.Column)
	if n == 0 || len(t.At) != n || len(t.Left) != n || len(t.Right) != n || len(t.Cover) != n ||
		len(t.Value) != n*width || t.Missing != nil && len(t.Missing) != n || t.Category != nil && len(t.Category) != n {
		return fmt.Errorf("a tree of %d nodes with other numbers of thresholds, children, weights or values", n)
	}
	for q := range n {
		c, l, r := t.Column[q], t.Left[q], t.Right[q]
		leaf := c == -1 && l == -1 && r == -1
		// children after their parent: every walk ends
		if !leaf && (c < 0 || int(c) >= d || int(l) <= q || int(l) >= n || int(r) <= q || int(r) >= n || l == r) {
			return fmt.Errorf("node %d is (%d, %d, %d)", q, c, l, r)
		}
		if !(t.Cover[q] > 0) {
			return fmt.Errorf("node %d has the weight %v", q, t.Cover[q])
		}
		if t.Category != nil && (t.Category[q] < -1 || int(t.Category[q]) >= len(t.Sets)) {
			return fmt.Errorf("node %d has the categories %d of %d", q, t.Category[q], len(t.Sets))
		}
	}
	return nil
}
