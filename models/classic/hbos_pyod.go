package classic

import (
	"context"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

// densities are histograms in PyOD's form.
type densities struct {
	*hbosState
	edges  []float64 // d×(bins+1), ascending
	rarest []float64 // d: of the column's lowest bin
}

// newDensities adds to extremes the edges that numpy.histogram has between them, and to rarities what is looked up with
// them.
func newDensities(m *hbosState) *densities {
	q := &densities{hbosState: m}
	for j := range m.low {
		low, high := float64(m.low[j]), float64(m.high[j])
		if low == high {
			low, high = low-0.5, high+0.5
		}
		width := (high - low) / float64(m.bins)
		for b := range m.bins {
			q.edges = append(q.edges, low+float64(float64(b)*width)) // not fused, so that edges are one everywhere
		}
		q.edges = append(q.edges, high)
		q.rarest = append(q.rarest, slices.Max(m.rarity[j*m.bins:(j+1)*m.bins]))
	}
	return q
}

func (m *densities) edgesOf(j int) []float64 { return m.edges[j*(m.bins+1) : (j+1)*(m.bins+1)] }

func fitDensities(ctx context.Context, c HBOS, env models.Env, s *data.Set) (*densities, error) {
	h := newHistograms(c, s)
	if err := h.count(ctx, env, s, h.extremes); err != nil {
		return nil, err
	}
	m := newDensities(h)
	err := h.count(ctx, env, s, func(lo, hi int, row []float32) {
		for j := lo; j < hi; j++ {
			b, on := slices.BinarySearch(m.edgesOf(j), float64(row[j])) // the first edge that is not below
			if !on {
				b--
			}
			h.rarity[j*h.bins+max(0, min(b, h.bins-1))]++
		}
	})
	for j := range s.D {
		edges := m.edgesOf(j)
		for b := range h.bins {
			density := h.rarity[j*h.bins+b] / float64(s.N) / (edges[b+1] - edges[b])
			h.rarity[j*h.bins+b] = -elementary.Log2(density + c.Smooth)
		}
	}
	return newDensities(h), err
}

func (m *densities) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreByParts(ctx, s, workers, out, m.ExplainRow)
}

// ExplainRow: the rarity of every value, which add up to the score.
func (m *densities) ExplainRow(row []float32, out []float64) {
	for j, v := range row {
		if b, far := m.place(j, v); far {
			out[j] = m.rarest[j]
		} else {
			out[j] = m.rarity[j*m.bins+b]
		}
	}
}

// place is the bin that counts for a value of column j, unless it is far from all.
func (m *densities) place(j int, v float32) (bin int, far bool) {
	x, edges := float64(v), m.edgesOf(j)
	b, _ := slices.BinarySearch(edges, x)
	width := edges[1] - edges[0]
	if b > m.bins {
		width = edges[m.bins] - edges[m.bins-1]
	}
	return max(0, min(b-1, m.bins-1)), edges[0]-x > width/2 || x-edges[m.bins] > width/2
}

func (m *densities) RowState() (any, models.Arrays) {
	_, arrays := m.hbosState.RowState()
	return hbosMeta{Bins: m.bins, Form: pyodForm}, arrays
}
