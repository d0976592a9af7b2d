package split

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
)

// randomTable is a labelled table with times that repeat, hosts, and classes of uneven size.
func randomTable(r *rand.Rand) *data.Table {
	n := 20 + r.IntN(300)
	t := &data.Table{Name: "random", Rows: n, Classes: []string{"benign", "scan", "flood", "rare"}}
	times := data.Column{Name: "time", Type: data.Time, Nanos: make([]int64, n)}
	hosts := data.Column{Name: "host", Type: data.Address, Code: make([]uint32, n)}
	for h := range 3 + r.IntN(12) {
		hosts.Levels = append(hosts.Levels, fmt.Sprintf("h%d", h))
	}
	for i := range n {
		times.Nanos[i] = int64(r.IntN(n/2 + 1))
		hosts.Code[i] = uint32(r.IntN(len(hosts.Levels)))
		class := uint32(0)
		if r.IntN(4) == 0 {
			class = uint32(1 + r.IntN(3))
		}
		t.Class = append(t.Class, class)
		t.Attack = append(t.Attack, class > 0)
		part := data.PartTrain
		if i%3 == 0 {
			part = data.PartTest
		}
		t.Parts = append(t.Parts, part)
	}
	t.Columns = []data.Column{times, hosts}
	return t
}

// TestSplitsDoNotLeak: whatever the table, no row is in two parts, held-out rows are benign, no instant and
// no group stands on both sides.
func TestSplitsDoNotLeak(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	made := map[string]int{}
	for range 400 {
		tb := randomTable(r)
		for _, kind := range []string{"official", "random", "time", "group"} {
			s := DefaultSplit()
			s.Kind, s.Test, s.Validation, s.Seed, s.Columns = kind, 0.1+0.7*r.Float64(), 0.4*r.Float64(), r.Uint64(),
				[]string{
					"host",
				}
			if r.IntN(2) == 0 {
				s.Attacks = "split"
			}
			if r.IntN(3) == 0 {
				s.Contamination = 0.02
			}
			sp, err := s.Apply(tb)
			if err != nil {
				if !errors.Is(err, ErrSplit) {
					t.Fatal(err)
				}
				continue
			}
			made[kind]++
			checkSplit(t, tb, s, sp)
			again, err := s.Apply(tb)
			if err != nil || !slices.Equal(sp.Train, again.Train) || !slices.Equal(sp.Valid, again.Valid) ||
				!slices.Equal(sp.Test, again.Test) {
				t.Fatalf("%s: the same split twice differs", kind)
			}
		}
	}
	for _, kind := range []string{"official", "random", "time", "group"} {
		if made[kind] < 200 {
			t.Errorf("%s: only %d splits were made", kind, made[kind])
		}
	}
}

func checkSplit(t *testing.T, tb *data.Table, s SplitSpec, sp *Split) {
	t.Helper()
	side := make([]int, tb.Rows)
	for k, rows := range [][]int32{sp.Train, sp.Valid, sp.Test} {
		if !slices.IsSorted(rows) {
			t.Fatalf("%s: rows are not ascending", s.Kind)
		}
		for _, row := range rows {
			if side[row] != 0 {
				t.Fatalf("%s: row %d is in two parts", s.Kind, row)
			}
			side[row] = k + 1
			if k == 1 && tb.Attack[row] {
				t.Fatalf("%s: the held-out row %d is an attack", s.Kind, row)
			}
		}
	}
	if slices.Contains(side, 0) {
		t.Fatalf("%s: a row is in no part", s.Kind)
	}
	for i := range side {
		for j := range i {
			a, b := side[i], side[j]
			switch {
			case s.Kind == "official" && a == 3 != (tb.Parts[i] == data.PartTest) &&
				!slices.Contains(sp.Contaminants, int32(i)):
				t.Fatalf("row %d of part %d is in %d", i, tb.Parts[i], a)
			case s.Kind == "time" && (a == 3) != (b == 3):
				early, late := i, j
				if a == 3 {
					early, late = j, i
				}
				if tb.Columns[0].Nanos[early] >= tb.Columns[0].Nanos[late] {
					t.Fatalf(
						"time: row %d trains at %d, row %d tests at %d",
						early,
						tb.Columns[0].Nanos[early],
						late,
						tb.Columns[0].Nanos[late],
					)
				}
			case s.Kind == "time" && a == 1 && b == 2 && !tb.Attack[i] &&
				tb.Columns[0].Nanos[i] >= tb.Columns[0].Nanos[j]:
				t.Fatalf("time: row %d trains at or after the held-out row %d", i, j)
			case s.Kind == "group" && a != b && tb.Columns[1].Code[i] == tb.Columns[1].Code[j]:
				t.Fatalf("group: host %s is in parts %d and %d", tb.Columns[1].Level(int32(i)), a, b)
			case s.Kind == "random" && s.Attacks == "test" && tb.Attack[i] && a != 3 &&
				!slices.Contains(sp.Contaminants, int32(i)):
				t.Fatalf("random: attack %d is in part %d", i, a)
			}
		}
	}
}

