package nfcapd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// le is the byte order of the files.
var le = binary.LittleEndian

const (
	magic       = 0xa50c
	maxBlock    = 64 << 20 // bytes of a block, decompressed; nfdump's own are a few megabytes at most
	blockHeader = 12
)

// compression is how the blocks of a file are packed.
type compression uint8

const (
	plain compression = iota
	lzo
	bzip2ed
	lz4ed
	zstded
)

// Reader reads the flows of one file.
type Reader struct {
	in      io.Reader
	largest int // that a block may be, in bytes, decompressed
	version uint16
	packed  compression
	blocks  uint32 // that the header announces; 0: not known
	read    uint32
	block   []byte // what is left of the current block
	maps    map[uint16][]uint16
	records int // of the file so far, for messages
}

// NewReader reads the header of a file. The error says what the file is instead where it is none of nfcapd.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: in, largest: maxBlock, maps: map[uint16][]uint16{}}
	head := make([]byte, 4)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, fmt.Errorf("nfcapd: header: %w", cutOff(err))
	}
	switch {
	case binary.BigEndian.Uint16(head) == magic:
		return nil, errors.New("nfcapd: written by a machine whose first byte is the highest: " +
			"rewrite the file with nfdump -r FILE -w NEW on one of the other kind")
	case le.Uint16(head) != magic:
		return nil, fmt.Errorf("nfcapd: the file begins with %#x, want the magic number 0xa50c of nfcapd", le.Uint16(head))
	}
	r.version = le.Uint16(head[2:])
	switch r.version {
	case 1:
		return r, r.header1()
	case 2:
		return r, r.header2()
	}
	return nil, fmt.Errorf("nfcapd: layout %d is not known; layouts 1 (nfdump 1.6) and 2 (nfdump 1.7) are", r.version)
}

// header1 reads the rest of the header of layout 1: flags, the number of blocks, an identifier, and totals.
func (r *Reader) header1() error {
	const ident, totals = 128, 136
	head := make([]byte, 8+ident+totals)
	if _, err := io.ReadFull(r.in, head); err != nil {
		return fmt.Errorf("nfcapd: header: %w", cutOff(err))
	}
	switch flags := le.Uint32(head); flags & 0x19 {
	case 0:
	case 0x01:
		r.packed = lzo
	case 0x08:
		r.packed = bzip2ed
	case 0x10:
		r.packed = lz4ed
	default:
		return fmt.Errorf("nfcapd: flags %#x name several compressions", flags)
	}
	r.blocks = le.Uint32(head[4:])
	return nil
}

// header2 reads the rest of the header of layout 2.
func (r *Reader) header2() error {
	head := make([]byte, 36)
	if _, err := io.ReadFull(r.in, head); err != nil {
		return fmt.Errorf("nfcapd: header: %w", cutOff(err))
	}
	if r.packed = compression(head[12]); r.packed > zstded {
		return fmt.Errorf("nfcapd: compression %d is not known", head[12])
	}
	if head[13] != 0 {
		return errors.New("nfcapd: the file is encrypted")
	}
	r.blocks = le.Uint32(head[32:])
	return nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Next reads the next flow into f, whose earlier content it replaces. The error is io.EOF after the last flow.
func (r *Reader) Next(f *Flow) error {
	for {
		for len(r.block) > 0 {
			if len(r.block) < 4 {
				return r.wrong("%d bytes are left in the block, too few for a record", len(r.block))
			}
			kind, size := le.Uint16(r.block), int(le.Uint16(r.block[2:]))
			if size < 4 || size > len(r.block) {
				return r.wrong("its size is %d, the block has %d bytes left", size, len(r.block))
			}
			record := r.block[:size]
			r.block = r.block[size:]
			r.records++
			is, err := r.record(kind, record, f)
			if is || err != nil {
				return err
			}
		}
		if err := r.nextBlock(); err != nil {
			return err
		}
	}
}

func (r *Reader) wrong(format string, args ...any) error {
	return fmt.Errorf("nfcapd: block %d, record %d of the file: %s", r.read, r.records+1, fmt.Sprintf(format, args...))
}

// nextBlock reads the next block that holds flows. The error is io.EOF after the last.
func (r *Reader) nextBlock() error {
	for {
		if r.blocks > 0 && r.read == r.blocks {
			return io.EOF
		}
		head := make([]byte, blockHeader)
		if _, err := io.ReadFull(r.in, head); err != nil {
			if errors.Is(err, io.EOF) && r.blocks == 0 {
				return io.EOF
			}
			return fmt.Errorf("nfcapd: block %d of %d: %w", r.read+1, r.blocks, cutOff(err))
		}
		r.read++
		size, kind, flags := le.Uint32(head[4:]), le.Uint16(head[8:]), le.Uint16(head[10:])
		if int64(size) > int64(r.largest) {
			return fmt.Errorf("nfcapd: block %d: %d bytes, want at most %d", r.read, size, r.largest)
		}
		var body bytes.Buffer // grows with what is there, not with what the header says
		n, err := io.CopyN(&body, r.in, int64(size))
		if err != nil {
			return fmt.Errorf("nfcapd: block %d: %d of its %d bytes: %w", r.read, n, size, cutOff(err))
		}
		if flows := map[uint16]uint16{1: 2, 2: 3}[r.version]; kind != flows {
			continue // statistics, histograms, tables of names
		}
		packed := r.packed
		if flags&1 != 0 {
			packed = plain
		}
		if r.block, err = packed.unpack(body.Bytes(), r.largest); err != nil {
			return fmt.Errorf("nfcapd: block %d: %w", r.read, err)
		}
		return nil
	}
}

// record reads one record. is says whether it was a flow.
func (r *Reader) record(kind uint16, record []byte, f *Flow) (is bool, err error) {
	switch kind {
	case 1, 10:
		return true, r.common(kind, record, f)
	case 11:
		return true, r.v3(record, f)
	case 2:
		return false, r.extensionMap(record)
	}
	return false, nil // exporters, samplers, histograms
}
