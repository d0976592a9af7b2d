package capture

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Numbers of protocols of IP, and flags of TCP.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
	protoARP    = 0xff // none of IP's

	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagPSH = 8
	flagACK = 16
)

// maxFrame is what a packet has at most on the wire: an Ethernet header and 1,500 bytes.
const maxFrame = 14 + mtu

const mtu = 1500

// packet is one that passes by where it is listened.
type packet struct {
	at       int64 // microseconds since the start
	from, to *host
	six      bool  // IPv6
	proto    uint8 // one of those above

	// ports of UDP and TCP; of ICMP, type and code in one, and the identifier
	sport, dport uint16
	sequence     uint32 // of TCP; of ICMP echoes the number
	ack          uint32
	flags        uint8
	window       uint16
	echo         uint32 // time stamp of the other that is returned

	content []byte // of the payload's beginning
	length  int    // of the payload; what content does not say is pseudo-random
	fill    uint32 // where from
	tos     uint8
	copy    bool // seen twice: not another packet of the host
}

// file writes frames as pcap, little-endian with microseconds.
type file struct {
	out            *bufio.Writer
	snaplen        int
	packets, bytes int64
	frame, head    []byte
	err            error
}

func newFile(out io.Writer, snaplen int) *file {
	f := &file{out: bufio.NewWriterSize(out, 1<<16), snaplen: snaplen}
	limit := uint32(65535)
	if snaplen > 0 {
		limit = uint32(snaplen)
	}
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, limit)
	b = binary.LittleEndian.AppendUint32(b, 1) // Ethernet
	_, f.err = f.out.Write(b)
	return f
}

func (f *file) flush() error {
	if f.err == nil {
		f.err = f.out.Flush()
	}
	return f.err
}

// record writes one frame with its time, µs since 1970.
func (f *file) record(at int64, frame []byte) {
	n := len(frame)
	if f.snaplen > 0 {
		n = min(n, f.snaplen)
	}
	b := binary.LittleEndian.AppendUint32(f.head[:0], uint32(at/1e6))
	b = binary.LittleEndian.AppendUint32(b, uint32(at%1e6))
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	f.head = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	if _, err := f.out.Write(f.head); err != nil && f.err == nil {
		f.err = err
	}
	if _, err := f.out.Write(frame[:n]); err != nil && f.err == nil {
		f.err = err
	}
	f.packets++
	f.bytes += int64(len(frame))
}

// write makes the frame of a packet, or of an IP datagram that is too long for one its fragments, and writes it.
func (f *file) write(at int64, p *packet) error {
	if p.proto == protoARP {
		f.record(at, f.arp(p))
		return f.err
	}
	if !p.copy {
		p.from.sent++
	}
	id := p.from.sent
	segment := p.segment(f.frame[:0])
	f.frame = segment
	if p.six || len(segment)+20 <= mtu {
		f.record(at, append(p.header(nil, id, 0, false, len(segment)), segment...))
		return f.err
	}
	for offset := 0; offset < len(segment); {
		n := min(len(segment)-offset, (mtu-20)&^7)
		f.record(at, append(p.header(nil, id, offset, offset+n < len(segment), n), segment[offset:offset+n]...))
		offset += n
	}
	return f.err
}

