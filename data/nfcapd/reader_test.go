package nfcapd

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

func flows(t testing.TB, raw []byte) ([]Flow, error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return rest(r)
}

// rest are the flows that r has not read yet.
func rest(r *Reader) ([]Flow, error) {
	var out []Flow
	for {
		var f Flow
		err := r.Next(&f)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// invented are flows of every kind that differs in the files.
func invented() []Flow {
	var out []Flow
	for i := range 40 {
		f := Flow{
			First: 1500000000123 + int64(i)*250, Last: 1500000007123 + int64(i)*251,
			Src: ip("10.0.0.1"), Dst: ip("10.0.0.2"),
			SrcPort: uint16(40000 + i), DstPort: 443, Proto: 6, Flags: 0x1b,
			Packets: uint64(i), Bytes: uint64(i) * 5_000_000_000,
		}
		if i%5 == 0 {
			f.Src, f.Dst, f.Proto, f.DstPort = ip("2001:db8::1"), ip("2001:db8::1:2"), 58, 128<<8
		}
		out = append(out, f)
	}
	return out
}

func inventedFile1() []byte {
	records := [][]byte{mapRecord(7, 8, 4, 9)}
	for _, f := range invented() {
		records = append(records, commonRecord(f, 7, []byte{1, 0, 2, 0, 4, 3, 2, 1}))
	}
	return file1(0, nil, records...)
}

var sameAddress = cmpopts.EquateComparable(netip.Addr{})

// TestLayout1 reads records whose extension map gives interfaces and a next hop.
func TestLayout1(t *testing.T) {
	got, err := flows(t, inventedFile1())
	if err != nil {
		t.Fatal(err)
	}
	want := invented()
	for i := range want {
		want[i].Input, want[i].Output, want[i].NextHop = 1, 2, ip("1.2.3.4")
	}
	if d := cmp.Diff(want, got, sameAddress); d != "" {
		t.Error(d)
	}
}

// fullElements are all elements that Flow has room for.
func fullElements() [][]byte {
	var mpls, macs []byte
	for i := range uint32(10) {
		mpls = le.AppendUint32(mpls, (1000+i)<<4|3)
	}
	for i := range uint64(4) {
		macs = le.AppendUint64(macs, 0x0102030405f0+i)
	}
	u64 := func(v ...uint64) (b []byte) {
		for _, x := range v {
			b = le.AppendUint64(b, x)
		}
		return b
	}
	u32 := func(v ...uint32) (b []byte) {
		for _, x := range v {
			b = le.AppendUint32(b, x)
		}
		return b
	}
	return [][]byte{
		element(4, append(u32(11, 12), 24, 25, 1, 13, 0, 0, 0, 0)), element(5, u64(2, 3, 4)), element(6, u32(100, 200)),
		element(7, u32(65001, 4200000000)), element(8, hostOrder(ip("1.2.3.4"))), element(11, hostOrder(ip("2001:db8::3"))),
		element(12, hostOrder(ip("9.8.7.6"))), element(14, mpls), element(15, macs), element(17, u64(1500, 2500, 3500)),
		element(28, []byte("my label\x00\x00\x00\x00")), element(900, []byte{1, 2, 3, 4}),
	}
}

// TestLayout2 reads every element. nfdump 1.7.1 prints the same of this record: 65001,4200000000,24,25,13,1,
// 2001:db8::3,1.2.3.4,100,200,01:02:03:04:05:f0,… 1000-1-1,… 1.500, 2.500, 3.500,9.8.7.6,3/4,5.
func TestLayout2(t *testing.T) {
	f := Flow{
		First: 1500000000123, Last: 1500000007123, Received: 1500000009001, Src: ip("2001:db8::1"), Dst: ip("2001:db8::2"),
		SrcPort: 7, DstPort: 3<<8 + 4, Proto: 58, Flags: 0xc2, Tos: 9, Forwarding: 64, Packets: 5, Bytes: 123456789,
		EngineType: 3, EngineID: 4, ExporterID: 5,
	}
	got, err := flows(t, file2(plain, nil, record3(f, fullElements()...), sized(0x8001, []byte("name"))))
	if err != nil || len(got) != 1 {
		t.Fatalf("%d flows, %v", len(got), err)
	}
	g := got[0]
	f.Input, f.Output, f.SrcMask, f.DstMask, f.Direction, f.DstTos = 11, 12, 24, 25, 1, 13
	f.Flows, f.OutPackets, f.OutBytes, f.SrcVLAN, f.DstVLAN = 2, 3, 4, 100, 200
	f.SrcAS, f.DstAS = 65001, 4200000000
	f.BGPNextHop, f.NextHop, f.Exporter = ip("1.2.3.4"), ip("2001:db8::3"), ip("9.8.7.6")
	f.InSrcMAC, f.OutDstMAC, f.InDstMAC, f.OutSrcMAC = 0x0102030405f0, 0x0102030405f1, 0x0102030405f2, 0x0102030405f3
	f.ClientDelay, f.ServerDelay, f.AppDelay, f.Label = 1500, 2500, 3500, "my label"
	f.MPLS = g.MPLS
	if d := cmp.Diff(f, g, sameAddress); d != "" {
		t.Error(d)
	}
	texts := []string{MPLSText(g.MPLS[9]), MACText(g.InSrcMAC), FlagText(g.Flags)}
	if d := cmp.Diff([]string{"1009-1-1", "01:02:03:04:05:f0", "CE....S."}, texts); d != "" {
		t.Error(d)
	}
}

// TestCompressed reads what nfdump 1.7.1 made of the invented flows (nfdump -r FILE -w NEW with -z, -j and -y), and
// files that were packed here, of both layouts.
func TestCompressed(t *testing.T) {
	want, err := flows(t, inventedFile1())
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for _, f := range want {
		records = append(records, record3(f))
	}
	packZ := func(b []byte) []byte {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return z.EncodeAll(b, nil)
	}
	pack4 := func(b []byte) []byte {
		out := make([]byte, lz4.CompressBlockBound(len(b)))
		n, err := lz4.CompressBlock(b, out, nil)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		return out[:n]
	}
	files := map[string][]byte{"zstd": file2(zstded, packZ, records...), "lz4": file2(lz4ed, pack4, records...)}
	for name, text := range packed {
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = raw
	}
	for name, raw := range files {
		got, err := flows(t, raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ignore := cmpopts.IgnoreFields(Flow{}, "Input", "Output", "NextHop")
		if d := cmp.Diff(want, got, sameAddress, ignore); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestFaults: every cut and every claim ends in an error that says where, and takes no memory for the claim.
func TestFaults(t *testing.T) {
	good := inventedFile1()
	for n := range len(good) {
		if _, err := flows(t, good[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	with := func(at int, b ...byte) []byte {
		raw := bytes.Clone(good)
		copy(raw[at:], b)
		return raw
	}
	const block = 4 + 8 + 128 + 136
	for _, c := range []struct {
		name, want string
		raw        []byte
	}{
		{"text", "want the magic number 0xa50c", []byte("ts,te,td,sa\n")},
		{"other byte order", "first byte is the highest", []byte{0xa5, 0x0c, 0, 1}},
		{"layout 9", "layout 9 is not known", []byte{0x0c, 0xa5, 9, 0}},
		{"two compressions", "several compressions", with(4, 0x09)},
		{"large block", "block 1: 4294967295 bytes, want at most", with(block+4, 255, 255, 255, 255)},
		{"claimed block", "unexpected EOF", with(block+4, 0, 0, 0, 3)},
		{"record of nothing", "block 1, record 1 of the file: its size is 0", with(block+12+2, 0, 0)},
		{"record too long", "its size is 65535", with(block+12+2, 255, 255)},
		{"map not seen", "extension map 7 was not seen", with(block+12+4, 8)},
		{"not LZO", "LZO: byte", with(4, 0x01)},
		{"not bzip2", "bzip2:", with(4, 0x08)},
		{"not LZ4", "LZ4:", with(4, 0x10)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := flows(t, c.raw)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%s: %d bytes were taken for a file of %d", c.name, took, len(c.raw))
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(inventedFile1())
	f.Add(file2(plain, nil, record3(invented()[0], fullElements()...)))
	for _, text := range packed {
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			return
		}
		r.largest = 1 << 18 // a kilobyte of bzip2 may hold megabytes, at which the fuzzer would spend its time
		got, err := rest(r)
		if most := len(raw)*255 + 1; err == nil && len(got)*header3 > most && raw[2] == 1 && raw[4] == 0 {
			t.Errorf("%d flows of %d bytes", len(got), len(raw))
		}
	})
}

func FuzzLZO(f *testing.F) {
	f.Add([]byte{0x12, 'a', 0x11, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 1 << 16
		if out, err := unpackLZO(in, most); err == nil && len(out) > most {
			t.Errorf("%d bytes", len(out))
		}
	})
}

// TestLZO decodes streams written by hand from the description of the format.
func TestLZO(t *testing.T) {
	long := "abcd" + strings.Repeat("d", 34)
	for _, c := range []struct {
		in   []byte
		want string
		err  bool
	}{
		{[]byte{21, 'a', 'b', 'c', 'd', 0x11, 0, 0}, "abcd", false},
		// 3 bytes from 4 back, 34 bytes from 1 back
		{[]byte{21, 'a', 'b', 'c', 'd', 0x40 | 3<<2, 0, 0x11, 0, 0}, "abcdabc", false},
		{[]byte{21, 'a', 'b', 'c', 'd', 0x20, 1, 0, 0, 0x11, 0, 0}, long, false},
		{[]byte{18, 'a', 0x11, 0, 0}, "a", false},
		// a literal after the match, and 2 bytes from 1 back
		{[]byte{21, 'a', 'b', 'c', 'd', 0x41 | 3<<2, 0, 'x', 0, 0, 0x11, 0, 0}, "abcdabcxxx", false},
		// from 8 back, where there are 4; too few literals; nothing
		{[]byte{21, 'a', 'b', 'c', 'd', 0x40 | 7<<2, 0, 0x11, 0, 0}, "", true},
		{[]byte{21, 'a', 'b'}, "", true},
		{nil, "", true},
	} {
		got, err := unpackLZO(c.in, 1<<10)
		if c.err != (err != nil) || err == nil && string(got) != c.want {
			t.Errorf("%v: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}
