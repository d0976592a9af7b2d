// Package settings decodes YAML into structs over the defaults that they already hold, and refuses what
// it does not understand: unknown keys (proposing the closest valid one), wrong types, values outside the
// range that a field's jsonschema tag declares. Every problem of a document is reported, each with
// file:line:column and key path.
//
// It knows nothing of what the values mean. The experiment file as a whole (names, overrides, layers) is
// in package runs.
package settings

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxDepth = 64
	maxNodes = 1 << 20 // with aliases expanded: refuses alias bombs
)

// Marshal is a struct of settings as a file holds it: what Decode reads back.
func Marshal(v any) ([]byte, error) { return yaml.Marshal(v) }

// Decode fills into (a non-nil pointer) from the document, leaving the settings that the document does not
// mention as they were; a list or a map that it does mention is replaced as a whole. A scalar where a list is
// wanted is a list of one, and so is a map where its elements decode themselves. It reports every problem; into is then
// partly filled and not to be used.
func (d Node) Decode(into any) Problems {
	if d.YAML == nil {
		return nil
	}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic(fmt.Sprintf("strictyaml: Decode into %T", into))
	}
	var ps Problems
	d.decode(v.Elem(), "", &ps)
	return ps
}

var (
	nodeType    = reflect.TypeFor[Node]()
	decoderType = reflect.TypeFor[Decoder]()
)

func (d Node) decode(v reflect.Value, tag reflect.StructTag, ps *Problems) {
	n := d.YAML
	switch {
	case v.Type() == nodeType:
		v.Set(reflect.ValueOf(d))
		return
	case v.CanAddr() && v.Addr().Type().Implements(decoderType):
		*ps = append(*ps, v.Addr().Interface().(Decoder).UnmarshalSettings(d)...)
		return
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		switch v.Kind() {
		case reflect.Pointer, reflect.Map:
			v.SetZero()
		case reflect.Slice:
			v.SetZero()
			*ps = append(*ps, d.inPlace(checkLength(v, tag))...)
		default:
			*ps = append(*ps, d.Problem("want %s, found nothing", describe(v.Type())))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			fresh.Elem().Set(v.Elem())
		}
		d.decode(fresh.Elem(), tag, ps)
		v.Set(fresh)
	case reflect.Struct:
		d.decodeStruct(v, ps)
	case reflect.Map:
		d.decodeMap(v, tag, ps)
	case reflect.Slice:
		items := d.Items()
		if n.Kind == yaml.MappingNode {
			if !reflect.PointerTo(v.Type().Elem()).Implements(decoderType) {
				*ps = append(*ps, d.Problem("want %s, found %s", describe(v.Type()), found(n)))
				return
			}
			items = []Node{d}
		}
		out := reflect.MakeSlice(v.Type(), len(items), len(items))
		for i, item := range items {
			item.decode(out.Index(i), tag, ps)
		}
		v.Set(out)
		*ps = append(*ps, d.inPlace(checkLength(v, tag))...)
	default:
		if msg := setScalar(v, n); msg != "" {
			*ps = append(*ps, d.Problem("%s", msg))
			return
		}
		rename(v, tag)
		*ps = append(*ps, d.inPlace(checkScalar(v, tag))...)
	}
}

// rename replaces the former name of a value by the one that it has now: the tag formerly:"old=new" of a field keeps
// files readable that hold the old one.
func rename(v reflect.Value, tag reflect.StructTag) {
	if old, now, ok := strings.Cut(tag.Get("formerly"), "="); ok && v.Kind() == reflect.String && v.String() == old {
		v.SetString(now)
	}
}

func (d Node) inPlace(msg string) Problems {
	if msg == "" {
		return nil
	}
	return Problems{d.Problem("%s", msg)}
}

