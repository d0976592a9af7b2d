package pseudonym

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"plumbline/data"
)

// IsAddress says whether a text is an address by its form: of IP, also with a port or the length of a prefix, or MAC.
func IsAddress(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	if _, err := netip.ParseAddrPort(text); err == nil {
		return true
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		return true
	}
	_, err := net.ParseMAC(text)
	return err == nil
}

// Value is the text of a value in a column of a type: of addresses each has a pseudonym, of categories those that are
// addresses by their form. A nil mapper changes nothing.
func (m *Mapper) Value(of data.ColumnType, text string) string {
	if m != nil && (of == data.Address || of == data.Category && IsAddress(text)) {
		return m.Text(text)
	}
	return text
}

// Words is a text in which words that are addresses by their form, or have some in them, are changed. Words end where
// there is no letter, digit or one of .:/-.
func Words(text string, change func(address string) string) string {
	var b strings.Builder
	for len(text) > 0 {
		end := strings.IndexFunc(text, func(r rune) bool {
			return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' ||
				strings.ContainsRune(".:/-", r))
		})
		switch {
		case end == 0:
			end = 1
			for end < len(text) && !utf8.RuneStart(text[end]) {
				end++
			}
		case end < 0:
			end = len(text)
		}
		b.WriteString(changed(text[:end], change))
		text = text[end:]
	}
	return b.String()
}

// Words is a text with pseudonyms for those of its words that are addresses by their form (see [Words]). A nil mapper
// changes nothing.
func (m *Mapper) Words(text string) string {
	if m == nil {
		return text
	}
	return Words(text, m.Text)
}

// Table is a table with pseudonyms in the place of addresses (see [Mapper.Value]). What stays is shared with t. A nil
// mapper gives t.
func (m *Mapper) Table(t *data.Table) *data.Table {
	if m == nil {
		return t
	}
	out := *t
	out.Columns = make([]data.Column, len(t.Columns))
	for i := range t.Columns {
		out.Columns[i] = m.Column(t.Columns[i])
	}
	return &out
}

// Column is a column with pseudonyms in the place of addresses. Two spellings of one address become one level.
func (m *Mapper) Column(c data.Column) data.Column {
	if m == nil || c.Type != data.Address && c.Type != data.Category {
		return c
	}
	levels, changed := make([]string, len(c.Levels)), false
	at, place := make(map[string]uint32, len(c.Levels)), make([]uint32, len(c.Levels))
	kept := levels[:0]
	for k, l := range c.Levels {
		now := m.Value(c.Type, l)
		changed = changed || now != l
		to, ok := at[now]
		if !ok {
			to = uint32(len(kept))
			at[now], kept = to, append(kept, now)
		}
		place[k] = to
	}
	if !changed {
		return c
	}
	if len(kept) < len(c.Levels) {
		c.Code = slices.Clone(c.Code)
		for i, code := range c.Code {
			if code != data.Missing {
				c.Code[i] = place[code]
			}
		}
	}
	c.Levels = kept
	return c
}
