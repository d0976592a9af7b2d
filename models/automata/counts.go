package automata

import (
	"cmp"
	"context"
	"fmt"
	"plumbline/data"
	"plumbline/models"
	"slices"
)

// Symbols that no alphabet has. data.UnknownSymbol is −1.
const (
	endOfTrace   int32 = -2
	startOfTrace int32 = -3
)

// contextSymbol is a symbol after a context: the symbols before it, or the state that reads it.
type contextSymbol[C cmp.Ordered] struct {
	context C
	symbol  int32
}

func compareContextSymbols[C cmp.Ordered](a, b contextSymbol[C]) int {
	return cmp.Or(cmp.Compare(a.context, b.context), cmp.Compare(a.symbol, b.symbol))
}

// counter counts symbols after contexts, in order of appearance.
type counter[C cmp.Ordered] struct {
	at    map[contextSymbol[C]]int32
	pairs []contextSymbol[C]
	times []float64
	total float64
}

func newCounter[C cmp.Ordered]() *counter[C] { return &counter[C]{at: map[contextSymbol[C]]int32{}} }

// add counts one symbol.
func (c *counter[C]) add(context C, symbol int32) {
	pair := contextSymbol[C]{context, symbol}
	i, known := c.at[pair]
	if !known {
		i = int32(len(c.pairs))
		c.at[pair] = i
		c.pairs, c.times = append(c.pairs, pair), append(c.times, 0)
	}
	c.times[i]++
	c.total++
}

// counts is what was counted, each count divided by a number: 1, or the total for shares.
func (c *counter[C]) counts(by float64) *contextCounts[C] {
	out := &contextCounts[C]{}
	for _, pair := range slices.SortedFunc(slices.Values(c.pairs), compareContextSymbols[C]) {
		out.append(pair, c.times[c.at[pair]]/by)
	}
	return out
}

// contextCounts are the counts of symbols after contexts, in order of both.
type contextCounts[C cmp.Ordered] struct {
	contexts []C
	total    []float64 // of each context
	end      []int32   // where the symbols of each context end
	symbols  []int32
	times    []float64
}

// append adds a pair that comes after all others.
func (c *contextCounts[C]) append(pair contextSymbol[C], times float64) {
	if n := len(c.contexts); n == 0 || c.contexts[n-1] != pair.context {
		c.contexts, c.total, c.end = append(c.contexts, pair.context), append(c.total, 0), append(c.end, 0)
	}
	c.symbols, c.times = append(c.symbols, pair.symbol), append(c.times, times)
	last := len(c.contexts) - 1
	c.total[last] += times
	c.end[last] = int32(len(c.symbols))
}

// find is the place of a context among those that were seen.
func (c *contextCounts[C]) find(context C) (int, bool) {
	return slices.BinarySearch(c.contexts, context)
}

// after is the symbols that were seen after the context at a place, in order, and how often each was.
func (c *contextCounts[C]) after(place int) (symbols []int32, times []float64) {
	from := int32(0)
	if place > 0 {
		from = c.end[place-1]
	}
	return c.symbols[from:c.end[place]], c.times[from:c.end[place]]
}

// of is how often a symbol was seen after the context at a place.
func (c *contextCounts[C]) of(place int, symbol int32) float64 {
	symbols, times := c.after(place)
	if i, ok := slices.BinarySearch(symbols, symbol); ok {
		return times[i]
	}
	return 0
}

// types is how many different symbols were seen after the context at a place.
func (c *contextCounts[C]) types(place int) float64 {
	symbols, _ := c.after(place)
	return float64(len(symbols))
}

// pairs are the contexts and the symbols, as append took them.
func (c *contextCounts[C]) pairs() []contextSymbol[C] {
	out := make([]contextSymbol[C], 0, len(c.symbols))
	for place, context := range c.contexts {
		symbols, _ := c.after(place)
		for _, a := range symbols {
			out = append(out, contextSymbol[C]{context, a})
		}
	}
	return out
}

// restoreCounts checks saved counts, each above 0 and at most largest: the pairs in order, and symbols from lowest to
// k−1.
func restoreCounts[C cmp.Ordered](pairs []contextSymbol[C], times []float64, lowest int32, k int, largest float64) (
	*contextCounts[C], error) {
	out := &contextCounts[C]{}
	for i, pair := range pairs {
		switch {
		case i > 0 && compareContextSymbols(pairs[i-1], pair) >= 0:
			return nil, fmt.Errorf("count %d is out of order", i)
		case !(times[i] > 0 && times[i] <= largest):
			return nil, fmt.Errorf("count %d is %v", i, times[i])
		case pair.symbol < lowest || int(pair.symbol) >= k:
			return nil, fmt.Errorf("count %d is of symbol %d of %d", i, pair.symbol, k)
		}
		out.append(pair, times[i])
	}
	if len(out.symbols) == 0 {
		return nil, fmt.Errorf("no counts of %d symbols", k)
	}
	return out, nil
}

// flat is pairs as numbers to be saved: context, symbol, context, ….
func flat(pairs []contextSymbol[int32]) []int32 {
	out := make([]int32, 0, 2*len(pairs))
	for _, p := range pairs {
		out = append(out, p.context, p.symbol)
	}
	return out
}

// paired is the pairs of what flat gave.
func paired(numbers []int32) []contextSymbol[int32] {
	out := make([]contextSymbol[int32], len(numbers)/2)
	for i := range out {
		out[i] = contextSymbol[int32]{numbers[2*i], numbers[2*i+1]}
	}
	return out
}

// scoreTraces scores the words of a set's traces, on as many goroutines as env has workers.
func scoreTraces(
	ctx context.Context, env models.Env, s *data.Set, score func(word []int32) float64,
) ([]float64, error) {
	out := make([]float64, s.N)
	err := env.Blocks(ctx, s.N, 256, func(from, to int) {
		for t := from; t < to; t++ {
			out[t] = score(s.Traces[t].Symbols)
		}
	})
	return out, err
}

// aggregated is a trace's score by a rule, from the sum, the largest and the last of n events' scores. No events
// have 0.
func aggregated(rule string, sum, top, last float64, n int) float64 {
	switch {
	case n == 0 || rule == "sum":
		return sum
	case rule == "max":
		return top
	case rule == "last":
		return last
	}
	return sum / float64(n)
}
