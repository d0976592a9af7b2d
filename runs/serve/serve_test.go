package serve_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/prepare"
	"plumbline/runs/runstest"
	"plumbline/runs/serve"
)

const experiment = `
name: small
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models:
  - iforest
  - lof
  - inne
  - {model: ae, params: {epochs: 3}}
  - sequent
  - {model: lstm_pred, params: {epochs: 1, units: [8]}}
  - markov
seeds: [1]
split: {validation: 0.2}
traces: {events: true}
bootstrap: 0
`

// trained is models of simulated flows, the rows of their test part as records, and the scores that the run gave them.
type trained struct {
	dir     string
	columns []string
	types   []data.ColumnType
	table   *data.Table
	cells   map[string]string
	scores  map[string][]float64
}

var once sync.Map // unit → *trained

// train carries the experiment out, once for each unit.
func train(t testing.TB, unit string) *trained {
	t.Helper()
	type entry struct {
		sync.Once
		*trained
	}
	v, _ := once.LoadOrStore(unit, &entry{})
	e := v.(*entry)
	e.Do(func() {
		dir, err := os.MkdirTemp("", "serve")
		if err != nil {
			t.Fatal(err)
		}
		folders = append(folders, dir)
		x := runstest.Load(t, experiment, "+unit="+unit)
		out, err := runs.Run(context.Background(), x, runs.Options{Root: dir})
		if err != nil {
			t.Fatal(err)
		}
		tr := &trained{dir: out.Dir, cells: map[string]string{}, scores: map[string][]float64{}}
		for _, r := range out.Results {
			if r.Status != "ok" {
				t.Fatalf("%s: %s", r.Cell, r.Error)
			}
			folder := filepath.Join(out.Dir, r.Cell)
			tr.cells[r.Label] = folder
			for _, line := range runstest.Scores(t, folder)[1:] {
				score, err := strconv.ParseFloat(line[2], 64)
				if err != nil {
					t.Fatal(err)
				}
				tr.scores[r.Label] = append(tr.scores[r.Label], score)
			}
		}
		src := &prepare.Source{Set: &x.Sets[0], Finder: x.Finder, Workers: 1}
		p, err := src.Prepare(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		whole, _, err := source.Read(context.Background(), x.Sets[0].Config, x.Finder, 1)
		if err != nil {
			t.Fatal(err)
		}
		tr.table = whole.Only(p.Test.Rows)
		for _, c := range tr.table.Columns {
			tr.columns, tr.types = append(tr.columns, c.Name), append(tr.types, c.Type)
		}
		e.trained = tr
	})
	if e.trained == nil {
		t.Fatal("the experiment failed")
	}
	return e.trained
}

var folders []string

func TestMain(m *testing.M) {
	code := m.Run()
	if f := flag.Lookup; code == 0 && f("test.run").Value.String() == "" && f("test.skip").Value.String() == "" &&
		f("test.fuzz").Value.String() == "" && f("test.list").Value.String() == "" {
		for _, what := range unmet() {
			fmt.Println("openapi.json describes what no test has met:", what)
			code = 1
		}
	}
	for _, f := range folders {
		os.RemoveAll(f)
	}
	os.Exit(code)
}

// value is a cell of the table as JSON has it.
func (tr *trained) value(row, column int) any {
	c := &tr.table.Columns[column]
	switch {
	case c.Missing(row):
		return nil
	case c.Type == data.Number:
		return c.Num[row]
	case c.Type == data.Time:
		return json.Number(fmt.Sprintf("%d.%09d", c.Nanos[row]/1e9, c.Nanos[row]%1e9))
	}
	return c.Level(int32(row))
}

// record is a row as an object.
func (tr *trained) record(row int) map[string]any {
	out := map[string]any{}
	for i, name := range tr.columns {
		out[name] = tr.value(row, i)
	}
	return out
}

func (tr *trained) records(n int) (out []map[string]any) {
	for row := range min(n, tr.table.Rows) {
		out = append(out, tr.record(row))
	}
	return out
}

// csv is the rows as text, the columns turned around.
func (tr *trained) csv(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := slices.Clone(tr.columns)
	slices.Reverse(head)
	w.Write(head)
	for row := range min(n, tr.table.Rows) {
		line := make([]string, len(tr.columns))
		for i := range tr.columns {
			if v := tr.value(row, i); v != nil {
				line[len(line)-1-i] = fmt.Sprint(v)
			}
		}
		w.Write(line)
	}
	w.Flush()
	return b.Bytes()
}

// handler serves cells under their labels.
func (tr *trained) handler(t testing.TB, change func(*serve.Options), labels ...string) (http.Handler, *serve.Server) {
	t.Helper()
	o := serve.Options{Reload: -1, Build: "test"}
	for _, l := range labels {
		o.Models = append(o.Models, serve.Source{Name: l, Path: tr.cells[l]})
	}
	if change != nil {
		change(&o)
	}
	s, err := serve.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler(nil), s
}

// ask sends a request, and gives the status and the body.
func ask(t testing.TB, h http.Handler, method, target, kind string, body []byte, more ...string) (int, []byte) {
	t.Helper()
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	checked(t, r, body, w.Code, w.Header(), w.Body.Bytes())
	return w.Code, w.Body.Bytes()
}

const jsonKind = "application/json"

func encode(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decode[T any](t testing.TB, status int, raw []byte) (v T) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, raw)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

func scoresOf(a serve.Answer) (out []float64) {
	for _, p := range a.Predictions {
		out = append(out, p.Score)
	}
	return out
}

// TestSameScores: an answer has the bits of the score that the run gave, by every way of asking.
func TestSameScores(t *testing.T) {
	tr := train(t, "flow")
	labels := []string{"iforest", "lof", "ae", "sequent", "lstm_pred", "markov"}
	h, _ := tr.handler(t, func(o *serve.Options) { o.Records = 1 << 20 }, labels...)
	all := tr.table.Rows
	records := tr.records(all)
	body := encode(t, map[string]any{"records": records})
	var arrays [][]any
	for row := range all {
		var line []any
		for i := range tr.columns {
			line = append(line, tr.value(row, i))
		}
		arrays = append(arrays, line)
	}
	var lines bytes.Buffer
	for _, r := range records {
		lines.Write(append(encode(t, r), '\n'))
	}
	text := tr.csv(t, all)
	for _, label := range labels {
		want := tr.scores[label]
		same := func(how string, got []float64) {
			t.Helper()
			if !slices.Equal(got, want) {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Errorf("%s, %s: %d scores, want %d; the first that differs is %d", label, how, len(got), len(want), at)
			}
		}
		at := "/v1/models/" + label + "/predict"
		status, raw := ask(t, h, "POST", at, jsonKind, body)
		a := decode[serve.Answer](t, status, raw)
		same("objects", scoresOf(a))
		alarms := 0
		for _, p := range a.Predictions {
			if p.Anomaly == nil || *p.Anomaly != (p.Score > *a.Threshold) {
				t.Fatalf("%s: %+v beside the threshold %v", label, p, *a.Threshold)
			}
			if *p.Anomaly {
				alarms++
			}
		}
		if alarms == 0 || alarms == len(want) {
			t.Errorf("%s: %d alarms of %d", label, alarms, len(want))
		}
		status, raw = ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"columns": tr.columns,
			"records": arrays,
			"model":   label}))
		same("arrays", scoresOf(decode[serve.Answer](t, status, raw)))

		status, raw = ask(t, h, "POST", at+"/batch", "text/csv", text)
		same("CSV", csvScores(t, status, raw))
		status, raw = ask(t, h, "POST", at+"/batch", "application/x-ndjson", lines.Bytes(), "Accept", "text/csv")
		same("NDJSON", csvScores(t, status, raw))
		status, raw = ask(t, h, "POST", "/invocations?model="+label, jsonKind, encode(t, map[string]any{
			"dataframe_split": map[string]any{"columns": tr.columns, "index": []int{}, "data": arrays}}))
		got := decode[struct{ Predictions []serve.Prediction }](t, status, raw)
		same("dataframe_split", scoresOf(serve.Answer{Predictions: got.Predictions}))
	}
}

