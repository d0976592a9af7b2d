package serve_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"plumbline/runs/serve"
)

// FuzzBody: no body of any kind makes the server fail or panic, and what has success has a finite score for each row.
func FuzzBody(f *testing.F) {
	tr := train(f, "flow")
	h, _ := tr.handler(f, func(o *serve.Options) { o.Records = 100; o.BatchBody = 1 << 16 }, "iforest", "sequent")
	targets := []struct{ path, kind string }{
		{"/v1/models/iforest/predict", jsonKind}, {"/v1/models/sequent/predict", jsonKind},
		{"/v2/models/iforest/infer", jsonKind}, {"/invocations?model=iforest", jsonKind},
		{"/invocations?model=sequent", "text/csv"}, {"/v1/models/iforest/predict/batch", "text/csv"},
		{"/v1/models/sequent/predict/batch", "application/x-ndjson"},
		{"/v1/models/iforest/predict/batch", "application/vnd.apache.parquet"},
		{"/v1/models/iforest/predict/batch", "application/octet-stream"},
	}
	record := tr.record(0)
	f.Add(byte(0), encode(f, map[string]any{"records": []any{record}, "reasons": 3}))
	f.Add(byte(1), encode(f, map[string]any{"records": []any{record, record}, "threshold": 1}))
	f.Add(byte(2), []byte(`{"id":"1","inputs":[{"name":"prepared","shape":[1,2],"datatype":"FP32","data":[[1,2]]}]}`))
	f.Add(byte(3), encode(f, map[string]any{"dataframe_records": []any{record}}))
	f.Add(byte(3), []byte(`{"dataframe_split":{"columns":["a"],"data":[[1]]}}`))
	f.Add(byte(3), []byte(`{"inputs":{"a":[[1],[2]]}}`))
	f.Add(byte(4), tr.csv(f, 3))
	f.Add(byte(5), tr.csv(f, 3))
	f.Add(byte(6), encode(f, record))
	f.Add(byte(7), []byte("PAR1"))
	f.Add(byte(8), make([]byte, 400))
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		to := targets[int(which)%len(targets)]
		r := httptest.NewRequest("POST", to.path, bytes.NewReader(body))
		r.Header.Set("Content-Type", to.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s: status %d, %s", to.path, w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") == jsonKind && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s: %s", to.path, w.Body)
		}
		if w.Code != http.StatusOK {
			return
		}
		for i, v := range anyScores(t, w) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s: score %d is %v: %.300s", to.path, i, v, w.Body)
			}
		}
	})
}

// anyScores is the scores of an answer of success of any kind.
func anyScores(t *testing.T, w *httptest.ResponseRecorder) (out []float64) {
	type scored struct{ Score *float64 }
	add := func(s scored) {
		if s.Score == nil {
			t.Fatalf("no score: %.300s", w.Body)
		}
		out = append(out, *s.Score)
	}
	switch w.Header().Get("Content-Type") {
	case "application/octet-stream":
		if w.Body.Len()%8 != 0 {
			t.Fatalf("%d bytes", w.Body.Len())
		}
		return doubles(w.Body.Bytes())
	case "text/csv":
		if w.Body.Len() > 0 {
			return csvScores(t, w.Code, w.Body.Bytes())
		}
		return nil
	case jsonKind:
		var a struct {
			Predictions []scored
			Outputs     []struct {
				Name string
				Data []any
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Predictions == nil && a.Outputs == nil {
			t.Fatalf("%v: %.300s", err, w.Body)
		}
		for _, p := range a.Predictions {
			add(p)
		}
		for _, o := range a.Outputs {
			if o.Name == "score" {
				for _, v := range o.Data {
					out = append(out, v.(float64))
				}
			}
		}
		return out
	}
	for line := range bytes.Lines(w.Body.Bytes()) {
		var s scored
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%v: %.300s", err, line)
		}
		add(s)
	}
	return out
}
