package packets

import (
	"slices"
	"testing"
)

func decode(t *testing.T, o Options, l Link, frames ...[]byte) (*Decoder, []Packet) {
	t.Helper()
	d := NewDecoder(o)
	var out []Packet
	for i, f := range frames {
		out = d.Decode(&Frame{Time: int64(i) * 1e6, Number: uint64(i + 1), Link: l, Wire: uint32(len(f)), Data: f}, out)
	}
	d.Finish()
	return d, out
}

// TestLinks: one datagram below every link layer.
func TestLinks(t *testing.T) {
	inner := v4(UDP, 7, 0x4000, udp4(5000, 53, []byte("query")))
	vlan := func(id uint16, typ uint16, rest []byte) []byte { return slices.Concat(be16(id, typ), rest) }
	for _, c := range []struct {
		name  string
		link  Link
		frame []byte
		check func(p *Packet) bool
	}{
		{"ethernet", LinkEthernet, ether(0x0800, inner), func(p *Packet) bool {
			return p.SrcMAC == 0x020000000001 && p.DstMAC == 0x020000000002
		}},
		{"vlan", LinkEthernet, ether(0x8100, vlan(0x2000|42, 0x0800, inner)), func(p *Packet) bool { return p.VLAN == 42 }},
		{"qinq", LinkEthernet, ether(0x88a8, vlan(7, 0x8100, vlan(42, 0x0800, inner))),
			func(p *Packet) bool { return p.VLAN == 7 && p.InnerVLAN == 42 }},
		{"mpls", LinkEthernet, ether(0x8847, slices.Concat(be32(16<<12|64), be32(17<<12|0x100|64), inner)),
			func(p *Packet) bool { return p.MPLS == 16<<12|64 }},
		{"mpls with ethernet", LinkEthernet, ether(0x8847, slices.Concat(be32(16<<12|0x100|64, 0), ether(0x0800, inner))),
			nil},
		{"pppoe", LinkEthernet, ether(0x8864, slices.Concat([]byte{0x11, 0}, be16(1, uint16(len(inner)+2), 0x21), inner)),
			nil},
		{"fabric path", LinkEthernet, ether(0x8903, slices.Concat(be16(0x1234), ether(0x0800, inner))), nil},
		{"snap", LinkEthernet, ether(uint16(len(inner)+8), slices.Concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(0x0800),
			inner)), nil},
		{"raw", LinkRaw, inner, nil},
		{"ipv4", LinkIPv4, inner, nil},
		{"cooked", LinkSLL, slices.Concat(make([]byte, 14), be16(0x0800), inner), nil},
		{"cooked 2", LinkSLL2, slices.Concat(be16(0x0800), make([]byte, 18), inner), nil},
		{"loopback, little", LinkNull, slices.Concat([]byte{2, 0, 0, 0}, inner), nil},
		{"loopback, big", LinkNull, slices.Concat([]byte{0, 0, 0, 2}, inner), nil},
		{"loop", LinkLoop, slices.Concat([]byte{0, 0, 0, 2}, inner), nil},
		{"ppp", LinkPPP, slices.Concat([]byte{0xff, 3, 0, 0x21}, inner), nil},
		{"ppp, short", LinkPPP, slices.Concat([]byte{0x21}, inner), nil},
		{"ppp hdlc", LinkPPPHDLC, slices.Concat([]byte{0xff, 3, 0, 0x21}, inner), nil},
		{"cisco hdlc", LinkHDLC, slices.Concat([]byte{0x0f, 0}, be16(0x0800), inner), nil},
	} {
		d, out := decode(t, Options{Checksums: true}, c.link, c.frame)
		if len(out) != 1 {
			t.Errorf("%s: %d packets, %+v", c.name, len(out), d.Counts)
			continue
		}
		p := &out[0]
		if p.Src.Netip().String() != "10.0.0.1" || p.Dst.Netip().String() != "192.168.1.2" || p.SrcPort != 5000 ||
			p.DstPort != 53 || p.TTL != 63 || p.TOS != 0x10 || !p.DontFragment || p.ID != 7 || p.IPLen != 33 ||
			string(p.Payload) != "query" || p.Faults != 0 || p.WireLen != uint32(len(c.frame)) {
			t.Errorf("%s: %+v", c.name, p)
		}
		if c.check != nil && !c.check(p) {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

// TestTunnels: opened, what is within; closed, the tunnel.
func TestTunnels(t *testing.T) {
	inner := v4(TCP, 1, 0, tcpSegment(host4, peer4))
	frame := ether(0x0800, inner)
	for _, c := range []struct {
		name   string
		packet []byte
		kind   Tunnel
		outer  uint8 // protocol of the tunnel's own packet
		both   bool
	}{
		{"ip in ip", v4(IPv4, 1, 0, inner), TunnelIP, IPv4, false},
		{"6in4", v4(IPv6, 1, 0, v6(TCP, tcpSegment(host6, peer6))), TunnelIP, IPv6, false},
		{"gre", v4(GRE, 1, 0, slices.Concat(be16(0, 0x0800), inner)), TunnelGRE, GRE, false},
		{"gre with all fields", v4(GRE, 1, 0, slices.Concat(be16(0xb000, 0x0800), make([]byte, 12), inner)), TunnelGRE, GRE,
			false},
		{"gre with ethernet", v4(GRE, 1, 0, slices.Concat(be16(0, 0x6558), frame)), TunnelGRE, GRE, false},
		{"pptp", v4(GRE, 1, 0, slices.Concat(be16(0x3081, 0x880b), make([]byte, 12), []byte{0xff, 3, 0, 0x21}, inner)),
			TunnelGRE, GRE, false},
		{"erspan I", v4(GRE, 1, 0, slices.Concat(be16(0, 0x88be), frame)), TunnelERSPAN, GRE, false},
		{"erspan II", v4(GRE, 1, 0, slices.Concat(be16(0x1000, 0x88be), make([]byte, 4), make([]byte, 8), frame)),
			TunnelERSPAN, GRE, false},
		{"erspan III", v4(GRE, 1, 0, slices.Concat(be16(0x1000, 0x22eb), make([]byte, 4), make([]byte, 11), []byte{1},
			make([]byte, 8), frame)), TunnelERSPAN, GRE, false},
		{"vxlan", v4(UDP, 1, 0, udp4(40000, 4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 5, 0}, frame))), TunnelVXLAN, UDP,
			true},
		{"geneve", v4(UDP, 1, 0, udp4(40000, 6081, slices.Concat([]byte{1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 0, 0}, frame))),
			TunnelGENEVE, UDP, true},
	} {
		_, out := decode(t, Options{Tunnels: true, Checksums: true}, LinkRaw, c.packet)
		want := 1
		if c.both {
			want = 2
		}
		if len(out) != want {
			t.Errorf("%s: %d packets", c.name, len(out))
			continue
		}
		p := &out[want-1]
		if p.Proto != TCP || p.Flags != SYN|ECE || p.Seq != 1000 || p.MSS != 1460 || p.WindowScale != 7 || !p.SACK ||
			!p.Timestamps || p.TSValue != 7 || p.TSEcho != 9 || p.Window != 64240 || p.PayloadLen != 2 || p.Faults != 0 ||
			p.Tunnel != c.kind || p.Depth != 1 {
			t.Errorf("%s: %+v", c.name, p)
		}
		if _, out = decode(t, Options{}, LinkRaw, c.packet); len(out) != 1 || out[0].Proto != c.outer || out[0].Depth != 0 {
			t.Errorf("%s, closed: %+v", c.name, out)
		}
	}
}

