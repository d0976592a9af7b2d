package compare

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// sheet is a table as texts, for people: what terminals, Markdown, LaTeX and HTML are made of.
type sheet struct {
	title string
	lines [][]entry // heads first; all of one length
	notes []string  // below the table; with two blanks in front, below the note before
	left  int       // the column that is set to the left
	last  bool      // text has the marks of a line in a column of their own at the end: one cell of a line has some
}

// entry is one cell of a sheet.
type entry struct {
	text       string
	best, even bool // of its column: the best, or not significantly worse
}

// plain is texts as entries.
func plain(lines [][]string) [][]entry {
	out := make([][]entry, len(lines))
	for i, line := range lines {
		for _, s := range line {
			out[i] = append(out[i], entry{text: s})
		}
	}
	return out
}

// marks explains what terminals show of the marks.
func (s *sheet) marks() string {
	if !s.evens() {
		return "* best of its column"
	}
	return "* best of its column; = not significantly worse"
}

// evens says whether something is marked as not worse than the best.
func (s *sheet) evens() bool {
	return slices.ContainsFunc(s.lines, func(line []entry) bool {
		return slices.ContainsFunc(line, func(e entry) bool { return e.even })
	})
}

// marked says whether a sheet has marks.
func (s *sheet) marked() bool {
	return slices.ContainsFunc(s.lines, func(line []entry) bool {
		return slices.ContainsFunc(line, func(e entry) bool { return e.best || e.even })
	})
}

// text writes a sheet for a terminal.
func (s *sheet) text(b *strings.Builder) {
	if s.title != "" {
		b.WriteString(s.title + "\n")
	}
	grid := make([][]string, len(s.lines))
	mark := s.marked()
	for i, line := range s.lines {
		end := ""
		for _, e := range line {
			switch {
			case s.last && e.best:
				end = "*"
			case s.last && e.even:
				end = "="
			case s.last:
			case e.best:
				e.text += "*"
			case e.even:
				e.text += "="
			case mark && strings.HasSuffix(e.text, ")"): // keeps numbers below each other
				e.text += " "
			}
			grid[i] = append(grid[i], e.text)
		}
		if s.last && mark {
			grid[i] = append(grid[i], end)
		}
	}
	align(b, grid, s.left)
	for _, n := range s.notes {
		b.WriteString("  " + n + "\n")
	}
}

