package packets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func inMemory(name string, b []byte) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// appender is a byte order that appends.
type appender interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// pcapOf is a capture of frames a second apart.
func pcapOf(o appender, magic uint32, extra int, frames ...[]byte) []byte {
	b := o.AppendUint32(nil, magic)
	b = o.AppendUint16(o.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 65535, uint32(LinkRaw)} {
		b = o.AppendUint32(b, v)
	}
	for i, f := range frames {
		for _, v := range []uint32{uint32(1000 + i), 5, uint32(len(f)), uint32(len(f) + 10)} {
			b = o.AppendUint32(b, v)
		}
		b = append(append(b, make([]byte, extra)...), f...)
	}
	return b
}

func all(r *Reader) (frames []Frame, err error) {
	for {
		var f Frame
		if err = r.Next(&f); err != nil {
			r.Close()
			return frames, err
		}
		f.Data = slices.Clone(f.Data)
		frames = append(frames, f)
	}
}

// TestPcap reads each kind of pcap, several as one stream, and one that is cut off.
func TestPcap(t *testing.T) {
	frames := [][]byte{[]byte("first"), {}, bytes.Repeat([]byte{7}, 200_000)}
	le, be := appender(binary.LittleEndian), appender(binary.BigEndian)
	for _, c := range []struct {
		order appender
		magic uint32
		extra int
		nanos int64
	}{{le, 0xa1b2c3d4, 0, 5000}, {be, 0xa1b2c3d4, 0, 5000}, {le, 0xa1b23c4d, 0, 5}, {be, 0xa1b23c4d, 0, 5},
		{le, 0xa1b2cd34, 8, 5000}} {
		one := pcapOf(c.order, c.magic, c.extra, frames...)
		r := NewReader([]File{inMemory("one", one), inMemory("two", one[:len(one)-1]), inMemory("three", one)})
		got, err := all(r)
		if !errors.Is(err, io.EOF) || len(got) != 8 || r.Cut != 1 || len(r.Warnings) != 1 {
			t.Fatalf("%x: %d frames, %v, %q", c.magic, len(got), err, r.Warnings)
		}
		for i, k := range []int{0, 1, 2, 0, 1, 0, 1, 2} {
			f := &got[i]
			if f.Number != uint64(i+1) || f.Time != int64(1000+k)*1e9+c.nanos || f.Link != LinkRaw ||
				!bytes.Equal(f.Data, frames[k]) || f.Wire != uint32(len(frames[k])+10) {
				t.Errorf("%x: frame %d: %d bytes at %d", c.magic, i, len(f.Data), f.Time)
			}
		}
	}
	for _, bad := range []string{"", "abc", "not a capture at all", "\xd4\xc3\xb2\xa1\x02"} {
		_, err := all(NewReader([]File{inMemory("bad", []byte(bad))}))
		if err == nil || !strings.Contains(err.Error(), "bad: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestBrokenDisk: what the system says of a file is the error, with the file's name.
func TestBrokenDisk(t *testing.T) {
	broken := errors.New("the disk is broken")
	whole := pcapOf(binary.LittleEndian, 0xa1b2c3d4, 0, []byte("first"))
	r := NewReader([]File{{Name: "on disk", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken))), nil
	}}})
	if got, err := all(r); len(got) != 1 || !errors.Is(err, broken) || !strings.Contains(err.Error(), "on disk") {
		t.Errorf("%d frames, %v", len(got), err)
	}
}

// block is a block of pcapng.
func block(o appender, kind uint32, body []byte) []byte {
	body = append(slices.Clone(body), make([]byte, (4-len(body)%4)%4)...)
	b := o.AppendUint32(o.AppendUint32(nil, kind), uint32(len(body)+12))
	return o.AppendUint32(append(b, body...), uint32(len(body)+12))
}

// ngOf is a section with an interface whose times are ticks as resolution says, after an offset, and one frame in each
// kind of block.
func ngOf(o appender, resolution byte, offset uint64, ticks uint64, frame []byte) []byte {
	section := o.AppendUint64(o.AppendUint16(o.AppendUint16(o.AppendUint32(nil, 0x1a2b3c4d), 1), 0), 1<<64-1)
	out := block(o, blockSection, section)
	desc := o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, uint16(LinkRaw)), 0), 0)
	desc = append(o.AppendUint16(o.AppendUint16(desc, 9), 1), resolution, 0, 0, 0)
	desc = o.AppendUint64(o.AppendUint16(o.AppendUint16(desc, 14), 8), offset)
	desc = o.AppendUint32(desc, 0)
	out = append(out, block(o, blockInterface, desc)...)
	out = append(out, block(o, 5, []byte("statistics"))...) // not known
	sizes := func(b []byte) []byte {
		b = o.AppendUint32(o.AppendUint32(b, uint32(ticks>>32)), uint32(ticks))
		return append(o.AppendUint32(o.AppendUint32(b, uint32(len(frame))), 99), frame...)
	}
	out = append(out, block(o, blockEnhanced, sizes(o.AppendUint32(nil, 0)))...)
	out = append(out, block(o, blockOld, sizes(o.AppendUint16(o.AppendUint16(nil, 0), 0)))...)
	return append(out, block(o, blockSimple, append(o.AppendUint32(nil, uint32(len(frame))), frame...))...)
}

// TestPcapng: blocks of packets, byte orders, resolutions of times, sections one after the other.
func TestPcapng(t *testing.T) {
	le, be := appender(binary.LittleEndian), appender(binary.BigEndian)
	var file []byte
	var want []int64
	for _, c := range []struct {
		order      appender
		resolution byte
		offset     uint64
		ticks      uint64
		nanos      int64
	}{
		{le, 6, 0, 1_500_000_123_456, 1_500_000_123_456_000},
		{be, 9, 0, 1_500_000_123_456_789, 1_500_000_123_456_789},
		{le, 3, 100, 2500, 102_500_000_000},
		{be, 0x80 | 10, 0, 1536, 1_500_000_000},
		{le, 12, 0, 1_999, 1},
	} {
		file = append(file, ngOf(c.order, c.resolution, c.offset, c.ticks, []byte("frame"))...)
		want = append(want, c.nanos, c.nanos, c.nanos) // a simple packet has the time of the one before
	}
	got, err := all(NewReader([]File{inMemory("ng", file)}))
	if !errors.Is(err, io.EOF) || len(got) != len(want) {
		t.Fatalf("%d frames, %v", len(got), err)
	}
	for i := range got {
		if got[i].Time != want[i] || string(got[i].Data) != "frame" || got[i].Link != LinkRaw {
			t.Errorf("frame %d: %q at %d, want %d", i, got[i].Data, got[i].Time, want[i])
		}
	}
	for cut := 29; cut < len(file); cut += 13 {
		r := NewReader([]File{inMemory("cut", file[:cut])})
		if got, err := all(r); !errors.Is(err, io.EOF) || len(got) > len(want) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}
