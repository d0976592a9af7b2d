package machine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"plumbline/data/corpus"
	"plumbline/models/automata/planted"
)

// TestPlantedMachine: from 8,000 words on the three states and their nine transitions come out exactly, by both tests,
// in the clean variant as in the compatible one, whatever the seed.
func TestPlantedMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	clean := func(heuristic string, level float64) LearnSpec {
		s := Probable()
		s.Heuristic, s.Confidence, s.StateCount, s.SinkCount = heuristic, level, 40, 40
		return s
	}
	compatible := func(s LearnSpec, level float64) LearnSpec { s.Confidence = level; return s }
	for name, spec := range map[string]LearnSpec{
		"clean likelihood": clean("likelihood", 1e-5), "clean alergia": clean("alergia", 1e-3),
		"v26 likelihood": compatible(Likelihood(), 1e-4), "v26 alergia": compatible(Alergia(), 1e-3),
	} {
		for seed := range uint64(8) {
			c := planted.Words(8000, seed)
			m, err := Learn(context.Background(), spec, c.Words(), c.Alphabet, c.Types, nil)
			if err != nil {
				t.Fatal(err)
			}
			var red []int32
			for q, s := range m.States {
				if s.Red {
					red = append(red, int32(q))
				}
			}
			if len(red) != 3 {
				t.Errorf("%s, seed %d: %d red states, want 3 (%v)", name, seed, len(red), m)
				continue
			}
			// follow the planted machine and the learnt one side by side
			at := map[int32]int32{0: 0}
			queue := []int32{0}
			for len(queue) > 0 {
				q := queue[0]
				queue = queue[1:]
				for a := range int32(3) {
					to, want := m.Next(at[q], a), (q+a)%3
					if known, ok := at[want]; ok && known != to {
						t.Fatalf("%s, seed %d: state %d over %s leads to %d, want %d", name, seed, q, c.Alphabet[a], to, known)
					} else if !ok {
						at[want] = to
						queue = append(queue, want)
					}
				}
			}
		}
	}
}

// TestLargeAndOddInput: a trace of 300,000 symbols, an alphabet of ten thousand, an empty trace, one trace.
func TestLargeAndOddInput(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	long := &corpus.Corpus{Alphabet: []string{"a", "b"}, Types: []string{"1"}}
	word := make([]int32, 300_000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range word {
		word[i] = int32(r.IntN(2))
	}
	long.Append(word, 0)
	wide := &corpus.Corpus{Types: []string{"1"}}
	for i := range 10_000 {
		wide.Alphabet = append(wide.Alphabet, fmt.Sprint(i))
		wide.Append([]int32{int32(i), int32((i + 1) % 10_000)}, 0)
	}
	empty := &corpus.Corpus{Alphabet: []string{"a"}, Types: []string{"1"}}
	empty.Append(nil, 0)
	one := &corpus.Corpus{Alphabet: []string{"a"}, Types: []string{"1"}}
	one.Append([]int32{0, 0}, 0)
	for name, c := range map[string]*corpus.Corpus{"long": long, "wide": wide, "empty": empty, "one": one} {
		for _, spec := range []LearnSpec{Alergia(), Likelihood(), Sequent()} {
			m, err := Learn(context.Background(), spec, c.Words(), c.Alphabet, c.Types, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			rep := NewReplayer(m, 1, true, Reset, spec.Compat)
			rep.Replay(c.Trace(0), make([]int32, len(c.Trace(0))), nil)
		}
	}
	// a long trace that merges: two of them, so that their overlap is walked to the end
	long.Append(word, 0)
	spec := Alergia()
	spec.SinkCount, spec.StateCount = 2, 1
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	_, err := Learn(ctx, spec, long.Words(), long.Alphabet, long.Types, func(Step) {
		if steps++; steps == 3 {
			cancel()
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for text, c := range map[string]*corpus.Corpus{
		"no words": {Alphabet: []string{"a"}, Types: []string{"1"}},
		"symbol 3": {Alphabet: []string{"a"}, Types: []string{"1"}, Symbols: []int32{3}, Ends: []int{1}, Type: []int32{0}},
		"label 7":  {Alphabet: []string{"a"}, Types: []string{"1"}, Symbols: []int32{0}, Ends: []int{1}, Type: []int32{7}},
	} {
		if _, err := Learn(context.Background(), Alergia(), c.Words(), c.Alphabet, c.Types, nil); err == nil ||
			!strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestMergedSinks: with mergesinks no state is left without a way on, every word's probability still sums with its
// ends to at most one, and held-out words are likelier than where sinks end the machine.
func TestMergedSinks(t *testing.T) {
	c, test := planted.Words(60, 1), planted.Words(500, 2)
	with := Probable()
	with.SinkCount = 25
	without := with
	without.MergeSinks = false
	var logp [2]float64
	for k, spec := range []LearnSpec{with, without} {
		m, err := Learn(context.Background(), spec, c.Words(), c.Alphabet, c.Types, nil)
		if err != nil {
			t.Fatal(err)
		}
		sinks := 0
		for _, s := range m.States {
			if s.Sink {
				sinks++
			}
		}
		if (sinks == 0) != spec.MergeSinks {
			t.Errorf("mergesinks %v: %d sinks", spec.MergeSinks, sinks)
		}
		rep := NewReplayer(m, 1, true, Remain, Clean)
		for w := range test.Words() {
			logp[k] += rep.Replay(w, nil, nil)
		}
	}
	if logp[0] <= logp[1] {
		t.Errorf("held-out words: %.1f with merged sinks, %.1f without", logp[0], logp[1])
	}
	with.Compat = V26
	if err := with.Check(); err == nil {
		t.Error("mergesinks goes with compat v26")
	}
}

// TestHeldOut: the settings that the planted machine is found with are preferred to those that merge everything, and
// too few traces are refused.
func TestHeldOut(t *testing.T) {
	c := planted.Words(3000, 3)
	all := Setting{"one state", Probable(), Remain}
	all.Confidence = 1e-300
	got, err := heldOutLogProbability(context.Background(), []Setting{all, {"clean", Probable(), Remain}}, c)
	if err != nil || !(got[1] > got[0]+0.01) {
		t.Errorf("%v, %v", got, err)
	}
	if best, err := SelectByHeldOut(context.Background(), []Setting{all, {"clean", Probable(), Remain}}, c); best != 1 ||
		err != nil {
		t.Errorf("%d is chosen, %v", best, err)
	}
	if _, err := SelectByHeldOut(context.Background(), Candidates(), planted.Words(4, 1)); !errors.Is(err, ErrTooFew) {
		t.Errorf("four traces: %v", err)
	}
}
