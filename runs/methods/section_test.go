package methods

import (
	"fmt"
	"strings"
	"testing"
)

// TestTablesFitPages: a table of many rows, or of rows with long texts, goes on in another, with its head again, and no
// row is lost or doubled.
func TestTablesFitPages(t *testing.T) {
	long := strings.Repeat("setting 0.25; ", 40)
	for name, test := range map[string]struct {
		rows, wide int
		text       string
		tables     int
	}{
		"no row":        {0, -1, "x", 1},
		"a page":        {pageLines, -1, "x", 1},
		"one more":      {pageLines + 1, -1, "x", 2},
		"many":          {5 * pageLines, -1, "x", 5},
		"long texts":    {9, 1, long, 5},                    // two of fifteen lines a page
		"one long text": {1, 1, strings.Repeat(long, 9), 1}, // cannot be broken
		"short in wide": {pageLines, 1, "x", 1},
	} {
		rows := [][]string{{"name", "what"}}
		for i := range test.rows {
			rows = append(rows, []string{fmt.Sprintf("r%d.", i), test.text})
		}
		var b strings.Builder
		(&table{"Things", rows, test.wide}).latex(&b, func(s string) string { return s })
		out := b.String()
		if n := strings.Count(out, `\begin{table}`); n != test.tables || strings.Count(out, "name & what") != n ||
			strings.Count(out, "Things (continued)") != n-1 || strings.Count(out, `\end{table}`) != n {
			t.Errorf("%s: %d tables, want %d:\n%.400s", name, n, test.tables, out)
		}
		for i := range test.rows {
			if strings.Count(out, fmt.Sprintf("\nr%d. & ", i)) != 1 {
				t.Errorf("%s: row %d is lost or doubled", name, i)
			}
		}
	}
}
