package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/value"
)

// config is a data config for a test, read from dir/flows.csv.
func config(t testing.TB, text string) *Config {
	t.Helper()
	doc, err := settings.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := DecodeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const flowsConfig = `
name: own
format: delimited
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options:
  columns: [{name: size, type: number}, {name: proto, type: category}, {name: label, type: category}]
`

const headerConfig = `
name: own
format: delimited
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options: {header: true, types: {proto: category, label: category}}
`

func readText(t testing.TB, cfg, text string, workers int) (*data.Table, *ReadReport, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flows.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Read(context.Background(), config(t, cfg), Finder{Dirs: []string{dir}}, workers)
}

func TestReadErrors(t *testing.T) {
	long := strings.Repeat("1,tcp,ok\n", 3)
	for _, c := range []struct {
		name, config, text string
		want               []string
	}{
		{"text in a number column", flowsConfig, long + "many,udp,ok\n", []string{"flows.csv:4:1: size", `"many" is not a number`, "1 of 4 rows", "max_bad_share"}},
		{"too few columns", flowsConfig, long + "5,udp\n", []string{"flows.csv:4: 2 columns, want 3"}},
		{"too many columns", flowsConfig, "1,udp,ok,\n" + long, []string{"flows.csv:1: 4 columns, want 3"}},
		{"NaN", flowsConfig, long + "NaN,udp,ok\n", []string{"flows.csv:4:1: size", "not finite"}},
		{"infinity", flowsConfig, long + "-inf,udp,ok\n",
			[]string{"flows.csv:4:1: size", "not finite", "nonfinite: missing"}},
		{"overflow", flowsConfig, "1e999,udp,ok\n", []string{"flows.csv:1:1", "not finite"}},
		{"hexadecimal", flowsConfig, "0x10,udp,ok\n", []string{"is not a number"}},
		{"latin-1 bytes", flowsConfig, "1,t\xe9p,ok\n", []string{"flows.csv:1:2: proto", "not UTF-8", "encoding: latin-1"}},
		{"unclosed quote", flowsConfig, long + "1,\"tcp,ok\n1,udp,ok\n", []string{"flows.csv:4", "quote"}},
		{"text after a quote", flowsConfig, "1,\"tcp\"x,ok\n", []string{"flows.csv:1", "quote"}},
		{"empty file", flowsConfig, "", []string{"flows.csv: the file is empty"}},
		{"blank lines only", flowsConfig, "\n\n", []string{"no data rows"}},
		{"empty file with header", headerConfig, "", []string{"the file is empty"}},
		{"header only", headerConfig, "size,proto,label\n", []string{"no data rows"}},
		{"header without a column", headerConfig, "size,prot,label\n1,tcp,ok\n", []string{"flows.csv:1", `names the column "proto"`}},
		{"header without the label", strings.Replace(headerConfig, "label: category", "size: number", 1), "size,proto\n1,tcp\n", []string{`no column "label"`, "it has size, proto"}},
		{"missing label", flowsConfig, "1,tcp,\n", []string{"flows.csv:1: the label is missing"}},
		{"unknown label", strings.Replace(flowsConfig, "benign: [ok]", "benign: [ok], attack: [bad]", 1), "1,tcp,ok\n2,tcp,odd\n", []string{"flows.csv:2", `label "odd" is in neither list`}},
		{"too many bad rows", strings.Replace(flowsConfig, "options:", "max_bad_share: 0.1\noptions:", 1),
			long + "x,udp,ok\n", []string{"1 of 4 rows", "0.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := readText(t, c.config, c.text, 2)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error lacks %q: %v", w, err)
				}
			}
		})
	}
}

