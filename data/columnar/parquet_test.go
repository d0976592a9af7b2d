package columnar_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lib "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/export"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const parquetConfig = `
name: own
format: parquet
files: {train: [flows.parquet]}
label: {column: label, benign: ["0"]}
`

// parquetFile is a file of the columns, of which each has as many values; nil is a null.
func parquetFile(
	t testing.TB,
	nodes map[string]lib.Node,
	values map[string][]any,
	options ...lib.WriterOption,
) []byte {
	t.Helper()
	var names []string
	for n := range nodes {
		names = append(names, n)
	}
	slices.Sort(names)
	var out bytes.Buffer
	w := lib.NewWriter(&out, append([]lib.WriterOption{lib.NewSchema("t", lib.Group(nodes))}, options...)...)
	for i := range values[names[0]] {
		var row lib.Row
		for k, n := range names {
			v, def := lib.NullValue(), 0
			if x := values[n][i]; x != nil {
				if v = lib.ValueOf(x); nodes[n].Optional() {
					def = 1
				}
			}
			row = append(row, v.Level(0, def, k))
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

func readParquet(t testing.TB, cfg string, raw []byte, workers int) (*data.Table, *source.ReadReport, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flows.parquet"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return source.Read(context.Background(), sourcetest.Config(t, cfg), source.Finder{Dirs: []string{dir}}, workers)
}

// TestParquetTypes: what each type of the format is in a table, by itself and as a label, and where
// options.types says otherwise. Expectations follow from the definitions of the logical types.
func TestParquetTypes(t *testing.T) {
	const day = 86400
	i96 := func(julian, nanos int64) any {
		return deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(julian)}
	}
	for _, c := range []struct {
		name   string
		node   lib.Node
		values []any
		typ    string // of options.types
		want   data.ColumnType
		cells  string
		text   string // as a label
	}{
		{"int8", lib.Int(8), []any{int32(-128), int32(127)}, "", data.Number, "-128 127", "-128 127"},
		{"uint8", lib.Uint(8), []any{int32(255), int32(0)}, "", data.Number, "255 0", "255 0"},
		{"uint32", lib.Uint(32), []any{int32(-1), int32(1)}, "", data.Number, "4.294967295e+09 1", "4294967295 1"},
		{"int64", lib.Int(64), []any{int64(-5), int64(1) << 40}, "", data.Number, "-5 1.099511627776e+12",
			"-5 1099511627776"},
		{"uint64", lib.Uint(64), []any{int64(-1), int64(7)}, "", data.Number, "1.8446744073709552e+19 7",
			"18446744073709551615 7"},
		{"float", lib.Leaf(lib.FloatType), []any{float32(0.5), float32(0.1)}, "", data.Number,
			"0.5 0.10000000149011612", "0.5 0.1"},
		{"double", lib.Leaf(lib.DoubleType), []any{0.1, 1e300}, "", data.Number, "0.1 1e+300", "0.1 1e+300"},
		{"label of doubles", lib.Leaf(lib.DoubleType), []any{0.0, 1.0}, "", data.Number, "0 1", "0 1"},
		{"boolean", lib.Leaf(lib.BooleanType), []any{true, false}, "", data.Number, "1 0", "1 0"},
		{"decimal of 32 bits", lib.Decimal(2, 9, lib.Int32Type), []any{int32(-5), int32(12345)}, "", data.Number,
			"-0.05 123.45", "-0.05 123.45"},
		{"decimal of 64 bits", lib.Decimal(3, 18, lib.Int64Type), []any{int64(1), int64(math.MaxInt64)}, "",
			data.Number, "0.001 9.223372036854776e+15", "0.001 9223372036854775.807"},
		{"decimal of bytes", lib.Decimal(1, 10, lib.FixedLenByteArrayType(5)), []any{[5]byte{255, 255, 255, 255,
			254}, [5]byte{0, 0, 0, 1, 0}}, "number", data.Number, "-0.2 25.6", "-0.2 25.6"},
		{"string", lib.String(), []any{"tcp", "é"}, "", data.Category, "tcp é", "tcp é"},
		{"enum", lib.Enum(), []any{"A", "B"}, "", data.Category, "A B", "A B"},
		{"json", lib.JSON(), []any{"{}", "[1]"}, "", data.Category, "{} [1]", "{} [1]"},
		{"bytes without meaning", lib.Leaf(lib.ByteArrayType), []any{"x", "y"}, "", data.Category, "x y", "x y"},
		{"fixed length", lib.Leaf(lib.FixedLenByteArrayType(2)), []any{[2]byte{'a', 'b'}, [2]byte{'c', 'd'}}, "",
			data.Category, "ab cd", "ab cd"},
		{"uuid", lib.UUID(), []any{[16]byte{0x12, 15: 0xff}, [16]byte{}}, "", data.Category,
			"12000000-0000-0000-0000-0000000000ff 00000000-0000-0000-0000-000000000000",
			"12000000-0000-0000-0000-0000000000ff 00000000-0000-0000-0000-000000000000"},
		{"date", lib.Date(), []any{int32(0), int32(-1)}, "", data.Time,
			"1970-01-01T00:00:00Z 1969-12-31T00:00:00Z", "1970-01-01 1969-12-31"},
		{"time of day", lib.Time(lib.Millisecond), []any{int32(1500), int32(0)}, "", data.Number, "1.5 0",
			"00:00:01.5 00:00:00"},
		{"time of day in ns", lib.Time(lib.Nanosecond), []any{int64(1), int64(day) * 1e9 / 2}, "", data.Number,
			"1e-09 43200", "00:00:00.000000001 12:00:00"},
		{"timestamp ms", lib.Timestamp(lib.Millisecond), []any{int64(1500), int64(-1)}, "", data.Time,
			"1970-01-01T00:00:01.5Z 1969-12-31T23:59:59.999Z", "1970-01-01T00:00:01.5Z 1969-12-31T23:59:59.999Z"},
		{"timestamp us, local", lib.TimestampAdjusted(lib.Microsecond, false), []any{int64(1), int64(0)}, "",
			data.Time, "1970-01-01T00:00:00.000001Z 1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z 1970-01-01T00:00:00Z"},
		{"timestamp ns", lib.Timestamp(lib.Nanosecond), []any{int64(1545403816900000001), int64(0)}, "", data.Time,
			"2018-12-21T14:50:16.900000001Z 1970-01-01T00:00:00Z", "2018-12-21T14:50:16.900000001Z 1970-01-01T00:00:00Z"},
		{"int96", lib.Leaf(lib.Int96Type), []any{i96(2440588, 5), i96(2440587, 3600e9)}, "", data.Time,
			"1970-01-01T00:00:00.000000005Z 1969-12-31T01:00:00Z", "1970-01-01T00:00:00.000000005Z 1969-12-31T01:00:00Z"},
		{"codes as categories", lib.Int(32), []any{int32(6), int32(17)}, "category", data.Category, "6 17", "6 17"},
		{"texts as numbers", lib.String(), []any{" 1.5", "2"}, "number", data.Number, "1.5 2", "1.5 2"},
		{"texts as ports", lib.String(), []any{"0x1f", "80"}, "port", data.Number, "31 80", "0x1f 80"},
		{"texts as addresses", lib.String(), []any{"10.0.0.1", "::1"}, "address", data.Address, "10.0.0.1 ::1",
			"10.0.0.1 ::1"},
		{"seconds as times", lib.Leaf(lib.DoubleType), []any{1.5, 1545403816.9}, "time", data.Time,
			"1970-01-01T00:00:01.5Z 2018-12-21T14:50:16.9Z", "1.5 1545403816.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := append(slices.Clone(c.values), nil)
			raw := parquetFile(
				t,
				map[string]lib.Node{"x": lib.Optional(c.node), "y": lib.Optional(c.node)},
				map[string][]any{"x": values, "y": values},
			)
			cfg := "name: own\nformat: parquet\nfiles: {train: [flows.parquet]}\nlabel: {column: y, rules: " +
				"[{equals: '', is: attack, class: none}], benign: [none]}\n"
			if c.typ != "" {
				cfg += "options: {types: {x: " + c.typ + "}}\n"
			}
			tb, _, err := readParquet(t, cfg, raw, 2)
			if err != nil {
				t.Fatal(err)
			}
			x, err := tb.Column("x")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(sourcetest.Cells(x), " "); x.Type != c.want || got != c.cells+" -" {
				t.Errorf("%v %q, want %v %q", x.Type, got, c.want, c.cells)
			}
			var classes []string
			for _, k := range tb.Class {
				classes = append(classes, tb.Classes[k])
			}
			if got := strings.Join(classes, " "); got != c.text+" none" {
				t.Errorf("labels %q, want %q", got, c.text)
			}
			if !slices.Equal(tb.Lines, []int32{1, 2, 3}) || len(tb.Origins[0].SHA256) != 64 {
				t.Errorf("lines %v, origin %+v", tb.Lines, tb.Origins[0])
			}
		})
	}
}

func TestParquetErrors(t *testing.T) {
	nodes := map[string]lib.Node{
		"size":  lib.Optional(lib.Leaf(lib.DoubleType)),
		"proto": lib.String(),
		"label": lib.Int(32),
	}
	values := map[string][]any{
		"size":  {1.0, math.NaN(), nil, 4.0},
		"proto": {"tcp", "17", "\xff", "7"},
		"label": {int32(0), int32(1), int32(0), int32(1)},
	}
	good := parquetFile(t, nodes, values)
	zipped := &bytes.Buffer{}
	z := gzip.NewWriter(zipped)
	z.Write(good)
	z.Close()
	var lists bytes.Buffer
	type row struct {
		Label int32   `parquet:"label"`
		Tags  []int32 `parquet:"tags,list"`
		In    struct {
			Port int32 `parquet:"port"`
		} `parquet:"in"`
	}
	lw := lib.NewGenericWriter[row](&lists)
	if _, err := lw.Write([]row{{Label: 0, Tags: []int32{1, 2}}, {Label: 1}}); err != nil {
		t.Fatal(err)
	}
	lw.Close()
	damaged := bytes.Replace(good, []byte("PAR1"), []byte("PAR2"), 1)
	for _, c := range []struct {
		name, options string
		raw           []byte
		want          []string
	}{
		{"not finite", "drop: [proto]\n", good, []string{"flows.parquet:2:3: size", "not finite",
			"nonfinite: missing", "1 of 4 rows"}},
		{"not UTF-8", "drop: [size]\n", good, []string{"flows.parquet:3:2: proto", "not UTF-8"}},
		{"text as number", "drop: [size]\noptions: {types: {proto: number}}\n", good,
			[]string{"flows.parquet:1:2: proto", `"tcp" is not a number`, "2 of 4 rows"}},
		{"unknown column in types", "options: {types: {prot: number}}\n", good,
			[]string{`options.types names the column "prot"`}},
		{"unknown column to drop", "drop: [prot]\n", good, []string{`no column "prot"`, "it has label, proto, size"}},
		{"gzip", "", zipped.Bytes(), []string{"flows.parquet", "cannot be wrapped in gzip"}},
		{"cut off", "", good[:len(good)-20], []string{"cut off"}},
		{"no Parquet", "", []byte("a,b,c\n1,2,3\n4,5,6\n"), []string{`begins with "a,b,"`}},
		{"empty", "", nil, []string{"too short"}},
		{"wrong magic", "", damaged, []string{`begins with "PAR2"`}},
		{"list", "", lists.Bytes(), []string{`column "tags" is a list or a map`, "drop: [tags]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readParquet(t, parquetConfig+c.options, c.raw, 2)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v: lacks %q", err, w)
				}
			}
		})
	}
	tb, rep, err := readParquet(
		t,
		parquetConfig+"max_bad_share: 0.5\noptions: {nonfinite: missing, types: {proto: number}}\n",
		good,
		2,
	)
	if err != nil || rep.Bad != 2 || !slices.Equal(tb.Lines, []int32{2, 4}) ||
		!slices.Equal(tb.Attack, []bool{true, true}) {
		t.Errorf("%v, %+v, %+v", err, rep, tb)
	}
	tb, _, err = readParquet(t, parquetConfig+"drop: [tags]\n", lists.Bytes(), 2)
	if err != nil || len(tb.Columns) != 1 || tb.Columns[0].Name != "in.port" {
		t.Errorf("%v, %+v", err, tb)
	}
	if tb, _, err = readParquet(t, parquetConfig+"drop: [tags, in]\n", lists.Bytes(), 2); err != nil ||
		len(tb.Columns) != 0 ||
		tb.Rows != 2 {
		t.Errorf("%v, %+v", err, tb)
	}
}

