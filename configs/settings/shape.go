package settings

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Given says whether the document holds a value at all, be it null.
func (d Node) Given() bool { return d.YAML != nil }

// IsMap says whether the document is a map of settings.
func (d Node) IsMap() bool { return d.YAML != nil && d.YAML.Kind == yaml.MappingNode }

// List decodes a list into the slice that into points to.
func List[T any](d Node, into *[]T) Problems {
	var ps Problems
	d.decode(reflect.ValueOf(into).Elem(), "", &ps)
	return ps
}

// Scalar is the text of a document that is a single value; false for maps, lists and nothing.
func (d Node) Scalar() (text string, ok bool) {
	if d.YAML == nil || d.YAML.Kind != yaml.ScalarNode {
		return "", false
	}
	return d.YAML.Value, true
}

// Value is the document as maps with texts for keys, lists and scalars; nil for an empty one.
func (d Node) Value() (v any, err error) {
	if d.YAML == nil {
		return nil, nil
	}
	if err := d.YAML.Decode(&v); err != nil {
		return nil, fmt.Errorf("%s: %w", d.File, err)
	}
	return v, nil
}
