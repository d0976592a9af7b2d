package dashboard

import (
	"context"
	"math"
	"slices"
	"sync"
)

// Filters by their bits; those of dims follow.
const (
	byTime = 1 << iota
	byScore
	byMark
	bySign
	firstDim
)

// counter is a query made ready for the flows.
type counter struct {
	f         *Flows
	q         Query
	low, high uint16 // of the score's code
	slots     []bool // times of the day that a filter by time keeps
	sign      uint8
	levels    [][]bool // of each dim; nil: all
	x, y      []uint16
	status    int // the dim of the status chart, −1
	numbers   [][]uint16
	out, in   []uint16
	kept      []bool
}

// tally is counts of some flows.
type tally struct {
	kept, of, marked, attacks, hits, profile int

	timeN, timeM []int
	slots        []int
	out, in      []float64
	dims         []Counts
	inside       []Counts // of the hosts, with their own filters; empty where they have none
	score, signs Counts
	spread       []Counts
	status       *Heat
	scatter      *Heat
	numbers      [][]uint16
	complete     int
	sums         []uint64 // of codes
	products     []uint64

	miss  []uint32           // of a block, by its flows: the filters that they do not pass
	keeps []int32            // the flows of a block that pass all filters
	fails map[uint32][]int32 // those that fail the one alone
	whole []int32            // those of them with all numbers
	codes [][]uint64         // of their numbers
}

func (f *Flows) compile(q Query) *counter {
	c := &counter{f: f, q: q, high: none, levels: make([][]bool, len(f.Dims)), status: -1, kept: make([]bool, f.N)}
	if f.Score != nil {
		if !math.IsNaN(q.Low) {
			c.low = f.ScoreScale.code(q.Low)
		}
		if !math.IsNaN(q.High) {
			c.high = f.ScoreScale.code(q.High)
		}
	}
	if f.Profile != nil && f.Profile.Days > 0 {
		c.slots = make([]bool, f.Axis.day())
		for b := q.From; b < q.To; b++ {
			c.slots[f.Axis.slot(b)] = true
		}
	}
	if k := slices.Index(f.Signs, q.Sign); k >= 0 {
		c.sign = 1 << k
	}
	for k := range f.Dims {
		want, ok := q.Levels[f.Dims[k].Key]
		if !ok {
			continue
		}
		c.levels[k] = make([]bool, len(f.Dims[k].Levels))
		for i, text := range f.Dims[k].Levels {
			c.levels[k][i] = slices.Contains(want, text)
		}
	}
	if x, y := f.num(q.X), f.num(q.Y); x != nil && y != nil {
		c.x, c.y = x.Code, y.Code
	}
	for _, key := range []string{"state", "proto", "service", "class"} {
		if c.status < 0 {
			c.status = f.dim(key)
		}
	}
	for i := range f.Nums {
		c.numbers = append(c.numbers, f.Nums[i].Code)
	}
	if f.Score != nil {
		c.numbers = append(c.numbers, f.Score)
	}
	out, in := f.num("bytes out"), f.num("bytes in")
	f.decode.Do(func() {
		if out != nil {
			f.valueOut = out.Scale.values()
		}
		if in != nil {
			f.valueIn = in.Scale.values()
		}
	})
	if out != nil {
		c.out = out.Code
	}
	if in != nil {
		c.in = in.Code
	}
	return c
}

func newCounts(n int) Counts { return Counts{make([]int, n), make([]int, n), make([]int, n)} }

func (c *counter) newTally() *tally {
	f, k := c.f, len(c.numbers)
	t := &tally{timeN: make([]int, f.Axis.Bins), timeM: make([]int, f.Axis.Bins), out: make([]float64, f.Axis.Bins),
		in: make([]float64, f.Axis.Bins), slots: make([]int, len(c.slots)), score: newCounts(scoreBins),
		signs: newCounts(len(f.Signs)), sums: make([]uint64, k), products: make([]uint64, k*k), numbers: c.numbers,
		miss: make([]uint32, blockFlows), fails: map[uint32][]int32{}}
	for range k {
		t.codes = append(t.codes, make([]uint64, blockFlows))
	}
	for i := range f.Dims {
		t.dims = append(t.dims, newCounts(len(f.Dims[i].Levels)))
		var inside Counts
		if key := f.Dims[i].Key; c.levels[i] != nil && (key == "src" || key == "dst") {
			inside = newCounts(len(f.Dims[i].Levels))
		}
		t.inside = append(t.inside, inside)
	}
	t.spread = []Counts{}
	for range f.Nums {
		t.spread = append(t.spread, newCounts(spreads))
	}
	if c.status >= 0 {
		names := f.Dims[c.status].Levels
		if len(names) > topRows {
			names = append(slices.Clone(names[:topRows]), others)
		}
		wide := min(blocks, f.Axis.Bins)
		t.status = &Heat{Rows: names, Wide: wide, N: make([]int, len(names)*wide), M: make([]int, len(names)*wide)}
	}
	if c.x != nil {
		t.scatter = &Heat{X: c.q.X, Y: c.q.Y, Wide: scatterX, N: make([]int, scatterX*scatterY),
			M: make([]int, scatterX*scatterY)}
	}
	return t
}