func (d Node) decodeStruct(v reflect.Value, ps *Problems) {
	if d.YAML.Kind != yaml.MappingNode {
		*ps = append(*ps, d.Problem("want a map of settings, found %s", found(d.YAML)))
		return
	}
	fields := map[string]reflect.Value{}
	tags := map[string]reflect.StructTag{}
	var names []string
	collectFields(v, func(name string, fv reflect.Value, _ reflect.Type, f reflect.StructField) {
		fields[name], tags[name] = fv, f.Tag
		names = append(names, name)
	})
	seen := map[string]bool{}
	for i := 0; i+1 < len(d.YAML.Content); i += 2 {
		k := d.YAML.Content[i]
		path := join(d.Path, k.Value)
		fv, ok := fields[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode || k.Value == "<<":
			*ps = append(*ps, d.problem(k, d.Path, "want a plain key, found %s", found(k)))
		case !ok:
			*ps = append(*ps, d.problem(k, path, "unknown key%s", DidYouMean(k.Value, names)))
		case seen[k.Value]:
			*ps = append(*ps, d.problem(k, path, "given twice"))
		default:
			d.Sub(d.YAML.Content[i+1], k.Value).decode(fv, tags[k.Value], ps)
		}
		seen[k.Value] = true
	}
}

func (d Node) decodeMap(v reflect.Value, tag reflect.StructTag, ps *Problems) {
	if d.YAML.Kind != yaml.MappingNode || v.Type().Key().Kind() != reflect.String {
		*ps = append(*ps, d.Problem("want %s, found %s", describe(v.Type()), found(d.YAML)))
		return
	}
	out := reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(d.YAML.Content); i += 2 {
		k := d.YAML.Content[i]
		if k.Kind != yaml.ScalarNode || k.Value == "<<" {
			*ps = append(*ps, d.problem(k, d.Path, "want a plain key, found %s", found(k)))
			continue
		}
		key := reflect.ValueOf(k.Value).Convert(v.Type().Key())
		if out.MapIndex(key).IsValid() {
			*ps = append(*ps, d.problem(k, join(d.Path, k.Value), "given twice"))
			continue
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		d.Sub(d.YAML.Content[i+1], k.Value).decode(elem, tag, ps)
		out.SetMapIndex(key, elem)
	}
	v.Set(out)
}

// setScalar stores n in v, or says why it cannot.
func setScalar(v reflect.Value, n *yaml.Node) string {
	wrong := fmt.Sprintf("want %s, found %s", describe(v.Type()), found(n))
	if n.Kind != yaml.ScalarNode {
		return wrong
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
		return ""
	case reflect.Bool:
		var b bool
		if n.Tag != "!!bool" || n.Decode(&b) != nil {
			return wrong
		}
		v.SetBool(b)
		return ""
	}
	if n.Tag != "!!int" && n.Tag != "!!float" {
		return wrong
	}
	var f float64
	if n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return wrong
	}
	// The library would cut 1.5 down to 1: a float is whole only if it says so, and exact only to 2⁵³.
	isInt := n.Tag == "!!int"
	tooLarge := fmt.Sprintf("%s is too large", n.Value)
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if v.OverflowFloat(f) {
			return tooLarge
		}
		v.SetFloat(f)
		return ""
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i := int64(f)
		switch {
		case f != math.Trunc(f):
			return wrong
		case isInt && n.Decode(&i) != nil, !isInt && math.Abs(f) > 1<<53, v.OverflowInt(i):
			return tooLarge
		}
		v.SetInt(i)
		return ""
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u := uint64(max(f, 0))
		switch {
		case f != math.Trunc(f):
			return wrong
		case f < 0:
			return fmt.Sprintf("%s is out of range: want at least 0", n.Value)
		case isInt && n.Decode(&u) != nil, !isInt && f > 1<<53, v.OverflowUint(u):
			return tooLarge
		}
		v.SetUint(u)
		return ""
	}
	panic(fmt.Sprintf("strictyaml: field of type %s", v.Type()))
}

// collectFields visits the exported fields of a struct under their YAML names and with the struct that declares
// them, embedded structs inline
// (tag them `yaml:",inline"`, or package yaml will write them differently).
func collectFields(v reflect.Value, visit func(name string, fv reflect.Value, in reflect.Type, f reflect.StructField)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case (f.Anonymous && name == "" || opts == "inline") && f.Type.Kind() == reflect.Struct:
			collectFields(v.Field(i), visit)
		case !f.IsExported():
		default:
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			visit(name, v.Field(i), v.Type(), f)
		}
	}
}

func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return describe(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a map"
	}
	return "a whole number"
}

func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	v := n.Value
	if len(v) > 40 {
		v = v[:40] + "…"
	}
	return strconv.Quote(v)
}
