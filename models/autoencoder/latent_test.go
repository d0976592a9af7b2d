package autoencoder

import (
	"errors"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// labelled is a model that cannot stand here.
type labelled struct{}

func (labelled) New(models.Env) (models.Detector, error) { return nil, nil }

func init() {
	models.Register(models.Info{Name: "labelled", Doc: "for tests", Paper: "none",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return labelled{} }})
}

func TestLatentErrors(t *testing.T) {
	for text, want := range map[string]string{
		"latent: ''":                               "names no model",
		"latent: [lof]":                            "want text",
		"latent: {model: ae, parms: {}}":           "unknown key",
		"latent: {model: ae, params: {epoch: 1}}":  `did you mean "epochs"`,
		"latent: {model: aee}":                     `did you mean "ae"`,
		"latent: labelled":                         "cannot stand here",
		"latent: nothing":                          "unknown model",
		"{shrink: -1}":                             "at least 0",
		"{latent: ae, patience: 3, validation: 0}": "patience needs validation",
	} {
		doc, err := settings.Parse("m.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		spec, err := models.Decode("sae", doc)
		if err == nil {
			_, err = spec.New(models.Env{})
			if err != nil && !errors.Is(err, models.ErrSpec) {
				t.Errorf("%s: error %v wraps no ErrSpec", text, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
