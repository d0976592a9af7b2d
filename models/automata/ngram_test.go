package automata

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/automata/machine"
	"plumbline/models/modeltest"
)

func fitted(t *testing.T, spec models.Spec, train *data.Set) models.Detector {
	t.Helper()
	return modeltest.Fitted(t, spec, models.Env{Seed: 1}, train)
}

// TestNGramByHand: from ab and aa, with ends. K = 2, so that P₀ = ¼. After nothing: a 3 of 6, b 1, end 2; three
// kinds. After the beginning: a twice, one kind. After a: a, b and an end, once each.
func TestNGramByHand(t *testing.T) {
	d := fitted(t, &NGramSpec{N: 2, End: true, Aggregate: "sum"}, traces(2, []int32{0, 1}, []int32{0, 0}))
	uni := func(n float64) float64 { return (n + 3*0.25) / (6 + 3) }
	start := (2 + 1*uni(3)) / (2 + 1) // a
	afterA := func(n, p float64) float64 { return (n + 3*p) / (3 + 3) }
	afterB := func(n, p float64) float64 { return (n + 1*p) / (1 + 1) } // an end once
	got, err := d.Score(context.Background(), traces(2, []int32{0, 1}, nil, []int32{data.UnknownSymbol}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{
		-math.Log(start) - math.Log(afterA(1, uni(1))) - math.Log(afterB(1, uni(2))),
		-math.Log((0 + 1*uni(2)) / 3),
		-math.Log((0+1*uni(0))/3) - math.Log(uni(2)), // nothing was seen after the unknown
	} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("trace %d scores %v, want %v", i, got[i], want)
		}
	}
}

// TestNGramSumsToOne: whatever the context, the probabilities of all symbols, the unknown one and the end add up to 1.
func TestNGramSumsToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	word := func() []int32 {
		w := make([]int32, r.IntN(12))
		for i := range w {
			w[i] = int32(r.IntN(5)) - 1
		}
		return w
	}
	for _, n := range []int{1, 2, 4, 16} {
		var train [][]int32
		for range 50 {
			train = append(train, word())
		}
		m := learned[*ngram](t, fitted(t, &NGramSpec{N: n, End: true, Aggregate: "mean"}, traces(4, train...)))
		for range 100 {
			w := word()
			sum := 0.0
			for a := endOfTrace; a < 4; a++ {
				sum += math.Exp(-m.surprisal(w, len(w), a))
			}
			if math.Abs(sum-1) > 1e-9 {
				t.Fatalf("n %d: the probabilities after %v add up to %v", n, w, sum)
			}
		}
	}
}

// TestLongContextsKnowMore: a sequence of period three is certain to who sees two symbols back.
func TestLongContextsKnowMore(t *testing.T) {
	var w []int32
	for i := range 3000 {
		w = append(w, []int32{0, 0, 1}[i%3])
	}
	score := func(n int) float64 {
		got, err := fitted(t, &NGramSpec{N: n, Aggregate: "mean"}, traces(2, w)).Score(context.Background(),
			traces(2, w))
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	// of the symbols after 0, half are 0; after 1 all are 0
	if one, two, three := score(1), score(2), score(3); math.Abs(one-0.6365) > 0.01 ||
		math.Abs(two-2.0/3*math.Ln2) > 0.01 || three > 0.01 {
		t.Errorf("−ln P an event is %v, %v and %v for n 1, 2 and 3", one, two, three)
	}
}

// TestLimits: a million symbols in one trace, ten thousand in the alphabet, an empty trace among others and one trace
// alone are scored with finite numbers by all that learn from traces.
func TestLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("a trace of a million symbols")
	}
	r := rand.New(rand.NewPCG(1, 9))
	long := make([]int32, 1e6)
	for i := range long {
		long[i] = int32((i%7 + r.IntN(2)) % 7)
	}
	wide := make([][]int32, 200)
	for i := range wide {
		for range 100 {
			wide[i] = append(wide[i], int32(r.IntN(10000)))
		}
	}
	clean := func(s machine.LearnSpec) machine.LearnSpec { s.Compat = machine.Clean; return s }
	for name, spec := range map[string]models.Spec{
		"ngram":           &NGramSpec{N: 5, End: true, Aggregate: "mean"},
		"markov":          &MarkovSpec{Order: 3, Smoothing: 1, Aggregate: "mean"},
		"pdfa likelihood": &PDFASpec{LearnSpec: clean(machine.Likelihood()), OnMissing: "remain", Aggregate: "mean"},
		"pdfa alergia":    &PDFASpec{LearnSpec: clean(machine.Alergia()), OnMissing: "remain", Aggregate: "mean"},
		"sequent":         defaultSequent(t),
	} {
		for what, set := range map[string]*data.Set{
			"a million symbols":  traces(7, long),
			"a wide alphabet":    traces(10000, wide...),
			"one symbol":         traces(1, []int32{0}),
			"empty among others": traces(3, nil, []int32{0, 1, 2}, nil, []int32{0, 1}),
		} {
			d := fitted(t, spec, set)
			scores, err := d.Score(context.Background(), set)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			for i, v := range scores {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s, %s: trace %d scores %v", name, what, i, v)
				}
			}
		}
	}
}

func defaultSequent(t *testing.T) models.Spec {
	t.Helper()
	info, err := models.Lookup("sequent")
	if err != nil {
		t.Fatal(err)
	}
	return info.Defaults()
}
