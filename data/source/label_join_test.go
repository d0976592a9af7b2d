package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
)

// readFiles reads a data config with files of the given texts beside it.
func readFiles(t testing.TB, cfg string, files map[string]string) (string, *ReadReport, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tb, rep, err := Read(context.Background(), config(t, cfg), Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		return "", nil, err
	}
	return truths(tb), rep, nil
}

// TestJoinUNSW labels real rows of UNSW-NB15_1.csv by rows of the ground truth that the publisher ships, and holds them
// against the label and attack_cat that the rows carry.
func TestJoinUNSW(t *testing.T) {
	dir := datatest.Dir(t, "excerpts/unsw_nb15/02.txt")
	datatest.Dir(t, "unsw-nb15-raw/UNSW-NB15_1.part.csv.gz")
	own := shippedConfig(t, "../../configs/data/unsw-nb15-raw.yaml")
	own.Files.Train, own.Folder = []string{"UNSW-NB15_1.part.csv"}, "unsw-nb15-raw"
	f := Finder{Dirs: []string{dir}}
	want, _, err := Read(context.Background(), own, f, 2)
	if err != nil {
		t.Fatal(err)
	}
	joined := shippedConfig(t, "../../configs/data/unsw-nb15-raw.yaml")
	joined.Files, joined.Folder = own.Files, own.Folder
	joined.Drop = append(joined.Drop, "label", "attack_cat")
	joined.Label = config(t, `
name: join
format: delimited
files: {train: [x]}
label:
  join:
    files: [excerpts/unsw_nb15/02.txt]
    key: {proto: Protocol, srcip: Source IP, sport: Source Port, dstip: Destination IP, dsport: Destination Port}
    from: Start time
    to: Last time
    time: stime
    class: Attack category
options: {columns: [{name: a, type: number}]}
`).Label
	got, rep, err := Read(context.Background(), joined, f, 2)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range got.Rows {
		if !got.Attack[i] {
			continue
		}
		n++
		if a, b := got.Classes[got.Class[i]], want.Classes[want.Class[i]]; a != b || !want.Attack[i] {
			t.Errorf("%s: %s by the ground truth, the row says %s", got.Where(int32(i)), a, b)
		}
	}
	if n != 9 || got.Rows != want.Rows {
		t.Errorf("%d attacks in %d rows, want 9 in %d", n, got.Rows, want.Rows)
	}
	if !strings.Contains(strings.Join(rep.Notes, "\n"), "9 of 3400 rows are labelled by 9 of the 9 rows of 02.txt") {
		t.Errorf("notes %q", rep.Notes)
	}
	if last := got.Origins[len(got.Origins)-1]; last.Name != "excerpts/unsw_nb15/02.txt" || last.Rows != 0 ||
		last.SHA256 == "" {
		t.Errorf("the ground truth is not among the files: %+v", last)
	}
}

// ugr are invented flows in the layout of UGR'16, some just outside the interval, the address, the port.
const ugr = `2016-07-28 13:14:00,0.000,42.219.150.242,42.219.152.20,6487,80,TCP,...RS.,0,0,2,200,a
2016-07-28 13:14:59,0.000,42.219.152.20,42.219.150.242,80,6487,TCP,.A..S.,0,0,1,40,b
2016-07-28 13:15:00,0.000,42.219.150.242,42.219.152.20,6488,80,TCP,...RS.,0,0,2,200,c
2016-07-28 13:13:59,0.000,42.219.150.242,42.219.152.20,6489,80,TCP,...RS.,0,0,2,200,d
2016-07-28 13:14:30,0.000,42.219.150.243,42.219.152.20,6490,80,TCP,...RS.,0,0,2,200,e
2016-07-28 13:14:30,0.000,42.219.150.242,42.219.152.20,6491,81,TCP,...RS.,0,0,2,200,f
2016-07-28 13:14:30,0.000,42.219.151.1,10.1.1.1,6491,22,TCP,...RS.,0,0,2,200,g
`

const ugrConfig = `
name: own
format: delimited
files: {train: [july.week5.csv]}
options:
  time_layouts: ["2006-01-02 15:04:05"]
  columns: [{name: te, type: time}, {name: td, type: number}, {name: sa, type: address}, {name: da, type: address}, {name: sp, type: number}, {name: dp, type: number}, {name: pr, type: category}, {name: flg, type: category}, {name: fwd, type: number}, {name: stos, type: number}, {name: pkt, type: number}, {name: byt, type: number}, {name: name, type: category}]
label:
`

