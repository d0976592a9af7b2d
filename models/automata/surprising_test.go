package automata

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/models"
)

// TestSurprising by hand: after many traces a b a b, the least expected event of a b b a b is the second b in a row,
// that of c is the unknown symbol at the beginning, and of a b a, for the model that knows of ends, that it ends there.
func TestSurprising(t *testing.T) {
	set := func(words ...string) *data.Set {
		s := &data.Set{Kind: data.Traces, Alphabet: []string{"a", "b"}, N: len(words)}
		for _, w := range words {
			trace := data.Trace{Key: w}
			for i, c := range w {
				symbol := int32(c - 'a')
				if symbol > 1 {
					symbol = data.UnknownSymbol
				}
				trace.Symbols, trace.Rows = append(trace.Symbols, symbol), append(trace.Rows, int32(i))
			}
			s.Traces = append(s.Traces, trace)
		}
		return s
	}
	var words []string
	for range 50 {
		words = append(words, "abab")
	}
	test := set("abbab", "c", "aba", "")
	for _, c := range []struct {
		model string
		spec  models.Spec
		want  []models.Cause
	}{
		{"markov", &MarkovSpec{Order: 1, Smoothing: 1, Aggregate: "mean"}, []models.Cause{{Name: "b after b", Event: 2},
			{Name: "an unknown symbol after the beginning", Event: 0}, {Name: "a after the beginning", Event: 0},
			{Name: "no events", Event: -1}}},
		{"ngram", &NGramSpec{N: 2, End: true, Aggregate: "mean"}, []models.Cause{{Name: "b after b", Event: 2},
			{Name: "an unknown symbol after the beginning", Event: 0}, {Name: "the end after a", Event: 2},
			{Name: "the end after the beginning", Event: -1}}},
		{"ngram of the last event", &NGramSpec{N: 2, Aggregate: "last"}, []models.Cause{{Name: "b after a", Event: 4},
			{Name: "an unknown symbol after the beginning", Event: 0}, {Name: "a after b", Event: 2},
			{Name: "no events", Event: -1}}},
	} {
		d, err := c.spec.New(models.Env{})
		if err == nil {
			err = d.Fit(t.Context(), set(words...))
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.(models.Investigator).Causes(t.Context(), test)
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.model, err, d)
		}
	}
}
