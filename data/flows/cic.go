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
// does wrongly, and what the repaired one does still. Flows are cut 120 seconds after their first packet, and flows of
// one packet are left out, as in both.
type CIC struct {
	// the values of the original program where it defines them, under the names of CICIDS2017
	AsPublished bool `yaml:"as_published"`
}

// Check has nothing to say.
func (c *CIC) Check() error { return nil }

const (
	cicTimeout = 120 * time.Second // of a flow, since its first packet
	cicMemory  = 600 * time.Second // for which the direction of a flow is remembered after that
	cicIdle    = 5e6               // µs without a packet after which a flow was idle
)

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

// Policy is how CICFlowMeter keeps flows: until a packet comes more than 120 seconds after the first, which begins
// another in the same direction. The original ends a flow of TCP with its first FIN, so that what answers that FIN is
// another flow; the repaired one with the SYN that comes after a RST or after the FINs of both ends.
func (c *CIC) Policy() Policy {
	p := Policy{
		Fragments:    packets.ReassembleFragments,
		Ports:        cicPorts,
		Active:       cicTimeout + 1,
		Continue:     true,
		Deadline:     func(c *Conn) int64 { return addTime(c.First, cicTimeout+cicMemory) },
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

// cicFlow is the statistics of a flow. Times are in microseconds, sizes in bytes of payload.
type cicFlow struct {
	published bool
	began     int64 // first packet of the connection that a flow of TCP goes on with
	fins      [2]bool
	reset     bool

	size, sizeIn, sizeOut moments
	gap, gapIn, gapOut    moments
	last                  int64
	lastOf                [2]int64

	headers      [2]uint64
	least        uint16    // header of the first side's packets
	push, urgent [2]uint32 // packets of either side
	window       [2]uint16
	acted        uint32 // packets of the first side with payload, without the flow's first packet
	bulks        [2]bulk
	active, idle moments
	from, to     int64 // of the active time that goes on
	icmp         bool
	kind, code   uint8
}

// over says whether the connection has ended.
func (f *cicFlow) over() bool { return f.reset || f.fins[0] && f.fins[1] }

// Open begins a flow. What goes on after 120 seconds is another one, of the same connection.
func (c *CIC) Open(conn *Conn, before Accumulator) Accumulator {
	f := &cicFlow{published: c.AsPublished, began: conn.First / 1000}
	if old, ok := before.(*cicFlow); ok {
		f.began, f.fins, f.reset = old.began, old.fins, old.reset
	}
	return f
}

// Packet counts.
func (f *cicFlow) Packet(c *Conn, p *packets.Packet, from Side) {
	at, first := p.Time/1000, f.size.n == 0
	size, header := 0.0, uint16(0) // of other protocols nothing is known
	switch c.Proto {
	case packets.TCP, packets.UDP:
		size, header = float64(p.PayloadLen), p.TransportHeader
	case packets.ICMP, packets.ICMPv6:
		if first {
			f.icmp, f.kind, f.code = true, p.ICMPType, p.ICMPCode
		}
	}
	f.size.add(size)
	if first {
		f.from, f.to = at, at
		if f.published { // the first packet counts twice
			f.size.add(size)
		}
	} else {
		f.gap.add(float64(at - f.last))
		f.activity(at)
	}
	f.last = at
	sizes, gaps := &f.sizeIn, &f.gapIn
	if from == Resp {
		sizes, gaps = &f.sizeOut, &f.gapOut
	}
	if sizes.n > 0 {
		gaps.add(float64(at - f.lastOf[from]))
	} else if !f.published || from == Orig {
		f.window[from] = p.Window
	}
	if f.published && from == Resp { // that of the latest packet
		f.window[Resp] = p.Window
	}
	sizes.add(size)
	f.lastOf[from] = at
	f.headers[from] += uint64(header)
	if from == Orig {
		if sizes.n == 1 || header < f.least {
			f.least = header
		}
		if size > 0 && !first {
			f.acted++
		}
	}
	if first || !f.published { // of the first packet alone
		f.push[from] += uint32(p.Flags >> 3 & 1)
		f.urgent[from] += uint32(p.Flags >> 5 & 1)
	}
	f.fins[from] = f.fins[from] || p.Flags&packets.FIN != 0
	f.reset = f.reset || p.Flags&packets.RST != 0
	side := from
	if f.published { // takes all packets for the responder's
		side = Resp
	}
	f.bulks[side].add(at, uint64(size), f.bulks[side.Other()].last)
}

// activity tells times with packets from those without. What is active when the flow ends is not counted.
func (f *cicFlow) activity(at int64) {
	if at-f.to > cicIdle {
		if f.to > f.from {
			f.active.add(float64(f.to - f.from))
		}
		f.idle.add(float64(at - f.to))
		f.from = at
	}
	f.to = at
}

// bulk is transfers of four and more packets with payload, less than a second between two of them and no transfer of
// the other side between.
type bulk struct {
	last         int64 // latest packet with payload
	start        int64 // of what may become a bulk; 0: nothing
	n            uint64
	bytes        uint64
	bulks        uint64
	packets      uint64
	size         uint64
	microseconds int64
}

func (b *bulk) add(at int64, size uint64, other int64) {
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
		b.n++
		b.bytes += size
		switch {
		case b.n == enough:
			b.bulks++
			b.packets += b.n
			b.size += b.bytes
			b.microseconds += at - b.start
		case b.n > enough:
			b.packets++
			b.size += size
			b.microseconds += at - b.last
		}
	}
	b.last = at
}

// record writes bytes and packets a bulk and bytes a second, rounded down.
func (b *bulk) record(w *Row) {
	if b.bulks == 0 {
		w.Count(0)
		w.Count(0)
	} else {
		w.Count(b.size / b.bulks)
		w.Count(b.packets / b.bulks)
	}
	if b.microseconds == 0 {
		w.Count(0)
	} else {
		w.Count(uint64(float64(b.size) / (float64(b.microseconds) / 1e6)))
	}
}

// protocol is that of TCP and UDP, of ICMP in the repaired definition, and 0 of all others.
func (f *cicFlow) protocol(c *Conn) string {
	switch {
	case c.Proto == packets.TCP || c.Proto == packets.UDP || f.icmp && !f.published:
		return strconv.Itoa(int(c.Proto))
	}
	return "0"
}
