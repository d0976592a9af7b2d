package source

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/data/rows"
)

// AbbadingoFile reads symbolic traces as a table with a row for each symbol: columns trace (a name for each
// trace), position (from 0), symbol, class (the trace's label), and the attributes, a0, a1, … where they
// have no names. Traces without a symbol have no row.
type AbbadingoFile struct {
	// traces have no label, as in the PAutomaC competition
	PAutomaC bool `yaml:"pautomac"`
	// real values that each symbol carries
	Attributes int `yaml:"attributes" jsonschema:"minimum=0,maximum=65536"`
}

// Schema lists the columns.
func (d *AbbadingoFile) Schema() []rows.ColumnSpec {
	specs := slices.Clone(symbolColumns)
	for i := range d.Attributes {
		specs = append(specs, rows.ColumnSpec{Name: "a" + strconv.Itoa(i), Type: "number"})
	}
	return specs
}

var symbolColumns = rows.Columns("trace category, position number, symbol category, class category")

// Check says what is wrong with the settings.
func (d *AbbadingoFile) Check(settings.Node) settings.Problems { return nil }

func (d *AbbadingoFile) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, _ int) error {
	dialect := corpus.Abbadingo
	if d.PAutomaC {
		dialect = corpus.PAutomaC
	}
	var c corpus.Corpus
	if err := corpus.ReadAbbadingo(in, name, dialect, &c); err != nil {
		return err
	}
	if c.Width != d.Attributes {
		return fmt.Errorf("%s: symbols carry %d attributes, options.attributes says %d", name, c.Width, d.Attributes)
	}
	specs, err := tb.Begin(d.Schema())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w := newSymbolTable(tb, specs)
	for i := range c.Len() {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		from, to := c.Span(i)
		for k := from; k < to; k++ {
			var attributes []float64
			if c.Width > 0 {
				attributes = c.Attributes[k*c.Width : (k+1)*c.Width]
			}
			w.add(name+":"+strconv.Itoa(i+2), i+2, k-from, c.Alphabet[c.Symbols[k]], c.Types[c.Type[i]], attributes)
		}
	}
	return tb.Add(w.p)
}

// StringColumn reads a delimited file with a header in which one column holds a string a row, such as the
// behaviour letters of CTU-13, as a table with a row for each letter: columns trace, position, symbol and
// class.
type StringColumn struct {
	// one character
	Separator string `yaml:"separator"`
	// column that holds the strings
	Text string `yaml:"text"`
	// column that holds the label
	Class string `yaml:"class"`
}

// Schema lists the columns.
func (d *StringColumn) Schema() []rows.ColumnSpec { return symbolColumns }

// Check says what is wrong with the settings.
func (d *StringColumn) Check(options settings.Node) (ps settings.Problems) {
	if d.Text == "" || d.Class == "" {
		ps = append(ps, options.Problem("text and class must name columns"))
	}
	if len([]rune(d.Separator)) != 1 {
		ps = append(ps, options.Problem("separator %q: want one character", d.Separator))
	}
	return ps
}

func (d *StringColumn) Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, _ int) error {
	r := csv.NewReader(corpus.PastBOM(in))
	r.Comma = []rune(d.Separator)[0]
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	text, class := slices.Index(head, d.Text), slices.Index(head, d.Class)
	if text < 0 || class < 0 {
		return fmt.Errorf("%s:1: want columns %q and %q, the header has %q", name, d.Text, d.Class, head)
	}
	specs, err := tb.Begin(symbolColumns)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w := newSymbolTable(tb, specs)
	for n := 0; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, _ := r.FieldPos(text)
		for k, letter := range []rune(row[text]) {
			w.add(name+":"+strconv.Itoa(line), line, k, string(letter), row[class], nil)
		}
	}
	return tb.Add(w.p)
}

// symbolTable collects symbols as rows.
type symbolTable struct {
	p    *rows.Chunk
	skip []bool
}

func newSymbolTable(tb *rows.Builder, specs []rows.ColumnSpec) *symbolTable {
	skip := tb.Skips(specs)
	return &symbolTable{p: rows.NewChunk(specs, skip), skip: skip}
}

func (w *symbolTable) add(trace string, line, position int, symbol, class string, attributes []float64) {
	for i, text := range []string{trace, "", symbol, class} {
		c := &w.p.Columns[i]
		switch {
		case w.skip[i]:
		case c.Num != nil:
			c.Num = append(c.Num, float64(position))
		case i == 1: // the position as the truth
			c.Code = append(c.Code, c.Intern(strconv.Itoa(position)))
		default:
			c.Code = append(c.Code, c.Intern(text))
		}
	}
	for i, v := range attributes {
		switch c := &w.p.Columns[4+i]; {
		case w.skip[4+i]:
		case c.Num != nil:
			c.Num = append(c.Num, v)
		default:
			c.Code = append(c.Code, c.Intern(strconv.FormatFloat(v, 'g', -1, 64)))
		}
	}
	w.p.Lines = append(w.p.Lines, int32(line))
}
