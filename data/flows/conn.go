package flows

import (
	"plumbline/data/packets"
)

// Conn is one connection: what its two ends sent since its beginning, or since the last intermediate record.
type Conn struct {
	Addr [2]packets.Addr // of originator and responder
	Port [2]uint16       // as Policy.Ports has them

	Version   uint8 // of IP; 0: no IP
	Proto     uint8
	EtherType uint16
	VLAN      uint16 // of the first packet, as the next ones
	InnerVLAN uint16
	MPLS      uint32
	MAC       [2]uint64
	Tunnel    packets.Tunnel
	Depth     uint8 // how many tunnels
	// ICMPType and ICMPCode are of the first packet, ICMPID too.
	ICMPType, ICMPCode uint8
	ICMPID             uint16

	// First and Last are the times of the record's first and last packet, in nanoseconds since 1970; where clocks run
	// backwards the earliest and the latest. Began is the first packet's of the connection.
	First, Last, Began int64
	// Until is the time of the last packet whose checksum was right and, of TCP, that came before both ends had closed:
	// later ones are counted, and do not make the connection longer.
	Until int64
	// Number is that of the first packet of the connection in the stream: it tells connections apart and orders them.
	Number  uint64
	Records uint32 // intermediate records before this one
	End     End    // why the record was written

	Flipped bool // Policy.Flip or Conn.Flip turned the direction
	Side    [2]Traffic
	TCP     TCP     // zero but for TCP
	History History // of TCP and UDP

	// Own is what the vocabulary keeps; nil: nothing.
	Own Accumulator

	renewed bool   // Own is that of the record before, until the next packet
	vlanKey uint16 // the VLAN where the policy keeps them apart
	table   tableState
}

// Traffic is what one end sent.
type Traffic struct {
	Packets   uint64
	IPBytes   uint64 // of IP packets with their headers
	Unstated  uint64 // of those, bytes of packets whose header says no length
	WireBytes uint64 // of frames
	Payload   uint64 // bytes after the transport's header

	First, Last int64 // times of its first and last packet; 0 without packets

	Flags     packets.TCPFlags // of all its packets together
	FlagCount [8]uint32        // by bit: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR

	TOS            uint8 // of its first packet
	TTL            uint8 // of its first packet
	MinTTL, MaxTTL uint8
	FirstWindow    uint16 // of its first TCP packet
	MaxWindow      uint16
	MSS            uint16 // of its SYN
	WindowScale    int8   // of its SYN; -1: none

	MinIPLen, MaxIPLen uint32
	WithPayload        uint32 // packets with payload
	Fragments          uint32 // packets that are fragments or were put together from some
	BadChecksums       uint32 // packets with a wrong checksum of the transport, counted or not
	Retransmitted      uint32 // TCP segments with nothing new
	RetransmittedBytes uint64 // payload of those
	OutOfOrder         uint32 // TCP segments that start after a hole
}

// Started says whether the end sent any packet that counts.
func (t *Traffic) Started() bool { return t.Packets > 0 }

// Packets is how many both ends sent.
func (c *Conn) Packets() uint64 { return c.Side[Orig].Packets + c.Side[Resp].Packets }

// IPBytes is the bytes of IP packets of both ends.
func (c *Conn) IPBytes() uint64 { return c.Side[Orig].IPBytes + c.Side[Resp].IPBytes }

// Flip makes the originator the responder: all that is kept by direction changes sides. A vocabulary may call it from
// an accumulator or in Record. What Own keeps by direction is its own business.
func (c *Conn) Flip() {
	c.Addr[0], c.Addr[1] = c.Addr[1], c.Addr[0]
	c.Port[0], c.Port[1] = c.Port[1], c.Port[0]
	c.MAC[0], c.MAC[1] = c.MAC[1], c.MAC[0]
	c.Side[0], c.Side[1] = c.Side[1], c.Side[0]
	c.TCP.End[0], c.TCP.End[1] = c.TCP.End[1], c.TCP.End[0]
	c.Flipped = !c.Flipped
	c.History.add('^')
}

// count adds a packet.
func (c *Conn) count(p *packets.Packet, from Side) {
	t := &c.Side[from]
	if t.Packets == 0 {
		t.First, t.TOS, t.TTL = p.Time, p.TOS, p.TTL
		t.MinTTL, t.MaxTTL, t.MinIPLen, t.MaxIPLen = p.TTL, p.TTL, p.IPLen, p.IPLen
		t.WindowScale, t.FirstWindow = -1, p.Window
	}
	t.Packets++
	t.IPBytes += uint64(p.IPLen)
	if p.Faults&packets.NoLength != 0 {
		t.Unstated += uint64(p.IPLen)
	}
	t.WireBytes += uint64(p.WireLen)
	t.Payload += uint64(p.PayloadLen)
	t.First, t.Last = min(t.First, p.Time), max(t.Last, p.Time)
	t.MinTTL, t.MaxTTL = min(t.MinTTL, p.TTL), max(t.MaxTTL, p.TTL)
	t.MinIPLen, t.MaxIPLen = min(t.MinIPLen, p.IPLen), max(t.MaxIPLen, p.IPLen)
	if p.PayloadLen > 0 {
		t.WithPayload++
	}
	if p.Fragment() || p.Fragments > 0 {
		t.Fragments++
	}
	if p.Proto == packets.TCP && p.Faults&packets.NoTransport == 0 {
		t.Flags |= p.Flags
		for f, bit := p.Flags, 0; f != 0; f, bit = f>>1, bit+1 {
			t.FlagCount[bit] += uint32(f & 1)
		}
		t.MaxWindow = max(t.MaxWindow, p.Window)
		if p.Flags&packets.SYN != 0 {
			t.MSS, t.WindowScale = p.MSS, p.WindowScale
		}
	}
	c.First, c.Last = min(c.First, p.Time), max(c.Last, p.Time)
}
