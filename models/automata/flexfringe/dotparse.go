package flexfringe

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// dotStatement is one statement of a DOT file: a node, an arrow or default attributes.
type dotStatement struct {
	from, to string // to is empty but for arrows
	arrow    bool
	keyword  string // graph, node or edge for default attributes
	attrs    map[string]string
	at       int
}

// dotToken is a word, a quoted string, or punctuation.
type dotToken struct {
	text   string
	punct  bool // one of { } [ ] ; , = : and ->
	quoted bool
	at     int
}

// dotError is an error with its place.
type dotError struct {
	at  int
	err error
}

func (e *dotError) Error() string { return e.err.Error() }

func dotFail(at int, format string, args ...any) error {
	return &dotError{at, fmt.Errorf(format, args...)}
}

// dotParser reads the part of the DOT language that drawings of machines use: one directed graph of nodes,
// arrows (also chains) and attributes. Subgraphs, ports and HTML labels are refused.
type dotParser struct {
	src []byte
	pos int
	tok dotToken
}

func (p *dotParser) next() error {
	if err := p.blank(); err != nil {
		return err
	}
	p.tok = dotToken{at: p.pos}
	if p.pos >= len(p.src) {
		p.tok.punct = true
		return nil
	}
	c := p.src[p.pos]
	switch {
	case c == '"':
		return p.quoted()
	case c == '<':
		return dotFail(p.pos, "HTML labels are not read")
	case strings.IndexByte("{}[];,=:+", c) >= 0:
		p.tok.text, p.tok.punct = string(c), true
		p.pos++
		return nil
	case c == '-' && p.pos+1 < len(p.src) && (p.src[p.pos+1] == '>' || p.src[p.pos+1] == '-'):
		p.tok.text, p.tok.punct = string(p.src[p.pos:p.pos+2]), true
		p.pos += 2
		return nil
	}
	from := p.pos
	for p.pos < len(p.src) && dotWordByte(p.src[p.pos]) {
		p.pos++
	}
	if p.pos == from && c == '-' { // a negative number
		p.pos++
		for p.pos < len(p.src) && dotWordByte(p.src[p.pos]) {
			p.pos++
		}
	}
	if p.pos == from || p.pos == from+1 && c == '-' {
		r, _ := utf8.DecodeRune(p.src[from:])
		return dotFail(from, "unexpected %q", r)
	}
	p.tok.text = string(p.src[from:p.pos])
	return nil
}

func dotWordByte(c byte) bool {
	return c == '_' || c == '.' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// blank passes over blanks and comments.
func (p *dotParser) blank() error {
	for p.pos < len(p.src) {
		rest := p.src[p.pos:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			p.pos++
		case c == '#' && (p.pos == 0 || p.src[p.pos-1] == '\n'),
			strings.HasPrefix(string(rest[:min(2, len(rest))]), "//"):
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
		case strings.HasPrefix(string(rest[:min(2, len(rest))]), "/*"):
			end := strings.Index(string(rest[2:]), "*/")
			if end < 0 {
				return dotFail(p.pos, "comment without an end")
			}
			p.pos += 2 + end + 2
		default:
			return nil
		}
	}
	return nil
}

// quoted reads a string. The escapes \n, \l and \r of labels become line breaks, \" and \\ themselves.
func (p *dotParser) quoted() error {
	from := p.pos
	var b strings.Builder
	for p.pos++; p.pos < len(p.src); p.pos++ {
		c := p.src[p.pos]
		switch {
		case c == '"':
			p.pos++
			p.tok = dotToken{text: b.String(), quoted: true, at: from}
			return nil
		case c == '\\' && p.pos+1 < len(p.src):
			p.pos++
			switch e := p.src[p.pos]; e {
			case 'n', 'l', 'r':
				b.WriteByte('\n')
			case '"', '\\':
				b.WriteByte(e)
			case '\n':
			default:
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		default:
			b.WriteByte(c)
		}
	}
	return dotFail(from, "string without an end")
}

func (p *dotParser) is(punct string) bool { return p.tok.punct && p.tok.text == punct }

func (p *dotParser) end() bool { return p.tok.punct && p.tok.text == "" }

func (p *dotParser) word(text string) bool {
	return !p.tok.punct && !p.tok.quoted && strings.EqualFold(p.tok.text, text)
}

func (p *dotParser) expect(punct string) error {
	if !p.is(punct) {
		return p.unexpected("want " + punct)
	}
	return p.next()
}

func (p *dotParser) unexpected(want string) error {
	if p.end() {
		return dotFail(p.tok.at, "the file ends, %s", want)
	}
	return dotFail(p.tok.at, "unexpected %q, %s", p.tok.text, want)
}

// parse reads the graph.
func (p *dotParser) parse() ([]dotStatement, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.word("strict") {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if !p.word("digraph") {
		return nil, p.unexpected("want digraph")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.tok.punct {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var out []dotStatement
	for !p.is("}") {
		if p.is(";") {
			if err := p.next(); err != nil {
				return nil, err
			}
			continue
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		out = append(out, s...)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.unexpected("want the end of the file behind the graph")
	}
	return out, nil
}

func (p *dotParser) statement() ([]dotStatement, error) {
	at := p.tok.at
	switch {
	case p.word("subgraph") || p.is("{"):
		return nil, dotFail(at, "subgraphs are not read")
	case p.tok.punct:
		return nil, p.unexpected("want a node")
	}
	first := p.tok
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.is("=") { // an attribute of the graph
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.tok.punct {
			return nil, p.unexpected("want a value")
		}
		s := dotStatement{keyword: "graph", attrs: map[string]string{first.text: p.tok.text}, at: at}
		return []dotStatement{s}, p.next()
	}
	if !first.quoted {
		switch k := strings.ToLower(first.text); k {
		case "graph", "node", "edge":
			attrs, err := p.attributes()
			return []dotStatement{{keyword: k, attrs: attrs, at: at}}, err
		}
	}
	chain := []dotToken{first}
	for p.is("->") {
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.tok.punct || p.word("subgraph") {
			return nil, p.unexpected("want a node")
		}
		chain = append(chain, p.tok)
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	attrs, err := p.attributes()
	if err != nil {
		return nil, err
	}
	if len(chain) == 1 {
		return []dotStatement{{from: first.text, attrs: attrs, at: at}}, nil
	}
	var out []dotStatement
	for i := 1; i < len(chain); i++ {
		out = append(out, dotStatement{from: chain[i-1].text, to: chain[i].text, arrow: true, attrs: attrs, at: at})
	}
	return out, nil
}

// attributes reads any number of lists in brackets; a later value replaces an earlier one.
func (p *dotParser) attributes() (map[string]string, error) {
	attrs := map[string]string{}
	for p.is("[") {
		if err := p.next(); err != nil {
			return nil, err
		}
		for !p.is("]") {
			if p.is(",") || p.is(";") {
				if err := p.next(); err != nil {
					return nil, err
				}
				continue
			}
			if p.tok.punct {
				return nil, p.unexpected("want an attribute or ]")
			}
			name := p.tok.text
			if err := p.next(); err != nil {
				return nil, err
			}
			attrs[name] = "true"
			if p.is("=") {
				if err := p.next(); err != nil {
					return nil, err
				}
				if p.tok.punct {
					return nil, p.unexpected("want a value")
				}
				attrs[name] = p.tok.text
				if err := p.next(); err != nil {
					return nil, err
				}
			}
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return attrs, nil
}

// offset is where in the file an error lies.
func offset(err error) int64 {
	var d *dotError
	if errors.As(err, &d) {
		return int64(d.at)
	}
	return 0
}
