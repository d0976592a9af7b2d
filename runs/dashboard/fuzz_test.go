package dashboard

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzReadCountries: any file gives prefixes or an error, and any address a country or none.
func FuzzReadCountries(f *testing.F) {
	f.Add("192.0.2.0/24,NL\n2001:db8::/32,fr,x\n", "192.0.2.7")
	f.Add("prefix,country\n::/0,AA\n0.0.0.0/0,BB\n", "fe80::1%eth0")
	f.Add("\uFEFF1.1.1.1/32,\"D\nE\"", "")
	f.Fuzz(func(t *testing.T, file, address string) {
		c, err := ReadCountries(strings.NewReader(file))
		if err != nil {
			return
		}
		if name := c.Country(address); name != "" && len(name) != 2 {
			t.Errorf("%q is in %q", address, name)
		}
	})
}

// FuzzQuery: any query is a view or an error.
func FuzzQuery(f *testing.F) {
	flows := scored(60, 17)
	for _, q := range queries {
		f.Add(q)
	}
	f.Add("time=-9223372036854775808,9223372036854775807&offset=9223372036854775807&score=NaN,Inf")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := flows.Parse(v)
		if err != nil {
			return
		}
		c := flows.compile(q)
		out, err := c.count(t.Context(), 1)
		if err != nil || out.kept > out.of {
			t.Errorf("%q: %v, %+v", query, err, out)
		}
	})
}
