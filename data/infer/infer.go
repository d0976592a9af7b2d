package infer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumbline/data/corpus"
	"plumbline/data/flowlog"
	"plumbline/data/guess"
	"plumbline/data/input"
	"plumbline/data/rows"
	"plumbline/data/source"
	"plumbline/data/value"
)

// maxQuoted is how far, in bytes, Infer looks for the end of a quoted cell that runs over several lines.
const maxQuoted = 1 << 14

// inferRows is how many rows Infer looks at.
const inferRows = 250_000

// Infer looks at the first rows of a file and writes a data config that reads it: format, separator, header, encoding,
// types, missing marks, and guesses of the label columns and of what in them is benign. The guesses carry comments; a
// person should read them.
func Infer(path string) ([]byte, error) {
	in, err := input.Open(path)
	switch {
	case errors.Is(err, input.ErrCapture):
		return Capture(filepath.Base(path), defaultTool)
	case err != nil:
		return nil, err
	}
	defer in.Close()
	if in.UTF16 {
		return nil, fmt.Errorf(
			"data: %s is UTF-16, which infer does not look into: reading it is no trouble, so write the "+
				"config by hand, or infer one from a copy in UTF-8 (iconv -f UTF-16 -t UTF-8) and read the file with it",
			path,
		)
	}
	br := bufio.NewReaderSize(in, 1<<20)
	name := filepath.Base(path)
	for _, ext := range input.Extensions[1:] {
		name = strings.TrimSuffix(name, ext)
	}
	head, _ := br.Peek(4096)
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(head, []byte("#separator")) || bytes.HasPrefix(head, []byte("#fields")):
		return inferZeek(br, name)
	case bytes.HasPrefix(head, []byte{0x0c, 0xa5}):
		return inferNfcapd(name)
	case bytes.HasPrefix(head, []byte("PAR1")):
		return inferParquet(in, name)
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return inferNDJSON(br, name)
	case bytes.HasPrefix(text, []byte("Date flow start")), bytes.HasPrefix(text, []byte("Date first seen")) &&
		bytes.Contains(text[:min(len(text), 200)], []byte("IP Addr:Port")):
		return inferNfdumpText(br, name)
	}
	return inferDelimited(br, name)
}

// inferNfdumpText writes what the shipped config nfdump-text says: the columns of nfdump's printed text are known, and
// address and port, which stand in one cell, are taken apart.
func inferNfdumpText(br *bufio.Reader, name string) ([]byte, error) {
	seen := guess.New("label")
	for line := 0; line < inferRows; line++ {
		raw, err := corpus.ReadLine(br)
		if cells := strings.Fields(string(raw)); line > 0 && len(cells) > 0 {
			seen.Look(cells[len(cells)-1])
		}
		if err != nil {
			break
		}
	}
	var b strings.Builder
	writeHead(&b, name, "nfdump-text")
	sayShipped(&b, []string{"nfdump-text"})
	b.WriteString(
		"# nfdump's printed text: the source's address and port, and the destination's, stand in one cell and " +
			"are read apart\n",
	)
	if benign := benignIn(seen); benign != nil {
		fmt.Fprintf(&b, "label:\n  column: label\n  # a guess: say what is benign\n  benign: %s\n", listYAML(benign))
	}
	b.WriteString(`drop: [fl]
split: {kind: time, test: 0.4, validation: 0.2}
prep:
  - {step: drop, columns: [sp]}
  - {step: group_ports, columns: [dp]}
  - impute
  - onehot
  - {step: scale, kind: zscore}
traces:
  key: [sa]
  symbols: [pr, {column: ibyt, bins: 5}, {column: ipkt, bins: 5}, {column: td, bins: 5}]
  window: {length: 10, stride: 1}
`)
	return []byte(b.String()), nil
}

// summary is the line that ends the rows of what nfdump writes.
const summary = "Summary"

func inferDelimited(br *bufio.Reader, name string) ([]byte, error) {
	tf := &rows.TextFormat{File: name, Quote: true}
	f := &findings{apart: true}
	var header []string
	rows, line := 0, 0
	for rows < inferRows {
		raw, err := corpus.ReadLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("data: %s:%d: %w", name, line+1, err)
		}
		line++
		began := line
		for err == nil && f.columns != nil && !tf.Whole(raw) && len(raw) < maxQuoted { // a quoted cell goes on
			var more []byte
			raw = bytes.Clone(raw)
			if more, err = corpus.ReadLine(br); err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("data: %s:%d: %w", name, line+1, err)
			}
			raw = append(raw, more...)
			line++
		}
		last := err != nil
		text := bytes.TrimRight(raw, "\r\n")
		if f.columns == nil {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
			tf.Separator = source.CommonestSeparator(text)
		}
		if f.columns != nil && string(text) == summary { // nfdump's lines about the whole follow
			f.summary = true
			break
		}
		if len(bytes.TrimSpace(text)) > 0 {
			tf.Latin1 = tf.Latin1 || !utf8.Valid(text)
			cells, err := tf.Texts(text)
			switch {
			case f.columns == nil && err != nil:
				return nil, fmt.Errorf("data: %s:%d: %w", name, line, err)
			case f.columns == nil:
				if looksLikeHeader(cells) || countsColumns(cells) {
					header = cells
				}
				f.columns = newColumns(cells, header != nil)
				if header != nil {
					break
				}
				fallthrough
			default:
				switch {
				case rows == 0 && len(cells) != len(f.columns):
					return nil, fmt.Errorf(
						"data: %s:%d: %d columns, the first line has %d",
						name,
						began,
						len(cells),
						len(f.columns),
					)
				case err != nil || len(cells) != len(f.columns): // reading counts them
					f.odd++
				case header != nil && slices.Equal(cells, header):
					f.repeated = true
				default:
					rows++
					f.look(cells)
				}
			}
		}
		if last {
			if f.columns == nil {
				return nil, fmt.Errorf("data: %s: the file is empty", name)
			}
			if rows == 0 {
				return nil, fmt.Errorf("data: %s: a header and no rows", name)
			}
			break
		}
	}
	f.decide()
	var b strings.Builder
	writeHead(&b, name, "delimited")
	if header != nil {
		sayShipped(&b, fitting("delimited", name, header))
	}
	is := f.writeTruth(&b, nil)
	b.WriteString("options:\n")
	if tf.Separator == '\t' {
		b.WriteString("  separator: tab\n")
	} else if tf.Separator != ',' {
		fmt.Fprintf(&b, "  separator: %q\n", string(tf.Separator))
	}
	if header != nil {
		b.WriteString("  header: true\n")
	}
	if f.repeated {
		b.WriteString("  repeated_header: true\n")
	}
	if f.summary {
		b.WriteString("  end: " + summary + "\n")
	}
	if tf.Latin1 {
		b.WriteString("  encoding: latin-1\n")
	}
	f.writeNotation(&b)
	is.writeReading(&b)
	is.writeColumns(&b, f.columns)
	is.writeDefaults(&b)
	return []byte(b.String()), nil
}