// TestParquetWorkers: the table and the report do not depend on the number of workers, nor on how the rows
// are cut into row groups.
func TestParquetWorkers(t *testing.T) {
	nodes := map[string]lib.Node{
		"size":  lib.Optional(lib.Leaf(lib.DoubleType)),
		"proto": lib.Optional(lib.Encoded(lib.String(), &lib.RLEDictionary)),
		"label": lib.Int(32),
	}
	values := map[string][]any{}
	for i := range 5000 {
		var size any = float64(i%97) / 3
		if i%11 == 0 {
			size = nil
		} else if i%1000 == 7 {
			size = math.Inf(1)
		}
		values["size"] = append(values["size"], size)
		values["proto"] = append(values["proto"], fmt.Sprint("p", (i*i)%53))
		values["label"] = append(values["label"], int32(i%5/4))
	}
	var first *data.Table
	var report *source.ReadReport
	for _, rows := range []int64{5000, 700, 33} {
		raw := parquetFile(t, nodes, values, lib.MaxRowsPerRowGroup(rows), lib.PageBufferSize(300))
		for _, workers := range []int{1, 2, 7} {
			tb, rep, err := readParquet(t, parquetConfig+"max_bad_share: 0.1\n", raw, workers)
			if err != nil {
				t.Fatal(err)
			}
			tb.Origins = nil // path, size and sum of the file
			if first == nil {
				if first, report = tb, rep; rep.Bad != 5 || tb.Rows != 4995 {
					t.Fatalf("%d rows, %d bad", tb.Rows, rep.Bad)
				}
			}
			if d := cmp.Diff(first, tb, cmp.Comparer(func(a,
				b float64) bool {
				return math.Float64bits(a) == math.Float64bits(b)
			})); d != "" {
				t.Fatalf("row groups of %d, %d workers: %s", rows, workers, d)
			}
			if d := cmp.Diff(report, rep); d != "" {
				t.Fatalf("row groups of %d, %d workers: %s", rows, workers, d)
			}
		}
	}
}

