package flows

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/data/rows"
)

// TestColumnsOfPublicSets: flows of captures have the columns of the public data sets as the shipped configs read them,
// so that a model that was trained on one scores the other; what they lack is named here.
func TestColumnsOfPublicSets(t *testing.T) {
	for _, c := range []struct {
		config string
		v      Vocabulary
		lacks  []string
	}{
		{"ctu-argus", &Argus{Interval: 3600, States: "flags"}, []string{"Label"}},
		{"nfdump", &NetFlow{Layout: "nfdump"}, []string{"label"}},
		{"nf-uq-nids-v2", &NetFlow{Layout: "nf-v2"}, []string{"Label", "Attack"}},
		{"cicflowmeter", &CIC{}, []string{"Label"}},
	} {
		t.Run(c.config, func(t *testing.T) {
			raw, err := configs.Files.ReadFile("data/" + c.config + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := settings.Parse(c.config, raw)
			if err != nil {
				t.Fatal(err)
			}
			options, ok := doc.Get("options")
			if !ok {
				t.Fatal("no options")
			}
			var want struct {
				Columns []rows.ColumnSpec `yaml:"columns"`
			}
			list, ok := options.Get("columns")
			if !ok {
				t.Fatal("no columns")
			}
			if ps := list.Decode(&want.Columns); len(ps) > 0 {
				t.Fatal(ps)
			}
			if len(want.Columns) < 12 {
				t.Fatalf("%d columns", len(want.Columns))
			}
			got := c.v.Columns()
			for _, w := range want.Columns {
				if slices.Contains(c.lacks, w.Name) {
					continue
				}
				i := slices.IndexFunc(got, func(s rows.ColumnSpec) bool { return s.Name == w.Name })
				switch {
				case i < 0:
					t.Errorf("no column %q", w.Name)
				case got[i].Type.ColumnType() != w.Type.ColumnType():
					t.Errorf("%s is a %s, want %s", w.Name, got[i].Type, w.Type)
				}
			}
			for _, s := range got {
				if strings.TrimSpace(s.Name) != s.Name || s.Name == "" {
					t.Errorf("column %q", s.Name)
				}
			}
		})
	}
}

// TestCategories: numbers are read as categories where the config says so, and names that no column has are a problem.
func TestCategories(t *testing.T) {
	decode := func(text string) (*Capture, settings.Problems) {
		doc, err := settings.Parse("test", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c := &Capture{MaxOpen: 10}
		ps := doc.Decode(c)
		return c, append(ps, c.Check(doc)...)
	}
	c, ps := decode("{as: zeek, categories: [id.resp_p]}")
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	kinds := map[string]rows.Kind{}
	for _, s := range c.Schema() {
		kinds[s.Name] = s.Type
	}
	if kinds["id.resp_p"] != "category" || kinds["id.orig_p"] != "number" {
		t.Error(kinds)
	}
	if _, ps := decode("{as: zeek, categories: [Dport]}"); len(ps) != 1 || !strings.Contains(fmt.Sprint(ps[0]), "Dport") {
		t.Error(ps)
	}
}