func TestReadValues(t *testing.T) {
	const missing = "missing: [\"\", \"?\"], nonfinite: missing, "
	for _, c := range []struct {
		name, config, text string
		size               []float64
		proto              []string
		attack             []bool
	}{
		{"plain", flowsConfig, "1.5,tcp,ok\n-2e3,udp,scan", []float64{1.5, -2000}, []string{"tcp", "udp"},
			[]bool{false, true}},
		{"CRLF, blanks, empty last line", flowsConfig, " 1 , tcp ,ok\r\n2,udp, ok \r\n\r\n", []float64{1, 2},
			[]string{"tcp", "udp"}, []bool{false, false}},
		{"byte order mark", flowsConfig, "\xef\xbb\xbf1,tcp,ok\n", []float64{1}, []string{"tcp"}, []bool{false}},
		{"quoted separator and line", flowsConfig, "1,\"a,b\",ok\n2,\"c\nd\",ok\n3,\"say \"\"x\"\"\",\"ok\"\r\n", []float64{1, 2, 3}, []string{"a,b", "c\nd", `say "x"`}, []bool{false, false, false}},
		{"header", headerConfig, "size,proto,label\n7,tcp,ok\n", []float64{7}, []string{"tcp"}, []bool{false}},
		{"latin-1", strings.Replace(flowsConfig, "options:\n", "options:\n  encoding: latin-1\n", 1), "1,t\xe9\x96,ok\n",
			[]float64{1}, []string{"té–"}, []bool{false}},
		{"missing marks and infinities", strings.Replace(headerConfig, "header: true", missing+"header: true", 1),
			"size,proto,label\n?,tcp,ok\nInfinity,?,ok\nnan,,ok\n", []float64{math.NaN(), math.NaN(), math.NaN()},
			[]string{"tcp", "", ""}, []bool{false, false, false}},
		{"repeated header", strings.Replace(headerConfig, "header: true", "header: true, repeated_header: true", 1),
			"size,proto,label\n1,tcp,ok\nsize,proto,label\n2,tcp,ok\n", []float64{1, 2}, []string{"tcp", "tcp"},
			[]bool{false, false}},
		{"repeated header in quotes, CRLF", strings.Replace(headerConfig, "header: true",
			"header: true, repeated_header: true", 1), "\"size\",\"proto\",\"label\"\r\n1,tcp,ok\r\n" +
			"\"size\",\"proto\",\"label\"\r\n2,tcp,ok\r\n", []float64{1, 2}, []string{"tcp", "tcp"}, []bool{false, false}},
		{"bad rows within the share", strings.Replace(flowsConfig, "options:", "max_bad_share: 0.5\noptions:", 1),
			"1,tcp,ok\nx,udp,ok\n3,udp,bad\n", []float64{1, 3}, []string{"tcp", "udp"}, []bool{false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, rep, err := readText(t, c.config, c.text, 2)
			if err != nil {
				t.Fatal(err)
			}
			size, err := tb.Column("size")
			if err != nil {
				t.Fatal(err)
			}
			proto, err := tb.Column("proto")
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for i := range tb.Rows {
				texts = append(texts, proto.Level(int32(i)))
			}
			same := slices.EqualFunc(size.Num, c.size, func(a, b float64) bool { return a == b || a != a && b != b })
			if !same || !slices.Equal(texts, c.proto) || !slices.Equal(tb.Attack, c.attack) {
				t.Errorf("got %v %q %v, want %v %q %v", size.Num, texts, tb.Attack, c.size, c.proto, c.attack)
			}
			if c.name == "bad rows within the share" {
				if rep.Bad != 1 || rep.Examples[0].String() != `flows.csv:2:1: size: "x" is not a number` ||
					len(rep.Warnings) != 1 ||
					tb.Where(1) != "flows.csv:3" {
					t.Errorf("report %+v, second row at %s", rep, tb.Where(1))
				}
			}
		})
	}
}

// TestReadDoesNotDependOnWorkers: a file of several chunks, with quotes that span lines.
func TestReadDoesNotDependOnWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	for i := range 120_000 {
		proto := fmt.Sprintf("p%d", r.IntN(300)+i/1000)
		if i%997 == 0 {
			proto = "\"two\nlines, one cell\""
		}
		label := "ok"
		if r.IntN(5) == 0 {
			label = fmt.Sprintf("a%d", r.IntN(4))
		}
		fmt.Fprintf(&b, "%v,%s,%s\n", float64(r.IntN(1_000_000))/100, proto, label)
	}
	one, _, err := readText(t, flowsConfig, b.String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if one.Rows != 120_000 || one.Where(998) != "flows.csv:1001" { // two cells above it hold a line break
		t.Fatalf("%d rows, row 998 at %s", one.Rows, one.Where(998))
	}
	for _, workers := range []int{2, 5} {
		many, _, err := readText(t, flowsConfig, b.String(), workers)
		if err != nil {
			t.Fatal(err)
		}
		many.Origins[0].Path = one.Origins[0].Path
		if d := cmp.Diff(one, many); d != "" {
			t.Errorf("%d workers: %.500s", workers, d)
		}
	}
}

