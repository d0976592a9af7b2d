package packets

import (
	"encoding/binary"
	"slices"
	"testing"
)

// TestTimesFarOff: pcapng holds times of which the difference is more than 64 bits hold; they are kept within what
// pcap can say, and no further off than they have to be.
func TestTimesFarOff(t *testing.T) {
	const first, last = -1 << 32 * 1_000_000_000, 1 << 32 * 1_000_000_000
	for _, c := range []struct {
		name       string
		resolution byte
		offset     int64
		ticks      uint64
		want       int64
	}{
		{"the last second of pcap", 0, 0, 1<<32 - 1, last - 1_000_000_000},
		{"one more", 0, 0, 1 << 32, last},
		{"the last tick of all", 0, 0, 1<<64 - 1, last},
		{"the last of nanoseconds", 9, 0, 1<<64 - 1, last},
		{"an offset as far as there is", 0, 1<<63 - 1, 1<<64 - 1, last},
		{"an offset back as far as there is", 0, -1 << 63, 5, first},
		{"an offset back, and ticks that make up for it", 0, -1 << 32, 1<<32 + 7, 7e9},
		{"before 1970", 6, -10, 2_500_000, -7_500_000_000},
		{"the finest", 0x80 | 63, 0, 1<<63 | 1<<62, 1_500_000_000},
	} {
		file := ngOf(binary.LittleEndian, c.resolution, uint64(c.offset), c.ticks, []byte("frame"))
		got, _ := all(NewReader([]File{inMemory("ng", file)}))
		if len(got) == 0 || got[0].Time != c.want {
			t.Errorf("%s: %+v, want %d", c.name, got, c.want)
		}
	}
}

// TestClockFollows: the time of a stream goes on with the newest frame; one wrong frame does not move it, two do.
func TestClockFollows(t *testing.T) {
	const s = int64(1e9)
	for _, c := range []struct {
		name         string
		times        []int64 // seconds
		now          int64
		older, jumps int
	}{
		{"on and on", []int64{100, 101, 103}, 103, 0, 0},
		{"a little back", []int64{10_000, 7_000, 9_000}, 10_000, 2, 0},
		{"before 1970", []int64{-50, -40, -45}, -40, 1, 0},
		{"one frame of another year", []int64{100, 200, 5e8, 300}, 300, 0, 1},
		{"one frame without a time", []int64{1e9, 0, 1e9 + 1}, 1e9 + 1, 1, 1},
		{"put right", []int64{0, 1, 1e9, 1e9 + 1, 1e9 + 2}, 1e9 + 2, 0, 1},
		{"put back", []int64{1e9, 1e9 + 1, 5e8, 5e8 + 2, 5e8 + 3}, 5e8 + 3, 2, 1},
		{"two wrong ones that differ", []int64{1e9, 0, 5e8, 1e9 + 1}, 1e9 + 1, 2, 2},
		{"there and back", []int64{1e9, 5e8, 1e9, 5e8, 1e9}, 1e9, 2, 2},
	} {
		var k Clock
		older, jumps := 0, 0
		for _, at := range c.times {
			o, j := k.Set(at * s)
			if o {
				older++
			}
			if j {
				jumps++
			}
		}
		if k.Now != c.now*s || older != c.older || jumps != c.jumps {
			t.Errorf("%s: %d, %d older, %d jumps", c.name, k.Now/s, older, jumps)
		}
	}
}

// TestDatagramsAfterOneThatWaits: what is kept of datagrams that were put together is bounded while an older one waits
// for its rest, at a time that stands still.
func TestDatagramsAfterOneThatWaits(t *testing.T) {
	u := udp4(5000, 53, make([]byte, 8))
	d := NewDecoder(Options{})
	var out []Packet
	frame := func(id, flags uint16, b []byte) {
		packet := v4(UDP, id, flags, b)
		out = d.Decode(&Frame{Time: 5, Link: LinkRaw, Wire: uint32(len(packet)), Data: packet}, out[:0])
	}
	frame(0, 0x2000, u[:8])
	most := 0
	for i := range 100_000 {
		id := uint16(1 + i%60_000)
		frame(id, 0x2000, u[:8])
		frame(id, 1, u[8:])
		if len(out) != 1 {
			t.Fatalf("datagram %d: %d packets", i, len(out))
		}
		most = max(most, len(d.fragments.order))
	}
	if most > 5*maxDatagrams || len(d.fragments.open) != 1 {
		t.Errorf("%d datagrams in order, %d awaited", most, len(d.fragments.open))
	}
	if d.Finish(); d.Counts.LostFragments != 1 || d.Counts.Reassembled != 100_000 {
		t.Errorf("%+v", d.Counts)
	}
}

