package eda

import (
	"math"
	"slices"

	"plumbline/data"
	"plumbline/numeric/sketch"
	"plumbline/numeric/stat"
)

const (
	chunkRows = 1 << 16
	rankK     = 4096 // of sketches: ranks to 0.13 %
)

// manyDistinct is above how many values a column whose values seldom repeat is kept as it is. Tests have less.
var manyDistinct = 1 << 17

// column is one column of the data as it grows: codes into its distinct values, where code 0 is missing; or the values
// themselves, where they seldom repeat; or sketches, where neither fits.
type column struct {
	name string
	kind data.ColumnType

	values []float64 // by code; of times seconds since 1970
	texts  []string  // by code, of categories and addresses
	counts [][2]uint32
	order  []uint32 // codes by ascending value, without 0; made by finish

	codes  chunks
	number numberIndex       // codes by value
	text   map[string]uint32 // codes by text
	held   int               // bytes of texts

	raw      [][]float64 // the values in chunks, in place of codes; missing ones are NaN
	attacks  [][]bool    // the labels beside raw
	streamed *streamed   // nil: exact

	block []uint32 // codes of the block at work
}

func newColumn(name string, kind data.ColumnType) *column {
	c := &column{name: name, kind: kind, counts: make([][2]uint32, 1)}
	if c.numeric() {
		c.values = []float64{math.NaN()}
		c.number = newNumberIndex()
	} else {
		c.texts, c.text = []string{""}, map[string]uint32{}
	}
	return c
}

// numeric says whether the column has an order: numbers and times.
func (c *column) numeric() bool { return c.kind == data.Number || c.kind == data.Time }

// exact says whether all is known of each row.
func (c *column) exact() bool { return c.streamed == nil }

// size is the memory that the column takes, about.
func (c *column) size() int64 {
	n := c.codes.size() + int64(len(c.values)*8+len(c.counts)*8+len(c.number.slots)*4+c.held+48*len(c.text))
	for _, r := range c.raw {
		n += int64(9 * cap(r))
	}
	return n
}

// add takes the values of a block; attack is nil without labels. rows are the places in the block of those that belong
// to the sample of rows.
func (c *column) add(from *data.Column, attack []bool, sampled []int32) {
	n := from.Len()
	switch {
	case c.streamed != nil:
		c.streamed.add(from, attack, sampled)
		return
	case c.raw != nil:
		c.addRaw(from, attack, n)
		return
	}
	c.block = slices.Grow(c.block[:0], n)[:n]
	switch {
	case from.Num != nil:
		c.encode(from.Num)
	case from.Nanos != nil:
		c.encodeTimes(from.Nanos)
	default:
		c.encodeTexts(from)
	}
	if attack == nil {
		for _, k := range c.block {
			c.counts[k][0]++
		}
	} else {
		for i, k := range c.block {
			side := 0
			if attack[i] {
				side = 1
			}
			c.counts[k][side]++
		}
	}
	c.codes.add(c.block)
	if c.numeric() && len(c.values) > manyDistinct && len(c.values) > c.codes.rows/4 {
		c.toRaw(attack != nil)
	}
}

func (c *column) encode(v []float64) {
	last, code := math.NaN(), uint32(0)
	for i, x := range v {
		switch {
		case x-x != 0: // NaN or an infinity
			c.block[i] = 0
			continue
		case x != last:
			last, code = x, c.code(x)
		}
		c.block[i] = code
	}
}

// code is that of a number, which may be new.
func (c *column) code(x float64) uint32 {
	code, fresh := c.number.code(x+0, c.values) // −0 is 0
	if fresh {
		c.values, c.counts = append(c.values, x+0), append(c.counts, [2]uint32{})
	}
	return code
}

func (c *column) encodeTimes(v []int64) {
	last, code := int64(data.NoTime), uint32(0)
	for i, x := range v {
		switch {
		case x == data.NoTime:
			c.block[i] = 0
			continue
		case x != last:
			last, code = x, c.code(seconds(x))
		}
		c.block[i] = code
	}
}

// seconds is a time in seconds since 1970.
func seconds(nanos int64) float64 { return float64(nanos/1e9) + float64(nanos%1e9)/1e9 }

func (c *column) encodeTexts(from *data.Column) {
	to := make([]uint32, len(from.Levels))
	for i, k := range from.Code {
		if k == data.Missing {
			c.block[i] = 0
			continue
		}
		if to[k] == 0 {
			to[k] = c.level(from.Levels[k])
		}
		c.block[i] = to[k]
	}
}

// level is the code of a text, which may be new.
func (c *column) level(text string) uint32 {
	code, ok := c.text[text]
	if !ok {
		code = uint32(len(c.texts))
		c.text[text] = code
		c.texts, c.counts = append(c.texts, text), append(c.counts, [2]uint32{})
		c.held += len(text) + 16
	}
	return code
}

// toRaw keeps the values as they are from now on.
func (c *column) toRaw(labelled bool) {
	c.raw = [][]float64{}
	if labelled {
		c.attacks = [][]bool{}
	}
}

