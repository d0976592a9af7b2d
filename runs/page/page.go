package page

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

//go:embed shell.html
var shellText string

//go:embed base.css
var baseStyle string

//go:embed base.js
var baseScript string

// Page is a kind of page: a template for what stands in its main element, with its own style and script after those
// that every page has.
type Page struct {
	template *template.Template
	style    template.CSS
	script   template.JS
}

// New is a page with a body, an html/template that is given the view, and the style and script that it adds. It panics
// where the body is not a template.
func New(body, style, script string) *Page {
	t := template.Must(template.New("shell").Parse(shellText))
	template.Must(t.New("body").Parse(body))
	return &Page{t, template.CSS(baseStyle + style), template.JS(baseScript + script)}
}

// Head is what a page says about itself.
type Head struct {
	Title  string
	Served bool // it may ask the server that it came from, and no other
}

// Write writes the page: view is what the body shows, data what scripts get as the value of "data", encoded as JSON.
func (p *Page) Write(w io.Writer, head Head, view, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var b bytes.Buffer
	err = p.template.Execute(&b, map[string]any{"Title": head.Title, "Served": head.Served, "Style": p.style,
		"Script": p.script, "View": view, "Data": template.JS(raw)}) // json.Marshal escapes <, > and &
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if _, err = w.Write(shown(b.Bytes())); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// shown is a page without characters that turn the direction of text or do not show: they become \u and their number,
// which the JSON within it reads back as what they were.
func shown(text []byte) []byte {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' && !unicode.Is(unicode.Zs, r) }
	if bytes.IndexFunc(text, hidden) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for _, r := range string(text) {
		switch {
		case !hidden(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			a, b := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, a, b)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// Packed is a column of numbers for scripts, whose function unpack gives a typed array: little-endian, in base64.
type Packed struct {
	Kind  string `json:"k"`
	Bytes string `json:"b"`
}

// Pack is a column of numbers of one type, 1.34 bytes of the page for one of memory.
func Pack[T uint8 | uint16 | uint32 | int32 | float32](v []T) Packed {
	raw, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err) // the types have fixed sizes
	}
	var zero T
	kind := map[any]string{uint8(0): "u8", uint16(0): "u16", uint32(0): "u32", int32(0): "i32", float32(0): "f32"}
	return Packed{kind[zero], base64.StdEncoding.EncodeToString(raw)}
}

// Table is the numbers of a figure for scripts, which save them as CSV: in data.figures under the name that the
// figure's element has in data-figure.
type Table struct {
	Heads   []string `json:"heads"`
	Columns []any    `json:"columns"` // each a Packed or a list of texts
}

// Shares is a column of numbers from 0 to 1, or NaN, to a 65,534th.
func Shares(v []float32) Packed {
	out := make([]uint16, len(v))
	for i, x := range v {
		out[i] = math.MaxUint16
		if x == x {
			out[i] = uint16(math.Round(float64(x) * (math.MaxUint16 - 1)))
		}
	}
	p := Pack(out)
	p.Kind = "share"
	return p
}

// TableOf packs a table of texts, heads first: columns of numbers from 0 to 1 and empty texts as shares, those of other
// numbers to seven figures, others as they are.
func TableOf(rows [][]string) Table {
	t := Table{Heads: rows[0]}
	for k := range rows[0] {
		numbers, texts, numeric := make([]float32, 0, len(rows)), make([]string, 0, len(rows)), true
		share := true
		for _, row := range rows[1:] {
			v, err := strconv.ParseFloat(row[k], 32)
			if row[k] == "" {
				v, err = math.NaN(), nil
			}
			numeric = numeric && err == nil
			share = share && !(v < 0 || v > 1)
			numbers, texts = append(numbers, float32(v)), append(texts, row[k])
		}
		switch share = share && k > 0; { // the first column is where things stand, and is kept exact
		case numeric && share:
			t.Columns = append(t.Columns, Shares(numbers))
		case numeric:
			t.Columns = append(t.Columns, Pack(numbers))
		default:
			t.Columns = append(t.Columns, texts)
		}
	}
	return t
}
