package models

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type meta struct {
	Width int
	Names []string
}

func sample() (meta, Arrays) {
	return meta{3, []string{"a", "b"}}, Arrays{
		"f32":   []float32{1, float32(math.Inf(1)), -0, math.MaxFloat32},
		"f64":   []float64{math.Pi, math.Inf(-1), math.SmallestNonzeroFloat64},
		"i32":   []int32{math.MinInt32, -1, 0, math.MaxInt32},
		"u8":    []uint8{0, 255},
		"empty": []float64{},
	}
}

func written(t testing.TB, model string, m any, a Arrays) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteState(&b, model, m, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestStateRoundTrip(t *testing.T) {
	m, a := sample()
	raw := written(t, "ae", m, a)
	if !bytes.Equal(raw, written(t, "ae", m, a)) {
		t.Error("the same state gives different bytes")
	}
	var back meta
	got, err := ReadState(iotest.OneByteReader(bytes.NewReader(raw)), "ae", &back)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, back); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(a, got); d != "" {
		t.Error(d)
	}
	if got, err := ReadState(bytes.NewReader(written(t, "x", struct{}{}, nil)), "x", &struct{}{}); err != nil ||
		len(got) != 0 {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

func TestArray(t *testing.T) {
	_, a := sample()
	if v, err := Array[float32](a, "f32", 4); err != nil || len(v) != 4 {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := FiniteArray[float64](a, "empty", 0); err != nil || len(v) != 0 {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := FiniteArray[float32](a, "f32", 4); !errors.Is(err, ErrState) ||
		!strings.Contains(err.Error(), "value 1 is +Inf") {
		t.Errorf("an infinity: %v", err)
	}
	if v, err := Array[float64](a, "empty", -1); err != nil || len(v) != 0 {
		t.Errorf("%v, %v", v, err)
	}
	for name, err := range map[string]error{
		"missing": second(Array[float32](a, "nowhere", -1)),
		"type":    second(Array[float64](a, "f32", 4)),
		"length":  second(Array[float32](a, "f32", 5)),
	} {
		if !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// sealed puts the checksum after a body, so that what lies inside is reached.
func sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestReadStateRefuses(t *testing.T) {
	m, a := sample()
	raw := written(t, "ae", m, a)
	le := binary.LittleEndian
	head := func(model, js string, arrays uint32) []byte {
		b := []byte(stateMagic)
		b = le.AppendUint32(b, uint32(len(model)))
		b = append(b, model...)
		b = le.AppendUint32(b, uint32(len(js)))
		b = append(b, js...)
		return le.AppendUint32(b, arrays)
	}
	array := func(kind byte, n uint64) []byte {
		b := le.AppendUint32(head("ae", "{}", 1), 1)
		b = append(b, 'w', kind)
		return le.AppendUint64(b, n)
	}
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":           {nil, "too few"},
		"text":              {[]byte("a text that is long enough to be looked at"), "not a plumbline model"},
		"another version":   {bytes.Replace(raw, []byte("model 2"), []byte("model 1"), 1), "another version"},
		"another model":     {written(t, "iforest", m, a), `holds a "iforest"`},
		"cut":               {raw[:len(raw)-1], "checksum"},
		"more":              {append(bytes.Clone(raw), 0), "checksum"},
		"more, sealed":      {sealed(append(bytes.Clone(raw[:len(raw)-4]), 0)), "1 bytes too many"},
		"cut, sealed":       {sealed(raw[:len(raw)-10]), "announced"},
		"head alone":        {sealed([]byte(stateMagic)), "announced"},
		"long name":         {sealed(le.AppendUint32([]byte(stateMagic), math.MaxUint32)), "announced"},
		"many arrays":       {sealed(head("ae", "{}", math.MaxUint32)), "announced"},
		"unknown type":      {sealed(array(9, 1)), "array type 9"},
		"type 0":            {sealed(array(0, 1)), "array type 0"},
		"huge array":        {sealed(array(arrayF64, 1<<62)), "4611686018427387904 values"},
		"size that wraps":   {sealed(array(arrayF64, 1<<61)), "2305843009213693952 values"},
		"large array":       {sealed(array(arrayF32, 1<<40)), "announced"},
		"no JSON":           {sealed(head("ae", "", 0)), "EOF"},
		"broken JSON":       {sealed(head("ae", "{", 0)), "EOF"},
		"other JSON":        {sealed(head("ae", `{"Depth":3}`, 0)), "unknown field"},
		"JSON of a type":    {sealed(head("ae", `{"Width":"3"}`, 0)), "cannot unmarshal"},
		"two JSON values":   {sealed(head("ae", `{} {}`, 0)), "after the JSON"},
		"one name, twice":   {sealed(append(twice(array(arrayU8, 1), head("ae", "{}", 2)), 7)), "twice"},
		"flipped in middle": {flip(raw, len(raw)/2), "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			var back meta
			got, err := ReadState(bytes.NewReader(c.raw), "ae", &back)
			if !errors.Is(err, ErrState) || !strings.Contains(err.Error(), c.says) ||
				!strings.HasPrefix(err.Error(), "ae: load: ") {
				t.Errorf("%v, error %v, want one that says %q", got, err, c.says)
			}
		})
	}
	gone := errors.New("gone")
	if _, err := ReadState(iotest.ErrReader(gone), "ae", &m); !errors.Is(err, gone) || errors.Is(err, ErrState) {
		t.Errorf("broken reader: %v", err)
	}
}

// twice is a state of two arrays of one name, up to the last value.
func twice(one, head []byte) []byte {
	entry := one[len(one)-14:] // length, name, type, count
	b := append(append(bytes.Clone(head), entry...), 7)
	return append(b, entry...)
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 4
	return b
}

func TestWriteStateErrors(t *testing.T) {
	if err := WriteState(&bytes.Buffer{}, "ae", math.NaN(), nil); err == nil ||
		!strings.HasPrefix(err.Error(), "ae: save: ") {
		t.Errorf("NaN in JSON: %v", err)
	}
	if err := WriteState(&bytes.Buffer{}, "ae", nil, Arrays{"x": []int{1}}); err == nil ||
		!strings.Contains(err.Error(), `"x" is a []int`) {
		t.Errorf("array of int: %v", err)
	}
	m, a := sample()
	n := len(written(t, "ae", m, a))
	full := errors.New("disk full")
	for room := range n {
		if err := WriteState(&limited{room, full}, "ae", m, a); !errors.Is(err, full) {
			t.Fatalf("disk full after %d of %d bytes: %v", room, n, err)
		}
	}
}

type limited struct {
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return l.room, l.err
	}
	l.room -= len(p)
	return len(p), nil
}

// FuzzReadState: no bytes panic, none takes more memory than they are long, and what is accepted is
// written back to a state that reads the same.
func FuzzReadState(f *testing.F) {
	m, a := sample()
	raw := written(f, "ae", m, a)
	f.Add(raw, false)
	f.Add(raw[:len(raw)-4], true)
	f.Add([]byte(stateMagic), true)
	f.Add(written(f, "ae", map[string]int{}, Arrays{"": []uint8{}})[:44], true)
	f.Fuzz(func(t *testing.T, raw []byte, seal bool) {
		if seal {
			raw = sealed(raw)
		}
		var back any
		got, err := ReadState(bytes.NewReader(raw), "ae", &back)
		if err != nil {
			if !errors.Is(err, ErrState) {
				t.Errorf("error %v does not wrap ErrState", err)
			}
			return
		}
		again := written(t, "ae", back, got)
		var back2 any
		got2, err := ReadState(bytes.NewReader(again), "ae", &back2)
		if err != nil {
			t.Fatal(err)
		}
		if third := written(t, "ae", back2, got2); !bytes.Equal(again, third) {
			t.Error("the state changes by being read and written")
		}
	})
}
