package similarity

import (
	"context"
	"math"

	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// LogSumsAt fills out[i] = log Σ_j K(x_i, p_j) for rows x of D numbers, row-major, where even the largest term
// would vanish; only for RBF in float64. A sum depends on its row alone.
func (p *Points) LogSumsAt(ctx context.Context, x []float32, workers int, out []float64) error {
	if p.F.Kind != RBF || p.double == nil {
		panic("similarity: LogSumsAt: not RBF in float64")
	}
	width, d := kernel.PanelRows[float64](), p.D
	block := blockPanels * width
	rows, norms := p.double.rows()
	return parallel.Workspaces(ctx, workers, len(out), block, func() func(from, to int) {
		tile := kernel.NewTile[float64](d)
		cols, row := kernel.NewPanels[float64](block, d), make([]float64, d)
		sums := newLogSums(block)
		return func(from, to int) {
			for i := from; i < to; i++ {
				mapped(p, x[i*d:(i+1)*d], row)
				cols.Set(i-from, row)
			}
			sums.reset()
			for at := 0; at < len(norms) && ctx.Err() == nil; at += kernel.TileRows {
				end := min(at+kernel.TileRows, len(norms))
				tile.Use(rows[at*d:end*d], norms[at:end])
				for k := 0; k*width < to-from; k++ {
					if p.double.long {
						sums.addRepaired(tile, cols, k)
					} else {
						sums.Add(tile, cols, k)
					}
				}
			}
			for i := from; i < to; i++ {
				if out[i] = sums.Log(i - from); p.double.long {
					out[i] = sums.repaired[i-from].log()
				}
			}
		}
	})
}

// logSums adds both ways.
type logSums struct {
	*kernel.LogSum
	repaired []logSum
}

func newLogSums(rows int) *logSums {
	return &logSums{kernel.NewLogSum(rows / kernel.PanelRows[float64]()), make([]logSum, rows)}
}

func (s *logSums) reset() {
	s.Reset()
	for i := range s.repaired {
		s.repaired[i] = logSum{top: math.Inf(-1)}
	}
}

// addRepaired adds the tile's rows for panel k, with distances that survive cancellation.
func (s *logSums) addRepaired(t *kernel.Tile[float64], cols *kernel.Panels[float64], k int) {
	width := kernel.PanelRows[float64]()
	for i, v := range repaired(t, cols, k) {
		s.repaired[k*width+i%width].add(-v)
	}
}

// logSum is log Σ e^v, scaled by the largest v so far.
type logSum struct{ top, sum float64 }

func (l *logSum) add(v float64) {
	if v > l.top {
		l.sum *= elementary.Exp(l.top - v)
		l.top = v
	}
	l.sum += elementary.Exp(v - l.top)
}

func (l *logSum) log() float64 { return l.top + elementary.Log(l.sum) }
