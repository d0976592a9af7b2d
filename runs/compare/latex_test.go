package compare

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// latexCompiles puts tables into a document and makes its pages, on which all of them have room.
func latexCompiles(t *testing.T, tables string) {
	t.Helper()
	tool := ""
	for _, name := range []string{"pdflatex", "tectonic"} {
		if path, err := exec.LookPath(name); err == nil && tool == "" {
			tool = path
		}
	}
	if tool == "" {
		t.Skip("neither pdflatex nor tectonic is here to compile the tables")
	}
	text := "\\documentclass{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n" + tables +
		"\\end{document}\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.tex"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"t.tex"}
	if strings.HasSuffix(tool, "pdflatex") {
		args = []string{"-interaction=nonstopmode", "-halt-on-error", "t.tex"}
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, said, text)
	}
	if strings.Contains(string(said), "Float too large") {
		t.Errorf("a table is higher than the page, and cut off:\n%s", said)
	}
	if st, err := os.Stat(filepath.Join(dir, "t.pdf")); err != nil || st.Size() < 1000 {
		t.Errorf("no pages: %v", err)
	}
}

// TestLatexHasRoom: a few notes stand in the table with it; many come after it, where pages can break between them; and
// tables of many lines or columns are made smaller.
func TestLatexHasRoom(t *testing.T) {
	made := func(rows, columns, notes int) string {
		s := sheet{title: "AUROC", lines: [][]entry{{{text: "model"}}}}
		for k := range columns {
			s.lines[0] = append(s.lines[0], entry{text: fmt.Sprintf("set-%d", k)})
		}
		for i := range rows {
			line := []entry{{text: fmt.Sprintf("model_%d", i)}}
			for range columns {
				line = append(line, entry{text: "0.9431 ± 0.0127 † (5/5)"})
			}
			s.lines = append(s.lines, line)
		}
		for i := range notes {
			s.notes = append(s.notes, fmt.Sprintf("warning: set-%d: 19 of 37 attack classes have fewer than 30 test samples: "+
				"their recall says little", i))
		}
		var b strings.Builder
		s.latex(&b)
		return b.String()
	}
	const end = "\\end{table}"
	few, many, long, wide := made(5, 1, 4), made(18, 1, 80), made(90, 2, 3), made(60, 9, 0)
	if at := strings.Index(few, "set-3:"); at < 0 || at > strings.Index(few, end) || strings.Contains(few, "resizebox") {
		t.Errorf("few notes: %s", few)
	}
	if at := strings.Index(many, "set-0:"); at < strings.Index(many, end) || strings.Count(many, "warning: ") != 80 {
		t.Errorf("many notes: %s", many)
	}
	if !strings.Contains(long, `\resizebox*{!}`) || !strings.Contains(wide, `\resizebox{\linewidth}`) {
		t.Errorf("tables as large as they are: %.200s\n%.200s", long, wide)
	}
	latexCompiles(t, few+many+long+wide)
}
