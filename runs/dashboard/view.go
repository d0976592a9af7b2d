package dashboard

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// View is the charts of the flows that a query keeps. The counts of a chart that is itself a filter leave that filter
// out, so that what it does not choose stays to be seen. m counts marked flows among n, p those of the profile.
type View struct {
	Kept    int               `json:"kept"`
	Of      int               `json:"of"` // all flows but the profile's
	Marked  int               `json:"marked"`
	Attacks int               `json:"attacks"` // labelled so
	Hits    int               `json:"hits"`    // marked and labelled
	Profile int               `json:"profile"`
	Time    Series            `json:"time"`
	Dims    map[string]*Facet `json:"dims"`
	Score   *Counts           `json:"score,omitempty"` // in bins of equal width of the coded score
	Signs   []Bar             `json:"signs"`
	Status  *Heat             `json:"status,omitempty"`
	Scatter *Heat             `json:"scatter,omitempty"` // row by row from the lowest y
	Numbers *Correlations     `json:"numbers,omitempty"`
	Spread  []Counts          `json:"spread"` // of each number, in bins of equal width of its code
	From    []Host            `json:"from"`   // sources
	To      []Host            `json:"to"`     // destinations
	Shift   []Shift           `json:"shift"`  // null without a profile
	Flows   List              `json:"flows"`
	Ahead   map[string]*Ahead `json:"ahead"` // n and m
}

// Counts are of the same bins or levels.
type Counts struct {
	N []int `json:"n"`
	M []int `json:"m"`
	P []int `json:"p,omitempty"`
}

// Series is counts and bytes of the bins of time.
type Series struct {
	N   []int     `json:"n"`
	M   []int     `json:"m"`
	Out []float64 `json:"out,omitempty"`
	In  []float64 `json:"in,omitempty"`
	P   []float64 `json:"p,omitempty"` // of the profile at this time of day, a day
}

// Bar is a level of a category with its counts.
type Bar struct {
	Name string `json:"name"`
	N    int    `json:"n"`
	M    int    `json:"m"`
	P    int    `json:"p"`
}

// Facet is the levels of a category.
type Facet struct {
	Levels int   `json:"levels"` // that occur
	N      int   `json:"n"`      // flows of all levels
	P      int   `json:"p"`
	Top    []Bar `json:"top"`
}

// Heat is counts of two scales.
type Heat struct {
	X    string   `json:"x,omitempty"`
	Y    string   `json:"y,omitempty"`
	Rows []string `json:"rows,omitempty"`
	Wide int      `json:"wide"` // columns
	N    []int    `json:"n"`
	M    []int    `json:"m"`
}

// Correlations are Pearson's, of the logarithms; row by row.
type Correlations struct {
	Keys []string  `json:"keys"`
	N    int       `json:"n"` // flows with all numbers
	R    []float64 `json:"r"` // −2: undefined
}

// Host is what a host did as source, or as destination.
type Host struct {
	Bar
	Peers    int     `json:"peers"`
	Services int     `json:"services"`
	Out      float64 `json:"out"` // bytes
	In       float64 `json:"in"`
}

// Shift is a level whose share differs from the profile's.
type Shift struct {
	Dim   string  `json:"dim"`
	Name  string  `json:"name"`
	Share float64 `json:"share"`
	Was   float64 `json:"was"` // in the profile
	Z     float64 `json:"z"`   // of the difference of two shares
	N     int     `json:"n"`
}

// List is a page of flows.
type List struct {
	Total int      `json:"total"`
	Rows  []Record `json:"rows"`
}

// Sizes of charts.
const (
	scoreBins = 64
	blocks    = 24
	scatterX  = 48
	scatterY  = 32
	spreads   = 32
	topLevels = 12
	topHosts  = 8
	topRows   = 8
	topShifts = 15
	pageFlows = 30
)

