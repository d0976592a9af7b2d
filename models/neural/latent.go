package neural

import (
	"fmt"

	"plumbline/data/strictyaml"
	"plumbline/models"
)

// Latent names the model that judges rows by what a network makes of them: any model of vectors that learns
// without labels.
type Latent struct {
	model string
	spec  models.Spec // nil: the model's defaults
}

// DecodeStrict takes the name of a model, or {model, params}.
func (l *Latent) DecodeStrict(d strictyaml.Doc) strictyaml.Problems {
	*l = Latent{}
	if _, isMap := d.Get("model"); !isMap {
		ps := d.Decode(&l.model)
		if len(ps) == 0 && l.model == "" {
			ps = append(ps, d.Problem("names no model"))
		}
		return ps
	}
	var form struct {
		Model  string         `yaml:"model"`
		Params strictyaml.Doc `yaml:"params"`
	}
	ps := d.Decode(&form)
	if len(ps) > 0 {
		return ps
	}
	l.model = form.Model
	spec, err := models.Decode(form.Model, form.Params)
	if err != nil {
		if more, ok := err.(strictyaml.Problems); ok {
			return more
		}
		return strictyaml.Problems{d.Problem("%v", err)}
	}
	l.spec = spec
	return nil
}

// MarshalYAML is the form that DecodeStrict reads.
func (l Latent) MarshalYAML() (any, error) {
	if l.spec == nil {
		return l.model, nil
	}
	return map[string]any{"model": l.model, "params": l.spec}, nil
}

// build is a detector of the model.
func (l Latent) build(env models.Env) (models.Detector, error) {
	info, err := models.Lookup(l.model)
	if err != nil {
		return nil, err
	}
	if n := info.Needs; n.Labels || n.Batch || n.Input != vectors {
		return nil, fmt.Errorf("%s cannot judge a bottleneck: want a model of vectors that learns without labels", l.model)
	}
	spec := l.spec
	if spec == nil {
		spec = info.Defaults()
	}
	env.Observe = nil // its progress is not that of training
	return spec.New(env)
}
