package page

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestGuard: a server that only its machine reaches has names, one that others reach has none; requests under another
// name do not come through.
func TestGuard(t *testing.T) {
	if Hosts(&net.TCPAddr{IP: net.IPv4zero}) != nil || Hosts(&net.TCPAddr{IP: net.IPv6loopback}) == nil {
		t.Error("the names of a listener")
	}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h := Guard(Hosts(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}), next, func(w http.ResponseWriter, _ error) {
		w.WriteHeader(http.StatusMisdirectedRequest)
	})
	for host, want := range map[string]int{"localhost": 204, "LOCALHOST:80": 204, "[::1]:80": 204, "127.0.0.2": 204,
		"evil.example": 421, "localhost.evil.example": 421, "": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
}
