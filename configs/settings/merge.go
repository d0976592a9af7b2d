package settings

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Repeated is the keys that a map, or a map in it, has more than once: merging would hide them.
func (d Node) Repeated() (ps Problems) {
	if d.YAML == nil || d.YAML.Kind != yaml.MappingNode {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(d.YAML.Content); i += 2 {
		k := d.YAML.Content[i]
		if seen[k.Value] {
			ps = append(ps, d.Sub(k, k.Value).Problem("given twice"))
		}
		seen[k.Value] = true
		ps = append(ps, d.Sub(d.YAML.Content[i+1], k.Value).Repeated()...)
	}
	return ps
}

// Without is the mapping less one key.
func (d Node) Without(key string) Node {
	n := *d.YAML
	n.Content = nil
	for i := 0; i+1 < len(d.YAML.Content); i += 2 {
		if d.YAML.Content[i].Value != key {
			n.Content = append(n.Content, d.YAML.Content[i], d.YAML.Content[i+1])
		}
	}
	if at, ok := d.Origins[d.YAML]; ok {
		d.Origins = maps.Clone(d.Origins)
		d.Origins[&n] = at
	}
	d.YAML = &n
	return d
}

// Merge lays the mapping over upon base, maps within maps; anything else that over has replaces what base has. Each
// node keeps its place for messages; the document as a whole is over's.
func Merge(base, over Node) Node {
	if base.YAML == nil {
		return over
	}
	m := Node{File: over.File, Path: over.Path, Origins: map[*yaml.Node]string{}}
	for _, d := range []Node{base, over} {
		var note func(n *yaml.Node)
		note = func(n *yaml.Node) {
			m.Origins[n] = d.Where(n)
			for _, c := range n.Content {
				note(c)
			}
		}
		note(d.YAML)
	}
	m.YAML = m.mergeNodes(base.YAML, over.YAML)
	return m
}

func (d Node) mergeNodes(base, over *yaml.Node) *yaml.Node {
	if base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode {
		return over
	}
	out := *base
	out.Content = slices.Clone(base.Content)
	for i := 0; i+1 < len(over.Content); i += 2 {
		at := -1
		for j := 0; j+1 < len(out.Content); j += 2 {
			if out.Content[j].Value == over.Content[i].Value {
				at = j
			}
		}
		if at < 0 {
			out.Content = append(out.Content, over.Content[i], over.Content[i+1])
		} else {
			out.Content[at+1] = d.mergeNodes(out.Content[at+1], over.Content[i+1])
		}
	}
	d.Origins[&out] = d.Origins[over]
	return &out
}

// baseKey names the file that a file changes.
const baseKey = "base"

// Inherit resolves the key base of a file: the file that it names, which may have a base of its own, with this one's
// settings laid over it. open reads a file by name. A file without the key is what it is.
func (d Node) Inherit(open func(name string) (Node, error)) (Node, error) {
	return d.inherit(open, nil)
}

func (d Node) inherit(open func(name string) (Node, error), below []string) (Node, error) {
	ref, ok := d.Get(baseKey)
	if !ok {
		return d, nil
	}
	name := ref.YAML.Value
	if ref.YAML.Kind != yaml.ScalarNode || name == "" {
		return d, Problems{ref.Problem("want the name of a file, found %s", found(ref.YAML))}
	}
	if slices.Contains(below, name) {
		return d, Problems{ref.Problem("%q is a base of itself (%s)", name, strings.Join(append(below, name), ", "))}
	}
	if ps := d.Repeated(); len(ps) > 0 {
		return d, ps
	}
	base, err := open(name)
	if err == nil {
		base, err = base.inherit(open, append(below, name))
	}
	if ps := (Problems)(nil); errors.As(err, &ps) {
		return d, ps
	}
	if err != nil {
		return d, Problems{ref.Problem("%v", err)}
	}
	if base.YAML == nil || base.YAML.Kind != yaml.MappingNode {
		return d, Problems{ref.Problem("%q is not a map of settings", name)}
	}
	return Merge(base, d.Without(baseKey)), nil
}
