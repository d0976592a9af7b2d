package netflow

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/data/netflow/netflowtest"
	"plumbline/data/nfcapd"
)

var exporter4 = netip.MustParseAddr("127.0.0.1")

// realFlows are those of the shared nfcapd file, whose reader is held to nfdump's listing in package nfcapd.
func realFlows(t testing.TB) (flows []nfcapd.Flow, file string) {
	t.Helper()
	root := os.Getenv("PLUMBLINE_DATA")
	file = filepath.Join(root, "nfdump", "portscan.nfcapd")
	f, err := os.Open(file)
	if root == "" || errors.Is(err, os.ErrNotExist) {
		if os.Getenv("PLUMBLINE_REQUIRE_DATA") != "" {
			t.Fatalf("no %s", file)
		}
		t.Skip("no nfcapd file in $PLUMBLINE_DATA")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := nfcapd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var x nfcapd.Flow
		err := r.Next(&x)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, x)
	}
	if len(flows) < 1000 {
		t.Fatalf("%d flows", len(flows))
	}
	return flows, file
}

// sent is what of a flow the packets of the tests carry.
func sent(f nfcapd.Flow, version uint16) nfcapd.Flow {
	out := nfcapd.Flow{First: f.First, Last: f.Last, Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort,
		Proto: f.Proto, Flags: f.Flags, Tos: f.Tos, Packets: f.Packets, Bytes: f.Bytes, Input: f.Input, Output: f.Output,
		SrcAS: f.SrcAS, DstAS: f.DstAS}
	if version == 5 {
		out.SrcMask, out.DstMask = f.SrcMask, f.DstMask
		return out
	}
	out.OutPackets, out.OutBytes, out.SrcVLAN, out.Direction = f.OutPackets, f.OutBytes, f.SrcVLAN, f.Direction
	return out
}

// got is a received flow without what the receiver adds.
func got(f nfcapd.Flow) nfcapd.Flow {
	f.Received, f.Exporter, f.NextHop, f.EngineType, f.EngineID = 0, netip.Addr{}, netip.Addr{}, 0, 0
	return f
}

func decode(t testing.TB, c *Collector, list [][]byte) (out []nfcapd.Flow) {
	t.Helper()
	for i, p := range list {
		flows, err := c.Decode(p, exporter4, time.UnixMilli(1_800_000_000_000))
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		out = append(out, flows...)
	}
	return out
}

// TestFlowsOfFile: packets made of the flows of a file give these flows, in each version.
func TestFlowsOfFile(t *testing.T) {
	flows, _ := realFlows(t)
	for _, version := range []uint16{5, 9, 10} {
		var want []nfcapd.Flow
		for _, f := range flows {
			if version != 5 || f.Src.Is4() && f.Packets < 1<<32 && f.Bytes < 1<<32 {
				want = append(want, sent(f, version))
			}
		}
		c := NewCollector()
		var list []nfcapd.Flow
		if version == 5 {
			list = decode(t, c, netflowtest.Packets5(want))
		} else {
			list = decode(t, c, netflowtest.Packets(version, want))
		}
		if len(list) != len(want) || len(want) < 1000 {
			t.Fatalf("version %d: %d flows, want %d", version, len(list), len(want))
		}
		for i := range want {
			if list[i].Exporter != exporter4 || list[i].Received != 1_800_000_000_000 {
				t.Fatalf("version %d: exporter %v, received %d", version, list[i].Exporter, list[i].Received)
			}
			if d := cmp.Diff(want[i], got(list[i]), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
				t.Fatalf("version %d, flow %d (-want +got)\n%s", version, i, d)
			}
		}
		if c.Counts.Lost != 0 || c.Counts.NoTemplate != 0 || c.Counts.Flows != int64(len(want)) {
			t.Errorf("version %d: %+v", version, c.Counts)
		}
	}
}

// TestNfreplay: what nfreplay 1.7.1 sends of the file, by its own encoder of NetFlow v9 and v5, are the flows that
// nfdump -o csv lists of it.
func TestNfreplay(t *testing.T) {
	if testing.Short() {
		t.Skip("nfreplay waits between packets")
	}
	flows, file := realFlows(t)
	program, err := exec.LookPath("nfreplay")
	if err != nil {
		if os.Getenv("PLUMBLINE_PROGRAMS") == "required" {
			t.Fatalf("nfreplay is required: %v", err)
		}
		t.Skip("no nfreplay (.ci/programs installs it)")
	}
	listed := listing(t, filepath.Join(filepath.Dir(file), "portscan.nfdump-1.7.1.csv.gz"))
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadBuffer(16 << 20)
	port := strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
	again := filepath.Join(t.TempDir(), "again.nfcapd") // nfreplay reads the layout of nfdump 1.7 alone
	if out, err := exec.Command("nfdump", "-q", "-r", file, "-w", again).CombinedOutput(); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	cmd := exec.Command(program, "-r", again, "-H", "127.0.0.1", "-p", port, "-v", "9", "-d", "50")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	c := NewCollector()
	keys := map[string]int{}
	n := 0
	buf := make([]byte, 1<<16)
	for n < len(flows) {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		k, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatalf("%d of %d flows: %v; %+v", n, len(flows), err, c.Counts)
		}
		list, err := c.Decode(buf[:k], from.Addr(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			keys[key(&f)]++
			n++
		}
	}
	for i := range listed {
		keys[listed[i]]--
	}
	wrong := 0
	for k, left := range keys {
		if left != 0 {
			if wrong++; wrong < 5 {
				t.Errorf("%s: %+d", k, left)
			}
		}
	}
	if wrong > 0 || len(listed) < 1000 {
		t.Errorf("%d kinds of flows of %d differ", wrong, len(listed))
	}
}