// align pads the columns: one to the left, numbers to the right.
func align(b *strings.Builder, grid [][]string, left int) {
	width := make([]int, len(grid[0]))
	for _, line := range grid {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	for _, line := range grid {
		var out strings.Builder
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i == left {
				out.WriteString("  " + s + pad)
			} else {
				out.WriteString("  " + pad + s)
			}
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
}

// markdown writes a sheet in GitHub's Markdown: the best in bold, what is not worse in italics.
func (s *sheet) markdown(b *strings.Builder) {
	if s.title != "" {
		fmt.Fprintf(b, "### %s\n\n", EscapeMarkdown(s.title))
	}
	for i, line := range s.lines {
		b.WriteByte('|')
		for _, e := range line {
			text := EscapeMarkdown(e.text)
			switch {
			case e.best:
				text = "**" + text + "**"
			case e.even:
				text = "*" + text + "*"
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteByte('\n')
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(line)) + "\n")
		}
	}
	b.WriteByte('\n')
	for _, n := range s.notes {
		deeper, ok := strings.CutPrefix(n, "  ")
		if ok {
			b.WriteString("  ")
		}
		b.WriteString("- " + EscapeMarkdown(deeper) + "\n")
	}
	b.WriteByte('\n')
}

// latex writes a sheet as a table of the package booktabs, scaled by graphicx where it would not fit the page. A table
// floats and cannot be broken: notes that are too many for a page are paragraphs after it.
func (s *sheet) latex(b *strings.Builder) {
	columns := []byte(strings.Repeat("r", len(s.lines[0])))
	columns[s.left] = 'l'
	fmt.Fprintf(b, "\\begin{table}\n\\centering\n\\caption{%s}\n", EscapeLatex(s.title))
	scale := ""
	if w, h := float64(s.width())/latexWidth, float64(len(s.lines))/latexLines; h > max(1, w) {
		scale = `*{!}{0.8\textheight}` // with what is below the line
	} else if w > 1 {
		scale = `{\linewidth}{!}`
	}
	if scale != "" {
		b.WriteString(`\resizebox` + scale + "{%\n")
	}
	fmt.Fprintf(b, "\\begin{tabular}{%s}\n\\toprule\n", columns)
	for i, line := range s.lines {
		for k, e := range line {
			text := EscapeLatex(e.text)
			switch {
			case e.best:
				text = `\textbf{` + text + "}"
			case e.even:
				text = `\textit{` + text + "}"
			}
			if k > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(text)
		}
		b.WriteString(" \\\\\n")
		if i == 0 {
			b.WriteString("\\midrule\n")
		}
	}
	b.WriteString("\\bottomrule\n\\end{tabular}")
	if scale != "" {
		b.WriteByte('}')
	}
	b.WriteByte('\n')
	var notes strings.Builder
	height := len(s.lines)
	for _, n := range s.notes {
		notes.WriteString(EscapeLatex(strings.TrimSpace(n)) + "\\par\n")
		height += 1 + utf8.RuneCountInString(n)/latexWidth
	}
	switch {
	case len(s.notes) == 0:
		b.WriteString("\\end{table}\n")
	case height <= latexLines:
		b.WriteString("\n\\medskip\n\\begin{minipage}{\\linewidth}\\footnotesize\\raggedright\n" + notes.String() +
			"\\end{minipage}\n\\end{table}\n")
	default:
		fmt.Fprintf(b, "\\end{table}\n{\\footnotesize\\raggedright\\setlength{\\parindent}{0pt}\n"+
			"Notes to the table of %s:\\par\n%s}\n", EscapeLatex(s.title), notes.String())
	}
}

// latexWidth is how many letters a line of print holds, and latexLines how many lines a page, with some room to spare.
const (
	latexWidth = 80
	latexLines = 40
)

// width is the letters of the longest line with its columns set apart.
func (s *sheet) width() int {
	n := 0
	for k := range s.lines[0] {
		column := 0
		for _, line := range s.lines {
			column = max(column, utf8.RuneCountInString(line[k].text))
		}
		n += column + 2
	}
	return n
}

// htmlStyle is how tables look, for pages that say nothing of it, with other colours where the reader's page is dark.
const htmlStyle = `<style>
.plumbline{overflow-x:auto;font:14px/1.4 system-ui,sans-serif;color:#1f2328}
.plumbline table{border-collapse:collapse;font-variant-numeric:tabular-nums}
.plumbline caption{text-align:left;font-weight:600;padding:4px 10px}
.plumbline th,.plumbline td{padding:3px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid #d8dee4}
.plumbline .left0 :is(th,td):nth-child(1),.plumbline .left1 :is(th,td):nth-child(2){text-align:left}
.plumbline ul{font-size:13px;color:#59636e;padding-left:26px}
@media (prefers-color-scheme:dark){.plumbline{color:#e6e8eb}.plumbline th,.plumbline td{border-color:#3a3f47}
.plumbline ul{color:#a5adb8}}
</style>
`

// html writes a sheet as a table and a list, to be put into a page.
func (s *sheet) html(b *strings.Builder) {
	fmt.Fprintf(b, "<div class=\"plumbline\">\n<table class=\"left%d\">\n<caption>%s</caption>\n", s.left,
		htmlText(s.title))
	for i, line := range s.lines {
		tag := "td"
		if i == 0 {
			tag = "th"
			b.WriteString("<thead>\n")
		}
		b.WriteString("<tr>")
		for _, e := range line {
			text := htmlText(e.text)
			switch {
			case e.best:
				text = "<b>" + text + "</b>"
			case e.even:
				text = "<i>" + text + "</i>"
			}
			fmt.Fprintf(b, "<%s>%s</%s>", tag, text, tag)
		}
		b.WriteString("</tr>\n")
		if i == 0 {
			b.WriteString("</thead>\n<tbody>\n")
		}
	}
	b.WriteString("</tbody>\n</table>\n")
	if len(s.notes) > 0 {
		b.WriteString("<ul>\n")
		for _, n := range s.notes {
			b.WriteString("<li>" + htmlText(strings.TrimSpace(n)) + "</li>\n")
		}
		b.WriteString("</ul>\n")
	}
	b.WriteString("</div>\n")
}
