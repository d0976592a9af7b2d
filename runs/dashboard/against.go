package dashboard

import (
	"math"
	"slices"
)

// Against adds the benign flows of another table, of which the first ones are held against: all of them where it has no
// labels. Categories are told by key and text, numbers by key; columns that only the other has are left out.
func (f *Flows) Against(other *Flows) {
	var keep []int32
	for i, v := range other.Flag {
		if v&attack == 0 {
			keep = append(keep, int32(i))
		}
	}
	n := len(keep)
	p := &Profile{Name: other.Name, N: n, Of: n, Days: f.days(other)}
	for i := range keep {
		bin := uint16(nowhere)
		if at := other.At[keep[i]]; p.Days > 0 && other.Bin[keep[i]] != nowhere {
			bin = uint16(f.Axis.slot(f.Axis.bin(at)))
		}
		f.Bin = append(f.Bin, bin)
		f.Flag = append(f.Flag, profile)
		f.At = append(f.At, other.At[keep[i]])
		f.Row = append(f.Row, other.Row[keep[i]])
	}
	for k := range f.Dims {
		f.Dims[k].join(other, keep)
	}
	for k := range f.Nums {
		a := &f.Nums[k]
		b := other.num(a.Key)
		for _, i := range keep {
			v := math.NaN()
			if b != nil {
				v = b.Scale.value(b.Code[i])
			}
			a.Code = append(a.Code, a.Scale.code(v))
		}
	}
	f.Sign = append(f.Sign, make([]uint8, n)...)
	for bit, name := range f.Signs {
		if from := slices.Index(other.Signs, name); from >= 0 {
			for i, k := range keep {
				f.Sign[f.N+i] |= other.Sign[k] >> from & 1 << bit
			}
		}
	}
	if f.Score != nil {
		rest := make([]uint16, n)
		for i, k := range keep {
			if rest[i] = none; other.Score != nil {
				rest[i] = f.ScoreScale.code(other.ScoreScale.value(other.Score[k]))
			}
		}
		f.Score = append(f.Score, rest...)
	}
	f.N += n
	f.Of += n
	f.Profile = p
}

// days is how many days the flows of another table cover, where the times of day of both can be compared.
func (f *Flows) days(other *Flows) int {
	if f.Axis.day() == 0 || other.Axis.Rows {
		return 0
	}
	const day = 86_400_000
	seen := map[int64]bool{}
	for i, b := range other.Bin {
		if b != nowhere {
			seen[floorDiv(other.At[i], day)] = true
		}
	}
	return len(seen)
}

// join adds the codes of flows of another table's category of the same key.
func (d *Dim) join(other *Flows, keep []int32) {
	at := make(map[string]uint16, len(d.Levels))
	for k, text := range d.Levels {
		at[text] = uint16(k)
	}
	code := func(text string) uint16 {
		k, ok := at[text]
		if !ok && len(d.Levels) > maxLevels {
			text = others
			k, ok = at[text]
		}
		if !ok {
			k = uint16(len(d.Levels))
			at[text] = k
			d.Levels = append(d.Levels, text)
		}
		return k
	}
	from := other.dim(d.Key)
	if from < 0 {
		k := code(noValue)
		for range keep {
			d.Code = append(d.Code, k)
		}
		return
	}
	b := &other.Dims[from]
	to := make([]uint16, len(b.Levels))
	known := make([]bool, len(b.Levels))
	for _, i := range keep {
		k := b.Code[i]
		if !known[k] {
			to[k], known[k] = code(b.Levels[k]), true
		}
		d.Code = append(d.Code, to[k])
	}
}
