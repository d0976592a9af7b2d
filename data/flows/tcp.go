package flows

import (
	"plumbline/data/packets"
)

// TCPState is the state of one end of a TCP connection, as Zeek tells it.
type TCPState uint8

const (
	Inactive    TCPState = iota // nothing was seen of it
	SynSent                     // a SYN
	SynAckSent                  // a SYN with ACK, from the originator
	Partial                     // packets without a SYN before them
	Established                 // both ends sent a SYN, or what stands for one
	Closed                      // a FIN
	Reset                       // a RST
)

// TCP is a TCP connection as Zeek follows it (TCPSessionAdapter and TCP_Reassembler of Zeek 8, as the facts that its
// conn.log shows). It goes on over intermediate records.
type TCP struct {
	End    [2]Endpoint // of originator and responder
	Missed uint64      // bytes that were acknowledged and not seen
	// ClosedAt is Conn.Until when the connection was closed by both ends or by a RST, 0 before.
	ClosedAt int64

	seen     uint8 // ends of which a packet was seen, by bit
	partial  bool  // it began without the SYN of the originator
	deferred bool  // a close that waits for data to be delivered
}

// Endpoint is one end of a TCP connection. Sequence numbers are 64 bits wide: how often the 32 bits came round stands
// above them.
type Endpoint struct {
	State, Before TCPState
	DidClose      bool // its close was taken note of: all of its data was seen up to its FIN, or it sent a RST

	didEOF, skip bool
	start        int64  // the sequence number of its SYN, or one before its first byte
	last         uint64 // one past the last sequence number that it sent
	ack          uint64 // the last that its peer acknowledged
	finSeq       uint64 // one past its FIN, from start
	fins         uint32

	lastSYN, lastFIN, lastRST uint32 // where the last ones were, for the history

	gaps, zeroWindows uint32

	Retransmitted      uint32 // segments with nothing new
	RetransmittedBytes uint64 // payload of those

	// Data as it is put together, from start.
	delivered uint64 // up to here nothing is missing any more
	trimmed   uint64 // up to here it is acknowledged
	upper     uint64 // one past the last byte of data
	pending   *[]span
}

// span is data from, up to, not with, to.
type span struct{ from, to uint64 }

const (
	// hugeJump is how far a sequence number of a SYN or RST may be from the one before to be believed.
	hugeJump = 1 << 20
	// initialWindow is how much data without any acknowledgement is held, whether in order or after a hole.
	initialWindow = 16384
	// mostUnacknowledged is how much data waits for further acknowledgements.
	mostUnacknowledged = 10 << 20
	// mostPending is how many pieces after holes are kept of one end.
	mostPending = 1024
	// mostPieces is how many are kept of all connections of a table together: of one that needs more, data is followed no
	// longer, as where its own bounds are passed.
	mostPieces = 1 << 18
)

func (e *Endpoint) init() { e.delivered, e.trimmed, e.upper = 1, 1, 1 }

func (e *Endpoint) set(s TCPState) {
	if s != e.State {
		e.Before, e.State = e.State, s
	}
}

// begin starts the sequence numbers with the first packet of the end, or anew with a SYN that is not a copy.
func (e *Endpoint) begin(flags packets.TCPFlags, seq, past uint32) {
	syn := flags&packets.SYN != 0
	switch e.State {
	case Inactive:
		if syn {
			e.restart(seq, past)
		} else {
			e.restart(seq-1, seq)
		}
	case SynSent, SynAckSent:
		if syn && seq != uint32(e.start) {
			e.restart(seq, past)
		}
	case Established, Partial:
		if syn {
			e.restart(seq, past)
		}
	case Reset:
		if syn && e.Before == Inactive {
			e.restart(seq, past)
		}
	}
}

// restart sets the numbers; how often they came round stays.
func (e *Endpoint) restart(start, last uint32) {
	e.start = int64(start)
	e.ack = e.ack>>32<<32 | uint64(start)
	e.last = e.last>>32<<32 | uint64(last)
}

