package flows

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/data/packets"
	"plumbline/data/rows"
)

// text is all flows of a stream as text, a line each.
func text(t testing.TB, v Vocabulary, s Settings, workers int, files ...packets.File) (string, *Report) {
	t.Helper()
	return textOver(t, v, s, workers, shardsFor(s.MaxOpen), files...)
}

// textOver is the same, with the connections in a number of tables.
func textOver(t testing.TB, v Vocabulary, s Settings, workers, tables int, files ...packets.File) (string, *Report) {
	t.Helper()
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	specs := v.Columns()
	var out strings.Builder
	tb := rows.NewBuilder(rows.Plan{Name: "test"})
	if _, err := tb.Begin(specs); err != nil {
		t.Fatal(err)
	}
	tb.Each = func(b *rows.Block) error {
		var line []byte
		for i := range b.Table.Rows {
			line = line[:0]
			for c := range b.Table.Columns {
				line = append(b.Table.Columns[c].AppendText(line, int32(i)), ' ')
			}
			out.Write(append(line, '\n'))
		}
		return nil
	}
	rep, err := newBuilder(packets.NewReader(files), v, s, specs, make([]bool, len(specs)), workers, tables,
		func(c *rows.Chunk, _ int) error { return tb.Add(c) }).run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), rep
}

func inMemory(b []byte) packets.File {
	return packets.File{Name: "memory", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	}}
}

// cutUp is a pcap file as several, cut between the frames at which says.
func cutUp(t testing.TB, file []byte, at ...int) (parts []packets.File) {
	t.Helper()
	head := file[:24]
	part := slices.Clone(head)
	frame := 0
	for rest := file[24:]; len(rest) >= 16; frame++ {
		if slices.Contains(at, frame) {
			parts = append(parts, inMemory(part))
			part = slices.Clone(head)
		}
		n := 16 + int(binary.LittleEndian.Uint32(rest[8:]))
		part = append(part, rest[:n]...)
		rest = rest[n:]
	}
	return append(parts, inMemory(part))
}

func each(t *testing.T, do func(t *testing.T, fresh func() Vocabulary)) {
	for _, name := range Names() {
		info, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { do(t, info.New) })
	}
}

// TestNoMatterHow: flows do not depend on the number of workers, nor on how the stream is cut into files; all packets
// of the capture are in them.
func TestNoMatterHow(t *testing.T) {
	whole, err := os.ReadFile(simulated(t))
	if err != nil {
		t.Fatal(err)
	}
	in, err := cutUp(t, whole, 10_000)[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, fresh func() Vocabulary) {
		ignore := false
		for _, open := range []int{DefaultMaxOpen, 40} {
			s := Settings{MaxOpen: open, Checksums: &ignore}
			want, one := text(t, fresh(), s, 1, inMemory(file))
			if one.Records < 300 || (open == 40) != (one.Evicted > 0) {
				t.Fatalf("%d open: %+v", open, one)
			}
			for _, workers := range []int{2, 16} {
				if got, rep := text(t, fresh(), s, workers, inMemory(file)); got != want {
					t.Errorf("%d open, %d workers: %d records, want %d", open, workers, rep.Records, one.Records)
				}
			}
			got, rep := text(t, fresh(), s, 2, cutUp(t, file, 1, 100, 101, 5000)...)
			if sortLines(got) != sortLines(want) {
				t.Errorf("%d open, in five files: %d records, want %d", open, rep.Records, one.Records)
			}
			s.Joined = true
			if got, _ := text(t, fresh(), s, 2, cutUp(t, file, 1, 100, 101, 5000)...); got != want {
				t.Errorf("%d open, five files as one: other records, or in another order", open)
			}
		}
	})
}

func sortLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// small packets for the table: few addresses and ports, so that connections meet.
type fuzzPackets struct{ b []byte }