// TestFragmentsWhenTheClockIsPutBack: a datagram of the time before does not wait for the clock to come round again.
func TestFragmentsWhenTheClockIsPutBack(t *testing.T) {
	u := udp4(5000, 53, make([]byte, 8))
	d := NewDecoder(Options{})
	for i, at := range []int64{1e6, 1000, 1001, 1002} {
		packet := v4(UDP, uint16(i), 0x2000, u[:8])
		d.Decode(&Frame{Time: at * 1e9, Link: LinkRaw, Wire: uint32(len(packet)), Data: packet}, nil)
	}
	// the first two came at the time before, as far as was known
	if len(d.fragments.open) != 2 || d.Counts.LostFragments != 2 {
		t.Errorf("%d open, %d lost", len(d.fragments.open), d.Counts.LostFragments)
	}
}

// TestOptionsWithinFragments: extension headers after that of the fragment belong to the datagram (RFC 8200, 4.5). The
// first fragment has them, the others do not.
func TestOptionsWithinFragments(t *testing.T) {
	segment := tcpSegment(host6, peer6)
	options := []byte{TCP, 0, 1, 4, 0, 0, 0, 0} // destination options, 8 bytes
	datagram := slices.Concat(options, segment)
	part := func(from, to int, more uint16) []byte {
		return v6(0, slices.Concat([]byte{44, 0, 1, 4, 0, 0, 0, 0}, // hop-by-hop options before
			[]byte{60, 0}, be16(uint16(from)|more), be32(77), datagram[from:to]))
	}
	n := len(datagram)
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		frames := [][]byte{part(0, 24, 1), part(24, n, 0)}
		d, out := decode(t, Options{Checksums: true}, LinkRaw, frames[order[0]], frames[order[1]])
		if len(out) != 1 || d.Counts.Reassembled != 1 {
			t.Fatalf("%v: %d packets, %+v", order, len(out), d.Counts)
		}
		p := &out[0]
		if p.Proto != TCP || p.SrcPort != 1234 || p.PayloadLen != 2 || p.Faults != 0 || p.IPHeader != 40+8+8+8 ||
			int(p.TransportLen) != len(segment) || p.IPLen != uint32(p.IPHeader)+p.TransportLen || p.Fragments != 2 {
			t.Errorf("%v: %+v", order, p)
		}
	}
	// whose first fragment was not captured whole
	d := NewDecoder(Options{})
	first := part(0, 32, 1)
	out := d.Decode(&Frame{Link: LinkRaw, Wire: uint32(len(first)), Data: first[:40+8+8+8+20]}, nil)
	if len(out) != 1 || out[0].Proto != TCP || out[0].SrcPort != 1234 || !out[0].MoreFragments {
		t.Errorf("cut short: %+v", out)
	}
	// options that say they are longer than the datagram, and another header of a fragment within
	for _, inner := range [][]byte{{TCP, 9, 1, 4, 0, 0, 0, 0}, {44, 0, 1, 4, 0, 0, 0, 0, TCP, 0, 0, 1, 0, 0, 0, 5}} {
		datagram = slices.Concat(inner, make([]byte, 24))
		n = len(datagram)
		if d, out := decode(t, Options{}, LinkRaw, part(0, 24, 1), part(24, n, 0)); len(out) != 0 || d.Counts.Malformed != 1 {
			t.Errorf("%x: %+v, %+v", inner, out, d.Counts)
		}
	}
}

// TestCounterparts: messages of ICMP and what answers them.
func TestCounterparts(t *testing.T) {
	for _, c := range []struct {
		proto, kind, code uint8
		other             uint8
		oneWay, answers   bool
	}{
		{ICMP, 8, 0, 0, false, false}, {ICMP, 0, 0, 8, false, true}, {ICMP, 13, 0, 14, false, false},
		{ICMP, 18, 0, 17, false, true}, {ICMP, 3, 1, 1, true, false}, {ICMPv6, 128, 0, 129, false, false},
		{ICMPv6, 136, 0, 135, false, true}, {ICMPv6, 1, 4, 4, true, false}, {UDP, 8, 7, 0, false, false},
	} {
		p := Packet{Proto: c.proto, ICMPType: c.kind, ICMPCode: c.code}
		if other, oneWay := p.Counterpart(); other != c.other || oneWay != c.oneWay || p.Answers() != c.answers {
			t.Errorf("%d type %d: %d, %v, %v", c.proto, c.kind, other, oneWay, p.Answers())
		}
	}
}
