package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// override is one command-line change in Hydra's spelling: key=value changes or sets, +key=value adds what
// is not there, ++key=value either, ~key deletes.
type override struct {
	text  string
	mode  string // "", +, ++, ~
	path  []string
	value string
}

func parseOverride(text string) (override, error) {
	o := override{text: text}
	rest := text
	for _, m := range []string{"++", "+", "~"} {
		if strings.HasPrefix(rest, m) {
			o.mode, rest = m, rest[len(m):]
			break
		}
	}
	key, value, ok := strings.Cut(rest, "=")
	if ok == (o.mode == "~") || key == "" {
		return o, fmt.Errorf("command line: %q: want key=value, +key=value, ++key=value or ~key", text)
	}
	o.path, o.value = strings.Split(key, "."), value
	if slices.Contains(o.path, "") {
		return o, fmt.Errorf("command line: %q: empty part in the key", text)
	}
	return o, nil
}

// IsOverride says whether a command-line argument is an override rather than a file.
func IsOverride(arg string) bool {
	return strings.HasPrefix(arg, "~") || strings.HasPrefix(arg, "+") || strings.Contains(arg, "=")
}

// ApplyOverrides changes the document's nodes in place and notes where they come from.
func ApplyOverrides(doc *Node, overrides []string) (ps Problems) {
	for _, text := range overrides {
		o, err := parseOverride(text)
		if err == nil {
			err = o.apply(doc)
		}
		if err != nil {
			ps = append(ps, Problem{Msg: err.Error()})
		}
	}
	return ps
}

func (o override) fail(format string, args ...any) error {
	return fmt.Errorf("command line: %s: %s", o.text, fmt.Sprintf(format, args...))
}

func (o override) apply(doc *Node) error {
	if doc.YAML == nil {
		doc.YAML = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	if doc.Origins == nil {
		doc.Origins = map[*yaml.Node]string{}
	}
	var value *yaml.Node
	if o.mode != "~" {
		parsed, err := Parse("", []byte(o.value))
		if err != nil {
			return o.fail("the value is not YAML: %v", err)
		}
		if value = parsed.YAML; value == nil {
			value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str"}
		}
		mark(value, "command line: "+o.text, doc.Origins)
	}
	path, err := o.indexed(doc.YAML)
	if err != nil {
		return err
	}
	return o.set(doc.YAML, long(path), value, doc.Origins)
}

// entryName says how an entry of the lists of data sets and models is named: which key names what it is, and which
// gives it a name of its own.
var entryName = map[string]struct{ is, own string }{"models": {"model", "label"}, "data": {"data", "name"}}

// indexed is the path with a label or the name of a data set replaced by its number, models.ae.epochs by
// models.0.epochs. A lone name in place of a list becomes the list of one that it stands for.
func (o override) indexed(root *yaml.Node) ([]string, error) {
	path := o.path
	list := valueOf(root, path[0])
	names, ok := entryName[path[0]]
	if !ok || list == nil || len(path) < 2 {
		return path, nil
	}
	if list.Kind == yaml.ScalarNode && list.Tag != "!!null" {
		name := *list
		*list = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: name.Line, Column: name.Column,
			Content: []*yaml.Node{&name}}
	}
	if _, err := strconv.Atoi(path[1]); err == nil || list.Kind != yaml.SequenceNode {
		return path, nil
	}
	var known []string
	for i, n := range list.Content {
		name := n.Value
		for _, key := range []string{names.is, names.own} {
			if v := valueOf(n, key); v != nil {
				name = v.Value
			}
		}
		known = append(known, name)
		// a label may hold dots, and then takes as many of the path
		for k := 2; k <= len(path); k++ {
			if name == strings.Join(path[1:k], ".") {
				return slices.Concat([]string{path[0], strconv.Itoa(i)}, path[k:]), nil
			}
		}
	}
	return nil, o.fail("no entry of %s is called %q%s", path[0], path[1], DidYouMean(path[1], known))
}

// valueOf is the value under a key of a mapping, or nil.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// mark notes the origin of a node and all below it.
func mark(n *yaml.Node, origin string, origins map[*yaml.Node]string) {
	origins[n] = origin
	for _, c := range n.Content {
		mark(c, origin, origins)
	}
}

// entryKeys are the keys of a model entry; any other key is a hyper-parameter, so that models.0.epochs
// stands for models.0.params.epochs.
var entryKeys = []string{"model", "label", "doc", "params"}

// long is the full path that a short one stands for.
func long(p []string) []string {
	if len(p) >= 3 && p[0] == "models" && !slices.Contains(entryKeys, p[2]) {
		p = slices.Concat(p[:2], []string{"params"}, p[2:])
	}
	return p
}

// set walks to the path's last part and changes it. A plain name in a list of data sets or models becomes
// the map that it stands for on the way.
func (o override) set(n *yaml.Node, path []string, value *yaml.Node, origins map[*yaml.Node]string) error {
	for i, key := range path {
		last := i == len(path)-1
		switch n.Kind {
		case yaml.SequenceNode:
			k, err := strconv.Atoi(key)
			if err != nil || k < 0 || k > len(n.Content) || k == len(n.Content) &&
				(!last || o.mode == "" || o.mode == "~") {
				return o.fail("%s has %d items, %q is none of them", strings.Join(path[:i], "."), len(n.Content), key)
			}
			switch {
			case !last:
				expandName(n.Content[k], path[0], origins)
				n = n.Content[k]
			case o.mode == "~":
				n.Content = slices.Delete(n.Content, k, k+1)
			case k == len(n.Content):
				n.Content = append(n.Content, value)
			default:
				n.Content[k] = value
			}
		case yaml.MappingNode:
			at := -1
			for j := 0; j+1 < len(n.Content); j += 2 {
				if n.Content[j].Value == key {
					at = j
				}
			}
			switch {
			case at < 0 && o.mode == "~":
				return o.fail("there is no %s", strings.Join(path[:i+1], "."))
			case last && o.mode == "~":
				n.Content = slices.Delete(n.Content, at, at+2)
			case last && at >= 0 && o.mode == "+":
				return o.fail("%s is there already; use ++ or no sign to change it", strings.Join(path, "."))
			case last && at >= 0:
				n.Content[at+1] = value
			case at < 0:
				k := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}
				v := value
				if !last {
					v = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
				}
				mark(k, "command line: "+o.text, origins)
				if !last {
					mark(v, "command line: "+o.text, origins)
				}
				n.Content = append(n.Content, k, v)
				n = v
			default:
				n = n.Content[at+1]
			}
		default:
			return o.fail("%s is a plain value, it has no %q", strings.Join(path[:i], "."), key)
		}
	}
	return nil
}

// expandName turns the name of a data set or model, n, into a map that refers to it.
func expandName(n *yaml.Node, list string, origins map[*yaml.Node]string) {
	key := map[string]string{"data": "data", "models": "model"}[list]
	if key == "" || n.Kind != yaml.ScalarNode {
		return
	}
	name := *n
	*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: name.Line, Column: name.Column}
	k := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: name.Line, Column: name.Column}
	n.Content = []*yaml.Node{k, &name}
	if o, ok := origins[n]; ok {
		mark(n, o, origins)
	}
}
