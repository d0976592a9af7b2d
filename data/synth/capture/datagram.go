package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
)

// datagrams are the two ends of an exchange over UDP or ICMP.
type datagrams struct {
	w              *world
	r              *rand.Rand
	client, server *host
	sport, dport   uint16
	six            bool
	tos            uint8
}

func (d *datagrams) send(at int64, fromClient bool, content []byte, length int) {
	p := packet{at: at, from: d.client, to: d.server, six: d.six, proto: protoUDP, sport: d.sport, dport: d.dport,
		content: content, length: max(length, len(content)), fill: d.r.Uint32(), tos: d.tos}
	if !fromClient {
		p.from, p.to, p.sport, p.dport = p.to, p.from, p.dport, p.sport
	}
	d.w.send(p)
}

// answered is when the immediate answer to a packet passes by.
func (d *datagrams) answered(at int64, fromClient bool) int64 {
	to := d.server
	if !fromClient {
		to = d.client
	}
	return at + 2*to.delay + int64(20+d.r.IntN(60))
}

// lookup asks the name server for a name, twice for both kinds of addresses, and says when the last answer is there.
// Some questions are asked again before it comes.
func (w *world) lookup(r *rand.Rand, at int64, client *host, name string) int64 {
	d := &datagrams{w: w, r: r, client: client, server: w.at(nameServer), sport: ephemeral(r), dport: 53}
	last := at
	for _, kind := range []uint16{1, 28} {
		id := uint16(r.Uint32())
		d.send(at, true, question(id, name, kind), 0)
		if chance(r, 0.01) {
			at += 5000000
			d.send(at, true, question(id, name, kind), 0)
		}
		reply := d.answered(at, true) + micros(r, 0.006, 1.2)
		var addresses []byte
		for k := range 1 + r.IntN(3) {
			if kind == 1 {
				addresses = append(addresses, 198, 51, 100, byte(k+1))
			}
		}
		d.send(reply, false, response(id, name, kind, addresses), 0)
		at, last = at+int64(30+r.IntN(200)), max(last, reply)
	}
	return last + micros(r, 0.001, 0.5)
}

// question is a query of DNS for the records of a name.
func question(id uint16, name string, kind uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = append(b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, 0, 1)
}

// response answers a question with addresses of four bytes each.
func response(id uint16, name string, kind uint16, addresses []byte) []byte {
	b := question(id, name, kind)
	b[2], b[3], b[7] = 0x81, 0x80, byte(len(addresses)/4)
	for ; len(addresses) >= 4; addresses = addresses[4:] {
		b = append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4) // the name above, an address, for five minutes
		b = append(b, addresses[:4]...)
	}
	return b
}

// Types of ICMP, and of ICMPv6.
const (
	echoReply, echoRequest    = 0, 8
	echoReply6, echoRequest6  = 129, 128
	unreachable, portClosed   = 3, 3
	unreachable6, portClosed6 = 1, 4
)

// ping sends an echo request, and its reply if there is one.
func (d *datagrams) ping(at int64, id uint16, number uint32, replied bool) {
	request, reply := uint16(echoRequest), uint16(echoReply)
	if d.six {
		request, reply = echoRequest6, echoReply6
	}
	p := packet{at: at, from: d.client, to: d.server, six: d.six, proto: protoICMP, sport: request << 8, dport: id,
		sequence: number, length: 56, fill: d.r.Uint32()}
	d.w.send(p)
	if replied {
		p.at = d.answered(at, true)
		p.from, p.to, p.sport = d.server, d.client, reply<<8
		d.w.send(p)
	}
}

// closed is the error with which a machine answers a datagram to a port that nobody listens on.
func (d *datagrams) closed(at int64, probe int) {
	q := packet{from: d.client, to: d.server, six: d.six, proto: protoUDP, sport: d.sport, dport: d.dport}
	quoted := q.header(nil, 0, 0, false, 8+probe)[14:]
	quoted = binary.BigEndian.AppendUint16(quoted, d.sport)
	quoted = binary.BigEndian.AppendUint16(quoted, d.dport)
	quoted = binary.BigEndian.AppendUint16(quoted, uint16(8+probe))
	quoted = append(quoted, 0, 0)
	kind := uint16(unreachable<<8 | portClosed)
	if d.six {
		kind = unreachable6<<8 | portClosed6
	}
	d.w.send(packet{at: d.answered(at, true), from: d.server, to: d.client, six: d.six, proto: protoICMP, sport: kind,
		content: quoted, length: len(quoted), tos: 0xc0})
}
