package serve_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"plumbline/runs/serve"
)

// BenchmarkPredict is a request of one record, without the network.
func BenchmarkPredict(b *testing.B) {
	tr := train(b, "flow")
	h, _ := tr.handler(b, nil, "iforest")
	body := encode(b, map[string]any{"records": tr.records(1)})
	b.ReportAllocs()
	for b.Loop() {
		post(b, h, "/v1/predict", jsonKind, body)
	}
}

// BenchmarkBatch is batches of some thousand rows; rows/s is by the clock, on all processors.
func BenchmarkBatch(b *testing.B) {
	tr := train(b, "flow")
	h, _ := tr.handler(b, func(o *serve.Options) { o.Records = 1 << 20 }, "iforest", "ae")
	text := tr.csv(b, tr.table.Rows)
	_, lines, _ := bytes.Cut(text, []byte("\n"))
	const times = 50
	long := append(text, bytes.Repeat(lines, times-1)...)
	b.Run("iforest-csv", func(b *testing.B) {
		for b.Loop() {
			post(b, h, "/v1/models/iforest/predict/batch", "text/csv", long)
		}
		b.ReportMetric(float64(b.N*times*tr.table.Rows)/b.Elapsed().Seconds(), "rows/s")
	})
	status, raw := ask(b, h, "GET", "/v1/models/ae", "", nil)
	width := len(decode[serve.ModelDetail](b, status, raw).Matrix)
	const rows = 200_000
	matrix := make([]byte, 4*rows*width)
	b.Run("ae-float32", func(b *testing.B) {
		for b.Loop() {
			post(b, h, "/v1/models/ae/predict/batch", "application/octet-stream", matrix)
		}
		b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
	})
}

func post(b *testing.B, h http.Handler, target, kind string, body []byte) {
	r := httptest.NewRequest("POST", target, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("status %d: %s", w.Code, w.Body)
	}
}
