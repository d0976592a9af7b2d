package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Node is a YAML node together with what is needed to say where it stands. As the type of a struct field it
// receives the value undecoded.
type Node struct {
	File    string
	YAML    *yaml.Node            // nil: nothing given
	Path    string                // key path of YAML in the whole
	Origins map[*yaml.Node]string // nodes that do not come from File, and where they come from instead
}

// Decoder is implemented by types that take more than one shape, such as a name or a map.
type Decoder interface{ UnmarshalSettings(d Node) Problems }

// Parse reads one YAML document. An empty one gives a Node without YAML.
func Parse(file string, raw []byte) (Node, error) {
	d := Node{File: file}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var root yaml.Node
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return d, nil
	} else if err != nil {
		return d, Problems{syntaxProblem(file, err)}
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return d, Problems{{Where: fmt.Sprintf("%s:%d:1", file, more.Line),
			Msg: "a second YAML document; want one a file"}}
	} else if !errors.Is(err, io.EOF) {
		return d, Problems{syntaxProblem(file, err)}
	}
	d.YAML = &root
	if root.Kind == yaml.DocumentNode {
		d.YAML = root.Content[0]
	}
	budget := maxNodes
	node, p := expand(d, d.YAML, 0, &budget)
	if p != nil {
		return d, Problems{*p}
	}
	d.YAML = node
	return d, nil
}

// syntaxProblem turns the library's "yaml: line 3: what" into file:line.
func syntaxProblem(file string, err error) Problem {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, rest, _ := strings.Cut(msg, ": ")
		return Problem{Where: fmt.Sprintf("%s:%d:1", file, line), Msg: "YAML: " + rest}
	}
	return Problem{Where: file, Msg: "YAML: " + msg}
}

// coreTags are the types that a document may spell out.
var coreTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"}

// expand replaces aliases by what they stand for, within the limits.
func expand(d Node, n *yaml.Node, depth int, budget *int) (*yaml.Node, *Problem) {
	if *budget--; *budget < 0 || depth > maxDepth {
		p := d.problem(n, "", "nested or repeated too often")
		return nil, &p
	}
	if n.Kind == yaml.AliasNode {
		return expand(d, n.Alias, depth+1, budget)
	}
	if n.Style&yaml.TaggedStyle != 0 && !slices.Contains(coreTags, n.ShortTag()) {
		p := d.problem(n, "", "unknown tag %s", n.Tag)
		return nil, &p
	}
	for i, c := range n.Content {
		e, p := expand(d, c, depth+1, budget)
		if p != nil {
			return nil, p
		}
		n.Content[i] = e
	}
	return n, nil
}

// Where is the place of node n of this document.
func (d Node) Where(n *yaml.Node) string {
	if o, ok := d.Origins[n]; ok {
		return o
	}
	if n == nil || n.Line == 0 {
		return d.File
	}
	return fmt.Sprintf("%s:%d:%d", d.File, n.Line, n.Column)
}

func (d Node) problem(n *yaml.Node, path, format string, args ...any) Problem {
	return Problem{Where: d.Where(n), Path: path, Msg: fmt.Sprintf(format, args...)}
}

// Problem is one problem with the document's node as a whole.
func (d Node) Problem(format string, args ...any) Problem {
	return d.problem(d.YAML, d.Path, format, args...)
}

// Sub is the same document narrowed to one of its nodes.
func (d Node) Sub(n *yaml.Node, key string) Node {
	d.YAML, d.Path = n, join(d.Path, key)
	return d
}

// Get is the value under key of a mapping, and whether there is one.
func (d Node) Get(key string) (Node, bool) {
	if d.YAML != nil && d.YAML.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(d.YAML.Content); i += 2 {
			if d.YAML.Content[i].Value == key {
				return d.Sub(d.YAML.Content[i+1], key), true
			}
		}
	}
	return Node{}, false
}

// At is the node under dotted keys, or the last on the way to it that is there: where to say what is wrong with a
// setting that may have been left out.
func (d Node) At(keys string) Node {
	for key := range strings.SplitSeq(keys, ".") {
		below, ok := d.Get(key)
		if !ok {
			break
		}
		d = below
	}
	return d
}

// Items are the elements of a sequence; a scalar other than null stands for a list of one.
func (d Node) Items() []Node {
	switch {
	case d.YAML == nil || d.YAML.Kind == yaml.MappingNode || d.YAML.Tag == "!!null":
		return nil
	case d.YAML.Kind == yaml.ScalarNode:
		return []Node{d}
	}
	out := make([]Node, len(d.YAML.Content))
	for i, n := range d.YAML.Content {
		out[i] = d.Sub(n, strconv.Itoa(i))
	}
	return out
}
