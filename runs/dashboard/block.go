package dashboard

// blockFlows is how many flows are counted column by column before the next ones are: their places and filters stay
// near the processor.
const blockFlows = 1 << 13

// block counts flows that are none of the profile's, chart by chart.
func (c *counter) block(t *tally, from, to int) {
	f := c.f
	t.of += to - from
	c.filter(t, from, to)
	for _, i := range t.keeps {
		c.kept[i] = true
		flag := f.Flag[i]
		t.marked += int(flag & marked)
		if flag&attack != 0 {
			t.attacks++
			t.hits += int(flag & marked)
		}
	}
	t.kept += len(t.keeps)
	c.each(t, byTime, func(rows []int32) { c.time(t, rows) })
	if f.Score != nil {
		c.each(t, byScore, func(rows []int32) { f.bins(&t.score, f.Score, scoreBins, rows) })
	}
	if len(f.Signs) > 0 {
		c.each(t, bySign, func(rows []int32) {
			for _, i := range rows {
				for s := f.Sign[i]; s != 0; s &= s - 1 {
					k := bit(s)
					t.signs.N[k]++
					t.signs.M[k] += int(f.Flag[i] & marked)
				}
			}
		})
	}
	for k := range f.Dims {
		codes := f.Dims[k].Code
		add := func(to *Counts) func(rows []int32) {
			return func(rows []int32) {
				for _, i := range rows {
					to.N[codes[i]]++
					to.M[codes[i]] += int(f.Flag[i] & marked)
				}
			}
		}
		c.each(t, firstDim<<k, add(&t.dims[k]))
		if t.inside[k].N != nil {
			add(&t.inside[k])(t.keeps)
		}
	}
	for j := range f.Nums {
		f.bins(&t.spread[j], f.Nums[j].Code, spreads, t.keeps)
	}
	c.heats(t)
	c.moments(t)
}

// filter finds the filters that flows do not pass, those that pass all and those that fail one alone.
func (c *counter) filter(t *tally, from, to int) {
	f, miss := c.f, t.miss[:to-from]
	clear(miss)
	if c.q.To > 0 {
		low, n := uint16(c.q.From), uint16(c.q.To-c.q.From)
		for i, b := range f.Bin[from:to] {
			if b-low >= n { // nowhere too
				miss[i] |= byTime
			}
		}
	}
	if f.Score != nil && (c.low > 0 || c.high < none) {
		for i, v := range f.Score[from:to] {
			if v < c.low || v > c.high || v == none {
				miss[i] |= byScore
			}
		}
	}
	if c.q.Mark != "" {
		want := uint8(0)
		if c.q.Mark == "yes" {
			want = marked
		}
		for i, v := range f.Flag[from:to] {
			if v&marked != want {
				miss[i] |= byMark
			}
		}
	}
	if c.sign != 0 {
		for i, v := range f.Sign[from:to] {
			if v&c.sign == 0 {
				miss[i] |= bySign
			}
		}
	}
	for k, l := range c.levels {
		if l != nil {
			for i, v := range f.Dims[k].Code[from:to] {
				if !l[v] {
					miss[i] |= firstDim << k
				}
			}
		}
	}
	t.keeps = t.keeps[:0]
	for bit := range t.fails {
		t.fails[bit] = t.fails[bit][:0]
	}
	for i, m := range miss {
		switch {
		case m == 0:
			t.keeps = append(t.keeps, int32(from+i))
		case m&(m-1) == 0:
			t.fails[m] = append(t.fails[m], int32(from+i))
		}
	}
}

// each gives a chart the flows that pass all filters, and those that fail its own alone.
func (c *counter) each(t *tally, own uint32, count func(rows []int32)) {
	count(t.keeps)
	if rows := t.fails[own]; len(rows) > 0 {
		count(rows)
	}
}

func (c *counter) time(t *tally, rows []int32) {
	f := c.f
	for _, i := range rows {
		if b := f.Bin[i]; b != nowhere {
			t.timeN[b]++
			t.timeM[b] += int(f.Flag[i] & marked)
		}
	}
	for _, of := range []struct {
		codes  []uint16
		values []float64
		sums   []float64
	}{{c.out, f.valueOut, t.out}, {c.in, f.valueIn, t.in}} {
		for _, i := range rows {
			if b := f.Bin[i]; of.codes != nil && b != nowhere {
				of.sums[b] += of.values[of.codes[i]]
			}
		}
	}
}

// bins counts codes in n bins of equal width.
func (f *Flows) bins(to *Counts, codes []uint16, n int, rows []int32) {
	for _, i := range rows {
		if code := codes[i]; code != none {
			k := int(code) * n / none
			to.N[k]++
			to.M[k] += int(f.Flag[i] & marked)
		}
	}
}

// heats counts the charts of two scales.
func (c *counter) heats(t *tally) {
	f := c.f
	if h := t.status; h != nil {
		codes, last := f.Dims[c.status].Code, len(h.Rows)-1
		for _, i := range t.keeps {
			if b := f.Bin[i]; b != nowhere {
				at := min(int(codes[i]), last)*h.Wide + int(b)*h.Wide/f.Axis.Bins
				h.N[at]++
				h.M[at] += int(f.Flag[i] & marked)
			}
		}
	}
	if h := t.scatter; h != nil {
		for _, i := range t.keeps {
			if x, y := c.x[i], c.y[i]; x != none && y != none {
				at := int(y)*scatterY/none*scatterX + int(x)*scatterX/none
				h.N[at]++
				h.M[at] += int(f.Flag[i] & marked)
			}
		}
	}
}

// moments adds up codes and their products, of flows with all numbers.
func (c *counter) moments(t *tally) {
	k := len(c.numbers)
	if k < 2 {
		return
	}
	whole := t.whole[:0]
next:
	for _, i := range t.keeps {
		for _, codes := range c.numbers {
			if codes[i] == none {
				continue next
			}
		}
		whole = append(whole, i)
	}
	t.whole = whole
	t.complete += len(whole)
	for j, codes := range c.numbers {
		v, sum := t.codes[j][:len(whole)], uint64(0)
		for m, i := range whole {
			v[m] = uint64(codes[i])
			sum += v[m]
		}
		t.sums[j] += sum
	}
	for a := range k {
		x := t.codes[a][:len(whole)]
		for b := a; b < k; b++ {
			y, sum := t.codes[b][:len(x)], uint64(0)
			for m, v := range x {
				sum += v * y[m]
			}
			t.products[a*k+b] += sum
		}
	}
}
