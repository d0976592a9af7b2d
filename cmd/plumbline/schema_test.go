package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// breaches says how a value breaks a JSON Schema. It knows the keywords that "plumbline schema" uses; any
// other is a breach, so that none is passed over.
func breaches(schema map[string]any, v any, at string) (out []string) {
	say := func(format string, args ...any) { out = append(out, at+": "+fmt.Sprintf(format, args...)) }
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	number, isNumber := asNumber(v)
	for key, want := range schema {
		limit, _ := asNumber(want)
		switch key {
		case "$schema", "title", "description", "default":
		case "type":
			if !hasType(want.(string), v) {
				say("%v is not of type %v", v, want)
			}
		case "const":
			if v != want {
				say("%v is not %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				say("%v is not one of %v", v, want)
			}
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
			ok := map[string]bool{"minimum": number >= limit, "maximum": number <= limit, "exclusiveMinimum": number > limit,
				"exclusiveMaximum": number < limit}
			if isNumber && !ok[key] {
				say("%v breaks %s %v", v, key, want)
			}
		case "minItems":
			if isList && len(list) < int(limit) {
				say("%d items", len(list))
			}
		case "maxItems":
			if isList && len(list) > int(limit) {
				say("%d items", len(list))
			}
		case "items":
			for i, item := range list {
				if s, ok := want.(map[string]any); ok { // true allows everything
					out = append(out, breaches(s, item, fmt.Sprintf("%s.%d", at, i))...)
				}
			}
		case "required":
			for _, k := range want.([]any) {
				if _, ok := object[k.(string)]; isObject && !ok {
					say("%v is missing", k)
				}
			}
		case "properties":
			for k, s := range want.(map[string]any) {
				if value, ok := object[k]; ok {
					if s, ok := s.(map[string]any); ok { // true allows everything
						out = append(out, breaches(s, value, at+"."+k)...)
					}
				}
			}
		case "additionalProperties":
			known, _ := schema["properties"].(map[string]any)
			for k, value := range object {
				if _, ok := known[k]; ok {
					continue
				}
				if s, ok := want.(map[string]any); ok {
					out = append(out, breaches(s, value, at+"."+k)...)
				} else if want == false {
					say("unknown key %s", k)
				}
			}
		case "not":
			if len(breaches(want.(map[string]any), v, at)) == 0 {
				say("%v is excluded", v)
			}
		case "allOf":
			for _, s := range want.([]any) {
				out = append(out, breaches(s.(map[string]any), v, at)...)
			}
		case "if":
			if then, ok := schema["then"]; ok && len(breaches(want.(map[string]any), v, at)) == 0 {
				out = append(out, breaches(then.(map[string]any), v, at)...)
			}
		case "then":
		case "oneOf":
			fits := 0
			var why []string
			for _, s := range want.([]any) {
				b := breaches(s.(map[string]any), v, at)
				if why = append(why, b...); len(b) == 0 {
					fits++
				}
			}
			if fits != 1 {
				say("%v fits %d of %d forms: %s", v, fits, len(want.([]any)), strings.Join(why, " | "))
			}
		default:
			say("keyword %s is not known to this test", key)
		}
	}
	return out
}

func asNumber(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case uint64:
		return float64(n), true
	}
	return 0, false
}

func hasType(name string, v any) bool {
	n, isNumber := asNumber(v)
	_, isMap := v.(map[string]any)
	_, isList := v.([]any)
	_, isText := v.(string)
	_, isBool := v.(bool)
	return map[string]bool{"object": isMap, "array": isList, "string": isText, "boolean": isBool, "number": isNumber,
		"integer": isNumber && n == math.Trunc(n)}[name]
}

func schemaOf(t *testing.T, what string) map[string]any {
	t.Helper()
	code, out, errOut := plumb(t, "schema", what)
	var s map[string]any
	if err := json.Unmarshal([]byte(out), &s); code != exitOK || err != nil {
		t.Fatalf("schema %s: exit %d, %v: %s", what, code, err, errOut)
	}
	return s
}

