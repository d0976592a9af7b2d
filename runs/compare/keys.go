package compare

import (
	"fmt"
	"path/filepath"
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
func joinWarnings(row string, cells []member, names []string, records []*record.Record) (out []string) {
	settings := settingsOf(cells, records)
	inFold := func(m member) bool { return m.Status == record.OK && m.Fold == cells[0].Fold }
	for _, k := range []struct {
		name string
		of   func(m member) string
	}{
		{"label", func(m member) string { return m.Label }},
		{"model", func(m member) string { return m.Model }},
		{"run", func(m member) string { return names[m.run] }},
		{"input", func(m member) string { return m.Input }},
		{"settings", func(m member) string { return settings[from{m.run, m.Label}] }},
		// of cells that failed these are not known, and folds have their own
		{"columns", func(m member) string {
			if !inFold(m) {
				return ""
			}
			return fmt.Sprint(m.Features)
		}},
		{"training rows", func(m member) string {
			if !inFold(m) || m.TrainSHA256 == "" {
				return ""
			}
			return fmt.Sprintf("%d of sha256 %.8s…", m.Train, m.TrainSHA256)
		}},
	} {
		var values []string
		for _, m := range cells {
			if v := k.of(m); v != "" && !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		between := ", "
		if k.name == "settings" {
			between = "; "
		}
		if len(values) > 1 {
			out = append(out, fmt.Sprintf("%s: its mean is over cells that differ in %s (%s)", row, k.name,
				strings.Join(values, between)))
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
	switch {
	case twice == 1:
		out = append(out, row+": one seed or fold is in its mean more than once")
	case twice > 1:
		out = append(out, fmt.Sprintf("%s: %d seeds or folds are in its mean more than once", row, twice))
	}
	return out
}

// from is where cells of one model with one group of settings come from.
type from struct {
	run   int
	label string
}

// settingsOf is what the settings of a row's cells differ in, where it joins cells of several runs or labels: of each
// run and label the lines of spec.yaml that not all have. "" of those whose settings are not known.
func settingsOf(cells []member, records []*record.Record) map[from]string {
	first := map[from]*member{}
	for i := range cells {
		m := &cells[i]
		if k := (from{m.run, m.Label}); first[k] == nil && m.Status == record.OK {
			first[k] = m
		}
	}
	out := map[from]string{}
	if len(first) < 2 {
		return out
	}
	lines, have := map[from][]string{}, map[string]int{}
	for k, m := range first {
		raw, err := record.ReadFile(filepath.Join(records[k.run].Dir, filepath.FromSlash(m.Cell), "spec.yaml"), 1<<20)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			named := strings.HasPrefix(line, "label:") || strings.HasPrefix(line, "model:")
			if !named && !slices.Contains(lines[k], line) {
				lines[k] = append(lines[k], line)
				have[line]++
			}
		}
	}
	for k, of := range lines {
		own := slices.DeleteFunc(of, func(line string) bool { return have[line] == len(lines) })
		if len(own) > maxLines {
			own = append(own[:maxLines], "…")
		}
		if out[k] = strings.Join(own, ", "); len(own) == 0 && len(have) > len(of) {
			out[k] = "without these"
		}
	}
	return out
}

// maxLines is how many settings of a model a warning names.
const maxLines = 6
