package settings

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// conf has a field of every shape that Decode knows.
type conf struct {
	Name   string         `yaml:"name"`
	Epochs int            `yaml:"epochs" jsonschema:"minimum=1,maximum=100" jsonschema_description:"passes over the data"`
	Small  int8           `yaml:"small"`
	Seed   uint64         `yaml:"seed"`
	Byte   uint8          `yaml:"byte"`
	Rate   float64        `yaml:"rate" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	Rate32 float32        `yaml:"rate32"`
	Bias   bool           `yaml:"bias"`
	Act    string         `yaml:"act" formerly:"rectifier=relu" jsonschema:"enum=relu,enum=tanh,enum=sigmoid"`
	Sizes  []int          `yaml:"sizes" jsonschema:"minItems=1,maxItems=3,minimum=1"`
	Weight map[string]int `yaml:"weight" jsonschema:"minimum=0"`
	Limit  *int           `yaml:"limit" jsonschema:"minimum=1"`
	Inner  inner          `yaml:"inner"`
	Opt    *inner         `yaml:"opt"`
	List   []inner        `yaml:"list"`
	Raw    Node           `yaml:"raw"`
	Pick   pick           `yaml:"pick"`
	Picks  []pick         `yaml:"picks"`
	Skip   int            `yaml:"-"`
	Plain  int
	embedded
	hidden int //lint:ignore U1000 a field that is not exported is no setting
}

type inner struct {
	A int     `yaml:"a" jsonschema:"maximum=9"`
	B float64 `yaml:"b"`
}

type embedded struct {
	Deep string `yaml:"deep"`
}

// pick is a name or a map.
type pick struct{ Step, Kind string }

func (p *pick) UnmarshalSettings(d Node) Problems {
	if d.YAML.Kind == yaml.ScalarNode && d.YAML.Tag != "!!null" {
		p.Step = d.YAML.Value
		return nil
	}
	type raw pick
	return d.Decode((*raw)(p))
}

func defaults() *conf {
	five := 5
	return &conf{Name: "x", Epochs: 10, Rate: 0.5, Act: "relu", Sizes: []int{8}, Limit: &five, Inner: inner{1, 2},
		Weight: map[string]int{"w": 1}}
}

func decode(t *testing.T, text string) (*conf, Problems) {
	t.Helper()
	d, err := Parse("f.yaml", []byte(text))
	if err != nil {
		return nil, err.(Problems)
	}
	c := defaults()
	return c, d.Decode(c)
}

func TestDecode(t *testing.T) {
	seven := 7
	for _, c := range []struct {
		name, text string
		change     func(*conf)
	}{
		{"empty", "", func(*conf) {}},
		{"comment alone", "# nothing\n", func(*conf) {}},
		{"byte order mark and CRLF", "\xef\xbb\xbfname: n\r\nepochs: 3\r\n", func(c *conf) {
			c.Name, c.Epochs = "n",
				3
		}},
		{"nothing else changes", "epochs: 3", func(c *conf) { c.Epochs = 3 }},
		{"text that looks like a number", "name: 007", func(c *conf) { c.Name = "007" }},
		{"text that looks like a bool", "name: yes", func(c *conf) { c.Name = "yes" }},
		{"empty text", `name: ""`, func(c *conf) { c.Name = "" }},
		{"a value by its former name", "act: rectifier", func(c *conf) { c.Act = "relu" }},
		{"whole float", "epochs: 1e1", func(c *conf) { c.Epochs = 10 }},
		{"whole number for a float", "rate32: 3", func(c *conf) { c.Rate32 = 3 }},
		{"largest seed", "seed: 18446744073709551615", func(c *conf) { c.Seed = math.MaxUint64 }},
		{"hexadecimal and underscores", "seed: 0xFF\nepochs: 1_0", func(c *conf) { c.Seed, c.Epochs = 255, 10 }},
		{"least int8", "small: -128", func(c *conf) { c.Small = -128 }},
		{"lists are replaced", "sizes: [1, 2]", func(c *conf) { c.Sizes = []int{1, 2} }},
		{"maps are replaced", "weight: {v: 2}", func(c *conf) { c.Weight = map[string]int{"v": 2} }},
		{"structs are not", "inner: {a: 3}", func(c *conf) { c.Inner = inner{3, 2} }},
		{"pointer", "limit: 7", func(c *conf) { c.Limit = &seven }},
		{"null for a pointer", "limit: null", func(c *conf) { c.Limit = nil }},
		{"null for a list", "list: ~", func(c *conf) { c.List = nil }},
		{"null for a map", "weight:", func(c *conf) { c.Weight = nil }},
		{"pointer to struct", "opt: {b: 1}", func(c *conf) { c.Opt = &inner{B: 1} }},
		{"list of structs", "list: [{a: 1}, {b: 2}]", func(c *conf) { c.List = []inner{{A: 1}, {B: 2}} }},
		{"name or map", "pick: scale\npicks: [scale, {step: x, kind: y}]", func(c *conf) {
			c.Pick, c.Picks = pick{Step: "scale"}, []pick{{Step: "scale"}, {"x", "y"}}
		}},
		{"embedded and unnamed", "plain: 4\ndeep: d", func(c *conf) { c.Plain, c.Deep = 4, "d" }},
		{"anchors", "inner: &i {a: 4}\nopt: *i\nlist: [*i, *i]", func(c *conf) {
			c.Inner, c.Opt, c.List = inner{4, 2}, &inner{A: 4}, []inner{{A: 4}, {A: 4}}
		}},
		{"spelt-out types", "epochs: !!int 3\nname: !!str 4", func(c *conf) { c.Epochs, c.Name = 3, "4" }},
		{"JSON", `{"epochs": 3, "sizes": [4], "bias": true}`, func(c *conf) {
			c.Epochs, c.Sizes, c.Bias = 3, []int{4},
				true
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := decode(t, c.text)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			want := defaults()
			c.change(want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "epoch: 3", `f.yaml:1:1: epoch: unknown key; did you mean "epochs"?`},
		{"nested unknown key", "inner:\n  aa: 3", `f.yaml:2:3: inner.aa: unknown key; known: a, b`},
		{"unknown key far from all", "inner: {quux: 3}", `f.yaml:1:9: inner.quux: unknown key; known: a, b`},
		{"key of a hidden field", "inner: {hidden: 3}", `f.yaml:1:9: inner.hidden: unknown key; known: a, b`},
		{"twice", "epochs: 3\nname: x\nepochs: 4", `f.yaml:3:1: epochs: given twice`},
		{"twice in a map", "weight: {a: 1, a: 2}", `f.yaml:1:16: weight.a: given twice`},
		{"text for a number", "epochs: ten", `f.yaml:1:9: epochs: want a whole number, found "ten"`},
		{"quoted number", `epochs: "10"`, `f.yaml:1:9: epochs: want a whole number, found "10"`},
		{"fraction", "epochs: 1.5", `f.yaml:1:9: epochs: want a whole number, found "1.5"`},
		{"fraction, unsigned", "seed: 1.5", `f.yaml:1:7: seed: want a whole number, found "1.5"`},
		{"negative fraction, unsigned", "seed: -0.5", `f.yaml:1:7: seed: want a whole number, found "-0.5"`},
		{"negative, unsigned", "seed: -1", `f.yaml:1:7: seed: -1 is out of range: want at least 0`},
		{"too large for the type", "small: 128", `f.yaml:1:8: small: 128 is too large`},
		{"too large for a byte", "byte: 256", `f.yaml:1:7: byte: 256 is too large`},
		{"too large for any integer", "seed: 18446744073709551616",
			`f.yaml:1:7: seed: 18446744073709551616 is too large`},
		{"too large to be exact", "seed: 1e300", `f.yaml:1:7: seed: 1e300 is too large`},
		{"too large for float32", "rate32: 1e300", `f.yaml:1:9: rate32: 1e300 is too large`},
		{"NaN", "rate32: .nan", `f.yaml:1:9: rate32: want a number, found ".nan"`},
		{"infinity", "rate: -.inf", `f.yaml:1:7: rate: want a number, found "-.inf"`},
		{"map for a number", "rate: {a: 1}", `f.yaml:1:7: rate: want a number, found a map`},
		{"list for text", "name: [a]", `f.yaml:1:7: name: want text, found a list`},
		{"null for text", "name:", `f.yaml:1:6: name: want text, found nothing`},
		{"null for a number", "epochs: ~", `f.yaml:1:9: epochs: want a whole number, found nothing`},
		{"null for a struct", "inner:", `f.yaml:1:7: inner: want a map, found nothing`},
		{"word for a bool", "bias: yes", `f.yaml:1:7: bias: want true or false, found "yes"`},
		{"number for a bool", "bias: 1", `f.yaml:1:7: bias: want true or false, found "1"`},
		{"map for a list", "sizes: {a: 3}", `f.yaml:1:8: sizes: want a list, found a map`},
		{"scalar of another type for a list", "sizes: three", `f.yaml:1:8: sizes: want a whole number, found "three"`},
		{"scalar for a map", "weight: 3", `f.yaml:1:9: weight: want a map, found "3"`},
		{"scalar for a struct", "inner: 3", `f.yaml:1:8: inner: want a map of settings, found "3"`},
		{"list for the whole", "[1]", `f.yaml:1:1: want a map of settings, found a list`},
		{"null for the whole", "---\n", `f.yaml:2:1: want a map, found nothing`},
		{"below the minimum", "epochs: 0", `f.yaml:1:9: epochs: 0 is out of range: want at least 1`},
		{"above the maximum", "epochs: 101", `f.yaml:1:9: epochs: 101 is out of range: want at most 100`},
		{"at an exclusive minimum", "rate: 0", `f.yaml:1:7: rate: 0 is out of range: want more than 0`},
		{"at an exclusive maximum", "rate: 1", `f.yaml:1:7: rate: 1 is out of range: want less than 1`},
		{"not in the choice", "act: rely",
			`f.yaml:1:6: act: "rely" is not one of relu, tanh, sigmoid; did you mean "relu"?`},
		{"item out of range", "sizes: [1, 0]", `f.yaml:1:12: sizes.1: 0 is out of range: want at least 1`},
		{"too few items", "sizes: []", `f.yaml:1:8: sizes: 0 items, want at least 1`},
		{"null for a list that needs items", "sizes: ~", `f.yaml:1:8: sizes: 0 items, want at least 1`},
		{"too many items", "sizes: [1, 2, 3, 4]", `f.yaml:1:8: sizes: 4 items, want at most 3`},
		{"map value out of range", "weight: {a: -1}", `f.yaml:1:13: weight.a: -1 is out of range: want at least 0`},
		{"pointer out of range", "limit: 0", `f.yaml:1:8: limit: 0 is out of range: want at least 1`},
		{"in a list of structs", "list:\n  - a: 1\n  - a: 10",
			`f.yaml:3:8: list.1.a: 10 is out of range: want at most 9`},
		{"key that is a list", "[a]: 1", `f.yaml:1:1: want a plain key, found a list`},
		{"map key that is a list", "weight: {[a]: 1}", `f.yaml:1:10: weight: want a plain key, found a list`},
		{"merge key", "inner: &i {a: 1}\nopt:\n  <<: *i", `f.yaml:3:3: opt: want a plain key, found "<<"`},
		{"merge key in a map", "weight: {<<: 1}", `f.yaml:1:10: weight: want a plain key, found "<<"`},
		{"value behind an alias", "inner: {a: &v 10}\nopt: {b: *v, a: *v}",
			"f.yaml:1:12: inner.a: 10 is out of range: want at most 9\nf.yaml:1:12: opt.a: 10 is out of range: want " +
				"at most 9"},
		{"in a type that decodes itself", "picks: [{stepp: x}]",
			`f.yaml:1:10: picks.0.stepp: unknown key; did you mean "step"?`},
		{"long values are cut", "epochs: " + strings.Repeat("x", 100),
			`f.yaml:1:9: epochs: want a whole number, found "` + strings.Repeat("x", 40) + `…"`},
		{"all at once", "epochs: 0\nnam: x\nrate: 2\n", `f.yaml:1:9: epochs: 0 is out of range: want at least 1
f.yaml:2:1: nam: unknown key; did you mean "name"?
f.yaml:3:7: rate: 2 is out of range: want less than 1`},
		{"unknown tag", "name: !secret x", `f.yaml:1:7: unknown tag !secret`},
		{"two documents", "name: x\n---\nname: y\n", `f.yaml:2:1: a second YAML document; want one a file`},
		{"syntax", "name: [a\nepochs: 3", `f.yaml:1:1: YAML: did not find expected ',' or ']'`},
		{"tab", "inner:\n\ta: 3", `f.yaml:2:1: YAML: found character that cannot start any token`},
		{"unknown anchor", "name: *nobody", `f.yaml: YAML: unknown anchor 'nobody' referenced`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := decode(t, c.text)
			if got := problems.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestLimitsOfParse(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1,
			strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), ", "))
	}
	for name, text := range map[string]string{
		"alias bomb":     bomb,
		"own alias":      "a: &a [*a]",
		"deep nesting":   strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"deeper nesting": strings.Repeat("[", 100_000),
		"deep maps":      strings.Repeat("{a: ", 100) + "1" + strings.Repeat("}", 100),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(text))
			var p Problems
			if !errors.As(err, &p) || len(p) != 1 || !strings.HasPrefix(p[0].Where, "f.yaml") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := Parse("f.yaml", []byte(strings.Repeat("[", 60)+strings.Repeat("]", 60))); err != nil {
		t.Errorf("60 levels: %v", err)
	}
	for _, text := range []string{"a: \xff\xfe", "a: \x00", "a: \"\\x\"", "%YAML 9.9\n---\na: 1", "&a &b c"} {
		if _, err := Parse("f.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "f.yaml") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestDoc(t *testing.T) {
	d, err := Parse("f.yaml", []byte("raw:\n  a: [5, {b: 10}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var c conf
	if p := d.Decode(&c); len(p) > 0 {
		t.Fatal(p)
	}
	a, ok := c.Raw.Get("a")
	items := a.Items()
	if !ok || len(items) != 2 || items[1].Path != "raw.a.1" {
		t.Fatalf("raw.a: %v %+v", ok, items)
	}
	var in inner
	p := items[1].Decode(&in)
	if len(p) != 0 || in.B != 10 {
		t.Errorf("%+v, %v", in, p)
	}
	var wrong struct{ C int }
	p = items[1].Decode(&wrong)
	if p.Error() != `f.yaml:2:11: raw.a.1.b: unknown key; known: c` {
		t.Errorf("%v", p)
	}
	if got := items[0].Problem("is %d", 5).String(); got != "f.yaml:2:7: raw.a.0: is 5" {
		t.Errorf("%s", got)
	}
	for name, miss := range map[string]Node{"absent": d, "of a scalar": items[0], "of nothing": {}} {
		if _, ok := miss.Get("nothing"); ok {
			t.Errorf("Get %s finds something", name)
		}
	}
	if (Node{}).Items() != nil || d.Items() != nil {
		t.Error("items of what is no list")
	}
	if p := (Node{}).Decode(&in); p != nil {
		t.Errorf("nothing: %v", p)
	}
	if (Problems)(nil).Err() != nil || p.Err() == nil {
		t.Error("Err")
	}
	d.Origins = map[*yaml.Node]string{d.YAML: "epochs=5 on the command line"}
	if got := d.Problem("bad").String(); got != "epochs=5 on the command line: bad" {
		t.Errorf("%s", got)
	}
}

func TestCheck(t *testing.T) {
	minus := -1
	c := defaults()
	c.Epochs, c.Rate32, c.Act, c.Sizes, c.Limit = 0, float32(math.NaN()), "gelu", []int{0, 1, 2, 3}, &minus
	c.List = []inner{{A: 1}, {A: 10, B: math.Inf(1)}}
	c.Weight = map[string]int{"z": -1, "b": 1, "a": -2}
	want := strings.Join([]string{
		"epochs: 0 is out of range: want at least 1",
		"rate32: NaN is not a finite number",
		`act: "gelu" is not one of relu, tanh, sigmoid; did you mean "relu"?`,
		"sizes: 4 items, want at most 3",
		"sizes.0: 0 is out of range: want at least 1",
		"weight.a: -2 is out of range: want at least 0",
		"weight.z: -1 is out of range: want at least 0",
		"limit: -1 is out of range: want at least 1",
		"list.1.a: 10 is out of range: want at most 9",
		"list.1.b: +Inf is not a finite number",
	}, "\n")
	if got := Check(c).Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if p := Check(defaults()); len(p) > 0 {
		t.Errorf("defaults: %v", p)
	}
	if p := Check((*conf)(nil)); len(p) != 1 {
		t.Errorf("nil: %v", p)
	}
}

func TestFields(t *testing.T) {
	got := map[string]Field{}
	for _, f := range Fields(defaults()) {
		got[f.Name] = f
	}
	for _, want := range []Field{
		{"epochs", "a whole number", "10", "≥ 1, ≤ 100", "passes over the data"},
		{"rate", "a number", "0.5", "> 0, < 1", ""},
		{"act", "text", "relu", "relu | tanh | sigmoid", ""},
		{"sizes", "a list", "[8]", "≥ 1", ""},
		{"inner.a", "a whole number", "1", "≤ 9", ""},
		{"limit", "a whole number", "5", "≥ 1", ""},
		{"opt", "a map", "none", "", ""},
		{"deep", "text", "", "", ""},
		{"raw", "a map", "", "", ""},
	} {
		if got[want.Name] != want {
			t.Errorf("got  %+v\nwant %+v", got[want.Name], want)
		}
	}
	if _, ok := got["hidden"]; ok || got["skip"] != (Field{}) {
		t.Error("unexported or excluded fields are listed")
	}
	if Fields(3) != nil || Fields((*conf)(nil)) != nil {
		t.Error("fields of what is no struct")
	}
}

func TestDidYouMean(t *testing.T) {
	valid := []string{"epochs", "learning_rate", "k"}
	for got, want := range map[string]string{
		"epoch":                  `; did you mean "epochs"?`,
		"EPOCHS":                 `; did you mean "epochs"?`,
		"eopchs":                 `; did you mean "epochs"?`, // neighbours swapped
		"lerning-rate":           `; did you mean "learning_rate"?`,
		"kk":                     "; known: epochs, k, learning_rate",
		"":                       "; known: epochs, k, learning_rate",
		strings.Repeat("é", 100): "; known: epochs, k, learning_rate",
	} {
		if s := DidYouMean(got, valid); s != want {
			t.Errorf("%q: %s, want %s", got, s, want)
		}
	}
	if s := DidYouMean("x", nil); s != "" {
		t.Errorf("nothing valid: %q", s)
	}
	var many []string
	for i := range 41 {
		many = append(many, fmt.Sprintf("some_long_setting_%d", i))
	}
	if s := DidYouMean("x", many); s != "" {
		t.Errorf("too many to list: %q", s)
	}
	if s := DidYouMean("odd", append(many, "this-odd-name",
		"Oddity")); s != "; did you mean one of Oddity, this-odd-name?" {
		t.Errorf("part of a name: %q", s)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"ca", "abc", 3}, {"é", "e", 1}} {
		if d := distance(c.a, c.b); d != c.want { // optimal string alignment, so ca→abc is 3
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, d, c.want)
		}
	}
}

// FuzzDecode: no bytes panic; every problem says where; what is accepted keeps its ranges and survives
// being written out and read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "name: x\nepochs: 3\nsizes: [1, 2]\n", "inner: &i {a: 4}\nopt: *i\nlist: [*i]", "a: &a [*a]",
		"rate: 1e-3\nrate32: 1e39",
		"seed: -1\nsmall: 1e2", "weight: {a: 1, 2: 3, ~: 4}", "picks: [x, {step: y}, ~]", "pick: ~",
		"raw: {any: [thing]}", "? [a]\n: b", "<<: {a: 1}",
		"name: !!binary aGk=\nlimit: ~", "---\n...\n---\n", "name: |\n  text\n  more", "\xef\xbb\xbfbias: true",
		"epochs: 0b11\nseed: 0o17", "plain: 1_000", "name: \"\\u00e9\\0\"",
		"epochs: 2001-01-01", "name: 2001-01-01", "\"\": 1", "rate: 1.5.5", "weight: {\"<<\": 1}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 4096 {
			return
		}
		d, err := Parse("f.yaml", raw)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml") {
				t.Errorf("error without its place: %v", err)
			}
			return
		}
		c := defaults()
		if problems := d.Decode(c); len(problems) > 0 {
			for _, p := range problems {
				if !strings.HasPrefix(p.Where, "f.yaml") || p.Msg == "" {
					t.Errorf("problem without its place: %+v", p)
				}
			}
			return
		}
		c.Raw, c.Pick, c.Picks = Node{}, pick{}, nil // not made to be written
		if problems := Check(c); len(problems) > 0 {
			t.Errorf("decoded values break their ranges: %v", problems)
		}
		again(t, c)
	})
}

func again(t *testing.T, c *conf) {
	type plain struct {
		Name   string
		Epochs int
		Small  int8
		Seed   uint64
		Byte   uint8
		Rate   float64
		Rate32 float32
		Bias   bool
		Sizes  []int
		Weight map[string]int
		Limit  *int
		Inner  inner
		Opt    *inner
		List   []inner
		Plain  int
	}
	want := plain{c.Name, c.Epochs, c.Small, c.Seed, c.Byte, c.Rate, c.Rate32, c.Bias, c.Sizes, c.Weight, c.Limit,
		c.Inner, c.Opt, c.List, c.Plain}
	if _, merge := c.Weight["<<"]; merge {
		return
	}
	out, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse("again.yaml", out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got plain
	if p := d.Decode(&got); len(p) > 0 {
		t.Fatalf("%v\n%s", p, out)
	}
	if g, err := yaml.Marshal(got); err != nil || string(g) != string(out) {
		t.Errorf("came back as\n%s\nwas\n%s", g, out)
	}
}
