package export

import (
	"strings"

	"plumbline/data"
)

// Inert is the table with a single quote before every text that a spreadsheet program would run as a formula when it
// opens a CSV file: names, categories, classes and addresses that begin with =, +, -, @, a tab or a line end. It shares
// all else with t.
func Inert(t *data.Table) *data.Table {
	out := *t
	out.Columns = make([]data.Column, len(t.Columns))
	for i, c := range t.Columns {
		c.Name = inert(c.Name)
		c.Levels = inertAll(c.Levels)
		out.Columns[i] = c
	}
	out.Classes = inertAll(t.Classes)
	return &out
}

func inertAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = inert(s)
	}
	return out
}

func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
