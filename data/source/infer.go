package source

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
	"plumbline/data/export"
	"plumbline/data/input"
	"plumbline/data/value"
)

// maxQuoted is how far, in bytes, Infer looks for the end of a quoted cell that runs over several lines.
const maxQuoted = 1 << 14

// inferRows is how many rows Infer looks at.
const inferRows = 250_000

// Infer looks at the first rows of a file and writes a data config that reads it: separator, header,
// encoding, types, missing marks, and guesses of the label column and of what in it is benign. The guesses
// carry comments; a person should read them.
func Infer(path string) ([]byte, error) {
	in, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	br := bufio.NewReaderSize(in, 1<<20)
	name := filepath.Base(path)
	for _, ext := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, ext)
	}
	if head, _ := br.Peek(11); bytes.HasPrefix(head, []byte("#separator")) || bytes.HasPrefix(head, []byte("#fields")) {
		return inferZeek(br, name)
	} else if bytes.HasPrefix(head, []byte("PAR1")) {
		return inferParquet(in, name)
	} else if text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))); bytes.HasPrefix(text, []byte("{")) {
		return inferNDJSON(br, name)
	}
	return inferDelimited(br, name)
}

// guess is a column as it looks.
type guess struct {
	name     string
	kind     columnKind
	layout   string // of times that are texts
	values   map[string]int
	n        int  // values that are not missing
	infinite bool // NaN or infinity occurs
}

// missingMarks are texts that usually mean: missing.
var missingMarks = []string{"", "?", "null", "NULL", "None", "NA", "N/A"}

// timeLayouts are how times are usually written.
var timeLayouts = []string{
	"2006-01-02 15:04:05.999999999", "2006/01/02 15:04:05.999999999", "02/01/2006 15:04:05", "01/02/2006 15:04:05",
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "02/01/2006 03:04:05 PM", "2006-01-02", "02/01/2006 15:04", "1/2/2006 15:04",
}

func inferDelimited(br *bufio.Reader, name string) ([]byte, error) {
	tf := &textFormat{file: name, quote: true}
	var columns []guess
	header := false
	line := 0
	for rows := 0; rows < inferRows; {
		raw, err := corpus.ReadLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("data: %s:%d: %w", name, line+1, err)
		}
		line++
		began := line
		for err == nil && columns != nil && tf.firstRecordEnd(raw) == 0 && len(raw) < maxQuoted { // a quoted cell goes on
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
		if columns == nil {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
			tf.separator = commonest(text)
		}
		if len(text) > 0 {
			tf.latin1 = tf.latin1 || !utf8.Valid(text)
			cells, err := cellsOf(tf, text)
			switch {
			case columns == nil && err != nil:
				return nil, fmt.Errorf("data: %s:%d: %w", name, line, err)
			case columns == nil:
				header = looksLikeHeader(cells)
				columns = newGuesses(cells, header)
			case rows == 0 && len(cells) != len(columns):
				return nil, fmt.Errorf(
					"data: %s:%d: %d columns, the first line has %d",
					name,
					began,
					len(cells),
					len(columns),
				)
			}
			if err == nil && len(cells) == len(columns) &&
				(rows > 0 || began > 1 || !header) { // reading counts the others
				rows++
				for i, c := range cells {
					columns[i].look(c)
				}
			}
		}
		if last {
			if columns == nil {
				return nil, fmt.Errorf("data: %s: the file is empty", name)
			}
			if rows == 0 {
				return nil, fmt.Errorf("data: %s: a header and no rows", name)
			}
			break
		}
	}
	for i := range columns {
		columns[i].decide()
	}
	return writeInferred(name, tf, header, columns), nil
}

// newGuesses names the columns after the header, or by number.
func newGuesses(first []string, header bool) []guess {
	columns := make([]guess, len(first))
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
		columns[i] = guess{name: name, values: map[string]int{}}
	}
	return columns
}

