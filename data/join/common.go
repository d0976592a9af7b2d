package join

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data"
)

// Common is the rows of two tables in the columns that both have, of one name and type: those of train, its own test
// part left out, as the training part, and those of test, or of its test part where it has one, as the test part. Both
// tables may be changed. dropped names the columns that one of them lacks.
func Common(name string, train, test *data.Table) (t *data.Table, dropped []string, err error) {
	if (train.Attack == nil) != (test.Attack == nil) {
		return nil, nil, errors.New("one of the two has labels, the other has none")
	}
	t = &data.Table{Name: name}
	var kept [][2]int
	for i, c := range train.Columns {
		k := slices.IndexFunc(test.Columns, func(o data.Column) bool { return o.Name == c.Name && o.Type == c.Type })
		if k < 0 {
			dropped = append(dropped, c.Name)
			continue
		}
		kept = append(kept, [2]int{i, k})
	}
	for _, c := range test.Columns {
		if !slices.ContainsFunc(kept, func(p [2]int) bool { return train.Columns[p[0]].Name == c.Name }) &&
			!slices.Contains(dropped, c.Name) {
			dropped = append(dropped, c.Name)
		}
	}
	if len(kept) == 0 {
		return nil, nil, fmt.Errorf("%s and %s have no column in common (those left out: %s)", train.Name, test.Name,
			Names(dropped))
	}
	if onlyPart(train, data.PartTrain); train.Rows == 0 {
		return nil, nil, fmt.Errorf("%s has no training part", train.Name)
	}
	if slices.Contains(test.Parts, data.PartTest) {
		onlyPart(test, data.PartTest)
	}
	t.Rows = train.Rows + test.Rows
	for _, p := range kept {
		t.Columns = append(t.Columns, stacked(&train.Columns[p[0]], &test.Columns[p[1]]))
	}
	t.Lines = append(train.Lines, test.Lines...)
	t.Parts = append(slices.Repeat([]data.Part{data.PartTrain}, train.Rows),
		slices.Repeat([]data.Part{data.PartTest}, test.Rows)...)
	for _, o := range train.Origins {
		o.Part = data.PartTrain
		t.Origins = append(t.Origins, o)
	}
	for _, o := range test.Origins {
		o.Part, o.FirstRow = data.PartTest, o.FirstRow+train.Rows
		t.Origins = append(t.Origins, o)
	}
	if train.Attack != nil {
		t.Attack = append(train.Attack, test.Attack...)
		t.Class, t.Classes = texts(train.Class, train.Classes, test.Class, test.Classes)
	}
	return t, dropped, nil
}

// Names lists the first of many names, for messages.
func Names(names []string) string {
	const shown = 12
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// onlyPart takes the rows of the other part out.
func onlyPart(t *data.Table, part data.Part) {
	if !slices.ContainsFunc(t.Parts, func(p data.Part) bool { return p != part }) {
		return
	}
	keep := make([]bool, t.Rows)
	for i, p := range t.Parts {
		keep[i] = p == part
	}
	t.Keep(keep)
}

// stacked is one column over the other.
func stacked(a, b *data.Column) data.Column {
	c := data.Column{Name: a.Name, Type: a.Type}
	switch a.Type {
	case data.Number:
		c.Num = append(a.Num, b.Num...)
	case data.Time:
		c.Nanos = append(a.Nanos, b.Nanos...)
	default:
		c.Code, c.Levels = texts(a.Code, a.Levels, b.Code, b.Levels)
	}
	return c
}

// texts joins codes, those of b made those of equal levels of a.
func texts(a []uint32, levels []string, b []uint32, more []string) ([]uint32, []string) {
	at := make(map[string]uint32, len(levels))
	for i, l := range levels {
		at[l] = uint32(i)
	}
	to := make([]uint32, len(more))
	for i, l := range more {
		id, ok := at[l]
		if !ok {
			id = uint32(len(levels))
			levels = append(levels, l)
			at[l] = id
		}
		to[i] = id
	}
	for _, v := range b {
		if v != data.Missing {
			v = to[v]
		}
		a = append(a, v)
	}
	return a, levels
}
