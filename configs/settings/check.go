package settings

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Check holds a struct that no file was decoded into (defaults, or one built in code) against the ranges
// that its jsonschema tags declare: minimum, maximum, exclusiveMinimum, exclusiveMaximum, enum, minItems,
// maxItems. Floats must be finite.
func Check(v any) Problems {
	var ps Problems
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return Problems{{Msg: "nothing given"}}
		}
		rv = rv.Elem()
	}
	checkValue(rv, "", "", &ps)
	return ps
}

func checkValue(v reflect.Value, path string, tag reflect.StructTag, ps *Problems) {
	report := func(msg string) {
		if msg != "" {
			*ps = append(*ps, Problem{Path: path, Msg: msg})
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			checkValue(v.Elem(), path, tag, ps)
		}
	case reflect.Struct:
		if v.Type() == nodeType {
			return
		}
		collectFields(v, func(name string, fv reflect.Value, _ reflect.Type, f reflect.StructField) {
			checkValue(fv, join(path, name), f.Tag, ps)
		})
	case reflect.Slice:
		report(checkLength(v, tag))
		for i := range v.Len() {
			checkValue(v.Index(i), join(path, strconv.Itoa(i)), tag, ps)
		}
	case reflect.Map:
		for _, k := range slices.SortedFunc(slices.Values(v.MapKeys()),
			func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			checkValue(v.MapIndex(k), join(path, k.String()), tag, ps)
		}
	case reflect.Interface, reflect.Func:
	default:
		report(checkScalar(v, tag))
	}
}

// limits are the parts of a jsonschema tag.
func limits(tag reflect.StructTag, visit func(key, value string)) {
	for part := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
		if key, value, ok := strings.Cut(part, "="); ok {
			visit(key, value)
		}
	}
}

// checkScalar says how v breaks the limits of its tag, or "".
func checkScalar(v reflect.Value, tag reflect.StructTag) string {
	var msg string
	var enum []string
	limits(tag, func(key, value string) {
		if key == "enum" {
			enum = append(enum, value)
			return
		}
		x, ok := asFloat(v)
		bound, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil || msg != "" {
			return
		}
		switch {
		case key == "minimum" && x < bound:
			msg = fmt.Sprintf("%v is out of range: want at least %s", v, value)
		case key == "maximum" && x > bound:
			msg = fmt.Sprintf("%v is out of range: want at most %s", v, value)
		case key == "exclusiveMinimum" && x <= bound:
			msg = fmt.Sprintf("%v is out of range: want more than %s", v, value)
		case key == "exclusiveMaximum" && x >= bound:
			msg = fmt.Sprintf("%v is out of range: want less than %s", v, value)
		}
	})
	if x, ok := asFloat(v); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
		return fmt.Sprintf("%v is not a finite number", x)
	}
	if s := fmt.Sprint(v); enum != nil && !slices.Contains(enum, s) {
		return fmt.Sprintf("%q is not one of %s%s", s, strings.Join(enum, ", "), DidYouMean(s, enum))
	}
	return msg
}

// checkLength says how a list's length breaks the limits of its tag, or "".
func checkLength(v reflect.Value, tag reflect.StructTag) string {
	var msg string
	limits(tag, func(key, value string) {
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case key == "minItems" && v.Len() < n:
			msg = fmt.Sprintf("%d items, want at least %d", v.Len(), n)
		case key == "maxItems" && v.Len() > n:
			msg = fmt.Sprintf("%d items, want at most %d", v.Len(), n)
		}
	})
	return msg
}

func asFloat(v reflect.Value) (float64, bool) {
	switch {
	case v.CanFloat():
		return v.Float(), true
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	}
	return 0, false
}

// Field describes one setting of a struct, for help pages.
type Field struct {
	Name, Type, Default, Range, Doc string
}

// Fields lists the settings of a struct (or pointer to one), with the values it holds as defaults. Nested
// structs appear with dotted names.
func Fields(v any) []Field {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return nil
	}
	return fieldsOf(rv, "")
}

func fieldsOf(rv reflect.Value, path string) []Field {
	var out []Field
	collectFields(rv, func(name string, fv reflect.Value, in reflect.Type, f reflect.StructField) {
		if fv.Kind() == reflect.Struct && fv.Type() != nodeType &&
			!reflect.PointerTo(fv.Type()).Implements(decoderType) {
			out = append(out, fieldsOf(fv, join(path, name))...)
			return
		}
		def := fmt.Sprint(fv)
		switch {
		case fv.Kind() == reflect.Pointer && fv.IsNil():
			def = "none"
		case fv.Kind() == reflect.Pointer:
			def = fmt.Sprint(fv.Elem())
		case fv.Type() == nodeType:
			def = ""
		}
		out = append(out, Field{join(path, name), describe(fv.Type()), def, rangeText(f.Tag), FieldDoc(in, f.Name)})
	})
	return out
}

// rangeText is a tag's limits as a person reads them: "≥ 1", "> 0, ≤ 1", "a | b".
func rangeText(tag reflect.StructTag) string {
	lo, hi := "", ""
	var enum []string
	limits(tag, func(key, value string) {
		switch key {
		case "minimum":
			lo = "≥ " + value
		case "exclusiveMinimum":
			lo = "> " + value
		case "maximum":
			hi = "≤ " + value
		case "exclusiveMaximum":
			hi = "< " + value
		case "enum":
			enum = append(enum, value)
		}
	})
	if enum != nil {
		return strings.Join(enum, " | ")
	}
	if lo != "" && hi != "" {
		return lo + ", " + hi
	}
	return lo + hi
}

// DidYouMean is `; did you mean "x"?` for the closest of valid, or the list of them when none is close: all, or
// where they are many those that have got in them.
func DidYouMean(got string, valid []string) string {
	best, bestDist := "", math.MaxInt
	for _, v := range valid {
		if d := distance(strings.ToLower(got), strings.ToLower(v)); d < bestDist {
			best, bestDist = v, d
		}
	}
	switch {
	case best == "":
		return ""
	case bestDist <= max(2, len(best)/3) && bestDist < len(best):
		return fmt.Sprintf("; did you mean %q?", best)
	case len(valid) <= 40:
		return "; known: " + strings.Join(slices.Sorted(slices.Values(valid)), ", ")
	}
	var near []string
	for _, v := range valid {
		if got != "" && strings.Contains(strings.ToLower(v), strings.ToLower(got)) {
			near = append(near, v)
		}
	}
	if slices.Sort(near); len(near) > 0 && len(near) <= 20 {
		return "; did you mean one of " + strings.Join(near, ", ") + "?"
	}
	return ""
}

// distance is Levenshtein's, with a swap of neighbours counted once (optimal string alignment).
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	if len(ra) > 64 || len(rb) > 64 {
		return math.MaxInt - 1
	}
	var before []int
	prev := make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		cur := make([]int, len(rb)+1)
		cur[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev = prev, cur
	}
	return prev[len(rb)]
}
