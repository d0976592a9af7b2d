package packets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// pcap reads the format of libpcap (draft-ietf-opsawg-pcap).
type pcap struct {
	order   binary.ByteOrder
	unit    int64 // nanoseconds of the second field of times
	record  int   // bytes of a record's header
	link    Link
	longest uint32
}

func (p *pcap) header(r *Reader) error {
	h, err := r.take(24)
	if err != nil {
		return err
	}
	p.link = Link(p.order.Uint32(h[20:])) // the upper half is about the check sequences of frames
	p.longest = longest(p.order.Uint32(h[16:]))
	return nil
}

// longest is how many bytes of a frame are believed where a capture says that it cut frames at snaplen.
func longest(snaplen uint32) uint32 { return min(max(snaplen, usualFrame), maxFrame) }

func (p *pcap) next(r *Reader, f *Frame) error {
	h, err := r.take(p.record)
	if err != nil {
		return err
	}
	captured, wire := p.order.Uint32(h[8:]), p.order.Uint32(h[12:])
	if captured > p.longest {
		return fmt.Errorf("a record says %d bytes, more than the %d of the capture", captured, p.longest)
	}
	f.Time = int64(p.order.Uint32(h))*1e9 + int64(p.order.Uint32(h[4:]))*p.unit
	f.Link, f.Wire = p.link, max(wire, captured)
	if captured == 0 { // not the end of the file
		f.Data = nil
		return nil
	}
	f.Data, err = r.take(int(captured))
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return err
}