// TestIPv6 passes over extension headers to the transport.
func TestIPv6(t *testing.T) {
	segment := tcpSegment(host6, peer6)
	packet := v6(0, slices.Concat([]byte{43, 0, 1, 4, 0, 0, 0, 0}, []byte{60, 0, 0, 0, 0, 0, 0, 0},
		[]byte{TCP, 1, 1, 12}, make([]byte, 12), segment))
	_, out := decode(t, Options{Checksums: true}, LinkRaw, packet)
	if len(out) != 1 || out[0].Proto != TCP || out[0].SrcPort != 1234 || out[0].IPHeader != 72 || out[0].Faults != 0 ||
		out[0].TTL != 62 || out[0].TOS != 0x12 || out[0].FlowLabel != 0x345 || out[0].Version != 6 {
		t.Fatalf("%+v", out)
	}
	packet[len(packet)-1]++
	if _, out = decode(t, Options{Checksums: true}, LinkRaw, packet); out[0].Faults != BadChecksum {
		t.Errorf("a wrong checksum: %+v", out[0])
	}
}

// TestFragments: the fragments of a datagram in every order, one of them twice, over IPv4 and IPv6.
func TestFragments(t *testing.T) {
	data := make([]byte, 52)
	for i := range data {
		data[i] = byte(i)
	}
	u := udp4(5000, 53, data) // 60 bytes: 24, 24, 12
	first, second, third := v4(UDP, 9, 0x2000, u[:24]), v4(UDP, 9, 0x2000|3, u[24:48]), v4(UDP, 9, 6, u[48:])
	part := func(offset uint16, more uint16, b []byte) []byte {
		return v6(44, slices.Concat([]byte{UDP, 0}, be16(offset|more), be32(77), b))
	}
	u6 := slices.Clone(u)
	copy(u6[6:], []byte{0, 0})
	copy(u6[6:], be16(pseudo(host6, peer6, UDP, u6)))
	sets := [][][]byte{{first, second, third}, {part(0, 1, u6[:24]), part(24, 1, u6[24:48]), part(48, 0, u6[48:])}}
	for _, set := range sets {
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}, {1, 1, 2, 0}} {
			var frames [][]byte
			for _, i := range order {
				frames = append(frames, set[i])
			}
			d, out := decode(t, Options{Checksums: true}, LinkRaw, frames...)
			if len(out) != 1 || d.Counts.Reassembled != 1 || d.Counts.LostFragments != 0 {
				t.Fatalf("%v: %d packets, %+v", order, len(out), d.Counts)
			}
			p := &out[0]
			if p.SrcPort != 5000 || p.PayloadLen != 52 || !slices.Equal(p.Payload, data) || p.Faults != 0 ||
				int(p.Fragments) != len(order) || p.Fragment() || p.IPLen != uint32(p.IPHeader)+60 {
				t.Errorf("%v: %+v", order, p)
			}
		}
		d, out := decode(t, Options{}, LinkRaw, set[0], set[2])
		if len(out) != 0 || d.Counts.LostFragments != 2 {
			t.Errorf("one missing: %d packets, %+v", len(out), d.Counts)
		}
		_, out = decode(t, Options{Fragments: FollowFragments}, LinkRaw, set...)
		if len(out) != 3 || out[1].SrcPort != 5000 || out[2].DstPort != 53 || out[2].Faults != 0 || out[1].PayloadLen != 24 {
			t.Errorf("followed: %+v", out)
		}
		if _, out = decode(t, Options{Fragments: FollowFragments}, LinkRaw, set[1]); out[0].Faults != NoTransport {
			t.Errorf("followed without the first: %+v", out)
		}
	}
	// an overlap: what came first stays
	_, out := decode(t, Options{}, LinkRaw, first, v4(UDP, 9, 0x2000|2, make([]byte, 32)), third)
	if len(out) != 1 || out[0].Payload[15] != 15 || out[0].Payload[16] != 0 {
		t.Errorf("overlap: %+v", out)
	}
}

