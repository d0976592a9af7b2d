package flows

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"plumbline/data/argus"
	"plumbline/data/packets"
	"plumbline/data/rows"
)

func init() {
	Register(Info{Name: "argus", Doc: "binetflow of Argus, as CTU-13 has it: bytes of frames, states, directions",
		New: func() Vocabulary { return &Argus{Interval: 3600, States: "flags"} }})
}

// Argus writes the columns of the binetflow files of CTU-13 and of the Stratosphere laboratory, which are what ra of
// Argus 3.0.8 prints of the records of argus. It was held against both on packets that cover the cases (argus_test.go).
// What Argus does with the contents of packets is not done: rtp, rtcp and udt are udp here. Frames other than of IP and
// ARP have no flows.
type Argus struct {
	// seconds after which a record is written of a flow that goes on, and after which it ends if silent for some more;
	// 3600 in CTU-13, 5 where nothing else is configured
	Interval float64 `yaml:"interval" jsonschema:"exclusiveMinimum=0,maximum=86400"`
	// what State says of TCP: flags, those that either end has sent, as SPA_SPA in CTU-13 (ra -Z b); or words, as CON
	States string `yaml:"states" jsonschema:"enum=flags,enum=words"`
}

// Check says what is wrong with the settings.
func (a *Argus) Check() error {
	if !(a.Interval >= 1e-9 && a.Interval <= 86400) {
		return fmt.Errorf("interval is %v: want more than 0, a nanosecond at least, and at most 86400 seconds", a.Interval)
	}
	if a.States != "flags" && a.States != "words" {
		return fmt.Errorf("states is %q: want flags or words", a.States)
	}
	return nil
}

// Columns are those of a binetflow file, without the label.
func (a *Argus) Columns() []rows.ColumnSpec {
	return rows.Columns("StartTime time,Dur number,Proto category,SrcAddr address,Sport port,Dir category," +
		"DstAddr address,Dport port,State category,sTos category,dTos category,TotPkts number,TotBytes number," +
		"SrcBytes number")
}

// Policy is how Argus keeps flows. A flow stands in its first queue for the status interval, whatever comes, and is
// written then; with a further packet within another span it goes on in a new record, without one it ends.
func (a *Argus) Policy() Policy {
	interval := time.Duration(math.Round(a.Interval * 1e9))
	return Policy{
		Fragments:    packets.FollowFragments,
		NonIP:        true,
		Ports:        argusPorts,
		OneWayPacket: argusOneWay,
		Flip:         argusFlips,
		About:        argusAbout,
		Begins: func(c *Conn, p *packets.Packet, _ Side) bool {
			if p.Proto != packets.TCP || p.Flags&packets.SYN == 0 {
				return false
			}
			own := c.Own.(*argusFlow)
			if !own.state.over() {
				return false
			}
			own.until = p.Time // the old record lasts until here
			return true
		},
		Deadline:     func(c *Conn) int64 { return addTime(c.First, interval+argusIdle(c)) },
		Active:       interval,
		Continue:     true,
		BadChecksums: true,
	}
}

// argusOneWay says of a packet that the other direction is another flow: of errors of ICMP, and of IPv6 to itself.
func argusOneWay(p *packets.Packet) bool {
	return p.Proto == packets.ICMP && !argusAnswers(p.ICMPType) || p.Version == 6 && p.Src == p.Dst
}

// argusIdle is how long a flow is kept without a packet after its interval.
func argusIdle(c *Conn) time.Duration {
	switch {
	case c.Version == 0:
		return 5 * time.Second
	case c.Proto == packets.TCP:
		return 60 * time.Second
	case c.Proto == packets.ICMP || c.Proto == packets.ICMPv6:
		return 5 * time.Second
	}
	return 30 * time.Second
}

// Types of ICMP that come in pairs: the answer is the request's number and the next, but of echoes.
const (
	icmpEchoReply, icmpEcho       = 0, 8
	icmpTimestamp, icmpMaskReply  = 13, 18
	icmpUnreachable, icmpRedirect = 3, 5
	icmpTimeExceeded              = 11
)

