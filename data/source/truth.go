package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/data/rows"
)

// truthMaker fills in Attack, Class and Classes of a table.
type truthMaker struct {
	*labeler
	t        *data.Table
	labels   *rows.Texts
	classes  *rows.Texts         // nil: none
	outcomes []*outcome          // by label code, the last for missing labels
	ids      map[string]uint32   // of classes, by their names as written
	same     map[string]uint32   // of classes, by the form in which names are compared
	spelled  map[string][]string // other spellings of a class, by its first
	keep     []bool              // rows that stay; nil: all
	dropped  int                 // rows that the rules leave out
}

// judge turns the label and class columns into Attack, Class and Classes. It takes out the rows that the config's
// rules drop, and those without a label, which are unreadable rows.
func (b *intake) judge(t *data.Table, labels, classes *rows.Texts) error {
	j := newLabeler(b.config.Label)
	for _, o := range t.Origins {
		if _, all := j.file(o.Name); labels == nil && !all {
			return fmt.Errorf(
				"data: %s: %s: there is no label column, and no pattern of label.files fits the file", t.Name, o.Name)
		}
	}
	if labels == nil {
		labels = &rows.Texts{}
	}
	m := &truthMaker{
		labeler: j, t: t, labels: labels, classes: classes, ids: map[string]uint32{}, same: map[string]uint32{},
		spelled:  map[string][]string{},
		outcomes: make([]*outcome, len(labels.Levels)+1),
	}
	t.Attack, t.Class = make([]bool, b.Rows), make([]uint32, b.Rows)
	for k, o := range t.Origins {
		without, err := m.file(b, o)
		if err != nil {
			return err
		}
		if err := b.tooManyBad(o.Name, without+b.badIn[k], o.Rows+b.badIn[k]); without > 0 && err != nil {
			return err
		}
	}
	b.Warnings = append(b.Warnings, m.unused(countLevels(labels))...)
	b.notes = append(b.notes, m.spellings()...)
	if m.keep == nil {
		return nil
	}
	if m.dropped > 0 {
		b.notes = append(b.notes, fmt.Sprintf("%d of %d rows are left out by the label rules", m.dropped, b.Rows))
	}
	if t.Keep(m.keep); t.Rows == 0 {
		return fmt.Errorf("data: %s: the label rules leave no rows", t.Name)
	}
	return nil
}

// file tells the truth of the rows of one file, and how many of them have no label.
func (m *truthMaker) file(b *intake, o data.Origin) (without int, err error) {
	t, code := m.t, m.labels.Code
	classCode := code
	if m.classes != nil {
		classCode = m.classes.Code
	}
	whole, all := m.labeler.file(o.Name)
	for i := o.FirstRow; i < o.FirstRow+o.Rows; i++ {
		v, name := whole, whole.class
		var err error
		if !all {
			v, name, err = m.row(code[i], classCode[i])
		}
		switch {
		case errors.Is(err, errNoLabel):
			without++
			b.Bad(rows.BadRow{File: o.Name, Line: int(t.Lines[i]), Reason: err.Error()})
			m.leaveOut(i)
		case err != nil:
			return without, fmt.Errorf("data: %s: %s: %w", t.Name, t.Where(int32(i)), err)
		case v.drop:
			m.dropped++
			m.leaveOut(i)
		default:
			t.Attack[i], t.Class[i] = v.attack, m.class(name)
		}
	}
	return without, nil
}

// countLevels is how many rows have each text.
func countLevels(t *rows.Texts) []int {
	n := make([]int, len(t.Levels))
	for _, c := range t.Code {
		if c != data.Missing {
			n[c]++
		}
	}
	return n
}

// row is the outcome on a row by its label and class codes, and the name of its class.
func (m *truthMaker) row(code, classCode uint32) (v outcome, class string, err error) {
	at, text := int(code), ""
	if code == data.Missing {
		at = len(m.labels.Levels)
	} else {
		text = m.clean(m.labels.Levels[at])
	}
	if m.outcomes[at] == nil {
		w, err := m.label(text)
		if err != nil {
			return w, "", err
		}
		m.outcomes[at] = &w
	}
	v, class = *m.outcomes[at], text
	if v.class != "" {
		return v, v.class, nil
	}
	if m.classes != nil && classCode != data.Missing {
		if c := m.clean(m.classes.Levels[classCode]); c != "" && !m.noClass[SameLabel(c)] {
			class = c
		}
	}
	return v, class, nil
}

// class is the number of a class. Spellings that compare equal are one class, under the name of the first.
func (m *truthMaker) class(name string) uint32 {
	if id, ok := m.ids[name]; ok {
		return id
	}
	to := name
	if other, ok := m.rename[SameLabel(name)]; ok {
		to = other
	}
	key := SameLabel(to)
	id, known := m.same[key]
	if !known {
		id = uint32(len(m.t.Classes))
		m.same[key] = id
		m.t.Classes = append(m.t.Classes, to)
	} else if first := m.t.Classes[id]; to != first {
		m.spelled[first] = append(m.spelled[first], to)
	}
	m.ids[name] = id
	return id
}

func (m *truthMaker) leaveOut(row int) {
	if m.keep == nil {
		m.keep = slices.Repeat([]bool{true}, m.t.Rows)
	}
	m.keep[row] = false
}

// spellings says which classes are written in several ways.
func (m *truthMaker) spellings() (notes []string) {
	for _, first := range m.t.Classes {
		if others := m.spelled[first]; len(others) > 0 {
			slices.Sort(others)
			notes = append(notes, fmt.Sprintf("class %q is also written %s", first, quoted(slices.Compact(others))))
		}
	}
	return notes
}

// unused says which texts of the benign list no row has, and which labels there are, given the rows of each.
func (m *truthMaker) unused(rows []int) (warnings []string) {
	if len(m.rule.Benign) == 0 || len(m.labels.Levels) == 0 {
		return nil
	}
	seen := map[string]bool{}
	for k, n := range rows {
		seen[SameLabel(m.clean(m.labels.Levels[k]))] = n > 0
	}
	var absent []string
	for _, b := range m.rule.Benign {
		if !seen[SameLabel(b)] {
			absent = append(absent, b)
		}
	}
	if len(absent) < len(m.rule.Benign) { // one of several ways to write it is enough
		return nil
	}
	return []string{fmt.Sprintf("%s: label.benign is %s, which no row has; the labels are %s",
		m.t.Name, quoted(absent), m.counted(rows))}
}

// counted lists the labels with the most rows.
func (m *truthMaker) counted(rows []int) string {
	const shown = 10
	order := make([]int, len(rows))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return rows[b] - rows[a] })
	var list []string
	for _, k := range order[:min(shown, len(order))] {
		list = append(list, fmt.Sprintf("%q (%d rows)", m.clean(m.labels.Levels[k]), rows[k]))
	}
	if len(order) > shown {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}

// quoted lists texts in quotes.
func quoted(texts []string) string {
	list := make([]string, len(texts))
	for i, s := range texts {
		list[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(list, ", ")
}
