package eda

import (
	"context"
	"math"
	"slices"
	"time"

	"plumbline/numeric/hypothesis"
	"plumbline/numeric/parallel"
	"plumbline/numeric/stat"
)

const (
	driftBins  = 10  // deciles of numbers; a value that is an edge has a bin of its own
	maxDays    = 64  // periods that are told apart
	dayRows    = 50  // fewer rows are no period of their own
	driftTexts = 100 // levels of a category; the rest together
)

// Periods are the days, or tenths of the time where the rows are of one day, over which features are looked at.
type Periods struct {
	From []string `json:"from"`
	Rows []int    `json:"rows"`
	// Benign says that attacks were left out.
	Benign bool `json:"benign_only"`
}

// drift compares each period of each column with all before it. It is nil where there is no time or one period.
func (c *Collector) drift(ctx context.Context, features []*Feature) (*Periods, error) {
	if c.at < 0 || !c.columns[c.at].exact() {
		return nil, nil
	}
	at := c.columns[c.at]
	benign := func(code uint32) float64 {
		n := float64(at.counts[code][0])
		if c.class == nil || c.attacks == c.rows {
			n += float64(at.counts[code][1])
		}
		return n
	}
	of, p := periodsOf(at, benign)
	if p == nil {
		return nil, nil
	}
	p.Benign = c.class != nil && c.attacks > 0 && c.attacks < c.rows
	leaveOut := make([]bool, 1) // by class code
	if p.Benign {
		leaveOut = make([]bool, len(c.class.counts))
		for k, class := range c.classes {
			leaveOut[k+1] = class.Attack
		}
	}
	n := len(p.From)
	err := parallel.Blocks(ctx, max(1, c.opt.Workers), len(c.columns), 1, func(k, _ int) {
		col := c.columns[k]
		if k == c.at || !col.exact() || len(col.order) < 2 {
			return
		}
		bin, bins := col.bins(driftBins, driftTexts)
		counts := make([][]float64, n)
		for i := range counts {
			counts[i] = make([]float64, bins)
		}
		var when, codes, classes []uint32
		for part := range col.codes.parts {
			when, codes = at.codes.read(part, when), col.codes.read(part, codes)
			if p.Benign {
				classes = c.class.codes.read(part, classes)
			}
			for i, code := range codes {
				if period := of[when[i]]; period >= 0 && (!p.Benign || !leaveOut[classes[i]]) {
					counts[period][bin[code]]++
				}
			}
		}
		f := features[k]
		before, top := make([]float64, bins), 0.0
		for i := range counts {
			if v := 0.0; i > 0 {
				v = stat.StabilityIndex(before, counts[i])
				top = max(top, v)
				f.Days = append(f.Days, Number(v))
			} else {
				f.Days = append(f.Days, Number(math.NaN()))
			}
			for b, v := range counts[i] {
				before[b] += v
			}
		}
		f.Drift = Number(top)
	})
	return p, err
}

// periodsOf is the period of each code of a time column, −1 for none, and the periods.
func periodsOf(at *column, rows func(code uint32) float64) ([]int, *Periods) {
	of := make([]int, len(at.counts))
	of[0] = -1
	p := &Periods{}
	day := math.Inf(-1)
	total := 0.0
	for _, code := range at.order { // in the order of time
		d := math.Floor(at.values[code] / 86400)
		total += rows(code)
		if d != day && (len(p.Rows) == 0 || p.Rows[len(p.Rows)-1] >= dayRows) {
			p.From, p.Rows = append(p.From, time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)), append(p.Rows, 0)
			day = d
		}
		of[code] = len(p.Rows) - 1
		p.Rows[len(p.Rows)-1] += int(rows(code))
	}
	if len(p.From) > 1 && len(p.From) <= maxDays {
		return of, p
	}
	if total < 10*dayRows || len(at.order) < 2 {
		return nil, nil
	}
	low, high := at.values[at.order[0]], at.values[at.order[len(at.order)-1]]
	width := (high - low) / 10
	p = &Periods{Rows: make([]int, 10)}
	for k := range 10 {
		p.From = append(p.From, time.Unix(int64(low+float64(float64(k)*width)), 0).UTC().Format("2006-01-02 15:04:05"))
	}
	for _, code := range at.order {
		k := min(9, int((at.values[code]-low)/width))
		of[code] = k
		p.Rows[k] += int(rows(code))
	}
	return of, p
}

// bins puts the codes of a column into bins: 0 for missing, then the quantiles of numbers or the commonest levels.
func (c *column) bins(numbers, levels int) (bin []int, n int) {
	if !c.numeric() {
		bin, n = c.places(levels)
		return bin, n + 1
	}
	bin = make([]int, len(c.counts))
	edges := quantileEdges(together(c.sample()), numbers)
	for _, code := range c.order {
		bin[code] = binOf(edges, c.values[code])
	}
	return bin, 2*len(edges) + 2
}

// quantileEdges are the different n-quantiles of a sample of one group.
func quantileEdges(s *hypothesis.Sample, n int) (edges []float64) {
	total, below, k := s.N(0), 0.0, 1
	for i, v := range s.Values {
		below += s.Counts[0][i]
		for k < n && below > float64(k)/float64(n)*total {
			edges = append(edges, v)
			k++
		}
	}
	return slices.Compact(edges)
}

// binOf is the bin of a value, from 1 on: an edge has one of its own.
func binOf(edges []float64, v float64) int {
	k, is := slices.BinarySearch(edges, v)
	if is {
		return 2*k + 2
	}
	return 2*k + 1
}
