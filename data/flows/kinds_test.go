package flows

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"plumbline/data/packets"
)

// Packets between 10.0.0.1 and 10.0.0.2, the second where back is set. Checksums are not made: they are not looked at.

func be16(v ...uint16) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func ip4(proto uint8, back bool, payload []byte) []byte {
	ends := []byte{10, 0, 0, 1, 10, 0, 0, 2}
	if back {
		ends = []byte{10, 0, 0, 2, 10, 0, 0, 1}
	}
	return slices.Concat([]byte{0x45, 0}, be16(uint16(20+len(payload)), 1, 0), []byte{64, proto, 0, 0}, ends, payload)
}

func ip6(proto uint8, back bool, payload []byte) []byte {
	src, dst := make([]byte, 16), make([]byte, 16)
	src[0], dst[0], src[15], dst[15] = 0x20, 0x20, 1, 2
	if back {
		src, dst = dst, src
	}
	return slices.Concat([]byte{0x60, 0, 0, 0}, be16(uint16(len(payload))), []byte{proto, 64}, src, dst, payload)
}

func datagram(back bool, port uint16, payload []byte) []byte {
	src, dst := uint16(4000), port
	if back {
		src, dst = dst, src
	}
	return slices.Concat(be16(src, dst, uint16(8+len(payload)), 0), payload)
}

