package nfcapd

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// unpack is a block as it was before it was compressed. It takes memory as the content comes, up to
// largest bytes.
func (c compression) unpack(packed []byte, largest int) ([]byte, error) {
	switch c {
	case plain:
		return packed, nil
	case lzo:
		out, err := unpackLZO(packed, largest)
		if err != nil {
			return nil, fmt.Errorf("LZO: %w", err)
		}
		return out, nil
	case bzip2ed:
		out, err := readAll(bzip2.NewReader(bytes.NewReader(packed)), largest)
		if err != nil {
			return nil, fmt.Errorf("bzip2: %w", err)
		}
		return out, nil
	case lz4ed:
		return unpackLZ4(packed, largest)
	case zstded:
		const least, ratio = 8 << 20, 1 << 15 // a window that every decoder gives; a block of 128 KiB takes four bytes
		z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecoderMaxWindow(uint64(min(maxBlock, max(least, len(packed)*ratio)))))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		defer z.Close()
		out, err := readAll(z, largest)
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return out, nil
	}
	return nil, fmt.Errorf("compression %d is not known", c)
}

func tooLarge(largest int) error { return fmt.Errorf("more than %d bytes decompressed", largest) }

// readAll reads up to largest bytes; more are an error.
func readAll(in io.Reader, largest int) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(in, int64(largest)+1))
	if err == nil && len(out) > largest {
		err = tooLarge(largest)
	}
	return out, err
}

// unpackLZ4 decodes one LZ4 block, which does not say how much it holds: 255 times its size at most.
func unpackLZ4(packed []byte, largest int) ([]byte, error) {
	most := min(255*len(packed)+64, largest)
	for size := min(8*len(packed)+64, most); ; size = min(4*size, most) {
		out := make([]byte, size)
		n, err := lz4.UncompressBlock(packed, out)
		switch {
		case err == nil:
			return out[:n], nil
		case !errors.Is(err, lz4.ErrInvalidSourceShortBuffer) || size == most:
			return nil, fmt.Errorf("LZ4: %w", err)
		}
	}
}
