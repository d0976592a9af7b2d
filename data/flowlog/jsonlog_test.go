package flowlog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const suricataConfig = `
name: own
format: suricata
files: {train: [flows.csv]}
label: {column: flow.alerted, benign: ["false"]}
`

// eve is invented events in the layout of Suricata 6 and 7: an alert, its flow, a flow of another protocol, statistics.
const eve = `{"timestamp":"2024-03-01T10:00:00.123456+0200","flow_id":2000000000000001,"event_type":"alert","src_ip":"10.0.0.7","src_port":4000,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":9000001,"signature":"invented","category":"Invented Category","severity":2}}
{"timestamp":"2024-03-01T10:00:01.000000+0200","flow_id":2000000000000001,"event_type":"flow","src_ip":"10.0.0.7","src_port":4000,"dest_ip":"192.0.2.1","dest_port":80,"proto":"TCP","app_proto":"http","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"bytes_toclient":4000,"start":"2024-03-01T10:00:00.100000+0200","end":"2024-03-01T10:00:00.900000+0200","age":0,"state":"closed","reason":"timeout","alerted":true},"tcp":{"tcp_flags":"1b","syn":true,"state":"closed"},"metadata":{"flowbits":["a"]}}
{"timestamp":"2024-03-01T08:00:02+00:00","flow_id":2000000000000002,"event_type":"flow","src_ip":"fd00::1","dest_ip":"fd00::2","proto":"IPv6-ICMP","icmp_type":128,"icmp_code":0,"flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":62,"bytes_toclient":0,"start":"2024-03-01T08:00:00Z","end":"2024-03-01T08:00:00Z","age":0,"state":"new","reason":"timeout","alerted":false}}
{"timestamp":"2024-03-01T10:00:08.000000+0200","event_type":"stats","stats":{"uptime":8}}
`

func TestSuricata(t *testing.T) {
	tb, _, err := sourcetest.ReadText(t, suricataConfig, eve, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tb.Attack, []bool{true, false}) || !slices.Equal(tb.Classes, []string{"true", "false"}) {
		t.Errorf("attacks %v", tb.Attack)
	}
	for _, c := range []struct {
		column string
		want   []string
	}{
		{"timestamp", []string{"2024-03-01T08:00:01Z", "2024-03-01T08:00:02Z"}},
		{"flow.start", []string{"2024-03-01T08:00:00.1Z", "2024-03-01T08:00:00Z"}},
		{"flow_id", []string{"2000000000000001", "2000000000000002"}},
		{"src_port", []string{"4000", "-"}},
		{"icmp_type", []string{"-", "128"}},
		{"dest_ip", []string{"192.0.2.1", "fd00::2"}},
		{"app_proto", []string{"http", "-"}},
		{"flow.bytes_toclient", []string{"4000", "0"}},
		{"tcp.tcp_flags", []string{"1b", "-"}},
	} {
		col, err := tb.Column(c.column)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if got := string(col.AppendText(nil, int32(i))); got != want {
				t.Errorf("row %d: %s is %s, want %s", i, c.column, got, want)
			}
		}
	}
	if got := tb.Where(1); got != "flows.csv:3" {
		t.Errorf("the second flow is at %s", got)
	}
	for name, text := range map[string]string{
		"not a JSON object":    "nonsense\n",
		"want one JSON object": eve + "{} {}\n",
		`member "flow_id"`:     strings.Replace(eve, `"flow_id":2000000000000002`, `"flow_id":[1]`, 1),
		"is not a time":        strings.Replace(eve, "2024-03-01T08:00:02+00:00", "yesterday", 1),
		"want a time as 2006":  strings.Replace(eve, `"2024-03-01T08:00:02+00:00"`, "1709280002", 1),
		"is out of range":      strings.Replace(eve, "2024-03-01T08:00:02+00:00", "3024-03-01T08:00:02+00:00", 1),
		"no data rows":         "{\"event_type\":\"stats\"}\n",
		`"x" is not a number`:  strings.Replace(eve, `"pkts_toserver":1,`, `"pkts_toserver":"x",`, 1),
		"the label is missing": strings.Replace(eve, `,"alerted":false`, "", 1),
	} {
		if _, _, err := sourcetest.ReadText(t, suricataConfig, text,
			2); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}

