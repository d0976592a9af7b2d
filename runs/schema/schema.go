// Package schema describes config files to editors, as JSON Schema: what keys there are, of which form and range, with
// the help texts of their fields.
package schema

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"

	"plumbline/configs/settings"
	"plumbline/data/evasion"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/models"
	"plumbline/runs/experiment"
)

// reflector turns config structs into schemas: names from the yaml tags, nothing required, nothing beyond
// the known keys.
func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, DoNotReference: true, Anonymous: true, Mapper: special,
		LookupComment: fieldDoc,
	}
}

// fieldDoc is the help text of a setting; types as such have none.
func fieldDoc(in reflect.Type, field string) string {
	if field == "" || in.Kind() != reflect.Struct {
		return ""
	}
	return settings.FieldDoc(in, field)
}

// plainly reflects type plain, which has the fields of another type and is not special, with that one's help texts.
func plainly(plain, of reflect.Type) *jsonschema.Schema {
	r := reflector()
	r.LookupComment = func(in reflect.Type, field string) string {
		if in == plain {
			in = of
		}
		return fieldDoc(in, field)
	}
	return bare(r.ReflectFromType(plain))
}

// special are the types that say themselves what may be written.
func special(t reflect.Type) *jsonschema.Schema {
	if t == reflect.TypeFor[settings.Node]() {
		return &jsonschema.Schema{}
	}
	formed, ok := reflect.New(t).Interface().(settings.Formed)
	if !ok {
		return nil
	}
	var forms []*jsonschema.Schema
	for _, f := range formed.Forms() {
		forms = append(forms, formSchema(f, t))
	}
	return &jsonschema.Schema{OneOf: forms}
}

// formSchema is one form of a type, whose help texts its keys have.
func formSchema(f settings.Form, of reflect.Type) *jsonschema.Schema {
	switch {
	case f.Bools:
		return &jsonschema.Schema{Type: "boolean"}
	case f.List != nil:
		return &jsonschema.Schema{Type: "array", Items: formSchema(*f.List, of), MinItems: count(1)}
	case f.Keys != nil:
		s := plainly(reflect.TypeOf(f.Keys), of)
		s.Required = f.Required
		return s
	case f.Texts != nil:
		return &jsonschema.Schema{Type: "string", Enum: anys(f.Texts)}
	}
	return &jsonschema.Schema{Type: "string"}
}

func count(n uint64) *uint64 { return &n }

// bare takes the document's own header off a nested schema.
func bare(s *jsonschema.Schema) *jsonschema.Schema {
	s.Version, s.ID = "", ""
	return s
}

// Of is the schema of experiment files ("experiment"), of data configs ("data") or of a model's params.
func Of(what string) (*jsonschema.Schema, error) {
	s, err := of(what)
	listsOfOne(s)
	return s, err
}

func of(what string) (*jsonschema.Schema, error) {
	switch what {
	case "experiment":
		return experimentSchema(), nil
	case "data":
		s := reflector().Reflect(&source.Config{})
		s.Title = "plumbline data config"
		set(s, "split", bare(reflector().Reflect(&split.SplitSpec{})))
		set(s, "prep", stepsSchema())
		set(s, "traces", bare(reflector().Reflect(&prep.TraceSpec{})))
		set(s, "unit", special(reflect.TypeFor[experiment.Unit]()))
		set(s, "evasion", bare(reflector().Reflect(&evasion.EvasionSpec{})))
		set(s, "format", &jsonschema.Schema{Type: "string", Enum: anys(source.Formats())})
		s.Required, s.AllOf = []string{"name"}, formatSchemas()
		s.AllOf = append(s.AllOf, &jsonschema.Schema{
			If:   &jsonschema.Schema{Not: &jsonschema.Schema{Required: []string{"base"}}},
			Then: &jsonschema.Schema{Required: []string{"format"}},
		})
		return s, nil
	}
	i, err := models.Lookup(what)
	if err != nil {
		return nil, fmt.Errorf("schema: %q is neither experiment, data nor a model: %w", what, err)
	}
	s := reflector().Reflect(i.Defaults())
	s.Title, s.Description = "params of "+i.Name, i.Doc
	return s, nil
}

