package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plumbline/runs/bundle"
	"plumbline/runs/export"
	"plumbline/runs/record"
)

// TestCard: a card's numbers are those of the cell, and what Hugging Face reads of it is YAML.
func TestCard(t *testing.T) {
	dir := carryOut(t, pushed)
	cell := filepath.Join(dir, "cells/synth/ae/s1")
	b, err := export.Described(cell)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := export.Card(&out, b); err != nil {
		t.Fatal(err)
	}
	card := out.String()
	front, body, ok := strings.Cut(strings.TrimPrefix(card, "---\n"), "---\n")
	if !ok {
		t.Fatalf("no front:\n%.300s", card)
	}
	m := yamlOf(t, "front", front)
	index := m["model-index"].([]any)[0].(map[string]any)
	result := index["results"].([]any)[0].(map[string]any)
	if index["name"] != "ae" || result["dataset"].(map[string]any)["name"] != "synth" ||
		len(result["metrics"].([]any)) < 8 {
		t.Errorf("%v", m)
	}
	auroc := strconv.FormatFloat(b.Provenance.Result.Metric("auroc"), 'g', 4, 64)
	for _, want := range []string{"# ae on synth\n", "## Intended use", "## Training data", "## Threshold", "## Measured",
		"## Limits", "## Provenance", "| auroc | " + auroc + " |", "| scan | ", "epochs: 4\n", "fpr 0.01 on validation",
		b.Files["model.bin"].SHA256, "False alarms: ", "is not known until it has been measured there"} {
		if !strings.Contains(body, want) {
			t.Errorf("the card does not say %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "NaN") || strings.Contains(body, "%!") {
		t.Errorf("a number is missing:\n%s", body)
	}
	bare, err := bundle.Load(cell)
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Card(&out, bare); !errors.Is(err, export.ErrUndescribed) {
		t.Errorf("of a folder without its run: %v", err)
	}
}

// TestCroissant: the card is JSON-LD with what Croissant 1.0 requires of a data set, a file, a record set and a field,
// and every reference leads to something.
func TestCroissant(t *testing.T) {
	e := filepath.Join(carryOut(t, pushed), "cells/synth/znorm/s1")
	b, err := export.Described(e)
	if err != nil {
		t.Fatal(err)
	}
	// simulated flows have no files
	for n, files := range map[int][]string{0: nil, 1: {"one.csv"}, 3: {"a/one.csv", "b/two.csv.gz", "three.csv"}} {
		own := *b
		p := *b.Provenance
		p.Data.Files = nil
		for _, name := range files {
			p.Data.Files = append(p.Data.Files, record.FileRecord{Name: name, Rows: 7, Bytes: 99,
				SHA256: strings.Repeat("0a", 32)})
		}
		own.Provenance = &p
		var out bytes.Buffer
		if err := export.Croissant(&out, &own); err != nil {
			t.Fatal(err)
		}
		var set map[string]any
		if err := json.Unmarshal(out.Bytes(), &set); err != nil {
			t.Fatal(err)
		}
		if set["@type"] != "sc:Dataset" || set["conformsTo"] != "http://mlcommons.org/croissant/1.0" ||
			set["name"] != "synth" || set["description"] == "" || set["license"] == "" || set["datePublished"] == "" {
			t.Errorf("%v", set)
		}
		ids := map[string]bool{}
		objects, _ := set["distribution"].([]any)
		for _, v := range objects {
			o := v.(map[string]any)
			ids[o["@id"].(string)] = true
			if o["@type"] == "cr:FileObject" {
				sum, _ := o["sha256"].(string)
				if len(sum) != 64 || o["contentUrl"] == "" || o["encodingFormat"] == "" || o["contentSize"] == "" {
					t.Errorf("%v", o)
				}
			}
		}
		if want := map[int]int{0: 0, 1: 1, 3: 4}[n]; len(objects) != want {
			t.Errorf("%d files: %d objects", n, len(objects))
		}
		sets, _ := set["recordSet"].([]any)
		if n == 0 {
			if len(sets) != 0 {
				t.Error("rows of no file")
			}
			continue
		}
		fields := sets[0].(map[string]any)["field"].([]any)
		names := map[string]bool{}
		for _, v := range fields {
			f := v.(map[string]any)
			source := f["source"].(map[string]any)
			from, _ := source["fileObject"].(map[string]any)
			if n > 1 {
				from, _ = source["fileSet"].(map[string]any)
			}
			id, _ := from["@id"].(string)
			if f["@type"] != "cr:Field" || names[f["@id"].(string)] || !ids[id] ||
				source["extract"].(map[string]any)["column"] != f["name"] {
				t.Errorf("%v", f)
			}
			names[f["@id"].(string)] = true
		}
		if len(fields) < len(b.Columns) {
			t.Errorf("%d fields of %d columns", len(fields), len(b.Columns))
		}
	}
}