// TestFoldsDoNotLeak: benign rows test once in a partition, no row trains and tests in one fold, classes of
// a family split or left out stay on one side, and contamination is what was asked for.
func TestFoldsDoNotLeak(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	made := map[string]int{}
	for range 150 {
		tb := randomTable(r)
		for _, kind := range []string{"kfold", "repeated", "leave_out"} {
			s := DefaultSplit()
			s.Kind, s.Folds, s.Repeats, s.Test, s.Validation, s.Seed = kind, 2+r.IntN(
				4,
			), 1+r.IntN(
				2,
			), 0.2+0.4*r.Float64(), 0.3*r.Float64(), r.Uint64()
			s.LeaveOut = []string{"scan", "flood"}
			s.Within = []string{"all", "train"}[r.IntN(2)]
			s.Attacks = []string{"test", "split", "family"}[r.IntN(3)]
			if kind != "kfold" && s.Attacks == "family" {
				s.Attacks = "test"
			}
			if r.IntN(3) == 0 {
				s.Contamination = 0.02
			}
			tested := make([]int, tb.Rows)
			whole := true
			for k := range s.FoldNames() {
				sp, err := s.Fold(tb, k)
				if err != nil {
					if !errors.Is(err, ErrSplit) {
						t.Fatal(err)
					}
					whole = false
					continue
				}
				made[kind]++
				checkFold(t, tb, s, k, sp)
				for _, row := range sp.Test {
					tested[row]++
				}
			}
			for i, n := range tested {
				inPool := s.Within == "all" || tb.Parts[i] == data.PartTrain
				if kind == "kfold" && whole && !tb.Attack[i] && inPool && n != s.Repeats {
					t.Fatalf("benign row %d tests %d times in %d partitions", i, n, s.Repeats)
				}
				if !inPool && n > 0 {
					t.Fatalf("row %d of the official test part is used", i)
				}
			}
		}
	}
	for _, kind := range []string{"kfold", "repeated", "leave_out"} {
		if made[kind] < 100 {
			t.Errorf("%s: only %d folds were made", kind, made[kind])
		}
	}
}

func checkFold(t *testing.T, tb *data.Table, s SplitSpec, k int, sp *Split) {
	t.Helper()
	side := make([]int, tb.Rows)
	for part, rows := range [][]int32{sp.Train, sp.Valid, sp.Test} {
		if !slices.IsSorted(rows) {
			t.Fatalf("%s: rows are not ascending", s.Kind)
		}
		for _, row := range rows {
			if side[row] != 0 {
				t.Fatalf("%s: row %d is in two parts", s.Kind, row)
			}
			side[row] = part + 1
			if part == 1 && tb.Attack[row] {
				t.Fatalf("%s: the held-out row %d is an attack", s.Kind, row)
			}
		}
	}
	sides := map[uint32]int{} // of attack classes: 1 train, 2 test
	for i, part := range side {
		if tb.Attack[i] && part > 0 {
			sides[tb.Class[i]] |= map[int]int{1: 1, 3: 2}[part]
		}
	}
	for class, on := range sides {
		switch {
		case s.Attacks == "family" && on == 3:
			t.Fatalf("family: class %s is on both sides", tb.Classes[class])
		case s.Kind == "leave_out" && (tb.Classes[class] == s.LeaveOut[k]) != (on == 2):
			t.Fatalf("leave_out %s: class %s is on side %d", s.LeaveOut[k], tb.Classes[class], on)
		}
	}
}

func TestContamination(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	made := 0
	for range 100 {
		tb := randomTable(r)
		s := DefaultSplit()
		s.Contamination = 0.02 + 0.1*r.Float64()
		sp, err := s.Apply(tb)
		if err != nil {
			continue
		}
		made++
		rows := sp.Unlabelled(tb)
		attacks := 0
		for _, row := range rows {
			if tb.Attack[row] {
				attacks++
			}
			if slices.Contains(sp.Test, row) || slices.Contains(sp.Valid, row) {
				t.Fatalf("row %d trains and tests", row)
			}
		}
		if got := float64(attacks) / float64(len(rows)); math.Abs(got-s.Contamination) > 1/float64(len(rows)) {
			t.Fatalf("%v of the rows are attacks, want %v", got, s.Contamination)
		}
	}
	if made < 50 {
		t.Errorf("only %d splits were made", made)
	}
}

