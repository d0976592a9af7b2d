package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/data"
)

// Smell is one of the six design smells of Flood, Engelen, Aspinall and Desmet (Bad design smells in benchmark NIDS
// datasets, EuroS&P 2024), as far as a table shows it. The names are theirs; the measures and the limits are not.
type Smell struct {
	Name  string `json:"name"`
	Found bool   `json:"found"`
	Text  string `json:"text"` // what was measured
}

// Limits of the smells.
const (
	wrongShare     = 0.001 // of rows that occur with both truths
	unclearShare   = 0.1   // of the rows of an attack class that occur in another class
	collapseShare  = 0.5   // of a class that is one row over and over
	diversityShare = 0.1   // of distinct rows among those of a class
	artificial     = 0.5   // of the distinct rows of a class that are told apart by one column alone
	dependent      = 0.99  // absolute rank correlation of two columns
	smellRows      = 100   // smaller classes are not looked at
	pairRows       = 5_000 // that correlations are taken from
)

// classRows is what the smells need to know of one class.
type classRows struct {
	name            string
	rows, distinct  int
	most, elsewhere int // rows of the commonest row; rows that occur in another class
}

// smells looks for the six. Identifiers, times and addresses are not looked at but for diversity that they alone make.
func (a *auditor) smells(rep *Report, ids map[string]bool) []Smell {
	bare := func(c *data.Column) bool {
		return (c.Type == data.Number || c.Type == data.Category) && !ids[c.Name]
	}
	hash := a.hashes(bare)
	classes := a.byClass(hash)
	var out []Smell
	add := func(name string, worst []string, found bool, text string) {
		if len(worst) > 0 {
			text += ": " + some(worst)
		}
		out = append(out, Smell{name, found, text})
	}
	over := func(value func(classRows) float64, limit float64, attacks bool) (names []string) {
		for k, c := range classes {
			if c.rows < smellRows || attacks && !rep.attack(c.name) {
				continue
			}
			if v := value(classes[k]); v > limit {
				names = append(names, fmt.Sprintf("%s (%s)", c.name, percent(v)))
			}
		}
		return names
	}
	conflicts := share(rep.Bare.Conflicts, rep.Rows)
	add("wrong labels", nil, conflicts > wrongShare,
		fmt.Sprintf("%s of the rows occur both as benign and as attacks", percent(conflicts)))
	unclear := over(func(c classRows) float64 { return share(c.elsewhere, c.rows) }, unclearShare, true)
	add("unclear ground truth", unclear, unclear != nil, fmt.Sprintf(
		"%d attack classes of which more than %s of the rows occur in another class", len(unclear), percent(unclearShare)))
	collapse := over(func(c classRows) float64 { return share(c.most, c.rows) }, collapseShare, true)
	add("traffic collapse", collapse, collapse != nil, fmt.Sprintf(
		"%d attack classes of which more than %s is one row over and over", len(collapse), percent(collapseShare)))
	poor := over(func(c classRows) float64 { return 1 - share(c.distinct, c.rows) }, 1-diversityShare, true)
	add("poor diversity", poor, poor != nil, fmt.Sprintf(
		"%d attack classes of which more than %s of the rows repeat another", len(poor), percent(1-diversityShare)))
	made := a.madeDiverse(classes, bare, rep)
	add("artificial diversity", made, made != nil, fmt.Sprintf(
		"%d attack classes whose rows differ mostly in one column", len(made)))
	pairs := a.dependentPairs(bare)
	alone := len(rep.Shortcuts())
	add("highly dependent features", pairs, pairs != nil || alone > 0, fmt.Sprintf(
		"%d columns alone tell attacks, %d pairs of columns rank rows alike", alone, len(pairs)))
	return out
}

func (r *Report) attack(class string) bool {
	return slices.ContainsFunc(r.Classes, func(c Class) bool { return c.Name == class && c.Attack })
}

// some is the first of a list, with how many there are beyond.
func some(names []string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:4], ", "), len(names)-4)
	}
	return strings.Join(names, ", ")
}

// hashes is a hash of each row over the chosen columns.
func (a *auditor) hashes(chosen func(*data.Column) bool) []uint64 {
	hash := make([]uint64, a.t.Rows)
	for i := range hash {
		hash[i] = 0x9e3779b97f4a7c15
	}
	for k := range a.t.Columns {
		if c := &a.t.Columns[k]; chosen(c) {
			for i := range hash {
				hash[i] = mix(hash[i] ^ bits(c, i))
			}
		}
	}
	return hash
}

