package all

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestConfigs: a shipped config that has the name of a model spells out its defaults, all of them. Networks and state
// machines have configs by the name of a paper instead, or none.
func TestConfigs(t *testing.T) {
	n := 0
	for _, name := range models.Names() {
		path := "../../configs/models/" + name + ".yaml"
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		n++
		t.Run(name, func(t *testing.T) {
			modeltest.Check(t, err)
			doc, err := settings.Parse(path, raw)
			modeltest.Check(t, err)
			var file struct {
				Model  string        `yaml:"model"`
				Doc    string        `yaml:"doc"`
				Params settings.Node `yaml:"params"`
			}
			if ps := doc.Decode(&file); len(ps) > 0 {
				t.Fatal(ps)
			}
			info, err := models.Lookup(name)
			modeltest.Check(t, err)
			spec, err := models.Decode(name, file.Params)
			modeltest.Check(t, err)
			if file.Model != name || file.Doc == "" || !reflect.DeepEqual(spec, info.Defaults()) {
				t.Errorf("%s: model %q with %+v, defaults %+v", path, file.Model, spec, info.Defaults())
			}
			for _, f := range settings.Fields(spec) {
				if _, ok := file.Params.Get(f.Name); !ok {
					t.Errorf("%s: %s is not mentioned", path, f.Name)
				}
			}
		})
	}
	if n < 45 {
		t.Errorf("%d models have a config of their name", n)
	}
}