// TestShownAttacks: the attacks that are shown are as many as asked for, of training and not among those that are taken
// for benign; they follow from the seed, and models with labels see them beside what those without see.
func TestShownAttacks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	made := 0
	for range 100 {
		tb := randomTable(r)
		s := DefaultSplit()
		s.Attacks, s.Contamination = "split", 0.02
		sp, err := s.Apply(tb)
		if err != nil {
			continue
		}
		_, attacks := tb.Count(sp.Train)
		left := attacks - len(sp.Contaminants)
		if err := s.Show(tb, sp, 0, left+1); !errors.Is(err, ErrSplit) || sp.Shown != nil {
			t.Fatalf("more attacks than there are: %v, %v", sp.Shown, err)
		}
		n := left / 2
		if n == 0 {
			continue
		}
		made++
		if err := s.Show(tb, sp, 0, n); err != nil {
			t.Fatal(err)
		}
		if len(sp.Shown) != n || !slices.IsSorted(sp.Shown) || len(slices.Compact(slices.Clone(sp.Shown))) != n {
			t.Fatalf("%d attacks are shown, want %d different ones", len(sp.Shown), n)
		}
		for _, row := range sp.Shown {
			if !tb.Attack[row] || !slices.Contains(sp.Train, row) || slices.Contains(sp.Test, row) ||
				slices.Contains(sp.Valid, row) || slices.Contains(sp.Contaminants, row) {
				t.Fatalf("row %d is shown", row)
			}
		}
		if got, want := len(sp.Labelled(tb)), len(sp.Unlabelled(tb))+n; got != want {
			t.Fatalf("models with labels see %d rows, want %d", got, want)
		}
		again, err := s.Apply(tb)
		if err != nil || s.Show(tb, again, 0, n) != nil || !slices.Equal(again.Shown, sp.Shown) {
			t.Fatalf("the same seed shows %v and %v", sp.Shown, again.Shown)
		}
	}
	if made < 30 {
		t.Errorf("only %d splits were made", made)
	}
}

// TestContaminationKeepsSides: a split by time, group or class takes the attacks of training alone, and says
// so when they do not suffice.
func TestContaminationKeepsSides(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(9, 10)))
	for _, c := range []struct {
		change func(s *SplitSpec)
		want   string
	}{
		{func(s *SplitSpec) { s.Kind, s.Columns = "group", []string{"host"} }, "its groups stay on one side"},
		{func(s *SplitSpec) { s.Kind = "time" }, "its times stay on one side"},
		{func(s *SplitSpec) { s.Kind, s.LeaveOut = "leave_out", []string{"scan"} }, "its classes stay on one side"},
		{func(s *SplitSpec) { s.Kind, s.Attacks = "kfold", "family" }, "its classes stay on one side"},
	} {
		s := DefaultSplit()
		c.change(&s)
		s.Contamination = 0.45
		if _, err := s.Apply(tb); !errors.Is(err, ErrSplit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", s.Kind, err, c.want)
		}
	}
}

// TestRandomSplitWithMixedClass: benign rows and attacks of one class name are shared apart.
func TestRandomSplitWithMixedClass(t *testing.T) {
	tb := &data.Table{
		Name:    "x",
		Rows:    100,
		Classes: []string{"http"},
		Class:   make([]uint32, 100),
		Attack:  make([]bool, 100),
	}
	for i := range 20 {
		tb.Attack[i] = true
	}
	sp, err := DefaultSplit().Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	if benign, attacks := tb.Count(sp.Test); benign != 24 || attacks != 20 {
		t.Errorf("%d benign rows and %d attacks test, want 24 and 20", benign, attacks)
	}
}

// TestGroupsOfValuesWithBlanks: values that read the same when put together are other groups.
func TestGroupsOfValuesWithBlanks(t *testing.T) {
	tb := &data.Table{Name: "x", Rows: 3, Columns: []data.Column{
		{Name: "a", Type: data.Category, Levels: []string{"x y", "x", "-"}, Code: []uint32{0, 1, data.Missing}},
		{Name: "b", Type: data.Category, Levels: []string{"z", "y z"}, Code: []uint32{0, 1, 0}}}}
	if group, names, err := tb.Groups([]string{"a", "b"}); err != nil || !slices.Equal(group, []int32{0, 1, 2}) ||
		names[0] != names[1] {
		t.Errorf("groups %v %q, %v", group, names, err)
	}
}