// byClass counts what the rows of each class are.
func (a *auditor) byClass(hash []uint64) []classRows {
	out := make([]classRows, len(a.t.Classes))
	n := map[uint64]map[uint32]int{} // of a row's hash, by class
	for i, h := range hash {
		if !a.in[i] {
			continue
		}
		if n[h] == nil {
			n[h] = map[uint32]int{}
		}
		n[h][a.t.Class[i]]++
		out[a.t.Class[i]].rows++
	}
	for _, by := range n {
		for c, rows := range by {
			o := &out[c]
			o.distinct++
			o.most = max(o.most, rows)
			if len(by) > 1 {
				o.elsewhere += rows
			}
		}
	}
	for c := range out {
		out[c].name = a.t.Classes[c]
	}
	return out
}

// madeDiverse is the attack classes whose rows fall together when one column is left out, and the column: what a tool
// that draws one field at random leaves.
func (a *auditor) madeDiverse(classes []classRows, bare func(*data.Column) bool, rep *Report) (out []string) {
	for c, k := range classes {
		if k.rows < smellRows || !rep.attack(k.name) || share(k.distinct, k.rows) < diversityShare {
			continue
		}
		rows := a.sample(uint32(c), 1+k.rows/pairRows)
		// a row's hash is a sum over the columns, so that one of them can be taken out again
		whole, own := make([]uint64, len(rows)), make([][]uint64, len(a.t.Columns))
		for col := range a.t.Columns {
			column := &a.t.Columns[col]
			if !bare(column) {
				continue
			}
			own[col] = make([]uint64, len(rows))
			for n, i := range rows {
				own[col][n] = mix(mix(bits(column, i)) + uint64(col))
				whole[n] += own[col][n]
			}
		}
		all, worst, name := distinct(whole, nil), 1.0, ""
		for col, part := range own {
			if part == nil {
				continue
			}
			if s := share(distinct(whole, part), all); s < worst {
				worst, name = s, a.t.Columns[col].Name
			}
		}
		if worst < 1-artificial {
			out = append(out, fmt.Sprintf("%s (%s of its distinct rows, by %s)", k.name, percent(1-worst), name))
		}
	}
	return out
}

// sample is every step-th row of a class.
func (a *auditor) sample(class uint32, step int) (rows []int) {
	seen := 0
	for i, c := range a.t.Class {
		if a.in[i] && c == class {
			if seen++; seen%step == 0 {
				rows = append(rows, i)
			}
		}
	}
	return rows
}

// distinct is how many hashes there are when what one column adds is taken off them.
func distinct(whole, part []uint64) int {
	seen := make(map[uint64]struct{}, len(whole))
	for i, h := range whole {
		if part != nil {
			h -= part[i]
		}
		seen[h] = struct{}{}
	}
	return len(seen)
}

// dependentPairs is the pairs of numbers that rank rows alike, by Spearman's correlation over a sample.
func (a *auditor) dependentPairs(bare func(*data.Column) bool) (out []string) {
	step := 1 + a.t.Rows/pairRows
	type ranked struct {
		name string
		v    []float64
	}
	var columns []ranked
	for k := range a.t.Columns {
		c := &a.t.Columns[k]
		if c.Type != data.Number || !bare(c) {
			continue
		}
		var v []float64
		for i := 0; i < a.t.Rows; i += step {
			if x := c.Num[i]; x == x {
				v = append(v, x)
			} else {
				v = append(v, math.Inf(-1))
			}
		}
		if r := standardRanks(v); r != nil {
			columns = append(columns, ranked{c.Name, r})
		}
	}
	for i := range columns {
		for j := range i {
			sum := 0.0
			for k, x := range columns[i].v {
				sum += float64(x * columns[j].v[k])
			}
			if math.Abs(sum) > dependent {
				out = append(out, fmt.Sprintf("%s with %s (%.3f)", columns[j].name, columns[i].name, sum))
			}
		}
	}
	return out
}

// standardRanks is the mid-ranks less their mean, of length one; nil where all are equal.
func standardRanks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(v))
	sum := 0.0
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		mid := float64(i+j-1)/2 - float64(len(v)-1)/2
		for k := i; k < j; k++ {
			out[order[k]] = mid
		}
		sum += float64(mid * mid * float64(j-i))
		i = j
	}
	if sum == 0 {
		return nil
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}
