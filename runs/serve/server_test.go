package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/serve"
)

// started is a server on loopback that ends with the test.
func started(t testing.TB, tr *trained, change func(*serve.Options), labels ...string) (address string, s *serve.Server,
	stop func() error) {
	t.Helper()
	_, s = tr.handler(t, change, labels...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, serve.Hosts(l)) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), s, stop
}

// TestToken: with a token nothing but probes and the page, which holds nothing, is answered without it.
func TestToken(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, func(o *serve.Options) { o.Token = "open sesame" }, "iforest")
	body := encode(t, map[string]any{"records": tr.records(1)})
	for given, want := range map[string]int{"": 401, "Bearer open": 401, "open sesame": 401, "Basic open sesame": 401,
		"Bearer open sesame": 200} {
		for _, target := range []string{"/v1/predict", "/invocations"} {
			sent := body
			if target == "/invocations" {
				sent = encode(t, map[string]any{"instances": tr.records(1)})
			}
			if status, raw := ask(t, h, "POST", target, jsonKind, sent, "Authorization", given); status != want {
				t.Errorf("%s with %q: %d %s, want %d", target, given, status, raw, want)
			}
		}
		for _, target := range []string{"/v1/models", "/v1/models/iforest", "/v1/alerts", "/metrics", "/v2", "/version",
			"/v1/openapi.json", "/v2/models/iforest"} {
			if status, raw := ask(t, h, "GET", target, "", nil, "Authorization", given); status != want {
				t.Errorf("%s with %q: %d %s, want %d", target, given, status, raw, want)
			}
		}
	}
	for _, target := range []string{"/", "/healthz", "/readyz", "/ping", "/health", "/v2/health/live",
		"/v2/health/ready"} {
		status, raw := ask(t, h, "GET", target, "", nil)
		if status != 200 || bytes.Contains(raw, []byte("synth")) {
			t.Errorf("%s without a token: %d", target, status)
		}
	}
}

