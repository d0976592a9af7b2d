package source

import (
	"strings"
	"testing"
)

// TestEndpoints: an address and a port in one cell become two columns, in each way in which columns are found.
func TestEndpoints(t *testing.T) {
	const head = "name: own\nformat: delimited\nfiles: {train: [flows.csv]}\nlabel: {column: label, benign: [ok]}\n"
	const lines = "1,10.0.0.1:443,[::1]:80,ok\n2,192.0.2.7,2001:db8::1,bad\n3,,host.example:53,ok\n"
	want := "size src.address src.port dst.address dst.port: 1 10.0.0.1 443 ::1 80; 2 192.0.2.7 - 2001:db8::1 -; " +
		"3 - - host.example 53"
	read := func(t *testing.T, cfg, text string) string {
		t.Helper()
		tb, rep, err := readText(t, cfg, text, 2)
		if err != nil {
			return err.Error()
		}
		var names []string
		var rows []string
		for i := range tb.Columns {
			names = append(names, tb.Columns[i].Name)
		}
		for row := range tb.Rows {
			var cells []string
			for i := range tb.Columns {
				cells = append(cells, string(tb.Columns[i].AppendText(nil, int32(row))))
			}
			rows = append(rows, strings.Join(cells, " "))
		}
		out := strings.Join(names, " ") + ": " + strings.Join(rows, "; ")
		for _, b := range rep.Examples {
			out += " | " + b.String()
		}
		return out
	}
	declared := head + "options: {columns: [{name: size, type: number}, {name: src, type: endpoint}, " +
		"{name: dst, type: endpoint}, {name: label, type: category}]}\n"
	for _, c := range []struct{ name, config, text, want string }{
		{"declared", declared, lines, want},
		{"by their names", head + "options: {header: true, types: {src: endpoint, dst: endpoint, label: category}}\n",
			"size,src,dst,label\n" + lines, want},
		{"looked up", head + "options: {header: true, by_name: true, absent: missing, columns: " +
			"[{name: size, type: number}, {name: src, type: endpoint}, " +
			"{name: dst, type: endpoint}, {name: label, type: category}]}\n",
			"dst,more,label,src,size\n[::1]:80,x,ok,10.0.0.1:443,1\n",
			"size src.address src.port dst.address dst.port: 1 10.0.0.1 443 ::1 80"},
		{"looked up and absent", head + "options: {header: true, by_name: true, absent: missing, columns: " +
			"[{name: size, type: number}, {name: age, type: number}, {name: src, type: endpoint}, " +
			"{name: label, type: category}]}\n", "age,label,size\n7,ok,1\n",
			"size age src.address src.port: 1 7 - -"},
		{"one half is dropped", declared + "drop: [src.port, dst.address]\n", lines,
			"size src.address dst.port: 1 10.0.0.1 80; 2 192.0.2.7 -; 3 - 53"},
		{"cells that are none", declared + "max_bad_share: 1\n", lines + "4,1:2:3,::1,ok\n5,a:,::1,ok\n6,[::1,b,ok\n" +
			"7,a:1,b:x,ok\n8,a:1,ok\n",
			want + ` | flows.csv:4:2: "1:2:3" is no address and port | flows.csv:5:2: "a:" is no address and port` +
				` | flows.csv:6:2: "[::1" is no address and port | flows.csv:7:3: dst.port: "x" is not a number` +
				` | flows.csv:8: 3 columns, want 4`},
		{"JSON", strings.NewReplacer("delimited", "ndjson").Replace(head) + "options: {columns: " +
			"[{name: size, type: number}, {name: src, type: endpoint}, {name: label, type: category}]}\n",
			`{"size": 1, "src": "10.0.0.1:443", "label": "ok"}` + "\n" + `{"size": 2, "label": "bad"}` + "\n",
			"size src.address src.port: 1 10.0.0.1 443; 2 - -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(t, c.config, c.text); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
	const added = "name: own\nformat: zeek-json\nfiles: {train: [a]}\noptions: {columns: [{name: peer, type: endpoint}]}\n"
	if got := decodeError(t, added); !strings.Contains(got, "taken apart") {
		t.Errorf("a member of Zeek's: %s", got)
	}
}
