package settings

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Setting is one key of a [Map].
type Setting struct {
	Key   string
	Value any // what Marshal takes, such as a struct of settings or a Node
}

// Map is settings in an order of their own, for [Marshal].
type Map []Setting

// MarshalYAML is a map with the keys in their order.
func (m Map) MarshalYAML() (any, error) {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, s := range m {
		n := &yaml.Node{}
		if err := n.Encode(s.Value); err != nil {
			return nil, err
		}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s.Key}, n)
	}
	return root, nil
}

// MarshalYAML is the document as it was written, without comments; null where nothing is given.
func (d Node) MarshalYAML() (any, error) {
	if d.YAML == nil {
		return nil, nil
	}
	return plain(d.YAML), nil
}

// plain is a copy without comments.
func plain(n *yaml.Node) *yaml.Node {
	c := *n
	c.HeadComment, c.LineComment, c.FootComment, c.Anchor = "", "", "", ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, k := range n.Content {
		c.Content[i] = plain(k)
	}
	return &c
}

// With is the mapping with one more key, whose value is a text in the place of at.
func (d Node) With(key, value string, at Node) Node {
	n := *d.YAML
	n.Content = slices.Clone(n.Content)
	for _, text := range []string{key, value} {
		scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
		if at.YAML != nil {
			scalar.Line, scalar.Column = at.YAML.Line, at.YAML.Column
		}
		n.Content = append(n.Content, scalar)
	}
	d.YAML = &n
	return d
}

// WithNode is the mapping with another document under a key that it does not have. What each says keeps its place for
// messages.
func (d Node) WithNode(key string, value Node) Node {
	n := *d.YAML
	n.Content = append(slices.Clone(n.Content), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value.YAML)
	origins := maps.Clone(d.Origins)
	if origins == nil {
		origins = map[*yaml.Node]string{}
	}
	if at, ok := d.Origins[d.YAML]; ok {
		origins[&n] = at
	}
	var note func(v *yaml.Node)
	note = func(v *yaml.Node) {
		origins[v] = value.Where(v)
		for _, c := range v.Content {
			note(c)
		}
	}
	note(value.YAML)
	d.YAML, d.Origins = &n, origins
	return d
}
