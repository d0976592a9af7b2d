package machine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/data/corpus"
	"plumbline/models/automata/planted"
)

// learnerOf is a learner with the prefix tree of some words, and the node of each word.
func learnerOf(spec LearnSpec, types int, words map[string]int32, times map[string]int) (
	*learner, func(word string) int32) {
	builder := newPrefixTreeBuilder(26, types)
	for word, typ := range words {
		for range max(1, times[word]) {
			builder.insert(wordOf(word), typ, 1)
		}
	}
	l := &learner{LearnSpec: spec, tree: builder.tree()}
	l.isRed = make([]bool, len(l.tree.nodes))
	l.heuristic = newHeuristic(l)
	return l, func(word string) int32 {
		n := int32(0)
		for _, a := range wordOf(word) {
			c := l.tree.nodes[n].first
			for l.tree.nodes[c].sym != a {
				c = l.tree.nodes[c].next
			}
			n = c
		}
		return n
	}
}

func wordOf(letters string) (word []int32) {
	for _, r := range letters {
		word = append(word, r-'a')
	}
	return word
}

// TestEDSMByHand: of the words "" +, a −, aa +, aaa −, b +, the merge of the root and aa unites + with + and,
// over a, − with −: two pieces of evidence. The root and a disagree; root and b agree once; a and aaa once.
func TestEDSMByHand(t *testing.T) {
	spec := Likelihood()
	spec.Heuristic = "edsm"
	l, at := learnerOf(spec, 2, map[string]int32{"": 0, "a": 1, "aa": 0, "aaa": 1, "b": 0, "c": 1, "cb": 1}, nil)
	for _, c := range []struct {
		left, right string
		score       float64
		ok          bool
	}{
		{"", "aa", 2, true}, {"", "a", 0, false}, {"", "b", 1, true},
		{"a", "aaa", 1, true}, {"", "c", 0, false}, {"aa", "b", 1, true},
	} {
		if score, ok := l.try(at(c.left), at(c.right)); ok != c.ok || ok && score != c.score {
			t.Errorf("%q and %q: %v, %v; want %v, %v", c.left, c.right, score, ok, c.score, c.ok)
		}
	}
}

// TestEDSMLearnsParity: words with an even number of a are 0, others 1; two states, as many as the language has.
func TestEDSMLearnsParity(t *testing.T) {
	c := &corpus.Corpus{Alphabet: []string{"a", "b"}, Types: []string{"0", "1"}}
	for n := range 7 {
		for bits := range 1 << n {
			var word []int32
			odd := int32(0)
			for i := range n {
				a := int32(bits >> i & 1)
				word = append(word, a)
				odd ^= 1 - a
			}
			c.Append(word, odd)
		}
	}
	spec := LearnSpec{
		Heuristic: "edsm", Compat: Clean, Confidence: 0.05, TestMerge: true, MergeData: true, MergeRoot: true,
	}
	learn := func(c *corpus.Corpus) (*Machine, error) {
		return Learn(context.Background(), spec, c.Words(), c.Alphabet, c.Types, nil)
	}
	m, err := learn(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.States) != 2 || m.Next(0, 0) != 1 || m.Next(1, 0) != 0 || m.Next(0, 1) != 0 || m.Next(1, 1) != 1 {
		t.Errorf("%v: %+v", m, m.States)
	}
	spec.LowerBound = 1e6
	if m, err := learn(c); err != nil || len(m.States) != 127 {
		t.Errorf("with a lower bound that no merge reaches: %v, %v; want the prefix tree of 127 states", m, err)
	}
	one := planted.Words(50, 1)
	spec.LowerBound = 0
	if _, err := learn(one); err == nil || !strings.Contains(err.Error(), "same one") {
		t.Errorf("one label: %v", err)
	}
}

// TestCriteriaByHand: states p and q are left by a and b, p 30 and 10 times. With q 10 and 20 times the
// loss of log-likelihood is Δ = 30 ln ¾ + 10 ln ¼ + 10 ln ⅓ + 20 ln ⅔ − 40 ln 4/7 − 30 ln 3/7 = 6.2147;
// with 15 and 5 times nothing; with 14 and 6 times 0.0842. One parameter is saved, of two bins.
func TestCriteriaByHand(t *testing.T) {
	for _, c := range []struct {
		heuristic string
		compat    Compat
		bound     float64
		a, b      int
		score     float64
		ok        bool
	}{
		{"aic", Clean, 0.05, 10, 20, 0, false},
		{"aic", Clean, 0.05, 15, 5, 2, true},
		{"aic", Clean, 0.05, 14, 6, 2 - 2*0.084218, true},
		{"aic", V26, 0.05, 14, 6, 4 - 2*0.084218, true},
		{"aic", V26, 0.05, 10, 20, 0, false},
		{"kl", Clean, 0.05, 10, 20, 0, false},
		{"kl", Clean, 0.05, 15, 5, 0.05, true},
		{"kl", Clean, 0.05, 14, 6, 0, false},
		{"kl", Clean, 0.1, 14, 6, 0.1 - 0.084218, true},
	} {
		spec := LearnSpec{Heuristic: c.heuristic, Compat: c.compat, Confidence: c.bound, TestMerge: true, MergeData: true}
		l, at := learnerOf(spec, 1, map[string]int32{"xa": 0, "xb": 0, "ya": 0, "yb": 0},
			map[string]int{"xa": 30, "xb": 10, "ya": c.a, "yb": c.b})
		score, ok := l.try(at("x"), at("y"))
		if ok != c.ok || ok && math.Abs(score-c.score) > 1e-5 {
			t.Errorf("%s %s %v, %d and %d: %v, %v; want %v, %v", c.heuristic, c.compat, c.bound, c.a, c.b, score, ok,
				c.score, c.ok)
		}
	}
}

