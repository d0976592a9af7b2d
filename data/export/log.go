package export

import (
	"context"
	"io"
	"strconv"
	"strings"

	"plumbline/data"
)

// logTypes are Zeek's types of columns: those given, or the nearest.
func logTypes(columns []exported, given []string) []string {
	types := make([]string, len(columns))
	for i := range columns {
		switch columns[i].Type {
		case data.Number:
			types[i] = "double"
		case data.Time:
			types[i] = "time"
		case data.Address:
			types[i] = "addr"
		default:
			types[i] = "string"
		}
		if i < len(given) {
			types[i] = given[i]
		}
	}
	return types
}

// logHeader writes the lines that a log of Zeek begins with.
func logHeader(w io.Writer, columns []exported, types []string) error {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	_, err := io.WriteString(w, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"+
		"#path\tconn\n#fields\t"+strings.Join(names, "\t")+"\n#types\t"+strings.Join(types, "\t")+"\n")
	return err
}

// logRows writes lines of a log of Zeek: times and intervals in seconds with six decimals, - for what is missing.
func logRows(ctx context.Context, w io.Writer, columns []exported, types []string, rows int) error {
	texts := levels(columns, logText)
	return exportText(ctx, w, rows, func(int) {}, func(b []byte, row int) []byte {
		for i := range columns {
			c := &columns[i]
			if i > 0 {
				b = append(b, '\t')
			}
			switch {
			case c.Missing(row):
				b = append(b, '-')
			case c.Code != nil:
				b = append(b, texts[i][c.Code[row]]...)
			case c.Nanos != nil:
				b = appendSeconds(b, c.Nanos[row])
			case types[i] == "interval":
				b = strconv.AppendFloat(b, c.Num[row], 'f', 6, 64)
			default:
				b = strconv.AppendFloat(b, c.Num[row], 'f', -1, 64)
			}
		}
		return append(b, '\n')
	})
}

// appendSeconds appends a time as seconds since 1970; what is below a microsecond is cut off.
func appendSeconds(b []byte, nanos int64) []byte {
	if nanos < 0 {
		b, nanos = append(b, '-'), -nanos
	}
	b = strconv.AppendInt(b, nanos/1e9, 10)
	micros := strconv.FormatInt(nanos%1e9/1000, 10)
	b = append(b, ".000000"[:7-len(micros)]...)
	return append(b, micros...)
}

// logText writes a text that is told from what is missing and from an empty one, without tabs and line ends.
func logText(s string) string {
	switch s {
	case "":
		return "(empty)"
	case "-", "(empty)":
		return `\x` + strconv.FormatInt(int64(s[0]), 16) + s[1:]
	}
	if !strings.ContainsAny(s, "\t\r\n\\") && !strings.HasPrefix(s, "#") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\t' || c == '\r' || c == '\n' || c == '\\' || i == 0 && c == '#':
			b.WriteString(`\x`)
			b.WriteString("0123456789abcdef"[c>>4 : c>>4+1])
			b.WriteString("0123456789abcdef"[c&15 : c&15+1])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
