package modeltest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
)

// checkScores: the least that a fitted model does, also in the zero environment and for no samples at all.
func checkScores(s *subject) {
	for _, e := range []models.Env{{}, env(1, 1)} {
		d := s.fitted("train", e, s.train())
		s.scores("test", d, s.test())
		if out, err := s.score("no samples", d, first(s.test(), 0)); err == nil && len(out) != 0 {
			s.failf("%d scores for no samples", len(out))
		}
	}
}

// checkSeparates: on data that a ruler could separate the ranking is nearly right.
func checkSeparates(s *subject) {
	d := s.trained()
	test := s.test()
	r, err := eval.Rank(s.scores("test", d, test), test.Attack)
	if err != nil {
		s.fatalf("%v", err)
	}
	if a := r.ROCAUC(); !(a >= 0.9) {
		s.failf("AUROC %.4f on separable data, want at least 0.9", a)
	}
}

// checkUntouched: neither call changes its set, and Fit keeps no reference to what it was given.
func checkUntouched(s *subject) {
	train, test := s.train(), s.test()
	trainWas, testWas := clone(train), clone(test)
	d := s.fitted("train", env(1, 1), train)
	if !reflect.DeepEqual(train, trainWas) {
		s.failf("Fit changed its set")
	}
	want := s.scores("test", d, test)
	if !reflect.DeepEqual(test, testWas) {
		s.failf("Score changed its set")
	}
	kept := slices.Clone(want)
	scramble(train)
	got := s.scores("test after the training set was overwritten", d, testWas)
	s.same("after the training set was overwritten", got, kept)
	scramble(test)
	if !slices.Equal(want, kept) {
		s.failf("scores share memory with the set that they belong to")
	}
}

// checkLabels: a model that does not declare Needs.Labels cannot see them, and no model sees those of what
// it scores.
func checkLabels(s *subject) {
	invert := func(set *data.Set) *data.Set {
		for i := range set.Attack {
			set.Attack[i] = !set.Attack[i]
			set.Class[i] = (set.Class[i] + 1) % 3
		}
		return set
	}
	d := s.trained()
	want := s.scores("labelled", d, s.test())
	s.same("scored without labels", s.scores("unlabelled", d, s.test().Unlabelled()), want)
	s.same("scored with other labels", s.scores("inverted", d, invert(s.test())), want)
	if s.info.Needs.Labels.Any() {
		return
	}
	s.same("fitted without labels", s.scores("", s.fitted("unlabelled", env(1, 1), s.train().Unlabelled()), s.test()),
		want)
	s.same("fitted with other labels", s.scores("", s.fitted("inverted", env(1, 1), invert(s.train())), s.test()), want)
}

// checkSeed: scores follow from data, spec and seed, whatever the number of workers; those of a model
// that ignores the seed from data and spec alone.
func checkSeed(s *subject) {
	want := s.scores("", s.fitted("1 worker", env(7, 1), s.train()), s.test())
	few := 2
	if testing.Short() { // for the race detector one is enough
		few = 3
	}
	for workers := few; workers <= 3; workers++ {
		d := s.fitted("workers", env(7, workers), s.train())
		s.same("same seed, other number of workers", s.scores("", d, s.test()), want)
		s.same("scored again", s.scores("", d, s.test()), want)
	}
	if !testing.Short() && !s.info.UsesSeed(s.spec()) {
		s.same("declared to ignore the seed, other seed",
			s.scores("", s.fitted("seed", env(8, 1), s.train()), s.test()),
			want)
	}
}

