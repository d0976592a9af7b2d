package corpus

import "iter"

// Corpus is symbolic traces in one array: what state machines are learnt from. Unlike the traces of a Set
// it may hold empty traces, and a label of its own for each.
type Corpus struct {
	Alphabet []string // symbol s is Alphabet[s]; in order of first appearance
	Types    []string // trace labels, in order of first appearance
	Symbols  []int32  // every trace's symbols, end to end
	Ends     []int    // Ends[i] is where trace i ends in Symbols
	Type     []int32  // label of trace i, an index into Types
	// Attributes holds Width real values for every symbol (row-major, n×Width), nil when Width is 0.
	Attributes []float64
	Width      int
	Names      []string // of the attributes, where the source names them
}

// Len is the number of traces.
func (c *Corpus) Len() int { return len(c.Ends) }

// Span is where trace i stands in Symbols.
func (c *Corpus) Span(i int) (from, to int) {
	if i > 0 {
		from = c.Ends[i-1]
	}
	return from, c.Ends[i]
}

// Trace is trace i, as a view.
func (c *Corpus) Trace(i int) []int32 {
	from, to := c.Span(i)
	return c.Symbols[from:to:to]
}

// Append adds a trace, copying its symbols.
func (c *Corpus) Append(symbols []int32, typ int32) {
	c.Symbols = append(c.Symbols, symbols...)
	c.Ends = append(c.Ends, len(c.Symbols))
	c.Type = append(c.Type, typ)
}

// Words is a sequence of labelled words. A yielded slice is only valid until the next one.
type Words = iter.Seq2[[]int32, int32]

// Words yields each trace once.
func (c *Corpus) Words() Words {
	return func(yield func([]int32, int32) bool) {
		for i := range c.Len() {
			if !yield(c.Trace(i), c.Type[i]) {
				return
			}
		}
	}
}

// Windows yields every window of size symbols, moved on by stride, of each trace on its own. What is left
// at the end of a trace, and traces shorter than size, are dropped. A window carries its trace's label.
func (c *Corpus) Windows(size, stride int) Words {
	return func(yield func([]int32, int32) bool) {
		for i := range c.Len() {
			t := c.Trace(i)
			for from := 0; from+size <= len(t); from += stride {
				if !yield(t[from:from+size], c.Type[i]) {
					return
				}
			}
		}
	}
}
