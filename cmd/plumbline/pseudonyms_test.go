package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"plumbline/data/pseudonym"
)

var anAddress = regexp.MustCompile(`[0-9]{1,3}(?:\.[0-9]{1,3}){3}`)

// addressesOf is the addresses in a text, as a set.
func addressesOf(text []byte) map[string]bool {
	out := map[string]bool{}
	for _, a := range anAddress.FindAll(text, -1) {
		out[string(a)] = true
	}
	return out
}

// plainBytes is a file's bytes, of a compressed one or an archive those within too.
func plainBytes(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	add := func(r io.Reader, err error) {
		t.Helper()
		var more []byte
		if err == nil {
			more, err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		raw = append(raw, more...)
	}
	whole := bytes.NewReader(raw)
	switch {
	case bytes.HasPrefix(raw, []byte("\x28\xb5\x2f\xfd")):
		z, err := zstd.NewReader(whole)
		add(z, err)
	case bytes.HasPrefix(raw, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(whole)
		add(z, err)
	case bytes.HasPrefix(raw, []byte("plumbline-model ")):
		z, err := zip.NewReader(whole, int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			add(r, err)
		}
	}
	return raw
}

// TestPseudonyms: with a key no address of the traffic is left in any byte of what is written: a run with its scores,
// reports and models, exports of it, model files, scores and causes of files, flows of captures, tables, and the alerts
// of a watched log with the state that is kept beside them; and pseudonyms are there in their places.
func TestPseudonyms(t *testing.T) {
	if testing.Short() {
		t.Skip("the goroutines of runs, which package runs tests")
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	ok := func(args ...string) string {
		t.Helper()
		code, out, errOut := plumb(t, args...)
		if code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, errOut)
		}
		return out + errOut
	}
	key := file("key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := pseudonym.ReadKey(key)
	if err != nil {
		t.Fatal(err)
	}
	experiment := writeExperiment(t, "name: tiny\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n"+
		"models: [znorm, markov]\nseeds: [1]\nbootstrap: 20\nunit: host\nthreshold: {rule: fpr, value: 0.1}\n"+
		"traces: {symbols: [dst, state]}\n") // models know addresses
	small := file("small.yaml")
	if err := os.WriteFile(small, []byte("base: synth\nname: small\noptions: {hosts: 6, hours: 12, rate: 3}\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	ok("data", "export", small, file("flows.csv"), "-q")
	ok("data", "simulate", "-o", file("packets.pcap"), "--minutes", "1", "--clients", "6")
	ok("data", "flows", file("packets.pcap"), "--as", "argus", "-o", file("flows-of-packets.csv"), "-q")
	real := addressesOf(append(plainBytes(t, file("flows.csv")), plainBytes(t, file("flows-of-packets.csv"))...))
	for a := range real {
		if real[m.Text(a)] {
			t.Fatalf("the pseudonym of %s is an address of the traffic: take another key", a)
		}
	}
	if len(real) < 40 {
		t.Fatalf("%d addresses", len(real))
	}

	to := file("written")
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(to, name) }
	said := ok("run", experiment, "--out", to, "--pseudonym-key", key, "-q")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	run := lines[len(lines)-1]
	said += ok("investigate", run+"/znorm/s1") + ok("report", run) + ok("show", run)
	said += ok("bundle", run+"/markov/s1", "-o", at("knows.plumb")) + ok("bundle", "show", at("knows.plumb"))
	said += ok("export", run, "--to", "mlruns", "--files", "all", "-o", at("mlruns"))
	said += ok("export", run, "--to", "tensorboard", "-o", at("tensorboard"))
	said += ok("export", run, "--to", "dvc", "-o", at("dvc"))
	said += ok("export", run+"/znorm/s1", "--to", "card", "-o", at("card.md"))
	said += ok("export", run+"/znorm/s1", "--to", "croissant", "-o", at("card.json"))
	said += ok("data", "export", small, at("flows.csv"), "--pseudonym-key", key)
	said += ok("data", "export", experiment, "--prepared", "--labels", "--format", "csv", "--out", at("prepared"),
		"--pseudonym-key", key)
	for _, tool := range []string{"zeek", "argus", "netflow"} {
		said += ok("data", "flows", file("packets.pcap"), "--as", tool, "-o", at(tool+".csv"), "--pseudonym-key", key)
	}
	said += ok("train", file("flows.csv"), "--model", "markov", "-o", at("own.plumb"), "--fpr", "0.1", "--pseudonym-key",
		key)
	said += ok("score", at("own.plumb"), file("flows.csv"), "-o", at("scores.csv"), "--explain", "2", "--summary",
		at("summary.json"), "--pseudonym-key", key)
	said += ok("score", at("knows.plumb"), file("flows.csv"), "-o", at("hosts.ndjson"), "--pseudonym-key", key)
	said += ok("investigate", at("own.plumb"), file("flows.csv"), "-o", to, "--pseudonym-key", key)
	ok("run", experiment, "--out", dir, "-q")
	raw, err := filepath.Glob(file("*-tiny"))
	if err != nil || len(raw) != 1 {
		t.Fatal(raw, err)
	}
	for _, model := range []string{"znorm", "markov"} { // hosts and traces are kept in the store
		said += ok("watch", raw[0]+"/"+model+"/s1", "--follow", file("flows.csv"), "--once", "--store", at(model+".db"),
			"--to", "file:"+at(model+".ndjson"), "--pseudonym-key", key)
		said += ok("alerts", "export", "--store", at(model+".db"), "-o", at(model+"-exported.ndjson"))
	}

	files, found := 0, map[string]int{}
	err = filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		for a := range addressesOf(plainBytes(t, path)) {
			if real[a] {
				t.Errorf("%s holds the address %s", path, a)
			}
		}
		return nil
	})
	if err != nil || files < 60 {
		t.Errorf("%d files, %v", files, err)
	}
	for a := range addressesOf([]byte(said)) {
		if real[a] {
			t.Errorf("the address %s is printed", a)
		}
	}
	hidden := map[string]bool{}
	for a := range real {
		hidden[m.Text(a)] = true
	}
	for _, name := range []string{"flows.csv", "zeek.csv", "argus.csv", "netflow.csv", "scores.csv", "hosts.ndjson",
		"znorm.db", "markov.db", "markov.ndjson", "znorm-exported.ndjson", "investigation.csv", "knows.plumb"} {
		for a := range addressesOf(plainBytes(t, at(name))) {
			if hidden[a] {
				found[name]++
			}
		}
		if found[name] < 3 {
			t.Errorf("%s has %d pseudonyms of addresses of the traffic", name, found[name])
		}
	}
	if code, _, errOut := plumb(t, "run", experiment, "--out", to, "--pseudonym-key", key+".gone"); code != exitUsage ||
		!strings.Contains(errOut, "key.gone") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, errOut := plumb(t, "run", "--resume", run, "--pseudonym-key", key); code != exitUsage {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