func frame(typ uint16, payload []byte) []byte {
	return slices.Concat([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, be16(typ), payload)
}

// captured is a pcap file of frames a second apart.
func captured(link packets.Link, frames ...[]byte) []byte {
	return capturedAt(link, func(i int) int64 { return (1_700_000_000 + int64(i)) * 1000 }, frames)
}

// capturedAt is a pcap file of frames whose times are in milliseconds since 1970.
func capturedAt(link packets.Link, at func(i int) int64, frames [][]byte) []byte {
	le := binary.LittleEndian
	out := append(le.AppendUint32(nil, 0xa1b2c3d4), 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = le.AppendUint32(le.AppendUint32(out, 65535), uint32(link))
	for i, f := range frames {
		ms := at(i)
		for _, v := range []uint32{uint32(ms / 1000), uint32(ms % 1000 * 1000), uint32(len(f)), uint32(len(f))} {
			out = le.AppendUint32(out, v)
		}
		out = append(out, f...)
	}
	return out
}

func flowsOf(t *testing.T, v Vocabulary, s Settings, files ...[]byte) (rows []map[string]string) {
	t.Helper()
	s.Checksums, s.MaxOpen = new(bool), DefaultMaxOpen
	var list []packets.File
	for _, f := range files {
		list = append(list, inMemory(f))
	}
	rows, _ = build(t, v, s, 2, packets.NewReader(list))
	return rows
}

func fresh(t *testing.T, name string) Vocabulary {
	t.Helper()
	info, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.New()
}

// expect holds the one flow of rows that has these values against them.
func expect(t *testing.T, name string, rows []map[string]string, n int, want map[string]string) {
	t.Helper()
	if len(rows) != n {
		t.Errorf("%s: %d flows, want %d: %v", name, len(rows), n, rows)
		return
	}
	for _, r := range rows {
		same := true
		for c, v := range want {
			got, there := r[c]
			same = same && there && got == v
		}
		if same {
			return
		}
	}
	t.Errorf("%s: %v, want %v", name, rows, want)
}

// seldom is a capture of transports and link layers that are rare: SCTP and OSPF, over IPv4 and IPv6, questions of ICMP
// that are no echoes; tags of VLANs, MPLS and PPPoE.
func seldom(t *testing.T) string {
	t.Helper()
	sctp := slices.Concat(be16(4000, 2905), make([]byte, 12))
	udp := func(port uint16) []byte { return ip4(packets.UDP, false, datagram(false, port, []byte("hello"))) }
	clock := func(kind byte) []byte { return slices.Concat([]byte{kind, 0, 0, 0, 0, 1, 0, 2}, make([]byte, 12)) }
	const ospf = 89
	file := captured(packets.LinkEthernet, frame(0x0800, ip4(packets.SCTP, false, sctp)),
		frame(0x0800, ip4(packets.SCTP, true, sctp)), frame(0x86dd, ip6(packets.SCTP, false, sctp)),
		frame(0x0800, ip4(ospf, false, make([]byte, 44))), frame(0x0800, ip4(ospf, true, make([]byte, 44))),
		frame(0x86dd, ip6(ospf, false, make([]byte, 36))), frame(0x0800, ip4(packets.ICMP, false, clock(13))),
		frame(0x0800, ip4(packets.ICMP, true, clock(14))), frame(0x8100, slices.Concat(be16(5, 0x0800), udp(1001))),
		frame(0x8100, slices.Concat(be16(5, 0x8100, 6, 0x0800), udp(1002))),
		frame(0x8847, slices.Concat([]byte{0, 1, 1, 64}, udp(1003))),
		frame(0x8864, slices.Concat([]byte{0x11, 0}, be16(1, uint16(len(udp(1))+2), 0x21), udp(1004))))
	path := filepath.Join(t.TempDir(), "seldom.pcap")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFlowsOfLinks: a question and an answer are one flow over every link layer, cut into two files between them.
func TestFlowsOfLinks(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	for _, c := range []struct {
		name string
		link packets.Link
		wrap func(b []byte) []byte
	}{
		{"ethernet", packets.LinkEthernet, func(b []byte) []byte { return frame(0x0800, b) }},
		{"vlan", packets.LinkEthernet, func(b []byte) []byte { return frame(0x8100, slices.Concat(be16(5, 0x0800), b)) }},
		{"qinq", packets.LinkEthernet, func(b []byte) []byte {
			return frame(0x88a8, slices.Concat(be16(5, 0x8100, 6, 0x0800), b))
		}},
		{"mpls", packets.LinkEthernet, func(b []byte) []byte { return frame(0x8847, slices.Concat([]byte{0, 1, 1, 64}, b)) }},
		{"pppoe", packets.LinkEthernet, func(b []byte) []byte {
			return frame(0x8864, slices.Concat([]byte{0x11, 0}, be16(1, uint16(len(b)+2), 0x21), b))
		}},
		{"fabric path", packets.LinkEthernet, func(b []byte) []byte {
			return frame(0x8903, slices.Concat(be16(1), frame(0x0800, b)))
		}},
		{"cooked", packets.LinkSLL, func(b []byte) []byte { return slices.Concat(zeros(14), be16(0x0800), b) }},
		{"cooked 2", packets.LinkSLL2, func(b []byte) []byte { return slices.Concat(be16(0x0800), zeros(18), b) }},
		{"raw", packets.LinkRaw, slices.Clone[[]byte]},
		{"loopback", packets.LinkNull, func(b []byte) []byte { return slices.Concat([]byte{2, 0, 0, 0}, b) }},
	} {
		question := c.wrap(ip4(packets.UDP, false, datagram(false, 53, []byte("who"))))
		answer := c.wrap(ip4(packets.UDP, true, datagram(true, 53, []byte("not me"))))
		rows, _ := build(t, fresh(t, "zeek"), Settings{MaxOpen: 5, Checksums: new(bool)}, 2,
			packets.NewReader(cutUp(t, captured(c.link, question, answer), 1)))
		expect(t, c.name, rows, 1, map[string]string{"id.orig_h": "10.0.0.1", "id.orig_p": "4000", "id.resp_p": "53",
			"duration": "1", "orig_pkts": "1", "resp_pkts": "1", "orig_ip_bytes": "31", "resp_ip_bytes": "34",
			"orig_bytes": "3", "resp_bytes": "6", "conn_state": "SF", "history": "Dd"})
	}
	tagged := func(id uint16) []byte {
		return frame(0x8100, slices.Concat(be16(id, 0x0800), ip4(packets.UDP, false, datagram(false, 53, nil))))
	}
	two := captured(packets.LinkEthernet, tagged(5), tagged(6))
	expect(t, "two VLANs", flowsOf(t, fresh(t, "zeek"), Settings{}, two), 1, map[string]string{"orig_pkts": "2"})
	expect(t, "two VLANs, apart", flowsOf(t, fresh(t, "zeek"), Settings{VLAN: true}, two), 2,
		map[string]string{"orig_pkts": "1"})
}

// TestFlowsOfTunnels: what is within a tunnel is the flow where tunnels are opened, beside the datagrams that carry it;
// where they are not, the tunnel is.
func TestFlowsOfTunnels(t *testing.T) {
	inner := func(back bool) []byte { return ip4(packets.UDP, back, datagram(back, 53, []byte("who"))) }
	gre := func(flags, protocol uint16) func(bool, []byte) []byte {
		return func(back bool, b []byte) []byte {
			return ip6(packets.GRE, back, slices.Concat(be16(flags, protocol), b))
		}
	}
	for _, c := range []struct {
		name   string
		wrap   func(back bool, b []byte) []byte
		opened int
		closed string // protocol of the tunnel
	}{
		{"gre", gre(0, 0x0800), 1, "47"},
		{"erspan I", func(back bool, b []byte) []byte { return gre(0, 0x88be)(back, frame(0x0800, b)) }, 1, "47"},
		{"erspan II", func(back bool, b []byte) []byte {
			return gre(0x1000, 0x88be)(back, slices.Concat(make([]byte, 12), frame(0x0800, b)))
		}, 1, "47"},
		{"4in6", func(back bool, b []byte) []byte { return ip6(packets.IPv4, back, b) }, 1, "4"},
		{"vxlan", func(back bool, b []byte) []byte {
			return ip6(packets.UDP, back, datagram(false, 4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 5, 0}, frame(0x0800, b))))
		}, 3, "17"},
		{"geneve", func(back bool, b []byte) []byte {
			return ip6(packets.UDP, back, datagram(false, 6081, slices.Concat([]byte{0, 0, 0x65, 0x58, 0, 0, 5, 0},
				frame(0x0800, b))))
		}, 3, "17"},
	} {
		file := captured(packets.LinkRaw, c.wrap(false, inner(false)), c.wrap(true, inner(true)))
		v := &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5, IPProto: true}
		expect(t, c.name, flowsOf(t, v, Settings{Tunnels: true}, file), c.opened, map[string]string{"proto": "udp",
			"id.orig_h": "10.0.0.1", "id.resp_p": "53", "orig_pkts": "1", "resp_pkts": "1", "orig_bytes": "3"})
		rows := flowsOf(t, v, Settings{}, file)
		expect(t, c.name+", closed", rows, max(1, c.opened-1), map[string]string{"id.orig_h": "2000::1",
			"ip_proto": c.closed})
	}
	six := captured(packets.LinkRaw, ip4(packets.IPv6, false, ip6(packets.UDP, false, datagram(false, 53, nil))))
	expect(t, "6in4", flowsOf(t, fresh(t, "zeek"), Settings{Tunnels: true}, six), 1, map[string]string{
		"id.orig_h": "2000::1", "id.resp_h": "2000::2", "proto": "udp"})
	expect(t, "6in4, closed", flowsOf(t, fresh(t, "zeek"), Settings{}, six), 1, map[string]string{
		"id.orig_h": "10.0.0.1", "proto": "unknown_transport"})
}