// capture makes a pcap of bytes: eight for a packet.
func (f fuzzPackets) capture() []byte {
	le := binary.LittleEndian
	out := le.AppendUint32(nil, 0xa1b2c3d4)
	out = append(out, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = le.AppendUint32(le.AppendUint32(out, 65535), uint32(packets.LinkRaw))
	now := uint64(1_700_000_000_000_000)
	for b := f.b; len(b) >= 8; b = b[8:] {
		now += uint64(b[0]) * uint64(b[0]) * uint64(b[0]) * 60 // up to 16 minutes
		if b[1]&0x80 != 0 {
			now -= uint64(b[1]&0x0f) * 1e5
		}
		length := int(b[5] & 0x3f)
		var transport []byte
		proto := []byte{packets.TCP, packets.TCP, packets.TCP, packets.UDP, packets.ICMP, packets.SCTP}[b[1]%6]
		src, dst := uint16(1000+int(b[2]&3)), []uint16{80, 53, 1000, 443}[b[2]>>2&3]
		a, z := b[2]>>4&1, b[2]>>5&1
		if b[2]&0x40 != 0 {
			src, dst, a, z = dst, src, z, a
		}
		be := binary.BigEndian
		ports := be.AppendUint16(be.AppendUint16(nil, src), dst)
		switch proto {
		case packets.TCP:
			transport = be.AppendUint32(be.AppendUint32(ports, 1000+uint32(b[3])*7), uint32(b[4])*7)
			transport = append(transport, 5<<4, b[6], 0, b[7], 0, 0, 0, 0)
		case packets.UDP:
			transport = be.AppendUint16(be.AppendUint16(ports, uint16(8+length)), 0)
		case packets.ICMP:
			transport = []byte{b[3] & 15, b[4] & 3, 0, 0, 0, b[6] & 1, 0, 1}
		default:
			transport = append(ports, make([]byte, 8)...)
		}
		packet := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(transport)+length))
		packet = append(packet, 0, b[6], 0, 0, 64, proto, 0, 0, 10, 0, 0, 1+a, 10, 0, 0, 2+z)
		if b[7]&0xc0 == 0xc0 { // a fragment
			packet[6], packet[7] = 0x20*(b[7]>>5&1), b[7]&1
		}
		packet = append(append(packet, transport...), make([]byte, length)...)
		for _, v := range []uint32{uint32(now / 1e6), uint32(now % 1e6), uint32(len(packet)), uint32(len(packet))} {
			out = le.AppendUint32(out, v)
		}
		out = append(out, packet...)
	}
	return out
}

// FuzzTable makes flows of packets that meet often, in one of the vocabularies: none panics, every packet is in one
// record, and neither workers nor files make a difference.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 10, 0, 0, 2, 1, 1, 0, 0x40, 90, 0x20, 0, 0x12, 1, 1, 0, 0, 10, 90, 0, 0x10, 1, 2, 0, 0, 11, 90,
		20, 0x18, 1, 2, 0, 0, 60, 90, 0, 0x11, 1, 2, 0, 0x40, 91, 60, 0, 0x11, 1}, byte(0))
	f.Add(bytes.Repeat([]byte{100, 3, 5, 0, 0, 9, 0, 0, 250, 4, 1, 8, 0, 4, 1, 0}, 4), byte(0x11))
	f.Add(bytes.Repeat([]byte{1, 0x85, 0x42, 7, 7, 63, 4, 0xe1}, 9), byte(0x22))
	// a file that ends when a connection is due, and a packet of it that is older
	f.Add([]byte("\x00\x00\x00\n,,,,,,@Z \x00\x12\x01\x01\xfb\x00\nZ\x00\x10\x01\x02\x00\x00\vZ3<\x01"), byte(0xb5))
	f.Fuzz(func(t *testing.T, b []byte, limit byte) {
		if len(b) > 8*512 {
			return
		}
		file := fuzzPackets{b}.capture()
		ignore := false
		s := Settings{MaxOpen: 1 + int(limit%16), Checksums: &ignore}
		if limit >= 128 {
			s.MaxOpen = DefaultMaxOpen // sixteen tables
		}
		names := Names()
		name := names[int(limit>>4)%len(names)]
		info, _ := Lookup(name)
		want, rep := text(t, info.New(), s, 1, inMemory(file))
		if got := strings.Count(want, "\n"); uint64(got) != rep.Records {
			t.Fatalf("%s: %d lines, %d records", name, got, rep.Records)
		}
		got, _ := textOver(t, info.New(), s, 3, 16, inMemory(file))
		if got != want {
			t.Fatalf("%s: other flows with three workers and sixteen tables:\n%s\nwant\n%s", name, got, want)
		}
		got, _ = text(t, info.New(), s, 2, cutUp(t, file, 1, 2, 5)...)
		if sortLines(got) != sortLines(want) {
			t.Fatalf("%s: other flows of four files:\n%s\nwant\n%s", name, got, want)
		}
		s.Joined = true
		if got, _ = text(t, info.New(), s, 2, cutUp(t, file, 1, 2, 5)...); got != want {
			t.Fatalf("%s: other flows of four files as one:\n%s\nwant\n%s", name, got, want)
		}
		counting := &counter{}
		text(t, counting, s, 2, inMemory(file))
		if counting.recorded != counting.seen.Load() {
			t.Fatalf("%d packets in records, %d were seen", counting.recorded, counting.seen.Load())
		}
	})
}

// counter is a vocabulary that checks what the table does with its connections.
type counter struct {
	seen     atomic.Uint64
	recorded uint64
}

