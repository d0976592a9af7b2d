package audit

import (
	"cmp"
	"math"
	"slices"

	"plumbline/data"
)

// column describes one column and what it alone tells of the truth, over the rows that the split uses.
func (a *auditor) column(c *data.Column) Column {
	out := Column{Name: c.Name, Type: c.Type.String()}
	if c.Type != data.Number {
		out.AUROC, out.Stump = separation(a.levels(c, &out))
		return out
	}
	out.AUROC, out.Stump = alone(a.numbers(c, &out))
	return out
}

// alone is what numbers tell by their order, and where they are few by each value too.
func alone(v []group) (auroc, stump float64) {
	auroc, stump = separation(v)
	if len(v) <= fewValues {
		// attacks may have their own values in the middle of the range, as UNSW-NB15's times to live do
		by, cut := separation(byShare(v))
		auroc, stump = max(auroc, by), max(stump, cut)
	}
	return auroc, stump
}

// Alone is what a column alone tells of the truth, given how many benign rows and attacks have each value: the AUROC
// as a score in the better direction, and the best balanced accuracy of one cut. Categories, without values, stand in
// the order of their shares of attacks.
func Alone(values, benign, attacks []float64) (auroc, stump float64) {
	v := make([]group, len(benign))
	for i := range v {
		v[i] = group{benign: benign[i], attacks: attacks[i]}
		if values != nil {
			v[i].value = values[i]
		}
	}
	if values == nil {
		return separation(byShare(v))
	}
	return alone(v)
}

const (
	// fewValues is up to how many distinct numbers are looked at as levels too.
	fewValues = 64
	// manyValues is above how many distinct numbers rows are sorted rather than counted by value.
	manyValues = 1 << 14
)

// group is the rows of one value that the split uses; there may be none.
type group struct {
	value           float64
	benign, attacks float64 // rows
}

func (g *group) count(attack bool) {
	if attack {
		g.attacks++
	} else {
		g.benign++
	}
}

// byShare puts each value in the place of its share of attacks.
func byShare(v []group) []group {
	out := slices.Clone(v)
	for i := range out {
		out[i].value = share(int(out[i].attacks), int(out[i].attacks+out[i].benign))
	}
	return out
}

// numbers takes the values as they are; missing ones come first.
func (a *auditor) numbers(c *data.Column, out *Column) []group {
	at := map[float64]int{}
	var v []group
	last, k := math.NaN(), 0
	for i, x := range c.Num {
		switch {
		case x != x:
			out.Missing++
			x = math.Inf(-1)
		case x < 0:
			out.Negative++
		}
		if len(v) > manyValues {
			continue // what is missing and negative is still counted
		}
		if x != last {
			known := false
			if k, known = at[x]; !known {
				k = len(v)
				at[x] = k
				v = append(v, group{value: x})
			}
			last = x
		}
		if a.in[i] {
			v[k].count(a.t.Attack[i])
		}
	}
	if len(v) > manyValues {
		v = a.sorted(c)
	}
	out.Distinct = len(v)
	return v
}

// sorted is numbers of a column that has many.
func (a *auditor) sorted(c *data.Column) (v []group) {
	type row struct {
		value      float64
		in, attack bool
	}
	rows := make([]row, len(c.Num))
	for i, x := range c.Num {
		if x != x {
			x = math.Inf(-1)
		}
		rows[i] = row{x, a.in[i], a.t.Attack[i]}
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(x.value, y.value) })
	for i, r := range rows {
		if i == 0 || r.value != rows[i-1].value {
			v = append(v, group{value: r.value})
		}
		if r.in {
			v[len(v)-1].count(r.attack)
		}
	}
	return v
}

// levels puts each level in the place of its share of attacks, as a classifier would that learnt nothing
// but the column.
func (a *auditor) levels(c *data.Column, out *Column) []group {
	v := make([]group, len(c.Levels)+1) // the last one: missing
	for i, k := range c.Code {
		if k == data.Missing {
			out.Missing++
			k = uint32(len(c.Levels))
		}
		if a.in[i] {
			v[k].count(a.t.Attack[i])
		}
	}
	for _, g := range v {
		if g.benign+g.attacks > 0 {
			out.Distinct++
		}
	}
	return byShare(v)
}

// separation is the AUROC of values as a score, and the best balanced accuracy of one cut, each in
// the better direction. Both are ½ when one kind is absent. It sorts v.
func separation(v []group) (auroc, stump float64) {
	slices.SortFunc(v, func(x, y group) int { return cmp.Compare(x.value, y.value) })
	var attacks, benigns float64
	for _, g := range v {
		attacks += g.attacks
		benigns += g.benign
	}
	if attacks == 0 || benigns == 0 {
		return 0.5, 0.5
	}
	var below, wins, attacksBelow float64 // benign rows below; attacks below
	stump = 0.5
	for i := 0; i < len(v); {
		j, a, b := i, 0.0, 0.0
		for j < len(v) && v[j].value == v[i].value {
			a += v[j].attacks
			b += v[j].benign
			j++
		}
		wins += float64(a * (below + b/2))
		below += b
		attacksBelow += a
		cut := (below/benigns + 1 - attacksBelow/attacks) / 2
		stump = max(stump, cut, 1-cut)
		i = j
	}
	auroc = wins / attacks / benigns
	return max(auroc, 1-auroc), stump
}