// TestFlowsOfTransports: SCTP, ICMP and transports that nobody knows, in the columns of each tool.
func TestFlowsOfTransports(t *testing.T) {
	sctp := func(back bool) []byte {
		return ip4(packets.SCTP, back, slices.Concat(datagram(back, 2905, nil)[:4], make([]byte, 12)))
	}
	echo := func(back bool) []byte {
		kind := byte(8)
		if back {
			kind = 0
		}
		return ip4(packets.ICMP, back, slices.Concat([]byte{kind, 0, 0, 0}, be16(7, 1), make([]byte, 56)))
	}
	unreachable := ip4(packets.ICMP, true, slices.Concat([]byte{3, 1, 0, 0, 0, 0, 0, 0},
		ip4(packets.UDP, false, datagram(false, 9, nil))))
	const ospf = 89
	for _, c := range []struct {
		name   string
		frames [][]byte
		want   map[string]map[string]string // by vocabulary
	}{
		{"sctp", [][]byte{sctp(false), sctp(true)}, map[string]map[string]string{
			"zeek":    {"proto": "unknown_transport", "orig_pkts": "1", "resp_pkts": "1", "conn_state": "OTH"},
			"argus":   {"Proto": "sctp", "Dir": "<->", "State": "CON", "TotPkts": "2", "TotBytes": "72"},
			"netflow": {"pr": "SCTP", "ipkt": "1", "ibyt": "36", "opkt": "1", "obyt": "36"},
			"cic":     {"Protocol": "0", "Total Fwd Packet": "1", "Total Bwd packets": "1"}}},
		{"echo", [][]byte{echo(false), echo(true)}, map[string]map[string]string{
			"zeek":    {"proto": "icmp", "id.orig_p": "8", "id.resp_p": "0", "orig_bytes": "56", "resp_bytes": "56"},
			"argus":   {"Proto": "icmp", "Dir": "<->", "State": "ECO", "TotPkts": "2"},
			"netflow": {"pr": "ICMP", "sp": "0", "dp": "2048", "ipkt": "1", "opkt": "1"},
			"cic":     {"Protocol": "1", "ICMP Type": "8", "ICMP Code": "0", "Total Fwd Packet": "1"}}},
		{"unreachable", [][]byte{unreachable, unreachable}, map[string]map[string]string{
			"zeek":    {"proto": "icmp", "id.orig_h": "10.0.0.2", "id.orig_p": "3", "id.resp_p": "1", "orig_pkts": "2"},
			"argus":   {"Proto": "icmp", "State": "URH", "TotPkts": "2", "Dir": "->"},
			"netflow": {"pr": "ICMP", "dp": "769", "ipkt": "2"},
			"cic":     {"ICMP Type": "3", "ICMP Code": "1", "Total Fwd Packet": "2"}}},
		{"ospf", [][]byte{ip4(ospf, false, make([]byte, 44)), ip4(ospf, true, make([]byte, 44))},
			map[string]map[string]string{
				"zeek":  {"proto": "unknown_transport", "orig_ip_bytes": "64", "resp_ip_bytes": "64"},
				"argus": {"Proto": "ospf", "TotPkts": "2", "State": "CON"},
				"cic":   {"Protocol": "0", "Total Fwd Packet": "1"}}},
	} {
		file := captured(packets.LinkRaw, c.frames...)
		for name, want := range c.want {
			v := fresh(t, name)
			if name == "netflow" {
				v = &NetFlow{Layout: "nfdump", Merged: true}
			}
			expect(t, c.name+" as "+name, flowsOf(t, v, Settings{}, file), 1, want)
		}
	}
}

