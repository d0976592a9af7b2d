package machine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"plumbline/data/corpus"
	"plumbline/models/automata/planted"
)

// packs and inserts the words of a corpus.
func bothTrees(t *testing.T, words corpus.Words, symbols int) (packed, inserted *tree) {
	t.Helper()
	p, b := newPackedWords(symbols), newPrefixTreeBuilder(symbols, 1)
	for word := range words {
		if !p.fits(word) {
			t.Fatalf("a word of %d symbols of %d does not fit", len(word), symbols)
		}
		p.add(word)
		b.insert(word, 0, 1)
	}
	packed, err := p.tree()
	if err != nil {
		t.Fatal(err)
	}
	return packed, b.tree()
}

// randomWords is words of up to most symbols, few of them different.
func randomWords(r *rand.Rand, n, symbols, most int) *corpus.Corpus {
	c := &corpus.Corpus{Types: []string{"1"}}
	for a := range symbols {
		c.Alphabet = append(c.Alphabet, fmt.Sprint(a))
	}
	word := make([]int32, most)
	for range n {
		for i := range word {
			word[i] = int32(min(r.IntN(symbols), r.IntN(symbols)))
		}
		c.Append(word[:r.IntN(most+1)], 0)
	}
	return c
}

// TestPackedTree: packed words make the tree that inserting them one by one makes, node by node, also the empty word,
// words of 64 bits and more words than are kept before equal ones are joined.
func TestPackedTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for _, c := range []struct{ n, symbols, most int }{
		{1, 1, 1}, {3, 1, 60}, {200, 2, 32}, {500, 3, 4}, {2000, 13, 16}, {300, 255, 8}, {100, 65535, 4}, {0, 4, 0},
	} {
		words := randomWords(r, c.n, c.symbols, c.most)
		words.Append(nil, 0)
		packed, inserted := bothTrees(t, words.Words(), c.symbols)
		if !slices.Equal(packed.nodes, inserted.nodes) || !slices.Equal(packed.number, inserted.number) {
			t.Errorf("%+v: the trees differ", c)
		}
	}
	words := randomWords(r, 3000, 4, 5)
	p, all := newPackedWords(4), newPackedWords(4)
	p.limit = 16
	for word := range words.Words() {
		p.add(word)
		all.add(word)
	}
	if p.limit <= 16 || len(p.words) > p.limit {
		t.Errorf("%d words are kept, the limit is %d", len(p.words), p.limit)
	}
	a, _ := p.tree()
	b, _ := all.tree()
	if !reflect.DeepEqual(a, b) {
		t.Error("the tree depends on when equal words are joined")
	}
}

// TestWordsThatDoNotFit: where a later word is too long to be packed, the tree is that of all of them.
func TestWordsThatDoNotFit(t *testing.T) {
	words := randomWords(rand.New(rand.NewPCG(2, 5)), 400, 5, 7)
	words.Append(make([]int32, 40), 0)
	words.Append([]int32{1, 2}, 0)
	b := newPrefixTreeBuilder(5, 1)
	for word := range words.Words() {
		b.insert(word, 0, 1)
	}
	want := b.tree()
	got, _, err := prefixTree(context.Background(), words.Words(), 5, 1)
	if err != nil || !slices.Equal(got.nodes, want.nodes) || !slices.Equal(got.number, want.number) {
		t.Errorf("the trees differ, %v", err)
	}
}

// TestSharedDOF: what sorted words say of the pairs of two subtrees is what walking them says.
func TestSharedDOF(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 300 {
		words := randomWords(r, 1+r.IntN(60), 1+r.IntN(4), 6)
		symbols := len(words.Alphabet)
		packed, inserted := bothTrees(t, words.Words(), symbols)
		for _, spec := range []LearnSpec{Sequent(), {Heuristic: "likelihood", Compat: V26, SymbolCount: 1000}} {
			learner := func(t *tree) (*learner, *likelihood) {
				l := &learner{LearnSpec: spec, tree: t, symbols: symbols}
				h := newHeuristic(l).(*likelihood)
				return l, h
			}
			a, ha := learner(packed)
			b, hb := learner(inserted)
			n := int32(len(packed.nodes))
			if n == 1 {
				continue
			}
			for range 20 {
				x, y := 1+r.Int32N(n-1), 1+r.Int32N(n-1)
				if x == y {
					continue // no pair
				}
				ha.dof, hb.dof = 0, 0
				if !a.fewOverlap(ha, x, y, 1000) || !b.fewOverlap(hb, x, y, 1000) || ha.dof != hb.dof {
					t.Fatalf("nodes %d and %d of %v: %d by words, %d by a walk", x, y, words.Symbols, ha.dof, hb.dof)
				}
			}
		}
	}
}

// TestLearnFromPackedWords: every step and the machine are those of the tree that words were inserted into, with all
// tests in all variants, for windows and for whole words.
func TestLearnFromPackedWords(t *testing.T) {
	c := planted.Words(1200, 4)
	var short corpus.Corpus
	short.Alphabet, short.Types = c.Alphabet, c.Types
	for i := range c.Len() {
		if word := c.Trace(i); len(word) <= 32 {
			short.Append(word, 0)
		}
	}
	windows := Sequent()
	windows.SinkCount = 40
	v26 := windows
	v26.Compat = V26
	small := windows
	small.SymbolCount, small.SinkCount, small.Confidence = 5, 8, 1e-6
	data := windows
	data.MergeData = true
	clean := Probable()
	clean.TestMerge, clean.StateCount = false, 30
	aic, kl := v26, clean
	aic.Heuristic, kl.Heuristic, kl.Confidence = "aic", "kl", 0.9
	for name, spec := range map[string]LearnSpec{
		"alergia": Alergia(), "likelihood": Likelihood(), "clean": clean, "sequent": windows, "sequent v26": v26,
		"small": small, "data": data, "aic": aic, "kl": kl,
	} {
		for what, words := range map[string]corpus.Words{"words": short.Words(), "windows": c.Windows(6, 1)} {
			packed, inserted := bothTrees(t, words, len(c.Alphabet))
			var steps [2]strings.Builder
			var machines [2]*Machine
			for k, tree := range []*tree{packed, inserted} {
				var err error
				machines[k], err = learnFrom(context.Background(), spec, tree, c.Alphabet, c.Types, func(s Step) {
					fmt.Fprintln(&steps[k], s.Extend, s.Size, s.Score)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if steps[0].String() != steps[1].String() || !reflect.DeepEqual(machines[0], machines[1]) {
				t.Errorf("%s of %s: other steps or another machine", name, what)
			}
		}
	}
}
