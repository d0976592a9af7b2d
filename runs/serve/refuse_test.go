package serve_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"plumbline/runs/serve"
)

// with is a record with a value changed; a nil change takes the column out.
func with(record map[string]any, column string, value any) map[string]any {
	out := maps.Clone(record)
	if out[column] = value; value == nil {
		delete(out, column)
	}
	return out
}

// TestRefused: what is wrong with a request is said with the status that fits and the place of the field.
func TestRefused(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, func(o *serve.Options) {
		o.Body, o.BatchBody, o.Records, o.Memory = 20000, 20000, 20, 1<<20
	}, "iforest", "sequent")
	good := tr.record(0)
	number, category := "", ""
	b, _ := serve.New(serve.Options{Models: []serve.Source{{Path: tr.cells["iforest"]}}})
	status, raw := ask(t, b.Handler(nil), "GET", "/v1/models/synth-iforest", "", nil)
	detail := decode[serve.ModelDetail](t, status, raw)
	for _, c := range detail.Columns {
		switch {
		case c.Type == "number" && number == "":
			number = c.Name
		case c.Type == "category" && category == "":
			category = c.Name
		}
	}
	if number == "" || category == "" {
		t.Fatalf("columns %+v", detail.Columns)
	}
	one := func(r any) string { return string(encode(t, map[string]any{"model": "iforest", "records": []any{r}})) }
	esc := strings.NewReplacer("~", "~0", "/", "~1").Replace
	many := make([]any, 21)
	for i := range many {
		many[i] = map[string]any{}
	}
	for name, c := range map[string]struct {
		kind, body string
		status     int
		path, says string
	}{
		"empty":             {jsonKind, "", 400, "", "ends too early"},
		"no JSON":           {jsonKind, `{"records":[{"a":}]}`, 400, "/records/0/a", "not JSON"},
		"cut":               {jsonKind, one(good)[:100], 400, "", "JSON"},
		"more":              {jsonKind, one(good) + "1", 400, "", "after the end"},
		"a list":            {jsonKind, `[]`, 400, "", "want an object"},
		"no records":        {jsonKind, `{"model":"iforest"}`, 400, "/records", "no records"},
		"records a number":  {jsonKind, `{"model":"iforest","records":3}`, 400, "/records", "list of records"},
		"record a number":   {jsonKind, `{"model":"iforest","records":[3]}`, 400, "/records/0", "want an object"},
		"unknown member":    {jsonKind, `{"model":"iforest","recrods":[]}`, 400, "/recrods", "records"},
		"twice":             {jsonKind, `{"model":"iforest","records":[],"records":[]}`, 400, "/records", "duplicate"},
		"no such model":     {jsonKind, `{"model":"other","records":[]}`, 404, "", "iforest, sequent"},
		"which model":       {jsonKind, `{"records":[]}`, 404, "/model", "several"},
		"model a number":    {jsonKind, `{"model":1,"records":[]}`, 400, "/model", "text"},
		"missing column":    {jsonKind, one(with(good, number, nil)), 400, "/records/0/" + esc(number), "has no"},
		"text for a number": {jsonKind, one(with(good, number, "7")), 400, "/records/0/" + esc(number), "want a number"},
		"list for a number": {jsonKind, one(with(good, number, []int{1})), 400, "/records/0/" + esc(number),
			"want a number"},
		"too large": {jsonKind, one(with(good, number, json.Number("1e999"))), 400, "/records/0/" + esc(number),
			"too large"},
		"object for a category": {jsonKind, one(with(good, category, map[string]any{})), 400, "/records/0/" + esc(category),
			"want a text"},
		"few values": {jsonKind, `{"model":"iforest","records":[[1]]}`, 400, "/records/0", "1 values"},
		"threshold":  {jsonKind, `{"model":"iforest","records":[],"threshold":"1"}`, 400, "/threshold", "number"},
		"reasons":    {jsonKind, `{"model":"iforest","records":[],"reasons":-1}`, 400, "/reasons", "whole number"},
		"columns":    {jsonKind, `{"model":"iforest","records":[],"columns":["a"]}`, 400, "/columns", "no column"},
		"policy":     {jsonKind, `{"model":"iforest","records":[],"unknown":"x"}`, 400, "/unknown", "accept or refuse"},
		"type":       {"text/plain", "{}", 415, "", "application/json"},
		"no type":    {"", "{}", 415, "", "application/json"},
		"many": {jsonKind, string(encode(t, map[string]any{"model": "sequent", "records": many})), 400,
			"/records/0/", ""},
		"large": {jsonKind, `{"records":[` + strings.Repeat(" ", 20000) + `]}`, 413, "", "20000 bytes"},
		"many records": {jsonKind, one(good)[:len(one(good))-2] + strings.Repeat(","+string(encode(t, good)), 20) + "]}",
			413, "/records", "more than 20"},
		"deep":      {jsonKind, `{"records":` + strings.Repeat("[", 15000), 400, "", ""},
		"not UTF-8": {jsonKind, "{\"records\":[{\"\xff\":1}]}", 400, "", "UTF-8"},
	} {
		status, raw := ask(t, h, "POST", "/v1/predict", c.kind, []byte(c.body))
		var f struct{ Error, Path string }
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Errorf("%s: %v: %s", name, err, raw)
		}
		if status != c.status || !strings.HasPrefix(f.Path, c.path) || !strings.Contains(f.Error, c.says) || f.Error == "" {
			t.Errorf("%s: status %d, %s; want %d at %q with %q", name, status, raw, c.status, c.path, c.says)
		}
	}
	text := tr.csv(t, 5)
	lines := bytes.SplitAfter(text, []byte("\n"))
	for name, c := range map[string]struct {
		target, kind string
		body         []byte
		status       int
		says         string
	}{
		"no such column": {"", "text/csv", bytes.Replace(text, []byte(number), []byte("other"), 1), 400, number},
		"bad cell": {"", "text/csv", slices.Concat(lines[0], lines[1], bytes.ReplaceAll(lines[2], []byte("."),
			[]byte("x"))), 400, "body:3"},
		"no rows":    {"", "text/csv", lines[0], 200, ""},
		"nothing":    {"", "text/csv", nil, 400, "empty"},
		"large":      {"", "text/csv", slices.Concat(lines[0], bytes.Repeat(lines[1], 400)), 413, "20000 bytes"},
		"no Parquet": {"", "application/vnd.apache.parquet", []byte("PAR1PAR1PAR1"), 400, ""},
		"bad line":   {"", "application/x-ndjson", []byte("{}\n"), 400, ""},
		"type":       {"", "image/png", nil, 415, "text/csv"},
		"accept":     {"", "text/csv", text, 200, ""},
		"threshold":  {"&threshold=x", "text/csv", text, 400, "number"},
		"policy":     {"&unknown=x", "text/csv", text, 400, "accept"},
	} {
		status, raw := ask(t, h, "POST", "/v1/predict/batch?model=iforest"+c.target, c.kind, c.body)
		if status != c.status || !strings.Contains(string(raw), c.says) {
			t.Errorf("batch, %s: status %d, %s; want %d with %q", name, status, raw, c.status, c.says)
		}
	}
	status, raw = ask(t, h, "POST", "/v1/predict/batch?model=iforest", "text/csv", text, "Accept", "image/png")
	if status != http.StatusNotAcceptable {
		t.Errorf("an answer as image: %d, %s", status, raw)
	}
	for _, c := range [][2]string{{"GET", "/v1/predict"}, {"PUT", "/v1/models"}} {
		if status, raw := ask(t, h, c[0], c[1], "", nil); status != http.StatusMethodNotAllowed || !json.Valid(raw) {
			t.Errorf("%s %s: %d, %s", c[0], c[1], status, raw)
		}
	}
	if status, raw := ask(t, h, "GET", "/v1/nothing", "", nil); status != http.StatusNotFound || !json.Valid(raw) {
		t.Errorf("%d, %s", status, raw)
	}
}

