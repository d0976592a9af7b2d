package methods

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// list is texts as "a, b and c".
func list(texts []string) string {
	switch n := len(texts); n {
	case 0:
		return ""
	case 1:
		return texts[0]
	default:
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
}

func count(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// sentence is texts with a capital and a full stop each.
func sentence(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSuffix(strings.TrimSpace(t), "."); t != "" {
			out = append(out, strings.ToUpper(t[:1])+t[1:]+".")
		}
	}
	return strings.Join(out, " ")
}

// stepText is a preprocessing step with its settings.
func stepText(step settings.Node) string {
	if name, ok := step.Scalar(); ok {
		return name
	}
	v, err := step.Value()
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		return ""
	}
	name := fmt.Sprint(m["step"])
	rest := maps.Clone(m)
	delete(rest, "step")
	if len(rest) == 0 {
		return name
	}
	return name + " (" + phrase(rest) + ")"
}

// inDoc is what stands under a key of a document, as a phrase.
func inDoc(doc settings.Node, key string) string {
	at, ok := doc.Get(key)
	if !ok {
		return ""
	}
	v, err := at.Value()
	if err != nil {
		return ""
	}
	return phrase(v)
}

// phrase is a value of a config as text: maps as "key value" in the order of their keys.
func phrase(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var out []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, k+" "+nested(v[k]))
		}
		return strings.Join(out, ", ")
	case []any:
		var out []string
		for _, one := range v {
			out = append(out, nested(one))
		}
		return strings.Join(out, ", ")
	case float64:
		return number(v)
	case nil:
		return "none"
	}
	return fmt.Sprint(v)
}

// nested is a phrase in brackets where it is more than one word.
func nested(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "(" + phrase(v) + ")"
	case []any:
		return "[" + phrase(v) + "]"
	}
	return phrase(v)
}

// differing is the settings of a tree that another lacks or has otherwise, as "a.b value".
func differing(path string, mine, other any) (out []string) {
	m, ok := mine.(map[string]any)
	o, both := other.(map[string]any)
	if ok && both {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, differing(strings.TrimPrefix(path+"."+k, "."), m[k], o[k])...)
		}
		return out
	}
	if reflect.DeepEqual(mine, other) {
		return nil
	}
	return []string{path + " " + nested(mine)}
}
