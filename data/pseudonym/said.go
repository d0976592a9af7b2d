package pseudonym

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Said is a message in which values of the traffic are hidden. What stands in double quotes, as Go quotes texts, is
// taken for such a value, or for the beginning of one that was cut off: an address becomes what change makes of it, and
// anything else is left out, but for what keep says is none, such as the name of a column. So is it with the names that
// a message says are known or there: of a file without a header they are the values of its first row. In the rest of
// the message words are changed that are addresses by their form (see [Words]).
func Said(text string, change func(address string) string, keep func(quoted string) bool) string {
	text = listed.ReplaceAllStringFunc(text, func(list string) string {
		at := listed.FindStringSubmatchIndex(list)[3] // where the names begin
		var kept []string
		for name := range strings.SplitSeq(list[at:], ", ") {
			if keep(name) {
				kept = append(kept, name)
			} else if len(kept) == 0 || kept[len(kept)-1] != "…" {
				kept = append(kept, "…")
			}
		}
		return list[:at] + strings.Join(kept, ", ")
	})
	var b strings.Builder
	for {
		plain, _, found := strings.Cut(text, `"`)
		b.WriteString(Words(plain, change))
		if !found {
			return b.String()
		}
		text = text[len(plain):]
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil { // cut off, or no text that Go has quoted
			b.WriteString(`"…"`)
			return b.String()
		}
		text = text[len(quoted):]
		switch value, err := strconv.Unquote(quoted); {
		case err == nil && keep(value):
			b.WriteString(quoted)
		case err == nil && IsAddress(value):
			b.WriteString(strconv.Quote(change(value)))
		default:
			b.WriteString(`"…"`)
		}
	}
}

// Error is an error whose message is what [Said] makes of it; nil where there is none. It wraps err. One that it made
// itself is not changed again.
func Error(err error, change func(address string) string, keep func(quoted string) bool) error {
	if done := (*hidden)(nil); err == nil || errors.As(err, &done) {
		return err
	}
	return &hidden{Said(err.Error(), change, keep), err}
}

// Error is [Error] with the mapper's pseudonyms. A nil mapper changes nothing.
func (m *Mapper) Error(err error, keep func(quoted string) bool) error {
	if m == nil {
		return err
	}
	return Error(err, m.Text, keep)
}

// Said is [Said] with the mapper's pseudonyms. A nil mapper changes nothing.
func (m *Mapper) Said(text string, keep func(quoted string) bool) string {
	if m == nil {
		return text
	}
	return Said(text, m.Text, keep)
}

type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }

func (h *hidden) Unwrap() error { return h.err }

// listed is names that are known or there, to the end of the line.
var listed = regexp.MustCompile(`(known: |; there are )(.*)`)

// quad is what may be an IPv4 address within a word.
var quad = regexp.MustCompile(`[0-9]{1,3}(?:\.[0-9]{1,3}){3}`)

// changed is a word that is an address, or one with the addresses in it changed: of IPv4 wherever they stand, of IPv6
// and MAC after the name of something and a colon, and before a full stop or colon.
func changed(word string, change func(address string) string) string {
	if IsAddress(word) {
		return change(word)
	}
	if end := strings.TrimRight(word, ".:/-"); end != word && IsAddress(end) {
		return change(end) + word[len(end):]
	}
	if name, after, found := strings.Cut(word, ":"); found && after != "" && !hexadecimal(name) {
		return changed(name, change) + ":" + changed(after, change)
	}
	return quad.ReplaceAllStringFunc(word, func(text string) string {
		if IsAddress(text) {
			return change(text)
		}
		return text
	})
}

// hexadecimal says whether a text may be the first group of an IPv6 or MAC address.
func hexadecimal(text string) bool {
	return len(text) <= 4 && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}