func TestParquetCancelled(t *testing.T) {
	dir := t.TempDir()
	raw := parquetFile(t, map[string]lib.Node{"label": lib.Int(32)}, map[string][]any{"label": {int32(0), int32(1)}})
	if err := os.WriteFile(filepath.Join(dir, "flows.parquet"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := source.Read(ctx, sourcetest.Config(t, parquetConfig), source.Finder{Dirs: []string{dir}},
		2); err == nil {
		t.Error("a cancelled read ended well")
	}
}

// FuzzParquet: whatever the bytes, reading ends with a table or an error, with no more memory than they can be worth.
func FuzzParquet(f *testing.F) {
	nodes := map[string]lib.Node{
		"a":     lib.Optional(lib.Leaf(lib.DoubleType)),
		"b":     lib.Encoded(lib.String(), &lib.RLEDictionary),
		"c":     lib.Encoded(lib.Int(32), &lib.DeltaBinaryPacked),
		"d":     lib.Encoded(lib.String(), &lib.DeltaByteArray),
		"e":     lib.Timestamp(lib.Millisecond),
		"label": lib.Int(64),
	}
	values := map[string][]any{}
	for i := range 40 {
		var a any
		if i%3 > 0 {
			a = float64(i)
		}
		for n, v := range map[string]any{"a": a, "b": fmt.Sprint(i % 4), "c": int32(i * i),
			"d": fmt.Sprint("text ", i), "e": int64(i), "label": int64(i % 2)} {
			values[n] = append(values[n], v)
		}
	}
	for i, codec := range []lib.WriterOption{lib.Compression(&lib.Uncompressed), lib.Compression(&lib.Snappy),
		lib.Compression(&lib.Zstd), lib.Compression(&lib.Gzip), lib.Compression(&lib.Lz4Raw)} {
		f.Add(parquetFile(f, nodes, values, codec, lib.DataPageVersion(1+i%2), lib.MaxRowsPerRowGroup(25)))
	}
	c := sourcetest.Config(f, parquetConfig+"max_bad_share: 1\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(dir, "flows.parquet")
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tb, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
		runtime.ReadMemStats(&after)
		const base, ratio = 64 << 20, 1 << 16 // what a byte of zstd can hold
		if n := after.TotalAlloc - before.TotalAlloc; n > base+uint64(len(raw))*ratio {
			t.Errorf("%d bytes of memory for %d bytes", n, len(raw))
		}
		if err == nil && (tb.Rows == 0 || len(tb.Attack) != tb.Rows || len(tb.Lines) != tb.Rows) {
			t.Errorf("%d rows, %d labels, %d lines", tb.Rows, len(tb.Attack), len(tb.Lines))
		}
	})
}

// BenchmarkParquet reads KDD99's 10 % file from Parquet and from the published gzip CSV.
func BenchmarkParquet(b *testing.B) {
	dir := datatest.Dir(b, "kddcup99")
	raw, err := os.ReadFile("../../configs/data/kddcup99.yaml")
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Replace(string(raw), "  test: [corrected]\n", "", 1)
	text = strings.Replace(text, "expect: {train_rows: 494021, test_rows: 311029}\n", "", 1)
	csv := sourcetest.Config(b, text)
	t, _, err := source.Read(context.Background(), csv, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		b.Fatal(err)
	}
	at := b.TempDir()
	if _, err := export.Export(context.Background(), t, filepath.Join(at, "flows.parquet"), nil); err != nil {
		b.Fatal(err)
	}
	parquet := sourcetest.Config(
		b,
		strings.Replace(
			parquetConfig,
			"column: label, benign: [\"0\"]",
			"column: attack, class: class, benign: [\"0\"]",
			1,
		)+"drop: [part, file, line]\n",
	)
	for _, c := range []struct {
		name   string
		config *source.Config
		dir    string
	}{{"gzip-csv", csv, dir}, {"parquet", parquet, at}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				got, _, err := source.Read(context.Background(), c.config, source.Finder{Dirs: []string{c.dir}}, 2)
				if err != nil || got.Rows != t.Rows || len(got.Columns) != len(t.Columns) {
					b.Fatal(err)
				}
			}
		})
	}
}
