package cache

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unsafe"
)

// Arrays is arrays by name: []float32, []int32, []int64, []uint32 or []byte.
type Arrays map[string]any

// Entry is an entry that was read. Writing to its arrays does not reach the file.
type Entry struct {
	About
	Meta   json.RawMessage
	arrays map[string]stored
	raw    []byte
}

// The file: magic, the length of the head (8 bytes, little-endian), the head in JSON, the arrays in
// little-endian order, each at a multiple of align, and the CRC-32C of all that in 4 bytes.
const (
	magic = "plumb.1\n"
	align = 64
)

type head struct {
	About
	Meta   json.RawMessage `json:"meta"`
	Arrays []stored        `json:"arrays"`
	Bytes  int64           `json:"bytes"` // of the file
}

type stored struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Count int64  `json:"count"`
	At    int64  `json:"at"` // after the head
}

// element is the types that arrays may have.
type element interface {
	float32 | int32 | int64 | uint32 | byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bigEndian machines neither write nor read entries.
var bigEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 0
}()

// bytesOf is an array as bytes, and the name of its type.
func bytesOf(array any) (raw []byte, kind string, count int, err error) {
	switch a := array.(type) {
	case []float32:
		return asBytes(a), "float32", len(a), nil
	case []int32:
		return asBytes(a), "int32", len(a), nil
	case []int64:
		return asBytes(a), "int64", len(a), nil
	case []uint32:
		return asBytes(a), "uint32", len(a), nil
	case []byte:
		return a, "byte", len(a), nil
	}
	return nil, "", 0, fmt.Errorf("cache: no arrays of %T", array)
}

func asBytes[T element](a []T) []byte {
	if len(a) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&a[0])), len(a)*int(unsafe.Sizeof(a[0])))
}

func up(n int64) int64 { return (n + align - 1) / align * align }

// header lays an entry out: the start of the file up to the arrays, and the size of the whole.
func header(about About, meta any, arrays Arrays) ([]byte, int64, error) {
	if bigEndian {
		return nil, 0, fmt.Errorf("cache: not on a big-endian machine")
	}
	rawMeta, err := json.Marshal(meta)
	if err != nil {
		return nil, 0, fmt.Errorf("cache: %w", err)
	}
	h := head{About: about, Meta: rawMeta}
	at := int64(0)
	for _, name := range sorted(arrays) {
		raw, kind, count, err := bytesOf(arrays[name])
		if err != nil {
			return nil, 0, err
		}
		h.Arrays = append(h.Arrays, stored{name, kind, int64(count), at})
		at = up(at + int64(len(raw)))
	}
	// the size of the file stands in the head, whose length depends on it: a second pass settles that
	var text []byte
	for range 4 {
		if text, err = json.Marshal(h); err != nil {
			return nil, 0, fmt.Errorf("cache: %w", err)
		}
		size := up(int64(len(magic)+8+len(text))) + at + 4
		if size == h.Bytes {
			break
		}
		h.Bytes = size
	}
	out := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(text)))
	out = append(out, text...)
	return append(out, make([]byte, up(int64(len(out)))-int64(len(out)))...), h.Bytes, nil
}

func sorted(arrays Arrays) []string {
	var names []string
	for n := range arrays {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// write writes the file whose start is head.
func write(w io.Writer, head []byte, arrays Arrays) error {
	sum := crc32.New(castagnoli)
	bw := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<20)
	if _, err := bw.Write(head); err != nil {
		return err
	}
	for _, name := range sorted(arrays) {
		raw, _, _, err := bytesOf(arrays[name])
		if err != nil {
			return err
		}
		if _, err := bw.Write(raw); err != nil {
			return err
		}
		if _, err := bw.Write(make([]byte, up(int64(len(raw)))-int64(len(raw)))); err != nil {
			return err
		}
	}
	if err := bw.Flush(); err != nil {
		return err
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

const maxHeader = 1 << 28

func headerSize(start []byte) (int64, error) {
	if len(start) < len(magic)+8 || string(start[:len(magic)]) != magic {
		return 0, fmt.Errorf("%w: not an entry of this version", ErrDamaged)
	}
	n := binary.LittleEndian.Uint64(start[len(magic):])
	if n > maxHeader {
		return 0, fmt.Errorf("%w: a head of %d bytes", ErrDamaged, n)
	}
	return int64(n), nil
}

// parse checks a whole file.
func parse(raw []byte) (*Entry, error) {
	if bigEndian {
		return nil, ErrMiss
	}
	n, err := headerSize(raw)
	if err != nil {
		return nil, err
	}
	start := int64(len(magic) + 8)
	body := up(start + n)
	if body+4 > int64(len(raw)) {
		return nil, fmt.Errorf("%w: cut off", ErrDamaged)
	}
	end := len(raw) - 4
	if crc32.Checksum(raw[:end], castagnoli) != binary.LittleEndian.Uint32(raw[end:]) {
		return nil, fmt.Errorf("%w: the check sum is another", ErrDamaged)
	}
	var h head
	if err := json.Unmarshal(raw[start:start+n], &h); err != nil || h.Bytes != int64(len(raw)) {
		return nil, fmt.Errorf("%w: the head does not fit", ErrDamaged)
	}
	e := &Entry{About: h.About, Meta: h.Meta, arrays: map[string]stored{}, raw: raw[body:end]}
	for _, a := range h.Arrays {
		size := map[string]int64{"float32": 4, "int32": 4, "int64": 8, "uint32": 4, "byte": 1}[a.Type]
		all := int64(len(e.raw))
		if size == 0 || a.At < 0 || a.At%align != 0 || a.Count < 0 || a.Count > all || a.At > all-a.Count*size {
			return nil, fmt.Errorf("%w: array %q", ErrDamaged, a.Name)
		}
		e.arrays[a.Name] = a
	}
	return e, nil
}

// Array is an array of an entry, of n elements (any number for n < 0), without a copy.
func Array[T element](e *Entry, name string, n int) ([]T, error) {
	a, ok := e.arrays[name]
	var zero T
	kind := fmt.Sprintf("%T", zero)
	if kind == "uint8" {
		kind = "byte"
	}
	if !ok || a.Type != kind || n >= 0 && a.Count != int64(n) {
		return nil, fmt.Errorf("cache: %w: no array %q of %d %s", ErrDamaged, name, n, kind)
	}
	if a.Count == 0 {
		return []T{}, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&e.raw[a.At])), a.Count), nil
}