func TestGroupsByFileAndDay(t *testing.T) {
	tb := &data.Table{
		Name:    "x",
		Rows:    4,
		Origins: []data.Origin{{Name: "a", Rows: 3}, {Name: "b", FirstRow: 3, Rows: 1}},
		Columns: []data.Column{{Name: "t", Type: data.Time, Nanos: []int64{0, 86399e9, 86400e9, data.NoTime}}},
	}
	for column, want := range map[string][]int32{"@file": {0, 0, 0, 1}, "@day": {0, 0, 1, 2}} {
		got, names, err := tb.Groups([]string{column})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %q %v, want %v", column, got, names, err, want)
		}
	}
}

func TestRandomSplitIsStratified(t *testing.T) {
	tb := &data.Table{Name: "x", Rows: 1000, Classes: []string{"ok", "a", "b"}}
	for i := range tb.Rows {
		class := uint32(0)
		if i%10 == 0 {
			class = uint32(1 + i/10%2)
		}
		tb.Class, tb.Attack = append(tb.Class, class), append(tb.Attack, class > 0)
	}
	s := DefaultSplit()
	s.Attacks, s.Test, s.Validation = "split", 0.3, 0.1
	sp, err := s.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	n := map[uint32]int{}
	for _, r := range sp.Test {
		n[tb.Class[r]]++
	}
	if n[0] != 270 || n[1] != 15 || n[2] != 15 || len(sp.Valid) != 63 {
		t.Errorf("test classes %v, %d held out", n, len(sp.Valid))
	}
}

func TestSplitErrors(t *testing.T) {
	labelled := func(attack ...bool) *data.Table {
		tb := &data.Table{
			Name:    "x",
			Rows:    len(attack),
			Attack:  attack,
			Class:   make([]uint32, len(attack)),
			Classes: []string{"ok", "bad"},
			Parts:   make([]data.Part, len(attack)),
		}
		for i, a := range attack {
			if a {
				tb.Class[i] = 1
			}
		}
		return tb
	}
	for _, c := range []struct {
		name, kind string
		table      *data.Table
		want       string
	}{
		{"no test files", "official", labelled(false, false), "no official test files"},
		{"attacks only", "random", labelled(true, true, true), "no benign training rows"},
		{"no time", "time", labelled(false, true), "no time column"},
		{"no groups", "group", labelled(false, true), "no columns to group by"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := DefaultSplit()
			s.Kind = c.kind
			if _, err := s.Apply(c.table); !errors.Is(err, ErrSplit) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	s := DefaultSplit()
	s.Kind, s.LeaveOut = "leave_out", []string{"bad", "worse", "bad"}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), `"bad" twice`) {
		t.Errorf("a class left out twice: %v", err)
	}
	s = DefaultSplit()
	sp, err := s.Apply(labelled(false, false, false, false, false))
	if err != nil || !strings.Contains(strings.Join(sp.Warnings, " "), "no attack") {
		t.Errorf("one class: %+v, %v", sp, err)
	}
}

// TestFewRowsAreSaid: a split that leaves few rows in a part says how many; one that leaves enough is silent.
func TestFewRowsAreSaid(t *testing.T) {
	group := data.Column{Name: "host", Type: data.Address, Levels: []string{"large", "small"}, Code: make([]uint32, 3000)}
	table := &data.Table{Name: "uneven", Rows: 3000, Classes: []string{"benign", "scan"}, Columns: []data.Column{group},
		Attack: make([]bool, 3000), Class: make([]uint32, 3000)}
	for i := range table.Rows {
		if i%100 == 0 {
			table.Columns[0].Code[i] = 1
		}
		if i%30 == 7 {
			table.Attack[i], table.Class[i] = true, 1
		}
	}
	said := func(s SplitSpec) string {
		sp, err := s.Apply(table)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(sp.Warnings, "\n")
	}
	s := DefaultSplit()
	s.Kind, s.Columns, s.Test, s.Validation = "group", []string{"host"}, 0.3, 0.2
	if text := said(s); !strings.Contains(text, "benign training rows of 3000 rows in all") {
		t.Errorf("a group split: %q", text)
	}
	s = DefaultSplit()
	s.Kind, s.Test, s.Validation = "random", 0.4, 0.02
	if text := said(s); !strings.Contains(text, "benign rows to set thresholds") || strings.Contains(text, "training") {
		t.Errorf("few rows for thresholds: %q", text)
	}
	s.Validation = 0.2
	if text := said(s); text != "" {
		t.Errorf("enough rows: %q", text)
	}
}

