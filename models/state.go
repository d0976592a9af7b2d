package models

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
)

// A saved model is
//
//	"plumbline model 2\n"          magic and format version
//	uint32 length, model name
//	uint32 length, JSON            scalars and small structure
//	uint32 number of arrays, each: uint32 length, name; byte type; uint64 count; values
//	uint32 CRC-32C of all before it
//
// with little-endian integers. It holds no code and no types to be instantiated.
const stateMagic = "plumbline model 2\n"

const (
	arrayF32 byte = iota + 1
	arrayF64
	arrayI32
	arrayU8
)

// MaxState bounds what ReadState takes into memory, in bytes.
const MaxState int64 = 4 << 30

// Arrays are the named number arrays of a saved model: []float32, []float64, []int32 or []uint8.
type Arrays map[string]any

// WriteState writes a model's state: meta as JSON (floats that JSON cannot hold belong in arrays) and the arrays.
func WriteState(w io.Writer, model string, meta any, arrays Arrays) error {
	js, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("%s: save: %w", model, err)
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	out := io.MultiWriter(w, sum)
	var head bytes.Buffer
	head.WriteString(stateMagic)
	writeBytes(&head, []byte(model))
	writeBytes(&head, js)
	binary.Write(&head, binary.LittleEndian, uint32(len(arrays)))
	if _, err := out.Write(head.Bytes()); err != nil {
		return fmt.Errorf("%s: save: %w", model, err)
	}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		var kind byte
		var n int
		switch a := arrays[name].(type) {
		case []float32:
			kind, n = arrayF32, len(a)
		case []float64:
			kind, n = arrayF64, len(a)
		case []int32:
			kind, n = arrayI32, len(a)
		case []uint8:
			kind, n = arrayU8, len(a)
		default:
			return fmt.Errorf("%s: save: array %q is a %T", model, name, a)
		}
		head.Reset()
		writeBytes(&head, []byte(name))
		head.WriteByte(kind)
		binary.Write(&head, binary.LittleEndian, uint64(n))
		if _, err := out.Write(head.Bytes()); err != nil {
			return fmt.Errorf("%s: save: %w", model, err)
		}
		if err := binary.Write(out, binary.LittleEndian, arrays[name]); err != nil {
			return fmt.Errorf("%s: save: %w", model, err)
		}
	}
	if err := binary.Write(w, binary.LittleEndian, sum.Sum32()); err != nil {
		return fmt.Errorf("%s: save: %w", model, err)
	}
	return nil
}

func writeBytes(b *bytes.Buffer, p []byte) {
	binary.Write(b, binary.LittleEndian, uint32(len(p)))
	b.Write(p)
}

// ReadState reads what WriteState wrote for the same model, filling meta. Anything else (another model's
// state, truncated or damaged bytes, an unknown version) is an error that wraps ErrState. The caller still
// checks that the lengths it gets fit each other: the checksum protects against damage, not against malice.
func ReadState(r io.Reader, model string, meta any) (Arrays, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxState+1))
	if err != nil {
		return nil, fmt.Errorf("%s: load: %w", model, err)
	}
	bad := func(format string, args ...any) (Arrays, error) {
		return nil, fmt.Errorf("%s: load: %w: %s", model, ErrState, fmt.Sprintf(format, args...))
	}
	switch {
	case int64(len(raw)) > MaxState:
		return bad("larger than %d bytes", MaxState)
	case len(raw) < len(stateMagic)+4:
		return bad("%d bytes are too few", len(raw))
	case string(raw[:len(stateMagic)]) != stateMagic:
		return bad("not a plumbline model, or of another version")
	}
	body := raw[:len(raw)-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(raw[len(raw)-4:]) {
		return bad("checksum does not match: truncated or damaged")
	}
	c := cursor{b: body[len(stateMagic):]}
	name, js := string(c.bytes()), c.bytes()
	if c.err == nil && name != model {
		return bad("it holds a %q", name)
	}
	arrays := Arrays{}
	for n := c.u32(); n > 0 && c.err == nil; n-- {
		key := string(c.bytes())
		if _, dup := arrays[key]; dup && c.err == nil {
			return bad("array %q is there twice", key)
		}
		arrays[key] = c.array()
	}
	switch {
	case c.err != nil:
		return bad("%v", c.err)
	case len(c.b) != 0:
		return bad("%d bytes too many", len(c.b))
	}
	if err := decodeMeta(js, meta); err != nil {
		return nil, fmt.Errorf("%s: load: %w", model, err)
	}
	return arrays, nil
}

// decodeMeta fills into from one JSON value without unknown keys. Its errors wrap ErrState.
func decodeMeta(js []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(js))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %v", ErrState, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%w: something stands after the JSON", ErrState)
	}
	return nil
}

// Array takes the named array out of what ReadState returned; absent, of another type or not of length n
// (n < 0: any) is an error that wraps ErrState.
func Array[T float32 | float64 | int32 | uint8](a Arrays, name string, n int) ([]T, error) {
	v, ok := a[name].([]T)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: array %q is missing or of another type", ErrState, name)
	case n >= 0 && len(v) != n:
		return nil, fmt.Errorf("%w: array %q has %d values, want %d", ErrState, name, len(v), n)
	}
	return v, nil
}

// FiniteArray is Array for numbers that must be finite.
func FiniteArray[T float32 | float64](a Arrays, name string, n int) ([]T, error) {
	v, err := Array[T](a, name, n)
	if err != nil {
		return nil, err
	}
	for i, x := range v {
		if x-x != 0 {
			return nil, fmt.Errorf("%w: array %q: value %d is %v", ErrState, name, i, x)
		}
	}
	return v, nil
}

type cursor struct {
	b   []byte
	err error
}

func (c *cursor) take(n uint64) []byte {
	if c.err == nil && n > uint64(len(c.b)) {
		c.err = fmt.Errorf("%d bytes announced, %d left", n, len(c.b))
	}
	if c.err != nil {
		return nil
	}
	p := c.b[:n]
	c.b = c.b[n:]
	return p
}

func (c *cursor) u32() uint32 {
	if p := c.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (c *cursor) bytes() []byte { return c.take(uint64(c.u32())) }

func (c *cursor) array() any {
	head := c.take(9)
	if c.err != nil {
		return nil
	}
	n := binary.LittleEndian.Uint64(head[1:])
	size := map[byte]uint64{arrayF32: 4, arrayF64: 8, arrayI32: 4, arrayU8: 1}[head[0]]
	if size == 0 || n > math.MaxInt64/8 {
		c.err = fmt.Errorf("array type %d with %d values", head[0], n)
		return nil
	}
	p := c.take(n * size)
	if c.err != nil {
		return nil
	}
	switch head[0] {
	case arrayF32:
		v := make([]float32, n)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(p[4*i:]))
		}
		return v
	case arrayF64:
		v := make([]float64, n)
		for i := range v {
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(p[8*i:]))
		}
		return v
	case arrayI32:
		v := make([]int32, n)
		for i := range v {
			v[i] = int32(binary.LittleEndian.Uint32(p[4*i:]))
		}
		return v
	}
	return append([]uint8(nil), p...)
}
