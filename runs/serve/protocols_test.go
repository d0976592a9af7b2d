package serve_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/runs/serve"
)

// TestOpenInference: the requests and answers of the Open Inference Protocol, as its specification has them.
func TestOpenInference(t *testing.T) {
	tr := train(t, "flow")
	h, s := tr.handler(t, nil, "iforest")
	get := func(path string) map[string]any {
		t.Helper()
		status, raw := ask(t, h, "GET", path, "", nil)
		return decode[map[string]any](t, status, raw)
	}
	if v := get("/v2"); v["name"] != "plumbline" || v["version"] != "test" || v["extensions"] == nil {
		t.Errorf("/v2: %v", v)
	}
	if v := get("/v2/health/live"); v["live"] != true {
		t.Errorf("live: %v", v)
	}
	if v := get("/v2/health/ready"); v["live"] != true || v["ready"] != true {
		t.Errorf("ready: %v", v)
	}
	version := s.Models()[0].Version[:12]
	for _, at := range []string{"/v2/models/iforest", "/v2/models/iforest/versions/" + version} {
		if v := get(at + "/ready"); v["name"] != "iforest" || v["ready"] != true {
			t.Errorf("%s: %v", at, v)
		}
		v := get(at)
		if v["name"] != "iforest" || v["platform"] == "" || v["versions"].([]any)[0] != version ||
			len(v["inputs"].([]any)) == 0 || len(v["outputs"].([]any)) != 3 {
			t.Errorf("%s: %v", at, v)
		}
	}
	if status, _ := ask(t, h, "GET", "/v2/models/iforest/versions/1", "", nil); status != 404 {
		t.Errorf("another version: %d", status)
	}
	const n = 7
	var tensors []any
	for i, name := range tr.columns {
		var values []any
		for row := range n {
			values = append(values, tr.value(row, i))
		}
		kind := map[data.ColumnType]string{data.Number: "FP64", data.Time: "FP64"}[tr.types[i]]
		if kind == "" {
			kind = "BYTES"
		}
		shape := []int{n}
		if i%2 == 0 { // flat or nested, with a second dimension or without
			shape = []int{n, 1}
			for k := range values {
				values[k] = []any{values[k]}
			}
		}
		tensors = append(tensors, map[string]any{"name": name, "datatype": kind, "shape": shape, "data": values})
	}
	status, raw := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	of := slices.Index(tr.columns, decode[serve.ModelDetail](t, status, raw).Columns[0].Name) // one that is looked at
	tensors[0], tensors[of] = tensors[of], tensors[0]
	at := "/v2/models/iforest/infer"
	status, raw = ask(t, h, "POST", at, jsonKind, encode(t, map[string]any{"id": "42", "inputs": tensors,
		"parameters": map[string]any{"content_type": "pd"}}))
	type answer struct {
		ID      *string
		Name    string `json:"model_name"`
		Version string `json:"model_version"`
		Outputs []struct {
			Name, Datatype string
			Shape          []int
			Data           []any
		}
	}
	a := decode[answer](t, status, raw)
	if a.ID == nil || *a.ID != "42" || a.Name != "iforest" || a.Version != version || len(a.Outputs) != 3 {
		t.Fatalf("%s", raw)
	}
	for i, v := range a.Outputs[0].Data {
		if v != tr.scores["iforest"][i] {
			t.Errorf("row %d: %v, want %v", i, v, tr.scores["iforest"][i])
		}
	}
	if o := a.Outputs[0]; o.Name != "score" || o.Datatype != "FP64" || !slices.Equal(o.Shape, []int{n}) ||
		len(o.Data) != n {
		t.Errorf("%+v", o)
	}
	status, raw = ask(t, h, "POST", at, jsonKind, encode(t, map[string]any{"inputs": tensors,
		"outputs": []any{map[string]any{"name": "anomaly"}}}))
	if a := decode[answer](t, status, raw); a.ID != nil || len(a.Outputs) != 1 || a.Outputs[0].Datatype != "BOOL" {
		t.Errorf("%s", raw)
	}
	bad := func(change func(m map[string]any)) []byte {
		list := slices.Clone(tensors)
		m := map[string]any{}
		for k, v := range list[0].(map[string]any) {
			m[k] = v
		}
		change(m)
		list[0] = m
		return encode(t, map[string]any{"inputs": list})
	}
	for name, c := range map[string]struct {
		body []byte
		path string
	}{
		"no inputs":   {[]byte(`{}`), "/inputs"},
		"few tensors": {encode(t, map[string]any{"inputs": tensors[1:]}), "/inputs"},
		"shape":       {bad(func(m map[string]any) { m["shape"] = []int{3, 2} }), "/inputs/0/shape"},
		"negative":    {bad(func(m map[string]any) { m["shape"] = []int{-1} }), "/inputs/0/shape/0"},
		"no shape":    {bad(func(m map[string]any) { delete(m, "shape") }), "/inputs/0/shape"},
		"data":        {bad(func(m map[string]any) { m["data"] = []any{} }), "/inputs/0/data"},
		"no data":     {bad(func(m map[string]any) { delete(m, "data") }), "/inputs/0/data"},
		"output": {encode(t, map[string]any{"inputs": tensors, "outputs": []any{map[string]any{"name": "x"}}}),
			"/outputs/0/name"},
	} {
		status, raw := ask(t, h, "POST", at, jsonKind, c.body)
		var f struct{ Error, Path string }
		json.Unmarshal(raw, &f)
		if status != 400 || f.Path != c.path || f.Error == "" {
			t.Errorf("%s: %d %s, want 400 at %s", name, status, raw, c.path)
		}
	}
}