// TestCriteriaFindPlantedMachine: both criteria find the three states of the planted machine.
func TestCriteriaFindPlantedMachine(t *testing.T) {
	for heuristic, bound := range map[string]float64{"aic": 0.05, "kl": 0.9} {
		c := planted.Words(8000, 3)
		spec := Likelihood()
		spec.Heuristic, spec.Compat, spec.Confidence = heuristic, Clean, bound
		m, err := Learn(context.Background(), spec, c.Words(), c.Alphabet, c.Types, nil)
		if err != nil {
			t.Fatal(err)
		}
		red := 0
		for _, s := range m.States {
			red += Bit(s.Red)
		}
		if red != 3 {
			t.Errorf("%s: %d red states, want 3", heuristic, red)
		}
	}
	spec := Likelihood()
	spec.Heuristic = "kl"
	if err := spec.Check(); err == nil || !strings.Contains(err.Error(), "clean alone") {
		t.Errorf("kl with compat v26: %v", err)
	}
}

// TestEarlyEnds: a test that ends early, because nothing could save a merge or speak against it, gives what it would
// have given at its end, in every mode: the steps are those of a learner that foresees nothing.
func TestEarlyEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	r := rand.New(rand.NewPCG(11, 12))
	next := [6][4]int32{}
	for q := range next {
		for a := range next[q] {
			next[q][a] = int32(r.IntN(6))
		}
	}
	var words [][]int32
	var types []int32
	for range 900 {
		var word []int32
		for q := int32(0); len(word) < 8 && r.IntN(6) > 0; {
			a := int32(min(r.IntN(4), r.IntN(4)))
			if q%2 == 1 {
				a = 3 - a
			}
			word, q = append(word, a), next[q][a]
		}
		words, types = append(words, word), append(types, int32(min(1, len(word)%3)))
	}
	learn := func(spec LearnSpec, kinds int, patient bool) (steps []string, earlier int) {
		builder := newPrefixTreeBuilder(4, kinds)
		for i, word := range words {
			builder.insert(word, types[i]%int32(kinds), 1)
		}
		l := &learner{LearnSpec: spec, tree: builder.tree(), symbols: 4}
		l.isRed = make([]bool, len(l.tree.nodes))
		l.heuristic = newHeuristic(l)
		if patient {
			l.dof = nil
		}
		switch h := l.heuristic.(type) { // count what most refutes
		case *likelihood:
			h.most = counting(h, h.most, &earlier)
		case *aic:
			h.most = counting(&h.likelihood, h.most, &earlier)
		case *kl:
			h.most = counting(&h.likelihood, h.most, &earlier)
		}
		if err := l.run(context.Background(), func(s Step) { steps = append(steps, s.String()) }); err != nil {
			t.Fatal(err)
		}
		return steps, earlier
	}
	refuted := 0
	for i := range 200 {
		spec := Likelihood()
		spec.Heuristic = []string{"likelihood", "aic", "kl", "alergia"}[i%4]
		spec.Compat = []Compat{Clean, V26, V23}[r.IntN(3)]
		if spec.Heuristic == "kl" {
			spec.Compat = Clean
		}
		spec.Confidence = []float64{0.001, 0.05, 0.5}[r.IntN(3)]
		spec.StateCount = []int{0, 4, 12}[r.IntN(3)]
		spec.SymbolCount = []int{-1, 0, 6}[r.IntN(3)]
		spec.SinkCount = []int{0, 5, 20}[r.IntN(3)]
		spec.Correction = []float64{0, 1}[r.IntN(2)]
		spec.FinalProb, spec.TypeDist = r.IntN(2) == 0, r.IntN(2) == 0
		spec.TestMerge, spec.MergeData = r.IntN(2) == 0, r.IntN(2) == 0
		kinds := 1 + r.IntN(2)
		want, _ := learn(spec, kinds, true)
		got, earlier := learn(spec, kinds, false)
		refuted += earlier
		if !slices.Equal(got, want) {
			t.Fatalf("%+v, %d labels:\n%v, want\n%v", spec, kinds, got, want)
		}
	}
	if refuted < 500 {
		t.Errorf("only %d merges were refuted early: the case is too weak", refuted)
	}
}

func counting(h *likelihood, most func(float64) float64, refuted *int) func(float64) float64 {
	return func(k float64) float64 {
		v := most(k)
		if h.orig-h.merged > v*(1+1e-6)+1e-3 {
			*refuted++
		}
		return v
	}
}
