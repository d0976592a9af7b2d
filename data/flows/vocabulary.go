package flows

import (
	"time"

	"plumbline/data/packets"
	"plumbline/data/rows"
)

// Vocabulary writes records of connections in the columns of one tool. Its exported fields are settings: a fresh one of
// [New] has the defaults, and configs are decoded over them.
type Vocabulary interface {
	// Check says what is wrong with the settings.
	Check() error
	// Columns are those of the records. They may depend on the settings.
	Columns() []rows.ColumnSpec
	// Policy is how the table works for the vocabulary.
	Policy() Policy
	// Accumulators makes what the vocabulary keeps of the connections of one table; nil: nothing.
	Accumulators() Accumulators
	// Record writes the one row of a record, one call of a method of w for each column in order. It is called by one
	// goroutine at a time, in the order of the records. c is a copy: it may be changed.
	Record(c *Conn, w *Row)
}

// Accumulators makes the accumulators of one table, on the table's goroutine, and may use them again.
type Accumulators interface {
	// Open is called when a connection begins, after its first packet was counted and before Accumulator.Packet is
	// called with it, and again after each intermediate record; before is nil or the accumulator of the record before,
	// which is being written and does not change any more. nil: nothing is kept of this connection.
	Open(c *Conn, before Accumulator) Accumulator
	// Close takes an accumulator back whose record is written.
	Close(Accumulator)
}

// Accumulator keeps what a vocabulary needs of the packets of one connection since the last record.
type Accumulator interface {
	// Packet is called with each packet after c has counted it. from is its sender.
	Packet(c *Conn, p *packets.Packet, from Side)
}

// Mentioned is an Accumulator that wants to know of messages about its connection ([Policy.About]).
type Mentioned interface {
	// Mention is called with the quoted packet. from is its sender. Nothing was counted.
	Mention(c *Conn, quoted *packets.Packet, from Side)
}

// Policy says how the table works for a vocabulary. The functions are called by several goroutines and look at nothing
// but what they are given.
type Policy struct {
	// Fragments is what becomes of fragments.
	Fragments packets.Fragments
	// NonIP asks for packets that are not IP (ARP).
	NonIP bool
	// OneWay makes a flow of each direction: the flow of a packet is that of its addresses and ports in this order, and
	// all of its packets are the originator's.
	OneWay bool
	// VLAN keeps connections of different VLANs apart.
	VLAN bool
	// Want says whether the packet belongs to a flow at all; nil: all do.
	Want func(p *packets.Packet) bool
	// Ports are the ports that a packet has in the table; nil: those of TCP, UDP and SCTP, and 0 for all others. A packet
	// in the other direction has them the other way round.
	Ports func(p *packets.Packet) (src, dst uint16)
	// TCP follows connections of TCP: Conn.TCP. Without it that is zero, and Conn.Until that of any connection.
	TCP bool
	// Turns makes the sender of a SYN the originator where the SYN-ACK that answers it was captured first, as Zeek does.
	// It needs TCP.
	Turns bool
	// History keeps Conn.History.
	History bool
	// Flip says of the first packet of a connection whether its sender is the responder; nil: never.
	Flip func(p *packets.Packet) bool
	// About gives the packet that an error message quotes, with the time of the message; the connection that it belongs
	// to, if it is in the table, is told ([Mentioned]). nil: none is.
	About func(p *packets.Packet) (quoted packets.Packet, ok bool)
	// Begins says of a packet of a connection that is in the table whether it is the first of a new one; the old one ends
	// then ([EndReuse]). nil: never. A connection that has been silent for longer than Idle has ended in any case.
	Begins func(c *Conn, p *packets.Packet, from Side) bool
	// Ends says whether the connection ends with the packet that it just counted; nil: never.
	Ends func(c *Conn, p *packets.Packet, from Side) bool
	// OneWayPacket says of a packet that it belongs to a flow of one direction, as with OneWay; nil: none does.
	OneWayPacket func(p *packets.Packet) bool
	// Keep says of a connection that ended, or of what was cut off of it, whether there is a record; nil: of all.
	Keep func(c *Conn) bool
	// Idle is after how long without a packet a connection ends. It is called after each packet.
	Idle func(c *Conn) time.Duration
	// Deadline is when a connection ends unless another packet comes, in nanoseconds since 1970, where that is no time
	// after its last packet; it stands in for Idle.
	Deadline func(c *Conn) int64
	// Active is how long a record may last: the packet that comes later than that after the first of the record is the
	// first of the next one. 0: without limit.
	Active time.Duration
	// Continue says what comes after a record that Active ended: true, the same connection, with its direction and the
	// state of its transport, and counts from zero ([EndActive], Conn.Records counts them); false, a new one, of which
	// the packet is the first.
	Continue bool
	// Checksums is whether checksums are looked at, unless the settings say otherwise.
	Checksums bool
	// BadChecksums says whether a packet with a wrong checksum of its transport counts all the same. Packets with a wrong
	// checksum of the IP header never do. Checksums are not looked at where the reader is told so.
	BadChecksums bool
}

// End is why a record was written.
type End uint8

const (
	EndOfCapture End = iota
	EndIdle          // Policy.Idle without a packet
	EndActive        // Policy.Active: an intermediate record where Policy.Continue is set
	EndClosed        // Policy.Ends
	EndReuse         // Policy.Begins
	EndEvicted       // the table was full, and no other connection had been silent for longer
)

// Side is one of the two ends of a connection.
type Side uint8

const (
	Orig Side = iota // who spoke first, or whom Policy.Flip made the originator
	Resp
)

// Other is the other end.
func (s Side) Other() Side { return s ^ 1 }
