package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Finder knows the folders that data files are looked up in, in this order.
type Finder struct{ Dirs []string }

// NewFinder is the usual order: the folders given, $PLUMBLINE_DATA, then data/raw.
func NewFinder(given ...string) Finder {
	dirs := append([]string(nil), given...)
	if env := os.Getenv("PLUMBLINE_DATA"); env != "" {
		dirs = append(dirs, filepath.SplitList(env)...)
	}
	return Finder{append(dirs, filepath.Join("data", "raw"))}
}

// Absolute is the folders as absolute paths.
func (f Finder) Absolute() []string {
	out := make([]string, 0, len(f.Dirs))
	for _, d := range f.Dirs {
		if abs, err := filepath.Abs(d); err == nil {
			out = append(out, abs)
		}
	}
	return out
}

// ErrNoFile is wrapped by Find's error when a data file is in none of the folders.
var ErrNoFile = errors.New("data file not found")

// Find is the path of a data file: name as it is when absolute, else in DIR/folder and in DIR, each as
// name, name.gz and name.zst. The error lists the folders.
func (f Finder) Find(folder, name string) (string, error) {
	var tried []string
	places := []string{name}
	if !filepath.IsAbs(name) {
		places = places[:0]
		for _, d := range f.Dirs {
			tried = append(tried, filepath.Join(d, folder), d)
			places = append(places, filepath.Join(d, folder, name), filepath.Join(d, name))
		}
	}
	for _, p := range places {
		for _, ext := range []string{"", ".gz", ".zst"} {
			switch st, err := os.Stat(p + ext); {
			case err == nil && st.Mode().IsRegular():
				return p + ext, nil
			case err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory"):
				return "", fmt.Errorf("data: %w", err)
			}
		}
	}
	if tried == nil {
		tried = places
	}
	return "", fmt.Errorf(
		"data: %w: %s (or .gz, .zst) is in none of: %s; give the folder with --data or $PLUMBLINE_DATA",
		ErrNoFile,
		name,
		strings.Join(tried, ", "),
	)
}

// Paths is where the files of a data set are, training files first. The error names every file that is not found.
func (c *Config) Paths(f Finder) ([]string, error) {
	var out []string
	var errs []error
	for _, name := range slices.Concat(c.Files.Train, c.Files.Test) {
		path, err := f.Find(c.Folder, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name, err))
			continue
		}
		out = append(out, path)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// textSize is how many bytes the files of a data set have uncompressed, as they say themselves; 0 where one
// says nothing or is not there. It is a guess: a gzip file of several members tells the size of the last.
func (c *Config) textSize(f Finder) (total int64) {
	paths, err := c.Paths(f)
	if err != nil {
		return 0
	}
	for _, p := range paths {
		n := textSize(p)
		if n <= 0 {
			return 0
		}
		total += n
	}
	return total
}

func textSize(path string) int64 {
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
	}
	return st.Size()
}

// plausible is what a compressed file says of its size, or 0 where no such file could be: deflate makes a
// text no smaller than a thousandth, and memory is not taken on the word of a damaged file.
func plausible(text, file int64) int64 {
	if text > 1032*file {
		return 0
	}
	return text
}

// Sum is the SHA-256 and the size of a file's uncompressed content.
func Sum(path string) (sha string, bytes int64, err error) {
	in, err := open(path)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	n, err := io.Copy(io.Discard, in)
	if err != nil {
		return "", n, fmt.Errorf("data: %s: %w", path, err)
	}
	return in.sum(), n, nil
}

// input is an open data file: its uncompressed content, hashed while it is read.
type input struct {
	io.Reader
	file  *os.File
	hash  hash.Hash
	size  int64
	wraps string // the compression that the file is wrapped in, if any
	close func()
}

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// open opens a file that may be compressed, which its first bytes tell.
func open(path string) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("data: %w", err)
	}
	in := &input{file: f, hash: sha256.New(), size: st.Size(), close: func() {}}
	br := bufio.NewReaderSize(f, 1<<16)
	magic, _ := br.Peek(4)
	var plain io.Reader = br
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		z, err := gzip.NewReader(br)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("data: %s: %w", path, err)
		}
		plain, in.wraps = z, "gzip"
	case bytes.HasPrefix(magic, zstdMagic):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("data: %s: %w", path, err)
		}
		in.close = z.Close
		plain, in.wraps = z, "zstd"
	}
	in.Reader = io.TeeReader(plain, in.hash)
	return in, nil
}

func (in *input) Close() {
	in.close()
	in.file.Close()
}

// sum is the SHA-256 of what was read.
func (in *input) sum() string { return hex.EncodeToString(in.hash.Sum(nil)) }