// TestZeekStates: conn_state of connections as the manual of Zeek describes each (base/protocols/conn/main.zeek, the
// record Conn::Info), with those of which only a half was seen.
func TestZeekStates(t *testing.T) {
	for script, want := range map[string]string{
		">S":                                   "S0",
		">S <SA >A":                            "S1",
		">S <SA >A >PA:5 <A >FA <FA >A":        "SF",
		">S <RA/0":                             "REJ",
		">S <SA >A >PA:5 <A >FA <A":            "S2",
		">S <SA >A <FA >A":                     "S3",
		">S <SA >A >PA:5 <A >RA/0":             "RSTO",
		">S <SA >A >PA:5 <A <RA/0":             "RSTR",
		">S >R/0":                              "RSTOS0",
		"<SA <R/0":                             "RSTRH",
		">S >FA":                               "SH",
		"<SA <FA":                              "SHR",
		">PA:5 <PA:7 >A":                       "OTH",
		"<PA:7 >A":                             "OTH",
		"<PA:7 <PA:7":                          "OTH",
		">A:1 <A":                              "OTH",
		">S <SA >A >PA:5 <A >FA <FA >A @1 >RA": "SF",
	} {
		rows := crafted(t, fresh(t, "zeek"), script)
		// the client is the originator, whoever of them was seen first
		expect(t, script, rows, 1, map[string]string{"conn_state": want, "id.orig_p": "4000", "id.resp_p": "80"})
	}
}

// TestCompressedCaptures: captures that are compressed, each in its own way, are one stream with those that are not.
func TestCompressedCaptures(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	part := func(back bool) []byte {
		return captured(packets.LinkRaw, ip4(packets.UDP, back, datagram(back, 53, []byte("who"))))
	}
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	g.Write(part(true))
	g.Close()
	z.Write(part(false))
	z.Close()
	f := &Files{Paths: []string{write("one.pcap", part(false)), write("two.pcap.gz", gz.Bytes()),
		write("three.pcap.zst", zst.Bytes()), write("no ending", zst.Bytes())}}
	rows, rep := build(t, fresh(t, "zeek"), Settings{MaxOpen: 5, Checksums: new(bool), Joined: true}, 1, f.Reader())
	expect(t, "four files", rows, 1, map[string]string{"orig_pkts": "3", "resp_pkts": "1", "resp_bytes": ""})
	if rep.Frames != 4 || rep.Cut != 0 {
		t.Errorf("%+v", rep)
	}
	// cut within the compressed file, of which the first blocks are whole
	zst.Reset()
	z.Reset(&zst)
	z.Write(datagrams(40_000, func(i int) int64 { return int64(i * i) }, func(i int) uint16 { return uint16(i) }))
	z.Close()
	f = &Files{Paths: []string{write("cut.pcap.zst", zst.Bytes()[:zst.Len()*3/4]), f.Paths[0]}}
	_, rep = build(t, fresh(t, "zeek"), Settings{MaxOpen: 5, Checksums: new(bool), Joined: true}, 1, f.Reader())
	if said := strings.Join(rep.Warnings, "\n"); rep.Cut != 1 || rep.Frames < 10_000 ||
		!strings.Contains(said, "cut.pcap.zst") {
		t.Errorf("%+v", rep)
	}
}