// argusAnswers says whether messages of ICMP of a type are requests with answers, or these.
func argusAnswers(t uint8) bool {
	return t == icmpEcho || t == icmpEchoReply || t >= icmpTimestamp && t <= icmpMaskReply
}

// argusReply says whether a message of ICMP is an answer: its flow is that of who would have asked.
func argusReply(t uint8) bool {
	return t == icmpEchoReply || t >= icmpTimestamp && t <= icmpMaskReply && t%2 == 0
}

func argusFlips(p *packets.Packet) bool {
	switch {
	case p.Version == 0:
		return p.ICMPType == arpReply
	case p.Proto == packets.ICMP:
		return argusReply(p.ICMPType)
	}
	return false
}

const arpReply = 2

// argusPorts are what keeps flows of two addresses apart: of ICMP the identifier and the number of an echo, and what an
// error is about. Of ARP they keep apart who asked whom.
func argusPorts(p *packets.Packet) (src, dst uint16) {
	switch {
	case p.Version == 0:
		if p.ICMPType == arpReply {
			return 1, 0
		}
		return 0, 1
	case p.Proto == packets.UDP && p.Version == 4 && (p.SrcPort == dns || p.DstPort == dns):
		return argusLookup(p)
	case p.Proto == packets.TCP, p.Proto == packets.UDP:
		return p.SrcPort, p.DstPort
	case p.Proto == packets.ICMPv6:
		kind := uint16(argus.Kind6(p.ICMPType))<<8 | uint16(p.ICMPCode)
		return kind, kind
	case p.Proto != packets.ICMP:
		return 0, 0
	}
	switch p.ICMPType {
	case icmpEcho:
		return p.ICMPID, p.ICMPSeq
	case icmpEchoReply:
		return p.ICMPSeq, p.ICMPID
	case icmpTimestamp, 15, 17:
		return uint16(p.ICMPType), 0xffff
	case 14, 16, icmpMaskReply:
		return 0xffff, uint16(p.ICMPType - 1)
	}
	kind := uint16(p.ICMPCode)<<8 | uint16(p.ICMPType)
	about, more := argusSubject(p)
	return kind ^ more, about
}

const dns = 53

// argusLookup is the client's port and the identifier of a question of DNS in place of the server's port: each question
// over IPv4 is a flow.
func argusLookup(p *packets.Packet) (src, dst uint16) {
	id := uint16(0)
	if len(p.Payload) >= 2 {
		id = binary.BigEndian.Uint16(p.Payload)
	}
	switch {
	case p.SrcPort != dns:
		return p.SrcPort, id
	case p.DstPort != dns:
		return id, p.DstPort
	}
	return id, id
}

// argusSubject is what an error of ICMP is about, as Argus keeps it, and what it does not show of that: a port, a
// protocol, or an address in two halves. The first is in the order of bytes in which it is shown.
func argusSubject(p *packets.Packet) (about, more uint16) {
	q := p.Payload // the datagram that the error is about
	if len(q) < 20 {
		return 0, 0
	}
	switch {
	case p.ICMPType == icmpUnreachable && p.ICMPCode == 2:
		return uint16(q[9]) << 8, 0
	case p.ICMPType == icmpUnreachable && p.ICMPCode == 3:
		if n := int(q[0]&15) * 4; len(q) >= n+4 {
			return uint16(q[n+3])<<8 | uint16(q[n+2]), 0
		}
	case p.ICMPType == icmpUnreachable && p.ICMPCode <= 1, p.ICMPType == icmpRedirect && p.ICMPCode <= 1:
		return binary.BigEndian.Uint16(q[16:]), binary.BigEndian.Uint16(q[18:])
	}
	return 0, 0
}

// argusFlow is what a record needs besides the counts.
type argusFlow struct {
	state    argusState
	until    int64 // when a message about it came or another began with its ports, 0: nothing of the kind
	ports    [2]uint16
	tos      [2]uint8 // of the latest packet of either side
	seen     [2]bool  // whether the side has sent anything in the flow's life
	fresh    bool     // no packet yet, neither in this record nor before
	packets  int      // in this record
	icmpType uint8    // of the record's first packet, or a request's
	icmpCode uint8    // of the record's first packet
	subject  uint16
	group    [4]byte // of IGMP
}

