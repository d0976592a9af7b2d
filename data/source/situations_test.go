package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/parquet-go/parquet-go"

	"plumbline/data"
)

// readAll reads a config's files, given by name.
func readAll(t testing.TB, cfg string, files map[string]string) (*data.Table, *ReadReport, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Read(context.Background(), config(t, cfg), Finder{Dirs: []string{dir}}, 2)
}

// truthOf is the rows as +class for attacks and -class for benign ones.
func truthOf(tb *data.Table) string {
	var out []string
	for i, a := range tb.Attack {
		out = append(out, map[bool]string{true: "+", false: "-"}[a]+tb.Classes[tb.Class[i]])
	}
	return strings.Join(out, " ")
}

// TestLabelSpellings: upper and lower case, blanks and how a number is written make no difference.
func TestLabelSpellings(t *testing.T) {
	labels := func(more string, texts ...string) (string, string) {
		return strings.Replace(flowsConfig, "benign: [ok]", more, 1), "1,tcp," + strings.Join(texts, "\n1,tcp,") + "\n"
	}
	for _, c := range []struct {
		name, label string
		rows        []string
		want        string
		note        string
	}{
		{"case", "benign: [Benign]", []string{"BENIGN", "Benign", "benign ", "Bot", "BOT"}, "-BENIGN -BENIGN -BENIGN +Bot +Bot", `class "BENIGN" is also written "Benign", "benign"`},
		{"numbers", "benign: [0]", []string{"0.0", "1", "1.0", "0", " 1e0"}, "-0.0 +1 +1 -0.0 +1", `class "1" is also written "1.0", "1e0"`},
		{"numbers, as a text", `benign: ["0.00"]`, []string{"0", "2"}, "-0 +2", ""},
		{"attack list", "attack: [dos], benign: [ok]", []string{"DoS", "OK"}, "+DoS -OK", ""},
		{"rules", "benign: [ok], rules: [{equals: BOT, is: attack, class: botnet}]", []string{"Bot", "ok"},
			"+botnet -ok", ""},
		{"renamed", "benign: [ok], rename: {Dos: denial}", []string{"DOS", "dos", "ok"}, "+denial +denial -ok", ""},
		{"not a number", "benign: [nan]", []string{"NaN", "inf"}, "-NaN +inf", ""},
	} {
		cfg, text := labels(c.label, c.rows...)
		tb, rep, err := readText(t, cfg, text, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := truthOf(tb); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.note != "" && !slices.Contains(rep.Notes, c.note) {
			t.Errorf("%s: notes %q, want %q", c.name, rep.Notes, c.note)
		}
	}
	cfg, text := labels("benign: [fine]", "Normal", "Normal", "worm")
	_, rep, err := readText(t, cfg, text, 1)
	if want := `label.benign is "fine", which no row has; the labels are "Normal" (2 rows), "worm" (1 rows)`; err != nil ||
		!strings.Contains(strings.Join(rep.Warnings, "\n"), want) {
		t.Errorf("a benign label that no row has: %v, %+v", err, rep)
	}
}

// TestMissingLabels: a row without a label cannot be read; how many of them are too many is the config's to say.
func TestMissingLabels(t *testing.T) {
	text := strings.Repeat("1,tcp,ok\n", 6) + "2,tcp,\n3,udp,scan\nx,tcp,ok\n4,tcp,\n"
	some := strings.Replace(flowsConfig, "options:", "max_bad_share: 0.3\noptions:", 1)
	tb, rep, err := readText(t, some, text, 2)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := tb.Column("size")
	if tb.Rows != 7 || rep.Bad != 3 || !slices.Equal(size.Num, []float64{1, 1, 1, 1, 1, 1, 3}) || tb.Lines[6] != 8 {
		t.Errorf("%d rows of lines %v, %d bad", tb.Rows, tb.Lines, rep.Bad)
	}
	for _, row := range rep.Examples[1:] {
		if (row.Line != 7 && row.Line != 10) || row.Reason != "the label is missing" {
			t.Errorf("%v", row)
		}
	}
	for share, want := range map[string]string{"0": "1 of 10 rows cannot be read", "0.2": "3 of 10 rows cannot be read"} {
		few := strings.Replace(flowsConfig, "options:", "max_bad_share: "+share+"\noptions:", 1)
		if _, _, err := readText(t, few, text, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("max_bad_share %s: %v, want %q", share, err, want)
		}
	}
}

const byNameConfig = `
name: own
format: delimited
files: [flows.csv]
label: {column: Label, benign: [ok]}
aliases: {Bytes: [octets, "Tot Bytes"], Proto: [prot]}
options:
  header: true
  by_name: true
  absent: missing
  missing: [""]
  columns: [{name: Bytes, type: number}, {name: Proto, type: category}, {name: Dur, type: number}, {name: Label, type: category}]
`

// TestAbsentColumns: a column that a file lacks is said; a file that lacks half of them is another file.
func TestAbsentColumns(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"one is spelled wrong", "Bytes,Porto,Dur,Label\n1,tcp,2,ok\n2,tcp,1,bad\n", `flows.csv has no column "Proto"; did you mean "Porto"?: missing in all of its rows`},
		{"none", "BYTES,proto,dur,label\n1,tcp,2,ok\n2,tcp,1,bad\n", ""},
		{"aliases", "tot bytes,Prot,Dur,Label\n1,tcp,2,ok\n2,tcp,1,bad\n", ""},
		{"an alias beside the column itself", "octets,Bytes,Proto,Dur,Label\n9,1,tcp,2,ok\n9,2,tcp,1,bad\n", ""},
	} {
		tb, rep, err := readText(t, byNameConfig, c.text, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		bytes, _ := tb.Column("Bytes")
		if !slices.Equal(bytes.Num, []float64{1, 2}) {
			t.Errorf("%s: Bytes %v", c.name, bytes.Num)
		}
		if got := strings.Join(rep.Warnings, "\n"); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: warned %q, want %q", c.name, got, c.want)
		}
	}
	_, _, err := readText(t, byNameConfig, "firstSeen,duration,srcAddr,Label\n1,2,a,ok\n", 1)
	if err == nil ||
		!strings.Contains(
			err.Error(),
			"flows.csv:1: the file lacks 3 of the 4 columns of the config: Bytes, Proto, Dur; "+
				"it has the columns firstSeen, duration, srcAddr, Label",
		) {
		t.Errorf("another file: %v", err)
	}
	dropped := strings.Replace(byNameConfig, "aliases:", "drop: [Proto, Dur]\naliases:", 1)
	if _, rep, err := readText(t, dropped, "Bytes,Label\n1,ok\n", 1); err != nil || len(rep.Warnings) > 0 {
		t.Errorf("dropped columns that are absent: %v, %v", err, rep)
	}
	twice := strings.Replace(byNameConfig, "Proto: [prot]", "Proto: [OCTETS]", 1)
	if err := decodeError(t, twice); !strings.Contains(err, `"OCTETS" is a name of both "Bytes" and "Proto"`) {
		t.Errorf("an alias of two columns: %v", err)
	}
}

