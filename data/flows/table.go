package flows

import (
	"math"
	"time"

	"plumbline/data/packets"
)

// tableState is what the table keeps with a connection.
type tableState struct {
	hash     uint64
	deadline int64  // when it ends if no packet comes
	latest   uint64 // number of the frame of its last packet
	// older and newer are the neighbours in the order of the last packets, before and next in a slot of the wheel.
	older, newer, before, next uint32
	slot                       int16 // of the wheel, -1: in none
	oneWay                     bool
}

// none is no connection.
const none = math.MaxUint32

// key is what the table finds the connection of a packet by, besides the addresses.
type key struct {
	hash     uint64
	src, dst uint16
	vlan     uint16
	oneWay   bool
	use      bool // the packet belongs to a flow
	mention  bool // it was quoted, and did not come itself
}

// slab is how many connections are made room for at a time.
const slab = 1 << 9

// table is the connections of some hashes. One goroutine works on it.
type table struct {
	vocabulary Vocabulary
	policy     Policy
	room       *room

	slabs  [][]Conn
	free   []uint32
	open   int
	pieces int // of TCP data after holes
	index  index

	oldest, newest uint32 // by their last packets
	wheel          [wheelSlots]uint32
	wheelAt        int64 // the second up to which the wheel was turned
	wheelSet       bool

	traffic   pool[Traffic]
	tcp       pool[TCP]
	histories pool[History]
	copies    pool[Conn]   // of intermediate records
	own       Accumulators // nil: the vocabulary keeps nothing

	out     *outbox
	flows   uint64
	evicted uint64
}

// wheelSlots is how many seconds ahead the wheel tells apart.
const wheelSlots = 4096

func newTable(v Vocabulary, p Policy, r *room, out *outbox) *table {
	t := &table{vocabulary: v, policy: p, room: r, oldest: none, newest: none, out: out, own: v.Accumulators()}
	for i := range t.wheel {
		t.wheel[i] = none
	}
	t.index.init()
	return t
}

func (t *table) conn(i uint32) *Conn { return &t.slabs[i/slab][i%slab] }

// packet takes the next packet of a connection of the table.
func (t *table) packet(p *packets.Packet, k *key) {
	at, from := t.find(p, k)
	if at != none {
		c := t.conn(at)
		switch {
		case c.table.deadline <= p.Time:
			t.end(at, EndIdle)
			at = none
		case t.policy.Begins != nil && t.policy.Begins(c, p, from):
			t.end(at, EndReuse)
			at = none
		case t.policy.Active > 0 && p.Time-c.First >= int64(t.policy.Active):
			if t.policy.Continue {
				t.intermediate(c, p.Time)
			} else {
				t.end(at, EndActive)
				at = none
			}
		}
	}
	fresh := at == none
	if fresh {
		at, from = t.begin(p, k)
	}
	c := t.conn(at)
	c.table.latest = p.Number
	t.touch(at)
	from, counted := t.count(c, p, from)
	if t.own != nil && (fresh || c.renewed) {
		c.Own, c.renewed = t.own.Open(c, c.Own), false
	}
	if !counted {
		t.wait(at, c)
		return
	}
	if c.Own != nil {
		c.Own.Packet(c, p, from)
	}
	if t.policy.Ends != nil && t.policy.Ends(c, p, from) {
		t.end(at, EndClosed)
		return
	}
	t.wait(at, c)
}

// mention tells the connection of a packet that a message is about it.
func (t *table) mention(p *packets.Packet, k *key) {
	at, from := t.find(p, k)
	if at == none {
		return
	}
	if c := t.conn(at); c.table.deadline > p.Time {
		if m, ok := c.Own.(Mentioned); ok {
			m.Mention(c, p, from)
		}
	}
}

// count adds a packet to its connection, unless its checksum is wrong.
func (t *table) count(c *Conn, p *packets.Packet, from Side) (Side, bool) {
	if p.Faults&packets.BadChecksum != 0 {
		s := t.side(c, from)
		s.BadChecksums++
		if !t.policy.BadChecksums {
			switch p.Proto {
			case packets.TCP:
				c.scaled('C', from, s.BadChecksums)
			case packets.UDP: // Zeek counts the packet, not what is in it
				c.scaled('C', from, s.BadChecksums)
				bare := *p
				bare.PayloadLen, bare.Payload = 0, nil
				c.count(s, &bare)
			}
			return from, false
		}
	}
	switch {
	case p.Proto == packets.TCP && t.policy.TCP && p.Faults&packets.NoTransport == 0 && p.FragmentOffset == 0:
		before := c.TCP.pieces()
		from = c.track(p, from, t.policy.Turns)
		if t.pieces += c.TCP.pieces() - before; t.pieces > mostPieces {
			t.pieces -= c.TCP.pieces()
			c.TCP.giveUp()
		}
	case p.Proto == packets.UDP:
		c.History.mark(onceData, 'D', from)
		c.Until = p.Time
	default:
		c.Until = p.Time
	}
	c.count(t.side(c, from), p)
	return from, true
}

