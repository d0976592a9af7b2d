package export_test

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/infer"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

// awkward is a table of two parts with all column types, missing values and texts that formats must quote.
func awkward(t *testing.T) *data.Table {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(7, 8))
	texts := []string{"tcp", `"a, b"`, `"say ""no"""`, "ünï", "#x", `"two` + "\n" + `lines"`, "12", "null-ish", "<&>"}
	rows := func(n int) string {
		var b bytes.Buffer
		for i := range n {
			cells := []string{
				"1545403816.900000001",
				"10.0.0.7",
				[]string{"1e300", "0.1", "-7", "4"}[r.IntN(4)],
				texts[r.IntN(len(texts))],
				[]string{"ok", "scan", "flood"}[i%3],
			}
			if k := r.IntN(8); k < 4 {
				cells[k] = ""
			}
			if i%2 == 0 {
				cells[2] = strconv.FormatFloat(r.NormFloat64(), 'f', -1, 64)
			}
			b.WriteString(strings.Join(cells, ",") + "\n")
		}
		return b.String()
	}
	for name, n := range map[string]int{"a.csv": 3000, "b.csv": 700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rows(n)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tb, _, err := source.Read(context.Background(), sourcetest.Config(t, `
name: own
format: delimited
files: {train: [a.csv], test: [b.csv]}
label: {column: verdict, benign: [ok]}
options:
  columns: [{name: when, type: time}, {name: "the, host", type: address}, {name: size, type: number}, {name: file, type: category}, {name: verdict, type: category}]
`), source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

// TestExport: every format gives the table back, with its truth and where its rows came from.
func TestExport(t *testing.T) {
	want := awkward(t)
	same := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
	const delimited = "format: delimited\noptions: {header: true, time_layouts: ['2006-01-02T15:04:05Z07:00'], " +
		"types: {when: time, 'the, host': address, file: category, class: category, part: category, file_: category}}\n"
	const ndjson = "format: ndjson\noptions: {time_layouts: ['2006-01-02T15:04:05Z07:00'], columns: [" +
		"{name: when, type: time}, {name: 'the, host', type: address}, {name: size, type: number}, " +
		"{name: file, type: category}, {name: attack, type: number}, {name: class, type: category}, " +
		"{name: part, type: category}, {name: file_, type: category}, {name: line, type: number}]}\n"
	for _, c := range []struct{ file, config string }{
		{"x.parquet", "format: parquet\n"},
		{"x.csv", delimited},
		{"x.csv.gz", delimited},
		{"x.ndjson.zst", ndjson},
	} {
		t.Run(c.file, func(t *testing.T) {
			dir := t.TempDir()
			told := 0
			columns, err := export.Export(context.Background(), want, filepath.Join(dir, c.file),
				func(rows int) { told = max(told, rows+1) })
			if err != nil || told == 0 {
				t.Fatalf("%v, told %d", err, told)
			}
			names := []string{"when", "the, host", "size", "file", "attack", "class", "part", "file_", "line"}
			if !slices.Equal(columns, names) {
				t.Errorf("columns %q", columns)
			}
			text := "name: own\nfiles: {train: [" + c.file + "]}\n" +
				"label: {column: attack, class: class, benign: ['0']}\n" + c.config
			if c.file == "x.parquet" {
				text += "options: {types: {'the, host': address}}\n"
			}
			got, _, err := source.Read(context.Background(), sourcetest.Config(t, text), source.Finder{Dirs: []string{dir}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.Columns, got.Columns[:4], same); d != "" {
				t.Error(d)
			}
			if !slices.Equal(want.Attack, got.Attack) || !slices.Equal(want.Class, got.Class) ||
				!slices.Equal(want.Classes, got.Classes) {
				t.Error("the truth differs")
			}
			part, file, line := &got.Columns[4], &got.Columns[5], &got.Columns[6]
			for i := range int32(want.Rows) {
				if where := file.Level(i) + ":" + string(line.AppendText(nil, i)); where != want.Where(i) ||
					part.Level(i) != []string{"train", "test"}[want.Parts[i]] {
					t.Fatalf("row %d: %s of %s, was %s", i, where, part.Level(i), want.Where(i))
				}
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); left != nil {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestExportInferred: a config inferred from an exported file gives the truth back and makes no feature of it.
func TestExportInferred(t *testing.T) {
	want := awkward(t)
	want.Columns[3].Name = "proto"
	for _, name := range []string{"x.parquet", "x.csv", "x.ndjson"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if _, err := export.Export(context.Background(), want, path, nil); err != nil {
			t.Fatal(err)
		}
		got, raw := sourcetest.ReadInferred(t, path, dir)
		var names []string
		for _, c := range got.Columns {
			names = append(names, c.Name+" "+c.Type.String())
		}
		if !slices.Equal(names, []string{"when time", "the, host address", "size number", "proto category"}) ||
			!slices.Equal(got.Attack, want.Attack) ||
			!slices.Equal(got.Classes, want.Classes) {
			t.Errorf("%s: columns %q\n%s", name, names, raw)
		}
	}
}

// TestExportErrors: a name that says no format, a folder that is not there, an interrupt; nothing is left.
func TestExportErrors(t *testing.T) {
	tb := awkward(t)
	dir := t.TempDir()
	for file, want := range map[string]string{
		"x.txt":         "ends in .parquet, .csv or .ndjson",
		"x.parquet.zst": "cannot be wrapped in zstd",
		"none/x.csv":    "no such file",
	} {
		if _, err := export.Export(context.Background(), tb, filepath.Join(dir, file), nil); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, file := range []string{"x.parquet", "x.csv.gz", "x.ndjson"} {
		if _, err := export.Export(ctx, tb, filepath.Join(dir, file), nil); err == nil {
			t.Errorf("%s: a cancelled export ended well", file)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestInferNDJSON: members in order, nested ones with dots, lists left out.
func TestInferNDJSON(t *testing.T) {
	text := "\xef\xbb\xbf" + `{"ts": 1545403816.9, "id": {"src": "10.0.0.1", "p": 80}, "ok": true, "tags": [1, {"a": 2}], "size": 5, "label": "Benign"}` + "\n\n" +
		`{"ts": 1545403817, "id": {"src": "::1", "p": null}, "ok": false, "proto": "udp", "size": "NaN", "label": "DoS"}` + "\nnot an object\n"
	path := filepath.Join(t.TempDir(), "flows.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	raw, err := infer.Infer(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := settings.Parse("inferred.yaml", append(raw, "max_bad_share: 0.4\n"...))
	if err != nil {
		t.Fatal(err)
	}
	c, err := source.DecodeConfig(doc)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	tb, rep, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{filepath.Dir(path)}}, 1)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	var got []string
	for i := range tb.Columns {
		got = append(
			got,
			tb.Columns[i].Name+" "+tb.Columns[i].Type.String()+" "+strings.Join(sourcetest.Cells(&tb.Columns[i]), " "),
		)
	}
	want := []string{
		"ts time 2018-12-21T14:50:16.9Z 2018-12-21T14:50:17Z",
		"id.src address 10.0.0.1 ::1",
		"id.p number 80 -",
		"ok number 1 0",
		"size number 5 -",
		"proto category - udp",
	}
	if d := cmp.Diff(want, got); d != "" || !slices.Equal(tb.Attack, []bool{false, true}) || rep.Bad != 1 ||
		!strings.Contains(string(raw), `lists are not read: ["tags"]`) {
		t.Errorf("%s\n%v\n%s", d, tb.Attack, raw)
	}
	for text, want := range map[string]string{`{"a": 1`: "not a JSON object", `{}`: "no members", `{"a": [1]}`: "no members"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := infer.Infer(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
