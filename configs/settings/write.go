package settings

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Setting is one key of a [Map].
type Setting struct {
	Key   string
	Value any // what Marshal takes, such as a struct of settings or a Doc
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
func (d Doc) MarshalYAML() (any, error) {
	if d.Node == nil {
		return nil, nil
	}
	return plain(d.Node), nil
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
func (d Doc) With(key, value string, at Doc) Doc {
	n := *d.Node
	n.Content = slices.Clone(n.Content)
	for _, text := range []string{key, value} {
		scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
		if at.Node != nil {
			scalar.Line, scalar.Column = at.Node.Line, at.Node.Column
		}
		n.Content = append(n.Content, scalar)
	}
	d.Node = &n
	return d
}

// WithDoc is the mapping with another document under a key that it does not have. What each says keeps its place for
// messages.
func (d Doc) WithDoc(key string, value Doc) Doc {
	n := *d.Node
	n.Content = append(slices.Clone(n.Content), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value.Node)
	origins := maps.Clone(d.Origins)
	if origins == nil {
		origins = map[*yaml.Node]string{}
	}
	if at, ok := d.Origins[d.Node]; ok {
		origins[&n] = at
	}
	var note func(v *yaml.Node)
	note = func(v *yaml.Node) {
		origins[v] = value.Where(v)
		for _, c := range v.Content {
			note(c)
		}
	}
	note(value.Node)
	d.Node, d.Origins = &n, origins
	return d
}