// side is what an end of a connection has sent, to be written to.
func (t *table) side(c *Conn, of Side) *Traffic {
	if c.Side[of] == &silent {
		c.Side[of] = t.traffic.get()
	}
	return c.Side[of]
}

// find is the connection of a packet and who sent the packet.
func (t *table) find(p *packets.Packet, k *key) (uint32, Side) {
	for probe := t.index.start(k.hash); ; probe = t.index.next(probe) {
		at := t.index.slots[probe].conn
		if at == none {
			return none, Orig
		}
		if t.index.slots[probe].hash != uint32(k.hash>>32) {
			continue
		}
		c := t.conn(at)
		if c.table.hash != k.hash || c.Proto != p.Proto || c.vlanKey != k.vlan || c.table.oneWay != k.oneWay ||
			c.EtherType != p.EtherType {
			continue
		}
		if c.Port[0] == k.src && c.Port[1] == k.dst && c.Addr[0] == p.Src && c.Addr[1] == p.Dst {
			return at, Orig
		}
		if !k.oneWay && c.Port[1] == k.src && c.Port[0] == k.dst && c.Addr[1] == p.Src && c.Addr[0] == p.Dst {
			return at, Resp
		}
	}
}

// begin makes a connection of its first packet.
func (t *table) begin(p *packets.Packet, k *key) (uint32, Side) {
	if t.room.tight {
		t.room.yield()
	}
	if len(t.free) == 0 {
		t.slabs = append(t.slabs, make([]Conn, slab))
		for i := slab - 1; i >= 0; i-- {
			t.free = append(t.free, uint32((len(t.slabs)-1)*slab+i))
		}
	}
	at := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.open++
	t.flows++
	c := t.conn(at)
	*c = Conn{
		Addr: [2]packets.Addr{p.Src, p.Dst}, Port: [2]uint16{k.src, k.dst},
		Version: p.Version, Proto: p.Proto, EtherType: p.EtherType, Depth: p.Depth,
		ICMPType: p.ICMPType, ICMPCode: p.ICMPCode,
		First: p.Time, Last: p.Time, Began: p.Time, Until: p.Time, Number: p.Number, vlanKey: k.vlan,
		Side: [2]*Traffic{&silent, &silent}, TCP: &noTCP,
		table: tableState{hash: k.hash, slot: -1, oneWay: k.oneWay, older: none, newer: none,
			before: none, next: none},
	}
	if t.policy.TCP && p.Proto == packets.TCP {
		c.TCP = t.tcp.get()
		c.TCP.End[0].init()
		c.TCP.End[1].init()
	}
	if t.policy.History {
		c.History = t.histories.get()
	}
	t.index.put(k.hash, at, t)
	from := Orig
	if t.policy.Flip != nil && t.policy.Flip(p) {
		c.Flip()
		from = Resp
	}
	return at, from
}

// end takes a connection out of the table; its record waits.
func (t *table) end(at uint32, why End) {
	c := t.conn(at)
	t.unlink(at, c)
	t.unschedule(c)
	t.index.remove(c.table.hash, at, t)
	t.open--
	t.pieces -= c.TCP.pieces()
	if c.Packets() == 0 && c.Records > 0 { // nothing came after the last intermediate record
		t.release(c, at)
		return
	}
	c.End = why
	t.out.add(c, t, at)
}

// release takes back what a connection kept that is written, and the connection itself, unless it is a copy.
func (t *table) release(c *Conn, at uint32) {
	for _, s := range c.Side {
		if s != &silent {
			t.traffic.put(s)
		}
	}
	if c.TCP != &noTCP {
		t.tcp.put(c.TCP)
	}
	t.histories.put(c.History)
	if c.Own != nil {
		t.own.Close(c.Own)
	}
	c.Side, c.TCP, c.History, c.Own = [2]*Traffic{}, nil, nil, nil
	if at == none {
		t.copies.put(c)
		return
	}
	t.free = append(t.free, at)
}

