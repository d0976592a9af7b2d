// Package visible makes texts from data harmless where people read them: in terminals and figures. What
// markup escapes is left to the writers of HTML, LaTeX and SVG.
package visible

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a text from data, such as a column's or a class's name, as it may be printed: what steers a terminal,
// turns the direction of text, breaks a line or does not show is written as an escape, so that it can be told from the
// text around it.
func Text(s string) string {
	if strings.IndexFunc(s, hidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		b.WriteString(escape(r, s[:n], false))
		s = s[n:]
	}
	return b.String()
}

// All is texts as they may be printed.
func All(texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = Text(s)
	}
	return out
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }

// escape is a rune as it may be printed; text is what it was read from. Whole texts may keep line ends and tabs.
func escape(r rune, text string, whole bool) string {
	switch {
	case r == utf8.RuneError && len(text) == 1: // no UTF-8
		return `\x` + strconv.FormatUint(uint64(text[0]), 16)
	case whole && (r == '\n' || r == '\t'), !hidden(r):
		return text
	}
	quoted := strconv.QuoteRune(r)
	return quoted[1 : len(quoted)-1]
}

// Writer passes text on with what steers a terminal written as escapes: whatever of it comes from data, nothing
// but text reaches the terminal.
type Writer struct {
	To   io.Writer
	rest []byte // the beginning of a rune
}

func (w *Writer) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	var b []byte
	for len(text) > 0 && (utf8.FullRune(text)) {
		r, n := utf8.DecodeRune(text)
		b = append(b, escape(r, string(text[:n]), true)...)
		text = text[n:]
	}
	w.rest = append([]byte(nil), text...)
	if _, err := w.To.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
}
