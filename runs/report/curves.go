package report

import (
	"fmt"
	"math"
	"slices"

	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/record"
)

// perRow is how many cells of a row have their scores read: more would not change what a figure shows.
const perRow = 5

// bins is the number of bins of a distribution of scores.
const bins = 48

// rates is the false-positive rates at which curves are taken: 30 a decade, from 1 of 10,000 to 1.
func rates() []float64 {
	out := make([]float64, 121)
	for i := range out {
		out[i] = math.Pow(10, -4+float64(i)/30)
	}
	return out
}

// curves is what the scores of a row's cells give.
type curves struct {
	label          string
	cells          int
	tpr, low, high []float64 // at rates; means, smallest and largest of the cells
	// Of the first cell: the share of benign units and attacks in each bin of ranks, and the threshold as a rank.
	benign, attack []float64
	threshold      float64
	recall, auroc  map[string]float64 // of attack classes, means over the cells
	samples        map[string]int
}

// reader reads the scores of a run's cells, up to a number of lines.
type reader struct {
	dir         string
	limit, read int // 0: no limit
	stopped     bool
}

// curves reads the scores of the first cells of a row; nil where there are none, or no attack or no benign unit.
func (f *reader) curves(r *compare.Row) (*curves, error) {
	c := &curves{label: r.Label, threshold: math.NaN(), recall: map[string]float64{}, auroc: map[string]float64{},
		samples: map[string]int{}}
	at := rates()
	for _, cell := range r.Results() {
		if cell.Status != record.OK || c.cells == perRow {
			continue
		}
		if f.limit > 0 && f.read+cell.Test > f.limit {
			f.stopped = true
			continue
		}
		f.read += cell.Test
		scores, truth, err := record.ReadScores(f.dir, cell.Cell)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		if truth.Attack == nil {
			return nil, nil
		}
		ranking, err := eval.Rank(scores, truth.Attack)
		if err != nil {
			return nil, fmt.Errorf("report: %s: %w", cell.Cell, err)
		}
		if ranking.P == 0 || ranking.N == 0 {
			return nil, nil
		}
		threshold := cell.Metric("threshold")
		if c.cells == 0 {
			c.benign, c.attack, c.threshold = distribution(ranking, threshold)
		}
		c.add(heights(ranking, at))
		classes, err := ranking.PerClass(truth, threshold)
		if err != nil {
			return nil, fmt.Errorf("report: %s: %w", cell.Cell, err)
		}
		for _, k := range classes {
			c.recall[k.Class] += k.Recall
			c.auroc[k.Class] += k.AUROC
			c.samples[k.Class] = k.Samples
		}
		c.cells++
	}
	if c.cells == 0 {
		return nil, nil
	}
	for i := range c.tpr {
		c.tpr[i] /= float64(c.cells)
	}
	for k := range c.recall {
		c.recall[k] /= float64(c.cells)
		c.auroc[k] /= float64(c.cells)
	}
	return c, nil
}

// heights is the true-positive rates at false-positive rates in ascending order, of thresholds that exist.
func heights(r *eval.Ranking, at []float64) []float64 {
	out := make([]float64, len(at))
	points := r.ROC()
	k := 0
	for i, rate := range at {
		for k+1 < len(points) && points[k+1].X <= rate {
			k++
		}
		out[i] = points[k].Y
	}
	return out
}

// add takes one more cell into the sums and the ends of the band.
func (c *curves) add(tpr []float64) {
	if c.tpr == nil {
		c.tpr, c.low, c.high = slices.Clone(tpr), slices.Clone(tpr), slices.Clone(tpr)
		return
	}
	for i, v := range tpr {
		c.tpr[i] += v
		c.low[i], c.high[i] = min(c.low[i], v), max(c.high[i], v)
	}
}

// distribution is where benign units and attacks stand among all in the order of scores: the share of either in each of
// the bins, ties spread over the ranks that they take up, and the rank of the threshold from 0 to 1.
func distribution(r *eval.Ranking, threshold float64) (benign, attack []float64, mark float64) {
	benign, attack, mark = make([]float64, bins), make([]float64, bins), 0
	n, end := float64(r.P+r.N), float64(r.P+r.N) // scores stand in descending order
	for g, s := range r.Score {
		pos, neg := float64(r.Pos[g]), float64(r.Neg[g])
		begin := end - pos - neg
		if mark == 0 && s < threshold {
			mark = end / n
		}
		for b := int(begin / n * bins); b < bins && float64(b)*n/bins < end; b++ {
			inside := min(end, float64(b+1)*n/bins) - max(begin, float64(b)*n/bins)
			if share := inside / (pos + neg); share > 0 {
				benign[b] += share * neg / float64(r.N)
				attack[b] += share * pos / float64(r.P)
			}
		}
		end = begin
	}
	if math.IsNaN(threshold) {
		mark = math.NaN()
	}
	return benign, attack, mark
}