// relative is a sequence number from start, near another one that was seen before. before: it is before start.
func (e *Endpoint) relative(seq uint32, near uint64) (rel uint64, before bool) {
	rounds, last := near>>32, uint32(near)
	switch delta := int32(seq - last); {
	case delta < 0 && rounds > 0 && seq > last:
		rounds--
	case delta > 0 && seq < last:
		rounds++
	}
	if rounds == 0 {
		delta := int32(seq - uint32(e.start))
		return uint64(int64(delta)), delta < 0
	}
	return rounds<<32 + uint64(seq) - uint64(e.start), false
}

// forward moves a number on, counting how often it came round.
func forward(at *uint64, seq uint32) {
	if seq < uint32(*at) {
		*at += 1 << 32
	}
	*at = *at>>32<<32 | uint64(seq)
}

func (e *Endpoint) noDataAcked() bool {
	return e.ack == uint64(e.start) || e.ack == uint64(e.start)+1
}

// Size is the bytes of payload that the end sent, by sequence numbers.
func (e *Endpoint) Size(peer *Endpoint) uint64 {
	if e.Before == SynSent && e.State == Reset && peer.State == Inactive && !e.noDataAcked() {
		return 0 // a half-open connection that was given up
	}
	size := max(e.last, e.ack) - uint64(e.start)
	if size != 0 {
		size-- // the SYN
	}
	if e.fins > 0 && size != 0 {
		size--
	}
	return size
}

// track follows a segment. It is called once for each packet of a TCP connection that counts, and gives the sender,
// whose side the connection may have changed where turns says so ([Policy.Turns]).
func (c *Conn) track(p *packets.Packet, from Side, turns bool) Side {
	t := c.TCP
	flags, length := p.Flags, p.PayloadLen
	syn, fin, rst := flags&packets.SYN != 0, flags&packets.FIN != 0, flags&packets.RST != 0
	ack := flags&packets.ACK != 0
	if from == Orig {
		if t.seen&1 == 0 {
			t.partial = !syn || ack
		}
	} else if t.seen&2 == 0 && !t.partial {
		t.partial = !syn
	}
	segment := length
	if rst {
		segment = 0
	}
	if syn {
		segment++
	}
	if fin {
		segment++
	}
	e, peer := &t.End[from], &t.End[from^1]
	past := p.Seq + segment
	e.begin(flags, p.Seq, past)
	rel, before := e.relative(p.Seq, e.last)
	c.letters(flags, from, uint32(rel), length)
	if p.Window == 0 && !rst && peer.State != Closed && e.State != Reset {
		e.zeroWindows++
		c.scaled('W', from, e.zeroWindows)
	}
	if !t.End[Orig].DidClose || !t.End[Resp].DidClose {
		c.Until = p.Time
	}
	if fin {
		e.fins++
		e.finSeq = rel + uint64(segment)
	}
	acked := uint64(0)
	if ack {
		acked = peer.acknowledge(p.Ack, rst)
	}
	c.advance(from, past, flags, length)
	closing, flipped := c.next(p, from, turns)
	if flipped {
		from ^= 1
		e = &t.End[from]
	}
	if ack {
		c.ackReceived(from^1, acked)
	}
	t.seen |= 1 << from
	if length > 0 && !rst && !before {
		at := rel
		if syn {
			at++
		}
		if len(p.Payload) >= int(length) {
			e.dataSent(at, uint64(length))
		}
	}
	c.checkEOF(from)
	if closing {
		c.closed(from)
	}
	return from
}

// acknowledge takes an acknowledgement of the end's data and gives it from start, 0 where it is of nothing sent.
func (e *Endpoint) acknowledge(seq uint32, rst bool) uint64 {
	if e.State == Inactive { // as if there had been a SYN
		e.restart(seq-1, seq-1)
		return 1
	}
	rel, before := e.relative(seq, e.ack)
	if before {
		return 0
	}
	if delta := int32(seq - uint32(e.ack)); !rst && delta > 0 && (seq != 0 || delta <= hugeJump) {
		forward(&e.ack, seq)
	}
	return rel
}

// advance moves the end of what was sent and counts segments with nothing new.
func (c *Conn) advance(from Side, past uint32, flags packets.TCPFlags, length uint32) {
	e := &c.TCP.End[from]
	delta := int32(past - uint32(e.last))
	switch {
	case flags&(packets.SYN|packets.RST) != 0 && (delta > hugeJump || delta < -hugeJump):
	case flags&packets.FIN != 0 && uint32(e.last) == uint32(e.start)+1: // more than 2 GB between SYN and FIN
		forward(&e.last, past)
	case e.State == Reset:
	case delta > 0:
		forward(&e.last, past)
	case length > 0:
		e.Retransmitted++
		e.RetransmittedBytes += uint64(length)
		c.scaled('T', from, e.Retransmitted)
	}
}

