package input

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"github.com/klauspost/compress/gzip"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
)

// Extensions are what the name of a data file may have added when it is compressed; the first is none.
var Extensions = []string{"", ".gz", ".zst", ".bz2", ".xz"}

// Input is an open data file. Reading gives its content, uncompressed and, of text, as UTF-8.
type Input struct {
	io.Reader
	File  *os.File // as it is on disk
	Size  int64    // bytes on disk
	Wraps string   // the compression that the file is wrapped in: gzip, zstd, bzip2, xz, or ""
	UTF16 bool     // the content is UTF-16, told by its byte order mark
	CR    bool     // lines end in CR alone

	hash  hash.Hash
	plain io.Reader // uncompressed and hashed
	close func()
}

var (
	gzipMagic  = []byte{0x1f, 0x8b}
	zstdMagic  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	bzip2Magic = []byte("BZh") // then the level, and π for a block or its root for the end
	xzMagic    = []byte("\xfd7zXZ\x00")
	parquet    = []byte("PAR1")
	utf16LE    = []byte{0xff, 0xfe}
	utf16BE    = []byte{0xfe, 0xff}
)

// bufferSize is how much of a file is read at a time, and how far its line ends are looked for.
const bufferSize = 1 << 16

// Open opens a data file. Its first bytes tell how it is compressed and encoded, and whether it is one.
func Open(path string) (*Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	in, err := open(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	return in, nil
}

// OpenBinary opens a data file that is known to be no text and no table, such as a packet capture: the content is not
// looked at.
func OpenBinary(path string) (*Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	in, err := begin(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	in.Reader = in.plain
	return in, nil
}

// begin opens the content of a file, uncompressed and hashed.
func begin(f *os.File) (*Input, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	in := &Input{File: f, Size: st.Size(), hash: sha256.New(), close: func() {}}
	raw := bufio.NewReaderSize(f, bufferSize)
	unpacked, err := in.unpack(raw)
	if err != nil {
		return nil, err
	}
	in.plain = io.TeeReader(unpacked, in.hash)
	return in, nil
}

func open(f *os.File) (*Input, error) {
	in, err := begin(f)
	if err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(in.plain, bufferSize)
	head, _ := br.Peek(bufferSize)
	if what := foreign(head, f, in.Size, in.Wraps); what != "" {
		in.close()
		if what == capture {
			return nil, ErrCapture
		}
		return nil, errors.New(what)
	}
	in.Reader = br
	switch {
	case bytes.HasPrefix(head, parquet):
	case bytes.HasPrefix(head, utf16LE), bytes.HasPrefix(head, utf16BE):
		in.UTF16 = true
		text := bufio.NewReaderSize(
			unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(br),
			bufferSize,
		)
		head, _ = text.Peek(bufferSize)
		in.Reader = text
		in.endLines(head)
	default:
		in.endLines(head)
	}
	return in, nil
}

// endLines looks whether lines end in CR alone.
func (in *Input) endLines(head []byte) {
	if bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0 &&
		bytes.IndexByte(head, '\r') < len(head)-1 {
		in.CR = true
		in.Reader = carriageReturns{in.Reader}
	}
}

// carriageReturns reads CR as LF.
type carriageReturns struct{ in io.Reader }

func (c carriageReturns) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// unpack is the uncompressed content.
func (in *Input) unpack(raw *bufio.Reader) (io.Reader, error) {
	magic, _ := raw.Peek(len(xzMagic))
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		in.Wraps = "gzip"
		return newGzip(raw)
	case bytes.HasPrefix(magic, zstdMagic):
		in.Wraps = "zstd"
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow(in.Size)))
		if err != nil {
			return nil, err
		}
		in.close = z.Close
		return z, nil
	case bytes.HasPrefix(magic, bzip2Magic) && len(magic) > 5 && (magic[4] == '1' || magic[4] == 0x17):
		in.Wraps = "bzip2"
		return bzip2.NewReader(raw), nil
	case bytes.HasPrefix(magic, xzMagic):
		in.Wraps = "xz"
		return xz.NewReader(bufio.NewReaderSize(newXZDictionaries(raw, in.Size), bufferSize))
	}
	return raw, nil
}

// zstdWindow is the largest window that a frame of a file may ask for, in bytes: 8 MiB, which every decoder must give
// (RFC 8878, section 3.1.1.1.2), and more where the file is large enough to fill it, at four bytes for a block of
// 128 KiB.
func zstdWindow(size int64) uint64 {
	const least, ratio, most = 8 << 20, 1 << 15, 1 << 29
	return uint64(min(max(least, size*ratio), most))
}

// gzipMembers reads gzip members one after the other. Zero bytes after a member, as tapes and some archivers leave
// them, are passed over, as gzip itself does.
type gzipMembers struct {
	raw *bufio.Reader
	z   *gzip.Reader
}

func newGzip(raw *bufio.Reader) (*gzipMembers, error) {
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &gzipMembers{raw, z}, nil
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) || len(p) == 0 {
			if errors.Is(err, io.EOF) { // said again by the next call
				err = nil
			}
			return n, err
		}
		for {
			b, err := g.raw.ReadByte()
			if err != nil {
				return 0, err
			}
			if b != 0 {
				if err := g.raw.UnreadByte(); err != nil {
					return 0, err
				}
				break
			}
		}
		if err := g.z.Reset(g.raw); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		g.z.Multistream(false)
	}
}

// Rest reads what is left of the content, so that Sum is that of the whole, until the context ends.
func (in *Input) Rest(ctx context.Context) error {
	if _, err := io.Copy(io.Discard, until{ctx, in.Reader}); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, until{ctx, in.plain})
	return err
}

// until reads as long as a context lasts.
type until struct {
	ctx context.Context
	in  io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.in.Read(p)
}

// Sum is the SHA-256 of what was read, uncompressed, as bytes on disk have it: UTF-16 is not decoded.
func (in *Input) Sum() string { return hex.EncodeToString(in.hash.Sum(nil)) }

// Close closes the file.
func (in *Input) Close() {
	in.close()
	in.File.Close()
}

// Sum is the SHA-256 and the size in bytes of a file's uncompressed content, whatever it is.
func Sum(path string) (sha string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", 0, fmt.Errorf("data: %w", err)
	}
	in := &Input{File: f, Size: st.Size(), hash: sha256.New(), close: func() {}}
	unpacked, err := in.unpack(bufio.NewReaderSize(f, bufferSize))
	if err != nil {
		return "", 0, fmt.Errorf("data: %s: %w", path, err)
	}
	defer in.close()
	if size, err = io.Copy(in.hash, unpacked); err != nil {
		return "", size, fmt.Errorf("data: %s: %w", path, err)
	}
	return in.Sum(), size, nil
}