// checkRefit: a second Fit gives what a first would have given.
func checkRefit(s *subject) {
	want := s.scores("", s.fitted("first", env(7, 1), s.train()), s.test())
	d := s.fitted("other data", env(7, 1), s.other())
	s.scores("other data", d, s.test())
	if err := s.fit("again", d, s.train()); err != nil {
		s.fatalf("second Fit: %v", err)
	}
	s.same("refitted", s.scores("", d, s.test()), want)
	narrow := s.train()
	if s.info.Needs.Input == data.Vectors {
		narrow = widen(narrow, -2)
	}
	if err := s.fit("another width", d, narrow); err != nil {
		s.fatalf("Fit on fewer columns after a Fit on more: %v", err)
	}
	if s.info.Needs.Input == data.Vectors {
		s.scores("another width", d, widen(s.test(), -2))
	}
}

// checkRows: a sample's score is its own, alone or among others, in any order.
func checkRows(s *subject) {
	if s.info.Needs.Batch {
		return
	}
	d := s.trained()
	test := s.test()
	want := s.scores("together", d, test)
	for i := 0; i < test.N; i += 7 {
		one := s.scores("alone", d, test.Subset([]int{i}))
		s.same("scored alone", one, want[i:i+1])
	}
	for n := 2; n <= 9; n++ {
		s.same("the first few", s.scores("few", d, first(test, n)), want[:n])
	}
	backwards := make([]int, test.N)
	for i := range backwards {
		backwards[i] = test.N - 1 - i
	}
	got := s.scores("backwards", d, test.Subset(backwards))
	slices.Reverse(got)
	s.same("scored backwards", got, want)
}

// checkCopies: samples that are alike score alike, wherever they stand in a set and however many there are.
// Scores that differ in the last bit would be an order of them.
func checkCopies(s *subject) {
	if s.info.Needs.Batch {
		return
	}
	train := s.train()
	train = train.Subset(append(twice(train.N), seq(train.N/2)...)) // copies to be learnt
	d := s.fitted("copies", env(1, 1), train)
	test := s.test()
	n := test.N
	idx := append(seq(n), seq(n)[n/3:]...) // 7 of 10 have a copy, an odd way off
	for i := range n {
		idx = append(idx, n-1-i)
	}
	for _, of := range [][]int{idx, append(seq(n), 5, n-2, 5)} { // with many copies and with few
		got := s.scores("copies", d, test.Subset(of))
		for at, i := range of {
			s.same("a copy", got[at:at+1], got[i:i+1])
		}
	}
	own := train.Subset(seq(train.N)) // copies of what was learnt
	got := s.scores("the training set", d, own)
	for i := 0; i+1 < 2*(train.N/5); i += 2 {
		s.same("a copy of a training sample", got[i+1:i+2], got[i:i+1])
	}
}

func seq(n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = i
	}
	return idx
}

// checkNames: names of columns and symbols mean nothing to a model, but those that it was fitted on are the ones
// that it scores.
func checkNames(s *subject) {
	rename := func(set *data.Set) *data.Set {
		for j := range set.Features {
			set.Features[j].Name = []string{"rate=in", "rate=out", "proto=tcp", "", "label", "c0"}[j%6]
		}
		for j := range set.Alphabet {
			set.Alphabet[j] = []string{"S0=1", "S0=2", "#", "", "attack", "a"}[j%6]
		}
		return set
	}
	d := s.trained()
	want := s.scores("test", d, s.test())
	renamed := s.fitted("renamed", env(1, 1), rename(s.train()))
	s.same("fitted and scored under other names", s.scores("renamed", renamed, rename(s.test())), want)
	loaded := s.build(env(1, 1))
	if err := s.load("fitted", loaded, s.saved("fitted", d)); err != nil {
		s.fatalf("Load: %v", err)
	}
	for what, d := range map[string]models.Detector{"Score": d, "Score after Load": loaded} {
		if _, err := s.score(what, d, rename(s.test())); !errors.Is(err, models.ErrInput) {
			s.failf("%s of other columns of the same width: error %v, want one that wraps ErrInput", what, err)
		}
		bare := s.test()
		bare.Features = nil
		s.same(what+" without names of columns", s.scores(what, d, bare), want)
	}
}