// Accumulators are those of one table.
func (a *Argus) Accumulators() Accumulators { return &argusFlows{} }

type argusFlows struct{ pool[argusFlow] }

// Open goes on from the record before: what was seen of a connection stays, but for a reset.
func (a *argusFlows) Open(_ *Conn, before Accumulator) Accumulator {
	own := a.get()
	if before == nil {
		own.fresh = true
		return own
	}
	*own = *before.(*argusFlow)
	own.packets, own.until = 0, 0
	own.state.reset = false
	return own
}

func (a *argusFlows) Close(f Accumulator) { a.put(f.(*argusFlow)) }

// Packet keeps what Argus shows of a packet.
func (f *argusFlow) Packet(c *Conn, p *packets.Packet, from Side) {
	f.tos[from] = p.TOS
	if p.Version == 6 {
		// Argus takes it from the flow label
		f.tos[from] = uint8(p.FlowLabel >> 4)
	}
	f.seen[from] = true
	if f.fresh {
		f.ports[from], f.ports[from.Other()] = p.SrcPort, p.DstPort
	}
	switch c.Proto {
	case packets.TCP:
		if p.Faults&packets.NoTransport == 0 && p.FragmentOffset == 0 {
			f.state.segment(p, from, f.fresh)
		}
	case packets.ICMP, packets.ICMPv6:
		if f.packets == 0 {
			f.icmpType, f.icmpCode = p.ICMPType, p.ICMPCode
		}
		if argusAnswers(p.ICMPType) && !argusReply(p.ICMPType) && c.Proto == packets.ICMP {
			f.icmpType = p.ICMPType
		}
		if f.fresh && c.Proto == packets.ICMP {
			if argusAnswers(p.ICMPType) {
				if p.ICMPType == icmpEcho || p.ICMPType == icmpEchoReply {
					f.subject = p.ICMPID<<8 | p.ICMPID>>8
				}
			} else {
				f.subject, _ = argusSubject(p)
			}
		}
	case igmp:
		if f.fresh && len(p.Payload) >= 8 {
			copy(f.group[:], p.Payload[4:8])
		}
	}
	f.fresh = false
	f.packets++
}

const igmp = 2

// Mention lets the record last until an error message about it.
func (f *argusFlow) Mention(_ *Conn, quoted *packets.Packet, _ Side) {
	f.until = max(f.until, quoted.Time)
}

// argusAbout is the packet that an error message of ICMP quotes.
func argusAbout(p *packets.Packet) (q packets.Packet, ok bool) {
	const ether = 0x0800
	b := p.Payload
	if p.Version != 4 || p.Proto != packets.ICMP || argusAnswers(p.ICMPType) || len(b) < 28 || b[0]>>4 != 4 {
		return q, false
	}
	header := int(b[0]&15) * 4
	if header < 20 || len(b) < header+8 {
		return q, false
	}
	q = packets.Packet{Time: p.Time, Number: p.Number, Version: 4, EtherType: ether, VLAN: p.VLAN, Proto: b[9],
		Src: packets.AddrFrom(netip.AddrFrom4([4]byte(b[12:]))), Dst: packets.AddrFrom(netip.AddrFrom4([4]byte(b[16:])))}
	switch b = b[header:]; q.Proto {
	case packets.TCP, packets.UDP:
		q.SrcPort, q.DstPort, q.Payload = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), b[8:]
	case packets.ICMP:
		q.ICMPType, q.ICMPCode = b[0], b[1]
		q.ICMPID, q.ICMPSeq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	}
	return q, true
}

