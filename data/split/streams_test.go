package split

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"plumbline/data"
)

// manyClasses is a table of 400 benign rows and 20 rows of each of 300 attack classes.
func manyClasses() *data.Table {
	t := &data.Table{Name: "many", Classes: []string{"benign"}}
	add := func(class uint32, n int) {
		for range n {
			t.Class, t.Attack = append(t.Class, class), append(t.Attack, class > 0)
			t.Rows++
		}
	}
	add(0, 400)
	for c := range 300 {
		t.Classes = append(t.Classes, fmt.Sprintf("attack %d", c))
		add(uint32(c+1), 20)
	}
	return t
}

func sum(rows []int32) uint64 {
	h := fnv.New64a()
	for _, r := range rows {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(r)))
	}
	return h.Sum64()
}

// TestRepeatsDiffer: of 1,000 repeats no two test on the same rows, hold the same rows out or mix the same
// attacks in, whatever the seed, and another seed repeats none of them.
func TestRepeatsDiffer(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(3, 9)))
	for tb.Rows < 250 {
		tb = randomTable(rand.New(rand.NewPCG(uint64(tb.Rows), 9)))
	}
	for _, s := range []SplitSpec{
		{Kind: "repeated", Folds: 1000, Test: 0.4, Validation: 0.2, Attacks: "split", Within: "all"},
		{Kind: "repeated", Folds: 1000, Test: 0.4, Validation: 0.2, Attacks: "test", Within: "all"},
		{Kind: "kfold", Folds: 4, Repeats: 250, Validation: 0.2, Attacks: "test", Within: "all"},
		{Kind: "kfold", Folds: 4, Repeats: 1000, Validation: 0.2, Attacks: "split", Within: "all"},
	} {
		test, valid, mixed := map[uint64]string{}, map[uint64]string{}, map[uint64]string{}
		for _, s.Seed = range []uint64{1, 2} {
			for k, name := range s.FoldNames() {
				sp, err := s.Fold(tb, k)
				if err != nil {
					t.Fatal(err)
				}
				name = fmt.Sprintf("seed %d %s", s.Seed, name)
				for what, seen := range map[string]map[uint64]string{"test": test, "valid": valid} {
					h := sum(map[string][]int32{"test": sp.Test, "valid": sp.Valid}[what])
					if other, twice := seen[h]; twice {
						t.Fatalf("%s, attacks %s: %s and %s have the same %s rows", s.Kind, s.Attacks, other, name,
							what)
					}
					seen[h] = name
				}
				if k%100 != 0 {
					continue
				}
				c := s
				c.Contamination = 0.2
				if sp, err = c.Fold(tb, k); err != nil {
					t.Fatal(err)
				}
				h := sum(sp.Contaminants)
				if other, twice := mixed[h]; twice {
					t.Fatalf("%s, attacks %s: %s and %s mix the same attacks in", s.Kind, s.Attacks, other, name)
				}
				mixed[h] = name
			}
		}
		if want := 2 * len(s.FoldNames()); len(test) != want || len(valid) != want {
			t.Errorf("%s: %d test sets and %d held-out sets, want %d", s.Kind, len(test), len(valid), want)
		}
	}
}

// TestClassesHaveStreamsOfTheirOwn: of 300 classes of 20 rows each, no more are drawn alike than chance has
// it. Half of the rows test: 184,756 possible draws, 45,000 pairs, so that 0.24 pairs are expected, and more
// than three have a probability below 0.0002.
func TestClassesHaveStreamsOfTheirOwn(t *testing.T) {
	tb := manyClasses()
	for _, s := range []SplitSpec{
		{Kind: "repeated", Folds: 2, Test: 0.5, Attacks: "split", Within: "all", Seed: 5},
		{Kind: "kfold", Folds: 2, Repeats: 2, Attacks: "split", Within: "all", Seed: 5},
	} {
		for k := range s.FoldNames() {
			sp, err := s.Fold(tb, k)
			if err != nil {
				t.Fatal(err)
			}
			draws := make([][]int32, 300)
			for _, r := range sp.Test {
				if r >= 400 {
					c := (r - 400) / 20
					draws[c] = append(draws[c], (r-400)%20)
				}
			}
			alike := 0
			seen := map[uint64]int{}
			for c, d := range draws {
				if len(d) != 10 {
					t.Fatalf("%s fold %d: %d rows of class %d test, want 10", s.Kind, k, len(d), c)
				}
				alike += seen[sum(d)]
				seen[sum(d)]++
			}
			if alike > 3 {
				t.Errorf("%s fold %d: %d pairs of classes are drawn alike", s.Kind, k, alike)
			}
		}
	}
}

// TestOtherSplitsKeepTheirRows: splits without repeats draw what they always drew. The sums are those of the
// release that had one stream for each purpose.
func TestOtherSplitsKeepTheirRows(t *testing.T) {
	tb := randomTable(rand.New(rand.NewPCG(7, 7)))
	for kind, want := range map[string][3]uint64{
		"official":  {0xb076a6272d63cea1, 0x2dfb0b67281fd267, 0x914a62d0845c8e83},
		"random":    {0x9f997f3fc878f50c, 0x6d993d0675a5a8e4, 0x7ecb2f1a2d44ec31},
		"time":      {0x27d9e43f7a1615b, 0x8474453f5e2d7ca4, 0x4c03b36f9a6052da},
		"group":     {0x9b3138d9c1908032, 0xcbf29ce484222325, 0x279c0e8cd78487be},
		"leave_out": {0x4a97cfca61efa671, 0x6d993d0675a5a8e4, 0xab45f0b45a6c74b0},
	} {
		s := SplitSpec{
			Kind: kind, Test: 0.3, Validation: 0.2, Attacks: "split", Within: "all", Seed: 11,
			Columns: []string{"host"}, LeaveOut: []string{"scan", "flood"},
		}
		if kind == "random" {
			s.Contamination = 0.1
		}
		sp, err := s.Fold(tb, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]uint64{sum(sp.Train), sum(sp.Valid), sum(sp.Test)}; got != want {
			t.Errorf("%s: %#x, want %#x", kind, got, want)
		}
	}
}
