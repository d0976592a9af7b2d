package page

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// policyText is what a served page may do, as its header says: run its own script and ask the server that it came from.
const policyText = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob: data:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Guard says what browsers may do with the answers of next, and gives requests under another name than those of hosts
// (nil: any) to misdirected: a page of another name that points here would otherwise read what is served.
func Guard(hosts []string, next http.Handler, misdirected func(w http.ResponseWriter, err error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = policy
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		h["Cache-Control"] = noStore
		h["Cross-Origin-Resource-Policy"] = sameOrigin
		if !known(hosts, r.Host) {
			misdirected(w, fmt.Errorf("this server is not %q", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

var (
	policy     = []string{policyText}
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	noStore    = []string{"no-store"}
	sameOrigin = []string{"same-origin"}
)

// known says whether a host of a request, with or without a port, is one of some names.
func known(hosts []string, host string) bool {
	if hosts == nil {
		return true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	for _, h := range hosts {
		if h == host {
			return true
		}
	}
	return false
}

// Hosts are the names by which a listener on an address is called from the same machine; nil, any name, for one that
// others reach.
func Hosts(address net.Addr) []string {
	a, ok := address.(*net.TCPAddr)
	if !ok || !a.IP.IsLoopback() {
		return nil
	}
	return []string{"localhost", "127.0.0.1", "::1", a.IP.String()}
}
