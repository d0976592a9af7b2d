package flows

import (
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"plumbline/data/packets"
	"plumbline/data/rows"
)

func init() {
	Register(Info{Name: "zeek", Doc: "conn.log of Zeek: states, history, bytes by sequence numbers, missed bytes",
		New: func() Vocabulary { return &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5} }})
}

// Zeek writes the columns of Zeek's conn.log, as Zeek 8 makes them with its own settings. What needs the analysis of
// protocols is not there: service is missing, and so are the x of history, connections that one of FTP expects, and
// tunnel_parents.
type Zeek struct {
	// seconds after which a TCP connection without packets ends; Zeek's tcp_inactivity_timeout
	TCPIdle float64 `yaml:"tcp_idle" jsonschema:"exclusiveMinimum=0"`
	// the same of UDP, of other transports, and of TCP before anything was established; udp_inactivity_timeout
	UDPIdle float64 `yaml:"udp_idle" jsonschema:"exclusiveMinimum=0"`
	// the same of ICMP; icmp_inactivity_timeout
	ICMPIdle float64 `yaml:"icmp_idle" jsonschema:"exclusiveMinimum=0"`
	// seconds after a SYN by which an answer must come; tcp_attempt_delay
	Attempt float64 `yaml:"attempt" jsonschema:"exclusiveMinimum=0"`
	// seconds that a closed connection waits for late packets; tcp_close_delay
	Close float64 `yaml:"close" jsonschema:"exclusiveMinimum=0"`
	// networks that are local, as 10.0.0.0/8: local_orig and local_resp are T or F then, and missing without
	LocalNets []string `yaml:"local_nets"`
	// adds the column ip_proto, the number of the protocol, which newer versions of Zeek write
	IPProto bool `yaml:"ip_proto"`

	local []netip.Prefix
}

// Check says what is wrong with the settings.
func (z *Zeek) Check() error {
	for _, s := range []float64{z.TCPIdle, z.UDPIdle, z.ICMPIdle, z.Attempt, z.Close} {
		if err := checkSeconds(s); err != nil {
			return err
		}
	}
	z.local = nil
	for _, n := range z.LocalNets {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return fmt.Errorf("local_nets: %q is no network: want an address and the bits of it, as 10.0.0.0/8", n)
		}
		z.local = append(z.local, p.Masked())
	}
	return nil
}

// checkSeconds wants a span that a time-out may have.
func checkSeconds(s float64) error {
	const year = 366 * 24 * 3600
	if !(s >= 1e-9 && s <= year) {
		return fmt.Errorf("a time-out of %g seconds: want more than 0, a nanosecond at least, and at most a year", s)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * 1e9) }

// Columns are those of conn.log.
func (z *Zeek) Columns() []rows.ColumnSpec {
	c := rows.Columns("ts time,uid category,id.orig_h address,id.orig_p number,id.resp_h address,id.resp_p number," +
		"proto category,service category,duration number,orig_bytes number,resp_bytes number,conn_state category," +
		"local_orig category,local_resp category,missed_bytes number,history category,orig_pkts number," +
		"orig_ip_bytes number,resp_pkts number,resp_ip_bytes number,tunnel_parents category")
	if z.IPProto {
		c = append(c, rows.ColumnSpec{Name: "ip_proto", Type: "number"})
	}
	return c
}

// Policy is how Zeek keeps connections.
func (z *Zeek) Policy() Policy {
	return Policy{
		Fragments:    packets.ReassembleFragments,
		Checksums:    true,
		TCP:          true,
		Turns:        true,
		History:      true,
		Want:         zeekWants,
		Ports:        zeekPorts,
		OneWayPacket: func(p *packets.Packet) bool { _, oneWay := p.Counterpart(); return oneWay },
		Flip:         zeekFlips,
		Begins: func(c *Conn, p *packets.Packet, _ Side) bool {
			return p.Proto == packets.TCP && c.Reused(p)
		},
		Deadline: z.deadline,
	}
}

