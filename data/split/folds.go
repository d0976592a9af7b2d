package split

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
)

// FoldNames is the names of the split's folds in order; one empty name for a split that has no folds.
func (s SplitSpec) FoldNames() []string {
	var out []string
	switch s.Kind {
	case "kfold":
		for r := range s.Repeats {
			for f := range s.Folds {
				name := fmt.Sprintf("f%d", f+1)
				if s.Repeats > 1 {
					name = fmt.Sprintf("r%d%s", r+1, name)
				}
				out = append(out, name)
			}
		}
	case "repeated":
		for f := range s.Folds {
			out = append(out, fmt.Sprintf("r%d", f+1))
		}
	case "leave_out":
		for i := range s.LeaveOut {
			out = append(out, fmt.Sprintf("c%d", i+1))
		}
	default:
		out = []string{""}
	}
	return out
}

// folds is how many folds the split has.
func (s SplitSpec) folds() int {
	switch s.Kind {
	case "kfold":
		return s.Repeats * s.Folds
	case "repeated":
		return s.Folds
	case "leave_out":
		return len(s.LeaveOut)
	}
	return 1
}

// Check says what is wrong with the split as a whole.
func (s SplitSpec) Check() error {
	switch {
	case s.Kind == "leave_out" && len(s.LeaveOut) == 0:
		return errors.New("split leave_out needs the attack classes under leave_out")
	case repeated(s.LeaveOut) != "":
		return fmt.Errorf("leave_out names %q twice: its fold would count twice", repeated(s.LeaveOut))
	case s.Kind == "group" && len(s.Columns) == 0:
		return errors.New("split group needs columns")
	case s.Attacks == "family" && s.Kind != "kfold":
		return errors.New("attacks: family goes with kind kfold")
	case s.Unlabelled == "all" && s.Contamination > 0:
		return errors.New("unlabelled: all shows models without labels every attack of training: contamination mixes none in")
	}
	return nil
}

// repeated is the first name that stands in the list twice, or "".
func repeated(names []string) string {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return n
		}
	}
	return ""
}

// pool is the rows that folds are made of, by class; the first list holds all benign rows.
func (s SplitSpec) pool(t *data.Table) (benign []int32, byClass [][]int32) {
	byClass = make([][]int32, len(t.Classes))
	for i, c := range t.Class {
		switch {
		case s.Within == "train" && t.Parts != nil && t.Parts[i] == data.PartTest:
		case t.Attack[i]:
			byClass[c] = append(byClass[c], int32(i))
		default:
			benign = append(benign, int32(i))
		}
	}
	return benign, byClass
}

// deal cuts rows into n shuffled parts whose sizes differ by at most one.
func deal(r *rand.Rand, rows []int32, n int) [][]int32 {
	shuffled := choose(r, rows, len(rows))
	parts := make([][]int32, n)
	for i, r := range shuffled {
		parts[i%n] = append(parts[i%n], r)
	}
	return parts
}

// mark marks rows.
func mark(marks []bool, rows []int32) {
	for _, r := range rows {
		marks[r] = true
	}
}

// assemble makes a split of the pool's rows: those marked test, and the others; then it holds validation
// rows out.
func (s SplitSpec) assemble(t *data.Table, fold int, benign []int32, byClass [][]int32, test, leave []bool) *Split {
	sp := &Split{}
	for _, rows := range append([][]int32{benign}, byClass...) {
		for _, r := range rows {
			switch {
			case test[r]:
				sp.Test = append(sp.Test, r)
			case leave == nil || !leave[r]:
				sp.Train = append(sp.Train, r)
			}
		}
	}
	slices.Sort(sp.Train)
	slices.Sort(sp.Test)
	s.holdOut(t, sp, s.foldRand(fold, 0, forValidation))
	return sp
}

// kfold partitions the benign rows. Attacks test in every fold (test), are partitioned likewise (split), or
// by class (family), so that no fold tests classes that another one does.
func (s SplitSpec) kfold(t *data.Table, fold int) (*Split, error) {
	repeat, f := fold/s.Folds, fold%s.Folds
	benign, byClass := s.pool(t)
	if len(benign) < s.Folds {
		return nil, fmt.Errorf("%d benign rows for %d folds", len(benign), s.Folds)
	}
	test, leave := make([]bool, t.Rows), make([]bool, t.Rows)
	mark(test, deal(s.foldRand(repeat, 0, forTest), benign, s.Folds)[f])
	family := 0
	for c, rows := range byClass {
		if len(rows) == 0 {
			continue
		}
		switch s.Attacks {
		case "split":
			mark(test, deal(s.foldRand(repeat, c+1, forTest), rows, s.Folds)[f])
		case "family":
			if family%s.Folds == f {
				mark(test, rows)
			}
			family++
		default:
			mark(test, rows)
		}
	}
	return s.assemble(t, fold, benign, byClass, test, leave), nil
}