// TestSuricataReal holds a real eve.json against counts taken from it with a JSON parser in Python.
func TestSuricataReal(t *testing.T) {
	dir := datatest.Dir(t, "suricata/eve.json.gz")
	cfg := strings.NewReplacer("flows.csv", "eve.json", "name: own", "name: suricata").Replace(suricataConfig)
	for events, rows := range map[string]int{"flow": 3512, "alert": 745} {
		text := cfg + "options: {events: [" + events + "]}\n"
		if events == "alert" {
			text = strings.Replace(text, "label: {column: flow.alerted, benign: [\"false\"]}", "", 1)
		}
		tb, _, err := sourcetest.ReadDir(t, text, dir, 2)
		if err != nil {
			t.Fatal(err)
		}
		if tb.Rows != rows {
			t.Errorf("%d events %s, want %d", tb.Rows, events, rows)
		}
		if events != "flow" {
			continue
		}
		attacks := 0
		for _, a := range tb.Attack {
			if a {
				attacks++
			}
		}
		col, err := tb.Column("flow.bytes_toserver")
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range col.Num {
			sum += v
		}
		if attacks != 366 || sum != 4381935 {
			t.Errorf("%d flows with alerts, %v bytes to servers; want 366 and 4381935", attacks, sum)
		}
	}
}

const zeekJSONConfig = `
name: own
format: zeek-json
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options: {columns: [{name: label, type: category}]}
`

// TestZeekJSONTimes reads one time in the three ways in which Zeek writes it.
func TestZeekJSONTimes(t *testing.T) {
	const want = 1626284618384979000
	for text, off := range map[string]int64{
		`1626284618.384979`:                  0,
		`1626284618384.979`:                  250, // a double of milliseconds holds quarters of a microsecond
		`1626284618384`:                      979000,
		`"2021-07-14T17:43:38.384979Z"`:      0,
		`"2021-07-14T19:43:38.384979+02:00"`: 0,
	} {
		line := fmt.Sprintf(
			`{"ts":%s,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,"proto":"udp","label":"ok"}`,
			text,
		)
		tb, _, err := sourcetest.ReadText(t, zeekJSONConfig, line+"\n", 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := want - tb.Columns[0].Nanos[0]; got > off || got < -off {
			t.Errorf("%s is %d nanoseconds off", text, got)
		}
	}
	for _, text := range []string{`-5`, `1e300`, `"noon"`, `true`} {
		line := fmt.Sprintf(`{"ts":%s,"uid":"C1","label":"ok"}`, text)
		if _, _, err := sourcetest.ReadText(t, zeekJSONConfig, line+"\n", 1); err == nil {
			t.Errorf("%s was taken for a time", text)
		}
	}
}

// TestZeekJSONReal holds a real conn.log against counts taken from it with a JSON parser in Python.
func TestZeekJSONReal(t *testing.T) {
	dir := datatest.Dir(t, "zeek-json/conn.log.gz")
	c := sourcetest.Config(t, "name: zeek-json\nformat: zeek-json\nfiles: {train: [conn.log]}\n")
	tb, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	col, err := tb.Column("orig_bytes")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range col.Num {
		if v == v {
			sum += v
		}
	}
	if tb.Rows != 1000 || sum != 1071044 || sourcetest.Text(t, tb, "ts", 0) != "2021-07-14T17:43:38.384979Z" {
		t.Errorf("%d rows, %v bytes, first at %s", tb.Rows, sum, sourcetest.Text(t, tb, "ts", 0))
	}
}

func FuzzSuricata(f *testing.F) {
	for line := range strings.Lines(eve) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tb, _, err := sourcetest.ReadText(t, suricataConfig+"max_bad_share: 1\n", text, 2)
		if err == nil && (tb.Rows == 0 || len(tb.Attack) != tb.Rows) {
			t.Errorf("%d rows, %d labels", tb.Rows, len(tb.Attack))
		}
	})
}

func FuzzZeekJSON(f *testing.F) {
	f.Add(`{"ts":1626284618384.5,"uid":"C1","id.orig_h":"10.0.0.1","label":"ok"}`)
	f.Add(`{"ts":"2021-07-14T17:43:38Z","label":"bad"}`)
	f.Fuzz(func(t *testing.T, text string) {
		tb, _, err := sourcetest.ReadText(t, zeekJSONConfig+"max_bad_share: 1\n", text, 2)
		if err == nil && (tb.Rows == 0 || len(tb.Attack) != tb.Rows) {
			t.Errorf("%d rows, %d labels", tb.Rows, len(tb.Attack))
		}
	})
}
