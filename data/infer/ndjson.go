package infer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline/data/corpus"
	"plumbline/data/guess"
	"plumbline/data/ndjson"
)

// Bounds on what is taken for a table.
const (
	maxMembers = 10_000 // different members of a file's objects
	maxNesting = 50
)

// members are the columns of JSON objects, in order of first appearance.
type members struct {
	columns  []*guess.Column
	at       map[string]int
	infinite bool     // NaN or an infinite number occurs
	lists    []string // members that are lists, which no column can be
}

// inferNDJSON looks at the first objects of a file that has one a line.
func inferNDJSON(br *bufio.Reader, name string) ([]byte, error) {
	m := &members{at: map[string]int{}}
	in := ndjson.Lines(corpus.PastBOM(br))
	for rows, line := 0, 0; rows < inferRows; {
		raw, err := corpus.ReadLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("data: %s:%d: %w", name, line+1, err)
		}
		last := err != nil
		line++
		if text := bytes.TrimSpace(raw); len(text) > 0 {
			text, n := ndjson.WithoutNaN(text)
			m.infinite = m.infinite || n > 0
			err := m.object(text)
			if err != nil && (rows == 0 || len(m.columns) > maxMembers) { // reading counts the others
				return nil, fmt.Errorf("data: %s:%d: %w", name, line, err)
			}
			rows++
		}
		if last {
			break
		}
	}
	if format, events := monitorOf(m); format != "" {
		return writeMonitor(m, name, format, events)
	}
	m.columns = slices.DeleteFunc(m.columns, func(g *guess.Column) bool { return slices.Contains(m.lists, g.Name) })
	if len(m.columns) == 0 {
		return nil, fmt.Errorf("data: %s: the objects have no members that could be columns", name)
	}
	f := &findings{columns: m.columns, apart: true}
	f.decide()
	for _, c := range m.columns {
		c.Infinite = c.Infinite || m.infinite
	}
	var b strings.Builder
	writeHead(&b, name, "ndjson")
	is := f.writeTruth(&b, nil)
	b.WriteString("options:\n")
	is.writeReading(&b)
	if m.lists != nil {
		fmt.Fprintf(&b, "  # lists are not read: %s\n", listYAML(m.lists))
	}
	is.writeColumns(&b, m.columns)
	is.writeDefaults(&b)
	return []byte(b.String()), nil
}

// object takes the members of one object in.
func (m *members) object(text []byte) error {
	if !json.Valid(text) || text[0] != '{' {
		return errors.New("not a JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil {
		return err
	}
	return m.walk(dec, "", 1)
}

// walk goes through an object whose brace was read. The names of nested members are joined with dots.
func (m *members) walk(dec *json.Decoder, prefix string, depth int) error {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name := prefix + key.(string)
		value, err := dec.Token()
		if err != nil {
			return err
		}
		switch v := value.(type) {
		case json.Delim:
			if v == '{' && depth < maxNesting {
				if err := m.walk(dec, name+".", depth+1); err != nil {
					return err
				}
				continue
			}
			if err := skipValue(dec); err != nil {
				return err
			}
			if !slices.Contains(m.lists, name) {
				m.lists = append(m.lists, name)
			}
		case nil:
			m.value(name, "")
		case bool:
			m.value(name, map[bool]string{true: "1", false: "0"}[v])
		default:
			m.value(name, strings.TrimSpace(fmt.Sprint(v)))
		}
		if len(m.columns) > maxMembers || len(m.lists) > maxMembers {
			return fmt.Errorf("more than %d different members: not a table", maxMembers)
		}
	}
	_, err := dec.Token()
	return err
}

// skipValue passes over the rest of a list or object whose first bracket was read.
func skipValue(dec *json.Decoder) error {
	for depth := 1; depth > 0; {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}

func (m *members) value(name, text string) {
	if name == "" {
		return
	}
	i, ok := m.at[name]
	if !ok {
		i = len(m.columns)
		m.at[name] = i
		m.columns = append(m.columns, guess.New(name))
	}
	m.columns[i].Look(text)
}