// TestStrayQuotes: a quote inside a cell is text, and a wrongly quoted row costs no row but itself, in files
// of many chunks too.
func TestStrayQuotes(t *testing.T) {
	var b strings.Builder
	b.WriteString("1,5\"disk,ok\n")
	for i := range 200_000 {
		fmt.Fprintf(&b, "%d,\"a\nb\",ok\n", i)
	}
	loose := strings.Replace(flowsConfig, "options:", "max_bad_share: 0.01\noptions:", 1)
	plain := strings.Repeat("1,tcp,ok\n", 500)
	for _, c := range []struct {
		name, config, text string
		rows, bad          int
	}{
		{"inside a cell, one chunk", flowsConfig, "1,5\"disk,ok\n2,tcp,ok\n", 2, 0},
		{"inside a cell, no other quote in 18 MB", flowsConfig, "1,5\"disk,ok\n" + strings.Repeat("1,tcp,ok\n", 2_000_000),
			2_000_001, 0},
		{"inside a cell, then cells of two lines", flowsConfig, b.String(), 200_001, 0},
		{"never closed", loose, plain + "1,\"tcp,ok\n" + plain, 1000, 1},
		{"closed by the next row's", loose, plain + "1,\"tcp,ok\n" + plain + "1,\"udp\",ok\n", 1001, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, rep, err := readText(t, c.config, c.text, 2)
			if err != nil {
				t.Fatal(err)
			}
			if tb.Rows != c.rows || rep.Bad != c.bad || c.bad > 0 && rep.Examples[0].Line != 501 {
				t.Errorf("%d rows, %d bad (%v), want %d and %d", tb.Rows, rep.Bad, rep.Examples, c.rows, c.bad)
			}
		})
	}
}

// TestLabelsByColumnOrFile: a label column counts as text whatever its type, and files can be of one label
// without any column.
func TestLabelsByColumnOrFile(t *testing.T) {
	numbers := strings.Replace(
		strings.Replace(flowsConfig, "label, type: category", "label, type: number", 1),
		"[ok]",
		"['0']",
		1,
	)
	for _, c := range []struct {
		name, config, text string
		want               []bool
	}{
		{"declared a number", numbers, "1,tcp,0\n2,udp,1\n", []bool{false, true}},
		{"declared a time", strings.Replace(numbers, "label, type: number", "label, type: time", 1), "1,tcp,0\n2,udp,1\n",
			[]bool{false, true}},
		{"of the default type", strings.Replace(strings.Replace(headerConfig, ", label: category", "", 1), "[ok]", "['0']",
			1), "size,proto,label\n1,tcp,0\n2,udp,1\n", []bool{false, true}},
		{"class of another type", strings.Replace(flowsConfig, "{column: label,", "{column: label, class: size,", 1),
			"1,tcp,ok\n2,udp,bad\n", []bool{false, true}},
		{"of the file", strings.Replace(flowsConfig, "column: label, benign: [ok]",
			"files: [{file: 'flows*', is: attack, class: scan}]", 1), "1,tcp,x\n2,udp,y\n", []bool{true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, _, err := readText(t, c.config, c.text, 2)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tb.Attack, c.want) {
				t.Errorf("attacks %v, want %v", tb.Attack, c.want)
			}
		})
	}
	none := strings.Replace(flowsConfig, "column: label, benign: [ok]", "files: [{file: 'normal*', is: benign}]", 1)
	if _, _, err := readText(t, none, "1,tcp,ok\n", 1); err == nil ||
		!strings.Contains(err.Error(), "flows.csv: there is no label column") {
		t.Errorf("a file without a label: %v", err)
	}
}

