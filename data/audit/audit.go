package audit

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/data/derive"
	"plumbline/data/split"
)

// Report is what was found. Shares are between 0 and 1; a share of nothing is 0.
type Report struct {
	Data string `json:"data"`
	// Unlabelled says that the table has no labels: classes, splits and what a column tells are then not looked at.
	Unlabelled bool    `json:"unlabelled,omitempty"`
	Rows       int     `json:"rows"`
	Train      int     `json:"train"` // training and held-out rows
	Test       int     `json:"test"`
	BaseRate   float64 `json:"base_rate"` // share of attacks among the test rows
	Classes    []Class `json:"classes"`
	Whole      Repeats `json:"rows_repeated"`     // over all columns and the class
	Features   Repeats `json:"features_repeated"` // over the columns that are neither times nor addresses
	// Bare is the same without Identifiers too: columns whose values name rows or count them.
	Bare        Repeats  `json:"repeated_without_identifiers"`
	Identifiers []string `json:"identifiers,omitempty"`
	Groups      []Group  `json:"groups,omitempty"`
	Columns     []Column `json:"columns"`
	// Disordered is the number of rows that are earlier than the row before, by time column.
	Disordered map[string]int `json:"disordered,omitempty"`
	Wrong      []Wrong        `json:"wrong,omitempty"`
	Smells     []Smell        `json:"smells,omitempty"`
	Drift      *Drift         `json:"drift,omitempty"` // of the benign rows over time
	Findings   []Finding      `json:"findings"`
}

// Wrong is values that cannot be right, by the name that the data config's repair has for the error.
type Wrong struct {
	Error   string   `json:"error"`
	Columns []string `json:"columns"`
	Rows    int      `json:"rows"`
	First   string   `json:"first"` // file:line
}

// Class is one class and how its rows fall.
type Class struct {
	Name   string `json:"name"`
	Attack bool   `json:"attack"`
	Train  int    `json:"train"`
	Test   int    `json:"test"`
}

// Repeats counts rows whose values occur before.
type Repeats struct {
	All       int `json:"all"`           // rows that repeat an earlier one
	Train     int `json:"train"`         // the same among the training rows
	TrainOK   int `json:"train_benign"`  // the same among the benign training rows
	Test      int `json:"test"`          // the same among the test rows
	Across    int `json:"test_in_train"` // test rows whose values occur in a training row
	AcrossOK  int `json:"test_benign_in_train"`
	Conflicts int `json:"conflicts"` // rows whose values occur with the other truth as well
}

// Group is how entities fall to the two sides of the split.
type Group struct {
	Columns []string `json:"columns"`
	Groups  int      `json:"groups"`
	Both    int      `json:"both"`      // groups with rows on both sides
	TestIn  int      `json:"test_rows"` // test rows whose group has training rows
}

// Column is one feature and what it alone tells.
type Column struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Distinct int     `json:"distinct"`
	Missing  int     `json:"missing"`
	Negative int     `json:"negative,omitempty"`
	AUROC    float64 `json:"auroc"` // of the column as a score over all rows, whichever direction is better; categories by their levels' share of attacks
	// Beyond is, of a column that has one value in the benign training rows, how many test rows have another.
	Beyond int     `json:"test_beyond_training,omitempty"`
	Stump  float64 `json:"stump"` // best balanced accuracy of one cut
}

