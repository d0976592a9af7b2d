package input

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"

	"github.com/klauspost/compress/zstd"
)

// TextSize is how many bytes a file has uncompressed, as it says itself; 0 where it says nothing, or what no such file
// could be. It is a guess: a gzip file of several members tells the size of the last.
func TextSize(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0
	}
	head := make([]byte, zstd.HeaderMaxSize)
	n, _ := io.ReadFull(f, head)
	var z zstd.Header
	switch head = head[:n]; {
	case bytes.HasPrefix(head, gzipMagic):
		var tail [4]byte // the size modulo 2³²
		if _, err := f.ReadAt(tail[:], st.Size()-4); err != nil {
			return 0
		}
		return plausible(int64(binary.LittleEndian.Uint32(tail[:])), st.Size())
	case bytes.HasPrefix(head, zstdMagic):
		if z.Decode(head) != nil || !z.HasFCS {
			return 0
		}
		return plausible(int64(min(z.FrameContentSize, math.MaxInt64)), st.Size())
	case bytes.HasPrefix(head, bzip2Magic), bytes.HasPrefix(head, xzMagic):
		return 0
	}
	return st.Size()
}

// plausible is what a compressed file says of its size, or 0 where no such file could be: deflate makes a text no
// smaller than a thousandth, and memory is not taken on the word of a damaged file.
func plausible(text, file int64) int64 {
	if text > 1032*file {
		return 0
	}
	return text
}
