package data

import "slices"

// Only is a copy of the table that holds the given rows, ascending, and nothing of the others: categories, addresses
// and classes that no row of the copy has are not among its levels, and codes follow the order of first appearance
// there.
func (t *Table) Only(rows []int32) *Table {
	marked := make([]bool, t.Rows)
	for _, r := range rows {
		marked[r] = true
	}
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for i := range out.Columns {
		c := &out.Columns[i]
		c.Num, c.Code, c.Nanos = slices.Clone(c.Num), slices.Clone(c.Code), slices.Clone(c.Nanos)
	}
	out.Attack, out.Class, out.Lines = slices.Clone(t.Attack), slices.Clone(t.Class), slices.Clone(t.Lines)
	out.Parts, out.Origins = slices.Clone(t.Parts), slices.Clone(t.Origins)
	out.Keep(marked)
	for i := range out.Columns {
		if c := &out.Columns[i]; c.Code != nil {
			c.Levels = recode(c.Code, c.Levels)
		}
	}
	if out.Class != nil {
		out.Classes = recode(out.Class, out.Classes)
	}
	return &out
}

// recode numbers the codes anew in order of first appearance and returns the levels in that order.
func recode(codes []uint32, levels []string) (used []string) {
	now := make([]uint32, len(levels))
	for i := range now {
		now[i] = Missing
	}
	for i, c := range codes {
		if c == Missing {
			continue
		}
		if now[c] == Missing {
			now[c] = uint32(len(used))
			used = append(used, levels[c])
		}
		codes[i] = now[c]
	}
	return used
}