func TestCompressedFiles(t *testing.T) {
	var zipped, zst bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	text := strings.Repeat("1,tcp,ok\n2,udp,scan\n", 5000)
	zw.Write([]byte(text))
	zw.Close()
	sw, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	sw.Write([]byte(text))
	sw.Close()
	var sums []string
	for name, raw := range map[string][]byte{"flows.csv": []byte(text), "flows.csv.gz": zipped.Bytes(),
		"flows.csv.zst": zst.Bytes()} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "own"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "own", name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		tb, _, err := Read(context.Background(), config(t, flowsConfig), Finder{Dirs: []string{dir}}, 2)
		if err != nil || tb.Rows != 10_000 {
			t.Fatalf("%s: %v", name, err)
		}
		sums = append(sums, tb.Origins[0].SHA256)
	}
	if len(slices.Compact(sums)) != 1 {
		t.Errorf("the sums of one content differ: %v", sums)
	}
	for _, cut := range []int{len(zipped.Bytes()) / 2, 12} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "flows.csv.gz"), zipped.Bytes()[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := Read(context.Background(), config(t, flowsConfig), Finder{Dirs: []string{dir}}, 2)
		if err == nil || !strings.Contains(err.Error(), "cut off") {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	_, _, err = Read(context.Background(), config(t, flowsConfig), Finder{Dirs: []string{"/nowhere"}}, 2)
	if !errors.Is(err, ErrNoFile) || !strings.Contains(err.Error(), "/nowhere/own") ||
		!strings.Contains(err.Error(), "--data") {
		t.Errorf("missing file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flows.csv"), []byte(strings.Repeat(text, 40)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(ctx, config(t, flowsConfig), Finder{Dirs: []string{dir}}, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

const zeekLog = `#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	conn
#fields	ts	uid	id.orig_h	id.resp_p	proto	duration	local_orig	tunnel_parents   label   detailed-label
#types	time	string	addr	port	enum	interval	bool	set[string]   string   string
1545403816.962094	C1	192.168.1.195	80	tcp	3.139211	T	-   Benign   -
1545403824.181240	C2	192.168.1.195	80	tcp	-	-	(empty)   Malicious   PartOfAHorizontalPortScan
#close	2019-03-15-14-50-49
`

const zeekConfig = `
name: own
format: zeek
files: {train: [flows.csv]}
label: {column: label, class: detailed-label, benign: [Benign]}
drop: [uid]
options: {categories: [id.resp_p]}
`

func TestZeek(t *testing.T) {
	tb, _, err := readText(t, zeekConfig, "\xef\xbb\xbf"+zeekLog, 2)
	if err != nil {
		t.Fatal(err)
	}
	ts, _ := tb.Column("ts")
	dur, _ := tb.Column("duration")
	port, _ := tb.Column("id.resp_p")
	host, _ := tb.Column("id.orig_h")
	if ts.Nanos[0] != 1545403816962094000 || dur.Num[0] != 3.139211 || !math.IsNaN(dur.Num[1]) ||
		port.Type != data.Category ||
		host.Type != data.Address ||
		host.Level(1) != "192.168.1.195" {
		t.Errorf("%+v", tb)
	}
	if !slices.Equal(tb.Attack, []bool{false, true}) || tb.Classes[tb.Class[0]] != "Benign" ||
		tb.Classes[tb.Class[1]] != "PartOfAHorizontalPortScan" ||
		tb.Where(0) != "flows.csv:8" {
		t.Errorf("%v %v %v %s", tb.Attack, tb.Class, tb.Classes, tb.Where(0))
	}
	if _, err := tb.Column("uid"); err == nil {
		t.Error("a dropped column is there")
	}
	for _, c := range []struct{ name, text, want string }{
		{"no header", "1\t2\n", "not a Zeek log"},
		{"empty", "", "the file is empty"},
		{"header lines cut off", "#separator \\x09\n#fields\tts\n", "lacks #fields or #types"},
		{"types do not fit", "#fields\tts\tuid\n#types\ttime\n1\t2\n", "2 fields and 1 types"},
		{"short row", strings.Replace(zeekLog, "\t80\ttcp\t3", "\ttcp\t3", 1), "flows.csv:8: 9 columns, want 10"},
		{"bad time", strings.Replace(zeekLog, "1545403816.962094", "yesterday", 1), "flows.csv:8:1: ts"},
		{"header only", zeekLog[:strings.Index(zeekLog, "15454")], "no data rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := readText(t, zeekConfig, c.text, 2); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

const ndjsonConfig = `
name: own
format: ndjson
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options:
  columns: [{name: size, type: number}, {name: source.ip, type: address}, {name: up, type: number}, {name: label, type: category}]
`

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "-0.5": -0.5, "+3": 3, "1e-3": 1e-3,
		"123456789.123456789": 123456789.123456789, "9007199254740993": 9007199254740993, "0.1": 0.1, ".5": 0.5, "5.": 5,
		"12345678901234567890": 12345678901234567890} {
		if got, err := value.Number([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", ".", "1_000", "0x1p3", "1e", "--1", "1.2.3", "abc"} {
		if v, err := value.Number([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "empty data config"},
		{"unknown format", "name: x\nformat: delimitted\n", `test.yaml:2:9: format: unknown format "delimitted"; did you mean "delimited"?`},
		{"unknown key", "name: x\nformat: delimited\nlabels: {}\n", `test.yaml:3:1: labels: unknown key; did you mean "label"?`},
		{"unknown option", "name: x\nformat: delimited\noptions: {seperator: ;}\n", `did you mean "separator"?`},
		{"long separator", strings.Replace(flowsConfig, "options:\n", "options:\n  separator: '::'\n", 1),
			"want one ASCII character"},
		{"unknown type", strings.Replace(flowsConfig, "type: number", "type: numeric", 1), `"numeric" is not one of`},
		{"label that is no column", strings.Replace(flowsConfig, "column: label", "column: lable", 1), `no column "lable"; did you mean "label"?`},
		{"dropped column that is none", flowsConfig + "drop: [sise]\n", `no column "sise"; did you mean "size"?`},
		{"no files", strings.Replace(flowsConfig, "train: [flows.csv]", "train: []", 1), "files.train"},
		{"label on both lists", strings.Replace(flowsConfig, "benign: [ok]", "benign: [ok], attack: [ok]", 1), `"ok" is both benign and an attack`},
		{"label file pattern", strings.Replace(flowsConfig, "benign: [ok]", "benign: [ok], files: [{file: '[', is: attack}]", 1), `"[" is not a file name or pattern`},
		{"label list without a column", strings.Replace(flowsConfig, "column: label, ", "", 1), "need a column"},
		{"label file without a outcome", strings.Replace(flowsConfig, "column: label, benign: [ok]", "files: [{file: flows.csv, class: scan}]", 1), `test.yaml:5:8: label: files: "flows.csv" does not say what its rows are`},
		{"label rule without a outcome", strings.Replace(flowsConfig, "benign: [ok]",
			"rules: [{contains: bot, class: bot}]", 1), "rule 1 does not say what such rows are"},
		{"label rule without a text", strings.Replace(flowsConfig, "benign: [ok]",
			"rules: [{contains: bot, is: attack}, {is: drop}]", 1), "rule 2 needs equals or contains"},
		{"one file on both sides", strings.Replace(flowsConfig, "train: [flows.csv]", "train: [flows.csv], test: [flows.csv]", 1), `"flows.csv" is named twice`},
		{"share out of range", flowsConfig + "max_bad_share: 2\n", "at most 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := settings.Parse("test.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := DecodeConfig(doc); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// BenchmarkReadKDD99 reads the 10 % file from gzip to a table: 494,021 rows of 42 columns.
func BenchmarkReadKDD99(b *testing.B) {
	dir := datatest.Dir(b, "kddcup99")
	c := shippedConfig(b, "../../configs/data/kddcup99.yaml")
	c.Files.Test, c.Expect.TestRows = nil, 0
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		t, _, err := Read(context.Background(), c, NewFinder(dir), runtime.GOMAXPROCS(0))
		if err != nil {
			b.Fatal(err)
		}
		rows += t.Rows
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func FuzzDelimited(f *testing.F) {
	f.Add("1,tcp,ok\n2,\"a\nb\",x\n", true)
	f.Add("size,proto,label\r\n1,tcp,ok\r\n", false)
	f.Add("\xef\xbb\xbf1,\"\",\"\"\"\"\n", true)
	f.Fuzz(func(t *testing.T, text string, plain bool) {
		cfg := headerConfig
		if plain {
			cfg = strings.Replace(flowsConfig, "options:", "max_bad_share: 1\noptions:", 1)
		}
		a, _, errA := readText(t, cfg, text, 1)
		b, _, errB := readText(t, cfg, text, 3)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%v and %v", errA, errB)
		}
		if errA != nil {
			return
		}
		if a.Rows != b.Rows || len(a.Lines) != a.Rows || len(a.Attack) != a.Rows {
			t.Fatalf("%d and %d rows, %d lines", a.Rows, b.Rows, len(a.Lines))
		}
		for i := range a.Columns {
			if a.Columns[i].Len() != a.Rows {
				t.Fatalf("column %s has %d of %d rows", a.Columns[i].Name, a.Columns[i].Len(), a.Rows)
			}
		}
	})
}

func FuzzZeek(f *testing.F) {
	f.Add(zeekLog)
	f.Add("#separator ,\n#fields,a   b\n#types,string   string\nx   y\n")
	c := config(f, strings.Replace(zeekConfig, "drop:", "max_bad_share: 1\ndrop:", 1))
	find := Finder{Dirs: []string{f.TempDir()}}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(find.Dirs[0], "flows.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, _, errA := Read(t.Context(), c, find, 1)
		b, _, errB := Read(t.Context(), c, find, 3)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%v and %v", errA, errB)
		}
		if errA == nil && (a.Rows != b.Rows || a.Rows == 0 || len(a.Attack) != a.Rows || a.Columns[0].Len() != a.Rows) {
			t.Fatalf("%d and %d rows, %d labels, %d values", a.Rows, b.Rows, len(a.Attack), a.Columns[0].Len())
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add(flowsConfig)
	f.Add(zeekConfig)
	f.Add("name: s\nformat: synth\nlabel: {column: class, benign: [benign]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := settings.Parse("f", []byte(text))
		if err != nil {
			return
		}
		_, _ = DecodeConfig(doc)
	})
}
