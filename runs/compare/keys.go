package compare

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/runs/record"
)

// Keys are what rows can be named by.
var Keys = []string{"label", "model", "input", "run"}

// rowKeys is what names a row unless the caller says otherwise.
var rowKeys = []string{"label", "run"}

func isRun(key string) bool { return key == "run" }

// keyOf is a member's values of keys.
func keyOf(m member, keys []string) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, valueOf(m, k))
	}
	return strings.Join(parts, "\x00")
}

func valueOf(m member, key string) string {
	switch key {
	case "label":
		return m.Label
	case "model":
		return m.Model
	case "input":
		return m.Input
	}
	return fmt.Sprint(m.run)
}

// rowName is what a row is called by its keys.
func rowName(m member, keys []string) string {
	var parts []string
	for _, k := range keys {
		if !isRun(k) {
			parts = append(parts, valueOf(m, k))
		}
	}
	if parts == nil {
		return "all"
	}
	return strings.Join(parts, ", ")
}

func resultsOf(members []member) []record.Result {
	out := make([]record.Result, len(members))
	for i, m := range members {
		out[i] = m.Result
	}
	return out
}

// joinWarnings is what the cells of a row differ in that is neither its name nor seed or fold: their mean is then of
// unlike things. Cells of one seed and fold that a row has twice are no further evidence.
func joinWarnings(row string, cells []member, names []string) (out []string) {
	for _, k := range []struct {
		name string
		of   func(m member) string
	}{
		{"label", func(m member) string { return m.Label }},
		{"model", func(m member) string { return m.Model }},
		{"run", func(m member) string { return names[m.run] }},
		{"input", func(m member) string { return m.Input }},
		{"columns", func(m member) string { return fmt.Sprint(m.Features) }},
	} {
		var values []string
		for _, m := range cells {
			if k.name == "columns" && m.Status != record.OK {
				continue // not known
			}
			if k.name == "columns" && m.Fold != cells[0].Fold {
				continue // folds are prepared each for itself
			}
			if v := k.of(m); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) > 1 {
			out = append(out, fmt.Sprintf("%s: its mean is over cells that differ in %s (%s)", row, k.name,
				strings.Join(values, ", ")))
		}
	}
	seen := map[string]int{}
	twice := 0
	for _, m := range cells {
		at := fmt.Sprintf("%d %s", m.Seed, m.Fold)
		if seen[at]++; seen[at] == 2 {
			twice++
		}
	}
	if twice > 0 {
		out = append(out, fmt.Sprintf("%s: %d seeds or folds are in its mean more than once", row, twice))
	}
	return out
}
