package all

import (
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestConformance is not parallel: the suite swaps os.Stdout and os.Stderr.
func TestConformance(t *testing.T) {
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { modeltest.Run(t, info) })
	}
}

// TestConformanceOfForms: what a setting makes another method of takes the suite too.
func TestConformanceOfForms(t *testing.T) {
	for name, change := range map[string]string{
		"hbos": "form: pyod", "pca": "weighted: true", "copod": "tails: columns", "iforest": "extension: 1",
	} {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := settings.Parse("form", []byte(change))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := models.Decode(name, doc); err != nil {
			t.Fatal(err)
		}
		info.Defaults = func() models.Spec {
			spec, err := models.Decode(name, doc)
			if err != nil {
				panic(err)
			}
			return spec
		}
		t.Run(name+" "+change, func(t *testing.T) { modeltest.Run(t, info) })
	}
}
