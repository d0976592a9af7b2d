package split

import (
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
)

// sample leaves at most about Rows rows in the parts together: of each class of each part the same share, but at least
// one row.
func (s SplitSpec) sample(t *data.Table, sp *Split, r *rand.Rand) {
	total := len(sp.Train) + len(sp.Valid) + len(sp.Test)
	if s.Rows == 0 || total <= s.Rows {
		return
	}
	keep := float64(s.Rows) / float64(total)
	for _, part := range []*[]int32{&sp.Train, &sp.Valid, &sp.Test} {
		byClass := make([][]int32, 2*len(t.Classes))
		for _, row := range *part {
			k := 2 * t.Class[row]
			if t.Attack[row] {
				k++
			}
			byClass[k] = append(byClass[k], row)
		}
		var kept []int32
		for _, rows := range byClass {
			if len(rows) > 0 {
				kept = append(kept, choose(r, rows, max(1, int(math.Round(keep*float64(len(rows))))))...)
			}
		}
		slices.Sort(kept)
		*part = kept
	}
}