func csvScores(t testing.TB, status int, raw []byte) (out []float64) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, raw)
	}
	lines, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(lines[0], "score")
	for _, l := range lines[1:] {
		v, err := strconv.ParseFloat(l[at], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// TestUnits: where entities are judged, a prediction is of one, with the records that are its.
func TestUnits(t *testing.T) {
	tr := train(t, "host")
	h, _ := tr.handler(t, func(o *serve.Options) { o.Records = 1 << 20 }, "iforest", "sequent")
	body := encode(t, map[string]any{"records": tr.records(tr.table.Rows)})
	for _, label := range []string{"iforest", "sequent"} {
		status, raw := ask(t, h, "POST", "/v1/models/"+label+"/predict", jsonKind, body)
		a := decode[serve.Answer](t, status, raw)
		if got := scoresOf(a); a.Unit != "host" || !slices.Equal(got, tr.scores[label]) {
			t.Errorf("%s: unit %q, scores %v, want %v", label, a.Unit, got, tr.scores[label])
		}
		met := map[int]bool{}
		for _, p := range a.Predictions {
			for _, r := range p.Records {
				met[r] = true
			}
			if p.Unit == "" || len(p.Records) == 0 {
				t.Errorf("%s: %+v", label, p)
			}
		}
		if len(met) != tr.table.Rows {
			t.Errorf("%s: the units hold %d of %d records", label, len(met), tr.table.Rows)
		}
		status, raw = ask(t, h, "POST", "/v1/models/"+label+"/predict/batch", "text/csv", tr.csv(t, tr.table.Rows))
		if got := csvScores(t, status, raw); !slices.Equal(got, tr.scores[label]) || !bytes.HasPrefix(raw,
			[]byte("unit,score,")) {
			t.Errorf("%s: a batch gives %v, want %v", label, got, tr.scores[label])
		}
	}
}

// TestPrepared: rows of the prepared matrix get the scores of the records that they were prepared from.
func TestPrepared(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest", "sequent")
	b, err := bundle.Open(tr.cells["iforest"])
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]int32, tr.table.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	set, err := b.Pipeline.Apply(context.Background(), tr.table, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	status, raw := ask(t, h, "POST", "/v1/models/iforest/predict/batch", "application/octet-stream", floats(set.X))
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, raw)
	}
	if got := doubles(raw); !slices.Equal(got, tr.scores["iforest"]) {
		t.Errorf("%d scores, not those of the %d records", len(got), len(tr.scores["iforest"]))
	}
	var list []float32
	list = append(list, set.X[:3*set.D]...)
	status, raw = ask(t, h, "POST", "/v2/models/iforest/infer", jsonKind, encode(t,
		map[string]any{"inputs": []any{map[string]any{
			"name": "prepared", "datatype": "FP32", "shape": []int{3, set.D}, "data": list}}}))
	got := decode[struct{ Outputs []struct{ Data []any } }](t, status, raw)
	for i, v := range got.Outputs[0].Data {
		if v != tr.scores["iforest"][i] {
			t.Errorf("row %d: %v, want %v", i, v, tr.scores["iforest"][i])
		}
	}
	for name, c := range map[string]struct {
		label, says string
		body        []byte
		status      int
	}{
		"half a row":   {"iforest", "within a row", floats(set.X[:set.D+1]), 400},
		"half a float": {"iforest", "cannot be read", floats(set.X[:set.D])[:4*set.D-1], 400},
		"NaN":          {"iforest", "NaN", floats([]float32{nan, nan}[:1:1], set.X[1:set.D]), 400},
		"traces":       {"sequent", "send records", floats(set.X[:set.D]), 415},
		"nothing":      {"iforest", "", nil, 200},
	} {
		status, raw := ask(t, h, "POST", "/v1/models/"+c.label+"/predict/batch", "application/octet-stream", c.body)
		if status != c.status || !strings.Contains(string(raw), c.says) {
			t.Errorf("%s: status %d, %s", name, status, raw)
		}
	}
}