// TestInvocations: the bodies that MLflow's scoring server takes.
func TestInvocations(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	const n = 5
	columns := map[string][]any{}
	var arrays [][]any
	for row := range n {
		var line []any
		for i, name := range tr.columns {
			columns[name] = append(columns[name], tr.value(row, i))
			line = append(line, tr.value(row, i))
		}
		arrays = append(arrays, line)
	}
	status, raw := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	var own [][]any // in the order of the model's columns
	for row := range n {
		var line []any
		for _, c := range decode[serve.ModelDetail](t, status, raw).Columns {
			line = append(line, tr.record(row)[c.Name])
		}
		own = append(own, line)
	}
	for name, c := range map[string]struct {
		kind string
		body []byte
	}{
		"dataframe_split": {jsonKind, encode(t, map[string]any{"dataframe_split": map[string]any{"columns": tr.columns,
			"data": arrays}})},
		"dataframe_records": {jsonKind, encode(t, map[string]any{"dataframe_records": tr.records(n)})},
		"instances":         {jsonKind, encode(t, map[string]any{"instances": tr.records(n)})},
		"inputs by column":  {jsonKind, encode(t, map[string]any{"inputs": columns, "params": map[string]any{}})},
		"inputs":            {"application/json; charset=utf-8", encode(t, map[string]any{"inputs": own})},
		"CSV":               {"text/csv", tr.csv(t, n)},
	} {
		status, raw := ask(t, h, "POST", "/invocations", c.kind, c.body)
		got := decode[struct{ Predictions []serve.Prediction }](t, status, raw)
		if s := scoresOf(serve.Answer{Predictions: got.Predictions}); !slices.Equal(s, tr.scores["iforest"][:n]) {
			t.Errorf("%s: %v, want %v", name, s, tr.scores["iforest"][:n])
		}
	}
	for body, says := range map[string]string{`{}`: "want one of", `{"inputs":[],"instances":[]}`: "want one of",
		`{"dataframe_split":{"data":[]}}`: "/columns", `{"inputs":{}}`: "no column"} {
		if status, raw := ask(t, h, "POST", "/invocations", jsonKind, []byte(body)); status != 400 ||
			!strings.Contains(string(raw), says) {
			t.Errorf("%s: %d %s", body, status, raw)
		}
	}
	for _, at := range []string{"/ping", "/health", "/version"} {
		if status, _ := ask(t, h, "GET", at, "", nil); status != http.StatusOK {
			t.Errorf("%s: %d", at, status)
		}
	}
}

// TestTraces: a model of traces says how it takes them, and a trace that comes alone has the scores that it has among
// others.
func TestTraces(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "sequent", "iforest")
	status, raw := ask(t, h, "GET", "/v1/models/sequent", "", nil)
	m := decode[serve.ModelDetail](t, status, raw)
	if m.Input != "traces" || m.Context != "trace" || m.Window == nil || len(m.Window.Key) == 0 || m.Matrix != nil {
		t.Fatalf("%s", raw)
	}
	status, raw = ask(t, h, "GET", "/v1/models/iforest", "", nil)
	if m := decode[serve.ModelDetail](t, status, raw); m.Context != "none" || m.Window != nil || len(m.Matrix) == 0 {
		t.Errorf("%s", raw)
	}
	key := m.Window.Key
	name := func(row int) (out string) {
		r := tr.record(row)
		for _, k := range key {
			out += r[k].(string) + " "
		}
		return out
	}
	of, rows := name(0), []int{}
	for row := range tr.table.Rows {
		if name(row) == of {
			rows = append(rows, row)
		}
	}
	var records []any
	var want []float64
	for _, row := range rows {
		records = append(records, tr.record(row))
		want = append(want, tr.scores["sequent"][row])
	}
	status, raw = ask(t, h, "POST", "/v1/models/sequent/predict", jsonKind, encode(t, map[string]any{"records": records,
		"reasons": 2}))
	a := decode[serve.Answer](t, status, raw)
	if !slices.Equal(scoresOf(a), want) || len(want) < 10 {
		t.Errorf("the %d records of %salone have %v, among others %v", len(want), of, scoresOf(a), want)
	}
	if a.Why == "" || len(a.Predictions[0].Reasons) == 0 {
		t.Errorf("no reasons: %s", raw)
	}
	status, raw = ask(t, h, "POST", "/v1/models/sequent/predict", jsonKind, encode(t,
		map[string]any{"records": records[:1]}))
	if a := decode[serve.Answer](t, status, raw); len(a.Predictions) != 1 {
		t.Errorf("a trace of one record: %s", raw)
	}
}
