package packets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// Types of blocks of pcapng (draft-ietf-opsawg-pcapng).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockOld       = 2 // packet block
	blockSimple    = 3
	blockEnhanced  = 6
)

// maxInterfaces is how many interfaces of one section are kept.
const maxInterfaces = 1 << 16

// pcapng reads the format of that name.
type pcapng struct {
	order      binary.ByteOrder
	interfaces []netInterface
}

// netInterface is what packets were captured at.
type netInterface struct {
	link    Link
	snaplen uint32
	// A time is ticks of 1/perSecond of a second, after offset seconds.
	perSecond uint64
	offset    int64
}

var errBlock = errors.New("a block whose lengths cannot be")

func (g *pcapng) next(r *Reader, f *Frame) error {
	for {
		head, err := r.peek(8)
		if err != nil {
			return err
		}
		if binary.BigEndian.Uint32(head) == blockSection {
			if err := g.section(r); err != nil {
				return err
			}
			continue
		}
		if g.order == nil {
			return errors.New("a block before that of the section")
		}
		kind, length := g.order.Uint32(head), int(g.order.Uint32(head[4:]))
		if length < 12 || length%4 != 0 {
			return errBlock
		}
		switch kind {
		case blockInterface, blockOld, blockSimple, blockEnhanced:
		default:
			if err := r.skip(length); err != nil {
				return err
			}
			continue
		}
		if length > maxFrame {
			return fmt.Errorf("a block of %d bytes", length)
		}
		block, err := r.take(length)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errCut
			}
			return err
		}
		if g.order.Uint32(block[length-4:]) != uint32(length) {
			return errBlock
		}
		body := block[8 : length-4]
		if kind == blockInterface {
			err = g.describe(body)
		} else {
			err = g.packet(kind, body, r.last, f)
		}
		if err != nil || kind != blockInterface {
			return err
		}
	}
}

// section begins one: byte order and interfaces are its own.
func (g *pcapng) section(r *Reader) error {
	head, err := r.peek(12)
	if err != nil {
		return err
	}
	switch {
	case binary.LittleEndian.Uint32(head[8:]) == 0x1a2b3c4d:
		g.order = binary.LittleEndian
	case binary.BigEndian.Uint32(head[8:]) == 0x1a2b3c4d:
		g.order = binary.BigEndian
	default:
		return errors.New("a section without a byte order")
	}
	length := int(g.order.Uint32(head[4:]))
	if length < 28 || length%4 != 0 {
		return errBlock
	}
	g.interfaces = g.interfaces[:0]
	return r.skip(length)
}

func (g *pcapng) describe(b []byte) error {
	if len(b) < 8 {
		return errBlock
	}
	if len(g.interfaces) >= maxInterfaces {
		return fmt.Errorf("more than %d interfaces in one section", maxInterfaces)
	}
	i := netInterface{link: Link(g.order.Uint16(b)), snaplen: g.order.Uint32(b[4:]), perSecond: 1e6}
	for o := b[8:]; len(o) >= 4; {
		code, length := g.order.Uint16(o), int(g.order.Uint16(o[2:]))
		padded := 4 + (length+3)&^3
		if code == 0 || padded > len(o) {
			break
		}
		v := o[4 : 4+length]
		switch {
		case code == 9 && length == 1: // if_tsresol
			i.perSecond = perSecond(v[0])
		case code == 14 && length == 8: // if_tsoffset
			i.offset = int64(g.order.Uint64(v))
		}
		o = o[padded:]
	}
	if i.perSecond == 0 {
		return errors.New("an interface whose times are finer than can be told")
	}
	g.interfaces = append(g.interfaces, i)
	return nil
}

// perSecond is the ticks of a second: a power of ten, or with the first bit of two; 0 where 64 bits do not hold them.
func perSecond(v byte) uint64 {
	if v&0x80 != 0 {
		if v &= 0x7f; v > 63 {
			return 0
		}
		return 1 << v
	}
	ticks := uint64(1)
	if v > 19 {
		return 0
	}
	for range v {
		ticks *= 10
	}
	return ticks
}

// nanos is a time in nanoseconds since 1970, the nearest between 1833 and 2106, where those of pcap end: no difference
// of two is more than 64 bits hold.
func (i *netInterface) nanos(ticks uint64) int64 {
	seconds, rest := ticks/i.perSecond, ticks%i.perSecond
	hi, lo := bits.Mul64(rest, 1e9)
	fraction, _ := bits.Div64(hi, lo, i.perSecond)
	const most = 1 << 32
	if i.offset < 0 {
		back := uint64(-i.offset)
		if back > seconds {
			if back -= seconds; back >= most {
				return -most * 1e9
			}
			return -int64(back)*1e9 + int64(fraction)
		}
		seconds -= back
	} else {
		seconds = min(seconds, most) + min(uint64(i.offset), most)
	}
	if seconds >= most {
		return most * 1e9
	}
	return int64(seconds)*1e9 + int64(fraction)
}

func (g *pcapng) packet(kind uint32, b []byte, last int64, f *Frame) error {
	var id int
	var captured, wire uint32
	switch {
	case kind == blockSimple && len(b) >= 4:
		wire = g.order.Uint32(b)
		b = b[4:]
		captured = min(wire, uint32(len(b)))
		if len(g.interfaces) > 0 && g.interfaces[0].snaplen > 0 {
			captured = min(captured, g.interfaces[0].snaplen)
		}
	case kind != blockSimple && len(b) >= 20:
		id = int(g.order.Uint32(b))
		if kind == blockOld {
			id = int(g.order.Uint16(b))
		}
		captured, wire = g.order.Uint32(b[12:]), g.order.Uint32(b[16:])
	default:
		return errBlock
	}
	if id >= len(g.interfaces) {
		return errors.New("a packet of an interface that is not described")
	}
	i := &g.interfaces[id]
	f.Time, f.Link = last, i.link // simple packets have no time
	if kind != blockSimple {
		f.Time = i.nanos(uint64(g.order.Uint32(b[4:]))<<32 | uint64(g.order.Uint32(b[8:])))
		b = b[20:]
	}
	if captured > uint32(len(b)) {
		return errBlock
	}
	f.Wire, f.Data = max(wire, captured), b[:captured]
	return nil
}