// TestFaults: what is wrong with a packet is said and counted.
func TestFaults(t *testing.T) {
	good := v4(UDP, 7, 0, udp4(5000, 53, []byte("query")))
	wrong := slices.Clone(good)
	wrong[10]++
	if d, out := decode(t, Options{Checksums: true}, LinkRaw, wrong); out[0].Faults != BadIPChecksum ||
		d.Counts.BadIPChecksums != 1 {
		t.Errorf("%+v", out)
	}
	d := NewDecoder(Options{Checksums: true})
	out := d.Decode(&Frame{Link: LinkRaw, Wire: uint32(len(good)), Data: good[:30]}, nil)
	if out[0].Faults != Truncated || out[0].PayloadLen != 5 || len(out[0].Payload) != 2 || d.Counts.Truncated != 1 {
		t.Errorf("cut in the payload: %+v", out)
	}
	out = d.Decode(&Frame{Link: LinkRaw, Wire: uint32(len(good)), Data: good[:24]}, nil)
	if out[0].Faults != Truncated|NoTransport || out[0].HasPorts() {
		t.Errorf("cut in the header: %+v", out)
	}
	if out = d.Decode(&Frame{Link: LinkRaw, Wire: 28, Data: good[:28]}, nil); out[0].Faults&ShortLength == 0 {
		t.Errorf("shorter than its length: %+v", out)
	}
	for _, bad := range [][]byte{good[:12], {0x41, 0, 0}, {}, {0x15}} {
		if d, out := decode(t, Options{}, LinkRaw, bad); len(out) != 0 || d.Counts.Malformed != 1 {
			t.Errorf("%x: %+v", bad, out)
		}
	}
	arp := ether(EtherTypeARP, slices.Concat(be16(1, 0x0800), []byte{6, 4}, be16(1), make([]byte, 6), host4,
		make([]byte, 6), peer4))
	if d, out := decode(t, Options{}, LinkEthernet, arp); len(out) != 0 || d.Counts.NotIP != 1 {
		t.Errorf("%+v", out)
	}
	if _, out := decode(t, Options{NonIP: true}, LinkEthernet, arp); out[0].ICMPType != 1 ||
		out[0].Dst.Netip().String() != "192.168.1.2" || out[0].EtherType != EtherTypeARP {
		t.Errorf("%+v", out)
	}
	if d, _ := decode(t, Options{}, 147, arp); d.Counts.UnknownLink != 1 {
		t.Errorf("%+v", d.Counts)
	}
}