// deadline is when Zeek's timers end a connection.
func (z *Zeek) deadline(c *Conn) int64 {
	switch c.Proto {
	case packets.TCP:
	case packets.ICMP, packets.ICMPv6:
		return addTime(c.Until, seconds(z.ICMPIdle))
	default:
		return addTime(c.Until, seconds(z.UDPIdle))
	}
	orig, resp := &c.TCP.End[Orig], &c.TCP.End[Resp]
	switch {
	case c.TCP.ClosedAt != 0:
		return addTime(c.TCP.ClosedAt, seconds(z.Close))
	case resp.State == Inactive && (orig.State == SynSent || orig.State == SynAckSent):
		return addTime(c.Began, seconds(z.Attempt))
	case orig.State <= SynAckSent && resp.State <= SynAckSent:
		return addTime(c.Until, seconds(z.UDPIdle))
	}
	return addTime(c.Until, seconds(z.TCPIdle))
}

// zeekWants leaves out what Zeek makes no connection of.
func zeekWants(p *packets.Packet) bool {
	const noNext, mobility = 59, 135
	return p.Version != 0 && p.Faults&(packets.ShortLength|packets.NoTransport) == 0 && p.Proto != packets.ESP &&
		p.Proto != noNext && p.Proto != mobility
}

// zeekPorts are those of TCP and UDP, and of ICMP its type and that of the answer, or the code.
func zeekPorts(p *packets.Packet) (src, dst uint16) {
	switch p.Proto {
	case packets.TCP, packets.UDP:
		return p.SrcPort, p.DstPort
	case packets.ICMP, packets.ICMPv6:
		other, _ := p.Counterpart()
		return uint16(p.ICMPType), uint16(other)
	}
	return 0, 0
}

// Ports that the scripts of Zeek 8 take for those of servers (likely_server_ports).
var (
	zeekTCPServers = portSet(21, 22, 25, 53, 79, 80, 81, 88, 110, 135, 139, 143, 389, 443, 445, 502, 563, 585, 587, 614,
		631, 636, 989, 990, 992, 993, 995, 1080, 1434, 1883, 2811, 3128, 3268, 3306, 3389, 5060, 5222, 5223, 5269, 5432,
		6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000)
	zeekUDPServers = portSet(53, 67, 88, 123, 137, 161, 162, 389, 443, 514, 1812, 2123, 2152, 3268, 3544, 4789, 5060,
		5072, 5353, 5355, 6081, 20000)
)

func portSet(ports ...uint16) *[1 << 16]bool {
	var set [1 << 16]bool
	for _, p := range ports {
		set[p] = true
	}
	return &set
}

// zeekFlips says whether the sender of a first packet is the responder: it sends from the port of a server, and the
// packet is no SYN.
func zeekFlips(p *packets.Packet) bool {
	if p.Dst == broadcast {
		return false
	}
	switch p.Proto {
	case packets.UDP:
		return zeekUDPServers[p.SrcPort] && !zeekUDPServers[p.DstPort]
	case packets.TCP:
		syn, ack := p.Flags&packets.SYN != 0, p.Flags&packets.ACK != 0
		if syn && !ack || !zeekTCPServers[p.SrcPort] {
			return false
		}
		return !zeekTCPServers[p.DstPort] || !syn && p.SrcPort < p.DstPort
	}
	return false
}

var broadcast = packets.AddrFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}))

// Accumulators keeps nothing.
func (z *Zeek) Accumulators() Accumulators { return nil }

// Record writes a line of conn.log.
func (z *Zeek) Record(c *Conn, w *Row) {
	orig, resp := c.Side[Orig], c.Side[Resp]
	w.Time(c.Began)
	w.Text(uid(c))
	w.Addr(c.Addr[Orig])
	w.Count(uint64(c.Port[Orig]))
	w.Addr(c.Addr[Resp])
	w.Count(uint64(c.Port[Resp]))
	w.Text(zeekProto(c.Proto))
	w.Missing()
	if duration := c.Until - c.Began; duration > 0 {
		w.Seconds(duration)
		w.Count(c.zeekBytes(Orig))
		w.Count(c.zeekBytes(Resp))
	} else {
		w.Missing()
		w.Missing()
		w.Missing()
	}
	w.Text(zeekState(c))
	w.Text(z.isLocal(c.Addr[Orig]))
	w.Text(z.isLocal(c.Addr[Resp]))
	w.Count(c.TCP.Missed)
	w.Text(c.History.String())
	w.Count(orig.Packets)
	w.Count(orig.IPBytes - orig.Unstated)
	w.Count(resp.Packets)
	w.Count(resp.IPBytes - resp.Unstated)
	w.Missing()
	if z.IPProto {
		w.Count(uint64(c.Proto))
	}
}

