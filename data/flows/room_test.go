package flows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"plumbline/data/packets"
	"plumbline/data/rows"
	"plumbline/data/synth/capture"
)

// office is a simulated capture of a minute.
func office(t *testing.T) []byte {
	t.Helper()
	s := capture.Default()
	s.Minutes, s.Clients, s.Rate, s.AttackFrom, s.Snaplen = 1, 8, 3, 0.3, 128
	var b bytes.Buffer
	if _, err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// built is the flows of captures over a number of tables, by number, a line each, and how many connections were open at
// most, which is looked at with each packet where there is one worker.
func built(t *testing.T, v Vocabulary, open, workers, tables int, files ...packets.File) (lines string, most int,
	rep *Report) {
	t.Helper()
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	ignore := false
	specs := v.Columns()
	var out strings.Builder
	b := newBuilder(packets.NewReader(files), v, Settings{MaxOpen: open, Checksums: &ignore, Joined: true}, specs,
		make([]bool, len(specs)), workers, tables, func(c *rows.Chunk, _ int) error {
			for i, n := range c.Lines {
				fmt.Fprint(&out, n)
				for k := range c.Columns {
					if col := &c.Columns[k]; col.Num != nil {
						fmt.Fprint(&out, " ", col.Num[i])
					}
				}
				fmt.Fprintln(&out)
			}
			return nil
		})
	for _, table := range b.tables {
		ends := table.policy.Ends
		table.policy.Ends = func(c *Conn, p *packets.Packet, from Side) bool {
			if workers == 1 {
				n := 0
				for _, t := range b.tables {
					n += t.open
				}
				most = max(most, n)
			}
			return ends != nil && ends(c, p, from)
		}
	}
	rep, err := b.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), most, rep
}

// TestRoom: sixteen tables with one bound make the flows of one table with that bound, whatever the number of workers
// and files, and no more connections than that are ever open.
func TestRoom(t *testing.T) {
	file := office(t)
	for _, name := range []string{"zeek", "cic"} {
		info, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []int{1, 3, 40, 150, 700} {
			want, most, one := built(t, info.New(), open, 1, 1, inMemory(file))
			if most > open || one.Evicted == 0 != (most < open) {
				t.Fatalf("%s: %d open of %d, %d had to go", name, most, open, one.Evicted)
			}
			got, most, rep := built(t, info.New(), open, 1, 16, inMemory(file))
			if most > open || got != want || rep.Evicted != one.Evicted {
				t.Errorf("%s: %d open of %d in sixteen tables, %d had to go, %d in one", name, most, open, rep.Evicted,
					one.Evicted)
			}
			for _, workers := range []int{2, 5} {
				if got, _, rep := built(t, info.New(), open, workers, 16, cutUp(t, file, 1, 700, 701)...); got != want {
					t.Errorf("%s: %d open, %d workers: other flows; %d had to go, want %d", name, open, workers, rep.Evicted,
						one.Evicted)
				}
			}
		}
	}
}

// TestRoomFails: workers that wait for each other end where one of them fails.
func TestRoomFails(t *testing.T) {
	file := office(t)
	v := &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5}
	specs := v.Columns()
	b := newBuilder(packets.NewReader([]packets.File{inMemory(file)}), v, Settings{MaxOpen: 10}, specs,
		make([]bool, len(specs)), 4, 16, func(*rows.Chunk, int) error { return nil })
	b.tables[7].policy.Begins = func(*Conn, *packets.Packet, Side) bool { panic("no such connection") }
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "no such connection") {
			t.Errorf("%v", r)
		}
	}()
	_, err := b.run(context.Background())
	t.Errorf("no panic, %v", err)
}

// datagrams is a pcap file of n datagrams from a port each; times are in milliseconds.
func datagrams(n int, at func(i int) int64, port func(i int) uint16) []byte {
	frames := make([][]byte, n)
	for i := range frames {
		frames[i] = ip4(packets.UDP, false, be16(port(i), 2000, 8, 0))
	}
	return capturedAt(packets.LinkRaw, at, frames)
}

