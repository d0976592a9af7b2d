package flows

import (
	"plumbline/data/packets"
)

// Conn is one connection: what its two ends sent since its beginning, or since the last intermediate record.
type Conn struct {
	Addr [2]packets.Addr // of originator and responder
	Port [2]uint16       // as Policy.Ports has them

	EtherType uint16
	Version   uint8 // of IP; 0: no IP
	Proto     uint8
	Depth     uint8 // how many tunnels the packets were within
	// ICMPType and ICMPCode are of the first packet.
	ICMPType, ICMPCode uint8
	End                End    // why the record was written
	Records            uint32 // intermediate records before this one

	// First and Last are the times of the record's first and last packet, in nanoseconds since 1970; where clocks run
	// backwards the earliest and the latest. Began is the first packet's of the connection.
	First, Last, Began int64
	// Until is the time of the last packet whose checksum was right and, where TCP is followed, that came before both
	// ends had closed: later ones are counted, and do not make the connection longer.
	Until int64
	// Number is that of the first packet of the connection in the stream: it tells connections apart and orders them.
	Number uint64

	Side    [2]*Traffic // never nil; all silent ends have the same one, which nobody writes to
	TCP     *TCP        // never nil; zero but for TCP where Policy.TCP asks for it
	History *History    // nil: the policy asks for none
	// Own is what the vocabulary keeps; nil: nothing.
	Own Accumulator

	table   tableState
	vlanKey uint16 // the VLAN where the policy keeps them apart
	renewed bool   // Own is that of the record before, until the next packet
}

// Traffic is what one end sent. What only some vocabularies need of it they keep themselves.
type Traffic struct {
	Packets   uint64
	IPBytes   uint64 // of IP packets with their headers
	Unstated  uint64 // of those, bytes of packets whose header says no length
	WireBytes uint64 // of frames
	Payload   uint64 // bytes after the transport's header

	First, Last int64 // times of its first and last packet; 0 without packets

	BadChecksums uint32           // packets with a wrong checksum of the transport, counted or not
	Flags        packets.TCPFlags // of all its packets together
	TOS          uint8            // of its first packet
}

// What ends that are silent have sent, and connections of which TCP is not followed have seen.
var (
	silent Traffic
	noTCP  TCP
)

// Started says whether the end sent any packet that counts.
func (t *Traffic) Started() bool { return t.Packets > 0 }

// Packets is how many both ends sent.
func (c *Conn) Packets() uint64 { return c.Side[Orig].Packets + c.Side[Resp].Packets }

// IPBytes is the bytes of IP packets of both ends.
func (c *Conn) IPBytes() uint64 { return c.Side[Orig].IPBytes + c.Side[Resp].IPBytes }

// Flip makes the originator the responder: all that is kept by direction changes sides. A vocabulary may call it in
// Record. What Own keeps by direction is its own business.
func (c *Conn) Flip() {
	c.Addr[0], c.Addr[1] = c.Addr[1], c.Addr[0]
	c.Port[0], c.Port[1] = c.Port[1], c.Port[0]
	c.Side[0], c.Side[1] = c.Side[1], c.Side[0]
	if c.TCP != &noTCP {
		c.TCP.End[0], c.TCP.End[1] = c.TCP.End[1], c.TCP.End[0]
	}
	c.History.add('^')
}

// count adds a packet to what its sender, whose traffic t is, has sent.
func (c *Conn) count(t *Traffic, p *packets.Packet) {
	if t.Packets == 0 {
		t.First, t.Last, t.TOS = p.Time, p.Time, p.TOS
	}
	t.Packets++
	t.IPBytes += uint64(p.IPLen)
	if p.Faults&packets.NoLength != 0 {
		t.Unstated += uint64(p.IPLen)
	}
	t.WireBytes += uint64(p.WireLen)
	t.Payload += uint64(p.PayloadLen)
	t.First, t.Last = min(t.First, p.Time), max(t.Last, p.Time)
	if p.Proto == packets.TCP && p.Faults&packets.NoTransport == 0 {
		t.Flags |= p.Flags
	}
	c.First, c.Last = min(c.First, p.Time), max(c.Last, p.Time)
}
