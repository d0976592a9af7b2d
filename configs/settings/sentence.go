package settings

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Summary is the first sentence of a config's doc, up to a colon that does not come early.
func Summary(d Node) string {
	doc, ok := d.Get("doc")
	if !ok {
		return ""
	}
	text, _ := doc.Scalar()
	what := FirstSentence(text)
	if head, _, ok := strings.Cut(what, ": "); ok && len(head) >= 25 {
		return head
	}
	return what
}

// FirstSentence is the first sentence of a text. A dot after a single capital letter, as of a name, ends none, nor does
// one that no capital letter follows.
func FirstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for from := 0; ; {
		at := strings.Index(text[from:], ". ")
		if at < 0 {
			return strings.TrimSuffix(text, ".")
		}
		at += from
		before, size := utf8.DecodeLastRuneInString(text[:at])
		next, _ := utf8.DecodeRuneInString(text[at+2:])
		initial := unicode.IsUpper(before) && (at == size || text[at-size-1] == ' ')
		if !initial && unicode.IsUpper(next) {
			return text[:at]
		}
		from = at + 2
	}
}
