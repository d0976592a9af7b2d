package models

import (
	"bytes"
	"context"
	"fmt"

	"plumbline/configs/settings"
	"plumbline/data"
)

// Reference names a model within another one's settings, such as the one that judges what a network makes of
// rows: any model of vectors that learns without labels.
type Reference struct {
	model string
	spec  Spec // nil: the model's defaults
	any   bool // models that learn from labels may stand here too
}

// AnyReference is a [Reference] to any model of vectors, also one that learns from labels.
type AnyReference struct{ Reference }

// AnyReferenceTo is a model with its defaults.
func AnyReferenceTo(model string) AnyReference {
	return AnyReference{Reference{model: model, any: true}}
}

// UnmarshalSettings takes what that of Reference takes.
func (l *AnyReference) UnmarshalSettings(d settings.Node) settings.Problems {
	ps := l.Reference.UnmarshalSettings(d)
	l.any = true
	return ps
}

// ReferenceTo is a model with its defaults.
func ReferenceTo(model string) Reference { return Reference{model: model} }

// Forms are a model's name, or {model, params}.
func (*Reference) Forms() []settings.Form {
	type plain struct {
		Model  string         `yaml:"model"`
		Params map[string]any `yaml:"params"`
	}
	return []settings.Form{{}, {Keys: plain{}, Required: []string{"model"}}}
}

// UnmarshalSettings takes the name of a model, or {model, params}.
func (l *Reference) UnmarshalSettings(d settings.Node) settings.Problems {
	*l = Reference{}
	if _, isMap := d.Get("model"); !isMap {
		ps := d.Decode(&l.model)
		if len(ps) == 0 && l.model == "" {
			ps = append(ps, d.Problem("names no model"))
		}
		return ps
	}
	var form struct {
		Model  string        `yaml:"model"`
		Params settings.Node `yaml:"params"`
	}
	ps := d.Decode(&form)
	if len(ps) > 0 {
		return ps
	}
	l.model = form.Model
	spec, err := Decode(form.Model, form.Params)
	if err != nil {
		if more, ok := err.(settings.Problems); ok {
			return more
		}
		return settings.Problems{d.Problem("%v", err)}
	}
	l.spec = spec
	return nil
}

// String is the model's name.
func (l Reference) String() string { return l.model }

// MarshalYAML is the form that UnmarshalSettings reads.
func (l Reference) MarshalYAML() (any, error) {
	if l.spec == nil {
		return l.model, nil
	}
	return map[string]any{"model": l.model, "params": l.spec}, nil
}

// Build is an unfitted detector of the model.
func (l Reference) Build(env Env) (Detector, error) {
	spec, err := l.Spec()
	if err != nil {
		return nil, err
	}
	env.Observe, env.Watch = nil, nil // its progress is not that of training
	return spec.New(env)
}

// Fit builds a detector of the model and fits it.
func (l Reference) Fit(ctx context.Context, env Env, train *data.Set) (Detector, error) {
	det, err := l.Build(env)
	if err != nil {
		return nil, err
	}
	return det, det.Fit(ctx, train)
}

// Save adds a fitted detector of the model to its owner's arrays, under a name.
func (l Reference) Save(to Arrays, name string, det Detector) error {
	var b bytes.Buffer
	if err := det.Save(&b); err != nil {
		return err
	}
	to[name] = b.Bytes()
	return nil
}

// Load restores what Save added. A detector that does not score rows of this many columns is refused like one that
// does not load: with an error that wraps ErrState.
func (l Reference) Load(from Arrays, name string, env Env, columns int) (Detector, error) {
	raw, err := Array[uint8](from, name, -1)
	if err != nil {
		return nil, err
	}
	det, err := l.Build(env)
	if err != nil {
		return nil, err
	}
	if err := det.Load(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	one := &data.Set{Kind: data.Vectors, N: 1, D: columns, X: make([]float32, columns)}
	if _, err := det.Score(context.Background(), one); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return det, nil
}

// UsesSeed says whether the model, with its settings, depends on the seed.
func (l Reference) UsesSeed() bool {
	info, err := Lookup(l.model)
	if err != nil {
		return true
	}
	spec, err := l.Spec()
	return err != nil || info.UsesSeed(spec)
}

// With is a reference to the same model with other settings, of the type that Spec gives.
func (l Reference) With(spec Spec) Reference { return Reference{l.model, spec, l.any} }

// Labels is how much truth the model learns from.
func (l Reference) Labels() Labels {
	info, err := Lookup(l.model)
	if err != nil {
		return NoLabels
	}
	return info.Needs.Labels
}

// Native says whether the model, with its settings, takes missing values and codes of categories.
func (l Reference) Native() bool {
	info, err := Lookup(l.model)
	if err != nil {
		return false
	}
	spec, err := l.Spec()
	return err == nil && info.NeedsOf(spec).Native
}

// Spec is the model's settings, which are not to be changed.
func (l Reference) Spec() (Spec, error) {
	info, err := Lookup(l.model)
	if err != nil {
		return nil, err
	}
	switch n := info.Needs; {
	case n.Batch || n.Input != data.Vectors:
		return nil, fmt.Errorf("%s cannot stand here: want a model of vectors that judges each row alone", l.model)
	case n.Labels.Any() && !l.any:
		return nil, fmt.Errorf("%s cannot stand here: want a model of vectors that learns without labels", l.model)
	}
	if l.spec != nil {
		return l.spec, nil
	}
	return info.Defaults(), nil
}
