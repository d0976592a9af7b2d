package neighbours

import (
	"context"

	"plumbline/numeric/neighbour"
)

// A row's reasons are what sets it apart from its neighbours among the training rows, and what is expected of it is
// what these have.

// explain fills what each column adds to the mean squared distance from the k nearest rows, of which those before from
// are left out.
func explain(ref *neighbour.Reference, row []float32, from, k int, out []float64) {
	clear(out)
	visitNearest(ref, row, k, func(near []neighbour.Neighbour) {
		near = near[from:]
		for _, o := range near {
			for j, v := range ref.Row(int(o.Row)) {
				apart := float64(row[j]) - float64(v)
				out[j] += apart * apart / float64(len(near))
			}
		}
	})
}

// expect fills the mean of each column over the k nearest rows, of which those before from are left out.
func expect(ref *neighbour.Reference, row []float32, from, k int, out []float64) {
	clear(out)
	visitNearest(ref, row, k, func(near []neighbour.Neighbour) {
		near = near[from:]
		for _, o := range near {
			for j, v := range ref.Row(int(o.Row)) {
				out[j] += float64(v) / float64(len(near))
			}
		}
	})
}

func visitNearest(ref *neighbour.Reference, row []float32, k int, use func(near []neighbour.Neighbour)) {
	// It ends early only when it is told to.
	_ = ref.Nearest(context.Background(), row, k, 1, -1, func(_ int, near []neighbour.Neighbour) { use(near) })
}

// from is the first neighbour that the score is about: the k-th alone where its distance is the score.
func (m *knnState) from() int {
	if m.distance == "largest" {
		return m.k - 1
	}
	return 0
}

// ExplainRow is what each column adds to the squared distance that the score is the root of, or to the mean of those.
func (m *knnState) ExplainRow(row []float32, out []float64) { explain(m.ref, row, m.from(), m.k, out) }

// ExpectRow is the row that the score is the distance from, or the mean of them.
func (m *knnState) ExpectRow(row []float32, out []float64) { expect(m.ref, row, m.from(), m.k, out) }

// ExplainRow is what each column adds to the mean squared distance from the neighbours.
func (m *lofState) ExplainRow(row []float32, out []float64) { explain(m.ref, row, 0, m.k, out) }

// ExpectRow is the mean of the neighbours.
func (m *lofState) ExpectRow(row []float32, out []float64) { expect(m.ref, row, 0, m.k, out) }
