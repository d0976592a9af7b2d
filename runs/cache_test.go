package runs

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs"
	"plumbline/data/cache"
	"plumbline/data/datatest"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// connections writes a small labelled file of connections and is an experiment on it.
func connections(t testing.TB) (text, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "connections.csv")
	var b bytes.Buffer
	for i := range 900 {
		label, service := "normal", []string{"dns", "http", "ssh"}[i*i%3]
		if i%9 == 8 {
			label, service = []string{"scan", "flood"}[i%2], "http"
		}
		fmt.Fprintf(&b, "%d,10.0.0.%d,%s,%d,%s\n", 1_700_000_000+60*i, i%23, service, i*i%101, label)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
name: kept
data:
  - name: connections
    format: delimited
    files: {train: [%s]}
    label: {column: label, benign: [normal]}
    options:
      columns: [{name: ts, type: time}, {name: host, type: address}, {name: service, type: category}, {name: size, type: number}, {name: label, type: category}]
    split: {kind: kfold, folds: 3, attacks: split}
    prep: [impute, onehot, {step: scale, kind: zscore}]
    traces: {key: [host], symbols: [service, {column: size, bins: 3}], window: {length: 5, stride: 2}, events: true}
models: [znorm, markov, {model: golearn_bagging, params: {trees: 3}}]
bootstrap: 0
`, file), file
}

// TestKeptData: a second run takes everything from the cache and leaves the same files.
func TestKeptData(t *testing.T) {
	text, _ := connections(t)
	plain := runSmall(t, text, Options{})
	for _, r := range plain.Results {
		if r.Status != record.OK {
			t.Fatalf("%+v", r)
		}
	}
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	for range 2 {
		out := runSmall(t, text, Options{Cache: store})
		if results(t, out.Dir) != results(t, plain.Dir) || !maps.Equal(scores(t, out.Dir), scores(t, plain.Dir)) {
			t.Error("results with a cache are others")
		}
		for _, name := range []string{"audit/connections-f2.json", "cells/connections/markov/s1-f1/prep.json"} {
			a, err1 := os.ReadFile(filepath.Join(plain.Dir, name))
			b, err2 := os.ReadFile(filepath.Join(out.Dir, name))
			if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs: %v %v", name, err1, err2)
			}
		}
		if _, err := os.Stat(filepath.Join(out.Dir, "log.jsonl")); err != nil {
			t.Fatal(err)
		}
		if log, _ := os.ReadFile(filepath.Join(out.Dir, "log.jsonl")); bytes.Contains(log, []byte(`"cache"`)) {
			t.Errorf("the cache complained:\n%s", log)
		}
	}
	one, err1 := record.Open(plain.Dir)
	two, err2 := record.Open(runSmall(t, text, Options{Cache: store}).Dir)
	if err1 != nil || err2 != nil || fmt.Sprint(one.Manifest.Data) != fmt.Sprint(two.Manifest.Data) {
		t.Errorf("manifests differ:\n%+v\n%+v", one.Manifest.Data, two.Manifest.Data)
	}
}

// kept says for each of some changes whether the fold is still taken from the cache.
func kept(t *testing.T, text string, store *cache.Store, overrides ...string) bool {
	t.Helper()
	e := runstest.Load(t, text, overrides...)
	r := &run{exp: e, dir: record.NewDirectory(t.TempDir()), opt: Options{Cache: store}}
	r.log = slog.New(slog.DiscardHandler)
	src := &prepare.Source{Set: &e.Sets[0], Finder: e.Finder, Workers: 2, Store: r.cacheSlot(&e.Sets[0])}
	p, err := src.Prepare(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []prepare.Needs{{}, {Labels: true}, {Traces: true}} {
		if _, err := p.Sets(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Audit(context.Background()); err != nil {
		t.Fatal(err)
	}
	return !src.FilesRead()
}

// TestWhatMakesAMiss: each change of the data or of what is made of it is a miss, and nothing else.
func TestWhatMakesAMiss(t *testing.T) {
	text, file := connections(t)
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	if kept(t, text, store) {
		t.Fatal("an empty cache has it")
	}
	for _, same := range [][]string{
		nil, {"models=[znorm]"}, {"seeds=[5]"}, {"aggregate=mean"}, {"+threshold={rule: fpr, value: 0.1}"},
	} {
		if !kept(t, text, store, same...) {
			t.Errorf("%v: a miss", same)
		}
	}
	for _, change := range []string{
		"data.0.split.seed=9", "data.0.split.folds=4", "+split={kind: random}", "data.0.prep=[impute, onehot]",
		"data.0.traces.window.stride=1", "data.0.traces.window={kind: dynamic, min: 3}", "+unit=host",
		"data.0.label.benign=[normal, scan]", "+data.0.label.trim=x",
	} {
		if kept(t, text, store, change) {
			t.Errorf("%s: not a miss", change)
		}
		if !kept(t, text, store, change) {
			t.Errorf("%s: a miss the second time", change)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := os.Stat(file)
	raw[slices.Index(raw, '7')] = '8' // of the same length, at the same time
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(file, st.ModTime(), st.ModTime())
	if kept(t, text, store) {
		t.Error("a changed byte: not a miss")
	}
}

// TestFlowsAreKept: columns of the test part are read from the files once.
func TestFlowsAreKept(t *testing.T) {
	text, _ := connections(t)
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	var texts []string
	for time := range 3 {
		e := runstest.Load(t, text)
		r := &run{exp: e, opt: Options{Cache: store}, log: slog.New(slog.DiscardHandler)}
		src := &prepare.Source{Set: &e.Sets[0], Finder: e.Finder, Workers: 2, Store: r.cacheSlot(&e.Sets[0])}
		p, err := src.Prepare(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		flows, err := p.Flows(context.Background(), []string{"ts", "host", "size"})
		if err != nil || flows.Rows != len(p.Test.Rows) {
			t.Fatalf("%d rows of %d: %v", flows.Rows, len(p.Test.Rows), err)
		}
		if src.FilesRead() != (time == 0) {
			t.Errorf("time %d: files were read: %v", time, src.FilesRead())
		}
		var b []byte
		for _, row := range p.Test.Rows {
			at, ok := flows.At(row)
			if !ok {
				t.Fatalf("no row %d", row)
			}
			b = append(append(b, flows.Where(at)...), ' ')
			for i := range flows.Columns {
				b = append(flows.Columns[i].AppendText(b, at), ' ')
			}
			b = append(append(b, flows.Classes[flows.Class[at]]...), '\n')
		}
		if texts = append(texts, string(b)); texts[time] != texts[0] {
			t.Errorf("time %d: the flows are others", time)
		}
	}
}

// TestUnusableCache: a folder that cannot be one is said once, and the run does without.
func TestUnusableCache(t *testing.T) {
	text, _ := connections(t)
	file := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var said []string
	out := runSmall(
		t,
		text,
		Options{Cache: &cache.Store{Dir: filepath.Join(file, "cache"), Limit: 1 << 30}, Observe: func(e Event) {
			if e.Kind == Warned && strings.Contains(e.Text, "prepared data is not kept") {
				said = append(said, e.Text)
			}
		}},
	)
	if out.Failed > 0 || len(said) != 1 || !strings.Contains(said[0], "not a directory") {
		t.Errorf("%d cells failed; it was said: %q", out.Failed, said)
	}
}

// TestDamagedCache: a broken entry is made anew, and said in the log.
func TestDamagedCache(t *testing.T) {
	text, _ := connections(t)
	plain := runSmall(t, text, Options{})
	store := &cache.Store{Dir: t.TempDir(), Limit: 1 << 30}
	runSmall(t, text, Options{Cache: store})
	files, _ := filepath.Glob(filepath.Join(store.Dir, "*"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(f, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := runSmall(t, text, Options{Cache: store})
	log, _ := os.ReadFile(filepath.Join(out.Dir, "log.jsonl"))
	if results(t, out.Dir) != results(t, plain.Dir) || strings.Count(string(log), "damaged cache entry") < len(files) {
		t.Errorf("%d entries were damaged, the log has:\n%s", len(files), log)
	}
	if !kept(t, text, store) {
		t.Error("the damaged entries were not made anew")
	}
}

// BenchmarkPrepare makes KDD99's sets from its files, and from the cache.
func BenchmarkPrepare(b *testing.B) {
	dir := datatest.Dir(b, "kddcup99")
	e, err := experiment.Load(
		runstest.Write(b, "name: x\ndata: [kddcup99]\nmodels: [znorm]\n"),
		experiment.LoadOptions{DataDirs: []string{dir}, Builtin: configs.Files},
	)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		store *cache.Store
	}{{"files", nil}, {"cache", &cache.Store{Dir: b.TempDir(), Limit: 1 << 32}}} {
		b.Run(c.name, func(b *testing.B) {
			one := func() {
				r := &run{exp: e, opt: Options{Cache: c.store}, log: slog.New(slog.DiscardHandler)}
				src := &prepare.Source{Set: &e.Sets[0], Finder: e.Finder, Workers: 2, Store: r.cacheSlot(&e.Sets[0])}
				p, err := src.Prepare(context.Background(), 0)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := p.Sets(context.Background(), prepare.Needs{}); err != nil {
					b.Fatal(err)
				}
			}
			one() // fills the cache
			for b.Loop() {
				one()
			}
		})
	}
}