// repeated draws the test share of the benign rows anew for every fold, and puts all attacks into each:
// the semi-supervised cross-validation of Winiecki 2025, whose validation rows are the test rows here.
func (s SplitSpec) repeated(t *data.Table, fold int) (*Split, error) {
	benign, byClass := s.pool(t)
	test := make([]bool, t.Rows)
	mark(test, choose(s.foldRand(fold, 0, forTest), benign, share(s.Test, len(benign))))
	for c, rows := range byClass {
		k := len(rows)
		if s.Attacks == "split" && k > 0 {
			k = share(s.Test, k)
		}
		mark(test, choose(s.foldRand(fold, c+1, forTest), rows, k))
	}
	return s.assemble(t, fold, benign, byClass, test, nil), nil
}

// leaveOut tests one attack class that training never shows, against the same benign rows in every fold.
func (s SplitSpec) leaveOut(t *data.Table, fold int) (*Split, error) {
	name := s.LeaveOut[fold]
	class := slices.Index(t.Classes, name)
	benign, byClass := s.pool(t)
	if class < 0 || len(byClass[class]) == 0 {
		return nil, fmt.Errorf("no attack class %q%s", name, settings.DidYouMean(name, t.Classes))
	}
	test := make([]bool, t.Rows)
	mark(test, choose(s.rand(forTest), benign, share(s.Test, len(benign))))
	mark(test, byClass[class])
	return s.assemble(t, fold, benign, byClass, test, nil), nil
}

// keepsSides says whether the split promises more than that no row is in two parts: whole groups, times or
// classes stand on one side, so that no attack may change sides afterwards.
func (s SplitSpec) keepsSides() bool {
	return s.Kind == "time" || s.Kind == "order" || s.Kind == "group" || s.Kind == "leave_out" || s.Attacks == "family"
}

// sides names what keepsSides keeps on one side.
func (s SplitSpec) sides() string {
	switch s.Kind {
	case "time", "order":
		return "times"
	case "group":
		return "groups"
	}
	return "classes"
}

// contaminate marks attacks of training, as many as make up the share of contamination among the rows that
// models without labels see. What training lacks is moved over from test, where the split allows it.
func (s SplitSpec) contaminate(t *data.Table, sp *Split, rng *rand.Rand) error {
	if s.Unlabelled == "all" {
		for _, r := range sp.Train {
			if t.Attack[r] {
				sp.Contaminants = append(sp.Contaminants, r)
			}
		}
		return nil
	}
	if s.Contamination == 0 {
		return nil
	}
	benign := len(t.Benign(sp.Train))
	want := int(math.Round(s.Contamination / (1 - s.Contamination) * float64(benign)))
	var inTrain, inTest []int32
	for _, r := range sp.Train {
		if t.Attack[r] {
			inTrain = append(inTrain, r)
		}
	}
	for _, r := range sp.Test {
		if t.Attack[r] {
			inTest = append(inTest, r)
		}
	}
	taken := choose(rng, inTrain, min(want, len(inTrain)))
	sp.Contaminants = slices.Clone(taken)
	rest := want - len(taken)
	if rest > 0 && s.keepsSides() {
		return fmt.Errorf(
			"a contamination of %g takes %d attacks, training has %d; this split moves none over from test, since "+
				"its %s stay on one side",
			s.Contamination,
			want,
			len(inTrain),
			s.sides(),
		)
	}
	if rest > 0 {
		if rest >= len(inTest) {
			return fmt.Errorf(
				"a contamination of %g takes %d attacks, there are %d",
				s.Contamination,
				want,
				len(inTrain)+len(inTest),
			)
		}
		moved := slices.Clone(choose(rng, inTest, rest))
		marks := make([]bool, t.Rows)
		mark(marks, moved)
		sp.Test = slices.DeleteFunc(sp.Test, func(r int32) bool { return marks[r] })
		sp.Contaminants = append(sp.Contaminants, moved...)
		sp.Train = append(sp.Train, moved...)
		slices.Sort(sp.Train)
	}
	slices.Sort(sp.Contaminants)
	return nil
}
