package compare

import (
	"fmt"
	"html"
	"strings"
	"unicode"
)

// oneLine makes a text one line without control characters, each of which becomes the sign that Unicode has for it, and
// without those that turn the direction of what follows.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < 0x20:
			return 0x2400 + r
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// EscapeMarkdown escapes what Markdown or HTML within it would take for its own.
func EscapeMarkdown(s string) string {
	var b strings.Builder
	runes := []rune(oneLine(s))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	link := strings.Contains(s, "](") || strings.Contains(s, "][")
	for i, r := range runes {
		switch {
		case strings.ContainsRune("\\`*<|&", r), link && r == '[', r == '_' && !(word(i-1) && word(i+1)):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// latexSigns is what LaTeX writes otherwise.
var latexSigns = map[rune]string{
	'\\': `\textbackslash{}`, '{': `\{`, '}': `\}`, '$': `\$`, '&': `\&`, '#': `\#`, '%': `\%`, '_': `\_`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '<': `\textless{}`, '>': `\textgreater{}`, '|': `\textbar{}`,
	'"': "''", '±': `$\pm$`, '–': `--`, '—': `---`, '…': `\dots{}`, '×': `$\times$`, '≤': `$\leq$`,
	'≥': `$\geq$`, '−': `$-$`, '²': `\textsuperscript{2}`, '’': "'", '†': `\dag{}`, '\u00a0': "~", '\u2009': `\,`,
}

// EscapeLatex escapes what LaTeX would take for its own. Letters beyond those that its usual fonts have become their
// number in Unicode.
func EscapeLatex(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		switch sign, ok := latexSigns[r]; {
		case ok:
			b.WriteString(sign)
		case r < 0x80, r >= 0xc0 && r <= 0xff && r != 'Ð' && r != 'ð' && r != 'Þ' && r != 'þ':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "[U+%04X]", r)
		}
	}
	return b.String()
}

func htmlText(s string) string { return html.EscapeString(oneLine(s)) }
