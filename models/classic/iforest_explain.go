package classic

import (
	"plumbline/models"
	"plumbline/numeric/isolation"
)

// ExplainRow: what each column adds to the score by the paths of the row. A cut shortens or lengthens the path that is
// to be expected: with h(v) the mean path of the training rows of node v's subtree, from the root, by rows,
//
//	contribution_j = Σ_trees Σ_{cuts v → w on column j on the path} (h(v) − h(w)) / (T c(ψ))
//
// so that the contributions of a row add up to (mean path of training − path of the row) / c(ψ), of which the score is
// a rising function: where a row is cut off early, the columns that did it have the most. (As the path contributions of
// random forests, A. Saabas 2014; M. Carletti, M. Terzi and G. Susto, Interpretable Anomaly Detection with DIFFI,
// Engineering Applications of AI 2023, credit columns for short paths as well.)
func (m *iforestState) ExplainRow(row []float32, out []float64) {
	clear(out)
	scale := float64(len(m.trees)) * isolation.AveragePath(m.psi)
	if scale == 0 {
		return
	}
	for t, mean := range m.means() {
		tree := &m.trees[t]
		for at := int32(0); ; {
			n := &tree.Nodes[at]
			if n.Column < 0 {
				break
			}
			next := at + 1
			if row[n.Column] > n.Cut {
				next = n.Right
			}
			out[n.Column] += (mean[at] - mean[next]) / scale
			at = next
		}
	}
}

// means is h of every node of every tree. Leaves tell how many rows they had: their path is their depth and the average
// path in a tree of that number of rows.
func (m *iforestState) means() [][]float64 {
	m.once.Do(func() {
		m.mean = make([][]float64, len(m.trees))
		for t := range m.trees {
			m.mean[t] = nodeMeans(&m.trees[t])
		}
	})
	return m.mean
}

// nodeMeans is the mean path of the rows of each node, each child weighted by its rows.
func nodeMeans(t *isolation.Tree) []float64 {
	mean := make([]float64, len(t.Nodes))
	var rows func(at int32, depth int) float64
	rows = func(at int32, depth int) float64 {
		n := &t.Nodes[at]
		if n.Column < 0 {
			mean[at] = t.Path[at]
			return rowsOfPath(t.Path[at] - float64(depth))
		}
		left, right := rows(at+1, depth+1), rows(n.Right, depth+1)
		mean[at] = (float64(left*mean[at+1]) + float64(right*mean[n.Right])) / (left + right)
		return left + right
	}
	if len(t.Nodes) > 0 {
		rows(0, 0)
	}
	return mean
}

// rowsOfPath is the number of rows whose average path is c, the inverse of AveragePath.
func rowsOfPath(c float64) float64 {
	n := 1
	for step := 1 << 30; step > 0; step >>= 1 {
		if isolation.AveragePath(n+step) <= c+1e-9 {
			n += step
		}
	}
	return float64(n)
}

// ExplainRow is that of the model: the offset is no column's.
func (m offsetScores) ExplainRow(row []float32, out []float64) {
	m.RowLearned.(models.RowExplaining).ExplainRow(row, out)
}