func (k *counter) Check() error               { return nil }
func (k *counter) Columns() []rows.ColumnSpec { return rows.Columns("number number") }
func (k *counter) Policy() Policy {
	return Policy{Fragments: packets.FollowFragments, Active: 60e9, Continue: true, TCP: true, Turns: true,
		Idle:   func(*Conn) time.Duration { return 30 * time.Second },
		Begins: func(c *Conn, p *packets.Packet, _ Side) bool { return c.Proto == packets.TCP && c.Reused(p) },
		Ends:   func(c *Conn, p *packets.Packet, _ Side) bool { return p.Flags&packets.RST != 0 }}
}

func (k *counter) Accumulators() Accumulators { return &countedFlows{k: k} }

// countedFlows uses accumulators again, as vocabularies do.
type countedFlows struct {
	k *counter
	pool[counted]
}

func (p *countedFlows) Close(a Accumulator) { p.put(a.(*counted)) }

func (p *countedFlows) Open(c *Conn, _ Accumulator) Accumulator {
	if c.Packets() > 1 {
		panic("opened late")
	}
	own := p.get()
	own.k = p.k
	return own
}

type counted struct {
	k     *counter
	sides [2]uint64
}

func (a *counted) Packet(c *Conn, p *packets.Packet, from Side) {
	a.k.seen.Add(1)
	a.sides[from]++
	if c.Addr[from] != p.Src || c.Addr[from^1] != p.Dst {
		panic("the packet of another connection")
	}
}

func (k *counter) Record(c *Conn, w *Row) {
	own := c.Own.(*counted)
	if c.Packets() != own.sides[0]+own.sides[1] {
		panic(fmt.Sprintf("%d packets, the accumulator has %v", c.Packets(), own.sides))
	}
	if c.Last < c.First || c.Began > c.Last && c.Records == 0 {
		panic("a record that ends before it begins")
	}
	k.recorded += c.Packets()
	w.Count(c.Number)
}

// TestEvicted: with one connection at a time, each one that is met anew is a flow of its own.
func TestEvicted(t *testing.T) {
	var b []byte
	for i := range 6 {
		b = append(b, 0, 3, byte(i%2), 0, 0, 1, 0, 0)
	}
	zeek, _ := Lookup("zeek")
	ignore := false
	got, rep := text(t, zeek.New(), Settings{MaxOpen: 1, Checksums: &ignore}, 2, inMemory(fuzzPackets{b}.capture()))
	if rep.Flows != 6 || rep.Evicted != 5 || strings.Count(got, "\n") != 6 {
		t.Errorf("%+v", rep)
	}
	if says := strings.Join(rep.Says(), "\n"); !strings.Contains(says, "5 connections ended early") {
		t.Errorf("%q", says)
	}
}

// TestSinkFails: the error of whoever takes the rows ends the work.
func TestSinkFails(t *testing.T) {
	full := errors.New("the disk is full")
	file := fuzzPackets{bytes.Repeat([]byte{200, 3, 0, 0, 0, 1, 0, 0}, 2000)}.capture()
	v := &Zeek{TCPIdle: 1, UDPIdle: 1, ICMPIdle: 1, Attempt: 1, Close: 1}
	s := Settings{MaxOpen: 100, Checksums: new(bool)}
	_, err := Build(context.Background(), packets.NewReader([]packets.File{inMemory(file)}), v, s,
		v.Columns(), make([]bool, 21), 2, func(*rows.Chunk, int) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Build(ctx, packets.NewReader([]packets.File{inMemory(file)}), v, s, v.Columns(),
		make([]bool, 21), 2, func(*rows.Chunk, int) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestWheelJumps: connections end on time when the clock of the capture jumps by years.
func TestWheelJumps(t *testing.T) {
	for _, jump := range []int64{1, 59, 61, 600, 1e6, 1e9} {
		v := &Zeek{TCPIdle: 300, UDPIdle: 60, ICMPIdle: 60, Attempt: 5, Close: 5}
		out := &outbox{}
		table := newTable(v, v.Policy(), &room{}, out)
		p := packets.Packet{Proto: packets.UDP, Version: 4, SrcPort: 1, DstPort: 2, IPLen: 28, PayloadLen: 0, Number: 1}
		k := table.policy.keyOf(&p)
		table.packet(&p, &k)
		table.tick(jump * 1e9)
		if got, want := len(out.take()), jump >= 60; got == 1 != want {
			t.Errorf("after %d s: %d ended", jump, got)
		}
		table.finish(math.MaxInt64)
		if table.open != 0 {
			t.Errorf("%d open at the end", table.open)
		}
	}
}

// TestBefore1970: times before that are times like others.
func TestBefore1970(t *testing.T) {
	var c Conn
	var s Traffic
	for _, at := range []int64{-5e9, -3e9, -4e9} {
		c.count(&s, &packets.Packet{Time: at})
	}
	if s.First != -5e9 || s.Last != -3e9 {
		t.Errorf("from %d to %d", s.First, s.Last)
	}
}
