package split

import (
	"errors"
	"math"
	"slices"

	"plumbline/data"
)

// drift trains on rows of the training files, and tests on others of theirs and on rows of the test files, of which
// there are the share Drifted. Training is the same whatever the share is, and so is the size of the test part.
func (s SplitSpec) drift(t *data.Table) (*Split, error) {
	official, err := s.parts(t)
	if err != nil {
		return nil, err
	}
	test := make([]bool, t.Rows)
	other := make([]bool, t.Rows)
	mark(other, official.Test)
	r := s.rand(forTest)
	for _, attack := range []bool{false, true} {
		var own, foreign []int32
		for i := range int32(t.Rows) {
			switch {
			case t.Attack[i] != attack:
			case other[i]:
				foreign = append(foreign, i)
			default:
				own = append(own, i)
			}
		}
		k := share(s.Test, len(own))
		if attack && s.Attacks == "test" {
			k = len(own)
		}
		own = choose(r, own, k)
		foreign = choose(r, foreign, len(foreign))
		n := min(len(own), len(foreign))
		moved := int(math.Round(s.Drifted * float64(n)))
		mark(test, own[:n-moved])
		mark(test, foreign[:moved])
		// what is held out of training and does not test is in no part
		mark(other, own[n-moved:])
	}
	sp := &Split{}
	for i := range int32(t.Rows) {
		switch {
		case test[i]:
			sp.Test = append(sp.Test, i)
		case !other[i]:
			sp.Train = append(sp.Train, i)
		}
	}
	s.holdOut(t, sp, s.rand(forValidation))
	return sp, nil
}

// parts are the rows of the training and of the test files.
func (s SplitSpec) parts(t *data.Table) (*Split, error) {
	sp := &Split{}
	for i, p := range t.Parts {
		if p == data.PartTest {
			sp.Test = append(sp.Test, int32(i))
		} else {
			sp.Train = append(sp.Train, int32(i))
		}
	}
	if len(sp.Test) == 0 {
		return nil, errors.New("the data set has no official test files; use random, time or group")
	}
	return sp, nil
}

// shrink leaves the share Training of the training rows, of benign rows and of attacks alike, at least one of each.
// Smaller shares are parts of larger ones.
func (s SplitSpec) shrink(t *data.Table, sp *Split, fold int) {
	if s.Training == 0 || s.Training == 1 {
		return
	}
	var kept []int32
	for k, attack := range []bool{false, true} {
		var rows []int32
		for _, r := range sp.Train {
			if t.Attack[r] == attack {
				rows = append(rows, r)
			}
		}
		if len(rows) > 0 {
			order := choose(s.foldRand(fold, k, forTraining), rows, len(rows))
			kept = append(kept, order[:max(1, int(math.Round(s.Training*float64(len(rows)))))]...)
		}
	}
	slices.Sort(kept)
	sp.Train = kept
}

// mislabel takes a share of the training rows, of benign rows and of attacks alike, for what they are not. Attacks
// among them are contaminants. Smaller shares are parts of larger ones; the truth of validation and test rows stays.
func (s SplitSpec) mislabel(t *data.Table, sp *Split, fold int) {
	if s.LabelNoise == 0 {
		return
	}
	for k, attack := range []bool{false, true} {
		var rows []int32
		for _, r := range sp.Train {
			if _, hidden := slices.BinarySearch(sp.Contaminants, r); t.Attack[r] == attack && !hidden {
				rows = append(rows, r)
			}
		}
		wrong := choose(s.foldRand(fold, k, forMislabelled), rows, len(rows))
		wrong = wrong[:int(math.Round(s.LabelNoise*float64(len(rows))))]
		if attack {
			sp.Contaminants = append(sp.Contaminants, wrong...)
			slices.Sort(sp.Contaminants)
		} else {
			sp.Accused = wrong
			slices.Sort(sp.Accused)
		}
	}
}

// copyAttacks puts each attack of training there AttackCopies times.
func (s SplitSpec) copyAttacks(t *data.Table, sp *Split) {
	if s.AttackCopies < 2 {
		return
	}
	repeat := func(rows []int32) (out []int32) {
		for _, r := range rows {
			n := 1
			if t.Attack[r] {
				n = s.AttackCopies
			}
			for range n {
				out = append(out, r)
			}
		}
		return out
	}
	sp.Train, sp.Contaminants = repeat(sp.Train), repeat(sp.Contaminants)
}