func decodeError(t *testing.T, text string) string {
	t.Helper()
	doc := parsed(t, text)
	if _, err := DecodeConfig(doc); err != nil {
		return err.Error()
	}
	return ""
}

// TestAliasesOfOtherFormats: logs, objects and Parquet files know aliases too, and absent members are said.
func TestAliasesOfOtherFormats(t *testing.T) {
	zeek := strings.Replace(zeekConfig, "drop:", "aliases: {label: [verdict]}\ndrop:", 1)
	renamed := strings.Replace(zeekLog, "label   detailed", "verdict   detailed", 1)
	if tb, _, err := readText(t, zeek, renamed, 1); err != nil ||
		truthOf(tb) != "-Benign +PartOfAHorizontalPortScan" {
		t.Errorf("Zeek: %v", err)
	}
	nd := strings.Replace(ndjsonConfig, "options:", "aliases: {source.ip: [src.addr, ip]}\noptions:", 1)
	tb, rep, err := readText(
		t,
		nd,
		`{"size":1,"src":{"addr":"a"},"label":"ok"}`+"\n"+`{"size":1,"ip":"b","label":"ok"}`+"\n",
		1,
	)
	if err != nil {
		t.Fatal(err)
	}
	ip, _ := tb.Column("source.ip")
	if ip.Level(0)+ip.Level(1) != "ab" || !strings.Contains(strings.Join(rep.Warnings, ""), `no column "up"`) {
		t.Errorf("NDJSON: %v, %q", ip, rep.Warnings)
	}
	if _, _, err := readText(t, nd, `{"bytes":1,"up":1,"truth":"ok"}`+"\n", 1); err == nil ||
		!strings.Contains(err.Error(), "no row has 3 of the 4 columns of the config: size, source.ip, label") {
		t.Errorf("other objects: %v", err)
	}
	type row struct {
		Octets int64  `parquet:"octets"`
		Label  string `parquet:"Label"`
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file)
	w.Write([]row{{5, "ok"}, {6, "bad"}})
	w.Close()
	cfg := "name: own\nformat: parquet\nfiles: [flows.csv]\nlabel: {column: Label, benign: [ok]}\n" +
		"aliases: {Bytes: [octets]}\n"
	if tb, _, err = readText(t, cfg, file.String(), 1); err != nil || tb.Columns[0].Name != "Bytes" ||
		tb.Columns[0].Num[1] != 6 {
		t.Errorf("Parquet: %v, %v", tb, err)
	}
}

