package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/eval"
)

// Unit is what is judged: every flow, or the entities that columns name. Vector and trace models meet on
// it in one table.
type Unit struct {
	Name    string   // flow, host or connection; empty when Columns say it
	Columns []string // columns that name an entity
}

var unitNames = []string{"flow", "host", "connection"}

// Forms are a name, or columns.
func (*Unit) Forms() []settings.Form {
	return []settings.Form{{Texts: []string{"flow", "host", "connection"}}, {List: &settings.Form{}}}
}

// UnmarshalSettings takes a name or a list of columns.
func (u *Unit) UnmarshalSettings(d settings.Node) settings.Problems {
	*u = Unit{}
	if name, ok := d.Scalar(); ok {
		u.Name = name
		for _, n := range unitNames {
			if u.Name == n {
				return nil
			}
		}
		return settings.Problems{d.Problem("unknown unit %q%s; a list of columns names any other", u.Name,
			settings.DidYouMean(u.Name, unitNames))}
	}
	ps := d.Decode(&u.Columns)
	if len(ps) == 0 && len(u.Columns) == 0 {
		ps = append(ps, d.Problem("no columns"))
	}
	return ps
}

// MarshalYAML is the form that UnmarshalSettings reads.
func (u Unit) MarshalYAML() (any, error) {
	if u.Name != "" {
		return u.Name, nil
	}
	return u.Columns, nil
}

// String names the unit in tables.
func (u Unit) String() string {
	if u.Name != "" {
		return u.Name
	}
	return fmt.Sprint(u.Columns)
}

// Resolve is the columns that name an entity in a table of these columns; nil for flows. A host is the first address
// column, a connection the first two.
func (u Unit) Resolve(table string, schema []data.Field) ([]string, error) {
	want := map[string]int{"flow": 0, "host": 1, "connection": 2}[u.Name]
	if u.Name == "" {
		return u.Columns, nil
	}
	var out []string
	for _, f := range schema {
		if f.Type == data.Address && len(out) < want {
			out = append(out, f.Name)
		}
	}
	if len(out) < want {
		return nil, fmt.Errorf("runs: unit %s: %s has %d address columns, needs %d", u.Name, table, len(out), want)
	}
	return out, nil
}

// Units is the entities among some rows of a table.
type Units struct {
	Rows  []int32 // of the table, ascending
	Unit  []int32 // of rows[i]
	Keys  []string
	First []int32 // a row of each unit: its first attack, or its first row
	// Time is when each flow began, and Source which address it came from, by the table's first columns of these types;
	// nil for other units and where there is no such column.
	Time   []int64
	Source []int32
	Truth  eval.Truth // empty for a table without labels
}

// Units groups rows. A unit is an attack when any of its rows is; of a table without labels there is no truth.
func (u Unit) Units(t *data.Table, rows []int32) (*Units, error) {
	columns, err := u.Resolve(t.Name, t.Schema())
	if err != nil {
		return nil, err
	}
	us := &Units{Rows: rows, Unit: make([]int32, len(rows)), Truth: eval.Truth{Names: t.Classes}}
	var group []int32
	var names []string
	if columns != nil {
		if group, names, err = t.Groups(columns); err != nil {
			return nil, fmt.Errorf("runs: unit %s: %w", u, err)
		}
	}
	seen := map[int32]int32{}
	for i, r := range rows {
		id := int32(i)
		known := false
		if columns != nil {
			if id, known = seen[group[r]]; !known {
				id = int32(len(us.First))
				seen[group[r]] = id
				us.Keys = append(us.Keys, names[group[r]])
			}
		}
		us.Unit[i] = id
		switch {
		case !known && t.Attack == nil:
			us.First = append(us.First, r)
		case !known:
			us.First = append(us.First, r)
			us.Truth.Attack = append(us.Truth.Attack, t.Attack[r])
			us.Truth.Class = append(us.Truth.Class, t.Class[r])
		case t.Attack != nil && t.Attack[r] && !us.Truth.Attack[id]:
			us.First[id], us.Truth.Attack[id], us.Truth.Class[id] = r, true, t.Class[r]
		}
	}
	if columns == nil {
		us.place(t)
	}
	return us, nil
}

// place notes when and where from the flows came.
func (us *Units) place(t *data.Table) {
	for i := range t.Columns {
		c := &t.Columns[i]
		switch {
		case c.Len() < t.Rows: // a broken table: who reads the column says so
		case c.Type == data.Time && us.Time == nil:
			us.Time = make([]int64, len(us.First))
			for k, r := range us.First {
				us.Time[k] = c.Nanos[r]
			}
		case c.Type == data.Address && us.Source == nil:
			us.Source = make([]int32, len(us.First))
			for k, r := range us.First {
				us.Source[k] = int32(c.Code[r])
			}
		}
	}
}

// Aggregate is how the scores of windows become those of their flows, and those of flows that of a unit.
type Aggregate struct {
	// score of a flow from those of the windows that hold it; last: of the window that ends with it
	Flow string `yaml:"flow" jsonschema:"enum=max,enum=mean,enum=last"`
	// score of a unit from those of its flows; share: how many of them are above a limit
	Unit string `yaml:"unit" jsonschema:"enum=max,enum=mean,enum=last,enum=share"`
	// share: the limit is this quantile of the flows that thresholds are fitted to
	Above float64 `yaml:"above" jsonschema:"minimum=0,maximum=1"`
}

