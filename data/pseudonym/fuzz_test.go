package pseudonym_test

import (
	"math/bits"
	"net/netip"
	"strings"
	"testing"
)

// FuzzText: every text has one pseudonym, of its own kind; two addresses of a family share as many first bits after as
// before, and names stay different.
func FuzzText(f *testing.F) {
	for _, text := range []string{"10.0.0.5", "2001:db8::1", "fe80::1%eth0", "10.0.0.5:80", "[::1]:443", "10.0.0.0/8",
		"00:1b:44:11:3a:b7", "web.example.org", "::ffff:10.0.0.5", "\xff\x00", "0.0.0.0/0", " 10.0.0.5"} {
		f.Add(text, "10.0.0.6")
	}
	shared := func(a, b netip.Addr) (n int) {
		x, y := a.Unmap().AsSlice(), b.Unmap().AsSlice()
		for i := range x {
			if d := x[i] ^ y[i]; d != 0 {
				return n + bits.LeadingZeros8(d)
			}
			n += 8
		}
		return n
	}
	kept := mapper(f)
	f.Fuzz(func(t *testing.T, one, two string) {
		a, b := kept.Text(one), kept.Text(two)
		if again := mapper(t).Text(one); again != a || (a == "") != (one == "") {
			t.Fatalf("%q becomes %q, and %q", one, a, again)
		}
		x, errX := netip.ParseAddr(one)
		y, errY := netip.ParseAddr(two)
		switch {
		case errX == nil && errY == nil:
			p, err := netip.ParseAddr(a)
			q, errQ := netip.ParseAddr(b)
			if err != nil || errQ != nil || p.Is4() != x.Unmap().Is4() {
				t.Fatalf("%q and %q become %q and %q", one, two, a, b)
			}
			if p.Is4() == q.Is4() && shared(p, q) != shared(x.WithZone(""), y.WithZone("")) {
				t.Fatalf("%q and %q become %q and %q", one, two, a, b)
			}
		case strings.HasPrefix(a, "name-") && one != two && a == b:
			t.Fatalf("%q and %q are both %q", one, two, a)
		}
	})
}
