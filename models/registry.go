package models

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
)

// Needs is what a runner must know before it builds a detector.
type Needs struct {
	Input  data.Kind // Vectors or Traces
	Labels Labels    // which truth Fit reads: where any, the training set has attacks, and Attack and Class say which
	Batch  bool      // a sample's score depends on the other samples of the same call (or on their order)
	Native bool      // rows may lack values (NaN), and categories come as codes (data.Code)
}

// Labels is how much truth a model learns from.
type Labels uint8

const (
	NoLabels   Labels = iota // none: it learns from benign samples
	SomeLabels               // a few labelled attacks do; samples that are not attacks need not all be benign
	AllLabels                // that of every training sample
)

// Any says whether the model reads labels at all.
func (l Labels) Any() bool { return l != NoLabels }

func (l Labels) String() string {
	switch l {
	case NoLabels:
		return "none"
	case SomeLabels:
		return "some"
	case AllLabels:
		return "all"
	}
	return fmt.Sprintf("Labels(%d)", uint8(l))
}

// Info describes a registered model, with the settings that it has by default: see NeedsOf for others.
type Info struct {
	Name  string // as in configs: lower case, digits and underscores
	Doc   string // one sentence: what it learns and what the score is
	Paper string // the source, as author, title, venue and year; or why there is none
	Needs Needs
	// HandsOn says that rows go as they are to the models that its settings name, so that it is native where one of them
	// is.
	HandsOn bool
	// Control says that it is there to be beaten: a detector that is not better has learned nothing that matters.
	Control bool
	// Seeded says whether what a detector of the spec learns, or how it scores, depends on Env.Seed; nil: it does
	// for every spec. One that ignores the seed is trained once per data set and fold.
	Seeded   func(Spec) bool
	Defaults func() Spec // a fresh pointer with every default filled in
	// Memory is how many bytes Fit takes for rows×columns training values besides these, of a model for which that
	// grows faster than with their number, such as one that keeps the distance of each pair of rows; nil: it does not.
	// A float64 holds what no machine has.
	Memory func(spec Spec, rows, columns int) float64
}

// NeedsOf is what the model needs with these settings.
func (i Info) NeedsOf(spec Spec) Needs {
	n := i.Needs
	if i.HandsOn && slices.ContainsFunc(referencesIn(reflect.ValueOf(spec)), Reference.Native) {
		n.Native = true
	}
	return n
}

// FitMemory is Memory of the model, and of those that stand in its settings, whichever takes most.
func (i Info) FitMemory(spec Spec, rows, columns int) float64 {
	most := 0.0
	if i.Memory != nil {
		most = i.Memory(spec, rows, columns)
	}
	for _, l := range referencesIn(reflect.ValueOf(spec)) {
		info, err := Lookup(l.model)
		if err != nil {
			continue
		}
		if own, err := l.Spec(); err == nil {
			most = max(most, info.FitMemory(own, rows, columns))
		}
	}
	return most
}

// referencesIn is the models that settings name.
func referencesIn(v reflect.Value) (found []Reference) {
	if !v.IsValid() {
		return nil
	}
	if l, ok := v.Interface().(Reference); ok {
		return []Reference{l}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return referencesIn(v.Elem())
	case reflect.Slice, reflect.Array:
		for k := range v.Len() {
			found = append(found, referencesIn(v.Index(k))...)
		}
	case reflect.Struct:
		for k := range v.NumField() {
			if v.Type().Field(k).IsExported() {
				found = append(found, referencesIn(v.Field(k))...)
			}
		}
	}
	return found
}

// Never is Seeded of a model that ignores the seed whatever its settings are.
func Never(Spec) bool { return false }

// UsesSeed is Seeded with its default filled in.
func (i Info) UsesSeed(spec Spec) bool { return i.Seeded == nil || i.Seeded(spec) }

var registry = map[string]Info{}

// Register adds a model. It is called from init in the model's own file, and panics on an incomplete
// Info or a name taken twice.
func Register(i Info) {
	switch {
	case i.Name == "" || strings.Trim(i.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		panic(fmt.Sprintf("models: register: bad name %q", i.Name))
	case i.Doc == "" || i.Paper == "" || i.Defaults == nil ||
		(i.Needs.Input != data.Vectors && i.Needs.Input != data.Traces):
		panic(fmt.Sprintf("models: register %s: incomplete Info", i.Name))
	}
	if _, dup := registry[i.Name]; dup {
		panic(fmt.Sprintf("models: register %s: registered twice", i.Name))
	}
	registry[i.Name] = i
}

// Names lists the registered models in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(registry)) }

// Lookup finds a registered model; an unknown name is an error that proposes the closest one.
func Lookup(name string) (Info, error) {
	if i, ok := registry[name]; ok {
		return i, nil
	}
	return Info{}, fmt.Errorf("models: unknown model %q%s", name, settings.DidYouMean(name, Names()))
}

// Decode builds the named model's Spec: its defaults, changed by each layer in turn. Every problem of
// every layer is in the error (a settings.Problems), with its place.
func Decode(name string, layers ...settings.Node) (Spec, error) {
	info, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	spec := info.Defaults()
	var problems settings.Problems
	for _, layer := range layers {
		problems = append(problems, layer.Decode(spec)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return spec, nil
}

// CheckSpec is what every Spec.New calls first: it checks the values against the ranges that the struct's
// jsonschema tags declare.
func CheckSpec(model string, spec Spec) error {
	if p := settings.Check(spec); len(p) > 0 {
		return fmt.Errorf("%s: %w: %w", model, ErrSpec, p)
	}
	return nil
}
