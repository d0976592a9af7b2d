package bundle_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/bundle"
	"plumbline/runs/record"
)

// FuzzOpen: whatever stands in one file of a bundle, with the hash that it had or, as somebody who means it would leave
// it, with its own, the bundle is opened or the error names the file; what was opened scores a table or says why not.
func FuzzOpen(f *testing.F) {
	dir, e := run(f, `
name: fuzzed
data: [{data: synth, options: {hosts: 4, hours: 6, rate: 2}}]
models: [znorm, markov]
bootstrap: 0
`)
	table := testTable(f, e)
	marked := make([]bool, table.Rows)
	for i := range min(8, len(marked)) {
		marked[i] = true
	}
	table.Keep(marked)
	names := []string{"bundle.json", "spec.yaml", "prep.json", "threshold.json", "model.bin"}
	var folders []string
	whole := map[string][]byte{}
	for _, model := range []string{"znorm", "markov"} {
		folder := filepath.Join(dir, "cells", "synth", model, "s1")
		folders = append(folders, folder)
		if b, err := bundle.Open(folder); err != nil {
			f.Fatal(err)
		} else if _, err := b.Score(context.Background(), table); err != nil {
			f.Fatal(err)
		}
		for k, name := range names {
			raw, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				f.Fatal(err)
			}
			whole[filepath.Join(folder, name)] = raw
			for _, own := range []bool{false, true} {
				f.Add(uint8(k), model == "markov", own, raw)
				f.Add(uint8(k), model == "markov", own, []byte("{}"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, markov, own bool, content []byte) {
		folder, name := folders[0], names[int(which)%len(names)]
		if markov {
			folder = folders[1]
		}
		at, manifest := filepath.Join(folder, name), filepath.Join(folder, "bundle.json")
		write := func(at string, raw []byte) {
			if err := os.WriteFile(at, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		defer write(at, whole[at])
		write(at, content)
		if own && name != "bundle.json" {
			var m bundle.Manifest
			if err := json.Unmarshal(whole[manifest], &m); err != nil {
				t.Fatal(err)
			}
			m.Files[name] = record.SumOf(content)
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			write(manifest, raw)
			defer write(manifest, whole[manifest])
		}
		b, err := bundle.Open(folder)
		if err != nil {
			said := strings.Contains(err.Error(), name)
			if name == "bundle.json" || own { // what it says of other files, or what these say of each other
				said = strings.Contains(err.Error(), folder)
			}
			if !said {
				t.Errorf("the error does not name %s: %v", name, err)
			}
			return
		}
		if name != "bundle.json" && !own && string(content) != string(whole[at]) {
			t.Errorf("%s holds %.100q, and nobody says so", name, content)
		}
		scored, err := b.Score(context.Background(), table)
		if err == nil && len(scored.Scores) == 0 {
			t.Error("no scores, and no error")
		}
		if err != nil && errors.Is(err, bundle.ErrDamaged) {
			t.Error(err)
		}
	})
}