// TestSampleOfRows: what is kept is a subset of each part in its order, with the shares of parts and classes, no class
// of a part lost; a split that is small enough stays as it is, and folds choose other rows.
func TestSampleOfRows(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(8, 8)))
	s := DefaultSplit()
	s.Kind, s.Folds, s.Attacks, s.Validation = "repeated", 2, "split", 0.2
	whole, err := s.Fold(tb, 0)
	if err != nil {
		t.Fatal(err)
	}
	parts := func(sp *Split) [][]int32 { return [][]int32{sp.Train, sp.Valid, sp.Test} }
	total := len(whole.Train) + len(whole.Valid) + len(whole.Test)
	s.Rows = total
	if same, err := s.Fold(tb, 0); err != nil || !reflect.DeepEqual(parts(same), parts(whole)) {
		t.Errorf("a sample of all rows differs, %v", err)
	}
	s.Rows = total / 3
	some, err := s.Fold(tb, 0)
	if err != nil {
		t.Fatal(err)
	}
	for k, part := range parts(some) {
		of := parts(whole)[k]
		type key struct {
			attack bool
			class  uint32
		}
		counts := func(rows []int32) map[key]int {
			n := map[key]int{}
			for _, r := range rows {
				n[key{tb.Attack[r], tb.Class[r]}]++
			}
			return n
		}
		for class, n := range counts(of) {
			if got := counts(part)[class]; got < 1 || math.Abs(float64(got)-float64(n)/3) > 1 {
				t.Errorf("part %d has %d of %d rows of a class", k, got, n)
			}
		}
		if math.Abs(float64(len(part))-float64(len(of))/3) > 4 || !slices.IsSorted(part) {
			t.Errorf("part %d has %d of %d rows", k, len(part), len(of))
		}
		for _, r := range part {
			if !slices.Contains(of, r) {
				t.Fatalf("part %d has row %d, which it lacked", k, r)
			}
		}
	}
	again, err := s.Fold(tb, 0)
	if err != nil || !reflect.DeepEqual(again, some) {
		t.Errorf("another choice the second time, %v", err)
	}
}

// TestUnlabelledAll: models without labels see every training row, and the rows are split as without it.
func TestUnlabelledAll(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(9, 9)))
	s := DefaultSplit()
	s.Attacks, s.Validation = "split", 0
	plain, err := s.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	s.Unlabelled = "all"
	sp, err := s.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	_, attacks := tb.Count(sp.Train)
	if !slices.Equal(sp.Unlabelled(tb), sp.Train) || !slices.Equal(sp.Train, plain.Train) || attacks == 0 ||
		len(sp.Contaminants) != attacks {
		t.Errorf("%d rows of %d, %d attacks, %d contaminants", len(sp.Unlabelled(tb)), len(sp.Train), attacks,
			len(sp.Contaminants))
	}
	s.Contamination = 0.1
	if err := s.Check(); err == nil {
		t.Error("both are taken")
	}
}

// TestSplitByOrder: training is the first rows of the files, as many as leave the share of the benign ones for test,
// and the last benign ones of these validate.
func TestSplitByOrder(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(10, 10)))
	s := DefaultSplit()
	s.Kind, s.Test, s.Validation = "order", 0.4, 0.25
	sp, err := s.Apply(tb)
	if err != nil {
		t.Fatal(err)
	}
	before := append(slices.Clone(sp.Train), sp.Valid...)
	slices.Sort(before)
	for i, r := range append(before, sp.Test...) {
		if r != int32(i) {
			t.Fatalf("row %d stands at place %d", r, i)
		}
	}
	all, _ := tb.Count(append(before, sp.Test...))
	tested, _ := tb.Count(sp.Test)
	if want := share(0.4, all); tested != want {
		t.Errorf("%d benign rows test, want %d of %d", tested, want, all)
	}
	benign := tb.Benign(sp.Train)
	if len(sp.Valid) == 0 || benign[len(benign)-1] > sp.Valid[0] {
		t.Errorf("training goes on to row %d, validation begins at %v", benign[len(benign)-1], sp.Valid)
	}
}
