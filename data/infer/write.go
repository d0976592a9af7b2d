package infer

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/data/export"
	"plumbline/data/guess"
	"plumbline/data/rows"
)

// findings are what a file's rows tell.
type findings struct {
	columns  []*guess.Column
	odd      int  // rows of another width
	repeated bool // the header stands again among the rows
	summary  bool // a line Summary ends the rows
	rows     [][]int32
	codes    []map[string]int32
	comments []string
	notation []string // lines of options
	apart    bool     // the format takes endpoints apart
}

// keptRows is of how many rows the texts are kept as codes, to see which columns the label determines.
const keptRows = 50_000

func (f *findings) look(cells []string) {
	if f.codes == nil {
		f.codes = make([]map[string]int32, len(f.columns))
		for i := range f.codes {
			f.codes[i] = map[string]int32{}
		}
	}
	keep := len(f.rows) < keptRows
	var row []int32
	for i, c := range cells {
		f.columns[i].Look(c)
		if !keep {
			continue
		}
		code, ok := f.codes[i][c]
		if !ok {
			if code = int32(len(f.codes[i])); len(f.codes[i]) >= fewLevels {
				code = -1
			} else {
				f.codes[i][c] = code
			}
		}
		row = append(row, code)
	}
	if keep {
		f.rows = append(f.rows, row)
	}
}

// fewLevels is how many different texts a column of classes has at most.
const fewLevels = 200

func (f *findings) decide() {
	for _, c := range f.columns {
		c.Decide()
	}
	n, others := guess.Common(f.columns)
	if n.Units {
		f.notation = append(f.notation, "units: true")
	}
	if n.Decimal != 0 {
		f.notation = append(f.notation, fmt.Sprintf("decimal: %q", string(n.Decimal)))
	}
	if n.Thousands != 0 {
		f.notation = append(f.notation, fmt.Sprintf("thousands: %q", string(n.Thousands)))
	}
	for _, c := range others {
		f.comments = append(
			f.comments,
			fmt.Sprintf("column %q holds numbers in another notation than the rest, and is read as texts", c.Name),
		)
	}
}

