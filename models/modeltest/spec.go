package modeltest

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

func checkInfo(s *subject) {
	i := s.info
	if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(i.Name) {
		s.failf("name %q: want lower case letters, digits and underscores", i.Name)
	}
	for what, text := range map[string]string{"Doc": i.Doc, "Paper": i.Paper} {
		if text == "" || strings.TrimSpace(text) != text || strings.Contains(text, "\n") {
			s.failf("%s %q: want one line of text", what, text)
		}
	}
	if i.Needs.Input != data.Vectors && i.Needs.Input != data.Traces {
		s.failf("Needs.Input is %v", i.Needs.Input)
	}
	if i.Defaults == nil {
		s.fatalf("no Defaults")
	}
	a, b := i.Defaults(), i.Defaults()
	v := reflect.ValueOf(a)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		s.fatalf("Defaults is a %T, want a pointer to a struct", a)
	}
	if v.Elem().Type().Size() > 0 && v.Pointer() == reflect.ValueOf(b).Pointer() {
		s.failf("Defaults gives the same pointer twice: a change to one would be a change to all")
	}
	if !reflect.DeepEqual(a, b) {
		s.failf("Defaults differ from call to call: %+v and %+v", a, b)
	}
	for _, f := range settingsOf(a) {
		if settings.FieldDoc(f.owner, f.field.Name) == "" {
			s.failf("setting %s has no doc comment", f.path)
		}
		if _, named := f.field.Tag.Lookup("yaml"); !named {
			s.failf("setting %s has no yaml tag", f.path)
		}
	}
}

func checkDefaults(s *subject) {
	d := s.info.Defaults()
	if p := settings.Check(d); len(p) > 0 {
		s.failf("defaults break their own ranges: %v", p)
	}
	for _, e := range []models.Env{{}, env(1, 1)} {
		if det, err := s.info.Defaults().New(e); err != nil || det == nil {
			s.failf("New of the defaults: detector %v, error %v", det, err)
		}
	}
	if again := s.info.Defaults(); !reflect.DeepEqual(d, again) {
		s.failf("New changed the spec's defaults: %+v, before %+v", again, d)
	}
}

// checkYAML: what a run directory writes down of a model is the whole of it, and reads back.
func checkYAML(s *subject) {
	want := s.info.Defaults()
	raw, err := settings.Marshal(want)
	if err != nil {
		s.fatalf("defaults to YAML: %v", err)
	}
	got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
	doc, err := settings.Parse("defaults.yaml", raw)
	if err != nil {
		s.fatalf("defaults as YAML: %v\n%s", err, raw)
	}
	if p := doc.Decode(got); len(p) > 0 {
		s.fatalf("defaults as YAML: %v\n%s", p, raw)
	}
	if !reflect.DeepEqual(got, any(want)) {
		s.failf("defaults came back from YAML as %+v, were %+v\n%s", got, want, raw)
	}
	if s.decode("no_such_setting: 1") == nil {
		s.failf("an unknown key is accepted")
	}
	if s.decode("[1, 2]") == nil {
		s.failf("a list is accepted in place of settings")
	}
}

// decode puts YAML over the defaults, as a config does.
func (s *subject) decode(text string) settings.Problems {
	doc, err := settings.Parse("test.yaml", []byte(text))
	if err != nil {
		s.fatalf("%s: %v", text, err)
	}
	return doc.Decode(s.info.Defaults())
}

// checkRanges breaks every limit that the tags declare, once in a file and once in the struct.
func checkRanges(s *subject) {
	for _, f := range settingsOf(s.info.Defaults()) {
		if kind := scalar(f.field.Type).Kind(); kind >= reflect.Int && kind <= reflect.Float64 && len(f.bad()) == 0 {
			s.failf("setting %s declares no range: say minimum or maximum in its jsonschema tag", f.path)
		}
		for _, bad := range append(f.bad(), f.wrongType()...) {
			text := f.in(bad)
			problems := s.decode(text)
			found := false
			for _, p := range problems {
				found = found || strings.HasPrefix(p.Path, f.path)
			}
			if !found {
				s.failf("%s is accepted (problems: %v)", text, problems)
			}
		}
		for _, bad := range f.bad() {
			spec := s.info.Defaults()
			if !f.set(spec, bad) {
				continue
			}
			err := s.guard("New", func() error { _, err := spec.New(models.Env{}); return err })
			if !errors.Is(err, models.ErrSpec) {
				s.failf("New with %s: error %v, want one that wraps ErrSpec", f.in(bad), err)
			}
		}
	}
}

