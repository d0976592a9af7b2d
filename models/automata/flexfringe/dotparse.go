package flexfringe

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"
)

// dotStatement is one statement of a DOT file: a node, an arrow or default attributes.
type dotStatement struct {
	from, to string // to is empty but for arrows
	arrow    bool
	keyword  string // graph, node or edge for default attributes
	attrs    map[string]string
	at       int // its number
}

func (s *dotStatement) String() string {
	switch {
	case s.keyword != "":
		return s.keyword
	case s.arrow:
		return fmt.Sprintf("arrow %q -> %q", s.from, s.to)
	}
	return fmt.Sprintf("node %q", s.from)
}

// dotError is an error with the number of its statement; −1 for none.
type dotError struct {
	at  int
	err error
}

func (e *dotError) Error() string { return e.err.Error() }

func dotFail(at int, format string, args ...any) error {
	return &dotError{at, fmt.Errorf(format, args...)}
}

// syntaxError is an error of the parser, which begins with line:column.
type syntaxError struct{ error }

// parseDOT reads the part of the DOT language that drawings of machines use: one directed graph of nodes, arrows (also
// chains) and attributes. Subgraphs, ports and HTML labels are refused. Errors of syntax begin with line:column.
func parseDOT(raw []byte) (out []dotStatement, err error) {
	defer func() { // the parser is generated code that other people maintain
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("it cannot be parsed: %v", p)
		}
	}()
	file, err := dot.ParseBytes(raw)
	if err != nil {
		return nil, syntaxError{err}
	}
	if len(file.Graphs) != 1 || !file.Graphs[0].Directed {
		return nil, fmt.Errorf("want one digraph")
	}
	for i, s := range file.Graphs[0].Stmts {
		if out, err = addStatement(out, s); err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	for i := range out {
		out[i].at = i
	}
	return out, nil
}

func addStatement(to []dotStatement, s ast.Stmt) ([]dotStatement, error) {
	switch s := s.(type) {
	case *ast.Attr: // of the graph
		attrs, err := attributes([]*ast.Attr{s})
		return append(to, dotStatement{keyword: "graph", attrs: attrs}), err
	case *ast.AttrStmt:
		attrs, err := attributes(s.Attrs)
		return append(to, dotStatement{keyword: s.Kind.String(), attrs: attrs}), err
	case *ast.NodeStmt:
		name, err := nodeName(s.Node)
		if err != nil {
			return nil, err
		}
		attrs, err := attributes(s.Attrs)
		return append(to, dotStatement{from: name, attrs: attrs}), err
	case *ast.EdgeStmt:
		attrs, err := attributes(s.Attrs)
		if err != nil {
			return nil, err
		}
		from, err := nodeName(s.From)
		for e := s.To; e != nil && err == nil; e = e.To {
			var next string
			if next, err = nodeName(e.Vertex); err == nil {
				to = append(to, dotStatement{from: from, to: next, arrow: true, attrs: attrs})
				from = next
			}
		}
		return to, err
	}
	return nil, fmt.Errorf("subgraphs are not read")
}

func nodeName(v ast.Vertex) (string, error) {
	n, ok := v.(*ast.Node)
	switch {
	case !ok:
		return "", fmt.Errorf("subgraphs are not read")
	case n.Port != nil:
		return "", fmt.Errorf("node %s: ports are not read", n.ID)
	}
	return unquote(n.ID)
}

// attributes is a list as a map: a later value replaces an earlier one.
func attributes(list []*ast.Attr) (map[string]string, error) {
	out := map[string]string{}
	for _, a := range list {
		key, err := unquote(a.Key)
		if err != nil {
			return nil, err
		}
		if out[key], err = unquote(a.Val); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", key, err)
		}
	}
	return out, nil
}

// unquote is what an identifier stands for. Of a string, the escapes \n, \l and \r of labels become line breaks, \" and
// \\ themselves.
func unquote(id string) (string, error) {
	if strings.HasPrefix(id, "<") {
		return "", fmt.Errorf("HTML labels are not read")
	}
	if len(id) < 2 || id[0] != '"' {
		return id, nil
	}
	id = id[1 : len(id)-1]
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		if id[i] != '\\' || i+1 == len(id) {
			b.WriteByte(id[i])
			continue
		}
		i++
		switch e := id[i]; e {
		case 'n', 'l', 'r':
			b.WriteByte('\n')
		case '"', '\\':
			b.WriteByte(e)
		case '\n':
		default:
			b.WriteByte('\\')
			b.WriteByte(e)
		}
	}
	return b.String(), nil
}
