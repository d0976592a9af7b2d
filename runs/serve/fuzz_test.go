package serve_test

import (
	"bytes"
	"encoding/json"
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
	})
}