// Finding is something that a reader of results should know.
type Finding struct {
	// duplicates, overlap, conflicts, groups, shortcut, constant, identifier, time, drift, wrong, small_class, one_class
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Limits above which something is a finding.
const (
	repeatShare   = 0.05
	shortcutAUROC = 0.95
	leakAUROC     = 0.999
	smallClass    = 30
)

// Table audits a table under a split; one without labels as [Unlabelled] does.
func Table(ctx context.Context, t *data.Table, sp *split.Split) (*Report, error) {
	if t.Attack == nil {
		return Unlabelled(ctx, t, sp)
	}
	a := &auditor{t: t, test: make([]bool, t.Rows), in: make([]bool, t.Rows)}
	a.split(sp)
	rep := &Report{Data: t.Name, Rows: t.Rows, Train: len(sp.Train) + len(sp.Valid), Test: len(sp.Test)}
	a.classes(rep)
	rep.Whole = a.repeats(func(c *data.Column) bool { return true }, true)
	rep.Features = a.repeats(
		func(c *data.Column) bool { return c.Type == data.Number || c.Type == data.Category },
		false,
	)
	if err := a.groups(rep); err != nil {
		return nil, err
	}
	if err := a.columns(ctx, rep); err != nil {
		return nil, err
	}
	a.withoutIdentifiers(rep)
	for _, w := range derive.Find(t) {
		rep.Wrong = append(rep.Wrong, Wrong{w.Repair.Error, w.Repair.Columns, w.Rows, t.Where(w.First)})
	}
	rep.findAll()
	return rep, nil
}

// withoutIdentifiers counts repeats over what describes rows rather than names them, and looks for the smells and for
// what changes over time there.
func (a *auditor) withoutIdentifiers(rep *Report) {
	ids := map[string]bool{}
	for _, c := range rep.Columns {
		if c.identifies(rep.Rows, a.t) {
			ids[c.Name] = true
			rep.Identifiers = append(rep.Identifiers, c.Name)
		}
	}
	rep.Bare = rep.Features
	if len(ids) > 0 {
		rep.Bare = a.repeats(func(c *data.Column) bool {
			return (c.Type == data.Number || c.Type == data.Category) && !ids[c.Name]
		}, false)
	}
	rep.Smells, rep.Drift = a.smells(rep, ids), a.drift(ids)
}

// identifies says whether a column names rows: a category with more values than half of the rows, or whole numbers that
// are all different.
func (c *Column) identifies(rows int, t *data.Table) bool {
	switch {
	case c.Distinct <= 100 || share(c.Distinct, rows) <= 0.5:
		return false
	case c.Type == data.Category.String():
		return true
	case c.Type != data.Number.String() || share(c.Distinct, rows) < 0.99:
		return false
	}
	col, err := t.Column(c.Name)
	if err != nil {
		return false
	}
	for _, v := range col.Num {
		if v == v && v != math.Trunc(v) {
			return false
		}
	}
	return true
}

// columns describes each column of the table, times by their order alone.
func (a *auditor) columns(ctx context.Context, rep *Report) error {
	for i := range a.t.Columns {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		c := &a.t.Columns[i]
		if c.Type == data.Time {
			a.order(rep, c)
			continue
		}
		col := a.column(c)
		col.Beyond = a.beyond(c)
		rep.Columns = append(rep.Columns, col)
	}
	return nil
}

// Unlabelled audits what needs no labels: repeated rows, what columns hold, the order of times, values that cannot be
// right; and of a split that is not nil, test rows that occur in training and columns that vary in test alone.
func Unlabelled(ctx context.Context, t *data.Table, sp *split.Split) (*Report, error) {
	u := *t
	u.Attack, u.Class, u.Classes = make([]bool, t.Rows), make([]uint32, t.Rows), []string{"-"}
	a := &auditor{t: &u, test: make([]bool, t.Rows), in: make([]bool, t.Rows)}
	rep := &Report{Data: t.Name, Rows: t.Rows, Train: t.Rows, Unlabelled: true}
	if sp != nil {
		a.split(sp)
		rep.Train, rep.Test = len(sp.Train)+len(sp.Valid), len(sp.Test)
		if err := a.groups(rep); err != nil {
			return nil, err
		}
	} else {
		for i := range a.in {
			a.in[i] = true
		}
	}
	rep.Whole = a.repeats(func(c *data.Column) bool { return true }, false)
	rep.Features = a.repeats(
		func(c *data.Column) bool { return c.Type == data.Number || c.Type == data.Category },
		false,
	)
	if err := a.columns(ctx, rep); err != nil {
		return nil, err
	}
	for i := range rep.Columns { // nothing gives a label away where there is none
		rep.Columns[i].AUROC, rep.Columns[i].Stump = 0, 0
	}
	for _, w := range derive.Find(t) {
		rep.Wrong = append(rep.Wrong, Wrong{w.Repair.Error, w.Repair.Columns, w.Rows, t.Where(w.First)})
	}
	rep.findAll()
	return rep, nil
}

// beyond counts the test rows whose value is another than the one that all benign training rows have; 0 where those
// have several.
func (a *auditor) beyond(c *data.Column) (n int) {
	first := -1
	for i := range a.t.Rows {
		if !a.in[i] || a.test[i] || a.t.Attack[i] {
			continue
		}
		if first < 0 {
			first = i
		} else if bits(c, i) != bits(c, first) {
			return 0
		}
	}
	if first < 0 {
		return 0
	}
	for i := range a.t.Rows {
		if a.test[i] && bits(c, i) != bits(c, first) {
			n++
		}
	}
	return n
}

// auditor is an audit in progress.
type auditor struct {
	t        *data.Table
	in, test []bool // by row: used at all, in test
}

func (a *auditor) split(sp *split.Split) {
	for _, rows := range [][]int32{sp.Train, sp.Valid, sp.Test} {
		for _, r := range rows {
			a.in[r] = true
		}
	}
	for _, r := range sp.Test {
		a.test[r] = true
	}
}

func (a *auditor) classes(rep *Report) {
	byClass := make([]Class, len(a.t.Classes))
	attacks := 0
	for i, k := range a.t.Class {
		c := &byClass[k]
		c.Name, c.Attack = a.t.Classes[k], a.t.Attack[i]
		switch {
		case a.test[i]:
			c.Test++
			if a.t.Attack[i] {
				attacks++
			}
		case a.in[i]:
			c.Train++
		}
	}
	slices.SortFunc(byClass, func(x, y Class) int { return (y.Train + y.Test) - (x.Train + x.Test) })
	rep.Classes = byClass
	rep.BaseRate = share(attacks, rep.Test)
}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// repeats counts repeated rows over the chosen columns, and the class where asked for, by a 64-bit hash of
// their values.
func (a *auditor) repeats(chosen func(*data.Column) bool, class bool) (r Repeats) {
	hash := a.hashes(chosen)
	if class {
		for i := range hash {
			hash[i] = mix(hash[i] ^ uint64(a.t.Class[i]+1))
		}
	}
	type seen struct{ train, trainOK, test, benign, attack bool }
	all := map[uint64]seen{} // not of the table's size: many tables hold the same few rows over and over
	for i, h := range hash {
		s, again := all[h]
		if again {
			r.All++
		}
		if a.t.Attack[i] {
			s.attack = true
		} else {
			s.benign = true
		}
		switch {
		case a.test[i]:
			if s.test {
				r.Test++
			}
			s.test = true
		case a.in[i]:
			if s.train {
				r.Train++
			}
			s.train = true
			if !a.t.Attack[i] {
				if s.trainOK {
					r.TrainOK++
				}
				s.trainOK = true
			}
		}
		all[h] = s
	}
	for i, h := range hash {
		s := all[h]
		if s.benign && s.attack {
			r.Conflicts++
		}
		if a.test[i] && s.train {
			r.Across++
			if !a.t.Attack[i] {
				r.AcrossOK++
			}
		}
	}
	return r
}

func bits(c *data.Column, i int) uint64 {
	switch {
	case c.Num != nil:
		v := c.Num[i]
		if v == 0 {
			v = 0 // one zero
		}
		if v != v {
			return 0x7ff8dead
		}
		return math.Float64bits(v)
	case c.Nanos != nil:
		return uint64(c.Nanos[i])
	}
	return uint64(c.Code[i]) + 1
}

// mix is the finaliser of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// groups looks at the first address column (hosts) and at the first two (connections).
func (a *auditor) groups(rep *Report) error {
	var addresses []string
	for i := range a.t.Columns {
		if a.t.Columns[i].Type == data.Address {
			addresses = append(addresses, a.t.Columns[i].Name)
		}
	}
	for n := 1; n <= min(2, len(addresses)); n++ {
		group, names, err := a.t.Groups(addresses[:n])
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		train, test := make([]bool, len(names)), make([]bool, len(names))
		for i, g := range group {
			switch {
			case a.test[i]:
				test[g] = true
			case a.in[i]:
				train[g] = true
			}
		}
		g := Group{Columns: addresses[:n], Groups: len(names)}
		for k := range names {
			if train[k] && test[k] {
				g.Both++
			}
		}
		for i, k := range group {
			if a.test[i] && train[k] {
				g.TestIn++
			}
		}
		rep.Groups = append(rep.Groups, g)
	}
	return nil
}

// order counts rows that are earlier than the row before them in their file.
func (a *auditor) order(rep *Report, c *data.Column) {
	n := 0
	for _, o := range a.t.Origins {
		for i := o.FirstRow + 1; i < o.FirstRow+o.Rows; i++ {
			if c.Nanos[i] < c.Nanos[i-1] {
				n++
			}
		}
	}
	if rep.Disordered == nil {
		rep.Disordered = map[string]int{}
	}
	rep.Disordered[c.Name] = n
}
