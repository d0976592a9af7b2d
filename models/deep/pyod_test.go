package deep

import (
	"testing"

	"plumbline/data"
	"plumbline/models/modeltest"
)

// TestPyOD holds the deep isolation forest against PyOD's AUROC over seeds, on columns scaled to [0, 1] as it does
// itself. (Deep SVDD is held to PyTorch instead: with PyOD's layer sizes its AUROC on pima is .09 lower than PyOD's.)
func TestPyOD(t *testing.T) {
	if testing.Short() {
		t.Skip("fits networks")
	}
	for _, table := range modeltest.PyOD(t) {
		scaleToUnit(table.Even, table.Odd)
		table.SameOverSeeds(t, "DIF", lookup(t, "dif"))
	}
}

// scaleToUnit maps the range of each column of train to [0, 1], and test alike.
func scaleToUnit(train, test *data.Set) {
	for j := range train.D {
		low, high := train.X[j], train.X[j]
		for i := range train.N {
			v := train.X[i*train.D+j]
			low, high = min(low, v), max(high, v)
		}
		if high == low {
			high = low + 1
		}
		for _, s := range []*data.Set{train, test} {
			for i := range s.N {
				s.X[i*s.D+j] = (s.X[i*s.D+j] - low) / (high - low)
			}
		}
	}
}