// TestOrigins: pages of other origins are answered where they are named, and no other.
func TestOrigins(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, func(o *serve.Options) { o.Origins = []string{"https://lab.example"} }, "iforest")
	body := encode(t, map[string]any{"records": tr.records(1)})
	send := func(method, origin string, more ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/v1/predict", bytes.NewReader(body))
		r.Header.Set("Content-Type", jsonKind)
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		for i := 0; i+1 < len(more); i += 2 {
			r.Header.Set(more[i], more[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		checked(t, r, body, w.Code, w.Header(), w.Body.Bytes())
		return w
	}
	const allow = "Access-Control-Allow-Origin"
	if w := send("POST", "https://lab.example"); w.Code != 200 || w.Header().Get(allow) != "https://lab.example" ||
		w.Header().Get("Vary") != "Origin" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := send("OPTIONS", "https://lab.example", "Access-Control-Request-Method", "POST"); w.Code != 204 ||
		w.Header().Get(allow) == "" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, origin := range []string{"https://other.example", "https://lab.example.evil.example", "http://lab.example",
		"null"} {
		if w := send("POST", origin); w.Code != 403 || w.Header().Get(allow) != "" {
			t.Errorf("%s: %d %v", origin, w.Code, w.Header())
		}
		if w := send("OPTIONS", origin, "Access-Control-Request-Method", "POST"); w.Header().Get(allow) != "" {
			t.Errorf("%s: %d %v", origin, w.Code, w.Header())
		}
	}
	for _, bad := range []string{"lab.example", "https://lab.example/x", "*"} {
		_, err := serve.New(serve.Options{Models: []serve.Source{{Path: tr.cells["iforest"]}}, Origins: []string{bad}})
		if err == nil {
			t.Errorf("the origin %q is taken", bad)
		}
	}
}

// TestHosts: a server that only this machine reaches answers under its names alone, so that no page of another name
// that points here can read.
func TestHosts(t *testing.T) {
	tr := train(t, "flow")
	address, _, _ := started(t, tr, nil, "iforest")
	for host, want := range map[string]int{"": 200, "localhost:1": 200, "evil.example": 421} {
		r, _ := http.NewRequest("GET", "http://"+address+"/v1/models", nil)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(answer.Body)
		if answer.Body.Close(); answer.StatusCode != want || err != nil {
			t.Errorf("host %q: %d, want %d", host, answer.StatusCode, want)
		}
		checked(t, r, nil, answer.StatusCode, answer.Header, raw)
	}
}

// pack writes the model file of a cell, by rename.
func (tr *trained) pack(t *testing.T, to, label string) {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Pack(&b, tr.dir, strings.TrimPrefix(tr.cells[label], tr.dir+"/")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+".new", b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

// TestCollector: with each model that is read, how often the heap is collected follows what lives in it; a file that
// cannot be read, and a server that is to leave it alone, change nothing.
func TestCollector(t *testing.T) {
	tr := train(t, "flow")
	file := filepath.Join(t.TempDir(), "model.plumb")
	tr.pack(t, file, "iforest")
	const other = 77
	defer debug.SetGCPercent(debug.SetGCPercent(other))
	set := func() int { return debug.SetGCPercent(other) } // which one it was
	serving := func(collect bool) *serve.Server {
		s, err := serve.New(serve.Options{Models: []serve.Source{{Path: file}}, Collector: collect})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if serving(false); set() != other {
		t.Error("it was to be left alone")
	}
	s := serving(true)
	small := set()
	large := make([]byte, 300<<20) // in the place of a large model
	tr.pack(t, file, "ae")
	s.Reload()
	if got := set(); got < 100 || got >= small || got > 120 {
		t.Errorf("%d %% with 300 MB more, %d %% before", got, small)
	}
	runtime.KeepAlive(large)
	tr.pack(t, file, "iforest")
	s.Reload()
	if got := set(); got != small {
		t.Errorf("%d %% when they have gone, %d %% before", got, small)
	}
	if err := os.WriteFile(file, []byte("no model"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.Reload(); set() != other {
		t.Error("a file that cannot be read has changed it")
	}
}

// TestReload: a file that changes is served from then on, one that is damaged leaves the model that there is.
func TestReload(t *testing.T) {
	tr := train(t, "flow")
	pack := func(to, label string) { tr.pack(t, to, label) }
	file := filepath.Join(t.TempDir(), "model.plumb")
	pack(file, "iforest")
	s, err := serve.New(serve.Options{Models: []serve.Source{{Path: file}}})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler(nil)
	body := encode(t, map[string]any{"records": tr.records(5)})
	answer := func() serve.Answer {
		t.Helper()
		status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, body)
		return decode[serve.Answer](t, status, raw)
	}
	first := answer()
	if first.Model != "model" || !slices.Equal(scoresOf(first), tr.scores["iforest"][:5]) {
		t.Errorf("%+v", first)
	}
	pack(file, "ae")
	if got := answer(); got.Version != first.Version {
		t.Errorf("the model changed before anybody looked: %+v", got)
	}
	s.Reload()
	second := answer()
	if second.Version == first.Version || !slices.Equal(scoresOf(second), tr.scores["ae"][:5]) {
		t.Errorf("%+v", second)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reload()
	if got := answer(); got.Version != second.Version {
		t.Errorf("half a file is served: %+v", got)
	}
	status, raw := ask(t, h, "GET", "/v1/models", "", nil)
	if list := decode[map[string][]serve.ModelInfo](t, status, raw)["models"]; list[0].Fault == "" {
		t.Errorf("no fault: %s", raw)
	}
	status, raw = ask(t, h, "GET", "/metrics", "", nil)
	for _, line := range []string{`plumbline_reloads_total{result="ok"} 1`,
		`plumbline_reloads_total{result="failed"} 1`} {
		if !strings.Contains(string(raw), line) {
			t.Errorf("status %d, no line %s", status, line)
		}
	}
	pack(file, "iforest")
	s.Reload()
	status, raw = ask(t, h, "GET", "/v1/models", "", nil)
	if list := decode[map[string][]serve.ModelInfo](t, status, raw)["models"]; list[0].Fault != "" ||
		list[0].Version != first.Version {
		t.Errorf("%s", raw)
	}
}

// TestAlerts: what is above its threshold is listed, in order, and asked for by what was seen last.
func TestAlerts(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	list := func(query string) []alerts.Alert {
		t.Helper()
		status, raw := ask(t, h, "GET", "/v1/alerts"+query, "", nil)
		return decode[map[string][]alerts.Alert](t, status, raw)["alerts"]
	}
	if got := list(""); len(got) != 0 {
		t.Errorf("%v before anything was scored", got)
	}
	status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": tr.records(400),
		"reasons": 1}))
	a := decode[serve.Answer](t, status, raw)
	var want []float64
	for _, p := range a.Predictions {
		if *p.Anomaly {
			want = append(want, p.Score)
		}
	}
	got := list("?limit=1000")
	if len(got) != len(want) || len(want) < 3 {
		t.Fatalf("%d alerts, want %d", len(got), len(want))
	}
	slices.Reverse(got)
	for i, alert := range got {
		if alert.Score != want[i] || alert.Seq != int64(i+1) || alert.ID == "" || alert.Source == "" ||
			alert.Cause == "" || len(alert.Record) == 0 ||
			alert.Threshold != *a.Threshold || alert.Model != "iforest" {
			t.Fatalf("alert %d: %+v", i, alert)
		}
	}
	if got := list("?limit=2"); len(got) != 2 || got[0].Seq != int64(len(want)) {
		t.Errorf("%+v", got)
	}
	if got := list(fmt.Sprintf("?after=%d", len(want)-1)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := list("?before=3"); len(got) != 2 || got[0].Seq != 2 {
		t.Errorf("%+v", got)
	}
	if got := list("?model=other"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	for _, q := range []string{"?after=x", "?limit=0", "?limit=1001", "?after=-1"} {
		if status, raw := ask(t, h, "GET", "/v1/alerts"+q, "", nil); status != 400 {
			t.Errorf("%s: %d %s", q, status, raw)
		}
	}
}

// TestAlertsTurn: of more alarms than are kept the newest are there, whatever the size of the answers that they come
// in.
func TestAlertsTurn(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	total := int64(0)
	for i, n := range []int{400, 1, 400, 300, 2, 400, 400, 7, 400, 400} {
		n = min(n, tr.table.Rows)
		status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": tr.records(n),
			"threshold": -1}))
		decode[serve.Answer](t, status, raw)
		total += int64(n)
		status, raw = ask(t, h, "GET", "/v1/alerts?limit=1000", "", nil)
		list := decode[map[string][]alerts.Alert](t, status, raw)["alerts"]
		if int64(len(list)) != min(total, 1000) {
			t.Fatalf("after answer %d: %d alerts of %d", i, len(list), total)
		}
		for k, a := range list {
			if a.Seq != total-int64(k) {
				t.Fatalf("after answer %d: alert %d is number %d of %d", i, k, a.Seq, total)
			}
		}
	}
	if total < 2100 {
		t.Errorf("%d alerts are too few to go round", total)
	}
}

// TestReasons: a prediction says which columns its score comes from, and what an auto-encoder or the nearest
// training rows have there.
func TestReasons(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest", "ae", "lof", "inne")
	for _, label := range []string{"iforest", "ae", "lof", "inne"} {
		body := encode(t, map[string]any{"model": label, "records": tr.records(3), "reasons": 100})
		status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, body)
		a := decode[serve.Answer](t, status, raw)
		for i, p := range a.Predictions {
			total, last, expected := 0.0, 2.0, 0
			for _, r := range p.Reasons {
				if r.Share > last || r.Actual == nil {
					t.Errorf("%s, record %d: %+v", label, i, p.Reasons)
				}
				total, last = total+r.Share, r.Share
				if r.Expected != nil {
					expected++
				}
			}
			if label == "inne" { // gives none, and is asked with usual values: those of a record alone are the same
				status, raw := ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"model": label,
					"records": []any{tr.record(i)}, "reasons": 100}))
				alone := decode[serve.Answer](t, status, raw).Predictions[0]
				if !reflect.DeepEqual(alone, p) {
					t.Errorf("record %d alone: %+v, among others %+v", i, alone, p)
				}
			}
			if label == "inne" && i > 0 && p.Reasons == nil { // an ordinary row, whose score no usual value lowers
				continue
			}
			if total < 0.999 || total > 1.001 || (expected > 0) != (label == "ae" || label == "lof") {
				t.Errorf("%s, record %d: the shares are %v together, %d columns are expected", label, i, total, expected)
			}
		}
	}
}

