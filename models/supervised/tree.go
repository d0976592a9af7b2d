package supervised

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"plumbline/models"
	"plumbline/numeric/trees"
)

// Growth is how a tree of classes is grown.
type Growth struct {
	// what a split lowers: gini (Σ p(1−p)) or entropy (−Σ p log p)
	Criterion string `yaml:"criterion" jsonschema:"enum=gini,enum=entropy"`
	// largest depth; 0 for none
	MaxDepth int `yaml:"max_depth" jsonschema:"minimum=0,maximum=10000"`
	// rows that a node needs to be split
	MinSplit int `yaml:"min_samples_split" jsonschema:"minimum=2,maximum=1000000000"`
	// rows that a leaf has at least
	MinLeaf int `yaml:"min_samples_leaf" jsonschema:"minimum=1,maximum=1000000000"`
}

func defaultGrowth() Growth { return Growth{Criterion: "gini", MinSplit: 2, MinLeaf: 1} }

func (g Growth) growth() trees.Growth {
	return trees.Growth{Entropy: g.Criterion == "entropy", MaxDepth: g.MaxDepth, MinSplit: g.MinSplit,
		MinLeaf: g.MinLeaf}
}

// pack puts trees one after another into arrays: of each its nodes, and of those that send missing values left or split
// by categories their places among all nodes, and the sets.
func pack(list []*trees.Tree) models.Arrays {
	var sizes, links, missing, category []int32
	var at, cover, value []float64
	var sets []byte
	from := int32(0)
	for _, t := range list {
		sizes = append(sizes, int32(len(t.Column)))
		for q := range t.Column {
			links = append(links, t.Column[q], t.Left[q], t.Right[q])
			if t.Missing != nil && t.Missing[q] {
				missing = append(missing, from+int32(q))
			}
			if t.Category != nil && t.Category[q] >= 0 {
				category = append(category, from+int32(q))
				s := t.Sets[t.Category[q]]
				for _, word := range slices.Concat(s.Known[:], s.Left[:]) {
					sets = binary.LittleEndian.AppendUint64(sets, word)
				}
			}
		}
		at, cover, value = append(at, t.At...), append(cover, t.Cover...), append(value, t.Value...)
		from += int32(len(t.Column))
	}
	out := models.Arrays{"sizes": sizes, "links": links, "at": at, "cover": cover, "value": value}
	if len(missing) > 0 {
		out["missing"] = missing
	}
	if len(category) > 0 {
		out["category"], out["sets"] = category, sets
	}
	return out
}

// unpack is trees on d columns with a number of values per node.
func unpack(arrays models.Arrays, d, width int) ([]*trees.Tree, error) {
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
	var list []*trees.Tree
	for _, size := range sizes {
		n := int(size)
		t := &trees.Tree{At: at[:n:n], Cover: cover[:n:n], Value: value[: width*n : width*n]}
		for q := range n {
			t.Column, t.Left, t.Right = append(t.Column, links[3*q]), append(t.Left, links[3*q+1]),
				append(t.Right, links[3*q+2])
		}
		list = append(list, t)
		links, at, cover, value = links[3*n:], at[n:], cover[n:], value[width*n:]
	}
	if err := unpackMissing(arrays, list); err != nil {
		return nil, err
	}
	for i, t := range list {
		if err := t.Check(d, width); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return list, nil
}

// unpackMissing sets where missing values go, and the categories.
func unpackMissing(arrays models.Arrays, list []*trees.Tree) error {
	each := func(name string, do func(t *trees.Tree, q int32, i int)) error {
		if _, some := arrays[name]; !some {
			return nil
		}
		places, err := models.Array[int32](arrays, name, -1)
		if err != nil {
			return err
		}
		tree, from := 0, int32(0)
		for i, p := range places {
			if p < 0 || i > 0 && p <= places[i-1] {
				return fmt.Errorf("%s: node %d: %w", name, p, errState)
			}
			for tree < len(list) && p-from >= int32(len(list[tree].Column)) {
				from += int32(len(list[tree].Column))
				tree++
			}
			if tree == len(list) {
				return fmt.Errorf("%s: node %d: %w", name, p, errState)
			}
			do(list[tree], p-from, i)
		}
		return nil
	}
	if err := each("missing", func(t *trees.Tree, q int32, _ int) { t.SendMissingLeft(q) }); err != nil {
		return err
	}
	var sets []byte
	if places, some := arrays["category"].([]int32); some {
		var err error
		if sets, err = models.Array[byte](arrays, "sets", 64*len(places)); err != nil {
			return err
		}
	}
	return each("category", func(t *trees.Tree, q int32, i int) {
		var s trees.Sets
		for k := range 4 {
			s.Known[k] = binary.LittleEndian.Uint64(sets[64*i+8*k:])
			s.Left[k] = binary.LittleEndian.Uint64(sets[64*i+32+8*k:])
		}
		t.SplitCategories(q, s)
	})
}

// loadProbabilityTrees reads trees whose values are class probabilities.
func loadProbabilityTrees(arrays models.Arrays, d, k int) ([]*trees.Tree, error) {
	list, err := unpack(arrays, d, k)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no trees", errState)
	}
	for i, t := range list {
		for q := range t.Column {
			sum := 0.0
			for _, v := range t.Value[q*k : (q+1)*k] {
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
	return list, nil
}

// noMeta refuses JSON with anything in it.
func noMeta(meta json.RawMessage) error { return strict(meta, &struct{}{}) }
