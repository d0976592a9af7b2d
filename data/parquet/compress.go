package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Codecs.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecLZ4    = 5
	codecZstd   = 6
	codecLZ4Raw = 7
)

var codecNames = map[int]string{3: "LZO", 4: "brotli"}

// maxPage bounds one page, in bytes. Writers make pages of about a megabyte.
const maxPage = 1 << 28

// maxRatio is the most that each codec can make of a byte. A page that claims more is not read.
var maxRatio = map[int]int{
	codecNone: 1, codecSnappy: 32, codecGzip: 1040, codecLZ4: 256, codecZstd: 1 << 16, codecLZ4Raw: 256,
}

var errSize = errors.New("a page does not have the size that its header says")

// zstdDecoder decodes whole pages; it may be used by several goroutines, and never gives more than it is
// given room for.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxMemory(maxPage))
})

// decompress is the plain content of a page, of size bytes. It may be page itself.
func decompress(codec int, page []byte, size int) ([]byte, error) {
	ratio, known := maxRatio[codec]
	switch {
	case !known && codecNames[codec] != "":
		return nil, fmt.Errorf("compressed with %s, which is not read: write the file with zstd, snappy, gzip or lz4",
			codecNames[codec])
	case !known:
		return nil, fmt.Errorf("compressed in an unknown way (%d)", codec)
	case size > maxPage || size > len(page)*ratio+64:
		return nil, fmt.Errorf("a page of %d bytes claims to hold %d", len(page), size)
	case codec == codecNone && len(page) != size:
		return nil, errSize
	case codec == codecNone || size == 0:
		return page[:size], nil
	}
	out := make([]byte, size)
	var err error
	switch codec {
	case codecSnappy:
		if n, e := snappy.DecodedLen(page); e != nil || n != size {
			return nil, errSize
		}
		out, err = snappy.Decode(out, page)
	case codecZstd:
		var d *zstd.Decoder
		if d, err = zstdDecoder(); err == nil {
			out, err = d.DecodeAll(page, out[:0])
		}
	case codecGzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(page)); err == nil {
			if _, err = io.ReadFull(z, out); err == nil {
				if n, _ := z.Read(make([]byte, 1)); n > 0 {
					err = errSize
				}
			}
		}
	case codecLZ4:
		if err = lz4Frames(out, page); err != nil { // some writers put the bare block there
			err = lz4Block(out, page)
		}
	case codecLZ4Raw:
		err = lz4Block(out, page)
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errSize
	case err != nil:
		return nil, fmt.Errorf("decompressing: %w", err)
	case len(out) != size:
		return nil, errSize
	}
	return out, nil
}

var errLZ4 = errors.New("not an LZ4 block")

// lz4Frames reads Hadoop's framing: plain and stored size of each block, big-endian.
func lz4Frames(out, in []byte) error {
	for len(out) > 0 {
		if len(in) < 8 {
			return errLZ4
		}
		plain, stored := binary.BigEndian.Uint32(in), binary.BigEndian.Uint32(in[4:])
		in = in[8:]
		if uint64(plain) > uint64(len(out)) || uint64(stored) > uint64(len(in)) || plain == 0 {
			return errLZ4
		}
		if err := lz4Block(out[:plain], in[:stored]); err != nil {
			return err
		}
		out, in = out[plain:], in[stored:]
	}
	if len(in) > 0 {
		return errLZ4
	}
	return nil
}

// lz4Block fills out from one block: literals, then a copy of what stands offset bytes before, and so on.
func lz4Block(out, in []byte) error {
	at := 0
	long := func(n int) (int, bool) {
		for n >= 15 {
			if len(in) == 0 || n > len(out) {
				return 0, false
			}
			b := in[0]
			in = in[1:]
			n += int(b)
			if b != 255 {
				break
			}
		}
		return n, true
	}
	for len(in) > 0 {
		token := in[0]
		in = in[1:]
		n, ok := long(int(token >> 4))
		if !ok || n > len(in) || n > len(out)-at {
			return errLZ4
		}
		at += copy(out[at:], in[:n])
		if in = in[n:]; len(in) == 0 {
			break
		}
		if len(in) < 2 {
			return errLZ4
		}
		offset := int(binary.LittleEndian.Uint16(in))
		in = in[2:]
		if n, ok = long(int(token & 15)); !ok || offset == 0 || offset > at || n+4 > len(out)-at {
			return errLZ4
		}
		for range n + 4 {
			out[at] = out[at-offset]
			at++
		}
	}
	if at != len(out) {
		return errLZ4
	}
	return nil
}
