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
	v := a.numbers(c, &out)
	out.AUROC, out.Stump = separation(v)
	if out.Distinct <= fewValues {
		// attacks may have their own values in the middle of the range, as UNSW-NB15's times to live do
		auroc, stump := separation(byShare(v))
		out.AUROC, out.Stump = max(out.AUROC, auroc), max(out.Stump, stump)
	}
	return out
}

// fewValues is up to how many distinct numbers are looked at as levels too.
const fewValues = 64

// byShare puts each value in the place of its share of attacks.
func byShare(v []sample) []sample {
	n, attacks := map[float64]int{}, map[float64]int{}
	for _, s := range v {
		n[s.value]++
		if s.attack {
			attacks[s.value]++
		}
	}
	out := make([]sample, len(v))
	for i, s := range v {
		out[i] = sample{share(attacks[s.value], n[s.value]), s.attack}
	}
	return out
}

// sample is one row's value and truth.
type sample struct {
	value  float64
	attack bool
}

// numbers takes the values as they are; missing ones come first.
func (a *auditor) numbers(c *data.Column, out *Column) []sample {
	seen := map[float64]bool{}
	v := make([]sample, 0, len(c.Num))
	for i, x := range c.Num {
		switch {
		case x != x:
			out.Missing++
			x = math.Inf(-1)
		case x < 0:
			out.Negative++
		}
		seen[x] = true
		if a.in[i] {
			v = append(v, sample{x, a.t.Attack[i]})
		}
	}
	out.Distinct = len(seen)
	return v
}

// levels puts each level in the place of its share of attacks, as a classifier would that learnt nothing
// but the column.
func (a *auditor) levels(c *data.Column, out *Column) []sample {
	n, attacks := make([]int, len(c.Levels)+1), make([]int, len(c.Levels)+1)
	at := func(i int) int {
		if c.Code[i] == data.Missing {
			return len(c.Levels)
		}
		return int(c.Code[i])
	}
	for i := range c.Code {
		if c.Code[i] == data.Missing {
			out.Missing++
		}
		if a.in[i] {
			n[at(i)]++
			if a.t.Attack[i] {
				attacks[at(i)]++
			}
		}
	}
	for _, k := range n {
		if k > 0 {
			out.Distinct++
		}
	}
	var v []sample
	for i := range c.Code {
		if a.in[i] {
			v = append(v, sample{share(attacks[at(i)], n[at(i)]), a.t.Attack[i]})
		}
	}
	return v
}

// separation is the AUROC of values as a score, and the best balanced accuracy of one cut, each in
// the better direction. Both are ½ when one kind is absent.
func separation(v []sample) (auroc, stump float64) {
	slices.SortFunc(v, func(x, y sample) int { return cmp.Compare(x.value, y.value) })
	var attacks, benigns float64
	for _, s := range v {
		if s.attack {
			attacks++
		} else {
			benigns++
		}
	}
	if attacks == 0 || benigns == 0 {
		return 0.5, 0.5
	}
	var below, wins, attacksBelow float64 // benign samples below; attacks below
	stump = 0.5
	for i := 0; i < len(v); {
		j, a, b := i, 0.0, 0.0
		for j < len(v) && v[j].value == v[i].value {
			if v[j].attack {
				a++
			} else {
				b++
			}
			j++
		}
		wins += a * (below + b/2)
		below += b
		attacksBelow += a
		cut := (below/benigns + 1 - attacksBelow/attacks) / 2
		stump = max(stump, cut, 1-cut)
		i = j
	}
	auroc = wins / attacks / benigns
	return max(auroc, 1-auroc), stump
}
