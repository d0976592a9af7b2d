package methods

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"plumbline/runs/compare"
)

// Formats lists what [Section.Render] knows.
var Formats = []string{"markdown", "latex", "bibtex"}

// Section is a methods section.
type Section struct {
	Title  string
	blocks []block
	refs   *references
}

// block is a heading, a paragraph or a table, whichever is set.
type block struct {
	heading string
	text    string
	table   *table
}

// table is rows of texts, heads first.
type table struct {
	caption string
	rows    [][]string
	wide    int // the column whose texts are long; −1: none
}

func (s *Section) heading(text string) { s.blocks = append(s.blocks, block{heading: text}) }

// text adds a paragraph of sentences; empty ones are left out.
func (s *Section) text(sentences ...string) {
	var out []string
	for _, t := range sentences {
		if t != "" {
			out = append(out, t)
		}
	}
	if out != nil {
		s.blocks = append(s.blocks, block{text: strings.Join(out, " ")})
	}
}

func (s *Section) grid(caption string, wide int, rows [][]string) {
	if len(rows) > 1 {
		s.blocks = append(s.blocks, block{table: &table{caption, rows, wide}})
	}
}

// A citation stands in a text as a key between these.
const (
	citeOpen  = "\x02"
	citeClose = "\x03"
)

// cite is the place of a citation in a text, "" for no key.
func cite(keys ...string) string {
	var out []string
	for _, k := range keys {
		if k != "" {
			out = append(out, k)
		}
	}
	if out == nil {
		return ""
	}
	return " " + citeOpen + strings.Join(out, ",") + citeClose
}

// escaped is a text with its citations written by cite and the rest escaped.
func escaped(text string, escape func(string) string, cite func(keys string) string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, citeOpen)
		b.WriteString(escape(before))
		if !ok {
			return b.String()
		}
		keys, after, _ := strings.Cut(rest, citeClose)
		b.WriteString(cite(keys))
		text = after
	}
}

// Paragraph is a heading, a text, or a table with its caption, whichever is there.
type Paragraph struct {
	Heading, Text, Caption string
	Rows                   [][]string // heads first
}

// Paragraphs is the section for those who set it themselves; citations stand in brackets.
func (s *Section) Paragraphs() (out []Paragraph) {
	text := func(t string) string {
		return escaped(t, func(s string) string { return s }, func(keys string) string { return "[" + keys + "]" })
	}
	for _, k := range s.blocks {
		p := Paragraph{Heading: text(k.heading), Text: text(k.text)}
		if k.table != nil {
			p.Caption = text(k.table.caption)
			for _, row := range k.table.rows {
				var cells []string
				for _, c := range row {
					cells = append(cells, text(c))
				}
				p.Rows = append(p.Rows, cells)
			}
		}
		out = append(out, p)
	}
	return out
}

// Render writes the section in one of Formats.
func (s *Section) Render(w io.Writer, format string) error {
	var b strings.Builder
	switch format {
	case "markdown":
		s.markdown(&b)
	case "latex":
		s.latex(&b)
	case "bibtex":
		s.refs.bibtex(&b)
	default:
		return fmt.Errorf("methods: unknown format %q; known: %s", format, strings.Join(Formats, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Section) markdown(b *strings.Builder) {
	text := func(t string) string {
		return escaped(t, compare.EscapeMarkdown, func(keys string) string {
			return "[@" + strings.ReplaceAll(keys, ",", "; @") + "]"
		})
	}
	fmt.Fprintf(b, "## %s\n", text(s.Title))
	for _, k := range s.blocks {
		b.WriteByte('\n')
		switch {
		case k.heading != "":
			fmt.Fprintf(b, "### %s\n", text(k.heading))
		case k.table != nil:
			if k.table.caption != "" {
				b.WriteString(text(k.table.caption) + "\n\n")
			}
			for i, row := range k.table.rows {
				var cells, rule []string
				for _, c := range row {
					cells, rule = append(cells, text(c)), append(rule, "---")
				}
				b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
				if i == 0 {
					b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
				}
			}
		default:
			b.WriteString(text(k.text) + "\n")
		}
	}
	if len(s.refs.list) > 0 {
		b.WriteString("\n### References\n\n")
		for _, r := range s.refs.list {
			fmt.Fprintf(b, "- `%s`: %s\n", r.key, text(r.whole()))
		}
	}
}

func (s *Section) latex(b *strings.Builder) {
	text := func(t string) string {
		return escaped(t, compare.EscapeLatex, func(keys string) string { return `\cite{` + keys + "}" })
	}
	b.WriteString("% needs \\usepackage{booktabs} and \\usepackage{tabularx}; references by --format bibtex\n")
	fmt.Fprintf(b, "\\section*{%s}\n", text(s.Title))
	for _, k := range s.blocks {
		b.WriteByte('\n')
		switch {
		case k.heading != "":
			fmt.Fprintf(b, "\\subsection*{%s}\n", text(k.heading))
		case k.table != nil:
			k.table.latex(b, text)
		default:
			b.WriteString(text(k.text) + "\n")
		}
	}
}

func (t *table) latex(b *strings.Builder, text func(string) string) {
	var columns strings.Builder
	for i := range t.rows[0] {
		switch {
		case i == t.wide:
			columns.WriteString(`>{\raggedright\arraybackslash}X`)
		case i == 0 || t.wide >= 0:
			columns.WriteByte('l')
		default:
			columns.WriteByte('r')
		}
	}
	kind := "tabular"
	open := `\begin{tabular}{` + columns.String() + "}"
	if t.wide >= 0 {
		kind, open = "tabularx", `\begin{tabularx}{\linewidth}{`+columns.String()+"}"
	}
	caption, rows := t.caption, t.rows[1:]
	for first := true; first || len(rows) > 0; first = false {
		b.WriteString("\\begin{table}[ht]\n\\centering\\small\n")
		if caption != "" {
			fmt.Fprintf(b, "\\caption{%s}\n", text(caption))
			caption = t.caption + " (continued)"
		}
		b.WriteString(open + "\n\\toprule\n" + line(t.rows[0], text) + "\\midrule\n")
		for height := 0; len(rows) > 0; rows = rows[1:] {
			own := 1
			if t.wide >= 0 {
				own += utf8.RuneCountInString(rows[0][t.wide]) / wideLetters
			}
			if height > 0 && height+own > pageLines {
				break
			}
			height += own
			b.WriteString(line(rows[0], text))
		}
		fmt.Fprintf(b, "\\bottomrule\n\\end{%s}\n\\end{table}\n", kind)
	}
}

// A table floats, and cannot be broken: this many lines have room on a page, and this many letters in a line of the
// wide column.
const (
	pageLines   = 40
	wideLetters = 40
)

func line(row []string, text func(string) string) string {
	cells := make([]string, len(row))
	for i, c := range row {
		cells[i] = text(c)
	}
	return strings.Join(cells, " & ") + " \\\\\n"
}
