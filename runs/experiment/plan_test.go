package experiment

import "testing"

// TestModelSeed: folds have seeds of their own, which do not depend on the other folds; a split without folds has the
// cell's. The numbers are those of this program: results on file were made with them.
func TestModelSeed(t *testing.T) {
	for _, c := range []struct {
		seed uint64
		fold string
		want uint64
	}{{1, "", 1}, {1 << 60, "", 1 << 60}, {1, "r1", 1460828111}, {1, "r2", 857742892}, {2, "r1", 3388261102}} {
		if got := (Cell{Seed: c.seed, Fold: c.fold}).ModelSeed(); got != c.want {
			t.Errorf("seed %d, fold %q: %d, want %d", c.seed, c.fold, got, c.want)
		}
	}
	seen := map[uint64]bool{}
	for seed := range uint64(20) {
		for _, fold := range []string{"f1", "f2", "f10", "r1", "r1f1", "r1f2", "r11", "r30", "c1"} {
			s := Cell{Seed: seed, Fold: fold}.ModelSeed()
			if s < 1 || s >= 1<<32-1 || seen[s] {
				t.Errorf("seed %d, fold %s: %d", seed, fold, s)
			}
			seen[s] = true
		}
	}
}