// TestZeekHeaders: each header of logs that were put together holds for what follows it.
func TestZeekHeaders(t *testing.T) {
	const cfg = "name: own\nformat: zeek\nfiles: [flows.csv]\nlabel: {column: label, benign: [ok]}\n"
	head := func(fields, types string) string {
		return "#separator \\x09\n#path\tconn\n#fields\t" + fields + "\n#types\t" + types + "\n"
	}
	first := head(
		"ts\tsent\tgot\tlabel",
		"time\tcount\tcount\tstring",
	) + "1.5\t50\t900\tok\n2.5\t51\t901\tbad\n#close\t2020\n"
	for _, c := range []struct{ name, text, sent, got, warns string }{
		{"the same again", first + first, "50 51 50 51", "900 901 900 901", ""},
		{"another order", first + head("label\tgot\tsent\tts", "string\tcount\tcount\ttime") + "ok\t902\t52\t3\n",
			"50 51 52", "900 901 902", ""},
		{"another mark for unset", first + "#unset_field\t?\n3\t?\t1\tok\n", "50 51 -", "900 901 1", ""},
		{"another separator", first + "#separator ,\n#fields,sent,ts,label,got\n#types,count,time,string,count\n7,4,ok,8\n",
			"50 51 7", "900 901 8", ""},
		{"one column more",
			first + head("ts\tsent\tgot\tvlan\tlabel", "time\tcount\tcount\tint\tstring") + "3\t52\t902\t9\tok\n",
			"50 51 52", "900 901 902", "flows.csv has further columns, which are not read: vlan"},
		{"one column less", first + head("ts\tsent\tlabel", "time\tcount\tstring") + "3\t52\tok\n", "50 51 52", "900 901 -", `flows.csv has no column "got"`},
		{"types alone", first + "#types\ttime\tdouble\tcount\tstring\n3\t52.5\t902\tok\n", "50 51 52.5", "900 901 902", ""},
	} {
		tb, rep, err := readText(t, cfg, c.text, 2)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for name, want := range map[string]string{"sent": c.sent, "got": c.got} {
			col, _ := tb.Column(name)
			if got := strings.Join(cellsIn(col), " "); got != want {
				t.Errorf("%s: %s is %s, want %s", c.name, name, got, want)
			}
		}
		if warned := strings.Join(rep.Warnings, "\n"); (c.warns == "") != (warned == "") ||
			!strings.Contains(warned, c.warns) {
			t.Errorf("%s: warned %q, want %q", c.name, warned, c.warns)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"another log": {first + strings.Replace(first, "conn", "dns", 1),
			`flows.csv:11: the log changes from "conn" to "dns"`},
		"fields alone": {first + "#fields\tts\tlabel\n", "2 fields and 4 types"},
		"other columns": {first + head("a\tb\tlabel", "count\tcount\tstring") + "1\t2\tok\n",
			"the file lacks 3 of the 4 columns"},
		"a row of the other": {first + head("ts\tlabel\tsent\tgot", "time\tstring\tcount\tcount") + "3\t4\t5\tok\n",
			"flows.csv:12:4: got"},
	} {
		if _, _, err := readText(t, cfg, c.text, 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestZeekHeadersEverywhere: headers before, in and after the blocks that workers take, many in a file.
func TestZeekHeadersEverywhere(t *testing.T) {
	var text strings.Builder
	row, want := 0, []float64(nil)
	for log := range 60 {
		fields, types := []string{"ts", "n", "label"}, []string{"time", "count", "string"}
		turn := log % 3
		rotate := func(s []string) string { return strings.Join(append(slices.Clone(s[turn:]), s[:turn]...), "\t") }
		fmt.Fprintf(&text, "#fields\t%s\n#types\t%s\n", rotate(fields), rotate(types))
		for range 1 + log*log*3 {
			text.WriteString(rotate([]string{"1.0", fmt.Sprint(row), "ok"}) + "\n")
			want = append(want, float64(row))
			row++
		}
	}
	if text.Len() < 2<<20 {
		t.Fatalf("%d bytes are too few", text.Len())
	}
	tb, _, err := readText(
		t,
		"name: own\nformat: zeek\nfiles: [flows.csv]\nlabel: {column: label, benign: [ok]}\n",
		text.String(),
		2,
	)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := tb.Column("n"); !slices.Equal(n.Num, want) {
		t.Error("rows are lost or in another order")
	}
}

func cellsIn(c *data.Column) (out []string) {
	for i := range c.Len() {
		out = append(out, string(c.AppendText(nil, int32(i))))
	}
	return out
}

// TestTextAsPeopleHaveIt: blank lines before a header, UTF-16, CR, numbers of Europeans and of nfdump.
func TestTextAsPeopleHaveIt(t *testing.T) {
	cfg := "name: own\nformat: delimited\nfiles: [flows.csv]\nlabel: {column: label, benign: [ok]}\noptions: {header: true"
	plain := "size,label\n1.5,ok\n20,bad\n"
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(plain)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for _, c := range []struct{ name, options, text string }{
		{"blank lines", "", "\n  \r\n" + plain},
		{"UTF-16", "", string(wide)},
		{"CR", "", strings.ReplaceAll(plain, "\n", "\r")},
		{"decimal commas", `, separator: ";", decimal: ","`, "size;label\n1,5;ok\n20;bad\n"},
		{"units", ", units: true", "size,label\n0.0015 K,ok\n20%,bad\n"},
	} {
		tb, _, err := readText(t, cfg+c.options+"}\n", c.text, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if size := tb.Columns[0].Num; !slices.Equal(size, []float64{1.5, 20}) || truthOf(tb) != "-ok +bad" {
			t.Errorf("%s: %v", c.name, size)
		}
	}
	for options, want := range map[string]string{
		`, decimal: "1"`: `decimal "1": want one ASCII character`, `, thousands: "."`: "thousands and decimal are the same mark",
		`, thousands: " x"`: `thousands " x"`,
	} {
		if err := decodeError(t, cfg+options+"}\n"); !strings.Contains(err, want) {
			t.Errorf("%s: %s, want %s", options, err, want)
		}
	}
	if _, _, err := readText(t, cfg+"}\n", "\n \n", 1); err == nil ||
		!strings.Contains(err.Error(), "the file is empty") {
		t.Errorf("blank lines alone: %v", err)
	}
}

// TestJSONForms: arrays of objects, and what Python writes for numbers that are none.
func TestJSONForms(t *testing.T) {
	cfg := strings.Replace(ndjsonConfig, "options:", "options:\n  nonfinite: missing", 1)
	rows := []string{
		`{"size": 1, "label": "ok", "source.ip": "a, \"[b]\"", "up": true}`,
		`{"size": NaN, "label": "NaN \\", "up": -Infinity}`,
		"{\"size\":\n Infinity,\n \"label\": \"ok\", \"up\": 0, \"more\": [1, {\"a\": [2]}]}",
	}
	for name, text := range map[string]string{
		"lines":             rows[0] + "\n" + rows[1] + "\n" + strings.ReplaceAll(rows[2], "\n", "") + "\n",
		"array":             "[" + strings.Join(rows, ",") + "]",
		"array over lines":  " [\n  " + strings.Join(rows, ",\n  ") + "\n]\n",
		"array with a mark": "\xef\xbb\xbf[" + strings.Join(rows, "\r\n,") + "]  ",
	} {
		tb, _, err := readText(t, cfg, text, 2)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for i := range tb.Columns {
			got = append(got, strings.Join(cellsIn(&tb.Columns[i]), " "))
		}
		if want := []string{"1 - -", `a, "[b]" - -`, "1 - 0"}; !slices.Equal(got, want) ||
			truthOf(tb) != `-ok +NaN \ -ok` {
			t.Errorf("%s: %q %s, want %q", name, got, truthOf(tb), want)
		}
	}
	for text, want := range map[string]string{
		`[{"size":1,"label":"ok"}`:                            "the JSON array does not end",
		`[{"size":1,"label":"ok","up":1,"source.ip":"a"}] {}`: "after the end of the JSON array",
		`[1, 2]`: "not a JSON object",
		`[]`:     "no data rows",
	} {
		if _, _, err := readText(t, cfg, text, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	strict := strings.Replace(cfg, "nonfinite: missing", "nonfinite: error", 1)
	if _, _, err := readText(t, strict, rows[1]+"\n", 1); err == nil ||
		!strings.Contains(err.Error(), "not a JSON object") {
		t.Errorf("NaN where it is an error: %v", err)
	}
}

// TestPatterns: a pattern stands for the files that fit it, by name, compressed or not; a column that only some files
// have can be dropped.
func TestPatterns(t *testing.T) {
	cfg := `
name: own
format: delimited
files: {train: ["day-*_flows.csv"], test: [last.csv]}
label: {column: Label, benign: [ok]}
drop: [id]
options: {header: true, default_type: number}
`
	files := map[string]string{
		"day-2_flows.csv": "b,a,Label\n4,3,ok\n", "day-1_flows.csv": "a,b,Label\n1,2,ok\n", "other.csv": "x\n",
		"last.csv": "id,a,b,Label\n9,5,6,bad\n",
	}
	tb, _, err := readAll(t, cfg, files)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := tb.Columns[0], tb.Columns[1]; !slices.Equal(a.Num, []float64{1, 3, 5}) ||
		!slices.Equal(b.Num, []float64{2, 4, 6}) ||
		!slices.Equal(tb.Parts, []data.Part{data.PartTrain, data.PartTrain, data.PartTest}) ||
		len(tb.Columns) != 2 {
		t.Errorf("%v %v %v", a.Num, b.Num, tb.Parts)
	}
	for name, c := range map[string]struct {
		from, to, want string
	}{
		"nothing fits":         {"day-*", "night-*", "no file fits night-*_flows.csv"},
		"named twice":          {"last.csv", "day-1_flows.csv", "named already"},
		"a bad pattern":        {"day-*", "day-[", "is not a pattern"},
		"no file has the drop": {"drop: [id]", "drop: [id, uid]", `no column "uid"`},
		"a column of one file": {"drop: [id]", "doc: x", "last.csv: the columns differ"},
	} {
		if _, _, err := readAll(t, strings.Replace(cfg, c.from, c.to, 1), files); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	odd := t.TempDir()
	folder := filepath.Join(odd, "a[1]*")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := Read(context.Background(), config(t, cfg), Finder{Dirs: []string{folder}}, 1); err != nil {
		t.Errorf("a folder with brackets in its name: %v", err)
	}
}
