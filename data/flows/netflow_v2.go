package flows

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"plumbline/data/packets"
)

// nfV2Columns are the 43 features of NF-UNSW-NB15-v2 and its like.
const nfV2Columns = "IPV4_SRC_ADDR address,L4_SRC_PORT number,IPV4_DST_ADDR address,L4_DST_PORT number," +
	"PROTOCOL category,L7_PROTO category,IN_BYTES number,IN_PKTS number,OUT_BYTES number,OUT_PKTS number," +
	"TCP_FLAGS number,CLIENT_TCP_FLAGS number,SERVER_TCP_FLAGS number,FLOW_DURATION_MILLISECONDS number," +
	"DURATION_IN number,DURATION_OUT number,MIN_TTL number,MAX_TTL number,LONGEST_FLOW_PKT number," +
	"SHORTEST_FLOW_PKT number,MIN_IP_PKT_LEN number,MAX_IP_PKT_LEN number,SRC_TO_DST_SECOND_BYTES number," +
	"DST_TO_SRC_SECOND_BYTES number,RETRANSMITTED_IN_BYTES number,RETRANSMITTED_IN_PKTS number," +
	"RETRANSMITTED_OUT_BYTES number,RETRANSMITTED_OUT_PKTS number,SRC_TO_DST_AVG_THROUGHPUT number," +
	"DST_TO_SRC_AVG_THROUGHPUT number,NUM_PKTS_UP_TO_128_BYTES number,NUM_PKTS_128_TO_256_BYTES number," +
	"NUM_PKTS_256_TO_512_BYTES number,NUM_PKTS_512_TO_1024_BYTES number,NUM_PKTS_1024_TO_1514_BYTES number," +
	"TCP_WIN_MAX_IN number,TCP_WIN_MAX_OUT number,ICMP_TYPE number,ICMP_IPV4_TYPE number,DNS_QUERY_ID number," +
	"DNS_QUERY_TYPE number,DNS_TTL_ANSWER number,FTP_COMMAND_RET_CODE number"

// nfV2Flow is what the features need besides the counts.
type nfV2Flow struct {
	sizes [5]uint64 // packets of both sides by the length of their IP packet
	sides [2]nfV2Side
	query dnsQuery
	ftp   uint16 // code of the first reply
}

// nfV2Side is what is kept of one side.
type nfV2Side struct {
	seconds           secondBytes
	shortest, longest uint32 // IP packet
	maxWindow         uint16
	minTTL, maxTTL    uint8
}

type nfV2Flows struct{ pool[nfV2Flow] }

func (n *nfV2Flows) Open(*Conn, Accumulator) Accumulator { return n.get() }

func (n *nfV2Flows) Close(f Accumulator) { n.put(f.(*nfV2Flow)) }

// Packet counts.
func (f *nfV2Flow) Packet(c *Conn, p *packets.Packet, from Side) {
	bin := 0
	for limit := uint32(128); bin < 4 && p.IPLen > limit; limit *= 2 {
		bin++
	}
	f.sizes[bin]++
	s := &f.sides[from]
	if c.Side[from].Packets == 1 {
		s.shortest, s.minTTL = p.IPLen, p.TTL
	}
	s.shortest, s.longest = min(s.shortest, p.IPLen), max(s.longest, p.IPLen)
	s.minTTL, s.maxTTL = min(s.minTTL, p.TTL), max(s.maxTTL, p.TTL)
	s.maxWindow = max(s.maxWindow, p.Window)
	s.seconds.add(p.Time, uint64(p.IPLen))
	switch {
	case c.Proto == packets.UDP && (p.SrcPort == dns || p.DstPort == dns):
		f.query.read(p.Payload)
	case c.Proto == packets.TCP && p.SrcPort == ftpControl && f.ftp == 0:
		f.ftp = replyCode(p.Payload)
	}
}

const ftpControl = 21

// secondBytes are the bytes of each second in which there were any, as digits one after the other. That is what
// SRC_TO_DST_SECOND_BYTES of the published files holds: 280 bytes in two seconds of 140 are 140140.
type secondBytes struct {
	second int64 // of the clock, that is counted
	bytes  uint64
	digits []byte
}

// maxDigits are how many are kept: the published files know numbers of some 20 digits.
const maxDigits = 24

func (s *secondBytes) add(at int64, n uint64) {
	if second := at / int64(time.Second); s.bytes == 0 || second == s.second {
		s.second = second
	} else {
		s.flush()
		s.second, s.bytes = second, 0
	}
	s.bytes += n
}

func (s *secondBytes) flush() {
	if len(s.digits) < maxDigits {
		s.digits = strconv.AppendUint(s.digits, s.bytes, 10)
	}
}