// addRaw keeps values of a block after those that have codes.
func (c *column) addRaw(from *data.Column, attack []bool, n int) {
	for i := 0; i < n; {
		k := len(c.raw) - 1
		if k < 0 || len(c.raw[k]) == chunkRows {
			c.raw = append(c.raw, make([]float64, 0, chunkRows))
			c.attacks = append(c.attacks, make([]bool, 0, chunkRows))
			continue
		}
		m := min(n-i, chunkRows-len(c.raw[k]))
		if from.Num != nil {
			c.raw[k] = append(c.raw[k], from.Num[i:i+m]...)
		} else {
			for _, v := range from.Nanos[i : i+m] {
				x := math.NaN()
				if v != data.NoTime {
					x = seconds(v)
				}
				c.raw[k] = append(c.raw[k], x)
			}
		}
		if attack != nil {
			c.attacks[k] = append(c.attacks[k], attack[i:i+m]...)
		} else {
			c.attacks[k] = c.attacks[k][:len(c.raw[k])]
		}
		i += m
	}
}

// stream gives up the rows for sketches of what there is so far. sampled are the sample's rows so far.
func (c *column) stream(seed uint64, sampled []int64) {
	s := newStreamed(c, seed)
	for code := range c.counts {
		for side, n := range c.counts[code] {
			if n == 0 {
				continue
			}
			switch {
			case code == 0:
				s.missing[side] += float64(n)
			case c.numeric():
				s.number(c.values[code], side, uint64(n))
			default:
				s.level(c.texts[code], side, uint64(n))
			}
		}
	}
	before := c.codes.rows
	for k, r := range c.raw {
		for i, v := range r {
			side := 0
			if c.attacks[k][i] {
				side = 1
			}
			s.value(v, side)
		}
	}
	codes := make([]uint32, chunkRows)
	at := -1
	for _, row := range sampled {
		if int(row) >= before {
			rest := int(row) - before
			s.sample = append(s.sample, c.raw[rest/chunkRows][rest%chunkRows])
			continue
		}
		if int(row)/chunkRows != at {
			at = int(row) / chunkRows
			codes = c.codes.read(at, codes)
		}
		s.sample = append(s.sample, c.sampleValue(codes[int(row)%chunkRows]))
	}
	c.streamed = s
	c.codes, c.raw, c.attacks, c.values, c.counts = chunks{}, nil, nil, nil, nil
	c.number, c.text, c.texts, c.held = numberIndex{}, nil, nil, 0
}

// sampleValue is the value of a code in the sample: a number, or for texts a number that stands for the text.
func (c *column) sampleValue(code uint32) float64 {
	switch {
	case code == 0:
		return math.NaN()
	case c.numeric():
		return c.values[code]
	}
	return textNumber(c.texts[code])
}

// textNumber stands for a text in a sample: 52 bits of its hash.
func textNumber(text string) float64 { return float64(hashText(text) >> 12) }

// finish brings raw values to codes and puts the codes in the order of their values.
func (c *column) finish() {
	if c.streamed != nil {
		c.streamed.finish(c)
		return
	}
	if c.raw != nil {
		c.fromRaw()
	}
	c.number, c.text, c.block = numberIndex{}, nil, nil
	c.codes.flush()
	c.order = make([]uint32, len(c.counts)-1)
	for i := range c.order {
		c.order[i] = uint32(i + 1)
	}
	if c.numeric() {
		slices.SortFunc(c.order, func(a, b uint32) int {
			switch x, y := c.values[a], c.values[b]; {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
	}
}

// fromRaw replaces the values of all rows by codes.
func (c *column) fromRaw() {
	before, n := c.codes.rows, c.codes.rows
	for _, r := range c.raw {
		n += len(r)
	}
	all, attack := make([]float64, 0, n), make([]bool, 0, n-before)
	codes := make([]uint32, 0, chunkRows)
	c.codes.flush()
	for k := range c.codes.parts {
		codes = c.codes.read(k, codes)
		for _, code := range codes {
			all = append(all, c.values[code])
		}
	}
	old, oldCounts := c.values, c.counts
	for k := range c.raw {
		all, attack = append(all, c.raw[k]...), append(attack, c.attacks[k]...)
	}
	c.raw, c.attacks, c.codes = nil, nil, chunks{}
	c.values, c.counts = []float64{math.NaN()}, [][2]uint32{{}}
	for i, v := range all {
		if v-v != 0 {
			all[i] = math.Inf(-1) // missing ones come last
		}
	}
	order := stat.Descending(all)
	code := make([]uint32, n)
	for k := n - 1; k >= 0; k-- {
		i := order[k]
		v := all[i]
		if math.IsInf(v, -1) {
			continue
		}
		if len(c.values) == 1 || v != c.values[len(c.values)-1] {
			c.values, c.counts = append(c.values, v), append(c.counts, [2]uint32{})
		}
		code[i] = uint32(len(c.values) - 1)
	}
	for i := before; i < n; i++ {
		side := 0
		if attack[i-before] {
			side = 1
		}
		c.counts[code[i]][side]++
	}
	for k, v := range old[1:] { // rows that had codes are counted by value
		at, _ := slices.BinarySearch(c.values[1:], v)
		for side := range 2 {
			c.counts[at+1][side] += oldCounts[k+1][side]
		}
	}
	for side := range 2 {
		c.counts[0][side] += oldCounts[0][side]
	}
	for from := 0; from < n; from += chunkRows {
		c.codes.add(code[from:min(from+chunkRows, n)])
	}
}

// hashText is a hash of a text of which all bits are as good as random.
func hashText(text string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 0x100000001b3
	}
	return sketch.Mix(h)
}
