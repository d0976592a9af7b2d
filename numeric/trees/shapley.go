package trees

// Shapley adds the Shapley values of one tree at a row to out: what each column contributes to value(leaf) against its
// mean over the training rows, where a column that is not known sends a row both ways by the weights of the children.
// They add up to the row's value minus that mean. (S. Lundberg and others, From local explanations to global
// understanding with explainable AI for trees, Nature Machine Intelligence 2020, algorithm 2.) The cost is
// leaves·depth².
func Shapley(t *Tree, row []float32, value func(node int) float64, out []float64) {
	s := &shapWalk{t: t, row: row, value: value, out: out}
	s.visit(0, nil, 1, 1, -1)
}

// shapStep is a column on the path from the root: the share of training rows that goes this way without it, whether the
// row does (1 or 0), and the weight of the subsets of the path by number of known columns.
type shapStep struct {
	column    int32
	zero, one float64
	weight    float64
}

type shapWalk struct {
	t     *Tree
	row   []float32
	value func(node int) float64
	out   []float64
}

func (s *shapWalk) visit(node int32, path []shapStep, zero, one float64, column int32) {
	path = extend(path, zero, one, column)
	t := s.t
	c := t.Column[node]
	if c < 0 {
		v := s.value(int(node))
		for i := 1; i < len(path); i++ {
			s.out[path[i].column] += float64(unwound(path, i) * (path[i].one - path[i].zero) * v)
		}
		return
	}
	hot := t.Child(node, s.row)
	cold := t.Left[node] + t.Right[node] - hot
	zero, one = 1, 1
	for i := 1; i < len(path); i++ { // a column counts once
		if path[i].column == c {
			zero, one = path[i].zero, path[i].one
			path = unwind(path, i)
			break
		}
	}
	s.visit(hot, path, zero*t.Cover[hot]/t.Cover[node], one, c)
	s.visit(cold, path, zero*t.Cover[cold]/t.Cover[node], 0, c)
}

// extend is a copy of the path with one more step.
func extend(path []shapStep, zero, one float64, column int32) []shapStep {
	n := len(path)
	out := make([]shapStep, n+1)
	copy(out, path)
	out[n] = shapStep{column: column, zero: zero, one: one}
	if n == 0 {
		out[n].weight = 1
	}
	for i := n - 1; i >= 0; i-- {
		out[i+1].weight += one * out[i].weight * float64(i+1) / float64(n+1)
		out[i].weight = zero * out[i].weight * float64(n-i) / float64(n+1)
	}
	return out
}

// unwind is a copy of the path without step i.
func unwind(path []shapStep, i int) []shapStep {
	n := len(path) - 1
	out := append([]shapStep{}, path...)
	next := out[n].weight
	zero, one := out[i].zero, out[i].one
	for k := n - 1; k >= 0; k-- {
		if one != 0 {
			was := out[k].weight
			out[k].weight = next * float64(n+1) / (float64(k+1) * one)
			next = was - out[k].weight*zero*float64(n-k)/float64(n+1)
		} else {
			out[k].weight = out[k].weight * float64(n+1) / (zero * float64(n-k))
		}
	}
	for k := i; k < n; k++ {
		out[k].column, out[k].zero, out[k].one = out[k+1].column, out[k+1].zero, out[k+1].one
	}
	return out[:n]
}

// unwound is the sum of the weights of the path without step i.
func unwound(path []shapStep, i int) float64 {
	n := len(path) - 1
	zero, one := path[i].zero, path[i].one
	next, total := path[n].weight, 0.0
	for k := n - 1; k >= 0; k-- {
		if one != 0 {
			w := next * float64(n+1) / (float64(k+1) * one)
			total += w
			next = path[k].weight - w*zero*float64(n-k)/float64(n+1)
		} else {
			total += path[k].weight / zero * float64(n+1) / float64(n-k)
		}
	}
	return total
}