func (f *findings) writeNotation(b *strings.Builder) {
	for _, line := range f.notation {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// determined says whether each value of the label has one value of column i, which has several.
func (f *findings) determined(i, label int) bool {
	of := map[int32]int32{}
	n := map[int32]int{}
	values := map[int32]bool{}
	for _, r := range f.rows {
		l, v := r[label], r[i]
		if l < 0 || v < 0 {
			return false
		}
		if was, ok := of[l]; ok && was != v {
			return false
		}
		of[l], values[v] = v, true
		n[l]++
	}
	rows := 0
	for _, k := range n {
		if k > 1 {
			rows += k
		}
	}
	const few = 20
	return len(values) > 1 && rows >= few
}

// truthNames are what columns that tell the truth are called, without case, blanks and marks.
var truthNames = []string{
	"label", "class", "attackcat", "attack", "category", "subcategory", "outcome", "target", "anomaly",
	"isanomaly", "isattack", "malicious", "type", "y", "attacktype", "attacklabel", "attackcategory",
	"attemptedcategory", "detailedlabel", "binarylabel",
	"trafficcategory", "attackid", "attackdescription", "mitreattacktactics", "tactic", "stage", "activity", "signature",
	"labeltactic", "labeltechnique", "class1", "class2", "class3", "threat", "difficulty",
}

// traits are what a set of columns has as a whole.
type traits struct {
	label      int // the label column, −1 for none
	class      string
	gone       []string // columns that are no features
	infinite   bool
	categories bool
	times      []*guess.Column
	addresses  []*guess.Column
	ports      []*guess.Column
	layouts    []string // of times that are texts
	missing    []string
	halfDay    bool
	features   []*guess.Column
	odd        bool
}

// writeTruth writes the label and the columns to drop: those that tell the truth a second time, that number or name
// rows, and more that the caller names.
func (f *findings) writeTruth(b *strings.Builder, more []string) traits {
	columns := f.columns
	is := traits{odd: f.odd > 0, missing: []string{""}}
	var benign, levels, counts, names []string
	is.label, benign = findLabel(columns)
	var exported []string
	if n := len(columns) - len(export.ExportNames); n >= 0 && slices.EqualFunc(
		columns[n:], export.ExportNames, func(g *guess.Column, name string) bool { return g.Name == name }) {
		is.label, benign, is.class = n, []string{"0"}, export.ExportNames[1] // written by Export: no guess needed
		exported = export.ExportNames[2:]
		more = append(more, exported...)
	}
	if is.label >= 0 && is.class == "" {
		is.class, levels = f.levels(is.label)
	}
	for i, c := range columns {
		is.infinite = is.infinite || c.Infinite
		for _, m := range c.Missing {
			if !slices.Contains(is.missing, m) {
				is.missing = append(is.missing, m)
			}
		}
		switch {
		case i == is.label || c.Name == is.class || slices.Contains(more, c.Name) || slices.Contains(levels, c.Name):
			continue
		case c.Counts():
			counts = append(counts, c.Name)
			continue
		case c.Names() && !c.Endpoints():
			names = append(names, c.Name)
			continue
		case c.Kind == guess.Time:
			is.times = append(is.times, c)
			layout := c.Layout
			if layout == "" {
				layout = "unix"
			}
			if !slices.Contains(is.layouts, layout) {
				is.layouts = append(is.layouts, layout)
			}
			f.aboutTime(c)
			is.halfDay = is.halfDay || c.HalfDay
		case c.Kind == guess.Address:
			is.addresses = append(is.addresses, c)
		case c.IsPort():
			is.ports = append(is.ports, c)
		case c.Endpoints() && f.apart:
			f.comments = append(f.comments, fmt.Sprintf(
				"column %q holds an address and a port in one cell: they become two columns", c.Name))
			c.Kind = string(rows.Endpoint)
			address, port := guess.New(c.Name+".address"), guess.New(c.Name+".port")
			address.Kind, port.Kind = guess.Address, guess.Number
			is.addresses, is.ports = append(is.addresses, address), append(is.ports, port)
			continue
		case c.Endpoints():
			f.comments = append(
				f.comments,
				fmt.Sprintf("column %q holds an address and a port in one cell: it names endpoints, no hosts", c.Name),
			)
			names = append(names, c.Name)
			continue
		default:
			is.categories = is.categories || c.Kind == guess.Category
			is.features = append(is.features, c)
		}
	}
	if slices.Equal(is.layouts, []string{"unix"}) {
		is.layouts = nil
	}
	slices.Sort(is.missing)
	f.writeLabel(b, is, benign, levels, exported != nil)
	for _, c := range f.comments {
		fmt.Fprintf(b, "# %s\n", c)
	}
	for _, d := range []struct {
		why   string
		names []string
	}{{"counts the rows", counts}, {"nearly every row has a value of its own", names},
		{"where a row came from, or nothing that a column can hold", more}} {
		if d.names != nil {
			fmt.Fprintf(b, "# %s: %s\n", d.why, listYAML(d.names))
			is.gone = append(is.gone, d.names...)
		}
	}
	if is.gone != nil {
		fmt.Fprintf(b, "drop: %s\n", listYAML(is.gone))
	}
	return is
}

func (f *findings) writeLabel(b *strings.Builder, is traits, benign, levels []string, exported bool) {
	if is.label < 0 {
		b.WriteString("# no column looks like a label: without one nothing can be evaluated\n")
		return
	}
	label := f.columns[is.label]
	fmt.Fprintf(b, "label:\n  column: %s\n", quoteYAML(label.Name))
	if is.class != "" {
		fmt.Fprintf(b, "  class: %s\n", quoteYAML(is.class))
	}
	if levels != nil {
		fmt.Fprintf(b, "  # these tell the truth too: they are no features\n  levels: %s\n", listYAML(levels))
	}
	switch {
	case exported:
	case benign != nil:
		b.WriteString("  # a guess: say what is benign\n")
	case commonestValue(label) == "":
		benign = []string{"benign"}
		b.WriteString("  # every row looks like an attack: say what is benign\n")
	default:
		benign = []string{commonestValue(label)}
		b.WriteString("  # nothing looks benign: the most frequent label stands here; say what is benign\n")
	}
	fmt.Fprintf(b, "  benign: %s\n", listYAML(benign))
	if len(label.Missing) > 0 || is.odd {
		b.WriteString(
			"# some rows have no label, or another number of cells: up to this share of them is left out\n" +
				"max_bad_share: 0.05\n",
		)
	}
}

// levels are the columns besides the label that tell the truth, by their names or since the label determines them: the
// finest of them is the class.
func (f *findings) levels(label int) (class string, levels []string) {
	most := len(f.columns[label].Values)
	for i, c := range f.columns {
		named := slices.Contains(truthNames, truthName(c.Name)) && len(c.Values) <= fewLevels
		unnamed := c.Name == fmt.Sprintf("c%d", i+1)
		switch {
		case i == label:
			continue
		case unnamed && i == label+1: // what NSL-KDD adds after the label: how many classifiers got it right
			levels = append(levels, c.Name)
			continue
		case unnamed && i == label-1 && c.Kind == guess.Category && f.determined(label, i):
			named = true // the class stands before the label
		}
		if !named && (c.Kind != guess.Category || !f.determined(i, label)) {
			continue
		}
		if c.Kind == guess.Category && (len(c.Values) > most || named && class == "" && len(c.Values) == most) {
			if class != "" {
				levels = append(levels, class)
			}
			class, most = c.Name, len(c.Values)
			continue
		}
		levels = append(levels, c.Name)
	}
	return class, levels
}

func (f *findings) aboutTime(c *guess.Column) {
	if c.Other != "" {
		f.comments = append(
			f.comments,
			fmt.Sprintf("column %q: day and month cannot be told apart: %s in layout %s, %s in layout %s",
				c.Name, c.Spans(c.Layout), c.Layout, c.Spans(c.Other), c.Other),
		)
	}
	if c.HalfDay {
		f.comments = append(
			f.comments,
			fmt.Sprintf("column %q: no time after 12:59, and times fall back by 12 hours: a 12-hour clock "+
				"without AM/PM? hours: work has the hours 1 to 7 be afternoon", c.Name),
		)
	}
}

// writeReading writes the options that all formats with missing marks share.
func (is traits) writeReading(b *strings.Builder) {
	if is.infinite {
		b.WriteString("  nonfinite: missing\n")
	}
	fmt.Fprintf(b, "  missing: %s\n", listYAML(is.missing))
	if is.layouts != nil {
		fmt.Fprintf(b, "  time_layouts: %s\n", listYAML(is.layouts))
	}
}

func (is traits) writeColumns(b *strings.Builder, columns []*guess.Column) {
	b.WriteString("  columns:\n")
	for i, c := range columns {
		kind := c.Kind
		if i == is.label || c.Name == is.class {
			kind = guess.Category
		}
		fmt.Fprintf(b, "    - {name: %s, type: %s}\n", quoteYAML(c.Name), kind)
	}
}

// writeDefaults writes the split, the preprocessing and, where there are times and addresses, the traces.
func (is traits) writeDefaults(b *strings.Builder) {
	split := "random, test: 0.4, validation: 0.1"
	if len(is.times) > 0 && len(is.times[0].Values) > 1 {
		split = "time, test: 0.4, validation: 0.2"
		if len(is.times) > 1 {
			split = fmt.Sprintf("time, column: %s, test: 0.4, validation: 0.2", quoteYAML(is.times[0].Name))
		}
	}
	fmt.Fprintf(b, "split: {kind: %s}\nprep:\n", split)
	for _, p := range is.ports {
		if name := strings.ToLower(p.Name); strings.Contains(name, "src") || strings.Contains(name, "source") ||
			strings.Contains(name, "orig") || name == "sport" || name == "sp" {
			fmt.Fprintf(b, "  - {step: drop, columns: [%s]}\n", quoteYAML(p.Name))
			continue
		}
		fmt.Fprintf(b, "  - {step: group_ports, columns: [%s]}\n", quoteYAML(p.Name))
	}
	b.WriteString("  - impute\n")
	if is.categories {
		b.WriteString("  - onehot\n")
	}
	b.WriteString("  - {step: scale, kind: zscore}\n")
	is.writeTraces(b)
}

// writeTraces writes traces of the first address: the symbols are up to two categories and three numbers.
func (is traits) writeTraces(b *strings.Builder) {
	if len(is.times) == 0 || len(is.addresses) == 0 {
		return
	}
	var symbols []string
	const fewSymbols, categories, all = 30, 2, 5
	for _, c := range is.features {
		if c.Kind == guess.Category && len(c.Values) > 1 && len(c.Values) <= fewSymbols && len(symbols) < categories {
			symbols = append(symbols, quoteYAML(c.Name))
		}
	}
	for _, hint := range []string{"byt", "len", "pk", "packet", "dur"} {
		for _, c := range is.features {
			is := c.Kind == guess.Number && len(c.Values) > 1 && strings.Contains(strings.ToLower(c.Name), hint)
			symbol := fmt.Sprintf("{column: %s, bins: 5}", quoteYAML(c.Name))
			if is && len(symbols) < all && !slices.Contains(symbols, symbol) {
				symbols = append(symbols, symbol)
				break
			}
		}
	}
	if len(symbols) == 0 {
		return
	}
	fmt.Fprintf(b, "traces:\n  key: [%s]\n", quoteYAML(is.addresses[0].Name))
	if len(is.times) > 1 {
		fmt.Fprintf(b, "  order: %s\n", quoteYAML(is.times[0].Name))
	}
	b.WriteString("  symbols:\n")
	for _, s := range symbols {
		fmt.Fprintf(b, "    - %s\n", s)
	}
	b.WriteString("  window: {length: 10, stride: 1}\n")
}