// Record writes a line of a binetflow file.
func (a *Argus) Record(c *Conn, w *Row) {
	f := c.Own.(*argusFlow)
	tos, seen, ports := f.tos, f.seen, f.ports
	// the time of the side that spoke first in the flow's life, where it spoke in this record
	start := c.Side[Orig].First
	if c.Side[Orig].Packets == 0 {
		start = c.Side[Resp].First
	}
	if c.Proto == packets.TCP && f.state.backwards() {
		c.Flip()
		tos[0], tos[1], seen[0], seen[1] = tos[1], tos[0], seen[1], seen[0]
		ports[0], ports[1] = ports[1], ports[0]
	}
	src, dst := c.Side[Orig], c.Side[Resp]
	w.Time(start)
	w.Seconds(max(c.Last, f.until) - start)
	w.Text(argusProto(c))
	w.Addr(c.Addr[0])
	argusPort(c, f, w, ports[0], true)
	w.Text(argusArrow(c, f))
	if c.Proto == igmp {
		w.Addr(packets.AddrFrom(netip.AddrFrom4(f.group)))
	} else {
		w.Addr(c.Addr[1])
	}
	argusPort(c, f, w, ports[1], false)
	w.Text(a.state(c, f))
	for side := range 2 {
		if seen[side] && c.Version != 0 {
			w.Text(strconv.Itoa(int(tos[side])))
		} else {
			w.Missing()
		}
	}
	w.Count(src.Packets + dst.Packets)
	w.Count(src.WireBytes + dst.WireBytes)
	w.Count(src.WireBytes)
}

// argusProto is Proto, of other frames than of IP their type.
func argusProto(c *Conn) string {
	switch {
	case c.Version != 0:
		return argus.Protocol(c.Proto)
	case c.EtherType == packets.EtherTypeARP:
		return "arp"
	}
	return fmt.Sprintf("0x%04x", c.EtherType)
}

// argusPort writes Sport or Dport: ports, of ICMP type and code and what it is about, of others nothing.
func argusPort(c *Conn, f *argusFlow, w *Row, port uint16, src bool) {
	switch {
	case c.Version == 0:
		w.Missing()
	case c.Proto == packets.TCP || c.Proto == packets.UDP:
		w.Count(uint64(port))
	case c.Proto == packets.ICMP && src:
		w.Count(uint64(f.icmpCode)<<8 | uint64(f.icmpType))
	case c.Proto == packets.ICMP:
		w.Count(uint64(f.subject))
	case c.Proto == packets.ICMPv6 && src:
		w.Count(uint64(argus.Kind6(f.icmpType)))
	case c.Proto == packets.ICMPv6:
		w.Count(uint64(f.icmpCode))
	default:
		w.Missing()
	}
}

// argusArrow is Dir: who spoke, and of TCP whether it is known who began.
func argusArrow(c *Conn, f *argusFlow) string {
	if c.Version == 0 {
		return "who"
	}
	there, back := c.Side[Orig].Packets > 0, c.Side[Resp].Packets > 0
	if c.Proto == packets.TCP {
		switch {
		case f.state.handshake():
			return "->"
		case there && back:
			return "<?>"
		case back:
			return "<?"
		}
		return "?>"
	}
	switch {
	case there && back:
		return "<->"
	case back:
		return "<-"
	}
	return "->"
}

// state is State: of TCP flags or words, of ICMP the kind of message, of others whether both spoke.
func (a *Argus) state(c *Conn, f *argusFlow) string {
	switch {
	case c.Version != 0 && c.Proto == packets.TCP && a.States == "flags":
		return argus.Flags(uint8(c.Side[Orig].Flags)) + "_" + argus.Flags(uint8(c.Side[Resp].Flags))
	case c.Version != 0 && c.Proto == packets.TCP:
		return f.state.word()
	case c.Proto == packets.ICMP:
		return argus.ICMP(f.icmpType, f.icmpCode)
	case c.Proto == packets.ICMPv6:
		return argus.ICMPv6(argus.Kind6(f.icmpType), f.icmpCode)
	}
	switch there, back := c.Side[Orig].Packets > 0, c.Side[Resp].Packets > 0; {
	case there && back:
		return "CON"
	case back:
		return "RSP"
	case c.Records > 0:
		return "REQ"
	}
	return "INT"
}
