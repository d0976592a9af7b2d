package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestHandler: each part of a view is JSON at its address, what is none is refused with a reason, and so are other
// names and methods; browsers are told what a page may do.
func TestHandler(t *testing.T) {
	d := &Dashboard{Flows: scored(400, 15), table: flows(400, 15)}
	h, err := d.Handler(t.Context(), []string{"localhost", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, part := range []string{"", "/time", "/dims", "/dims/proto", "/score", "/signs", "/status", "/scatter",
		"/numbers",
		"/spread", "/from", "/to", "/shift", "/flows", "/ahead"} {
		w := ask("GET", "localhost:80", "/view"+part+"?proto=tcp")
		if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %.80s", part, w.Code, w.Body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "connect-src 'self'") {
			t.Errorf("the policy is %q", policy)
		}
	}
	var v View
	if err := json.Unmarshal(ask("GET", "127.0.0.1", "/view?proto=tcp&mark=yes").Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if want := view(t, d.Flows, "proto=tcp&mark=yes", 1); v.Kept != want.Kept || v.Marked != want.Marked {
		t.Errorf("%d kept, want %d", v.Kept, want.Kept)
	}
	for _, c := range []struct {
		method, host, path string
		want               int
	}{
		{"GET", "localhost", "/", 200},
		{"GET", "LOCALHOST:1234", "/", 200},
		{"GET", "flows.example", "/view", 421},
		{"GET", "localhost.example", "/", 421},
		{"POST", "localhost", "/view", 405},
		{"GET", "localhost", "/view?colour=red", 400},
		{"GET", "localhost", "/view/nothing", 404},
		{"GET", "localhost", "/view/dims/nothing", 404},
		{"GET", "localhost", "/flow?i=399", 200},
		{"GET", "localhost", "/flow?i=400", 404},
		{"GET", "localhost", "/flow?i=-1", 404},
		{"GET", "localhost", "/flow", 404},
		{"GET", "localhost", "/other", 404},
	} {
		if w := ask(c.method, c.host, c.path); w.Code != c.want {
			t.Errorf("%s %s%s: %d, want %d: %.80s", c.method, c.host, c.path, w.Code, c.want, w.Body)
		}
	}
}

// serving is a dashboard that is served until stop is called, after which ended has what the server returned.
func serving(t *testing.T, d *Dashboard) (l net.Listener, stop func(), ended <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- d.Serve(ctx, l) }()
	return l, stop, end
}

// TestServeStops: the server ends with its context, and one that cannot start says so.
func TestServeStops(t *testing.T) {
	d := &Dashboard{Flows: scored(50, 16), table: flows(50, 16)}
	l, stop, ended := serving(t, d)
	answer, err := http.Get("http://" + l.Addr().String() + "/view/time")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
	if err := d.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("on a closed listener: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Handler(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
}