// minutes is invented rows in the layout of UGR'16's attack_ts files: a minute a row, a column an attack.
const minutes = `,counter(mins),Dos,scan44,scan11
2016-07-28 13:13:00,0,0,0,0
2016-07-28 13:14:00,1,1,0,1
2016-07-28 13:15:00,2,0,1,0
`

func TestJoinUGR(t *testing.T) {
	const from = `from: "column 1", length: 60`
	for _, c := range []struct{ name, join, want, note string }{
		{
			"minutes with hosts and port", `files: [ts.csv], ` + from + `, flags: {Dos: {sa: [42.219.150.242], dp: [80]}}`,
			"Dos* | benign | benign | benign | benign | benign | benign",
			"1 of 7 rows are labelled by 1 of the 1 rows of ts.csv",
		},
		{
			"either way round", `files: [ts.csv], ` + from + `, flags: {Dos: {sa: [42.219.150.242, 42.219.152.20], dp: [80, 6487]}}`,
			"Dos* | Dos* | benign | benign | benign | benign | benign", "",
		},
		{
			"two attacks, a network", `files: [ts.csv], ` + from + `, flags: {scan11: {sa: [42.219.151.0/24]}, Dos: {sa: [42.219.150.242]}, scan44: {sa: [42.219.150.242]}}`,
			"Dos* | benign | scan44* | benign | benign | Dos* | scan11*",
			"4 of 7 rows are labelled by 3 of the 3 rows of ts.csv",
		},
		{
			"rows in place, mirrored", `table: "from,to,a,b,port,class\n2016-07-28 13:14:00,2016-07-28 13:14:59,42.219.150.242,42.219.152.20,80,dos\n",
    key: {sa: a, da: b, dp: port}, from: from, to: to, class: class`,
			"dos* | benign | benign | benign | benign | benign | benign", "",
		},
		{
			"mirrored", `table: "from,to,a,b,class\n2016-07-28 13:14:00,2016-07-28 13:14:59,42.219.150.242,42.219.152.20,dos\n",
    key: {sa: a, da: b}, mirror: [[sa, da]], from: from, to: to, class: class`,
			"dos* | dos* | benign | benign | benign | dos* | benign", "",
		},
		{
			"slack and any address", `table: "from,to,a,class\n2016-07-28 13:14:00,2016-07-28 13:14:59,,dos\n",
    key: {sa: a}, slack: 1, from: from, to: to, class: class, unmatched: drop`,
			"dos* | dos* | dos* | dos* | dos* | dos* | dos*", "",
		},
		{
			"nothing fits", `table: "from,to,class\n2016-08-28 13:14:00,2016-08-28 13:14:59,dos\n", from: from, to: to, class: class`,
			"benign | benign | benign | benign | benign | benign | benign", "",
		},
		{
			"labels that are judged", `table: "port,what\n80,fine\n81,bad\n", key: {dp: port}, label: what, unmatched: drop
  benign: [fine]`,
			"fine | fine | fine | fine | bad*", "2 of 7 rows are left out by label.join",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			join, more, _ := strings.Cut(c.join, "\n  benign")
			if more != "" {
				more = "\n  benign" + more
			}
			cfg := ugrConfig + "  join: {" + join + "}" + more + "\n"
			got, rep, err := readFiles(t, cfg, map[string]string{"july.week5.csv": ugr, "ts.csv": minutes})
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want || !strings.Contains(strings.Join(rep.Notes, "\n"), c.note) {
				t.Errorf("%s, notes %q; want %s", got, rep.Notes, c.want)
			}
			warns := "2016-07-28 13:13:59 to 2016-07-28 13:15:00, intervals from 2016-08-28 13:14:00 to 2016-08-28 13:14:59"
			if w := strings.Join(rep.Warnings, "\n"); (c.name == "nothing fits") != strings.Contains(w, warns) {
				t.Errorf("warnings %q", w)
			}
		})
	}
}