// value is the digits as a number.
func (s *secondBytes) value() float64 {
	if s.bytes == 0 {
		return 0
	}
	text := string(s.digits)
	if len(text) < maxDigits {
		text += strconv.FormatUint(s.bytes, 10)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// dnsQuery is the first question of a flow, and how long its first answer is valid.
type dnsQuery struct {
	seen     bool
	id, kind uint16
	ttl      uint32
}

// read reads a message of DNS (RFC 1035, 4.1): one question, and the first answer.
func (q *dnsQuery) read(b []byte) {
	if len(b) < 12 || binary.BigEndian.Uint16(b[4:]) == 0 {
		return
	}
	at, ok := pastName(b, 12)
	if !ok || at+4 > len(b) {
		return
	}
	if !q.seen {
		q.seen, q.id, q.kind = true, binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[at:])
	}
	if q.ttl != 0 || binary.BigEndian.Uint16(b[4:]) != 1 || binary.BigEndian.Uint16(b[6:]) == 0 {
		return
	}
	if at, ok = pastName(b, at+4); ok && at+10 <= len(b) {
		q.ttl = binary.BigEndian.Uint32(b[at+4:])
	}
}

// pastName is where a name of DNS ends.
func pastName(b []byte, at int) (int, bool) {
	for at < len(b) {
		switch n := int(b[at]); {
		case n == 0:
			return at + 1, true
		case n >= 0xc0: // a pointer
			return at + 2, true
		default:
			at += 1 + n
		}
	}
	return 0, false
}

// replyCode is the three digits that a reply of FTP begins with, or 0.
func replyCode(b []byte) uint16 {
	if len(b) < 3 {
		return 0
	}
	code := uint16(0)
	for _, d := range b[:3] {
		if d < '0' || d > '9' {
			return 0
		}
		code = code*10 + uint16(d-'0')
	}
	return code
}

// record writes the features. Those that nobody measured of a direction without packets are 0, as in the files.
func (f *nfV2Flow) record(c *Conn, w *Row) {
	in, out := c.Side[Orig], c.Side[Resp]
	there, back := &f.sides[Orig], &f.sides[Resp]
	millis := func(from, to int64) uint64 { return uint64(max(0, to-from)) / uint64(time.Millisecond) }
	spent := func(t *Traffic) uint64 { return millis(t.First, t.Last) }
	w.Addr(c.Addr[0])
	w.Count(uint64(ports(c, 0)))
	w.Addr(c.Addr[1])
	w.Count(uint64(ports(c, 1)))
	w.Text(strconv.Itoa(int(c.Proto)))
	w.Missing() // the application is told by deep inspection
	w.Count(in.IPBytes)
	w.Count(in.Packets)
	w.Count(out.IPBytes)
	w.Count(out.Packets)
	w.Count(uint64(in.Flags | out.Flags))
	w.Count(uint64(in.Flags))
	w.Count(uint64(out.Flags))
	duration := millis(c.First, c.Last)
	w.Count(duration)
	w.Count(spent(in))
	w.Count(spent(out))
	w.Count(uint64(there.minTTL))
	w.Count(uint64(there.maxTTL))
	longest, shortest := max(there.longest, back.longest), there.shortest
	if out.Packets > 0 {
		shortest = min(shortest, back.shortest)
	}
	w.Count(uint64(longest))
	w.Count(uint64(shortest))
	w.Count(uint64(min(there.shortest, back.shortest))) // 0 without an answer
	w.Count(uint64(longest))
	w.Number(there.seconds.value())
	w.Number(back.seconds.value())
	w.Count(c.TCP.End[Orig].RetransmittedBytes)
	w.Count(uint64(c.TCP.End[Orig].Retransmitted))
	w.Count(c.TCP.End[Resp].RetransmittedBytes)
	w.Count(uint64(c.TCP.End[Resp].Retransmitted))
	for _, t := range []*Traffic{in, out} { // bits a second
		w.Number(math.Floor(float64(t.IPBytes) * 8 * 1000 / float64(max(1, duration))))
	}
	for _, n := range f.sizes {
		w.Count(n)
	}
	w.Count(uint64(there.maxWindow))
	w.Count(uint64(back.maxWindow))
	kind, code := uint64(0), uint64(0)
	if c.Proto == packets.ICMP || c.Proto == packets.ICMPv6 {
		kind, code = uint64(c.ICMPType), uint64(c.ICMPCode)
	}
	w.Count(kind<<8 | code)
	w.Count(kind)
	w.Count(uint64(f.query.id))
	w.Count(uint64(f.query.kind))
	w.Count(uint64(f.query.ttl))
	w.Count(uint64(f.ftp))
}

// ports of TCP and UDP; other flows have none.
func ports(c *Conn, side int) uint16 {
	if c.Proto != packets.TCP && c.Proto != packets.UDP {
		return 0
	}
	return c.Port[side]
}
