//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"plumbline/runs/alerts"
	"plumbline/runs/serve"
)

// certificate is one of this machine, signed by itself, and its key, as files; and a client that trusts it.
func certificate(t testing.TB) (cert, key string, client *http.Client) {
	t.Helper()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	do(err)
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	do(err)
	secret, err := x509.MarshalECPrivateKey(private)
	do(err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	do(os.WriteFile(cert, certPEM, 0o600))
	do(os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(certPEM)
	return cert, key, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: known},
		ForceAttemptHTTP2: true}}
}

// flowsOf is simulated flows as records, and as lines of JSON.
func flowsOf(t testing.TB, n int) (records []map[string]any, lines []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "synth.ndjson")
	if code, _, errOut := plumb(t, "data", "export", "synth", file, "--quiet"); code != exitOK {
		t.Fatal(errOut)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if len(records) == n {
			break
		}
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		records, lines = append(records, r), append(lines, line...)
	}
	return records, lines
}

func predictBody(t testing.TB, records []map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"records": records})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestServeFlags: a server with every flag does what the help says of each.
func TestServeFlags(t *testing.T) {
	dir, root := runDir(t)
	records, lines := flowsOf(t, 300)
	store, log := filepath.Join(root, "alerts.db"), filepath.Join(root, "flows.ndjson")
	token := filepath.Join(root, "token")
	for file, text := range map[string][]byte{log: lines, token: []byte("open sesame\n")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	model := filepath.Join(root, "forest.plumb")
	if code, _, errOut := plumb(t, "bundle", dir+"/iforest/s1", "-o", model); code != exitOK {
		t.Fatal(errOut)
	}
	keep, err := alerts.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	err = keep.Commit(t.Context(), &alerts.Batch{Alerts: []*alerts.Alert{{ID: "of-the-store", Model: "forest", Score: 1,
		Cause: "duration", Group: "g"}}})
	if err = errors.Join(err, keep.Close()); err != nil {
		t.Fatal(err)
	}
	cert, key, client := certificate(t)
	base, process, said := startServer(t, "web="+model, "--token-file", token, "--tls-cert", cert, "--tls-key", key,
		"--cors", "https://lab.example", "--alerts", store, "--max-body", "60000", "--max-batch", "50000",
		"--unknown-category", "refuse", "--timeout", "1s", "--batch-timeout", "2s", "--queue", "3", "--spool", root)
	const bearer = "Bearer open sesame"
	if !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Fatalf("the address is %s", base)
	}
	good := predictBody(t, records[:2])
	odd := maps.Clone(records[0])
	odd["proto"] = "of another world"
	unknown := predictBody(t, []map[string]any{odd})
	few := bytes.Join(bytes.SplitAfter(lines, []byte("\n"))[:50], nil)
	for name, c := range map[string]struct {
		at, kind string
		body     []byte
		header   []string
		status   int
		says     string
	}{
		"a record":        {"/v1/models/web/predict", "application/json", good, nil, 200, `"model":"web"`},
		"no token":        {"/v1/predict", "application/json", good, []string{"Authorization", ""}, 401, "Bearer"},
		"another token":   {"/v1/predict", "application/json", good, []string{"Authorization", bearer + "!"}, 401, ""},
		"a probe":         {"/readyz", "", nil, []string{"Authorization", ""}, 200, "ready"},
		"an allowed page": {"/v1/predict", "application/json", good, []string{"Origin", "https://lab.example"}, 200, ""},
		"another page": {"/v1/predict", "application/json", good, []string{"Origin", "https://x.example"}, 403,
			"--cors"},
		"large":            {"/v1/predict", "application/json", bytes.Repeat([]byte(" "), 60001), nil, 413, "60000 bytes"},
		"a large batch":    {"/v1/predict/batch", "application/x-ndjson", lines[:50001], nil, 413, "50000 bytes"},
		"a batch":          {"/v1/predict/batch", "application/x-ndjson", few, nil, 200, `"score"`},
		"no type":          {"/v1/predict", "text/plain", good, nil, 415, "application/json"},
		"unknown category": {"/v1/predict", "application/json", unknown, nil, 422, "/records/0/proto"},
		"the store":        {"/v1/alerts", "", nil, nil, 200, `"of-the-store"`},
	} {
		header := append([]string{"Authorization", bearer}, c.header...)
		status, raw := send(t, client, base+c.at, c.kind, c.body, header...)
		if status != c.status || !strings.Contains(string(raw), c.says) {
			t.Errorf("%s: status %d, %.300s; want %d and %q", name, status, raw, c.status, c.says)
		}
	}
	r, _ := http.NewRequest(http.MethodGet, base+"/healthz", nil)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.TLS == nil || answer.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s over %+v", answer.Proto, answer.TLS)
	}
	if _, err := http.DefaultClient.Get(base + "/healthz"); err == nil {
		t.Error("a client that does not know the certificate is content")
	}
	slow, err := tls.Dial("tcp", strings.TrimPrefix(base, "https://"), &tls.Config{
		RootCAs: client.Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Type: "+
		"application/json\r\nContent-Length: 100\r\n\r\n{", bearer)
	slow.SetReadDeadline(time.Now().Add(20 * time.Second))
	if raw, err := io.ReadAll(slow); err != nil || !bytes.Contains(raw, []byte(" 408 ")) {
		t.Errorf("a body that does not come: %.200s, %v", raw, err)
	}
	many := predictBody(t, records[:160]) // the work of some milliseconds, with reasons
	many = append(many[:len(many)-1], `,"reasons":20}`...)
	if len(many) > 60000 {
		t.Fatalf("%d bytes", len(many))
	}
	var met [600]atomic.Int64
	for end := time.Now().Add(20 * time.Second); met[429].Load() == 0 && time.Now().Before(end); {
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				status, raw := send(t, client, base+"/v1/predict", "application/json", many, "Authorization", bearer)
				met[status].Add(1)
				if status == 200 && bytes.Count(raw, []byte(`"score"`)) != 160 {
					t.Errorf("%.200s", raw)
				}
			})
		}
		wg.Wait()
	}
	if met[429].Load() == 0 || met[200].Load() == 0 {
		t.Errorf("%d × 200, %d × 429", met[200].Load(), met[429].Load())
	}
	process.Process.Signal(syscall.SIGTERM)
	if err := process.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	for _, wrong := range [][]string{{"--tls-cert", cert}, {"--token-file", log + ".none"}, {"--alerts", log},
		{"--cors", "*"}, {"--unknown-category", "x"}, {"--max-body", "-1"}, {"--listen", "nowhere:99999"},
		{"--tls-cert", key, "--tls-key", cert}} {
		args := append([]string{"serve", "--listen", "127.0.0.1:0", model}, wrong...)
		if code, _, errOut := plumb(t, args...); code != exitUsage || errOut == "" {
			t.Errorf("%v: exit %d: %s", wrong, code, errOut)
		}
	}
}