// TestJoinLANL labels invented rows in the layouts of LANL 2015: flows and authentications by the red team's log, which
// has no header and names a second, a user and two computers.
func TestJoinLANL(t *testing.T) {
	const redteam = "151648,U748@DOM1,C17693,C728\n151993,U6115@DOM1,C17693,C1173\n"
	const flows = `151648,9,C17693,N10471,C728,N46,6,3,144
151650,9,C728,N46,C17693,N10471,6,3,144
151708,0,C17693,N9,C728,443,6,2,92
151709,0,C17693,N9,C728,443,6,2,92
151587,0,C17693,N9,C728,443,6,2,92
151993,0,C17694,N9,C1173,443,6,2,92
151993,0,C17693,N9,C1173,443,6,2,92
`
	const flowsConfig = `
name: own
format: delimited
files: {train: [flows.txt]}
options: {columns: [{name: time, type: time}, {name: duration, type: number}, {name: src, type: address}, {name: sport, type: category}, {name: dst, type: address}, {name: dport, type: category}, {name: proto, type: category}, {name: packets, type: number}, {name: bytes, type: number}]}
label:
  join:
    files: [redteam.txt]
    options: {header: false, separator: ",", columns: [{name: time, type: category}, {name: user, type: category}, {name: src, type: category}, {name: dst, type: category}]}
    key: {src: src, dst: dst}
    from: time
`
	got, _, err := readFiles(
		t,
		flowsConfig+"    slack: 60\n",
		map[string]string{"flows.txt": flows, "redteam.txt": redteam},
	)
	if want := "attack* | benign | attack* | benign | benign | benign | attack*"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	mirrored := flowsConfig + "    slack: 61\n    mirror: [[src, dst]]\n"
	got, _, err = readFiles(t, mirrored, map[string]string{"flows.txt": flows, "redteam.txt": redteam})
	if want := "attack* | attack* | attack* | attack* | attack* | benign | attack*"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

const eve = `{"timestamp":"2024-03-01T10:00:00.123456+0200","flow_id":2000000000000001,"event_type":"alert","src_ip":"10.0.0.7","src_port":4000,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":9000001,"signature":"invented","category":"Invented Category","severity":2}}
{"timestamp":"2024-03-01T10:00:01.000000+0200","flow_id":2000000000000001,"event_type":"flow","src_ip":"10.0.0.7","src_port":4000,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","app_proto":"http","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"bytes_toclient":4000,"start":"2024-03-01T10:00:00.100000+0200","end":"2024-03-01T10:00:00.900000+0200","age":0,"state":"closed","reason":"timeout","alerted":true},"tcp":{"tcp_flags":"1b","syn":true,"state":"closed"},"metadata":{"flowbits":["a"]}}
{"timestamp":"2024-03-01T08:00:02+00:00","flow_id":2000000000000002,"event_type":"flow","src_ip":"fd00::1","dest_ip":"fd00::2","proto":"IPv6-ICMP","icmp_type":128,"icmp_code":0,"flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":62,"bytes_toclient":0,"start":"2024-03-01T08:00:00Z","end":"2024-03-01T08:00:00Z","age":0,"state":"new","reason":"timeout","alerted":false}}
{"timestamp":"2024-03-01T10:00:08.000000+0200","event_type":"stats","stats":{"uptime":8}}
`

// TestJoinKey labels flows by the alert that shares their flow_id, and checks a real file against counts taken from it
// with a JSON parser in Python.
func TestJoinKey(t *testing.T) {
	const cfg = `
name: suricata
format: suricata
files: {train: [eve.json]}
label:
  join: {files: [eve.json], format: suricata, options: {events: [alert]}, key: {flow_id: flow_id}, class: alert.category}
`
	got, _, err := readFiles(t, cfg, map[string]string{"eve.json": eve})
	if want := "Invented Category* | benign"; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	dir := datatest.Dir(t, "suricata/eve.json.gz")
	tb, _, err := Read(context.Background(), config(t, cfg), Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, c := range tb.Class {
		count[fmt.Sprint(tb.Classes[c], " ", tb.Attack[i])]++
	}
	want := map[string]int{
		"benign false": 3146, "Misc Attack true": 323, "Potentially Bad Traffic true": 32,
		"Attempted Information Leak true":  8,
		"Detection of a Network Scan true": 2, "Attempted Administrator Privilege Gain true": 1,
	}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", count, want)
	}
}

// TestJoinFiles: files that labels come from are files of the data set, each named once.
func TestJoinFiles(t *testing.T) {
	for name, want := range map[string]string{
		"files: {train: [a.csv], test: [b.csv]}\n" +
			"label: {join: {files: [truth.csv, b.csv], key: {x: x}}}": "a.csv b.csv truth.csv",
		"files: [a.csv]\nlabel: {join: {files: [a.csv], key: {x: x}}}": "a.csv",
	} {
		c := config(t, "name: j\nformat: delimited\noptions: {header: true}\n"+name+"\n")
		var got []string
		for _, l := range c.Locate(Finder{Dirs: []string{t.TempDir()}}) {
			if got = append(got, l.Name); l.Err == nil {
				t.Errorf("%s is found", l.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestJoinFaults(t *testing.T) {
	for _, c := range []struct{ join, want string }{
		{"key: {dp: port}", "join needs either files or a table"},
		{"table: 'a', files: [b], key: {dp: port}", "join needs either files or a table"},
		{"table: 'port'", "join needs a key, or from"},
		{"table: 'port', key: {dp: port}, slack: 5", "need from"},
		{"table: 'port', key: {dp: port}, mirror: [[dp, sp]]", "want two columns of the key"},
		{"table: 'port', key: {dp: port}, from: a, to: b, length: 5", "give one"},
		{"table: 'port', key: {dp: port}, unmatched: maybe", `unmatched: "maybe"`},
		{"table: 'port', key: {dp: port}, forMat: x", "unknown key"},
		{"table: 'port', format: csv, key: {dp: port}", `unknown format "csv"`},
		{"table: \"port\\n80\\n\", key: {dq: port}", `no column "dq"`},
		{"table: \"port\\n80\\n\", key: {dp: prt}", `no column "prt"`},
		{"table: \"port,at\\n80,noon\\n\", key: {dp: port}, from: at", `label.join.table:2: column at: "noon" is not a time`},
		{"table: \"port,at\\n80,\\n\", key: {dp: port}, from: at", "label.join.table:2: column at has no time"},
		{"table: \"port,a,b\\n80,9,8\\n\", key: {dp: port}, from: a, to: b",
			"label.join.table:2: the interval ends before it begins"},
		{"table: \"port,a,b\\n80,9\\n\", key: {dp: port}", "2 columns, want 3"},
		{"files: [gone.csv], key: {dp: port}", "gone.csv"},
		{"table: \"port\\n9\\n\", key: {dp: port}, unmatched: drop", "label.join leaves no rows"},
	} {
		doc := parsed(t, ugrConfig+"  join: {"+c.join+"}\n")
		cfg, err := DecodeConfig(doc)
		if err == nil {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "july.week5.csv"), []byte(ugr), 0o644); err != nil {
				t.Fatal(err)
			}
			_, _, err = Read(context.Background(), cfg, Finder{Dirs: []string{dir}}, 1)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.join, err, c.want)
		}
	}
}

func parsed(t testing.TB, text string) settings.Node {
	t.Helper()
	doc, err := settings.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// FuzzJoin: whatever the second table says, each row is labelled, left out, or the reading fails.
func FuzzJoin(f *testing.F) {
	f.Add("from,to,sa,dp,what\n1e18,-1,::1,x,\n")
	const cfg = `
name: own
format: delimited
files: {train: [flows.csv]}
options: {columns: [{name: ts, type: time}, {name: sa, type: address}, {name: dp, type: number}]}
label:
  join: {files: [attacks.csv], key: {sa: sa, dp: dp}, from: from, to: to, class: what, slack: 2}
`
	c := config(f, cfg)
	dir := f.TempDir()
	const flows = "0,10.0.0.1,80\n6,10.9.9.9,1\n7,::1,443\n"
	if err := os.WriteFile(filepath.Join(dir, "flows.csv"), []byte(flows), 0o600); err != nil {
		f.Fatal(err)
	}
	read := func(t testing.TB, text string) (*data.Table, error) {
		if err := os.WriteFile(filepath.Join(dir, "attacks.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		tb, _, err := Read(context.Background(), c, Finder{Dirs: []string{dir}}, 2)
		return tb, err
	}
	const rules = "from,to,sa,dp,what\n0,1,10.0.0.1,80,dos\n5,9,10.0.0.0/8,,scan\n"
	if tb, err := read(f, rules); err != nil || truths(tb) != "dos* | scan* | benign" {
		f.Fatalf("%s, %v", truths(tb), err)
	}
	f.Add(rules)
	f.Fuzz(func(t *testing.T, text string) {
		tb, err := read(t, text)
		if err == nil && (tb.Rows != 3 || len(tb.Attack) != 3 || len(tb.Class) != 3) {
			t.Errorf("%d rows, %d labels", tb.Rows, len(tb.Attack))
		}
	})
}