// View counts what a query keeps, on up to workers goroutines.
func (f *Flows) View(ctx context.Context, q Query, workers int) (*View, error) {
	c := f.compile(q)
	total, err := c.count(ctx, workers)
	if err != nil {
		return nil, err
	}
	v := &View{Kept: total.kept, Of: total.of, Marked: total.marked, Attacks: total.attacks, Hits: total.hits,
		Profile: total.profile, Dims: map[string]*Facet{}, Signs: []Bar{}, Ahead: map[string]*Ahead{}}
	v.Time = Series{N: total.timeN, M: total.timeM}
	if f.num("bytes out") != nil {
		v.Time.Out = total.out
	}
	if f.num("bytes in") != nil {
		v.Time.In = total.in
	}
	if f.Profile != nil && f.Profile.Days > 0 {
		for b := range f.Axis.Bins {
			v.Time.P = append(v.Time.P, float64(total.slots[f.Axis.slot(b)])/float64(f.Profile.Days))
		}
	}
	for k := range f.Dims {
		v.Dims[f.Dims[k].Key] = f.facet(k, &total.dims[k], q)
	}
	if f.Score != nil {
		v.Score = &total.score
	}
	for k, name := range f.Signs {
		v.Signs = append(v.Signs, Bar{name, total.signs.N[k], total.signs.M[k], total.signs.P[k]})
	}
	v.Spread = total.spread
	v.Status, v.Scatter = total.status, total.scatter
	v.Numbers = total.correlations(f)
	v.From, v.To = c.hosts("src", "dst", total), c.hosts("dst", "src", total)
	v.Shift = f.shifts(total)
	v.Flows = c.list(q)
	from, to := 0, f.Axis.Bins
	if q.To > 0 {
		from, to = q.From, q.To
	}
	v.Ahead["n"] = f.ahead(v.Time.N, from, to)
	if f.Mark != "" {
		v.Ahead["m"] = f.ahead(v.Time.M, from, to)
	}
	return v, nil
}

// facet is the levels of a category that are shown: the most frequent, hosts by what is marked, and the chosen ones.
func (f *Flows) facet(k int, c *Counts, q Query) *Facet {
	d := &f.Dims[k]
	out := &Facet{Top: []Bar{}}
	var at []int
	for i := range c.N {
		if c.N[i] > 0 {
			out.Levels++
			at = append(at, i)
		}
		out.N += c.N[i]
		out.P += c.P[i]
	}
	hosts := d.Key == "src" || d.Key == "dst" || d.Key == "country"
	slices.SortFunc(at, func(a, b int) int {
		if hosts {
			if o := cmp.Compare(c.M[b], c.M[a]); o != 0 {
				return o
			}
		}
		return cmp.Or(cmp.Compare(c.N[b], c.N[a]), cmp.Compare(a, b))
	})
	n := topLevels
	if d.Key == "country" {
		n = len(at)
	}
	at = at[:min(n, len(at))]
	for _, text := range q.Levels[d.Key] {
		if i := slices.Index(d.Levels, text); i >= 0 && !slices.Contains(at, i) {
			at = append(at, i)
		}
	}
	for _, i := range at {
		out.Top = append(out.Top, Bar{d.Levels[i], c.N[i], c.M[i], c.P[i]})
	}
	return out
}

// shifts are the levels whose shares differ most from the profile's, by the test of two proportions.
func (f *Flows) shifts(t *tally) (out []Shift) {
	if f.Profile == nil {
		return nil
	}
	out = []Shift{}
	for k := range f.Dims {
		c, n, p := &t.dims[k], 0, 0
		if key := f.Dims[k].Key; key == "class" || key == "part" {
			continue
		}
		for i := range c.N {
			n += c.N[i]
			p += c.P[i]
		}
		if n == 0 || p == 0 {
			continue
		}
		for i := range c.N {
			a, b := float64(c.N[i])/float64(n), float64(c.P[i])/float64(p)
			pooled := float64(c.N[i]+c.P[i]) / float64(n+p)
			if z := (a - b) / math.Sqrt(pooled*(1-pooled)*(1/float64(n)+1/float64(p))); math.Abs(z) > 3 {
				out = append(out, Shift{f.Dims[k].Key, f.Dims[k].Levels[i], a, b, z, c.N[i]})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Shift) int { return cmp.Compare(math.Abs(b.Z), math.Abs(a.Z)) })
	return out[:min(len(out), topShifts)]
}

// correlations are those of the sums of a tally.
func (t *tally) correlations(f *Flows) *Correlations {
	k := len(t.numbers)
	if k < 2 {
		return nil
	}
	c := &Correlations{N: t.complete, R: make([]float64, k*k)}
	for i := range f.Nums {
		c.Keys = append(c.Keys, f.Nums[i].Title)
	}
	if len(c.Keys) < k {
		c.Keys = append(c.Keys, "score")
	}
	n := float64(t.complete)
	cov := func(a, b int) float64 {
		return float64(t.products[a*k+b]) - float64(t.sums[a])*float64(t.sums[b])/n
	}
	for i := range k {
		for j := range k {
			va, vb := cov(i, i), cov(j, j)
			if c.R[i*k+j] = -2; va > n && vb > n { // more than a step of the codes
				c.R[i*k+j] = cov(min(i, j), max(i, j)) / math.Sqrt(va*vb)
			}
		}
	}
	return c
}