// TestServeReload: while models are replaced and SIGHUP comes, every request is answered, with the scores of the
// version that the answer names; at the end the server stops in order.
func TestServeReload(t *testing.T) {
	dir, root := runDir(t)
	records, _ := flowsOf(t, 20)
	body := predictBody(t, records)
	file := filepath.Join(root, "model.plumb")
	var versions [][]byte
	var hashes []string
	known := map[string]string{} // version → scores
	scores := func(raw []byte) (version, scores string) {
		var a serve.Answer
		if err := json.Unmarshal(raw, &a); err != nil || len(a.Predictions) != 20 {
			t.Errorf("%v: %.300s", err, raw)
		}
		for _, p := range a.Predictions {
			scores += digits(p.Score) + " "
		}
		return a.Version, scores
	}
	put := func(k int) {
		if err := os.WriteFile(file+".new", versions[k], 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Error(err)
		}
	}
	for k, cell := range []string{"/iforest/s1", "/iforest/s2", "/znorm/s1"} {
		to := fmt.Sprintf("%s.%d", file, k)
		if code, _, errOut := plumb(t, "bundle", dir+cell, "-o", to); code != exitOK {
			t.Fatal(errOut)
		}
		raw, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, raw)
		s, err := serve.New(serve.Options{Models: []serve.Source{{Name: "m", Path: to}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "/v1/predict", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		w := &kept{header: http.Header{}}
		s.Handler(nil).ServeHTTP(w, r)
		version, text := scores(w.Bytes())
		known[version] = text
		hashes = append(hashes, version)
	}
	put(0)
	base, process, said := startServer(t, file)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var asked atomic.Int64
	var last atomic.Pointer[string] // version that answered last
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				status, raw := send(t, client, base+"/v1/predict", "application/json", body)
				if status != http.StatusOK {
					t.Errorf("status %d: %.300s", status, raw)
					return
				}
				version, got := scores(raw)
				if want, ok := known[version]; !ok || got != want {
					t.Errorf("version %.12s has the scores %.100s, want %.100s", version, got, want)
					return
				}
				last.Store(&version)
				asked.Add(1)
			}
		})
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: waited in vain: %s", what, said)
			}
		}
	}
	for k := range 12 {
		put(k % 3)
		process.Process.Signal(syscall.SIGHUP)
		until("another version", func() bool { v := last.Load(); return v != nil && *v == hashes[k%3] })
		if k%6 != 5 {
			continue
		}
		half := versions[0][:len(versions[0])/2+k] // a file that is half there
		if err := os.WriteFile(file, half, 0o600); err != nil {
			t.Fatal(err)
		}
		process.Process.Signal(syscall.SIGHUP)
		until("a fault", func() bool {
			_, raw := send(t, client, base+"/v1/models", "", nil)
			return bytes.Contains(raw, []byte(`"fault"`))
		})
		until("an answer", func() bool { last.Store(nil); time.Sleep(20 * time.Millisecond); return last.Load() != nil })
		if v := *last.Load(); v != hashes[k%3] {
			t.Errorf("after half a file %.12s answers, before it %.12s did", v, hashes[k%3])
		}
	}
	stop()
	wg.Wait()
	if asked.Load() < 12 {
		t.Errorf("%d answers: %s", asked.Load(), said)
	}
	process.Process.Signal(os.Interrupt)
	if err := process.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if !strings.Contains(said.String(), "model read again") || !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("the log: %s", said)
	}
}

// kept is an answer in memory.
type kept struct {
	bytes.Buffer
	header http.Header
}

func (k *kept) Header() http.Header { return k.header }
func (k *kept) WriteHeader(int)     {}