// chunk is how many flows are counted between looks at the context.
const chunk = 1 << 16

// count counts all flows.
func (c *counter) count(ctx context.Context, workers int) (*tally, error) {
	n := c.f.N
	workers = max(1, min(workers, n/chunk+1))
	tallies := make([]*tally, workers)
	var all sync.WaitGroup
	for w := range workers {
		tallies[w] = c.newTally()
		all.Go(func() {
			to := n * (w + 1) / workers
			for at := n * w / workers; at < to && ctx.Err() == nil; at += chunk {
				c.flows(tallies[w], at, min(at+chunk, to))
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, t := range tallies[1:] {
		tallies[0].add(t)
	}
	return tallies[0], nil
}

// misses are the filters that a flow does not pass.
func (c *counter) misses(i int) (out uint32) {
	f, flag := c.f, c.f.Flag[i]
	if c.q.To > 0 {
		b := f.Bin[i]
		switch {
		case flag&profile != 0:
			if c.slots != nil && (b == nowhere || !c.slots[b]) {
				out |= byTime
			}
		case b == nowhere || int(b) < c.q.From || int(b) >= c.q.To:
			out |= byTime
		}
	}
	if f.Score != nil {
		bounded := c.low > 0 || c.high < none
		if v := f.Score[i]; v < c.low || v > c.high || v == none && bounded {
			out |= byScore
		}
	}
	if c.q.Mark != "" && (flag&marked != 0) != (c.q.Mark == "yes") && flag&profile == 0 {
		out |= byMark
	}
	if c.sign != 0 && f.Sign[i]&c.sign == 0 {
		out |= bySign
	}
	for k, l := range c.levels {
		if l != nil && !l[f.Dims[k].Code[i]] {
			out |= firstDim << k
		}
	}
	return out
}

// flows counts some of the flows.
func (c *counter) flows(t *tally, from, to int) {
	own := c.f.Own()
	for at := from; at < min(to, own); at += len(t.miss) {
		c.block(t, at, min(at+len(t.miss), to, own))
	}
	for i := max(from, own); i < to; i++ {
		if misses := c.misses(i); misses&(misses-1) == 0 { // else no chart counts it
			c.old(t, i, misses)
		}
	}
}

// bit is the place of the lowest bit.
func bit(s uint8) int {
	k := 0
	for ; s&1 == 0; s >>= 1 {
		k++
	}
	return k
}

// old counts a flow of the profile.
func (c *counter) old(t *tally, i int, misses uint32) {
	f := c.f
	if misses == 0 {
		t.profile++
		for j := range f.Nums {
			if code := f.Nums[j].Code[i]; code != none {
				t.spread[j].P[int(code)*spreads/none]++
			}
		}
	}
	if misses&^byTime == 0 && c.slots != nil && f.Bin[i] != nowhere {
		t.slots[f.Bin[i]]++
	}
	if f.Score != nil && misses&^byScore == 0 && f.Score[i] != none {
		t.score.P[int(f.Score[i])*scoreBins/none]++
	}
	if misses&^bySign == 0 {
		for s := f.Sign[i]; s != 0; s &= s - 1 {
			t.signs.P[bit(s)]++
		}
	}
	for k := range f.Dims {
		if misses&^(firstDim<<k) == 0 {
			t.dims[k].P[f.Dims[k].Code[i]]++
		}
	}
}

// sum adds numbers to others, one by one.
func sum[T int | uint64 | float64](to, from []T) {
	for i, v := range from {
		to[i] += v
	}
}

func (c *Counts) add(o *Counts) {
	sum(c.N, o.N)
	sum(c.M, o.M)
	sum(c.P, o.P)
}

// add adds the counts of other flows.
func (t *tally) add(o *tally) {
	for _, p := range [][2]*int{{&t.kept, &o.kept}, {&t.of, &o.of}, {&t.marked, &o.marked}, {&t.attacks, &o.attacks},
		{&t.hits, &o.hits}, {&t.profile, &o.profile}, {&t.complete, &o.complete}} {
		*p[0] += *p[1]
	}
	sum(t.timeN, o.timeN)
	sum(t.timeM, o.timeM)
	sum(t.slots, o.slots)
	sum(t.out, o.out)
	sum(t.in, o.in)
	for k := range t.dims {
		t.dims[k].add(&o.dims[k])
		t.inside[k].add(&o.inside[k])
	}
	for k := range t.spread {
		t.spread[k].add(&o.spread[k])
	}
	t.score.add(&o.score)
	t.signs.add(&o.signs)
	for _, h := range [][2]*Heat{{t.status, o.status}, {t.scatter, o.scatter}} {
		if h[0] != nil {
			sum(h[0].N, h[1].N)
			sum(h[0].M, h[1].M)
		}
	}
	sum(t.sums, o.sums)
	sum(t.products, o.products)
}
