package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"plumbline/data/packets"
)

// sample is a frame of a small capture.
type sample struct {
	time int64 // nanoseconds after the capture's first frame
	wire uint32
	data []byte // of an Ethernet frame
}

// load reads a capture. Frames of other link types than Ethernet and raw IP are left out.
func load(path string) (frames []sample, span int64, err error) {
	r := packets.NewReader([]packets.File{{Name: path, Open: func() (io.ReadCloser, error) { return os.Open(path) }}})
	defer r.Close()
	var f packets.Frame
	first := int64(0)
	for {
		err := r.Next(&f)
		if errors.Is(err, io.EOF) {
			return frames, span, nil
		}
		if err != nil {
			return nil, 0, err
		}
		var data []byte
		switch f.Link {
		case packets.LinkEthernet:
		case packets.LinkRaw:
			data = append(make([]byte, 12), 8, 0)
			if len(f.Data) > 0 && f.Data[0]>>4 == 6 {
				data[12], data[13] = 0x86, 0xdd
			}
		default:
			continue
		}
		if len(frames) == 0 {
			first = f.Time
		}
		s := sample{max(0, f.Time-first), f.Wire + uint32(len(data)), append(data, f.Data...)}
		span = max(span, s.time)
		frames = append(frames, s)
	}
}

// pcapHeader is that of a pcap file of Ethernet frames with microseconds.
func pcapHeader() []byte {
	le := binary.LittleEndian
	head := append(le.AppendUint32(nil, 0xa1b2c3d4), 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	return le.AppendUint32(le.AppendUint32(head, 1<<18), 1)
}

// record appends the header of a frame's record.
func record(b []byte, at int64, captured int, wire uint32) []byte {
	for _, v := range []uint32{uint32(at / 1e9), uint32(at % 1e9 / 1e3), uint32(captured), wire} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// repeat writes the captures one after the other, again and again, until the file has the size. Each copy is later than
// the one before, and of other machines: a number is added to the beginning of every address, and checksums are moved
// by what that changes, so that right ones stay right and wrong ones wrong.
func repeat(out string, size int64, paths []string) (err error) {
	var captures [][]sample
	var spans []int64
	for _, p := range paths {
		frames, span, err := load(p)
		if err != nil {
			return err
		}
		if len(frames) > 0 {
			captures, spans = append(captures, frames), append(spans, span)
		}
	}
	if len(captures) == 0 {
		return errors.New("want captures that have Ethernet frames or raw IP")
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	head := pcapHeader()
	if _, err := w.Write(head); err != nil {
		return err
	}
	written, count := int64(len(head)), 0
	now := int64(1_700_000_000e9)
	var b []byte
	for copies := 1; written < size; copies++ {
		for i, frames := range captures {
			for _, f := range frames {
				at := now + f.time
				b = append(record(b[:0], at, len(f.data), f.wire), f.data...)
				shift(b[16:], uint16(copies))
				if _, err := w.Write(b); err != nil {
					return err
				}
				written += int64(len(b))
				count++
			}
			now += spans[i] + 1e9
		}
	}
	fmt.Printf("%s: %d frames, %d bytes\n", out, count, written)
	return w.Flush()
}

// shift adds by to the beginning of the addresses of an Ethernet frame's packet.
func shift(b []byte, by uint16) {
	at, typ := 12, uint16(0)
	for len(b) >= at+4 {
		if typ = binary.BigEndian.Uint16(b[at:]); typ != 0x8100 && typ != 0x88a8 {
			break
		}
		at += 4
	}
	if len(b) < at+2 {
		return
	}
	b = b[at+2:]
	be := binary.BigEndian
	switch {
	case typ == 0x0800 && len(b) >= 20:
		header := int(b[0]&15) * 4
		sums := [][]byte{b[10:12]}
		if be.Uint16(b[6:])&0x1fff == 0 && header <= len(b) {
			if s := transportSum(b[9], b[header:]); s != nil {
				sums = append(sums, s)
			}
		}
		for _, a := range []int{12, 16} {
			add(b[a:a+2], by, sums)
		}
	case typ == 0x86dd && len(b) >= 40:
		var sums [][]byte
		if s := transportSum(b[6], b[40:]); s != nil {
			sums = append(sums, s)
		}
		for _, a := range []int{8, 24} {
			add(b[a+2:a+4], by, sums)
		}
	}
}

// transportSum is where the checksum of a transport stands that covers addresses.
func transportSum(proto byte, b []byte) []byte {
	at := map[byte]int{packets.TCP: 16, packets.UDP: 6, packets.ICMPv6: 2}[proto]
	if at == 0 || len(b) < at+2 || proto == packets.UDP && b[6]|b[7] == 0 {
		return nil
	}
	return b[at : at+2]
}

// add adds to two bytes of an address and moves the checksums over it (RFC 1624, equation 3).
func add(word []byte, by uint16, sums [][]byte) {
	be := binary.BigEndian
	before := be.Uint16(word)
	after := before + by
	be.PutUint16(word, after)
	for _, s := range sums {
		v := uint32(^be.Uint16(s)) + uint32(^before) + uint32(after)
		v = v>>16 + v&0xffff
		v = v>>16 + v&0xffff
		be.PutUint16(s, ^uint16(v))
	}
}
