package input

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// xzDictionaries hands on an xz file with dictionaries that are no larger than what the file can hold: a decoder makes
// room for a dictionary of the size that a block's header claims, up to 4 GiB, before it reads the block. A match
// reaches back no further than the content, so that a smaller dictionary changes nothing. Blocks are walked by the
// sizes of their LZMA2 chunks (The .xz File Format, version 1.2.1, sections 2 to 4).
type xzDictionaries struct {
	in     *bufio.Reader
	most   uint64 // bytes of content that the file can hold
	out    []byte
	pass   int64 // bytes that are handed on as they are
	step   func() error
	inside bool // a stream rather than between streams
	err    error
	check  int   // bytes of the check that follows each block
	block  int64 // bytes of the block, for its padding
}

// A match of LZMA is up to 273 bytes long and takes at least .3 bit, which makes less than 8,192 bytes of one; a small
// file may have the smallest dictionary that encoders use.
const (
	xzRatio = 8192
	xzLeast = 1 << 16
)

var errXZ = errors.New("xz: not the structure of an xz file")

func newXZDictionaries(in *bufio.Reader, size int64) *xzDictionaries {
	x := &xzDictionaries{in: in, most: max(xzLeast, uint64(size)*xzRatio)}
	x.step = x.streamHeader
	return x
}

func (x *xzDictionaries) Read(p []byte) (int, error) {
	for len(x.out) == 0 && x.pass == 0 {
		if x.err != nil {
			return 0, x.err
		}
		if x.err = x.step(); errors.Is(x.err, io.EOF) && (x.inside || len(x.out) > 0) {
			x.err = io.ErrUnexpectedEOF // the decoder takes the end of a block for that of the file
		}
	}
	if len(x.out) > 0 {
		n := copy(p, x.out)
		x.out = x.out[n:]
		return n, nil
	}
	n, err := x.in.Read(p[:min(int64(len(p)), x.pass)])
	if x.pass -= int64(n); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// take hands the next n bytes on and returns them.
func (x *xzDictionaries) take(n int) ([]byte, error) {
	from := len(x.out)
	x.out = append(x.out, make([]byte, n)...)
	k, err := io.ReadFull(x.in, x.out[from:])
	x.out = x.out[:from+k]
	return x.out[from:], err
}

// streamHeader reads the header of a stream, or the zeros between streams.
func (x *xzDictionaries) streamHeader() error {
	x.out = x.out[:0]
	head, err := x.take(4)
	if err != nil || bytes.Equal(head, make([]byte, 4)) {
		return err
	}
	rest, err := x.take(8)
	if err != nil {
		return err
	}
	if !bytes.Equal(x.out[:6], xzMagic) {
		return errXZ
	}
	x.check = []int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[rest[3]&15]
	x.step, x.inside = x.blockHeader, true
	return nil
}

// blockHeader reads the header of a block, and lowers its dictionary; or the index, before which a zero stands.
func (x *xzDictionaries) blockHeader() error {
	x.out = x.out[:0]
	b, err := x.take(1)
	if err != nil {
		return err
	}
	if b[0] == 0 {
		return x.index()
	}
	if _, err := x.take(4*int(b[0]) + 3); err != nil {
		return err
	}
	head := x.out[:len(x.out)-4]
	sum := x.out[len(head):]
	if crc32.ChecksumIEEE(head) != binary.LittleEndian.Uint32(sum) {
		return errors.New("xz: the header of a block is damaged")
	}
	at := 2
	for _, flag := range []byte{0x40, 0x80} {
		if head[1]&flag != 0 {
			_, n := binary.Uvarint(head[min(at, len(head)):])
			if n <= 0 {
				return errXZ
			}
			at += n
		}
	}
	const lzma2 = 0x21
	if head[1]&3 != 0 || at+3 > len(head) || head[at] != lzma2 || head[at+1] != 1 {
		return errors.New("xz: a filter other than LZMA2 is not read")
	}
	for head[at+2] > 0 && xzDictionary(head[at+2]-1) >= x.most {
		head[at+2]--
	}
	binary.LittleEndian.PutUint32(sum, crc32.ChecksumIEEE(head))
	x.block = int64(len(x.out))
	x.step = x.chunk
	return nil
}

// xzDictionary is the size that a block's header means.
func xzDictionary(bits byte) uint64 {
	if bits >= 40 {
		return 1<<32 - 1
	}
	return uint64(2|bits&1) << (bits/2 + 11)
}

// chunk reads one chunk of LZMA2, or the end of a block: its padding and check.
func (x *xzDictionaries) chunk() error {
	x.out = x.out[:0]
	b, err := x.take(1)
	if err != nil {
		return err
	}
	control, size := b[0], 0
	switch {
	case control == 0:
		x.block++
		x.pass = (4-x.block%4)%4 + int64(x.check)
		x.step = x.blockHeader
		return nil
	case control < 3: // stored
		if b, err = x.take(2); err == nil {
			size = int(binary.BigEndian.Uint16(b)) + 1
		}
	case control < 0x80:
		return fmt.Errorf("xz: a chunk of kind %d", control)
	default: // the content's size, the chunk's, and properties where they change
		if b, err = x.take(4); err == nil {
			if size = int(binary.BigEndian.Uint16(b[2:])) + 1; control >= 0xc0 {
				size++
			}
		}
	}
	if err != nil {
		return err
	}
	x.pass = int64(size)
	x.block += int64(len(x.out) + size)
	return nil
}

// index reads the index after its zero, and the footer of the stream.
func (x *xzDictionaries) index() error {
	number := func() (uint64, error) {
		var v uint64
		for shift := 0; shift < 63; shift += 7 {
			b, err := x.take(1)
			if err != nil {
				return 0, err
			}
			if v |= uint64(b[0]&0x7f) << shift; b[0] < 0x80 {
				return v, nil
			}
		}
		return 0, errXZ
	}
	n, err := number()
	if err != nil {
		return err
	}
	if n > x.most {
		return errXZ
	}
	for range 2 * n {
		if _, err := number(); err != nil {
			return err
		}
	}
	const sum, footer = 4, 12
	x.pass = int64((4-len(x.out)%4)%4 + sum + footer)
	x.step, x.inside = x.streamHeader, false
	return nil
}
