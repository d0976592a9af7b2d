package flows

import (
	"fmt"
	"time"

	"plumbline/data/nfcapd"
	"plumbline/data/packets"
	"plumbline/data/rows"
)

func init() {
	Register(Info{Name: "netflow", Doc: "NetFlow: the fields of v5 and v9 as nfdump names them, or the 43 of NF-*-v2",
		New: func() Vocabulary { return &NetFlow{Layout: "nfdump"} }})
}

// NetFlow writes flows as exporters of NetFlow make them: with layout nfdump one of each direction as nfpcapd 1.7.1
// makes them of a capture (netflow_test.go holds them against it), in the columns that nfdump -o csv has; with layout
// nf-v2 both directions together in the 43 columns that nProbe was set to for NF-UNSW-NB15-v2 and its like (M. Sarhan
// and others, Towards a standard feature set, MONET 2022). Neither looks at how a TCP connection ends.
type NetFlow struct {
	// the columns: nfdump, or nf-v2
	Layout string `yaml:"layout" jsonschema:"enum=nfdump,enum=nf-v2"`
	// with layout nfdump: both directions in one record, as nfdump -b puts them together; ipkt and ibyt are of who spoke
	// first, opkt and obyt of the other
	Merged bool `yaml:"merged"`
	// seconds after which a record is written of a flow that goes on; default that of the layout's tool: 300, with nf-v2
	// 120
	Active float64 `yaml:"active" jsonschema:"minimum=0"`
	// seconds without a packet after which a flow ends; default that of the layout's tool: 60, with nf-v2 30
	Idle float64 `yaml:"idle" jsonschema:"minimum=0"`
}

// Check says what is wrong with the settings.
func (n *NetFlow) Check() error {
	if n.Layout != "nfdump" && n.Layout != "nf-v2" {
		return fmt.Errorf("layout is %q: want nfdump or nf-v2", n.Layout)
	}
	for _, s := range []float64{n.Active, n.Idle} {
		if s != 0 {
			if err := checkSeconds(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// spans are the two time-outs.
func (n *NetFlow) spans() (active, idle time.Duration) {
	active, idle = 300*time.Second, 60*time.Second
	if n.Layout == "nf-v2" {
		active, idle = 120*time.Second, 30*time.Second
	}
	if n.Active > 0 {
		active = seconds(n.Active)
	}
	if n.Idle > 0 {
		idle = seconds(n.Idle)
	}
	return active, idle
}

// Columns are those of the layout.
func (n *NetFlow) Columns() []rows.ColumnSpec {
	if n.Layout == "nf-v2" {
		return rows.Columns(nfV2Columns)
	}
	return rows.Columns("ts time,te time,td number,sa address,da address,sp number,dp number,pr category,flg category," +
		"stos number,ipkt number,ibyt number,opkt number,obyt number,dtos number")
}

// oneWay says whether each direction is a flow of its own.
func (n *NetFlow) oneWay() bool { return n.Layout == "nfdump" && !n.Merged }

// Policy is how exporters keep flows.
func (n *NetFlow) Policy() Policy {
	active, idle := n.spans()
	p := Policy{
		Fragments:    packets.ReassembleFragments,
		OneWay:       n.oneWay(),
		TCP:          n.Layout == "nf-v2", // retransmissions
		Ports:        netflowPorts,
		Idle:         func(*Conn) time.Duration { return idle },
		Active:       active,
		BadChecksums: true,
	}
	if n.oneWay() { // nfpcapd writes each datagram of DNS and each message of ICMP at once
		p.Begins = func(c *Conn, _ *packets.Packet, _ Side) bool {
			return c.Proto == packets.ICMP || c.Proto == packets.ICMPv6 ||
				c.Proto == packets.UDP && (c.Port[0] == dns || c.Port[1] == dns)
		}
	} else {
		p.Ports = mergedPorts
		p.OneWayPacket = func(p *packets.Packet) bool {
			_, oneWay := p.Counterpart()
			return oneWay && (p.Proto == packets.ICMP || p.Proto == packets.ICMPv6)
		}
	}
	return p
}

// netflowPorts are those of TCP and UDP; the destination's of ICMP is its type and code.
func netflowPorts(p *packets.Packet) (src, dst uint16) {
	switch p.Proto {
	case packets.TCP, packets.UDP:
		return p.SrcPort, p.DstPort
	case packets.ICMP, packets.ICMPv6:
		return 0, uint16(p.ICMPType)<<8 | uint16(p.ICMPCode)
	}
	return 0, 0
}

// mergedPorts are the same where both directions are one flow: what answers a message of ICMP has the ports of that
// message, the other way round.
func mergedPorts(p *packets.Packet) (src, dst uint16) {
	if p.Proto == packets.ICMP || p.Proto == packets.ICMPv6 {
		if request, oneWay := p.Counterpart(); !oneWay && p.Answers() {
			return uint16(request) << 8, 0
		}
	}
	return netflowPorts(p)
}

// Accumulators keeps what nf-v2 counts.
func (n *NetFlow) Accumulators() Accumulators {
	if n.Layout == "nf-v2" {
		return &nfV2Flows{}
	}
	return nil
}

// Record writes a flow.
func (n *NetFlow) Record(c *Conn, w *Row) {
	if n.Layout == "nf-v2" {
		c.Own.(*nfV2Flow).record(c, w)
		return
	}
	const milli = int64(time.Millisecond)
	src, dst := c.Side[Orig], c.Side[Resp]
	first, last := c.First/milli*milli, c.Last/milli*milli
	w.Time(first)
	w.Time(last)
	w.Number(float64((last-first)/milli) / 1000)
	w.Addr(c.Addr[0])
	w.Addr(c.Addr[1])
	w.Count(uint64(c.Port[0]))
	w.Count(uint64(c.Port[1]))
	w.Text(nfcapd.ProtocolName(c.Proto))
	w.Text(nfcapd.FlagText(uint8(src.Flags | dst.Flags)))
	w.Count(uint64(src.TOS))
	w.Count(src.Packets)
	w.Count(src.IPBytes)
	w.Count(dst.Packets)
	w.Count(dst.IPBytes)
	w.Count(uint64(dst.TOS))
}
