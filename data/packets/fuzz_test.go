package packets

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
)

// check says what no packet may be.
func check(t *testing.T, p *Packet) {
	t.Helper()
	switch {
	case uint32(len(p.Payload)) > p.PayloadLen:
		t.Fatalf("%d bytes of payload, the headers say %d: %+v", len(p.Payload), p.PayloadLen, p)
	case p.Version != 0 && p.TransportLen+uint32(p.IPHeader) != p.IPLen:
		t.Fatalf("lengths do not add up: %+v", p)
	case p.PayloadLen > p.TransportLen:
		t.Fatalf("more payload than transport: %+v", p)
	case p.Depth > maxDepth:
		t.Fatalf("%d tunnels", p.Depth)
	}
}

// FuzzCapture reads bytes as a capture, pcap or pcapng.
func FuzzCapture(f *testing.F) {
	frame := v4(TCP, 1, 0, tcpSegment(host4, peer4))
	le, be := appender(binary.LittleEndian), appender(binary.BigEndian)
	f.Add(pcapOf(le, 0xa1b2c3d4, 0, frame, frame[:30]))
	f.Add(pcapOf(be, 0xa1b23c4d, 0, frame))
	f.Add(pcapOf(le, 0xa1b2cd34, 8, frame))
	f.Add(ngOf(le, 6, 0, 1, frame))
	f.Add(slices.Concat(ngOf(be, 0x80|10, 5, 1, frame), ngOf(le, 9, 0, 1, frame)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader([]File{inMemory("one", b), inMemory("two", b)})
		defer r.Close()
		d := NewDecoder(Options{Tunnels: true, Checksums: true, NonIP: true})
		var fr Frame
		var out []Packet
		for {
			err := r.Next(&fr)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			if len(fr.Data) > len(b) || uint32(len(fr.Data)) > fr.Wire {
				t.Fatalf("a frame of %d bytes of %d in a file of %d", len(fr.Data), fr.Wire, len(b))
			}
			out = d.Decode(&fr, out[:0])
			for i := range out {
				check(t, &out[i])
			}
		}
		d.Finish()
	})
}

// FuzzFrames decodes bytes as frames: one for each length that the first byte of what is left says, by the link type
// and the options of the first two bytes. Fragments come together, options and extension headers are of any length.
func FuzzFrames(f *testing.F) {
	inner := v4(TCP, 1, 0, tcpSegment(host4, peer4))
	u := udp4(5000, 53, make([]byte, 52))
	join := func(link, options byte, frames ...[]byte) []byte {
		b := []byte{link, options}
		for _, fr := range frames {
			b = append(append(b, byte(len(fr))), fr...)
		}
		return b
	}
	f.Add(join(101, 7, v4(UDP, 9, 0x2000, u[:24]), v4(UDP, 9, 0x2000|3, u[24:48]), v4(UDP, 9, 6, u[48:])))
	f.Add(join(101, 7, v6(44, slices.Concat([]byte{UDP, 0}, be16(1), be32(77), u[:24]))))
	f.Add(join(101, 7, v6(0, slices.Concat([]byte{TCP, 0, 1, 4, 0, 0, 0, 0}, tcpSegment(host6, peer6)))))
	f.Add(join(1, 7, ether(0x8100, slices.Concat(be16(5, 0x8847), be32(0x140), inner))))
	f.Add(join(1, 7, ether(0x8864, slices.Concat([]byte{0x11, 0}, be16(1, 60, 0x21), inner))))
	f.Add(join(101, 7, v4(GRE, 1, 0, slices.Concat(be16(0x1000, 0x22eb), make([]byte, 15), []byte{1}, make([]byte, 8),
		ether(0x0800, inner)))))
	f.Add(join(101, 7, v4(UDP, 1, 0, udp4(1, 6081, slices.Concat([]byte{1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 0, 0},
		ether(0x0800, inner))))))
	f.Add(join(0, 3, slices.Concat([]byte{2, 0, 0, 0}, inner)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 2 {
			return
		}
		links := []Link{Link(b[0]), LinkSLL2}
		o := Options{Tunnels: b[1]&1 != 0, Checksums: b[1]&2 != 0, NonIP: b[1]&4 != 0}
		if b[1]&8 != 0 {
			o.Fragments = FollowFragments
		}
		d := NewDecoder(o)
		var out []Packet
		time := int64(0)
		for b = b[2:]; len(b) > 0; {
			n := min(int(b[0]), len(b)-1)
			frame := b[1 : 1+n]
			b = b[1+n:]
			for i, l := range links {
				out = d.Decode(&Frame{Time: time, Number: 1, Link: l, Wire: uint32(n + i*20), Data: frame}, out[:0])
				for i := range out {
					check(t, &out[i])
				}
			}
			time += 1e9
		}
		d.Finish()
		if n := len(d.fragments.open) + d.fragments.bytes; n != 0 {
			t.Fatalf("%d left of fragments", n)
		}
	})
}
