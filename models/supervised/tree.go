package supervised

import (
	"encoding/json"
	"fmt"
	"math"

	"plumbline/models"
)

// tree is a binary tree as flat arrays. Node 0 is the root and children stand after their parent. A row goes left where
// x[column] ≤ at.
type tree struct {
	column      []int32 // −1 in leaves
	at          []float64
	left, right []int32
	cover       []float64 // weight of the training rows in the node
	value       []float64 // per node, of width values: probabilities of classes, or a margin
}

// leaf is the node in which a row ends.
func (t *tree) leaf(row []float32) int {
	q := int32(0)
	for {
		c := t.column[q]
		switch {
		case c < 0:
			return int(q)
		case float64(row[c]) <= t.at[q]:
			q = t.left[q]
		default:
			q = t.right[q]
		}
	}
}

// add appends a leaf.
func (t *tree) add(cover float64, value ...float64) int32 {
	t.column, t.at = append(t.column, -1), append(t.at, 0)
	t.left, t.right = append(t.left, -1), append(t.right, -1)
	t.cover, t.value = append(t.cover, cover), append(t.value, value...)
	return int32(len(t.column) - 1)
}

// split turns a leaf into an inner node.
func (t *tree) split(q int32, column int, at float64, left, right int32) {
	t.column[q], t.at[q], t.left[q], t.right[q] = int32(column), at, left, right
}

// pack puts trees one after another into arrays.
func pack(trees []*tree) models.Arrays {
	var sizes, links []int32
	var at, cover, value []float64
	for _, t := range trees {
		sizes = append(sizes, int32(len(t.column)))
		for q := range t.column {
			links = append(links, t.column[q], t.left[q], t.right[q])
		}
		at, cover, value = append(at, t.at...), append(cover, t.cover...), append(value, t.value...)
	}
	return models.Arrays{"sizes": sizes, "links": links, "at": at, "cover": cover, "value": value}
}

// unpack is trees on d columns with a number of values per node.
func unpack(arrays models.Arrays, d, width int) ([]*tree, error) {
	sizes, err := models.Array[int32](arrays, "sizes", -1)
	if err != nil {
		return nil, err
	}
	total := 0
	for i, n := range sizes {
		if n < 1 || total+int(n) > math.MaxInt32/(width+3) {
			return nil, fmt.Errorf("tree %d has %d nodes", i, n)
		}
		total += int(n)
	}
	links, err := models.Array[int32](arrays, "links", 3*total)
	if err != nil {
		return nil, err
	}
	at, err := models.FiniteArray[float64](arrays, "at", total)
	if err != nil {
		return nil, err
	}
	cover, err := models.FiniteArray[float64](arrays, "cover", total)
	if err != nil {
		return nil, err
	}
	value, err := models.FiniteArray[float64](arrays, "value", width*total)
	if err != nil {
		return nil, err
	}
	var out []*tree
	for i, size := range sizes {
		n := int(size)
		t := &tree{at: at[:n:n], cover: cover[:n:n], value: value[: width*n : width*n]}
		for q := range n {
			c, l, r := links[3*q], links[3*q+1], links[3*q+2]
			leaf := c == -1 && l == -1 && r == -1
			// children after their parent: every walk ends
			if !leaf && (c < 0 || int(c) >= d || int(l) <= q || int(l) >= n || int(r) <= q || int(r) >= n || l == r) {
				return nil, fmt.Errorf("tree %d: node %d is (%d, %d, %d)", i, q, c, l, r)
			}
			if !(cover[q] > 0) {
				return nil, fmt.Errorf("tree %d: node %d has the weight %v", i, q, cover[q])
			}
			t.column, t.left, t.right = append(t.column, c), append(t.left, l), append(t.right, r)
		}
		out = append(out, t)
		links, at, cover, value = links[3*n:], at[n:], cover[n:], value[width*n:]
	}
	return out, nil
}

// loadProbabilityTrees reads trees whose values are class probabilities.
func loadProbabilityTrees(arrays models.Arrays, d, k int) ([]*tree, error) {
	trees, err := unpack(arrays, d, k)
	if err != nil {
		return nil, err
	}
	if len(trees) == 0 {
		return nil, fmt.Errorf("%w: no trees", errState)
	}
	for i, t := range trees {
		for q := range t.column {
			sum := 0.0
			for _, v := range t.value[q*k : (q+1)*k] {
				if v < 0 {
					return nil, fmt.Errorf("tree %d: node %d has the probability %v", i, q, v)
				}
				sum += v
			}
			if math.Abs(sum-1) > 1e-9 {
				return nil, fmt.Errorf("tree %d: the probabilities of node %d sum to %v", i, q, sum)
			}
		}
	}
	return trees, nil
}

// noMeta refuses JSON with anything in it.
func noMeta(meta json.RawMessage) error { return strict(meta, &struct{}{}) }