// TestClock counts frames out of order and jumps.
func TestClock(t *testing.T) {
	d := NewDecoder(Options{})
	for _, s := range []int64{1000, 1001, 1000, 1002, 90000, 1000, 90001} {
		d.Decode(&Frame{Time: s * 1e9, Link: LinkRaw}, nil)
	}
	if d.Counts.Backwards != 2 || d.Counts.Jumps != 2 {
		t.Errorf("%+v", d.Counts)
	}
}

// TestDuplicates: a packet is a duplicate where the same bytes were among the five before, at most 50 ms earlier.
func TestDuplicates(t *testing.T) {
	one, other := v4(TCP, 1, 0, tcpSegment(host4, peer4)), v4(TCP, 2, 0, tcpSegment(host4, peer4))
	tagged := ether(0x8100, append(be16(5, 0x0800), one...))
	for _, c := range []struct {
		name   string
		frames [][]byte
		times  []int64 // ms
		want   uint64
	}{
		{"at once", [][]byte{one, one}, []int64{0, 0}, 1},
		{"another identifier", [][]byte{one, other}, []int64{0, 0}, 0},
		{"within another VLAN", [][]byte{ether(0x0800, one), tagged}, []int64{0, 50}, 1},
		{"later", [][]byte{one, one}, []int64{0, 51}, 0},
		{"earlier", [][]byte{one, one}, []int64{10, 0}, 0},
		{"thrice", [][]byte{one, other, one, other, one}, []int64{0, 1, 2, 3, 4}, 3},
		{"longer", [][]byte{one, append(one[:len(one):len(one)], 0)}, []int64{0, 0}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := NewDecoder(Options{})
			for i, b := range c.frames {
				link := LinkRaw
				if b[0] != 0x45 {
					link = LinkEthernet
				}
				if out := d.Decode(&Frame{Time: c.times[i] * 1e6, Link: link, Wire: uint32(len(b)), Data: b}, nil); len(out) != 1 {
					t.Fatalf("%d packets", len(out))
				}
			}
			if d.Counts.Duplicates != c.want {
				t.Errorf("%d duplicates, want %d", d.Counts.Duplicates, c.want)
			}
		})
	}
}