// TestStop: a server that is told to stop finishes the answer under way, and says before that it stops.
func TestStop(t *testing.T) {
	tr := train(t, "flow")
	address, s, stop := started(t, tr, nil, "iforest")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := encode(t, map[string]any{"records": tr.records(2)})
	fmt.Fprintf(c, "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n",
		len(body))
	c.Write(body[:len(body)/2])
	time.Sleep(50 * time.Millisecond)
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	time.Sleep(50 * time.Millisecond)
	if _, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		t.Error("a server that stops takes connections")
	}
	for _, at := range []string{"/readyz", "/v2/health/ready"} {
		if status, said := ask(t, s.Handler(nil), "GET", at, "", nil); status != 503 {
			t.Errorf("%s: %d %s", at, status, said)
		}
	}
	c.Write(body[len(body)/2:])
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%v, %v", answer, err)
	}
	if raw, err := io.ReadAll(answer.Body); err != nil || !bytes.Contains(raw, []byte(`"score"`)) {
		t.Errorf("%s, %v", raw, err)
	}
	c.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestSlow: a body that does not come is not waited for.
func TestSlow(t *testing.T) {
	tr := train(t, "flow")
	address, _, _ := started(t, tr, func(o *serve.Options) { o.Timeout = 200 * time.Millisecond }, "iforest")
	for _, at := range []string{"/v1/predict HTTP/1.1\r\nContent-Type: application/json",
		"/v1/predict/batch HTTP/1.1\r\nContent-Type: text/csv",
		"/v1/predict/batch HTTP/1.1\r\nContent-Type: application/octet-stream"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		begun := time.Now()
		fmt.Fprintf(c, "POST %s\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{", at)
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || answer.StatusCode != http.StatusRequestTimeout {
			t.Errorf("%s: %v, %v after %v", at, answer, err, time.Since(begun))
			continue
		}
		said, _ := io.ReadAll(answer.Body)
		path, _, _ := strings.Cut(at, " ")
		checked(t, httptest.NewRequest("POST", path, nil), nil, answer.StatusCode, answer.Header, said)
	}
}

