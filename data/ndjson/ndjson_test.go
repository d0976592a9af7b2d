package ndjson_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data/ndjson"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const objectsConfig = `
name: own
format: ndjson
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options:
  columns: [{name: size, type: number}, {name: source.ip, type: address}, {name: up, type: number},
    {name: label, type: category}]
`

func TestNDJSON(t *testing.T) {
	tb, _, err := sourcetest.ReadText(
		t,
		objectsConfig,
		"\xef\xbb\xbf"+`{"size": 1.5, "source": {"ip": "10.0.0.1"}, "up": true, "label": "ok", "other": [1]}
{"label":"scan","source.ip":"::1","size":null,"up":false}

`,
		2,
	)
	if err != nil {
		t.Fatal(err)
	}
	ip, _ := tb.Column("source.ip")
	if tb.Rows != 2 || tb.Columns[0].Num[0] != 1.5 || !math.IsNaN(tb.Columns[0].Num[1]) || ip.Level(0) != "10.0.0.1" ||
		ip.Level(1) != "::1" ||
		!slices.Equal(tb.Columns[2].Num, []float64{1, 0}) ||
		!slices.Equal(tb.Attack, []bool{false, true}) {
		t.Errorf("%+v", tb)
	}
	for text, want := range map[string]string{
		"":                                  "no data rows",
		"{\"size\": 1":                      "flows.csv:1: not a JSON object",
		"[1]\n":                             "flows.csv:1: not a JSON object",
		"{} {}\n":                           "want one JSON object a line",
		"{\"label\":\"ok\"}}\n":             "want one JSON object a line",
		"{\"label\":\"ok\"}]\n":             "want one JSON object a line",
		"{\"label\":\"ok\",\"size\":\"x\"}": "flows.csv:1:1: size: \"x\" is not a number",
		"{\"label\":\"ok\",\"size\":[1]}":   "member \"size\" is a list or an object",
	} {
		if _, _, err := sourcetest.ReadText(t, objectsConfig, text, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, _, err := sourcetest.ReadText(t, strings.Replace(objectsConfig, "options:", "options:\n  absent: error", 1),
		"{\"label\":\"ok\"}\n", 1); err == nil ||
		!strings.Contains(err.Error(), `no member "size"`) {
		t.Errorf("absent: %v", err)
	}
}

// FuzzNDJSON: whatever the text, reading ends with a table or an error, the same on any number of workers.
func FuzzNDJSON(f *testing.F) {
	f.Add(`{"size": 1, "source": {"ip": "a"}, "label": "ok"}`)
	f.Add(`[{"size": NaN, "source.ip": "::1", "label": "ok"},{"label":"bad"}]`)
	c := sourcetest.Config(f,
		strings.Replace(objectsConfig, "options:", "max_bad_share: 1\noptions:\n  nonfinite: missing", 1))
	find := source.Finder{Dirs: []string{f.TempDir()}}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(find.Dirs[0], "flows.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, _, errA := source.Read(t.Context(), c, find, 1)
		b, _, errB := source.Read(t.Context(), c, find, 3)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%v and %v", errA, errB)
		}
		if errA == nil && (a.Rows == 0 || a.Rows != b.Rows || len(a.Attack) != a.Rows || len(a.Lines) != a.Rows) {
			t.Fatalf("%d and %d rows, %d labels, %d lines", a.Rows, b.Rows, len(a.Attack), len(a.Lines))
		}
	})
}

// FuzzArrayLines: the elements of an array come out as they are, one a line.
func FuzzArrayLines(f *testing.F) {
	f.Add(`[{"a": "x,]\""}, {"b": [1, 2]}]`)
	f.Add(" [ ]\n")
	f.Add("[\" a  b\", [ \" c\"], 1 ]")
	f.Add("[{\"a\":\n1},\r\n{\"b\": {\"c\": []}}]")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := io.ReadAll(ndjson.Lines(bufio.NewReader(strings.NewReader(text))))
		var want []json.RawMessage
		if json.Unmarshal([]byte(text), &want) != nil || !strings.HasPrefix(strings.TrimSpace(text), "[") {
			return // no array: whatever comes, without a panic
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var got [][]byte
		for line := range bytes.Lines(out) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				got = append(got, line)
			}
		}
		same := slices.EqualFunc(got, want, func(line []byte, element json.RawMessage) bool {
			var a, b bytes.Buffer
			return json.Compact(&a, line) == nil && json.Compact(&b, element) == nil && bytes.Equal(a.Bytes(), b.Bytes())
		})
		if !same {
			t.Errorf("%q became %q", text, got)
		}
	})
}
