package prep

import (
	"fmt"
	"math"
	"slices"

	"plumbline/data"
)

// roundingShare is the spread, as a share of the largest magnitude, up to which values count as one value: it is what
// sums of some thousand terms may differ by in their last bits.
const roundingShare = 1e-12

// constant says whether values are one value, but for rounding. None are, too.
func constant(v []float64) bool {
	if len(v) == 0 {
		return true
	}
	return noise(slices.Min(v), slices.Max(v))
}

// noise says whether two values differ by no more than rounding explains.
func noise(a, b float64) bool {
	return math.Abs(b-a) <= roundingShare*math.Max(math.Abs(a), math.Abs(b))
}

// Dropped is a column that a step took out since it told nothing in training.
type Dropped struct {
	Name   string   `json:"name"`
	Source string   `json:"source"`
	Step   string   `json:"step"`
	Level  string   `json:"level,omitempty"` // of a dummy
	Number *float64 `json:"number,omitempty"`
	Text   *string  `json:"text,omitempty"` // the value of the source column in training; nil: it was missing throughout
}

// dropped describes a column that a step takes out.
func (f *fitting) dropped(c *column, step string, rows []int32) Dropped {
	src := &f.table.Columns[c.source]
	d := Dropped{Name: c.name, Source: src.Name, Step: step, Level: c.level}
	for _, r := range rows {
		if src.Missing(int(r)) {
			continue
		}
		if src.Type == data.Number {
			v := src.Num[r]
			d.Number = &v
		} else {
			v := src.Level(r)
			d.Text = &v
		}
		break
	}
	return d
}

// keepDropped remembers the columns that a step takes out.
func (f *fitting) keepDropped(gone map[*column]bool, step string, rows []int32) {
	for _, c := range f.columns {
		if gone[c] {
			f.gone = append(f.gone, f.dropped(c, step, rows))
		}
	}
}

// Varying warns of the columns that were taken out since they were constant in training, and that are not among the
// rows: what tells these rows apart was not looked at.
func (p *Pipeline) Varying(t *data.Table, rows []int32) (warnings []string) {
	for _, d := range p.Dropped {
		src, err := t.Column(d.Source)
		if err != nil {
			continue
		}
		if n := d.others(src, rows); n > 0 {
			warnings = append(warnings, fmt.Sprintf(
				"column %s is dropped (%s), since it hardly varies in training; %d of %d test rows have another value",
				d.Name, d.Step, n, len(rows)))
		}
	}
	return warnings
}

// others is how many of the rows have another value than training.
func (d *Dropped) others(src *data.Column, rows []int32) (n int) {
	for _, r := range rows {
		switch {
		case src.Missing(int(r)):
		case src.Type == data.Number:
			if d.Number == nil || !noise(*d.Number, src.Num[r]) {
				n++
			}
		case d.Level != "" && d.Text != nil: // a dummy: whether the row has the level
			if (src.Level(r) == d.Level) != (*d.Text == d.Level) {
				n++
			}
		case d.Text == nil || src.Level(r) != *d.Text:
			n++
		}
	}
	return n
}
