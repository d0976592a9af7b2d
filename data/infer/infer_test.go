package infer_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/export"
	"plumbline/data/infer"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

// inferred infers a config for the text and reads the text with it.
func inferred(t *testing.T, name, text string) (*data.Table, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return sourcetest.ReadInferred(t, path, dir)
}

func TestInfer(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		types            []string // of the feature columns
		attack           []bool
	}{
		{"header, label, times, addresses", "My Flows.csv", "Time,src,size,proto,Label\n2024-01-02 " +
			"03:04:05,10.0.0.1,5,tcp,BENIGN\n2024-01-02 03:04:06.5,::1,7.5,udp,DoS\n",
			[]string{"Time time", "src address", "size number", "proto category"}, []bool{false, true}},
		{"no header, label last", "a.txt", "0,tcp,5,normal\n1,udp,7,scan\n", []string{"c1 number", "c2 category",
			"c3 number"}, []bool{false, true}},
		{"tabs, epoch seconds, hexadecimal ports, missing marks", "b.tsv",
			"ts\tport\tx\tclass\n1545403816.9\t0x0303\t?\t0\n1545403817\t80\t3\t1\n", []string{"ts time",
				"port number", "x number"}, []bool{false, true}},
		{"semicolons, Infinity, latin-1", "c.csv", "rate;name;attack\nInfinity;caf\xe9;no\n3;t;yes\n",
			[]string{"rate number", "name category"}, []bool{false, true}},
		{"quotes", "d.csv", "text,y\n\"a,b\",0\n\"c\"\"d\",1\n", []string{"text category"}, []bool{false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb, raw := inferred(t, c.file, c.text)
			var types []string
			for _, col := range tb.Columns {
				types = append(types, col.Name+" "+col.Type.String())
			}
			if !slices.Equal(types, c.types) || !slices.Equal(tb.Attack, c.attack) {
				t.Errorf("types %q, attacks %v; want %q, %v\n%s", types, tb.Attack, c.types, c.attack, raw)
			}
		})
	}
	tb, _ := inferred(t, "conn.log.labeled", zeekLog)
	if !slices.Equal(tb.Attack, []bool{false, true}) {
		t.Errorf("Zeek: %v", tb.Attack)
	}
	for text, want := range map[string]string{"": "empty", "a,b\n": "no rows",
		"a,b\n1,2,3\n": "3 columns, the first line has 2"} {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := infer.Infer(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestInferRealFiles: what is inferred from real files reads them with the shipped configs' truth. Of the large ones it
// gets every seventh line.
func TestInferRealFiles(t *testing.T) {
	for _, c := range []struct {
		folder, file    string
		every           int
		benign, attacks int
	}{
		{"nsl-kdd", "KDDTest+.txt.gz", 1, 9711, 12833}, // without a header: the label stands before the difficulty
		{"kddcup99", "corrected.gz", 7, 8691, 35742},
		{"unsw-nb15", "UNSW_NB15_training-set.csv.gz", 7, 5284, 6477},
		{"ton-iot", "train_test_network.csv.gz", 7, 7143, 23006},
		{"cicids2017-improved", "wednesday.sample.csv.gz", 1, 1005, 15610},
		{"iot-23", "CTU-IoT-Malware-Capture-8-1.conn.log.labeled.gz", 1, 2181, 8222},
	} {
		t.Run(c.file, func(t *testing.T) {
			dir := filepath.Join(datatest.Dir(t, c.folder), c.folder)
			if c.every > 1 {
				dir = thinned(t, filepath.Join(dir, c.file), c.every)
			}
			tb, raw := sourcetest.ReadInferred(t, filepath.Join(dir, c.file), dir)
			if tb.Attack == nil {
				if c.benign > 0 || tb.Rows != c.attacks {
					t.Errorf("%d rows and no label\n%s", tb.Rows, raw)
				}
				return
			}
			attacks := 0
			for _, a := range tb.Attack {
				if a {
					attacks++
				}
			}
			if attacks != c.attacks || tb.Rows-attacks != c.benign {
				t.Errorf("%d benign, %d attacks\n%s", tb.Rows-attacks, attacks, raw)
			}
		})
	}
}

// thinned is a folder with a file of the same name that has one line of each few, the first among them.
func thinned(t *testing.T, file string, every int) string {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	plain, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := gzip.NewWriter(&b)
	lines := bufio.NewScanner(plain)
	for i := 0; lines.Scan(); i++ {
		if i%every == 0 {
			out.Write(append(lines.Bytes(), '\n')) // neither fails in memory
		}
	}
	out.Close()
	dir := t.TempDir()
	err = errors.Join(lines.Err(), os.WriteFile(filepath.Join(dir, filepath.Base(file)), b.Bytes(), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestInferEndpoints: an address and a port in one cell are taken apart: the addresses make traces, the server's port
// is grouped, the client's left out.
func TestInferEndpoints(t *testing.T) {
	var b, j strings.Builder
	b.WriteString("time,Src,Dst,bytes,label\n")
	for i := range 60 {
		src, dst := fmt.Sprintf("10.0.0.%d:%d", i%7, 1024+i*31%500), []string{"[::1]:80", "192.0.2.1:443"}[i%2]
		label := []string{"benign", "scan"}[i%3/2]
		fmt.Fprintf(&b, "2024-01-02 03:04:%02d,%s,%s,%d,%s\n", i, src, dst, i*i%97, label)
		fmt.Fprintf(&j, "{\"time\": \"2024-01-02 03:04:%02d\", \"Src\": %q, \"Dst\": %q, \"bytes\": %d, \"label\": %q}\n",
			i, src, dst, i*i%97, label)
	}
	for file, text := range map[string]string{"f.csv": b.String(), "f.json": j.String()} {
		tb, raw := inferred(t, file, text)
		var got []string
		for _, col := range tb.Columns {
			got = append(got, col.Name+" "+col.Type.String())
		}
		const want = "time time, Src.address address, Src.port number, Dst.address address, Dst.port number, bytes number"
		if strings.Join(got, ", ") != want || tb.Rows != 60 {
			t.Errorf("%s: %d rows of %q, want %s\n%s", file, tb.Rows, got, want, raw)
		}
		for _, has := range []string{`key: ["Src.address"]`, `drop, columns: ["Src.port"]`,
			`group_ports, columns: ["Dst.port"]`} {
			if !strings.Contains(raw, has) {
				t.Errorf("%s: the config lacks %s\n%s", file, has, raw)
			}
		}
	}
}

const zeekLog = `#separator \x09
#unset_field	-
#path	conn
#fields	ts	uid	id.orig_h	id.resp_p	proto	duration	local_orig	tunnel_parents   label   detailed-label
#types	time	string	addr	port	enum	interval	bool	set[string]   string   string
1545403816.962094	C1	192.168.1.195	80	tcp	3.139211	T	-   Benign   -
1545403824.181240	C2	192.168.1.195	80	tcp	-	-	(empty)   Malicious   PartOfAHorizontalPortScan
`

func FuzzInfer(f *testing.F) {
	f.Add([]byte("a,b,label\n1,x,0\n2,y,1\n"))
	f.Add([]byte(zeekLog))
	f.Add([]byte("\"q\";z\n1;\"\n"))
	f.Add([]byte("{\"a\": {\"b\": 1}, \"c\": [2], \"label\": \"x\"}\n{\"a\": null, \"d\": true}\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(dir, "x.csv")
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		text, err := infer.Infer(path)
		if err != nil {
			return
		}
		doc, err := settings.Parse("inferred", text)
		if err != nil {
			t.Fatalf("not YAML: %v\n%s", err, text)
		}
		if _, err := source.DecodeConfig(doc); err != nil {
			t.Fatalf("refused: %v\n%s", err, text)
		}
	})
}

// TestInferTrust: what is written reads every row, makes no truth a feature and takes no signal away.
func TestInferTrust(t *testing.T) {
	rows := func(n int, row func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(row(i) + "\n")
		}
		return b.String()
	}
	flows := "id,Time,Src IP,Src Port,Dst Port,Protocol,Bytes,Label,Attack\n" + rows(60, func(i int) string {
		attack := []string{"0,Benign", "1,DoS", "1,Scan"}[i%3]
		return fmt.Sprintf(
			"%d,%d,10.0.0.%d,%d,80,%d,%d,%s",
			i+1,
			1519823410123+i*1000,
			i%7,
			1024+i*37%300,
			[]int{6, 17}[i%2],
			100+i*13%50,
			attack,
		)
	})
	for _, c := range []struct {
		name, text string
		features   string
		has        []string
	}{
		{"flows", flows, "Time time, Src IP address, Src Port number, Dst Port number, Protocol category, Bytes number",
			[]string{`class: "Attack"`, `drop: ["id"]`, "group_ports, columns: [\"Dst Port\"]",
				"key: [\"Src IP\"]", "kind: time"}},
		{"a header twice", "a,Label\n" + rows(30, func(i int) string {
			return fmt.Sprint(i%5, ",ok")
		}) + "a,Label\n5,bad\n", "a number", []string{"repeated_header: true"}},
		{"nfdump's lines about the whole", "a,Label\n" + rows(30, func(i int) string {
			return fmt.Sprint(i%5, ",ok")
		}) + "Summary\nflows,bytes,packets\n30,1,1\n", "a number", []string{"end: Summary"}},
		{"columns without names", "0,1,2,label\n" + rows(30, func(i int) string {
			return fmt.Sprintf("%d,%d,1.5,%s", i%4, i%3, []string{"Normal", "DoS"}[i%2])
		}),
			"0 number, 1 number, 2 number", []string{"header: true", `column: "label"`}},
		{"blank lines and an index", "\n ,b,label\n" + rows(30, func(i int) string {
			return fmt.Sprintf("%d,%d,ok", i, i%3)
		}) + "30,1,bad\n", "b number", []string{"# counts the rows"}},
		{"decimal commas", "a;b;label\n" + rows(30, func(i int) string {
			return fmt.Sprintf("%d,5;1.000;%s", i%4, []string{"ok", "normal"}[i%2])
		}),
			"a number, b number", []string{`decimal: ","`, `thousands: "."`}},
		{"a coarser label", "x,what,label\n" + rows(60, func(i int) string {
			return fmt.Sprintf("%d,%s", i%5, []string{"peace,benign", "war,dos", "war,scan"}[i%3])
		}), "x number", []string{`levels: ["what"]`}},
		{"a flag that tells", "x,urg,label\n" + rows(60, func(i int) string {
			return fmt.Sprintf("%d,%d,%s", i%5, i%2, []string{"ok", "bad"}[i%2])
		}), "x number, urg number", nil},
		{
			"a label under another name", "x,Labelb\n" + rows(30, func(i int) string {
				return fmt.Sprintf("%d,%d", i%7, i%2)
			}),
			"x number", []string{`column: "Labelb"`},
		},
		{
			"no header, class before the label", rows(60, func(i int) string {
				return fmt.Sprintf("%d,tcp,%s", i%7, []string{",0", "DoS,1", "Scan,1"}[i%3])
			}),
			"c1 number, c2 category", []string{`class: "c3"`, `column: "c4"`},
		},
		{
			"no header, difficulty after the label", rows(60, func(i int) string {
				return fmt.Sprintf("%d,%s,%d", i%7, []string{"normal", "dos"}[i%2], 15+i%7)
			}),
			"c1 number", []string{`column: "c2"`, `levels: ["c3"]`},
		},
		{"attacks alone", "x,label\n" + rows(30, func(i int) string { return fmt.Sprint(i%5, ",Attack") }), "x number",
			[]string{"every row looks like an attack", `benign: ["benign"]`}},
		{"more attacks than others", "x,label\n" + rows(60, func(i int) string {
			return fmt.Sprint(i%5, []string{",Malicious", ",office", ",Malicious"}[i%3])
		}), "x number", []string{"the most frequent label stands here", `benign: ["office"]`}},
		{"missing labels", "x,label\n" + rows(60, func(i int) string {
			return fmt.Sprint(i%5, ",ok")
		}) + "3,\n4,bad\n", "x number", []string{"max_bad_share"}},
	} {
		tb, raw := inferred(t, "f.csv", c.text)
		var got []string
		for _, col := range tb.Columns {
			got = append(got, col.Name+" "+col.Type.String())
		}
		if strings.Join(got, ", ") != c.features || len(tb.Attack) == 0 {
			t.Errorf("%s: features %q, want %s\n%s", c.name, got, c.features, raw)
		}
		for _, h := range c.has {
			if !strings.Contains(raw, h) {
				t.Errorf("%s: the config lacks %q\n%s", c.name, h, raw)
			}
		}
		if strings.Contains(raw, "drop_constant") {
			t.Errorf("%s: drop_constant is written", c.name)
		}
	}
}

// FuzzInferParquet: whatever the bytes after the mark of a Parquet file, a config or an error comes of them.
func FuzzInferParquet(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "x.parquet")
	t := &data.Table{Name: "x", Rows: 3, Columns: []data.Column{
		{Name: "ts", Type: data.Time, Nanos: []int64{1e18, 2e18, data.NoTime}},
		{Name: "bytes", Type: data.Number, Num: []float64{1, 2.5, 3}},
		{Name: "proto", Type: data.Category, Code: []uint32{0, 1, 0}, Levels: []string{"tcp", "udp"}},
	}, Attack: []bool{false, true, false}, Class: []uint32{0, 1, 0}, Classes: []string{"ok", "dos"},
		Lines: make([]int32, 3)}
	t.Origins = []data.Origin{{Name: "x.csv", Rows: 3}}
	t.Parts = make([]data.Part, 3)
	if _, err := export.Export(f.Context(), t, path, func(int) {}); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		text, err := infer.Infer(path)
		if err != nil {
			return
		}
		if _, err := settings.Parse("inferred", text); err != nil {
			t.Fatalf("not YAML: %v\n%s", err, text)
		}
	})
}
