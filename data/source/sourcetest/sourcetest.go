// Package sourcetest lends tests of other packages what those of data/source use: configs from texts and what is
// inferred from files.
package sourcetest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/infer"
	"plumbline/data/source"
)

// Config is a data config from its text.
func Config(t testing.TB, text string) *source.Config {
	t.Helper()
	doc, err := settings.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// File is a data config from its file, with what it has as its base merged in from the same folder.
func File(t testing.TB, file string) *source.Config {
	t.Helper()
	open := func(name string) (settings.Node, error) {
		path := filepath.Join(filepath.Dir(file), name+".yaml")
		raw, err := os.ReadFile(path)
		if err != nil {
			return settings.Node{}, err
		}
		return settings.Parse(path, raw)
	}
	doc, err := open(strings.TrimSuffix(filepath.Base(file), ".yaml"))
	if err == nil {
		doc, err = doc.Inherit(open)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ReadDir reads the files of a data config, given by its text, from a folder.
func ReadDir(t testing.TB, cfg, dir string, workers int) (*data.Table, *source.ReadReport, error) {
	t.Helper()
	return source.Read(context.Background(), Config(t, cfg), source.Finder{Dirs: []string{dir}}, workers)
}

// ReadText reads text as the file flows.csv of a data config.
func ReadText(t testing.TB, cfg, text string, workers int) (*data.Table, *source.ReadReport, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flows.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadDir(t, cfg, dir, workers)
}

// ReadInferred infers a config for a file, reads the file with it, and returns the table and the config's text.
func ReadInferred(t testing.TB, path, dir string) (*data.Table, string) {
	t.Helper()
	raw, err := infer.Infer(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := settings.Parse("inferred.yaml", raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	tb, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return tb, string(raw)
}

// Cells is a column's values as texts.
func Cells(c *data.Column) (out []string) {
	for i := range c.Len() {
		out = append(out, string(c.AppendText(nil, int32(i))))
	}
	return out
}

// Text is the value of a column in a row as text.
func Text(t testing.TB, tb *data.Table, column string, row int32) string {
	t.Helper()
	c, err := tb.Column(column)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.AppendText(nil, row))
}
