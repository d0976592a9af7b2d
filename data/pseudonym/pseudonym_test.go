package pseudonym_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/pseudonym"
)

// sample is the key that the authors' implementation of Crypto-PAn 1.0 ships in sample.cpp.
var sample = []byte{
	21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
}

func mapper(t testing.TB) *pseudonym.Mapper {
	t.Helper()
	m, err := pseudonym.New(sample)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSample: pairs of sample_trace_raw.dat and sample_trace_sanitized.dat of Crypto-PAn 1.0.
func TestSample(t *testing.T) {
	m := mapper(t)
	for from, to := range map[string]string{
		"128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
		"141.223.7.43": "141.167.8.160", "152.163.225.39": "151.140.114.167", "156.29.3.236": "147.225.12.42",
		"165.247.96.84": "162.9.99.234", "192.102.249.13": "252.138.62.131", "24.0.250.221": "100.15.198.226",
	} {
		if got := m.Text(from); got != to {
			t.Errorf("%s becomes %s, want %s", from, got, to)
		}
	}
}

// TestPrefixes: addresses share as many first bits after as before, in both families, so that different ones stay
// different.
func TestPrefixes(t *testing.T) {
	m := mapper(t)
	r := rand.New(rand.NewPCG(1, 2))
	shared := func(a, b netip.Addr) int {
		x, y := a.AsSlice(), b.AsSlice()
		for i := range 8 * len(x) {
			if (x[i/8]^y[i/8])>>(7-i%8)&1 == 1 {
				return i
			}
		}
		return 8 * len(x)
	}
	for range 300 {
		var four [4]byte
		var six [16]byte
		binary.BigEndian.PutUint32(four[:], r.Uint32())
		binary.BigEndian.PutUint64(six[:], r.Uint64())
		binary.BigEndian.PutUint64(six[8:], r.Uint64())
		a, b := netip.AddrFrom4(four), netip.AddrFrom16(six)
		four[r.IntN(4)] ^= 1 << r.IntN(8)
		six[r.IntN(16)] ^= 1 << r.IntN(8)
		for _, pair := range [][2]netip.Addr{{a, netip.AddrFrom4(four)}, {b, netip.AddrFrom16(six)}} {
			before, after := shared(pair[0], pair[1]), shared(m.Addr(pair[0]), m.Addr(pair[1]))
			if before != after {
				t.Fatalf("%v share %d bits before and %d after", pair, before, after)
			}
		}
	}
}

// TestTexts: the form of a text stays, and no text stays itself.
func TestTexts(t *testing.T) {
	m := mapper(t)
	for text, form := range map[string]string{
		"10.0.0.1:443": ":443", "[2001:db8::1]:53": "]:53", "192.168.0.0/16": "/16", "fe80::1": ":",
		"00:1b:21:3a:4f:5e": ":", "printer.example.org": "name-",
		"::ffff:10.0.0.0/104": "name-", "-": "name-", "::ffff:10.0.0.1": ".",
	} {
		got := m.Text(text)
		if got == text || !strings.Contains(got, form) || got != m.Text(text) || got != mapper(t).Text(text) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if m.Text("") != "" || m.Text("::ffff:128.11.68.132") != "135.242.180.132" {
		t.Error("no address, or one of IPv4 within IPv6")
	}
	other, _ := pseudonym.New(make([]byte, pseudonym.KeySize))
	if other.Text("10.0.0.1") == m.Text("10.0.0.1") || other.Text("host") == m.Text("host") {
		t.Error("another key gives the same")
	}
}

func TestReadKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1522178d33a4cf80130a5b1649907d10d8988f8379796527625 74c2d2a842202")
	if _, err := pseudonym.ReadKey(path); err == nil || !strings.Contains(err.Error(), "64 hexadecimal") {
		t.Error(err)
	}
	write("1522178d33a4cf80130a5b1649907d10d8988f83797965276257" + "4c2d2a842202\n")
	m, err := pseudonym.ReadKey(path)
	if err != nil || m.Text("128.11.68.132") != "135.242.180.132" {
		t.Error(err)
	}
	if _, err := pseudonym.ReadKey(path + ".gone"); err == nil {
		t.Error("a key that is not there")
	}
	if _, err := pseudonym.New(sample[1:]); err == nil {
		t.Error("a short key")
	}
}

// TestTable: addresses are replaced in their columns, and where they stand among categories or words; two spellings of
// one become one level, and the table that was there stays as it is.
func TestTable(t *testing.T) {
	m := mapper(t)
	in := &data.Table{Rows: 4, Columns: []data.Column{
		{Name: "src", Type: data.Address, Code: []uint32{0, 1, data.Missing, 2},
			Levels: []string{"128.11.68.132", "::ffff:128.11.68.132", "printer"}},
		{Name: "host", Type: data.Category, Code: []uint32{0, 1, 0, 1}, Levels: []string{"24.0.250.221:80", "www"}},
		{Name: "state", Type: data.Category, Code: []uint32{0, 0, 0, 0}, Levels: []string{"1.2.3"}},
		{Name: "size", Type: data.Number, Num: []float64{1, 2, 3, 4}},
	}}
	out := m.Table(in)
	text := func(table *data.Table, column int) (out []string) {
		for r := range int32(4) {
			out = append(out, string(table.Columns[column].AppendText(nil, r)))
		}
		return out
	}
	for k, want := range [][]string{{"135.242.180.132", "135.242.180.132", "-", m.Text("printer")},
		{"100.15.198.226:80", "www", "100.15.198.226:80", "www"},
		{"1.2.3", "1.2.3", "1.2.3", "1.2.3"}, {"1", "2", "3", "4"}} {
		if got := text(out, k); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", out.Columns[k].Name, got, want)
		}
	}
	if len(out.Columns[0].Levels) != 2 || text(in, 0)[0] != "128.11.68.132" || in.Columns[0].Code[1] != 1 {
		t.Errorf("%+v of %+v", out.Columns[0], in.Columns[0])
	}
	for from, to := range map[string]string{
		"128.11.68.132|SF after 24.0.250.221|é": "135.242.180.132|SF after 100.15.198.226|é",
		"tcp 12:30 1.5":                         "tcp 12:30 1.5", "": "",
	} {
		if got := m.Words(from); got != to {
			t.Errorf("%q becomes %q, want %q", from, got, to)
		}
	}
	var none *pseudonym.Mapper
	if none.Table(in) != in || none.Words("10.0.0.1") != "10.0.0.1" || none.Value(data.Address, "10.0.0.1") != "10.0.0.1" {
		t.Error("no mapper changes something")
	}
}
