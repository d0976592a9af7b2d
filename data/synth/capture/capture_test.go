package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// small is a scenario with everything in it that takes a tenth of a second.
func small() Scenario {
	s := Default()
	s.Minutes, s.Clients, s.Rate, s.AttackFrom = 4, 10, 3, 0.2
	return s
}

// once is the small scenario written.
var once = sync.OnceValues(func() ([]byte, Summary) {
	var b bytes.Buffer
	sum, err := small().Write(&b)
	if err != nil {
		panic(err)
	}
	return b.Bytes(), sum
})

func write(t *testing.T, s Scenario) ([]byte, Summary) {
	t.Helper()
	var b bytes.Buffer
	sum, err := s.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), sum
}

// seen is one frame, taken apart by the standards alone.
type seen struct {
	at           time.Time
	frame        []byte
	wire         int
	src, dst     netip.Addr
	proto        uint8
	ip           []byte // the header
	segment      []byte // what it carries
	fragment     bool
	sport, dst16 uint16
}

func frames(t *testing.T, file []byte) (all []seen) {
	t.Helper()
	if binary.LittleEndian.Uint32(file) != 0xa1b2c3d4 || binary.LittleEndian.Uint32(file[20:]) != 1 {
		t.Fatalf("no pcap of Ethernet frames: % x", file[:24])
	}
	for b := file[24:]; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[8:])
		f := seen{at: time.Unix(int64(binary.LittleEndian.Uint32(b)), int64(binary.LittleEndian.Uint32(b[4:]))*1000),
			frame: b[16 : 16+n], wire: int(binary.LittleEndian.Uint32(b[12:]))}
		b = b[16+n:]
		ip := f.frame[14:]
		switch binary.BigEndian.Uint16(f.frame[12:]) {
		case 0x0800:
			f.ip, f.proto = ip[:20], ip[9]
			f.src, f.dst = netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
			f.segment = ip[20:min(len(ip), int(binary.BigEndian.Uint16(ip[2:])))]
			f.fragment = binary.BigEndian.Uint16(ip[6:])&0x3fff != 0
		case 0x86dd:
			f.ip, f.proto = ip[:40], ip[6]
			f.src, f.dst = netip.AddrFrom16([16]byte(ip[8:])), netip.AddrFrom16([16]byte(ip[24:]))
			f.segment = ip[40:min(len(ip), 40+int(binary.BigEndian.Uint16(ip[4:])))]
		}
		if (f.proto == 6 || f.proto == 17) && !f.fragment {
			f.sport, f.dst16 = binary.BigEndian.Uint16(f.segment), binary.BigEndian.Uint16(f.segment[2:])
		}
		all = append(all, f)
	}
	return all
}

// TestSameSeedSameBytes: a scenario gives the same bytes each time, another seed gives others.
func TestSameSeedSameBytes(t *testing.T) {
	a, sum := once()
	b, _ := write(t, small())
	if !bytes.Equal(a, b) {
		t.Error("two captures of one scenario differ")
	}
	s := small()
	s.Seed = 2
	if c, _ := write(t, s); bytes.Equal(a, c) {
		t.Error("another seed gives the same capture")
	}
	all := frames(t, a)
	var wire int64
	for _, f := range all {
		wire += int64(f.wire)
	}
	if int64(len(all)) != sum.Packets || wire != sum.Bytes || len(all) < 5000 {
		t.Errorf("%d frames of %d bytes, the summary says %d of %d", len(all), wire, sum.Packets, sum.Bytes)
	}
}

// TestSnaplen: a capture that keeps the beginning of packets has the same packets.
func TestSnaplen(t *testing.T) {
	whole, _ := once()
	s := small()
	s.Snaplen = 96
	short, _ := write(t, s)
	a, b := frames(t, whole), frames(t, short)
	if len(a) != len(b) {
		t.Fatalf("%d packets, cut short %d", len(a), len(b))
	}
	for i := range a {
		if a[i].wire != b[i].wire || !bytes.Equal(a[i].frame[:min(96, len(a[i].frame))], b[i].frame) {
			t.Fatalf("packet %d differs", i)
		}
	}
}

