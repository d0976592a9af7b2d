package record

import (
	"math"
	"strings"
)

// FoldOverlap is the test rows of a fold over its training rows, benign ones both, as [eval.Pool] wants it: of the
// manifest where it says how many there were, else 1/(k−1) for k folds. NaN for folds that are no sample of one thing
// because each leaves out other classes, and where nothing is known.
func (m *Manifest) FoldOverlap(data string, cells []Result) float64 {
	folds, k := map[string]bool{}, map[string]bool{}
	for i := range cells {
		switch c := &cells[i]; {
		case c.Data != data || c.Fold == "":
		case strings.HasPrefix(c.Fold, "c"):
			return math.NaN()
		default:
			folds[c.Fold] = true
			if _, f, ok := strings.Cut(c.Fold, "f"); ok {
				k[f] = true
			}
		}
	}
	if d, ok := m.DataSet(data); ok && d.TestBenign > 0 && d.Train > 0 {
		return float64(d.TestBenign) / float64(d.Train)
	}
	if len(k) < 2 || len(folds)%len(k) != 0 {
		return math.NaN()
	}
	return 1 / float64(len(k)-1)
}

// DataSet is what the manifest says of a data set.
func (m *Manifest) DataSet(name string) (DataManifest, bool) {
	for _, d := range m.Data {
		if d.Name == name {
			return d, true
		}
	}
	return DataManifest{}, false
}