// intermediate keeps a record and sets the counts back.
func (t *table) intermediate(c *Conn, now int64) {
	kept := t.copies.get()
	*kept = *c
	kept.End = EndActive
	if c.TCP != &noTCP {
		kept.TCP = t.tcp.get()
		*kept.TCP = *c.TCP
	}
	if c.History != nil {
		kept.History = t.histories.get()
		*kept.History = *c.History
	}
	t.out.add(kept, t, none)
	c.Records++
	c.renewed = true
	c.Side = [2]*Traffic{&silent, &silent}
	c.First, c.Last = now, now
}

// touch makes the connection the one that was used last.
func (t *table) touch(at uint32) {
	if t.newest == at {
		return
	}
	c := t.conn(at)
	t.unlink(at, c)
	c.table.older, c.table.newer = t.newest, none
	if t.newest != none {
		t.conn(t.newest).table.newer = at
	} else {
		t.oldest = at
	}
	t.newest = at
}

func (t *table) unlink(at uint32, c *Conn) {
	s := &c.table
	if s.older != none {
		t.conn(s.older).table.newer = s.newer
	} else if t.oldest == at {
		t.oldest = s.newer
	}
	if s.newer != none {
		t.conn(s.newer).table.older = s.older
	} else if t.newest == at {
		t.newest = s.older
	}
	s.older, s.newer = none, none
}

// wait says until when the connection waits for its next packet.
func (t *table) wait(at uint32, c *Conn) {
	if t.policy.Deadline != nil {
		c.table.deadline = t.policy.Deadline(c)
	} else {
		c.table.deadline = addTime(c.Last, t.policy.Idle(c))
	}
	if c.table.slot < 0 {
		t.schedule(at, c)
	}
}

func addTime(t int64, d time.Duration) int64 {
	if t > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return t + int64(d)
}

func second(t int64) int64 {
	s := t / 1e9
	if t%1e9 > 0 {
		s++
	}
	return s
}

// schedule puts a connection into the slot of the second in which it ends, or the last one.
func (t *table) schedule(at uint32, c *Conn) {
	due := second(c.table.deadline)
	if !t.wheelSet {
		t.wheelAt, t.wheelSet = second(c.First)-1, true
	}
	due = min(max(due, t.wheelAt+1), t.wheelAt+wheelSlots)
	slot := int16(uint64(due) % wheelSlots)
	head := t.wheel[slot]
	if head != none {
		t.conn(head).table.before = at
	}
	c.table.slot, c.table.before, c.table.next = slot, none, head
	t.wheel[slot] = at
}

// unschedule takes a connection out of its slot.
func (t *table) unschedule(c *Conn) {
	s := &c.table
	if s.slot < 0 {
		return
	}
	if s.before != none {
		t.conn(s.before).table.next = s.next
	} else {
		t.wheel[s.slot] = s.next
	}
	if s.next != none {
		t.conn(s.next).table.before = s.before
	}
	s.slot, s.before, s.next = -1, none, none
}

// tick ends the connections whose time came before now.
func (t *table) tick(now int64) {
	if !t.wheelSet {
		return
	}
	to := now / 1e9
	if to < t.wheelAt {
		t.turnBack(to)
	}
	for t.wheelAt = max(t.wheelAt, to-wheelSlots); t.wheelAt < to; { // a longer time is one turn
		t.wheelAt++
		slot := int16(uint64(t.wheelAt) % wheelSlots)
		at := t.wheel[slot]
		t.wheel[slot] = none
		for at != none {
			c := t.conn(at)
			next := c.table.next
			c.table.slot, c.table.before, c.table.next = -1, none, none
			if c.table.deadline <= now {
				t.end(at, EndIdle)
			} else {
				t.schedule(at, c) // not into the slot that is being emptied: it is one round ahead at least
			}
			at = next
		}
	}
}

// turnBack sets the wheel to an earlier second, where the clock of the capture jumped back.
func (t *table) turnBack(to int64) {
	t.wheelAt = to
	for at := t.oldest; at != none; at = t.conn(at).table.newer {
		c := t.conn(at)
		t.unschedule(c)
		t.schedule(at, c)
	}
}

// finish ends all connections.
func (t *table) finish(now int64) {
	for t.oldest != none {
		why := EndOfCapture
		if t.conn(t.oldest).table.deadline <= now {
			why = EndIdle
		}
		t.end(t.oldest, why)
	}
}
