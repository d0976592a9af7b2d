package profile

import (
	"cmp"
	"slices"

	"plumbline/data"
	"plumbline/numeric/stat"
)

// Counter counts rows by the bins of a profile.
type Counter struct {
	of     *Profile
	counts [][]float64
}

// Counter is one that has counted nothing. It is not safe for concurrent use.
func (p *Profile) Counter() *Counter {
	c := &Counter{of: p, counts: make([][]float64, len(p.Columns))}
	for i := range p.Columns {
		c.counts[i] = make([]float64, len(p.Columns[i].Counts))
	}
	return c
}

// Add counts one of every rows of a table, for as many. Columns that it lacks, or has of another type, are passed over.
func (c *Counter) Add(t *data.Table, every int) {
	find := t.Lookup()
	all := func(yield func(int32) bool) {
		for r := int32(0); int(r) < t.Rows; r += int32(every) {
			if !yield(r) {
				return
			}
		}
	}
	for i := range c.of.Columns {
		of := &c.of.Columns[i]
		if col, err := find(of.Name); err == nil && col.Type == of.Type {
			of.add(col, all, float64(every), c.counts[i])
		}
	}
}

// Drift is how far the rows that were counted are from those of the profile in one column.
type Drift struct {
	Column string `json:"column"`
	// PSI is the population stability index over the bins.
	PSI float64 `json:"psi"`
	// Moved says that it is above a quarter, which is commonly said to be a shift, and further off than the number of
	// rows explains: at least as much comes by chance once in a thousand times.
	Moved bool `json:"moved"`
	// Missing is the share of rows without a value, in the profile and now.
	Missing    float64 `json:"missing_then"`
	MissingNow float64 `json:"missing_now"`
	// Usual is the median or the commonest value of the profile. What is usual now stands in one of its bins.
	Usual string `json:"usual_then"`
}

// Shift is the population stability index above which a population is commonly said to have shifted.
const Shift = 0.25

// chance is how rarely an index by chance alone is called a shift.
const chance = 0.001

// Drift is the columns, largest index first. Of columns in which nothing was counted there is none.
func (c *Counter) Drift() []Drift {
	var out []Drift
	for i := range c.of.Columns {
		of, now := &c.of.Columns[i], c.counts[i]
		n, m := sum(of.Counts), sum(now)
		if n == 0 || m == 0 {
			continue
		}
		d := Drift{Column: of.Name, PSI: stat.StabilityIndex(of.Counts, now), Usual: of.Usual}
		used := 0
		for k := range now {
			if of.Counts[k]+now[k] > 0 {
				used++
			}
		}
		// the index of two samples of one population is about χ² of one degree less than there are bins, by 1/n + 1/m
		d.Moved = d.PSI > Shift && used > 1 && stat.ChiSquaredSurvival(d.PSI/(1/n+1/m), float64(used-1)) < chance
		d.Missing, d.MissingNow = of.Counts[len(of.Counts)-1]/n, now[len(now)-1]/m
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Drift) int { return cmp.Compare(b.PSI, a.PSI) })
	return out
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