// TestClockThatJumps: files in the wrong order, and single frames of another time, end no connection.
func TestClockThatJumps(t *testing.T) {
	const start = int64(1_700_000_000_000)
	steady, one := func(i int) int64 { return start + int64(i) }, func(int) uint16 { return 1000 }
	strange := func(wrong int64) []byte {
		const which = 1500
		return datagrams(3000, func(i int) int64 {
			if i == which {
				return wrong
			}
			return steady(i)
		}, func(i int) uint16 {
			if i == which {
				return 7
			}
			return one(i)
		})
	}
	long := datagrams(40_000, steady, one)
	after := datagrams(10, func(i int) int64 { return start + 48*3600*1000 + int64(i) },
		func(i int) uint16 { return 3000 + uint16(i) })
	for _, c := range []struct {
		name    string
		files   [][]byte
		flows   uint64
		packets string // of the connection that goes on
		jumps   uint64
	}{
		{"in order", [][]byte{long, after}, 11, "40000", 1},
		{"the later one first", [][]byte{after, long}, 11, "40000", 1},
		{"a frame of 2100", [][]byte{strange(4_102_444_800_000)}, 2, "2999", 1},
		{"a frame without a time", [][]byte{strange(0)}, 2, "2999", 1},
	} {
		var files []packets.File
		for _, f := range c.files {
			files = append(files, inMemory(f))
		}
		checksums := false
		got, rep := build(t, &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5},
			Settings{MaxOpen: DefaultMaxOpen, Checksums: &checksums, Joined: true}, 2, packets.NewReader(files))
		found := 0
		for _, r := range got {
			if r["id.orig_p"] == "1000" && r["orig_pkts"] == c.packets {
				found++
			}
		}
		if rep.Flows != c.flows || found != 1 || rep.Jumps != c.jumps {
			t.Errorf("%s: %d flows, %d of %s packets, %d jumps", c.name, rep.Flows, found, c.packets, rep.Jumps)
		}
	}
}

// largeFrames gives a capture of frames of 250 KB each that hold no packet, all of one second, and looks at the memory
// when most of it was read.
type largeFrames struct {
	left, looked int
	rest         []byte
	frame        []byte
	look         func()
}

func (l *largeFrames) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.left == 0 {
			return 0, io.EOF
		}
		if l.left--; l.left == l.looked {
			l.look()
		}
		l.rest = l.frame
	}
	n := copy(b, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *largeFrames) Close() error { return nil }

// TestLargeFrames: what waits to be looked at is bounded by its bytes, not by the number of packets alone.
func TestLargeFrames(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	head := captured(packets.LinkEthernet)
	frame := captured(packets.LinkEthernet, make([]byte, 250_000))[len(head):]
	before, most := heap(), uint64(0)
	in := &largeFrames{left: 600, looked: 20, rest: head, frame: frame, look: func() { most = heap() }}
	v := &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5}
	specs := v.Columns()
	file := packets.File{Name: "large", Open: func() (io.ReadCloser, error) { return in, nil }}
	rep, err := Build(context.Background(), packets.NewReader([]packets.File{file}), v, Settings{MaxOpen: 100}, specs,
		make([]bool, len(specs)), 1, func(*rows.Chunk, int) error { return nil })
	if err != nil || rep.NotIP != 600 {
		t.Fatalf("%v, %+v", err, rep)
	}
	if most == 0 || most > before+80<<20 {
		t.Errorf("%d bytes more after 145 MB", most-before)
	}
}

