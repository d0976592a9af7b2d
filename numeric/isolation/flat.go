package isolation

import "fmt"

// Flat is trees laid end to end.
type Flat struct {
	Sizes, Column, Right []int32
	Cut                  []float32
	Path                 []float64
}

// Flatten lays trees end to end.
func Flatten(trees []Tree) Flat {
	var f Flat
	for _, t := range trees {
		f.Sizes = append(f.Sizes, int32(len(t.Nodes)))
		f.Path = append(f.Path, t.Path...)
		for _, n := range t.Nodes {
			f.Column, f.Cut, f.Right = append(f.Column, n.Column), append(f.Cut, n.Cut), append(f.Right, n.Right)
		}
	}
	return f
}

// Trees are the trees again, on d columns. What no forest could have is an error; the lists other than Sizes must be of
// one length. It shares the memory of Path.
func (f Flat) Trees(d int) ([]Tree, error) {
	var out []Tree
	for _, size := range f.Sizes {
		if size < 1 || int(size) > len(f.Column) {
			return nil, fmt.Errorf("a tree of %d nodes, %d left", size, len(f.Column))
		}
		t := Tree{Nodes: make([]Node, size), Path: f.Path[:size:size]}
		for i := range t.Nodes {
			n := Node{f.Column[i], f.Cut[i], f.Right[i]}
			// Every way goes on to a later node, so that it ends.
			if n.Column < -1 || int(n.Column) >= d || n.Column >= 0 && (n.Right <= int32(i)+1 || n.Right >= size) ||
				t.Path[i] < 0 {
				return nil, fmt.Errorf("node %d is %+v in a tree of %d nodes", i, n, size)
			}
			t.Nodes[i] = n
		}
		out = append(out, t)
		f.Column, f.Cut, f.Right, f.Path = f.Column[size:], f.Cut[size:], f.Right[size:], f.Path[size:]
	}
	if len(f.Column) > 0 {
		return nil, fmt.Errorf("%d nodes too many", len(f.Column))
	}
	return out, nil
}