// ones is the one's complement sum of RFC 1071: 0xffff over bytes with their right checksum.
func ones(parts ...[]byte) uint32 {
	var sum uint32
	for _, b := range parts {
		for i, v := range b {
			sum += uint32(v) << (8 * uint(1-i%2))
		}
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return sum
}

// TestPackets: times are in order; the checksums of IP, TCP, UDP and ICMP are right; and all that the scenario promises
// is there.
func TestPackets(t *testing.T) {
	file, _ := once()
	kinds := map[string]int{}
	var before time.Time
	for i, f := range frames(t, file) {
		if f.at.Before(before) {
			t.Fatalf("packet %d is older than the one before", i)
		}
		before = f.at
		if f.ip == nil {
			kinds["arp"]++
			continue
		}
		if len(f.ip) == 20 && ones(f.ip) != 0xffff {
			t.Fatalf("packet %d: checksum of the IP header", i)
		}
		if f.fragment {
			kinds["fragment"]++
			continue
		}
		length := []byte{0, f.proto, byte(len(f.segment) >> 8), byte(len(f.segment))}
		pseudo := append(append(f.src.AsSlice(), f.dst.AsSlice()...), length...)
		if f.proto == 1 {
			pseudo = nil
		}
		if ones(pseudo, f.segment) != 0xffff {
			t.Fatalf("packet %d: checksum of protocol %d", i, f.proto)
		}
		switch f.proto {
		case 1:
			kinds["icmp "+string('0'+rune(f.segment[0]))]++
		case 58:
			kinds["icmpv6"]++
		case 17:
			kinds["udp"]++
			if f.dst16 == 53 {
				kinds["dns"]++
			}
		case 6:
			kinds["tcp"]++
			if len(f.ip) == 40 {
				kinds["tcp6"]++
			}
			for bit, name := range []string{"FIN", "SYN", "RST"} {
				if f.segment[13]>>bit&1 == 1 {
					kinds[name]++
				}
			}
		}
	}
	for kind, least := range map[string]int{
		"arp": 20, "fragment": 2, "icmp 8": 400, "icmp 0": 40, "icmp 3": 10, "udp": 500,
		"dns": 100, "tcp": 3000, "tcp6": 50, "SYN": 1500, "FIN": 150, "RST": 100, "icmpv6": 1,
	} {
		if kinds[kind] < least {
			t.Errorf("%d packets of %s, want at least %d", kinds[kind], kind, least)
		}
	}
}

// TestTCP follows every connection: sequence numbers go on where the last segment ended but for those that were lost,
// overtaken, or seen twice, which are few and there; and nobody acknowledges what was never sent.
func TestTCP(t *testing.T) {
	file, _ := once()
	type key struct {
		src, dst     netip.Addr
		sport, dport uint16
	}
	type sender struct {
		next  uint32
		began bool
	}
	senders := map[key]*sender{}
	segments, again, holes, unseen := 0, 0, 0, 0
	for i, f := range frames(t, file) {
		if f.proto != 6 {
			continue
		}
		seq, ack := binary.BigEndian.Uint32(f.segment[4:]), binary.BigEndian.Uint32(f.segment[8:])
		flags := f.segment[13]
		length := uint32(len(f.segment)) - uint32(f.segment[12]>>4)*4
		k := key{f.src, f.dst, f.sport, f.dst16}
		me := senders[k]
		if me == nil {
			me = &sender{}
			senders[k] = me
		}
		if flags&2 != 0 {
			if me.began && me.next != seq+1 {
				t.Fatalf("packet %d: a second SYN with another number", i)
			}
			me.next, me.began = seq+1, true
			continue
		}
		if other := senders[key{f.dst, f.src, f.dst16, f.sport}]; other != nil && other.began && flags&16 != 0 {
			if int32(ack-other.next) > 0 {
				unseen++ // the capture missed what is acknowledged
			}
		}
		if !me.began || flags&4 != 0 {
			continue
		}
		if length > 0 {
			segments++
			switch d := int32(seq - me.next); {
			case d < 0:
				again++
			case d > 0:
				holes++
			}
		}
		end := seq + length + uint32(flags&1)
		if int32(end-me.next) > 0 {
			me.next = end
		}
	}
	if segments < 2000 || again < segments/500 || again > segments/20 || holes < segments/1000 || holes > segments/20 ||
		unseen == 0 || unseen > segments/50 {
		t.Errorf("%d segments with data, %d repeated or overtaken, %d after a hole, %d acknowledge what was not seen",
			segments, again, holes, unseen)
	}
}

// TestTruth: the intervals hold the packets of their attacks, and of the flood's network nothing is outside.
func TestTruth(t *testing.T) {
	file, sum := once()
	count := map[string]int{}
	all := frames(t, file)
	for _, i := range sum.Intervals {
		src, dst := prefix(t, i.Src), prefix(t, i.Dst)
		for _, f := range all {
			if !f.at.Before(i.From) && !f.at.After(i.To) && f.src.IsValid() &&
				(src.Contains(f.src) && dst.Contains(f.dst) || src.Contains(f.dst) && dst.Contains(f.src)) {
				count[i.Class]++
			}
		}
	}
	for _, class := range Attacks {
		if count[class] < 30 {
			t.Errorf("%d packets of %s", count[class], class)
		}
	}
	flood, outside := netip.MustParsePrefix("100.64.0.0/16"), 0
	for _, f := range all {
		if f.src.IsValid() && (flood.Contains(f.src) || flood.Contains(f.dst)) {
			outside++
		}
	}
	if outside != count["flood"] {
		t.Errorf("%d packets of the flood, the truth has %d", outside, count["flood"])
	}
	var b bytes.Buffer
	if err := WriteTruth(&b, sum.Intervals); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "\n"); got != len(sum.Intervals)+1 || !strings.HasPrefix(b.String(),
		"from,to,src,dst,class\n2024-01-01 09:0") {
		t.Errorf("%d lines: %.80s", got, b.String())
	}
	s := small()
	s.Attacks = nil
	if _, sum := write(t, s); len(sum.Intervals) != 0 {
		t.Errorf("without attacks %d intervals", len(sum.Intervals))
	}
}

func prefix(t *testing.T, text string) netip.Prefix {
	t.Helper()
	if p, err := netip.ParsePrefix(text); err == nil {
		return p
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return netip.PrefixFrom(a, a.BitLen())
}

// TestCheck: what cannot be is refused, all of it at once.
func TestCheck(t *testing.T) {
	s := Scenario{Minutes: -1, Clients: 0, Rate: -2, AttackFrom: 1, Snaplen: 20, Attacks: []string{"worm"},
		Start: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	err := s.Check()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"minutes", "clients", "rate", "attack_from", "snaplen", "start", "worm"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	if _, err := s.Write(io.Discard); err == nil {
		t.Error("written all the same")
	}
}

// TestFullDisk: an error of the file is the result's.
func TestFullDisk(t *testing.T) {
	if _, err := small().Write(full{}); err == nil {
		t.Error("no error")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
