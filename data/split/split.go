package split

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
)

// SplitSpec declares which rows train, which are held out for thresholds and which test.
//
// Semi-supervised evaluation is the rule: Valid holds benign rows only, and models that learn without
// labels see only the benign rows of Train. The split has a seed of its own and does not depend on a
// model's.
type SplitSpec struct {
	// official: the files' own parts; random: stratified by class; time: train strictly before test; order: the same by
	// the order of the rows in their files, for streams without times; group: whole
	// groups (hosts, captures) on one side; kfold: benign rows are partitioned and each part tests once; repeated: that
	// many random splits; leave_out: one attack class at a time tests, the others train;
	// drift: rows of the training files train, others of theirs and a share of rows of the test files test
	Kind string `yaml:"kind" jsonschema:"enum=official,enum=random,enum=time,enum=order,enum=group,enum=kfold,enum=repeated,enum=leave_out,enum=drift"`
	// share of the benign rows (group: of the groups) that test; not for official
	Test float64 `yaml:"test" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// share of the benign training rows held out for thresholds; 0: none, and thresholds are undefined
	Validation float64 `yaml:"validation" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// random, group, kfold, repeated: test puts every attack into (every) test part; split shares attacks like benign
	// rows, for models that learn from labels; family, for kfold, gives each fold other attack classes to test
	Attacks string `yaml:"attacks" jsonschema:"enum=test,enum=split,enum=family"`
	// time: the time column (default the first of that type)
	Column string `yaml:"column"`
	// group: the columns that make a group, such as the source address; @file is the file (capture, scenario), @day the
	// day of the first time column
	Columns []string `yaml:"columns"`
	// kfold, repeated: how many
	Folds int `yaml:"folds" jsonschema:"minimum=2,maximum=1000"`
	// kfold: partitions, each with its own shuffle
	Repeats int `yaml:"repeats" jsonschema:"minimum=1,maximum=1000"`
	// leave_out: the attack classes, a fold for each
	LeaveOut []string `yaml:"leave_out"`
	// kfold, repeated, leave_out: split all rows, or those of the official training files alone
	Within string `yaml:"within" jsonschema:"enum=all,enum=train"`
	// share of attacks that are mixed into the rows that models without labels take for benign; those that training
	// lacks are moved over from test, but not where times, groups or classes stay on one side
	Contamination float64 `yaml:"contamination" jsonschema:"minimum=0,maximum=0.5"`
	// what models without labels train on: the benign training rows, or all of them as they are, attacks among them, as
	// published comparisons of unsupervised detectors do
	Unlabelled string `yaml:"unlabelled" jsonschema:"enum=benign,enum=all"`
	// about how many rows the whole split has, a random choice that keeps the parts' and the classes' shares and at least
	// one row of each class of a part; 0: all
	Rows int `yaml:"rows" jsonschema:"minimum=0"`
	// training rows whose values and truth repeat another's, times, addresses and columns that name rows left out of
	// the comparison: keep them; drop all but the first; weight keeps 1 + ⌊log₂ n⌋ of n equal ones
	Duplicates string `yaml:"duplicates" jsonschema:"enum=keep,enum=drop,enum=weight"`
	// test rows whose values, compared likewise, occur in a training row: keep them, or drop
	Overlap string `yaml:"overlap" jsonschema:"enum=keep,enum=drop"`
	// share of the training rows that is kept, of benign rows and of attacks alike
	Training float64 `yaml:"training" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// share of the training rows, of benign rows and of attacks alike, that are taken for what they are not
	LabelNoise float64 `yaml:"label_noise" jsonschema:"minimum=0,maximum=0.5"`
	// how often each attack stands in training; models without labels see those that they take for benign
	AttackCopies int `yaml:"attack_copies" jsonschema:"minimum=1,maximum=1000"`
	// drift: share of the test part that comes from the test files
	Drifted float64 `yaml:"drifted" jsonschema:"minimum=0,maximum=1"`
	// of the random choices; the same for every cell
	Seed uint64 `yaml:"seed"`
}

// DefaultSplit is what a split says where a config does not.
func DefaultSplit() SplitSpec {
	return SplitSpec{
		Kind:       "random",
		Test:       0.3,
		Validation: 0.1,
		Attacks:    "test",
		Seed:       1,
		Folds:      5,
		Repeats:    1,
		Within:     "all",
		Unlabelled: "benign",
		Duplicates: "keep",
		Overlap:    "keep",
		Training:   1, AttackCopies: 1, Drifted: 1,
	}
}

// Split is table rows by purpose, each list ascending, no row in two of them. Train may hold attacks, and holds them
// several times where the split says so.
type Split struct {
	Train, Valid, Test []int32
	// Contaminants are attacks of Train that models without labels see (SplitSpec.Contamination and Unlabelled).
	Contaminants []int32
	// Accused are benign rows of Train that are taken for attacks (SplitSpec.LabelNoise).
	Accused []int32
	// Shown, where not nil, is the attacks of Train that models with labels are shown as such (SplitSpec.Show).
	Shown    []int32
	Warnings []string
}

// Unlabelled is the training rows that models without labels see: the benign ones and the contaminants.
func (sp *Split) Unlabelled(t *data.Table) []int32 {
	rows := t.Benign(sp.Train)
	if len(sp.Accused) > 0 {
		rows = slices.DeleteFunc(rows, func(r int32) bool {
			_, accused := slices.BinarySearch(sp.Accused, r)
			return accused
		})
	}
	if len(sp.Contaminants) > 0 {
		rows = append(rows, sp.Contaminants...)
		slices.Sort(rows)
	}
	return rows
}

// Labelled is the training rows that models with labels see: all, or where few attacks are shown these and what models
// without labels see.
func (sp *Split) Labelled(t *data.Table) []int32 {
	if sp.Shown == nil {
		return sp.Train
	}
	rows := append(sp.Unlabelled(t), sp.Shown...)
	slices.Sort(rows)
	return slices.Compact(rows)
}

// Show draws the attacks of the training part of a fold that models with labels are shown as such: contaminants left
// out, but where these are all attacks of training (Unlabelled: all), of which some are then shown. It
// depends on the split's seed alone. Fewer than n of them are an error that wraps [ErrSplit].
func (s SplitSpec) Show(t *data.Table, sp *Split, fold, n int) error {
	if t.Attack == nil {
		return fmt.Errorf("data: %s: %w: %d labelled attacks are to be shown, and the data has no labels", t.Name, ErrSplit,
			n)
	}
	hidden := make(map[int32]bool, len(sp.Contaminants))
	for _, r := range sp.Contaminants {
		hidden[r] = s.Unlabelled != "all"
	}
	var attacks []int32
	for _, r := range sp.Train {
		if t.Attack[r] && !hidden[r] {
			attacks = append(attacks, r)
		}
	}
	if len(attacks) < n {
		return fmt.Errorf("data: %s: %w: %d labelled attacks are to be shown, training has %d", t.Name, ErrSplit, n,
			len(attacks))
	}
	sp.Shown = choose(s.foldRand(fold, 0, forLabels), attacks, n)
	slices.Sort(sp.Shown)
	return nil
}

// ErrSplit is wrapped by errors about a split that cannot be made.
var ErrSplit = errors.New("impossible split")

// Apply is the split of a table: of one that has several folds, the first.
func (s SplitSpec) Apply(t *data.Table) (*Split, error) { return s.Fold(t, 0) }

// Fold is fold k of the split, from 0 to len(FoldNames())−1. Rows of a table without labels all count as benign.
func (s SplitSpec) Fold(t *data.Table, k int) (*Split, error) {
	fail := func(format string, args ...any) (*Split, error) {
		return nil, fmt.Errorf("data: %s: %w: %s", t.Name, ErrSplit, fmt.Sprintf(format, args...))
	}
	unlabelled := t.Attack == nil
	if unlabelled {
		if what := s.NeedsLabels(); what != "" {
			return fail("the data has no labels, which %s needs", what)
		}
		assumed := *t
		assumed.Attack, assumed.Class, assumed.Classes = make([]bool, t.Rows), make([]uint32, t.Rows), []string{""}
		t = &assumed
	}
	if n := s.folds(); k < 0 || k >= n {
		return fail("fold %d of %d", k, n)
	}
	sp, err := s.make(t, k)
	if err == nil {
		s.clean(t, sp)
		s.sample(t, sp, s.foldRand(k, 0, forRows))
		s.shrink(t, sp, k)
		err = s.contaminate(t, sp, s.foldRand(k, 0, forContamination))
		s.mislabel(t, sp, k)
		s.copyAttacks(t, sp)
	}
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w: %w", t.Name, ErrSplit, err)
	}
	benign, attacks := t.Count(sp.Train)
	switch testBenign, testAttacks := t.Count(sp.Test); {
	case benign == 0:
		return fail("no benign training rows (of %d rows, %d attacks among them)", len(sp.Train), attacks)
	case len(sp.Test) == 0:
		return fail("no test rows")
	case unlabelled:
		sp.Warnings = append(sp.Warnings, "the data has no labels: all rows count as benign, attacks among them train too, "+
			"and nothing that needs labels is measured")
	case testBenign == 0:
		sp.Warnings = append(
			sp.Warnings,
			fmt.Sprintf("the test part has %d attacks and nothing benign: ranking metrics are undefined", testAttacks),
		)
	case testAttacks == 0:
		sp.Warnings = append(
			sp.Warnings,
			fmt.Sprintf("the test part has %d benign rows and no attack: ranking metrics are undefined", testBenign),
		)
	}
	if benign < fewRows {
		sp.Warnings = append(sp.Warnings, fmt.Sprintf("the split leaves %d benign training rows of %d rows in all: "+
			"too few to learn much from", benign, t.Rows))
	}
	switch valid := len(sp.Valid); {
	case s.Validation > 0 && valid == 0:
		sp.Warnings = append(sp.Warnings, "no benign training rows could be held out: thresholds are undefined")
	case valid > 0 && valid < fewRows:
		sp.Warnings = append(sp.Warnings, fmt.Sprintf("the split leaves %d benign rows to set thresholds: a rule for "+
			"1 %% of them stands on nothing", valid))
	}
	return sp, nil
}

// NeedsLabels names what of the split cannot be made without labels; "" when nothing.
func (s SplitSpec) NeedsLabels() string {
	switch {
	case s.Kind == "leave_out":
		return "kind leave_out"
	case s.Attacks == "family":
		return "attacks: family"
	case s.Contamination > 0:
		return "contamination"
	case s.LabelNoise > 0:
		return "label_noise"
	case s.AttackCopies > 1:
		return "attack_copies"
	}
	return ""
}

// fewRows is the number below which a part of a split is said to be small: 1 % of it is less than one row.
const fewRows = 100

func (s SplitSpec) make(t *data.Table, fold int) (*Split, error) {
	switch s.Kind {
	case "official":
		return s.official(t)
	case "random":
		return s.random(t)
	case "time":
		return s.byTime(t)
	case "order":
		return s.byOrder(t)
	case "group":
		return s.byGroup(t)
	case "kfold":
		return s.kfold(t, fold)
	case "repeated":
		return s.repeated(t, fold)
	case "leave_out":
		return s.leaveOut(t, fold)
	case "drift":
		return s.drift(t)
	}
	return nil, fmt.Errorf("kind %q", s.Kind)
}

// rand is a stream for one purpose of a split that has one fold, or of all its folds alike.
func (s SplitSpec) rand(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, 0x5b117<<8|purpose))
}

// foldRand is the stream of one repeat (of kfold and repeated; other kinds have no repeats), class and purpose.
// Class 0 stands for the benign rows, c+1 for attack class c. Distinct arguments below 2²⁰, 2³² and 2⁸ never
// share a stream: they are packed side by side, and mixed by a bijection (the finaliser of SplitMix64, Steele,
// Lea and Flood 2014).
func (s SplitSpec) foldRand(repeat, class int, purpose uint64) *rand.Rand {
	if s.Kind != "kfold" && s.Kind != "repeated" {
		return s.rand(purpose)
	}
	z := 1<<63 | uint64(repeat)<<40 | uint64(class)<<8 | purpose
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return rand.New(rand.NewPCG(s.Seed, z^z>>31))
}

const (
	forTest uint64 = iota + 1
	forValidation
	forContamination
	forRows
	forLabels
	forTraining
	forMislabelled
)

func (s SplitSpec) official(t *data.Table) (*Split, error) {
	sp, err := s.parts(t)
	if err != nil {
		return nil, err
	}
	s.holdOut(t, sp, s.rand(forValidation))
	return sp, nil
}

// holdOut moves a random share of the benign training rows to Valid.
func (s SplitSpec) holdOut(t *data.Table, sp *Split, r *rand.Rand) {
	if s.Validation == 0 {
		return
	}
	benign := t.Benign(sp.Train)
	held := make([]bool, t.Rows)
	for _, row := range choose(r, benign, share(s.Validation, len(benign))) {
		held[row] = true
	}
	sp.hold(held)
}

// hold moves the marked training rows to Valid.
func (sp *Split) hold(held []bool) {
	train := sp.Train[:0]
	for _, r := range sp.Train {
		if held[r] {
			sp.Valid = append(sp.Valid, r)
		} else {
			train = append(train, r)
		}
	}
	sp.Train = train
}

// share is the rounded share of n, but leaves at least one on each side where n allows it.
func share(f float64, n int) int {
	k := int(math.Round(f * float64(n)))
	if n >= 2 && f > 0 {
		k = min(max(k, 1), n-1)
	}
	return min(k, n)
}

// choose draws k of the rows.
func choose(r *rand.Rand, rows []int32, k int) []int32 {
	c := slices.Clone(rows)
	for i := range k {
		j := i + r.IntN(len(c)-i)
		c[i], c[j] = c[j], c[i]
	}
	return c[:k]
}

func (s SplitSpec) random(t *data.Table) (*Split, error) {
	// a class column may give benign rows and attacks one class
	byClass := make([][]int32, 2*len(t.Classes))
	for i, c := range t.Class {
		k := 2 * c
		if t.Attack[i] {
			k++
		}
		byClass[k] = append(byClass[k], int32(i))
	}
	test := make([]bool, t.Rows)
	r := s.rand(forTest)
	for _, rows := range byClass {
		if len(rows) == 0 {
			continue
		}
		k := share(s.Test, len(rows))
		if t.Attack[rows[0]] && s.Attacks == "test" {
			k = len(rows)
		}
		for _, row := range choose(r, rows, k) {
			test[row] = true
		}
	}
	sp := &Split{}
	sp.take(test)
	s.holdOut(t, sp, s.rand(forValidation))
	return sp, nil
}

// take puts the marked rows into Test and the others into Train.
func (sp *Split) take(test []bool) {
	for i, in := range test {
		if in {
			sp.Test = append(sp.Test, int32(i))
		} else {
			sp.Train = append(sp.Train, int32(i))
		}
	}
}
