package trees

import "slices"

// cut is a split of a leaf: by numbers at the upper edge of a bin, or by categories.
type cut struct {
	gain    float64
	column  int
	bin     int  // up to and with it to the left
	set     Set  // of categories: those that go left
	byset   bool // the column is one of categories
	missing bool // missing values go left
}

// left says which bins go left: 1, or 0.
func (c *cut) left() (goes [256]int) {
	for b := range missingBin + 1 {
		in := b <= c.bin
		switch {
		case b == missingBin:
			in = c.missing
		case c.byset:
			in = c.set.Has(uint8(b))
		}
		if in {
			goes[b] = 1
		}
	}
	return goes
}

// finder looks for the best split of a leaf by one column.
type finder struct {
	*GradientGrower
	column int
	hist   []sums // by bin
	all    sums
	parent float64 // G²/(H+λ) of the leaf
	best   cut
}

// judged is what comes of trying a split.
type judged int

const (
	tooSmall judged = iota // what went has too little
	over                   // the rest has too little, as it will have from here on
	fair
)

// judge is the gain of a split of which one side is what went. went is what grows from one try to the next.
func (f *finder) judge(went sums) (gain float64, j judged) {
	rest := f.all.minus(went)
	least := float64(f.MinLeaf)
	switch {
	case went.n < least || went.h < leastCurvature:
		return 0, tooSmall
	case rest.n < least || rest.h < leastCurvature:
		return 0, over
	}
	return f.gainOf(went) + f.gainOf(rest) - f.parent, fair
}

// byNumber tries the edges of the bins from the lowest on, with missing values on the right, and then, where training
// has any, from the highest on, with missing values on the left. Ties go to what was tried first.
func (f *finder) byNumber() {
	bins := f.size[f.column]
	last := bins - 1
	if f.missing[f.column] {
		last = bins // all values against none
	}
	best, at, left := 0.0, 0, false
	var went sums
	for b, own := range f.hist[:last] {
		if own.n == 0 {
			continue
		}
		went = went.plus(own)
		gain, j := f.judge(went)
		if j == over {
			break
		}
		if j == fair && gain > best {
			best, at = gain, b
		}
	}
	if f.missing[f.column] {
		went = sums{}
		for b := bins - 2; b >= 0; b-- {
			went = went.plus(f.hist[b+1])
			gain, j := f.judge(went)
			if j == over {
				break
			}
			if j == fair && gain > best {
				best, at, left = gain, b, true
			}
		}
	}
	f.best = cut{gain: best, column: f.column, bin: at, missing: left}
}

// byCategory sorts the categories that have enough rows by their smoothed gradients (W. Fisher, On Grouping for Maximum
// Homogeneity, JASA 1958, shows that the best two groups are neighbours in that order) and sends those of one end left,
// at most half of them; all others go right. Missing values count as a category.
func (f *finder) byCategory() {
	type category struct {
		bin   int
		value float64
	}
	var order []category
	scale := f.all.n / f.all.h
	add := func(bin int) {
		if s := f.hist[bin]; s.n > 0 && s.h*scale >= f.Support {
			order = append(order, category{bin, s.g / (s.h + f.Support)})
		}
	}
	for b := range f.size[f.column] {
		add(b)
	}
	if f.missing[f.column] {
		add(missingBin)
	}
	if len(order) < 2 {
		return
	}
	slices.SortStableFunc(order, func(a, b category) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	half := (len(order) + 1) / 2
	f.oneEnd(half, func(i int) int { return order[i].bin })
	f.oneEnd(half-1, func(i int) int { return order[len(order)-1-i].bin })
}

// oneEnd tries to send the first category left, the first two, and so on up to n.
func (f *finder) oneEnd(n int, bin func(i int) int) {
	var went sums
	c := cut{byset: true}
	for i := range n {
		b := bin(i)
		went = went.plus(f.hist[b])
		if b == missingBin {
			c.missing = true
		} else {
			c.set.Add(uint8(b))
		}
		gain, j := f.judge(went)
		if j == over {
			break
		}
		if j == fair && gain > f.best.gain {
			c.gain, c.column = gain, f.column
			f.best = c
		}
	}
}
