package classic

import (
	"os"
	"reflect"
	"testing"

	"plumbline/configs/settings"
	"plumbline/models"
)

// The shipped config of every model spells out its defaults, all of them.
func TestConfigs(t *testing.T) {
	for _, name := range models.Names() {
		path := "../../configs/models/" + name + ".yaml"
		raw, err := os.ReadFile(path)
		check(t, err)
		doc, err := settings.Parse(path, raw)
		check(t, err)
		var file struct {
			Model  string       `yaml:"model"`
			Doc    string       `yaml:"doc"`
			Params settings.Doc `yaml:"params"`
		}
		if ps := doc.Decode(&file); len(ps) > 0 {
			t.Fatal(ps)
		}
		info, err := models.Lookup(name)
		check(t, err)
		spec, err := models.Decode(name, file.Params)
		check(t, err)
		if file.Model != name || file.Doc == "" || !reflect.DeepEqual(spec, info.Defaults()) {
			t.Errorf("%s: model %q with %+v, defaults %+v", path, file.Model, spec, info.Defaults())
		}
		for _, f := range settings.Fields(spec) {
			if _, ok := file.Params.Get(f.Name); !ok {
				t.Errorf("%s: %s is not mentioned", path, f.Name)
			}
		}
	}
}