// TestMetrics: the counters have the form of Prometheus's text format 0.0.4, and count.
func TestMetrics(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	for range 3 {
		ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": tr.records(2)}))
	}
	ask(t, h, "POST", "/v1/predict", jsonKind, []byte("{"))
	_, raw := ask(t, h, "GET", "/metrics", "", nil)
	form := regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_]+="[^"]*"(, ?[a-zA-Z_]+="[^"]*")*\})? ` +
		`[-+0-9.eEInfNa]+|#.*)$`)
	for line := range strings.Lines(string(raw)) {
		if !form.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("no line of the format: %s", line)
		}
	}
	for _, line := range []string{`plumbline_requests_total{route="/v1/predict",code="200"} 3`,
		`plumbline_requests_total{route="/v1/predict",code="400"} 1`, `plumbline_records_total{model="iforest"} 6`,
		`plumbline_request_seconds_count{route="/v1/predict"} 4`, "plumbline_ready 1", "plumbline_body_bytes 0",
		"plumbline_requests_working 0"} {
		if !strings.Contains(string(raw), line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// TestOptions: what cannot be served is said before anything is.
func TestOptions(t *testing.T) {
	tr := train(t, "flow")
	src := serve.Source{Path: tr.cells["iforest"]}
	for name, o := range map[string]serve.Options{
		"no models": {}, "policy": {Models: []serve.Source{src}, Unknown: "x"},
		"twice": {Models: []serve.Source{src, src}}, "name": {Models: []serve.Source{{Name: "a b", Path: src.Path}}},
		"negative": {Models: []serve.Source{src}, Body: -1}, "memory": {Models: []serve.Source{src}, Memory: 1},
		"no file":  {Models: []serve.Source{{Path: "none.plumb"}}},
		"a folder": {Models: []serve.Source{{Path: t.TempDir()}}},
	} {
		if _, err := serve.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
