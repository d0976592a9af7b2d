package derive

import (
	"slices"
	"strings"

	"plumbline/data"
)

// Wrong is an error that a table has, and the repair for it.
type Wrong struct {
	Repair Repair
	Rows   int
	First  int32 // the first row that has it
}

// Find looks for the errors that have names, in columns whose names say what they hold. It changes nothing. A column
// whose only negative value is −1, or all of whose values are negative, uses it as a mark.
func Find(t *data.Table) []Wrong {
	var out []Wrong
	look := func(name string, columns ...*data.Column) {
		wrong, err := errorOf(name, columns)
		if err != nil {
			return
		}
		w := Wrong{Repair: Repair{Error: name}, First: -1}
		for _, c := range columns {
			w.Repair.Columns = append(w.Repair.Columns, c.Name)
		}
		for i := range t.Rows {
			if wrong(i, columns[0]) {
				if w.First < 0 {
					w.First = int32(i)
				}
				w.Rows++
			}
		}
		if w.Rows > 0 && w.Rows < t.Rows {
			out = append(out, w)
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		words := words(c.Name)
		if c.Type == data.Number {
			if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(amounts, w) }) && !mark(c) {
				look("negative", c)
			}
			if last := words[len(words)-1]; slices.Contains(portNames, last) {
				look("port", c)
			}
			if words[0] == "is" || slices.Contains(flags, strings.ToLower(c.Name)) {
				look("not_binary", c)
			}
		}
		if end := partner(t, c, endNames); end != nil && c.Type == end.Type {
			look("end_before_start", c, end)
		}
		if packets := partner(t, c, packetNames); packets != nil {
			look("bytes_without_packets", c, packets)
		}
	}
	return out
}

// amounts are words of the names of columns that count or measure something.
var amounts = []string{
	"dur", "duration", "td", "bytes", "byts", "byte", "pkts", "packets", "length", "len", "ibyt", "ipkt",
	"sbytes", "dbytes",
}

var portNames = []string{"port", "sport", "dport", "dsport", "sp", "dp", "pt"}

// flags are the columns of KDD99 and its relatives that are documented as 0 or 1.
var flags = []string{"land", "logged_in", "root_shell", "su_attempted", "is_host_login", "is_guest_login"}

// endNames and packetNames turn the name of one column of a pair into the other's.
var (
	endNames    = [][2]string{{"start", "end"}, {"start", "last"}, {"first", "last"}, {"stime", "ltime"}, {"ts", "te"}}
	packetNames = [][2]string{{"bytes", "pkts"}, {"bytes", "packets"}, {"byt", "pkt"}}
)

// partner is the other column of a pair; nil: there is none.
func partner(t *data.Table, c *data.Column, names [][2]string) *data.Column {
	lower := strings.ToLower(c.Name)
	for _, p := range names {
		if !strings.Contains(lower, p[0]) {
			continue
		}
		other := strings.Replace(lower, p[0], p[1], 1)
		for k := range t.Columns {
			if o := &t.Columns[k]; strings.ToLower(o.Name) == other && o != c {
				return o
			}
		}
	}
	return nil
}

// mark says whether −1 is the one negative value, which stands for none.
func mark(c *data.Column) bool {
	other, ones := false, false
	for _, v := range c.Num {
		switch {
		case v == -1:
			ones = true
		case v < 0:
			other = true
		}
	}
	return ones && !other
}

// words are the words of a column's name in lower case: those between blanks, dots and underscores, and those that
// begin with a capital letter.
func words(name string) []string {
	var b strings.Builder
	previous := ' '
	for _, r := range name {
		if r >= 'A' && r <= 'Z' && previous >= 'a' && previous <= 'z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		previous = r
	}
	out := strings.FieldsFunc(strings.ToLower(b.String()), func(r rune) bool {
		return r == ' ' || r == '_' || r == '.' || r == '/' || r == '-'
	})
	if len(out) == 0 {
		out = []string{""}
	}
	return out
}