// formatSchemas ties a data config's options to its format.
func formatSchemas() (out []*jsonschema.Schema) {
	for _, name := range source.Formats() {
		options, ok := source.FormatOptions(name)
		if !ok {
			continue
		}
		is, has := jsonschema.NewProperties(), jsonschema.NewProperties()
		is.Set("format", &jsonschema.Schema{Const: name})
		has.Set("options", bare(reflector().Reflect(options)))
		out = append(out, &jsonschema.Schema{If: &jsonschema.Schema{Properties: is},
			Then: &jsonschema.Schema{Properties: has}})
	}
	return out
}

// listsOfOne lets a scalar stand for a list of one, in a schema and all below it.
func listsOfOne(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	below := append([]*jsonschema.Schema{s.Items, s.Then, s.AdditionalProperties}, s.AllOf...)
	for _, form := range s.OneOf {
		if form.Type != "array" { // a list among other forms says itself what else may stand there
			below = append(below, form)
		}
	}
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			below = append(below, p.Value)
		}
	}
	for _, b := range below {
		listsOfOne(b)
	}
	if s.Type != "array" || s.Items == nil {
		return
	}
	forms := s.Items.OneOf
	if forms == nil {
		forms = []*jsonschema.Schema{s.Items}
	}
	list := *s
	list.Description = ""
	one := []*jsonschema.Schema{&list}
	for _, f := range forms {
		if slices.Contains([]string{"string", "number", "integer", "boolean"}, f.Type) {
			one = append(one, f)
		}
	}
	if len(one) > 1 {
		*s = jsonschema.Schema{Description: s.Description, OneOf: one}
	}
}

func set(s *jsonschema.Schema, key string, value *jsonschema.Schema) {
	if old, ok := s.Properties.Get(key); ok {
		value.Description = old.Description
	}
	s.Properties.Set(key, value)
}

func experimentSchema() *jsonschema.Schema {
	s := reflector().Reflect(experiment.Defaults())
	s.Title = "plumbline experiment"
	s.Required = []string{"name", "data", "models"}
	text := &jsonschema.Schema{Type: "string"}
	set(s, "data", &jsonschema.Schema{Type: "array", MinItems: count(1),
		Items: &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {Type: "object"}}}})
	var entries []*jsonschema.Schema
	entries = append(entries, text)
	for _, name := range models.Names() {
		i, err := models.Lookup(name)
		if err != nil {
			continue
		}
		props := jsonschema.NewProperties()
		props.Set("model", &jsonschema.Schema{Const: name, Description: i.Doc})
		props.Set("label", text)
		props.Set("doc", text)
		props.Set("params", bare(reflector().Reflect(i.Defaults())))
		entries = append(entries, &jsonschema.Schema{Type: "object", Properties: props, Required: []string{"model"},
			AdditionalProperties: jsonschema.FalseSchema})
	}
	props := jsonschema.NewProperties()
	props.Set("model", &jsonschema.Schema{Type: "string", Description: "a config of configs/models",
		Not: &jsonschema.Schema{Enum: anys(models.Names())}})
	props.Set("label", text)
	props.Set("doc", text)
	props.Set("params", &jsonschema.Schema{Type: "object"})
	entries = append(entries, &jsonschema.Schema{Type: "object", Properties: props, Required: []string{"model"},
		AdditionalProperties: jsonschema.FalseSchema})
	set(s, "models", &jsonschema.Schema{Type: "array", MinItems: count(1), Items: &jsonschema.Schema{OneOf: entries}})
	set(s, "split", bare(reflector().Reflect(&split.SplitSpec{})))
	set(s, "prep", stepsSchema())
	set(s, "traces", bare(reflector().Reflect(&prep.TraceSpec{})))
	return s
}

func anys(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// stepsSchema is a list of preprocessing steps: names, or maps with the name under step.
func stepsSchema() *jsonschema.Schema {
	var names []any
	var forms []*jsonschema.Schema
	for _, st := range prep.Steps() {
		names = append(names, st.Name)
		s := bare(reflector().Reflect(st.Defaults))
		s.Properties.Set("step", &jsonschema.Schema{Const: st.Name, Description: st.Doc})
		s.Required = []string{"step"}
		forms = append(forms, s)
	}
	forms = append([]*jsonschema.Schema{{Type: "string", Enum: names}}, forms...)
	return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{OneOf: forms}}
}