// zeekBytes is the payload that an end sent: of TCP by sequence numbers, of unknown transports none.
func (c *Conn) zeekBytes(of Side) uint64 {
	switch c.Proto {
	case packets.TCP:
		return c.TCP.End[of].Size(&c.TCP.End[of^1])
	case packets.UDP, packets.ICMP, packets.ICMPv6:
		return c.Side[of].Payload
	}
	return 0
}

// uid tells connections apart: C and digits of base 62 that stand for the number of the first frame and its depth.
func uid(c *Conn) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	h := mix(c.Number^0x9e3779b97f4a7c15, uint64(c.Depth)<<56^0xe7037ed1a0b428db)
	var text [18]byte
	text[0] = 'C'
	for i := 1; i < len(text); i++ {
		if i == 7 { // the number itself, so that no two are alike
			h = (c.Number<<4 | uint64(c.Depth&15)) * 0x9e3779b97f4a7c15
		}
		text[i] = digits[h%62]
		h /= 62
	}
	return string(text[:])
}

func zeekProto(proto uint8) string {
	switch proto {
	case packets.TCP:
		return "tcp"
	case packets.UDP:
		return "udp"
	case packets.ICMP, packets.ICMPv6:
		return "icmp"
	}
	return "unknown_transport"
}

func (z *Zeek) isLocal(a packets.Addr) string {
	if len(z.local) == 0 {
		return ""
	}
	ip := a.Netip()
	for _, p := range z.local {
		if p.Contains(ip) {
			return "T"
		}
	}
	return "F"
}

// rstBeforeAnswer is a history in which the originator sent a SYN and then a RST, and nothing that needs an answer.
var rstBeforeAnswer = regexp.MustCompile(`^\^?S[^HAFGIQ]*R.*$`)

// zeekState is conn_state.
func zeekState(c *Conn) string {
	switch c.Proto {
	case packets.UDP:
		orig, resp := c.good(Orig), c.good(Resp)
		switch {
		case orig && resp:
			return "SF"
		case orig:
			return "S0"
		case resp:
			return "SHR"
		}
		return "OTH"
	case packets.TCP:
	default:
		return "OTH"
	}
	orig, resp := &c.TCP.End[Orig], &c.TCP.End[Resp]
	o, r := orig.State, resp.State
	silentOrig, silentResp := o == Inactive || o == Partial, r == Inactive || r == Partial
	switch {
	case r == Reset:
		if o == SynSent || o == SynAckSent || o == Reset && orig.Size(resp) == 0 && resp.Size(orig) == 0 {
			return "REJ"
		}
		if silentOrig {
			return "RSTRH"
		}
		return "RSTR"
	case o == Reset && !silentResp:
		return "RSTO"
	case o == Reset:
		if rstBeforeAnswer.MatchString(c.History.String()) {
			return "RSTOS0"
		}
		return "OTH"
	case o == Closed && r == Closed:
		return "SF"
	case o == Closed && silentResp:
		return "SH"
	case o == Closed:
		return "S2"
	case r == Closed && silentOrig:
		return "SHR"
	case r == Closed:
		return "S3"
	case o == SynSent && r == Inactive:
		return "S0"
	case o == Established && r == Established:
		return "S1"
	}
	return "OTH"
}

// good says whether the end sent a packet with a right checksum.
func (c *Conn) good(of Side) bool { return c.Side[of].Packets > uint64(c.Side[of].BadChecksums) }

// logTypes are the types of the columns as Zeek writes them.
func (z *Zeek) logTypes() []string {
	types := []string{"time", "string", "addr", "port", "addr", "port", "enum", "string", "interval", "count", "count",
		"string", "bool", "bool", "count", "string", "count", "count", "count", "count", "set[string]"}
	if z.IPProto {
		types = append(types, "count")
	}
	return types
}