// header is Ethernet's and IP's. The offset is in bytes, more whether further fragments follow.
func (p *packet) header(b []byte, id uint16, offset int, more bool, payload int) []byte {
	to := p.to.mac
	if ip := p.to.v4.As4(); ip[0] >= 224 && ip[0] < 240 { // multicast has addresses of its own on the wire
		to = [6]byte{1, 0, 0x5e, ip[1] & 0x7f, ip[2], ip[3]}
	}
	b = append(b, to[:]...)
	b = append(b, p.from.mac[:]...)
	proto := p.proto
	if p.six {
		if proto == protoICMP {
			proto = protoICMPv6
		}
		b = binary.BigEndian.AppendUint16(b, 0x86dd)
		b = append(b, 0x60|p.tos>>4, p.tos<<4, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(payload))
		b = append(b, proto, p.from.ttl)
		src, dst := p.from.v6.As16(), p.to.v6.As16()
		return append(append(b, src[:]...), dst[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, 0x0800)
	begin := len(b)
	b = append(b, 0x45, p.tos)
	b = binary.BigEndian.AppendUint16(b, uint16(20+payload))
	b = binary.BigEndian.AppendUint16(b, id)
	frag := uint16(offset / 8)
	switch {
	case more:
		frag |= 0x2000
	case offset == 0 && proto == protoTCP:
		frag |= 0x4000 // do not fragment
	}
	b = binary.BigEndian.AppendUint16(b, frag)
	b = append(b, p.from.ttl, proto, 0, 0)
	src, dst := p.from.v4.As4(), p.to.v4.As4()
	b = append(append(b, src[:]...), dst[:]...)
	binary.BigEndian.PutUint16(b[begin+10:], checksum(b[begin:], 0))
	return b
}

// segment is what IP carries, with its checksum.
func (p *packet) segment(b []byte) []byte {
	var sum int
	switch p.proto {
	case protoTCP:
		b = p.tcp(b)
		sum = 16
	case protoUDP:
		b = binary.BigEndian.AppendUint16(b, p.sport)
		b = binary.BigEndian.AppendUint16(b, p.dport)
		b = binary.BigEndian.AppendUint16(b, uint16(8+p.length))
		b = append(b, 0, 0)
		sum = 6
	case protoICMP:
		b = binary.BigEndian.AppendUint16(b, p.sport)
		b = append(b, 0, 0)
		b = binary.BigEndian.AppendUint16(b, p.dport)
		b = binary.BigEndian.AppendUint16(b, uint16(p.sequence))
		sum = 2
	}
	b = append(b, p.content[:min(len(p.content), p.length)]...)
	for x, left := p.fill|1, p.length-len(p.content); left > 0; left -= 4 { // xorshift
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b = binary.LittleEndian.AppendUint32(b, x)
		if left < 4 {
			b = b[:len(b)-4+left]
		}
	}
	c := checksum(b, p.pseudo(len(b)))
	if p.proto == protoUDP && c == 0 {
		c = 0xffff
	}
	binary.BigEndian.PutUint16(b[sum:], c)
	return b
}

func (p *packet) tcp(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, p.sport)
	b = binary.BigEndian.AppendUint16(b, p.dport)
	b = binary.BigEndian.AppendUint32(b, p.sequence)
	b = binary.BigEndian.AppendUint32(b, p.ack)
	words := byte(8) // with a time stamp
	switch {
	case p.flags&flagSYN != 0:
		words = 10
	case p.flags&flagRST != 0:
		words = 5
	}
	b = append(b, words<<4, p.flags)
	b = binary.BigEndian.AppendUint16(b, p.window)
	b = append(b, 0, 0, 0, 0)
	if words == 5 {
		return b
	}
	if words == 10 {
		b = append(b, 2, 4, (mtu-40)>>8, (mtu-40)&0xff, 4, 2)
	} else {
		b = append(b, 1, 1)
	}
	b = append(b, 8, 10)
	b = binary.BigEndian.AppendUint32(b, p.stamp())
	b = binary.BigEndian.AppendUint32(b, p.echo)
	if words == 10 {
		b = append(b, 1, 3, 3, 7) // the window is in 128 bytes from here on
	}
	return b
}

// stamp is the sender's clock of TCP time stamps, ms.
func (p *packet) stamp() uint32 { return p.from.clock + uint32(p.at/1000) }

// pseudo is the sum of the header that checksums cover besides the segment.
func (p *packet) pseudo(length int) uint32 {
	if p.proto == protoICMP && !p.six {
		return 0
	}
	proto := uint32(p.proto)
	if p.proto == protoICMP {
		proto = protoICMPv6
	}
	sum := proto + uint32(length)
	for _, a := range [][]byte{p.from.address(p.six).AsSlice(), p.to.address(p.six).AsSlice()} {
		for i := 0; i < len(a); i += 2 {
			sum += uint32(a[i])<<8 | uint32(a[i+1])
		}
	}
	return sum
}

// checksum is the Internet's (RFC 1071), of bytes after a sum of others.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// arp is a request, or with flags the reply, of the gateway's hardware address.
func (f *file) arp(p *packet) []byte {
	to, target := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, [6]byte{}
	if p.flags != 0 {
		to, target = p.to.mac, p.to.mac
	}
	b := append(append(f.frame[:0], to[:]...), p.from.mac[:]...)
	b = append(b, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1+p.flags)
	src, dst := p.from.v4.As4(), p.to.v4.As4()
	b = append(append(b, p.from.mac[:]...), src[:]...)
	b = append(append(b, target[:]...), dst[:]...)
	b = append(b, make([]byte, 60-len(b))...) // the shortest frame, without its check sequence
	f.frame = b
	return b
}
