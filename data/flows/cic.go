package flows

import (
	"strconv"
	"strings"
	"time"

	"plumbline/data/packets"
	"plumbline/data/rows"
)

func init() {
	Register(Info{Name: "cic", Doc: "CICFlowMeter: the statistics of CICIDS2017 and its like, in the repaired definition",
		New: func() Vocabulary { return &CIC{} }})
}

// CIC writes the statistics of CICFlowMeter. They are those of the repaired program that the improved CICIDS2017 and
// CSE-CIC-IDS2018 were made with (G. Engelen, V. Rimmer, W. Joosen, Troubleshooting an intrusion detection dataset,
// WTMC 2021; L. Liu and others, Error prevalence in NIDS datasets, CNS 2022); docs/packets.md says what the original
// does wrongly, and what the repaired one does still. Flows of one packet are left out, as in both.
type CIC struct {
	// the values of the original program where it defines them, under the names of CICIDS2017
	AsPublished bool `yaml:"as_published"`
	// seconds after its first packet at which a flow is cut; default 120, as in both programs
	Timeout float64 `yaml:"timeout" jsonschema:"minimum=0"`
	// seconds without a packet after which a flow was idle; default 5, as in both programs
	Idle float64 `yaml:"idle" jsonschema:"minimum=0"`
}

