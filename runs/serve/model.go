package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/value"
	"plumbline/runs/bundle"
)

// Model is a model as it is served. It does not change: a file that has changed becomes another Model.
type Model struct {
	*bundle.Bundle
	Name    string
	Version string // its hash: SHA-256 in hexadecimal digits
	Loaded  time.Time
	Metrics json.RawMessage // as the run wrote them; nil: it left none

	inputs  []column
	needs   int            // of the inputs; the others are those by which an alert is recognised, and may be left out
	at      map[string]int // input by name or alias
	folded  map[string]int // the same in lower case
	groups  map[string]bool
	times   value.Times
	read    *source.Config // how the data set's files are read
	derives bool
	alone   bool      // a record's score does not depend on the other records of its request
	usually []float32 // prepared row that reasons are held against; nil: not known
	prepped *prepared // nil: the model sees no matrix of rows
}

// column is a column that records bring.
type column struct {
	data.Field
	levels map[string]bool // known categories; nil: none are known
	sorted []string
	null   bool // may be missing
}

// prepared is what a row of the matrix is that a model of rows sees.
type prepared struct{ features []data.Feature }

// open reads a model.
func open(name, path string) (*Model, error) {
	b, err := bundle.Load(path)
	if err != nil {
		return nil, err
	}
	m := &Model{Bundle: b, Name: name, Version: b.Hash, Loaded: time.Now().UTC(), read: b.Config()}
	if m.Metrics, err = metricsOf(b); err != nil {
		return nil, fmt.Errorf("serve: %s: %w", path, err)
	}
	if m.Name == "" {
		m.Name = nameOf(b)
	}
	if err := m.takeInputs(); err != nil {
		return nil, fmt.Errorf("serve: %s: %w", path, err)
	}
	m.derives = len(m.read.Derive)+len(m.read.Repair) > 0
	rowwise := !slices.ContainsFunc(m.read.Derive, func(s derived) bool { return s.Expr == "" && len(s.Parts) == 0 })
	m.alone = rowwise && b.Info.Needs.Input == data.Vectors && !b.Info.Needs.Batch && len(b.Unit.Columns) == 0
	m.times = value.Times{Layouts: m.read.Layouts()}
	if b.Info.Needs.Input == data.Vectors && len(b.Unit.Columns) == 0 {
		m.prepped = &prepared{b.Pipeline.Features()}
	}
	m.usually = m.usualRow()
	return m, m.takeNulls()
}

// takeInputs lists the columns that records bring.
func (m *Model) takeInputs() error {
	needed := map[string]bundle.Column{}
	for _, c := range m.Needed() {
		needed[c.Name] = c
	}
	fields, err := m.read.Inputs(m.Columns, func(name string) bool { _, ok := needed[name]; return ok })
	if err != nil {
		return err
	}
	m.at, m.folded, m.groups = map[string]int{}, map[string]int{}, map[string]bool{}
	for _, f := range fields {
		in := column{Field: f, null: true}
		if c := needed[f.Name]; len(c.Levels) > 0 {
			in.levels, in.sorted = map[string]bool{}, c.Levels
			for _, l := range c.Levels {
				in.levels[l] = true
			}
		}
		m.at[f.Name] = len(m.inputs)
		m.inputs = append(m.inputs, in)
	}
	m.needs = len(m.inputs)
	for _, f := range m.Columns { // addresses and times, for alerts
		if _, ok := m.at[f.Name]; !ok && (f.Type == data.Address || f.Type == data.Time) {
			m.at[f.Name] = len(m.inputs)
			m.inputs = append(m.inputs, column{Field: f, null: true})
		}
	}
	for i, in := range m.inputs {
		for _, alias := range append([]string{in.Name}, m.read.Aliases[in.Name]...) {
			if _, taken := m.at[alias]; !taken {
				m.at[alias] = i
			}
			if _, taken := m.folded[strings.ToLower(alias)]; !taken {
				m.folded[strings.ToLower(alias)] = i
			}
			for k := range alias {
				if alias[k] == '.' {
					m.groups[alias[:k]] = true
				}
			}
		}
	}
	return nil
}

// takeNulls finds the number columns without which a row cannot be prepared.
func (m *Model) takeNulls() error {
	for i := range m.inputs[:m.needs] {
		if m.inputs[i].Type != data.Number {
			continue
		}
		c := newCollector(m)
		for k := range m.inputs {
			switch {
			case k == i:
				c.missing(k)
			case m.inputs[k].Type == data.Number:
				c.num[k] = append(c.num[k], 0)
			default:
				c.missing(k)
			}
		}
		c.n++
		t, err := c.table()
		if err != nil {
			return err
		}
		_, err = m.Pipeline.Apply(context.Background(), t, []int32{0}, 1)
		var of *prep.ValueError
		m.inputs[i].null = !errors.As(err, &of)
	}
	return nil
}

// find finds an input by the name that a record has for it.
func (m *Model) find(name string) (int, bool) {
	if i, ok := m.at[name]; ok {
		return i, true
	}
	i, ok := m.folded[strings.ToLower(name)]
	return i, ok
}

// findBytes is find for a name in bytes.
func (m *Model) findBytes(name []byte) (int, bool) {
	if i, ok := m.at[string(name)]; ok {
		return i, true
	}
	return m.find(string(name))
}

// context says what other records a score depends on.
func (m *Model) context() string {
	switch {
	case m.alone:
		return "none"
	case m.Info.Needs.Input == data.Traces:
		return "trace"
	}
	return "request"
}
