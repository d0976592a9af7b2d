package figures

import (
	"errors"
	"fmt"
	"io/fs"
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

// Rates is the false-positive rates at which curves are taken: 30 a decade, from 1 of 10,000 to 1.
func Rates() []float64 {
	out := make([]float64, 121)
	for i := range out {
		out[i] = math.Pow(10, -4+float64(i)/30)
	}
	return out
}

// Distribution is the share of benign units and of attacks of the first cell in bins of ranks, lowest scores first,
// both kinds together weighing alike in each bin.
func (c *Curves) Distribution() (benign, attack []float64) { return c.benign, c.attack }

// recalls is the shares of attacks at which precision is taken.
func recalls() []float64 {
	out := make([]float64, 51)
	for i := range out {
		out[i] = float64(i) / 50
	}
	return out
}

// band is a curve over points, the mean over cells, with the smallest and largest of them.
type band struct{ mean, low, high []float64 }

// Curves is what the scores of a row's cells give.
type Curves struct {
	Label string
	Cells int
	tpr   band // at Rates
	ppv   band // at recalls
	// Of the first cell: the share of benign units and attacks in each bin of ranks, and the threshold as a rank.
	benign, attack []float64
	threshold      float64
	recall         map[string]float64 // of attack classes, means over all cells that test them
	called         [2][2]int          // by truth, then by decision, attacks second: sums over the cells
}

// TPR is the true-positive rates at [Rates], means over the cells.
func (c *Curves) TPR() []float64 { return c.tpr.mean }

// Reader reads the scores of a run's cells, up to a number of lines.
type Reader struct {
	Dir     string
	Limit   int  // 0: no limit
	Stopped bool // cells were left out for it
	read    int
}

// Curves reads the scores of the first cells of a row; nil where there are none, or no attack or no benign unit.
func (f *Reader) Curves(r *compare.Row) (c *Curves, err error) {
	c = &Curves{Label: r.Label, threshold: math.NaN()}
	rates, levels := Rates(), recalls()
	for _, cell := range r.Results() {
		if cell.Status != record.OK || c.Cells == perRow {
			continue
		}
		if f.Limit > 0 && f.read+cell.Test > f.Limit {
			f.Stopped = true
			continue
		}
		f.read += cell.Test
		scores, truth, err := record.ReadScores(f.Dir, cell.Cell)
		if err != nil {
			return nil, fmt.Errorf("figures: %w", err)
		}
		if truth.Attack == nil {
			return nil, nil
		}
		ranking, err := eval.Rank(scores, truth.Attack)
		if err != nil {
			return nil, fmt.Errorf("figures: %s: %w", cell.Cell, err)
		}
		if ranking.P == 0 || ranking.N == 0 {
			return nil, nil
		}
		threshold := cell.Metric("threshold")
		if c.Cells == 0 {
			c.benign, c.attack, c.threshold = distribution(ranking, threshold)
		}
		c.tpr.add(heights(ranking, rates))
		c.ppv.add(precisions(ranking, levels))
		if !math.IsNaN(threshold) {
			at := ranking.At(threshold)
			for t, row := range [2][2]int{{at.TN, at.FP}, {at.FN, at.TP}} {
				for k, n := range row {
					c.called[t][k] += n
				}
			}
		}
		c.Cells++
	}
	if c.Cells == 0 {
		return nil, nil
	}
	c.tpr.divide(c.Cells)
	c.ppv.divide(c.Cells)
	c.recall, err = f.recallOf(r)
	return c, err
}

// recallOf is the share that is found of each attack class, the mean over those of a row's cells that test it: folds
// may have other classes.
func (f *Reader) recallOf(r *compare.Row) (map[string]float64, error) {
	sum, cells := map[string]float64{}, map[string]float64{}
	for _, cell := range r.Results() {
		if cell.Status != record.OK {
			continue
		}
		var m eval.Metrics
		err := record.ReadJSON(f.Dir, cell.Cell+"/metrics.json", &m)
		if errors.Is(err, fs.ErrNotExist) { // the comparison says that it has gone: curves are still of the scores
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("figures: %w", err)
		}
		for _, k := range m.Classes {
			sum[k.Class] += k.Recall
			cells[k.Class]++
		}
	}
	for class := range sum {
		sum[class] /= cells[class]
	}
	return sum, nil
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

// precisions is the precision at shares of attacks found, of the highest thresholds that find as many.
func precisions(r *eval.Ranking, at []float64) []float64 {
	out := make([]float64, len(at))
	found, flagged, g := 0, 0, 0
	for i, share := range at {
		for g < len(r.Score) && (flagged == 0 || float64(found) < share*float64(r.P)-1e-9) {
			found, flagged, g = found+int(r.Pos[g]), flagged+int(r.Pos[g]+r.Neg[g]), g+1
		}
		out[i] = float64(found) / float64(flagged)
	}
	return out
}

// add takes one more cell into the sums and the ends of the band.
func (b *band) add(v []float64) {
	if b.mean == nil {
		b.mean, b.low, b.high = slices.Clone(v), slices.Clone(v), slices.Clone(v)
		return
	}
	for i, x := range v {
		b.mean[i] += x
		b.low[i], b.high[i] = min(b.low[i], x), max(b.high[i], x)
	}
}

// divide makes means of sums over n cells.
func (b *band) divide(n int) {
	for i := range b.mean {
		b.mean[i] /= float64(n)
	}
}

// distribution is where benign units and attacks stand in the order of scores, from 0 to 1, both kinds weighing a half
// however many they are: the share of either in each of the bins, ties spread over the ranks that they take up, and
// the rank of the threshold.
func distribution(r *eval.Ranking, threshold float64) (benign, attack []float64, mark float64) {
	benign, attack, mark = make([]float64, bins), make([]float64, bins), 0
	end := 1.0 // scores stand in descending order
	for g, s := range r.Score {
		pos, neg := float64(r.Pos[g]), float64(r.Neg[g])
		found, alarmed := pos/float64(r.P), neg/float64(r.N)
		tied := float64(found+alarmed) / 2
		begin := math.Max(0, end-tied)
		if g == len(r.Score)-1 {
			begin = 0
		}
		if mark == 0 && s < threshold {
			mark = end
		}
		for b := int(begin * bins); b < bins && float64(b)/bins < end; b++ {
			inside := min(end, float64(b+1)/bins) - max(begin, float64(b)/bins)
			if share := inside / (end - begin); share > 0 {
				benign[b] += share * alarmed
				attack[b] += share * found
			}
		}
		end = begin
	}
	if math.IsNaN(threshold) {
		mark = math.NaN()
	}
	return benign, attack, mark
}