// TestGzip: a compressed body is unpacked, and its limit is that of what it unpacks to.
func TestGzip(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, func(o *serve.Options) { o.Body, o.BatchBody, o.Memory = 1<<16, 1<<16, 1<<20 }, "iforest")
	pack := func(raw []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(raw)
		z.Close()
		return b.Bytes()
	}
	body := encode(t, map[string]any{"records": tr.records(3)})
	if status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, pack(body), "Content-Encoding", "GZip"); status != 200 {
		t.Errorf("codings are told in upper and lower case: %d %s", status, raw)
	}
	status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, pack(body), "Content-Encoding", "gzip")
	if a := decode[serve.Answer](t, status, raw); !slices.Equal(scoresOf(a), tr.scores["iforest"][:3]) {
		t.Errorf("%v, want %v", scoresOf(a), tr.scores["iforest"][:3])
	}
	bomb := pack(bytes.Repeat([]byte(" "), 10<<20))
	for target, kind := range map[string]string{"/v1/predict": jsonKind, "/v1/predict/batch": "text/csv"} {
		if status, raw := ask(t, h, "POST", target, kind, bomb, "Content-Encoding", "gzip"); status != 413 {
			t.Errorf("%s: %d bytes that become 10 MB: status %d, %s", target, len(bomb), status, raw)
		}
		if status, _ := ask(t, h, "POST", target, kind, body, "Content-Encoding", "gzip"); status != 400 {
			t.Errorf("%s: no gzip: status %d", target, status)
		}
		if status, _ := ask(t, h, "POST", target, kind, body, "Content-Encoding", "br"); status != 415 {
			t.Errorf("%s: brotli: status %d", target, status)
		}
	}
}

// TestUnknownCategories: a category that the model does not know is named, or refused where that is asked for.
func TestUnknownCategories(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	status, raw := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	column := ""
	for _, c := range decode[serve.ModelDetail](t, status, raw).Columns {
		if len(c.Categories) > 0 {
			column = c.Name
		}
	}
	records := []any{tr.record(0), with(tr.record(1), column, "of another world")}
	status, raw = ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": records}))
	a := decode[serve.Answer](t, status, raw)
	if a.Predictions[0].Unknown != nil || !slices.Equal(a.Predictions[1].Unknown, []string{column}) {
		t.Errorf("%s", raw)
	}
	status, raw = ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": records,
		"unknown": "refuse"}))
	if status != http.StatusUnprocessableEntity || !strings.Contains(string(raw), `"/records/1/`+column) {
		t.Errorf("status %d, %s", status, raw)
	}
	refusing, _ := tr.handler(t, func(o *serve.Options) { o.Unknown = serve.RefuseUnknown }, "iforest")
	if status, _ := ask(t, refusing, "POST", "/v1/predict", jsonKind, encode(t,
		map[string]any{"records": records})); status != 422 {
		t.Errorf("status %d", status)
	}
	var lines bytes.Buffer
	for _, r := range records {
		lines.Write(append(encode(t, r), '\n'))
	}
	status, raw = ask(t, refusing, "POST", "/v1/predict/batch", "application/x-ndjson", lines.Bytes())
	if status != 422 || !strings.Contains(string(raw), "body:2") {
		t.Errorf("status %d, %s", status, raw)
	}
	status, _ = ask(t, refusing, "POST", "/v1/predict/batch?unknown=accept", "application/x-ndjson", lines.Bytes())
	if status != 200 {
		t.Errorf("status %d", status)
	}
}
