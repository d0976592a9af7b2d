package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lib "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"
)

// all reads a whole file: for each column its values as texts, "null" for those that are not there.
func all(raw []byte) (map[string][]string, error) {
	f, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.Repeated {
			continue
		}
		name := strings.Join(c.Path, ".")
		for g := range f.Groups {
			rows := 0
			err := f.Read(context.Background(), g, i, func(p *Page) error {
				rows += p.Rows
				k := 0
				for r := range p.Rows {
					if p.Valid != nil && !p.Valid[r] {
						out[name] = append(out[name], "null")
						continue
					}
					v, at := &p.Values, k
					if p.Dict != nil {
						v, at = p.Dict, int(p.Index[k])
					}
					k++
					switch {
					case v.Ints != nil:
						out[name] = append(out[name], fmt.Sprint(v.Ints[at]))
					case v.Floats != nil:
						out[name] = append(out[name], fmt.Sprint(v.Floats[at]))
					default:
						out[name] = append(out[name], fmt.Sprintf("%q", v.Bytes[at]))
					}
				}
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if rows != f.Groups[g] {
				return nil, fmt.Errorf("%s: %d rows, want %d", name, rows, f.Groups[g])
			}
		}
	}
	return out, nil
}

// library writes rows of the columns with another implementation, every column in the encoding given.
func library(t testing.TB, nodes map[string]lib.Node, rows []map[string]lib.Value, options ...lib.WriterOption) []byte {
	t.Helper()
	group := lib.Group{}
	var names []string
	for n, node := range nodes {
		group[n] = node
		names = append(names, n)
	}
	slices.Sort(names)
	var out bytes.Buffer
	w := lib.NewWriter(&out, append([]lib.WriterOption{lib.NewSchema("t", group)}, options...)...)
	for _, r := range rows {
		var row lib.Row
		for i, n := range names {
			def := 0
			if nodes[n].Optional() && !r[n].IsNull() {
				def = 1
			}
			row = append(row, r[n].Level(0, def, i))
		}
		if _, err := w.WriteRows([]lib.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// kinds are values of each physical type, and what they read as.
var kinds = []struct {
	name string
	node lib.Node
	make func(r *rand.Rand) (lib.Value, string)
	encs []lib.Node
}{
	{"bool", lib.Leaf(lib.BooleanType), func(r *rand.Rand) (lib.Value, string) {
		b := r.IntN(3) == 0
		return lib.BooleanValue(b), map[bool]string{true: "1", false: "0"}[b]
	}, nil},
	{"int32", lib.Int(32), func(r *rand.Rand) (lib.Value, string) {
		v := int32(r.IntN(50)) - 10
		if r.IntN(10) == 0 {
			v = int32(r.Uint32())
		}
		return lib.Int32Value(v), fmt.Sprint(v)
	}, encoded(lib.Int(32), &lib.DeltaBinaryPacked, &lib.RLEDictionary, &lib.ByteStreamSplit)},
	{"uint32", lib.Uint(32), func(r *rand.Rand) (lib.Value, string) {
		v := r.Uint32() >> r.IntN(32)
		return lib.Int32Value(int32(v)), fmt.Sprint(v)
	}, encoded(lib.Uint(32), &lib.DeltaBinaryPacked, &lib.RLEDictionary)},
	{"int64", lib.Int(64), func(r *rand.Rand) (lib.Value, string) {
		v := int64(r.Uint64()) >> r.IntN(64)
		return lib.Int64Value(v), fmt.Sprint(v)
	}, encoded(lib.Int(64), &lib.DeltaBinaryPacked, &lib.RLEDictionary, &lib.ByteStreamSplit)},
	{"float", lib.Leaf(lib.FloatType), func(r *rand.Rand) (lib.Value, string) {
		v := r.Float32()
		return lib.FloatValue(v), fmt.Sprint(float64(v))
	}, encoded(lib.Leaf(lib.FloatType), &lib.ByteStreamSplit)},
	{"double", lib.Leaf(lib.DoubleType), func(r *rand.Rand) (lib.Value, string) {
		v := float64(r.IntN(20)) / 7
		return lib.DoubleValue(v), fmt.Sprint(v)
	}, encoded(lib.Leaf(lib.DoubleType), &lib.ByteStreamSplit, &lib.RLEDictionary)},
	{"text", lib.String(), func(r *rand.Rand) (lib.Value, string) {
		v := []byte(strings.Repeat("abc", r.IntN(5)) + fmt.Sprint(r.IntN(30)))
		return lib.ByteArrayValue(v), fmt.Sprintf("%q", v)
	}, encoded(lib.String(), &lib.DeltaLengthByteArray, &lib.DeltaByteArray, &lib.RLEDictionary)},
	{"fixed", lib.Leaf(lib.FixedLenByteArrayType(5)), func(r *rand.Rand) (lib.Value, string) {
		v := fmt.Appendf(nil, "%05d", r.IntN(99999))
		return lib.FixedLenByteArrayValue(v), fmt.Sprintf("%q", v)
	}, encoded(lib.Leaf(lib.FixedLenByteArrayType(5)), &lib.RLEDictionary, &lib.DeltaByteArray)},
}

// encoded is a leaf in each of some encodings.
func encoded(leaf lib.Node, encodings ...encoding.Encoding) (nodes []lib.Node) {
	for _, e := range encodings {
		nodes = append(nodes, lib.Encoded(leaf, e))
	}
	return nodes
}

// TestRead reads what another implementation wrote: every type, encoding, compression and page version, with
// and without missing values, in several pages and row groups.
func TestRead(t *testing.T) {
	codecs := []compress.Codec{&lib.Uncompressed, &lib.Snappy, &lib.Gzip, &lib.Zstd, &lib.Lz4Raw}
	r := rand.New(rand.NewPCG(1, 2))
	for i, k := range kinds {
		for e, node := range append([]lib.Node{k.node}, k.encs...) {
			for _, version := range []int{1, 2} {
				for _, optional := range []bool{false, true} {
					name := fmt.Sprintf("%s/%d/v%d/optional=%v", k.name, e, version, optional)
					t.Run(name, func(t *testing.T) {
						node := lib.Compressed(node, codecs[(i+e+version)%len(codecs)])
						if optional {
							node = lib.Optional(node)
						}
						var rows []map[string]lib.Value
						var want []string
						for range 3000 {
							v, text := k.make(r)
							if optional && r.IntN(4) == 0 {
								v, text = lib.NullValue(), "null"
							}
							rows = append(rows, map[string]lib.Value{"x": v})
							want = append(want, text)
						}
						raw := library(t, map[string]lib.Node{"x": node}, rows, lib.DataPageVersion(version),
							lib.PageBufferSize(2000), lib.MaxRowsPerRowGroup(1250))
						got, err := all(raw)
						if err != nil {
							t.Fatal(err)
						}
						if d := cmp.Diff(want, got["x"]); d != "" {
							t.Error(d)
						}
					})
				}
			}
		}
	}
}

// TestWrite: what is written reads back, here and with another implementation.
func TestWrite(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	columns := []Column{
		{Path: []string{"n"}, Physical: Double, Optional: true},
		{Path: []string{"i"}, Physical: Int32},
		{Path: []string{"t"}, Physical: Int64, Logical: Timestamp, Unit: Nanos, UTC: true, Optional: true},
		{Path: []string{"s"}, Physical: ByteArray, Logical: Text, Optional: true},
		{Path: []string{"d"}, Physical: ByteArray, Logical: Text},
	}
	want := map[string][]string{}
	var out bytes.Buffer
	w, err := NewWriter(&out, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, pageRows + 17, 0, 100} {
		chunks := make([]Chunk, len(columns))
		dict := &Values{}
		for k := range 300 {
			dict.Bytes = append(dict.Bytes, fmt.Appendf(nil, "level %d", k))
		}
		chunks[4].Dict = dict
		for i := range columns {
			c := &chunks[i]
			name := columns[i].Path[0]
			for range rows {
				if columns[i].Optional {
					ok := r.IntN(5) > 0
					if c.Valid = append(c.Valid, ok); !ok {
						want[name] = append(want[name], "null")
						continue
					}
				}
				text := ""
				switch i {
				case 0:
					v := r.NormFloat64()
					c.Values.Floats = append(c.Values.Floats, v)
					text = fmt.Sprint(v)
				case 1, 2:
					v := int64(int32(r.Uint32()))
					c.Values.Ints = append(c.Values.Ints, v)
					text = fmt.Sprint(v)
				case 3:
					v := fmt.Appendf(nil, "%d é", r.IntN(1000))
					c.Values.Bytes = append(c.Values.Bytes, v)
					text = fmt.Sprintf("%q", v)
				case 4:
					v := r.Uint32N(300)
					if r.IntN(2) == 0 && len(c.Index) > 0 { // runs
						v = c.Index[len(c.Index)-1]
					}
					c.Index = append(c.Index, v)
					text = fmt.Sprintf("%q", dict.Bytes[v])
				}
				want[name] = append(want[name], text)
			}
		}
		if err := w.Group(rows, func(i int) Chunk { return chunks[i] }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := all(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	f, err := lib.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string][]string{}
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		buf := make([]lib.Row, 100)
		for {
			n, err := rows.ReadRows(buf)
			for _, row := range buf[:n] {
				for i, v := range row {
					text := "null"
					if !v.IsNull() {
						if text = v.String(); columns[i].Physical == ByteArray {
							text = fmt.Sprintf("%q", text)
						} else if columns[i].Physical == Double {
							text = fmt.Sprint(v.Double())
						} else if columns[i].Physical == Int64 {
							text = fmt.Sprint(v.Int64())
						}
					}
					theirs[columns[i].Path[0]] = append(theirs[columns[i].Path[0]], text)
				}
			}
			if err != nil {
				break
			}
		}
		rows.Close()
	}
	if d := cmp.Diff(want, theirs); d != "" {
		t.Errorf("another implementation reads: %s", d)
	}
}

// TestHybrid: packed numbers of every width come back.
func TestHybrid(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for width := 0; width <= 32; width++ {
		var v []uint32
		for len(v) < 2000 {
			x := uint32(r.Uint64() & (1<<width - 1))
			n := 1
			if r.IntN(10) == 0 {
				n = r.IntN(60)
			}
			v = append(v, slices.Repeat([]uint32{x}, n)...)
		}
		got, err := hybrid(nil, appendHybrid(nil, v, width), width, len(v))
		if err != nil || !slices.Equal(got, v) {
			t.Fatalf("width %d: %v", width, err)
		}
	}
}

// TestHostile: claims that the bytes cannot bear are refused before memory is taken for them.
func TestHostile(t *testing.T) {
	raw := library(t, map[string]lib.Node{"x": lib.Encoded(lib.String(), &lib.RLEDictionary)},
		[]map[string]lib.Value{{"x": lib.ValueOf("a")}, {"x": lib.ValueOf("b")}})
	size := int64(len(raw))
	with := func(at int64, b ...byte) []byte {
		return slices.Replace(slices.Clone(raw), int(at), int(at)+len(b), b...)
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"metadata longer than the file": {with(size-8, 0xff, 0xff, 0xff, 0x7f), "metadata of 2147483647 bytes"},
		"metadata of nothing":           {with(size-8, 0, 0, 0, 0), "cut off"},
		"encrypted":                     {with(size-4, 'P', 'A', 'R', 'E'), "encrypted"},
		"cut off":                       {raw[:size-1], "does not end with PAR1"},
		"dictionary damaged":            {with(4, 0xff, 0xff), ""},
	} {
		if _, err := all(c.raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ codec, bytes, size int }{
		"plain": {codecNone, 10, 11}, "snappy": {codecSnappy, 10, 1000}, "gzip": {codecGzip, 10, 1 << 20},
		"zstd": {codecZstd, 10, 1 << 27}, "lz4": {codecLZ4Raw, 10, 1 << 20}, "any": {codecZstd, 1 << 20, maxPage + 1},
	} {
		if _, err := decompress(c.codec, make([]byte, c.bytes), c.size); err == nil {
			t.Errorf("%s: %d bytes make %d", name, c.bytes, c.size)
		}
	}
}

// TestLZ4: bare blocks and Hadoop's framing of them, by hand after the block format's description: "abcd", then
// nine bytes from four before, then the literal "x".
func TestLZ4(t *testing.T) {
	block := []byte{0x45, 'a', 'b', 'c', 'd', 4, 0, 0x10, 'x'}
	const want = "abcdabcdabcdax"
	framed := append([]byte{0, 0, 0, 14, 0, 0, 0, 9}, block...)
	for _, c := range []struct {
		codec int
		in    []byte
	}{{codecLZ4Raw, block}, {codecLZ4, block}, {codecLZ4, framed}} {
		if got, err := decompress(c.codec, c.in, len(want)); err != nil || string(got) != want {
			t.Errorf("codec %d: %q, %v", c.codec, got, err)
		}
		if _, err := decompress(c.codec, c.in, len(want)-1); err == nil {
			t.Errorf("codec %d: a wrong size is no error", c.codec)
		}
	}
	if _, err := decompress(4, block, 14); err == nil || !strings.Contains(err.Error(), "brotli") {
		t.Errorf("%v", err)
	}
}

// TestEveryCut: a file that ends early or has a byte changed anywhere gives an error or values, never a panic.
func TestEveryCut(t *testing.T) {
	var rows []map[string]lib.Value
	for i := range 50 {
		v := lib.NullValue()
		if i%4 > 0 {
			v = lib.ValueOf(float64(i % 9))
		}
		rows = append(rows, map[string]lib.Value{
			"a": v,
			"b": lib.ValueOf(fmt.Sprint(i)),
			"c": lib.Int32Value(int32(i * i)),
			"d": lib.ValueOf(fmt.Sprint(i % 3)),
		})
	}
	nodes := map[string]lib.Node{
		"a": lib.Optional(lib.Leaf(lib.DoubleType)),
		"b": lib.Encoded(lib.String(), &lib.DeltaByteArray),
		"c": lib.Encoded(lib.Int(32), &lib.DeltaBinaryPacked),
		"d": lib.Encoded(lib.String(), &lib.RLEDictionary),
	}
	raw := library(t, nodes, rows)
	for i := range raw {
		if _, err := all(raw[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes are a file", i, len(raw))
		}
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff, raw[i] ^ 1} {
			hurt := slices.Clone(raw)
			hurt[i] = b
			_, _ = all(hurt)
		}
	}
}

// FuzzRead: whatever the bytes, reading ends with values or an error.
func FuzzRead(f *testing.F) {
	for i, k := range kinds {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		for _, node := range append([]lib.Node{k.node}, k.encs...) {
			var rows []map[string]lib.Value
			for range 30 {
				v, _ := k.make(r)
				rows = append(rows, map[string]lib.Value{"x": v})
			}
			f.Add(library(f, map[string]lib.Node{"x": lib.Optional(node)}, rows, lib.DataPageVersion(1+i%2)))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) { _, _ = all(raw) })
}
