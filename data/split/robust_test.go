package split

import (
	"slices"
	"testing"

	"plumbline/data"
)

// robustTable is 300 rows of the training files and 150 of the test files, every third an attack.
func robustTable() *data.Table {
	t := &data.Table{Name: "t", Rows: 450, Classes: []string{"ok", "scan"}}
	for i := range t.Rows {
		t.Attack, t.Class = append(t.Attack, i%3 == 0), append(t.Class, uint32(btoi(i%3 == 0)))
		part := data.PartTrain
		if i >= 300 {
			part = data.PartTest
		}
		t.Parts = append(t.Parts, part)
	}
	return t
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func apply(t *testing.T, change func(*SplitSpec)) *Split {
	t.Helper()
	s := DefaultSplit()
	s.Kind = "official"
	change(&s)
	sp, err := s.Apply(robustTable())
	if err != nil {
		t.Fatal(err)
	}
	return sp
}

// TestLabelNoise: of 180 benign training rows (20 are held out) and 100 attacks a tenth is taken for what it is not;
// what validates and tests is the same, and so is a smaller share's choice within a larger one's.
func TestLabelNoise(t *testing.T) {
	tb := robustTable()
	clean := apply(t, func(*SplitSpec) {})
	some := apply(t, func(s *SplitSpec) { s.LabelNoise = 0.1 })
	more := apply(t, func(s *SplitSpec) { s.LabelNoise = 0.3 })
	if len(some.Accused) != 18 || len(some.Contaminants) != 10 || len(more.Accused) != 54 {
		t.Fatal(len(some.Accused), len(some.Contaminants), len(more.Accused))
	}
	for _, r := range some.Accused {
		if tb.Attack[r] || !slices.Contains(more.Accused, r) || slices.Contains(some.Unlabelled(tb), r) {
			t.Fatalf("row %d", r)
		}
	}
	for _, r := range some.Contaminants {
		if !tb.Attack[r] || !slices.Contains(some.Unlabelled(tb), r) {
			t.Fatalf("row %d", r)
		}
	}
	if n := len(some.Unlabelled(tb)); n != 180-18+10 {
		t.Errorf("models without labels see %d rows", n)
	}
	if !slices.Equal(clean.Test, some.Test) || !slices.Equal(clean.Valid, some.Valid) || !slices.Equal(clean.Train,
		some.Train) {
		t.Error("label noise changed more than truths")
	}
}

func TestTrainingShare(t *testing.T) {
	tb := robustTable()
	clean := apply(t, func(*SplitSpec) {})
	half := apply(t, func(s *SplitSpec) { s.Training = 0.5 })
	tenth := apply(t, func(s *SplitSpec) { s.Training = 0.1 })
	for _, c := range []struct {
		sp              *Split
		benign, attacks int
	}{{clean, 180, 100}, {half, 90, 50}, {tenth, 18, 10}} {
		if b, a := tb.Count(c.sp.Train); b != c.benign || a != c.attacks || !slices.Equal(c.sp.Test, clean.Test) ||
			!slices.Equal(c.sp.Valid, clean.Valid) {
			t.Errorf("%d benign rows and %d attacks, want %d and %d", b, a, c.benign, c.attacks)
		}
	}
	for _, r := range tenth.Train {
		if !slices.Contains(half.Train, r) {
			t.Errorf("row %d of the tenth is not in the half", r)
		}
	}
}

func TestAttackCopies(t *testing.T) {
	tb := robustTable()
	sp := apply(t, func(s *SplitSpec) { s.Contamination, s.AttackCopies = 0.1, 3 })
	if b, a := tb.Count(sp.Train); b != 180 || a != 300 || len(sp.Contaminants) != 60 || len(sp.Unlabelled(tb)) != 240 {
		t.Error(b, a, len(sp.Contaminants), len(sp.Unlabelled(tb)))
	}
	if _, a := tb.Count(sp.Test); a != 50 {
		t.Errorf("%d attacks test", a)
	}
}

// TestDrift: the training part and the size of the test part stay, the share of rows from the test files moves.
func TestDrift(t *testing.T) {
	tb := robustTable()
	var first *Split
	for _, share := range []float64{0, 0.5, 1} {
		sp := apply(t, func(s *SplitSpec) { s.Kind, s.Drifted, s.Attacks = "drift", share, "split" })
		if first == nil {
			first = sp
		}
		if !slices.Equal(sp.Train, first.Train) || len(sp.Test) != len(first.Test) {
			t.Errorf("%v: %d rows train, %d test", share, len(sp.Train), len(sp.Test))
		}
		foreign := 0
		for _, r := range sp.Test {
			if r >= 300 {
				foreign++
			}
			if slices.Contains(sp.Train, r) {
				t.Fatalf("row %d trains and tests", r)
			}
		}
		if want := int(share * float64(len(sp.Test))); foreign < want-1 || foreign > want+1 {
			t.Errorf("%v: %d of %d test rows are of the test files", share, foreign, len(sp.Test))
		}
		if b, a := tb.Count(sp.Test); b != 60 || a != 30 {
			t.Errorf("%v: %d benign rows and %d attacks test", share, b, a)
		}
	}
}