// newColumns names the columns after the header, or by number.
func newColumns(first []string, header bool) []*guess.Column {
	columns := make([]*guess.Column, len(first))
	seen := map[string]bool{}
	for i := range columns {
		name := fmt.Sprintf("c%d", i+1)
		if header {
			if name = first[i]; name == "" {
				name = fmt.Sprintf("column %d", i+1)
			}
			if seen[name] {
				name = fmt.Sprintf("%s.%d", name, i+1)
			}
			seen[name] = true
		}
		columns[i] = guess.New(name)
	}
	return columns
}

// looksLikeHeader: names, all of them different, and no number among them.
func looksLikeHeader(cells []string) bool {
	seen := map[string]bool{}
	for _, c := range cells {
		if _, err := value.Number([]byte(c)); err == nil || seen[c] && c != "" {
			if err == nil {
				return false
			}
		}
		if _, err := netip.ParseAddr(c); err == nil {
			return false
		}
		seen[c] = true
	}
	return len(seen) > 0
}

// countsColumns: the names are the numbers of the columns, from 0 or 1, but for a few that are texts, as pandas writes
// a table whose columns have no names.
func countsColumns(cells []string) bool {
	numbers := 0
	for i, c := range cells {
		n, err := strconv.Atoi(c)
		switch {
		case err == nil && (n == i || n == i+1):
			numbers++
		case err == nil:
			return false
		default:
			if _, err := value.Number([]byte(c)); err == nil || c == "" {
				return false
			}
		}
	}
	const few = 3
	return numbers >= few || numbers >= 2 && numbers == len(cells)-1
}

func inferZeek(br *bufio.Reader, name string) ([]byte, error) {
	specs, err := flowlog.ZeekColumns(br, name)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	var b strings.Builder
	writeHead(&b, name, "zeek")
	label, class := "", ""
	for _, s := range specs {
		switch strings.ReplaceAll(strings.ToLower(s.Name), "-", "") {
		case "label":
			label = s.Name
		case "detailedlabel":
			class = s.Name
		}
	}
	if label != "" {
		fmt.Fprintf(&b, "label:\n  column: %s\n", quoteYAML(label))
		if class != "" {
			fmt.Fprintf(&b, "  class: %s\n", quoteYAML(class))
		}
		b.WriteString("  # a guess: say what is benign\n  benign: [Benign, benign]\n")
	} else {
		b.WriteString("# the log has no label: it can be described, but nothing can be evaluated on it\n")
	}
	has := func(n string) bool {
		return slices.ContainsFunc(specs, func(s rows.ColumnSpec) bool { return s.Name == n })
	}
	writeZeek(&b, has)
	return []byte(b.String()), nil
}

// writeZeek writes what a log of connections with these columns is taken for.
func writeZeek(b *strings.Builder, has func(column string) bool) {
	if has("uid") {
		b.WriteString("# names single connections\ndrop: [uid]\n")
	}
	b.WriteString("split: {kind: time, test: 0.4, validation: 0.2}\nprep:\n")
	if has("id.resp_p") && has("id.orig_p") {
		b.WriteString("  - {step: drop, columns: [id.orig_p]}\n  - {step: group_ports, columns: [id.resp_p]}\n")
	}
	b.WriteString("  - impute\n  - onehot\n  - {step: scale, kind: zscore}\n")
	if has("ts") && has("id.orig_h") {
		b.WriteString("traces:\n  key: [id.orig_h]\n  symbols:\n")
		for _, n := range []string{"proto", "conn_state"} {
			if has(n) {
				fmt.Fprintf(b, "    - %s\n", n)
			}
		}
		for _, n := range []string{"orig_bytes", "resp_bytes", "duration"} {
			if has(n) {
				fmt.Fprintf(b, "    - {column: %s, bins: 5}\n", n)
			}
		}
		b.WriteString("  window: {length: 10, stride: 1}\n")
	}
}

func writeHead(b *strings.Builder, name, format string) {
	id := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, strings.TrimSuffix(name, filepath.Ext(name)))
	if id = strings.Trim(id, "-"); id == "" {
		id = "own"
	}
	fmt.Fprintf(
		b,
		"# inferred from the first rows of %s: read it through\nname: %s\ndoc: \"\"\nlicence: \"\"\nformat: %s\n"+
			"files:\n  train: [%s]\n",
		name,
		id,
		format,
		quoteYAML(name),
	)
}

func quoteYAML(s string) string { return strconv.Quote(s) }

func listYAML(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quoteYAML(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
