package source_test

import (
	"path/filepath"
	"slices"
	"testing"

	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
	_ "plumbline/data/synth"
)

// TestShippedConfigs: every data config is sound, named after its file, and says what it must.
func TestShippedConfigs(t *testing.T) {
	files, err := filepath.Glob("../../configs/data/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	var layouts []string
	for _, f := range files {
		c := sourcetest.File(t, f)
		if c.Tried == "layout" {
			layouts = append(layouts, c.Name)
		}
		if (c.Tried == "") != c.Generated() {
			t.Errorf("%s: tried: %q", f, c.Tried)
		}
		if c.Name+".yaml" != filepath.Base(f) || c.Doc == "" || c.Licence == "" ||
			!c.Generated() && (c.Citation == "" || c.URL == "") {
			t.Errorf("%s: name %q; doc, licence, citation or URL is missing", f, c.Name)
		}
	}
	slices.Sort(layouts)
	if !slices.Equal(layouts, source.InLayout) {
		t.Errorf("tried on their layout: %v, the tests do that for %v", layouts, source.InLayout)
	}
}