// Forms are one rule for flows and units, or a map.
func (*Aggregate) Forms() []settings.Form {
	type plain Aggregate
	return []settings.Form{{Texts: []string{"max", "mean", "last"}}, {Keys: plain{}}}
}

// UnmarshalSettings takes a name for both, or a map.
func (a *Aggregate) UnmarshalSettings(d settings.Node) settings.Problems {
	type plain Aggregate
	p := plain{Flow: "max", Unit: "max", Above: 0.95}
	if name, ok := d.Scalar(); ok {
		if rules := []string{"max", "mean", "last"}; !slices.Contains(rules, name) {
			return settings.Problems{d.Problem("aggregate %q is not one of %s%s; a map {flow, unit, above} says more",
				name, strings.Join(rules, ", "), settings.DidYouMean(name, rules))}
		}
		p.Flow, p.Unit = name, name
		*a = Aggregate(p).normal()
		return nil
	}
	ps := d.Decode(&p)
	*a = Aggregate(p).normal()
	return ps
}

// normal is the rule without a limit that has no effect.
func (a Aggregate) normal() Aggregate {
	if a.Unit != "share" {
		a.Above = 0
	}
	return a
}

// MarshalYAML is the shortest form that UnmarshalSettings reads.
func (a Aggregate) MarshalYAML() (any, error) {
	if a.Flow == a.Unit {
		return a.Flow, nil
	}
	out := map[string]any{"flow": a.Flow, "unit": a.Unit}
	if a.Unit == "share" {
		out["above"] = a.Above
	}
	return out, nil
}

// Flows brings the scores of a set's samples to the rows that they are made of. With last, a window counts for
// its last row only; rows that no window ends at take the first window that holds them.
func (us *Units) Flows(s *data.Set, scores []float64, rule string) ([]float64, error) {
	perRow := scores
	if s.Kind == data.Traces {
		perRow = us.rowScores(s, scores, rule)
	}
	for i, v := range perRow {
		if math.IsNaN(v) {
			return nil, fmt.Errorf("runs: table row %d is in no trace", us.Rows[i])
		}
	}
	return perRow, nil
}

// Gather brings the scores of rows to the units. With share, that of a unit is how many of its rows are above limit.
func (us *Units) Gather(perRow []float64, rule string, limit float64) []float64 {
	if rule == "share" {
		over := make([]float64, len(perRow))
		for i, v := range perRow {
			if v > limit {
				over[i] = 1
			}
		}
		perRow, rule = over, "mean"
	}
	if us.Keys == nil {
		return perRow
	}
	out := newAggregate(len(us.First), rule)
	for i, v := range perRow {
		out.add(us.Unit[i], v)
	}
	return out.values()
}

// rowScores brings the scores of windows to their rows; NaN for a row in none.
func (us *Units) rowScores(s *data.Set, scores []float64, rule string) []float64 {
	at := make(map[int32]int32, len(us.Rows))
	for i, r := range us.Rows {
		at[r] = int32(i)
	}
	out := newAggregate(len(us.Rows), rule)
	for k := range s.Traces {
		rows := s.Traces[k].Rows
		if rule == "last" {
			if i, ok := at[rows[len(rows)-1]]; ok {
				out.add(i, scores[k])
			}
			continue
		}
		for _, r := range rows {
			if i, ok := at[r]; ok {
				out.add(i, scores[k])
			}
		}
	}
	if rule == "last" {
		for k := range s.Traces {
			for _, r := range s.Traces[k].Rows {
				if i, ok := at[r]; ok && out.n[i] == 0 {
					out.add(i, scores[k])
				}
			}
		}
	}
	return out.values()
}

// NearAttack says which units share a window with a unit that is an attack; nil where samples are no windows.
func (us *Units) NearAttack(s *data.Set) []bool {
	if s.Kind != data.Traces {
		return nil
	}
	unit := make(map[int32]int32, len(us.Rows))
	for i, r := range us.Rows {
		unit[r] = us.Unit[i]
	}
	near := make([]bool, len(us.First))
	for k := range s.Traces {
		attacked := slices.ContainsFunc(s.Traces[k].Rows, func(r int32) bool {
			u, ok := unit[r]
			return ok && us.Truth.Attack[u]
		})
		if !attacked {
			continue
		}
		for _, r := range s.Traces[k].Rows {
			if u, ok := unit[r]; ok {
				near[u] = true
			}
		}
	}
	return near
}

// aggregate joins several scores into one.
type aggregate struct {
	rule string
	v    []float64
	n    []int32
}

func newAggregate(n int, rule string) *aggregate {
	return &aggregate{rule, make([]float64, n), make([]int32, n)}
}

func (a *aggregate) add(i int32, score float64) {
	switch {
	case a.rule == "mean":
		a.v[i] += score
	case a.n[i] == 0, a.rule == "last", score > a.v[i]:
		a.v[i] = score
	}
	a.n[i]++
}

// values is the joined scores, NaN where there were none.
func (a *aggregate) values() []float64 {
	for i, n := range a.n {
		switch {
		case n == 0:
			a.v[i] = math.NaN()
		case a.rule == "mean":
			a.v[i] /= float64(n)
		}
	}
	return a.v
}