func cellsOf(tf *textFormat, line []byte) ([]string, error) {
	r := record{tf: tf, text: line, line: 1}
	r.next()
	out := make([]string, len(r.cells))
	for i, c := range r.cells {
		text, err := tf.text(bytes.TrimSpace(c))
		if err != nil {
			return nil, err
		}
		out[i] = text
	}
	return out, r.err
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

// look takes one value in.
func (g *guess) look(v string) {
	if slices.Contains(missingMarks, v) {
		return
	}
	g.n++
	if len(g.values) < 5000 || g.values[v] > 0 {
		g.values[v]++
	}
}

func (g *guess) all(is func(string) bool) bool {
	for v := range g.values {
		if !is(v) {
			return false
		}
	}
	return g.n > 0
}

// decide settles the type.
func (g *guess) decide() {
	lower := strings.ToLower(g.name)
	number := func(v string) bool {
		x, err := value.Number([]byte(v))
		if err == nil && !value.Finite(x) {
			g.infinite = true
		}
		return err == nil
	}
	switch {
	case g.all(isAddress):
		g.kind = "address"
	case g.all(number):
		g.kind = "number"
		if isTimeName(lower) &&
			g.all(
				func(v string) bool { x, err := strconv.ParseFloat(v, 64); return err == nil && x > 5e8 && x < 4e9 },
			) {
			g.kind = "time"
		}
	case g.all(func(v string) bool {
		_, err := value.Hex([]byte(v))
		return err == nil || number(v)
	}):
		g.kind = "port"
	default:
		g.kind = "category"
		for _, l := range timeLayouts {
			if g.all(
				func(v string) bool { _, err := (value.Times{Layouts: []string{l}}).Parse([]byte(v)); return err == nil },
			) {
				g.kind, g.layout = "time", l
				break
			}
		}
	}
}

func isTimeName(lower string) bool {
	return lower == "ts" || lower == "time" || lower == "timestamp" || lower == "stime" || lower == "starttime" ||
		lower == "epoch"
}

func isAddress(v string) bool {
	if _, err := netip.ParseAddr(v); err == nil {
		return true
	}
	if len(v) != 17 {
		return false
	}
	for i, c := range v { // aa:bb:cc:dd:ee:ff
		if i%3 == 2 && c != ':' && c != '-' || i%3 != 2 && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// labelNames are what label columns are called, likeliest first.
var labelNames = []string{
	"label",
	"class",
	"attack_cat",
	"attack",
	"category",
	"outcome",
	"target",
	"anomaly",
	"is_anomaly",
	"is_attack",
	"malicious",
	"type",
	"y",
}

// benignTexts are what benign traffic is called.
var benignTexts = []string{
	"benign",
	"normal",
	"background",
	"legitimate",
	"clean",
	"0",
	"0.0",
	"false",
	"good",
	"normal.",
	"no",
}

// findLabel is the index of the likeliest label column, or −1, and the text of benign rows in it.
func findLabel(columns []guess) (at int, benign []string) {
	for _, want := range labelNames {
		for i := range columns {
			if strings.EqualFold(columns[i].name, want) && len(columns[i].values) <= 200 {
				return i, benignIn(columns[i])
			}
		}
	}
	last := len(columns) - 1 // without a header the label usually stands last
	if last > 0 && len(columns[last].values) <= 60 {
		if b := benignIn(columns[last]); b != nil && !strings.HasPrefix(b[0], "0") {
			return last, b
		}
	}
	return -1, nil
}

func benignIn(g guess) (out []string) {
	if g.all(func(v string) bool { return v == "0" || v == "1" }) {
		return []string{"0"}
	}
	for _, want := range benignTexts {
		for v := range g.values {
			if strings.EqualFold(v, want) {
				out = append(out, v)
			}
		}
		if out != nil {
			slices.Sort(out)
			return out
		}
	}
	return nil
}

func inferZeek(br *bufio.Reader, name string) ([]byte, error) {
	h := zeekHeader{separator: '\t', unset: "-", empty: "(empty)"}
	if err := h.read(br); err != nil {
		return nil, fmt.Errorf("data: %s:%d: %w", name, h.lines, err)
	}
	specs, _, err := (&Zeek{}).specs(h, &Config{})
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
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
	has := func(n string) bool { return slices.ContainsFunc(specs, func(s ColumnSpec) bool { return s.Name == n }) }
	if has("uid") {
		b.WriteString("# names single connections\ndrop: [uid]\n")
	}
	if has("id.resp_p") {
		b.WriteString("options:\n  categories: [id.resp_p]\n")
	}
	b.WriteString("split: {kind: time, test: 0.4, validation: 0.2}\nprep:\n")
	if has("id.resp_p") && has("id.orig_p") {
		b.WriteString("  - {step: drop, columns: [id.orig_p, id.resp_p]}\n")
	}
	b.WriteString("  - impute\n  - drop_constant\n  - onehot\n  - {step: scale, kind: zscore}\n")
	return []byte(b.String()), nil
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
		"# inferred from the first rows of %s: read it through\nname: %s\ndoc: \"\"\nlicence: \"\"\nformat: %s\nfiles:\n  train: [%s]\n",
		name,
		id,
		format,
		quoteYAML(name),
	)
}

func quoteYAML(s string) string { return strconv.Quote(s) }

func writeInferred(name string, tf *textFormat, header bool, columns []guess) []byte {
	var b strings.Builder
	writeHead(&b, name, "delimited")
	is := writeTruth(&b, columns, nil)
	b.WriteString("options:\n")
	if tf.separator == '\t' {
		b.WriteString("  separator: tab\n")
	} else if tf.separator != ',' {
		fmt.Fprintf(&b, "  separator: %q\n", string(tf.separator))
	}
	if header {
		b.WriteString("  header: true\n")
	}
	if tf.latin1 {
		b.WriteString("  encoding: latin-1\n")
	}
	is.writeReading(&b)
	is.writeColumns(&b, columns)
	is.writeDefaults(&b)
	return []byte(b.String())
}

// traits are what a set of columns has as a whole.
type traits struct {
	label                       int // the label column, −1 for none
	infinite, categories, times bool
	layouts                     []string // of times that are texts
}

// writeTruth writes the label and the columns to drop: those of which nearly every row has a value of its
// own, and more that the caller names.
func writeTruth(b *strings.Builder, columns []guess, more []string) traits {
	var is traits
	var benign, drop []string
	is.label, benign = findLabel(columns)
	class := ""
	if n := len(columns) - len(export.ExportNames); n >= 0 &&
		slices.EqualFunc(columns[n:], export.ExportNames, func(g guess, name string) bool { return g.name == name }) {
		is.label, benign, class = n, []string{"0"}, export.ExportNames[1] // written by Export: no guess needed
		more = append(more, export.ExportNames[2:]...)
	}
	for i := range columns {
		c := &columns[i]
		is.infinite = is.infinite || c.infinite
		switch {
		case i == is.label || c.name == class || slices.Contains(more, c.name):
		case c.kind == "category" && len(c.values) > 100 && 2*len(c.values) > min(c.n, 10_000):
			drop = append(drop, c.name)
		case c.kind == "category":
			is.categories = true
		case c.kind == "time":
			is.times = true
			if c.layout != "" && !slices.Contains(is.layouts, c.layout) {
				is.layouts = append(is.layouts, c.layout)
			}
		}
	}
	if is.label >= 0 {
		fmt.Fprintf(b, "label:\n  column: %s\n", quoteYAML(columns[is.label].name))
		switch {
		case class != "":
			fmt.Fprintf(b, "  class: %s\n", class)
		case benign != nil:
			b.WriteString("  # a guess: say what is benign\n")
		default:
			benign = []string{commonestValue(columns[is.label])}
			b.WriteString("  # nothing looks benign: the most frequent label stands here; say what is benign\n")
		}
		fmt.Fprintf(b, "  benign: %s\n", listYAML(benign))
	} else {
		b.WriteString("# no column looks like a label: without one nothing can be evaluated\n")
	}
	if drop != nil {
		b.WriteString("# nearly every row has a value of its own\n")
	}
	if more != nil {
		fmt.Fprintf(b, "# where a row came from, or nothing that a column can hold: %s\n", listYAML(more))
	}
	if drop = append(drop, more...); drop != nil {
		fmt.Fprintf(b, "drop: %s\n", listYAML(drop))
	}
	return is
}

// writeReading writes the options that all formats with missing marks share.
func (is traits) writeReading(b *strings.Builder) {
	if is.infinite {
		b.WriteString("  nonfinite: missing\n")
	}
	fmt.Fprintf(b, "  missing: %s\n", listYAML(missingMarks))
	if is.layouts != nil {
		fmt.Fprintf(b, "  time_layouts: %s\n", listYAML(is.layouts))
	}
}

func (is traits) writeColumns(b *strings.Builder, columns []guess) {
	b.WriteString("  columns:\n")
	for i := range columns {
		kind := columns[i].kind
		if i == is.label {
			kind = "category"
		}
		fmt.Fprintf(b, "    - {name: %s, type: %s}\n", quoteYAML(columns[i].name), kind)
	}
}

// writeDefaults writes the split and the preprocessing.
func (is traits) writeDefaults(b *strings.Builder) {
	if is.times {
		b.WriteString("split: {kind: time, test: 0.4, validation: 0.2}\n")
	} else {
		b.WriteString("split: {kind: random, test: 0.4, validation: 0.1}\n")
	}
	b.WriteString("prep:\n  - impute\n  - drop_constant\n")
	if is.categories {
		b.WriteString("  - onehot\n")
	}
	b.WriteString("  - {step: scale, kind: zscore}\n")
}

func commonestValue(g guess) string {
	best, top := "", -1
	for v, n := range g.values {
		if n > top || n == top && v < best {
			best, top = v, n
		}
	}
	return best
}

func listYAML(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quoteYAML(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