// TestSilenceLongerThanTheWheel: a connection whose time-out is longer than the silence of the capture, which is longer
// than the wheel goes round, ends on time after it.
func TestSilenceLongerThanTheWheel(t *testing.T) {
	v := &Zeek{TCPIdle: 20_000, UDPIdle: 10_000, ICMPIdle: 60, Attempt: 5, Close: 5}
	out := &outbox{}
	table := newTable(v, v.Policy(), &room{}, out)
	packet := func(at int64, port uint16) {
		p := packets.Packet{Proto: packets.UDP, Version: 4, SrcPort: port, DstPort: 2, IPLen: 28, Number: uint64(port),
			Time: at * 1e9}
		k := table.policy.keyOf(&p)
		table.packet(&p, &k)
	}
	packet(1000, 1)
	table.tick(1000e9)
	table.tick(9990e9) // nothing came for 8,990 seconds
	packet(9990, 2)
	table.tick(11_000e9)
	if got := out.take(); len(got) != 1 || got[0].number != 1 {
		t.Errorf("%d ended of the one that is due", len(got))
	}
	// put back by hours: what comes then ends on time
	table.tick(5000e9)
	packet(5000, 3)
	table.tick(15_001e9)
	if got := out.take(); len(got) != 1 || got[0].number != 3 {
		t.Errorf("%d ended of the one that is due after the clock was put back", len(got))
	}
	if table.tick(19_990e9); table.open != 0 {
		t.Errorf("%d are left", table.open)
	}
}

// TestPieces: how many pieces of TCP data after holes wait is counted over all connections, and goes back to nothing.
func TestPieces(t *testing.T) {
	info, _ := Lookup("zeek")
	v := info.New()
	out := &outbox{}
	table := newTable(v, v.Policy(), &room{}, out)
	n := uint64(0)
	send := func(port uint16, seq uint32, flags packets.TCPFlags, back bool, length int) {
		n++
		p := packets.Packet{Proto: packets.TCP, Version: 4, SrcPort: port, DstPort: 80, IPLen: uint32(40 + length),
			PayloadLen: uint32(length), Payload: make([]byte, length), Seq: seq, Ack: 1, Flags: flags, Window: 1, Number: n,
			Time: int64(time.Second)}
		p.Src[15], p.Dst[15] = 1, 2
		if back {
			p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
		}
		k := table.policy.keyOf(&p)
		table.packet(&p, &k)
	}
	for port := uint16(1000); port < 1004; port++ {
		send(port, 0, packets.SYN, false, 0)
		send(port, 0, packets.SYN|packets.ACK, true, 0)
		for i := range uint32(50) {
			send(port, 11+20*i, packets.ACK, false, 10) // with holes between
		}
	}
	if table.pieces != 200 {
		t.Fatalf("%d pieces, want 200", table.pieces)
	}
	for i := range uint32(50) { // the holes of the first are filled
		send(1000, 1+20*i, packets.ACK, false, 10)
	}
	if table.pieces != 150 {
		t.Errorf("%d pieces, want 150", table.pieces)
	}
	table.pieces += mostPieces - 150 // as if others had all the rest
	send(1001, 2001, packets.ACK, false, 10)
	if table.pieces != mostPieces-50 {
		t.Errorf("%d pieces, want %d", table.pieces, mostPieces-50)
	}
	table.finish(0)
	if table.pieces != mostPieces-150 {
		t.Errorf("%d pieces of connections that ended", table.pieces-mostPieces+150)
	}
}

// TestThroughputOfHugeFrames: a frame may say that it had 4 GB: rates of such do not come round to small ones.
func TestThroughputOfHugeFrames(t *testing.T) {
	var c Conn
	c.Side = [2]*Traffic{{IPBytes: 1 << 52, Packets: 1}, {IPBytes: 1000, Packets: 1}}
	c.TCP, c.Proto, c.Last = &noTCP, packets.UDP, 2e6
	v := &NetFlow{Layout: "nf-v2"}
	specs := v.Columns()
	w := &Row{specs: specs, skip: make([]bool, len(specs)), chunk: rows.NewChunk(specs, make([]bool, len(specs)))}
	w.init()
	(&nfV2Flow{}).record(&c, w)
	for i, s := range specs {
		want, ok := map[string]float64{"SRC_TO_DST_AVG_THROUGHPUT": 1 << 52 * 4000.0,
			"DST_TO_SRC_AVG_THROUGHPUT": 4e6}[s.Name]
		if ok && w.chunk.Columns[i].Num[0] != want {
			t.Errorf("%s is %v, want %v", s.Name, w.chunk.Columns[i].Num[0], want)
		}
	}
}