// Check says what is wrong with the settings.
func (c *CIC) Check() error {
	for _, s := range []float64{c.Timeout, c.Idle} {
		if s != 0 {
			if err := checkSeconds(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// cicMemory is for how long the direction of a flow is remembered after it could have been cut.
const cicMemory = 600 * time.Second

// spans are the two settings.
func (c *CIC) spans() (timeout, idle time.Duration) {
	timeout, idle = 120*time.Second, 5*time.Second
	if c.Timeout != 0 {
		timeout = seconds(c.Timeout)
	}
	if c.Idle != 0 {
		idle = seconds(c.Idle)
	}
	return timeout, idle
}

// Columns are those of the improved CICIDS2017, or of the original one.
func (c *CIC) Columns() []rows.ColumnSpec {
	ends, names := "Src IP address,Src Port number,Dst IP address,Dst Port number", cicColumns
	if c.AsPublished {
		ends = "Source IP address,Source Port number,Destination IP address,Destination Port number"
		names = cicPublishedColumns
	}
	var specs []rows.ColumnSpec
	for end := range strings.SplitSeq(ends, ",") {
		i := strings.LastIndexByte(end, ' ')
		specs = append(specs, rows.ColumnSpec{Name: end[:i], Type: rows.Kind(end[i+1:])})
	}
	specs = append(specs, rows.ColumnSpec{Name: "Protocol", Type: "category"},
		rows.ColumnSpec{Name: "Timestamp", Type: "time"})
	for _, n := range names {
		specs = append(specs, rows.ColumnSpec{Name: n, Type: "number"})
	}
	return specs
}

// Policy is how CICFlowMeter keeps flows: until a packet comes later than the time-out after the first, which begins
// another in the same direction. The original ends a flow of TCP with its first FIN, so that what answers that FIN is
// another flow; the repaired one with the SYN that comes after a RST or after the FINs of both ends.
func (c *CIC) Policy() Policy {
	timeout, _ := c.spans()
	p := Policy{
		Fragments:    packets.ReassembleFragments,
		Ports:        cicPorts,
		Active:       timeout + 1,
		Continue:     true,
		Deadline:     func(c *Conn) int64 { return addTime(c.First, timeout+cicMemory) },
		Keep:         func(c *Conn) bool { return c.Packets() > 1 },
		BadChecksums: true,
	}
	if c.AsPublished {
		p.Ends = func(c *Conn, p *packets.Packet, _ Side) bool {
			return c.Proto == packets.TCP && p.Flags&packets.FIN != 0 && c.Packets() > 1
		}
	} else {
		p.Begins = func(c *Conn, p *packets.Packet, _ Side) bool {
			return c.Proto == packets.TCP && p.Flags&packets.SYN != 0 && c.Own.(*cicFlow).over()
		}
	}
	return p
}

// cicPorts are those of TCP and UDP; others have none.
func cicPorts(p *packets.Packet) (src, dst uint16) {
	if p.Proto == packets.TCP || p.Proto == packets.UDP {
		return p.SrcPort, p.DstPort
	}
	return 0, 0
}

// Accumulators are those of one table.
func (c *CIC) Accumulators() Accumulators {
	_, idle := c.spans()
	return &cicFlows{published: c.AsPublished, idle: idle.Microseconds()}
}

// cicFlows are the accumulators of one table. What most flows do not have is made when it is there.
type cicFlows struct {
	published bool
	idle      int64 // µs without a packet after which a flow was idle
	flows     pool[cicFlow]
	sides     pool[cicSide]
	gaps      pool[cicGaps]
	bulks     pool[bulk]
	totals    pool[bulkTotals]
	pauses    pool[cicPauses]
}

// cicFlow is the statistics of a flow. Times are in microseconds, sizes in bytes of payload. How many packets there
// are, and the payload of each side, stand in Conn.Side.
type cicFlow struct {
	of    *cicFlows
	began int64 // first packet of the connection that a flow of TCP goes on with
	last  int64
	from  int64 // of the active time that goes on, up to last

	size   welford
	gap    welford
	gapMin float64
	gapMax float64

	sides  [2]*cicSide // nil: it sent nothing
	bulks  [2]*bulk    // nil: no payload
	pauses *cicPauses  // nil: never idle

	fin, syn, ack, ece, cwr uint32 // packets of both sides

	acted     uint32 // packets of the first side with payload, without the flow's first packet
	firstSize uint32
	leastHead uint16 // header of the first side's packets
	first     packets.TCPFlags
	firstOf   Side // who sent the first packet
	fins      [2]bool
	reset     bool
	icmp      bool
	kind      uint8
	code      uint8
}

// cicSide is what is kept of one side.
type cicSide struct {
	size              welford
	least, largest    uint32
	gaps              *cicGaps // nil: of one packet
	last              int64
	headers           uint64
	push, urgent, rst uint32
	window            uint16
}

// cicGaps are the times between packets of one side.
type cicGaps struct {
	welford
	sum, least, largest float64
}

// cicPauses are times with packets and without.
type cicPauses struct{ active, idle moments }

// over says whether the connection has ended.
func (f *cicFlow) over() bool { return f.reset || f.fins[0] && f.fins[1] }

// Open begins a flow. What goes on after the time-out is another one, of the same connection.
func (c *cicFlows) Open(conn *Conn, before Accumulator) Accumulator {
	f := c.flows.get()
	f.of, f.began = c, conn.First/1000
	if old, ok := before.(*cicFlow); ok {
		f.began, f.fins, f.reset = old.began, old.fins, old.reset
	}
	return f
}

// Close takes a flow back.
func (c *cicFlows) Close(a Accumulator) {
	f := a.(*cicFlow)
	for i := range f.sides {
		if s := f.sides[i]; s != nil {
			c.gaps.put(s.gaps)
			c.sides.put(s)
		}
		if b := f.bulks[i]; b != nil {
			c.totals.put(b.totals)
			c.bulks.put(b)
		}
	}
	c.pauses.put(f.pauses)
	c.flows.put(f)
}

// Packet counts.
func (f *cicFlow) Packet(c *Conn, p *packets.Packet, from Side) {
	at, n := p.Time/1000, c.Packets()
	size, header := uint32(0), uint16(0) // of other protocols nothing is known
	switch c.Proto {
	case packets.TCP, packets.UDP:
		size, header = p.PayloadLen, p.TransportHeader
	case packets.ICMP, packets.ICMPv6:
		if n == 1 {
			f.icmp, f.kind, f.code = true, p.ICMPType, p.ICMPCode
		}
	}
	f.size.add(float64(size), f.sizes(n))
	if n == 1 {
		f.from, f.first, f.firstOf, f.firstSize = at, p.Flags, from, size
		if f.of.published {
			f.size.add(float64(size), 2)
		}
	} else {
		gap := float64(at - f.last)
		f.gap.add(gap, n-1)
		if n == 2 {
			f.gapMin, f.gapMax = gap, gap
		}
		f.gapMin, f.gapMax = min(f.gapMin, gap), max(f.gapMax, gap)
		f.activity(at)
	}
	f.last = at
	f.side(c, p, from, size, header)
	if from == Orig {
		if c.Side[Orig].Packets == 1 || header < f.leastHead {
			f.leastHead = header
		}
		if size > 0 && n > 1 {
			f.acted++
		}
	}
	f.flags(p.Flags)
	f.fins[from] = f.fins[from] || p.Flags&packets.FIN != 0
	f.reset = f.reset || p.Flags&packets.RST != 0
	side := from
	if f.of.published { // takes all packets for the responder's
		side = Resp
	}
	f.bulk(side, at, uint64(size))
}

// sizes is how many sizes there are of n packets: of the original program one more after the first packet, which counts
// twice.
func (f *cicFlow) sizes(n uint64) uint64 {
	if f.of.published && n > 1 {
		return n + 1
	}
	return n
}

// side counts what is kept by side.
func (f *cicFlow) side(c *Conn, p *packets.Packet, from Side, size uint32, header uint16) {
	at, n := p.Time/1000, c.Side[from].Packets
	s := f.sides[from]
	if s == nil {
		s = f.of.sides.get()
		s.least, s.largest = size, size
		f.sides[from] = s
	}
	if n > 1 {
		gap := float64(at - s.last)
		if s.gaps == nil {
			s.gaps = f.of.gaps.get()
			s.gaps.least, s.gaps.largest = gap, gap
		}
		s.gaps.add(gap, n-1)
		s.gaps.sum += gap
		s.gaps.least, s.gaps.largest = min(s.gaps.least, gap), max(s.gaps.largest, gap)
	}
	if n == 1 || f.of.published && from == Resp { // that of the latest packet
		s.window = p.Window
	}
	s.size.add(float64(size), n)
	s.least, s.largest = min(s.least, size), max(s.largest, size)
	s.last = at
	s.headers += uint64(header)
	s.push += uint32(p.Flags >> 3 & 1)
	s.urgent += uint32(p.Flags >> 5 & 1)
	s.rst += uint32(p.Flags >> 2 & 1)
}

// flags counts those that both sides have together.
func (f *cicFlow) flags(of packets.TCPFlags) {
	f.fin += uint32(of & 1)
	f.syn += uint32(of >> 1 & 1)
	f.ack += uint32(of >> 4 & 1)
	f.ece += uint32(of >> 6 & 1)
	f.cwr += uint32(of >> 7 & 1)
}

// activity tells times with packets from those without. What is active when the flow ends is not counted.
func (f *cicFlow) activity(at int64) {
	if at-f.last <= f.of.idle {
		return
	}
	if f.pauses == nil {
		f.pauses = f.of.pauses.get()
	}
	if f.last > f.from {
		f.pauses.active.add(float64(f.last - f.from))
	}
	f.pauses.idle.add(float64(at - f.last))
	f.from = at
}

// bulk counts a packet in the transfers of a side.
func (f *cicFlow) bulk(of Side, at int64, size uint64) {
	b := f.bulks[of]
	if b == nil {
		if size == 0 {
			return
		}
		b = f.of.bulks.get()
		f.bulks[of] = b
	}
	other := int64(0)
	if o := f.bulks[of.Other()]; o != nil {
		other = o.last
	}
	b.add(at, size, other, &f.of.totals)
}

// bulk is transfers of four and more packets with payload, less than a second between two of them and no transfer of
// the other side between.
type bulk struct {
	last   int64 // latest packet with payload
	start  int64 // of what may become a bulk; 0: nothing
	bytes  uint64
	n      uint8       // packets, up to one more than make a bulk
	totals *bulkTotals // nil: none yet
}

type bulkTotals struct {
	bulks, packets, bytes uint64
	microseconds          int64
}

func (b *bulk) add(at int64, size uint64, other int64, totals *pool[bulkTotals]) {
	const enough, pause = 4, 1e6
	if other > b.start {
		b.start = 0
	}
	if size == 0 {
		return
	}
	switch {
	case b.start == 0 || at-b.last > pause:
		b.start, b.n, b.bytes = at, 1, size
	default:
		b.n = min(b.n+1, enough+1)
		b.bytes += size
		if b.n >= enough && b.totals == nil {
			b.totals = totals.get()
		}
		switch t := b.totals; {
		case b.n == enough:
			t.bulks++
			t.packets += enough
			t.bytes += b.bytes
			t.microseconds += at - b.start
		case b.n > enough:
			t.packets++
			t.bytes += size
			t.microseconds += at - b.last
		}
	}
	b.last = at
}

// record writes bytes and packets a bulk and bytes a second, rounded down.
func (b *bulk) record(w *Row) {
	var t bulkTotals
	if b != nil && b.totals != nil {
		t = *b.totals
	}
	if t.bulks == 0 {
		w.Count(0)
		w.Count(0)
	} else {
		w.Count(t.bytes / t.bulks)
		w.Count(t.packets / t.bulks)
	}
	if t.microseconds == 0 {
		w.Count(0)
	} else {
		w.Count(uint64(float64(t.bytes) / (float64(t.microseconds) / 1e6)))
	}
}

// protocol is that of TCP and UDP, of ICMP in the repaired definition, and 0 of all others.
func (f *cicFlow) protocol(c *Conn) string {
	switch {
	case c.Proto == packets.TCP || c.Proto == packets.UDP || f.icmp && !f.of.published:
		return strconv.Itoa(int(c.Proto))
	}
	return "0"
}