// next is the next state. closing: the end closes. flipped: originator and responder changed places.
func (c *Conn) next(p *packets.Packet, from Side, turns bool) (closing, flipped bool) {
	t := c.TCP
	e, peer := &t.End[from], &t.End[from^1]
	syn, fin, rst := p.Flags&packets.SYN != 0, p.Flags&packets.FIN != 0, p.Flags&packets.RST != 0
	switch e.State {
	case Inactive:
		return c.first(p, from, turns)
	case SynSent, SynAckSent:
		if fin {
			e.set(Closed)
			closing = true
		}
		if rst {
			e.set(Reset)
			closing = true
		}
	case Established, Partial:
		if syn && e.State == Partial && peer.State == Inactive && p.Flags&packets.ACK == 0 {
			e.set(SynSent)
		}
		if fin && !rst {
			e.set(Closed)
			if peer.State == Reset && peer.Before == Closed { // a FIN and a RST after it: the usual end after all
				peer.set(Closed)
			}
			closing = true
		}
		if rst {
			e.set(Reset)
			closing = true
		}
	case Closed:
		if rst && peer.State != Closed {
			e.set(Reset)
			closing = !e.DidClose
		}
	}
	return closing, false
}

// first is the state after the first segment of an end.
func (c *Conn) first(p *packets.Packet, from Side, turns bool) (closing, flipped bool) {
	t := c.TCP
	e, peer := &t.End[from], &t.End[from^1]
	ack := p.Flags&packets.ACK != 0
	if p.Flags&packets.SYN != 0 {
		switch {
		case from == Orig && ack:
			e.set(SynAckSent)
		case from == Orig:
			e.set(SynSent)
		default:
			if turns && !ack && peer.State == SynAckSent && p.Seq == uint32(e.start) {
				// The SYN that the SYN-ACK before it answers: captured in the wrong order.
				t.partial = false
				c.Flip()
				flipped = true
				e, peer = peer, e // changed places with all that they hold
				peer.set(Established)
				t.seen |= 1
			}
			if peer.State == SynSent {
				peer.set(Established)
			}
			e.set(Established)
		}
	}
	if p.Flags&packets.FIN != 0 {
		e.set(Closed)
		closing = true
	}
	if p.Flags&packets.RST != 0 {
		e.set(Reset)
		closing = true
	}
	if e.State != Inactive {
		return closing, flipped
	}
	switch {
	case from == Resp && p.PayloadLen == 0 && peer.State == SynSent: // an ACK before the SYN-ACK
	case ack && peer.State == Established: // the SYN was missed
		e.set(Established)
		t.partial = false
		t.seen |= 1 << from
	default:
		e.set(Partial)
	}
	return closing, flipped
}

// closed takes note that an end closes, unless data is still awaited.
func (c *Conn) closed(from Side) {
	t := c.TCP
	e, peer := &t.End[from], &t.End[from^1]
	if e.dataPending(peer) {
		t.deferred = true
		return
	}
	t.deferred = false
	if e.DidClose {
		return
	}
	e.DidClose = true
	if (e.State == Reset || peer.DidClose || peer.State == Inactive) && t.ClosedAt == 0 {
		t.ClosedAt = c.Until
	}
}

// Reused says whether a SYN begins a new connection with the addresses and ports of one that is in the table.
func (c *Conn) Reused(p *packets.Packet) bool {
	if p.Flags&packets.SYN == 0 || p.Faults&packets.NoTransport != 0 {
		return false
	}
	orig, resp := &c.TCP.End[Orig], &c.TCP.End[Resp]
	start := orig
	ack := p.Flags&packets.ACK != 0
	if ack {
		if orig.State != Inactive {
			return false
		}
		start = resp
	}
	if orig.DidClose || resp.DidClose {
		return true
	}
	if p.Seq == uint32(start.start) {
		return false
	}
	return ack || start.State != SynAckSent || resp.State != Inactive || p.Seq != uint32(resp.start)
}