func yamlValue(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchemasFitTheConfigs holds every shipped config, and an experiment as a run resolved it, against the
// schemas.
func TestSchemasFitTheConfigs(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine")
	}
	dir, _ := runDir(t)
	files := map[string][]string{"experiment": {filepath.Join(dir, "experiment.yaml")}}
	// experiments and papers
	for what, folder := range map[string]string{"experiment": "[ep]*s", "data": "data", "model": "models"} {
		found, err := filepath.Glob("configs/" + folder + "/*.yaml")
		if err != nil || len(found) == 0 {
			t.Fatalf("no configs of kind %s: %v", what, err)
		}
		files[what] = append(files[what], found...)
	}
	for what, list := range files {
		for _, file := range list {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, kind := yamlValue(t, string(raw)), what
			if what == "model" {
				m := v.(map[string]any)
				if kind, v = m["model"].(string), m["params"]; v == nil {
					v = map[string]any{}
				}
			}
			for _, b := range breaches(schemaOf(t, kind), v, file) {
				t.Error(b)
			}
		}
	}
}

// TestSchemasAllow: what the decoder takes, the schema lets pass.
func TestSchemasAllow(t *testing.T) {
	for _, c := range []struct{ what, text string }{
		{"experiment", "name: x\ndata: synth\nmodels: znorm\nseeds: 1\nprep: impute\naudit: false\nunit: [src]\n"},
		{"experiment", "name: x\ndata: [synth]\nmodels: [{model: ae, params: {hidden: 8}}]\naudit: strict\nunit: host\n"},
		{"data", "name: x\nbase: synth\nfiles: {train: a.csv}\nlabel: {column: y, benign: ok}\ndrop: id\n"},
	} {
		for _, b := range breaches(schemaOf(t, c.what), yamlValue(t, c.text), c.what) {
			t.Errorf("%q: %s", c.text, b)
		}
	}
}

func TestSchemasRefuse(t *testing.T) {
	const head = "name: x\ndata: [synth]\n"
	for _, c := range []struct{ what, text, want string }{
		{"experiment", "name: x\ndata: [synth]\n", "models is missing"},
		{"experiment", head + "models: [znorm]\nsedes: [1]\n", "unknown key sedes"},
		{"experiment", head + "models: [znorm]\nbootstrap: -1\n", "breaks minimum"},
		{"experiment", head + "models: [znorm]\naggregate: sum\n", "not one of"},
		{"experiment", head + "models: [{model: ae, params: {epochs: 0}}]\n", "breaks minimum"},
		{"experiment", head + "models: [{model: ae, params: {epocs: 1}}]\n", "unknown key epocs"},
		{"experiment", head + "models: [znorm]\nunit: []\n", "0 items"},
		{"experiment", head + "models: [znorm]\nprep: [{step: scale, kind: minmux}]\n", "not one of"},
		{"experiment", head + "models: [znorm]\nsplit: {kind: random, test: 1}\n", "exclusiveMaximum"},
		{"experiment", head + "models: [znorm]\nthreshold: {rule: fpr, on: test}\n", "not one of"},
		{"data", "name: x\nlabels: {column: y}\n", "unknown key labels"},
		{"experiment", head + "models: [znorm]\naudit: maybe\n", "not one of"},
		{"experiment", head + "models: [znorm]\nseeds: [one]\n", "not of type"},
		{"data", "name: x\n", "format is missing"},
		{"data", "name: x\nformat: synth\noptions: {host: 3}\n", "unknown key host"},
		{"iforest", "trees: 0\n", "breaks minimum"},
		{"iforest", "trees: many\n", "not of type"},
	} {
		got := strings.Join(breaches(schemaOf(t, c.what), yamlValue(t, c.text), c.what), "\n")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s %q: %q lacks %q", c.what, c.text, got, c.want)
		}
	}
}
