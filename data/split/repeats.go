package split

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"plumbline/data"
)

// rowKey tells rows of equal values apart from others.
type rowKey [16]byte

// repeatsOf numbers the columns that rows are compared by: times, addresses and categories that name rows are left out.
func repeatsOf(t *data.Table) []*data.Column {
	var out []*data.Column
	for i := range t.Columns {
		c := &t.Columns[i]
		names := c.Type == data.Category && len(c.Levels) > 100 && 2*len(c.Levels) > t.Rows
		if (c.Type == data.Number || c.Type == data.Category) && !names {
			out = append(out, c)
		}
	}
	return out
}

func keyOf(columns []*data.Column, row int32, buf []byte) (rowKey, []byte) {
	buf = buf[:0]
	for _, c := range columns {
		buf = c.AppendKey(buf, row)
	}
	sum := sha256.Sum256(buf)
	return rowKey(sum[:16]), buf
}

// clean leaves repeated training rows and test rows that occur in training out, as the split says, and warns of how
// many they were.
func (s SplitSpec) clean(t *data.Table, sp *Split) {
	thin := s.Duplicates == "drop" || s.Duplicates == "weight"
	if !thin && s.Overlap != "drop" {
		return
	}
	columns := repeatsOf(t)
	type truth struct {
		key    rowKey
		attack bool
	}
	var buf []byte
	seen := map[rowKey]bool{}
	total := map[truth]int{}
	keys := make([]truth, len(sp.Train))
	for i, r := range sp.Train {
		keys[i].key, buf = keyOf(columns, r, buf)
		keys[i].attack = t.Attack[r]
		seen[keys[i].key] = true
		total[keys[i]]++
	}
	if thin {
		kept := make([]int32, 0, len(sp.Train))
		have := map[truth]int{}
		for i, r := range sp.Train {
			stay := 1
			if s.Duplicates == "weight" {
				stay = bits.Len(uint(total[keys[i]])) // 1 + ⌊log₂ n⌋
			}
			if have[keys[i]] < stay {
				have[keys[i]]++
				kept = append(kept, r)
			}
		}
		if n := len(sp.Train) - len(kept); n > 0 {
			sp.Warnings = append(sp.Warnings, fmt.Sprintf(
				"duplicates: %s left %d of %d training rows out, whose values repeat others'", s.Duplicates, n, len(sp.Train)))
		}
		sp.Train = kept
	}
	if s.Overlap == "drop" {
		kept := make([]int32, 0, len(sp.Test))
		for _, r := range sp.Test {
			var k rowKey
			if k, buf = keyOf(columns, r, buf); !seen[k] {
				kept = append(kept, r)
			}
		}
		if n := len(sp.Test) - len(kept); n > 0 {
			sp.Warnings = append(sp.Warnings, fmt.Sprintf(
				"overlap: drop left %d of %d test rows out, whose values occur in training", n, len(sp.Test)))
		}
		sp.Test = kept
	}
}
