package visible

import (
	"bytes"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"plain – text…": "plain – text…",
		"a\x1b[31mb":    `a\x1b[31mb`,
		"two\nlines\t":  `two\nlines\t`,
		"\u202eback":    `\u202eback`,
		"c1 \u009b31m":  `c1 \u009b31m`,
		"bad \x9b\xff":  `bad \x9b\xff`,
		"\x00\x7f":      `\x00\x7f`,
		"日本 größer":     "日本 größer",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		var b bytes.Buffer
		w := &Writer{To: &b}
		for i := range len(text) { // runes in pieces
			if n, err := w.Write([]byte(text[i : i+1])); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		whole := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(want)
		if got := b.String(); got != whole {
			t.Errorf("%q is written as %q, want %q", text, got, whole)
		}
	}
}