// setting is one leaf of a spec.
type setting struct {
	path  string // dotted
	index [][]int
	owner reflect.Type // the struct that declares it
	field reflect.StructField
}

var decoder = reflect.TypeFor[settings.Decoder]()

// settings lists the leaves of a spec under the names that strictyaml gives them.
func settingsOf(spec any) []setting {
	var out []setting
	var walk func(t reflect.Type, path string, index [][]int)
	walk = func(t reflect.Type, path string, index [][]int) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name == "-" {
				continue
			}
			at := append(index[:len(index):len(index)], f.Index)
			isStruct := f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(decoder) &&
				f.Type != reflect.TypeFor[settings.Node]()
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			sub := strings.TrimPrefix(path+"."+name, ".")
			switch {
			case isStruct && (f.Anonymous && f.Tag.Get("yaml") == "" || opts == "inline"):
				walk(f.Type, path, at)
			case !f.IsExported():
			case isStruct:
				walk(f.Type, sub, at)
			default:
				out = append(out, setting{sub, at, t, f})
			}
		}
	}
	walk(reflect.TypeOf(spec).Elem(), "", nil)
	return out
}

// scalar is the type below pointers and lists.
func scalar(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// custom types decode themselves: their tags are for the schema.
func (f setting) custom() bool { return reflect.PointerTo(scalar(f.field.Type)).Implements(decoder) }

// bad is values that each break one limit of the tag, as YAML.
func (f setting) bad() []string {
	if f.custom() {
		return nil
	}
	t := f.field.Type
	list := t.Kind() == reflect.Slice
	var out []string
	add := func(v string) {
		if list {
			v = "[" + v + "]"
		}
		out = append(out, v)
	}
	enum := false
	for part := range strings.SplitSeq(f.field.Tag.Get("jsonschema"), ",") {
		key, value, _ := strings.Cut(part, "=")
		x, _ := strconv.ParseFloat(value, 64)
		switch key {
		case "minimum":
			add(strconv.FormatFloat(x-1, 'g', -1, 64))
		case "maximum":
			add(strconv.FormatFloat(x+1, 'g', -1, 64))
		case "exclusiveMinimum", "exclusiveMaximum":
			add(value)
		case "enum":
			enum = true
		case "minItems":
			if x >= 1 {
				out = append(out, items(int(x)-1))
			}
		case "maxItems":
			out = append(out, items(int(x)+1))
		}
	}
	if enum {
		add("no_such_choice")
	}
	return out
}

func items(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1, ", n), ", ") + "]" }

// wrongType is values of another type, as YAML.
func (f setting) wrongType() []string {
	if f.custom() {
		return nil
	}
	switch kind := f.field.Type.Kind(); {
	case kind == reflect.Slice:
		return []string{"{a: 1}", "[{a: 1}]"} // a single value is a list of one
	case kind == reflect.Bool:
		return []string{"maybe", "1", "[true]"}
	case kind >= reflect.Int && kind <= reflect.Uint64:
		return []string{"1.5", "many", "[1]", ".nan"}
	case kind == reflect.Float32 || kind == reflect.Float64:
		return []string{"much", "[1]", ".nan", ".inf"}
	case kind == reflect.String:
		return []string{"[a]", "{a: b}", "~"}
	}
	return nil
}

// in is a document that gives the setting this value.
func (f setting) in(value string) string {
	keys := strings.Split(f.path, ".")
	text := value
	for i := len(keys) - 1; i >= 0; i-- {
		text = fmt.Sprintf("%s: %s", keys[i], text)
		if i > 0 {
			text = "{" + text + "}"
		}
	}
	return text
}

// set stores a bad value in the struct itself, where that can be done.
func (f setting) set(spec models.Spec, value string) bool {
	v := reflect.ValueOf(spec).Elem()
	for _, i := range f.index {
		v = v.FieldByIndex(i)
	}
	x, err := strconv.ParseFloat(value, 64)
	switch {
	case v.Kind() == reflect.String && err != nil:
		v.SetString(value)
	case v.CanFloat() && err == nil:
		v.SetFloat(x)
	case v.CanInt() && err == nil && !v.OverflowInt(int64(x)):
		v.SetInt(int64(x))
	case v.CanUint() && err == nil && x >= 0 && !v.OverflowUint(uint64(x)):
		v.SetUint(uint64(x))
	default:
		return false
	}
	return true
}