// key is what nfdump lists of a flow and nfreplay sends: times to the millisecond, ends, protocol, packets and bytes.
func key(f *nfcapd.Flow) string {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") }
	return strings.Join([]string{at(f.First), at(f.Last), f.Src.String(), f.Dst.String(), strconv.Itoa(int(f.SrcPort)),
		strconv.Itoa(int(f.DstPort)), nfcapd.FlagText(f.Flags), strconv.FormatUint(f.Packets, 10),
		strconv.FormatUint(f.Bytes, 10)}, " ")
}

// listing is the keys of the flows that nfdump lists.
func listing(t *testing.T, file string) (out []string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	for _, l := range lines[1:] {
		if len(l) != len(lines[0]) {
			break // the summary
		}
		var parts []string
		for _, name := range []string{"ts", "te", "sa", "da", "sp", "dp", "flg", "ipkt", "ibyt"} {
			parts = append(parts, l[at[name]])
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// flow4 is a flow by hand.
var flow4 = nfcapd.Flow{First: 1_700_000_000_123, Last: 1_700_000_001_456, Src: netip.MustParseAddr("10.0.0.5"),
	Dst: netip.MustParseAddr("192.0.2.7"), SrcPort: 50123, DstPort: 443, Proto: 6, Flags: 0x1b, Packets: 10, Bytes: 4000}

// TestTemplates: flows before their template are counted, those after it read; exporters have templates of their own;
// what exporters number and does not come is counted.
func TestTemplates(t *testing.T) {
	for _, version := range []uint16{9, 10} {
		list := netflowtest.Packets(version, []nfcapd.Flow{flow4, flow4})
		c := NewCollector()
		if flows := decode(t, c, list[1:]); len(flows) != 0 || c.Counts.NoTemplate != 1 {
			t.Errorf("version %d: %d flows without a template: %+v", version, len(flows), c.Counts)
		}
		if flows, err := c.Decode(list[0], netip.MustParseAddr("192.0.2.99"), time.Now()); err != nil || flows != nil {
			t.Error(flows, err)
		}
		if flows := decode(t, c, list[1:]); len(flows) != 0 {
			t.Errorf("version %d: the template of another exporter is used", version)
		}
		c = NewCollector()
		if flows := decode(t, c, list); len(flows) != 2 || c.Counts.Lost != 0 {
			t.Errorf("version %d: %d flows, %+v", version, len(flows), c.Counts)
		}
		more := netflowtest.Packets(version, []nfcapd.Flow{flow4})
		binary.BigEndian.PutUint32(more[1][map[uint16]int{9: 12, 10: 8}[version]:], 12)
		decode(t, c, more[1:])
		if c.Counts.Lost != 10 {
			t.Errorf("version %d: %d lost, want 10", version, c.Counts.Lost)
		}
	}
}

// TestSampling by hand: options announce that one packet in 100 was looked at: of the sampler that a flow names, or of
// all of the domain.
func TestSampling(t *testing.T) {
	for _, version := range []uint16{9, 10} {
		var options []byte
		if version == 9 { // template 400: scope system (1) of 4 bytes; sampler 48, rate 50
			body := []byte{1, 144, 0, 4, 0, 8, 0, 1, 0, 4, 0, 48, 0, 1, 0, 50, 0, 4}
			options = netflowtest.Set(1, body)
		} else { // template 400: 3 fields, one of scope (130 exporter)
			body := []byte{1, 144, 0, 3, 0, 1, 0, 130, 0, 4, 0, 48, 0, 1, 0, 50, 0, 4}
			options = netflowtest.Set(3, body)
		}
		data := netflowtest.Set(400, []byte{127, 0, 0, 1, 0, 0, 0, 0, 100})
		list := netflowtest.Packets(version, []nfcapd.Flow{flow4})
		list = append([][]byte{netflowtest.Message(version, 1_700_000_010, 1, 0, options, data)}, list...)
		flows := decode(t, NewCollector(), list)
		if len(flows) != 1 || flows[0].Packets != 1000 || flows[0].Bytes != 400_000 {
			t.Errorf("version %d: %+v", version, flows)
		}
	}
	five := netflowtest.Packets5([]nfcapd.Flow{flow4})
	binary.BigEndian.PutUint16(five[0][22:], 1<<14|50)
	if flows := decode(t, NewCollector(), five); flows[0].Packets != 500 {
		t.Errorf("version 5: %d packets, want 500", flows[0].Packets)
	}
}

// TestBounds: more exporters and templates than are kept are refused and counted; templates without bytes are not kept.
func TestBounds(t *testing.T) {
	c := NewCollector()
	list := netflowtest.Packets(9, []nfcapd.Flow{flow4})
	for i := range mostExporters + 10 {
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if _, err := c.Decode(list[0], from, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.exporters) != mostExporters || c.Counts.Refused != 10 {
		t.Errorf("%d exporters, %+v", len(c.exporters), c.Counts)
	}
	c = NewCollector()
	for id := range mostTemplates + 10 {
		decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0,
			netflowtest.Template(10, uint16(256+id), netflowtest.Fields(10, false)))})
	}
	if n := len(c.exporters[exporter4].templates.known); n != mostTemplates || c.Counts.Refused != 10 {
		t.Errorf("%d templates, %+v", n, c.Counts)
	}
	if size := c.exporters[exporter4].size(); c.left != mostKept-size || size <= mostTemplates {
		t.Errorf("%d of %d are left, %d are kept", c.left, mostKept, size)
	}
	empty := netflowtest.Set(2, []byte{1, 44, 0, 1, 0, 8, 0, 0}) // template 300 with one field of no bytes
	c = NewCollector()
	decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0, empty, netflowtest.Set(300, []byte{1, 2, 3, 4}))})
	if c.Counts.NoTemplate != 1 {
		t.Errorf("%+v", c.Counts)
	}
	for _, bad := range [][]byte{nil, []byte("no packet of any kind"), list[0][:18]} {
		if _, err := c.Decode(bad, exporter4, time.Now()); !errors.Is(err, ErrPacket) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestIdle: an exporter that has been silent for an hour makes room for another, one that has not does not; what all
// exporters are remembered for has a bound, and what is withdrawn or forgotten is given back.
func TestIdle(t *testing.T) {
	c := NewCollector()
	at := time.UnixMilli(1_800_000_000_000)
	list := netflowtest.Packets(9, []nfcapd.Flow{flow4})
	send := func(i int, at time.Time) {
		t.Helper()
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if _, err := c.Decode(list[0], from, at); err != nil {
			t.Fatal(err)
		}
	}
	for i := range mostExporters {
		send(i, at)
	}
	per := (mostKept - c.left) / mostExporters
	at = at.Add(idle / 2)
	send(mostExporters, at) // all others were heard half an hour ago
	for i := range 100 {
		send(i, at)
	}
	at = at.Add(idle/2 + time.Minute)
	send(mostExporters, at)
	send(mostExporters+1, at)
	if n := len(c.exporters); n != 102 || c.Counts.Refused != 1 || c.Counts.Forgotten != mostExporters-100 ||
		c.left != mostKept-n*per || per < 2 {
		t.Errorf("%d exporters of %d each, %d left, %+v", n, per, mostKept-c.left, c.Counts)
	}
	c = NewCollector()
	template := netflowtest.Template(10, 300, netflowtest.Fields(10, false))
	decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0, template)})
	kept := c.left
	decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0, template)})
	if c.left != kept {
		t.Errorf("a template that comes again: %d left, then %d", kept, c.left)
	}
	decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0, netflowtest.Set(2, []byte{1, 44, 0, 0}))})
	if len(c.exporters[exporter4].templates.known) != 0 || c.left != mostKept-1 { // the sequence number stays
		t.Errorf("withdrawn: %d of %d left", c.left, mostKept)
	}
	c.left = 1
	decode(t, c, [][]byte{netflowtest.Message(10, 1, 0, 0, template)})
	if len(c.exporters[exporter4].templates.known) != 0 || c.Counts.Refused != 1 {
		t.Errorf("a template for which there is no room: %+v", c.Counts)
	}
}

// FuzzDecode: any packets give flows or errors, in memory that is bounded by their size.
func FuzzDecode(f *testing.F) {
	for _, version := range []uint16{9, 10} {
		list := netflowtest.Packets(version, []nfcapd.Flow{flow4, flow4})
		f.Add(list[0], list[1])
	}
	five := netflowtest.Packets5([]nfcapd.Flow{flow4})
	f.Add(five[0], five[0])
	f.Fuzz(func(t *testing.T, one, two []byte) {
		c := NewCollector()
		for _, p := range [][]byte{one, two, one} {
			flows, err := c.Decode(p, exporter4, time.UnixMilli(1_800_000_000_000))
			if err != nil && !errors.Is(err, ErrPacket) {
				t.Error(err)
			}
			if len(flows) > len(p) {
				t.Errorf("%d flows of %d bytes", len(flows), len(p))
			}
		}
	})
}
