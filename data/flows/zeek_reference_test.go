package flows

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/packets"
	"plumbline/data/rows"
)

// zeekReference are captures of Zeek's test suite (zeek/zeek, testing/btest at a13de64f) beside the conn.log that Zeek
// makes of each.
func zeekReference(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(os.Getenv("PLUMBLINE_DATA"), "../reference/zeek-conn/*.pcap*"))
	if len(files) == 0 {
		t.Skip("no reference captures")
	}
	return files
}

// ignoresChecksums are the captures on which Zeek was run with -C.
var ignoresChecksums = []string{"core.local-flip", "http.http-connect-with-header", "ldap.diff_port", "ldap.log_policy",
	"ldap.sasl-encrypted", "ldap.sasl-signed-clear", "ldap.sasl-signed-clear-2"}

func open(paths ...string) *packets.Reader {
	var files []packets.File
	for _, p := range paths {
		files = append(files, packets.File{Name: p, Open: func() (io.ReadCloser, error) { return os.Open(p) }})
	}
	return packets.NewReader(files)
}

// build gives all rows as texts by column.
func build(t *testing.T, v Vocabulary, s Settings, workers int, r *packets.Reader) ([]map[string]string, *Report) {
	t.Helper()
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	specs := v.Columns()
	var out []map[string]string
	rep, err := Build(context.Background(), r, v, s, specs, make([]bool, len(specs)), workers,
		func(c *rows.Chunk, _ int) error {
			tb := rows.NewBuilder(rows.Plan{Name: "test"})
			if _, err := tb.Begin(specs); err != nil {
				return err
			}
			if err := tb.Add(c); err != nil {
				return err
			}
			table, err := tb.Table()
			if err != nil {
				return err
			}
			for i := range table.Rows {
				row := map[string]string{}
				for _, col := range table.Columns {
					text := string(col.AppendText(nil, int32(i)))
					switch {
					case col.Type == data.Number && !math.IsNaN(col.Num[i]):
						text = formatNumber(col.Num[i])
					case text == "-":
						text = ""
					}
					row[col.Name] = text
				}
				out = append(out, row)
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out, rep
}

// zeekFields are what is compared. Start times are masked in the logs, and services need the analysis of protocols.
var zeekFields = []string{"proto", "duration", "orig_bytes", "resp_bytes", "conn_state", "missed_bytes", "history",
	"orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"}

// explained are the only differences to Zeek, all of them made by its analysis of protocols: an analyzer that gave up
// (X), a script that stops looking at a connection of GridFTP once it knows it (skip_further_processing), and an HTTP
// request that came from the responder, upon which the roles are changed in the middle of the connection.
var explained = map[string]map[string]string{
	"ftp.ftp-max-command-length": {"history": "ShAdDaFf"},
	"ftp.gridftp 35391": {"duration": "0.014276", "orig_bytes": "2135", "resp_bytes": "3213", "conn_state": "SF",
		"history": "ShADadfF", "orig_pkts": "9", "orig_ip_bytes": "2611", "resp_pkts": "9", "resp_ip_bytes": "3689"},
	"core.local-flip": {"history": "HadADfF"},
}

// TestZeekReference: every connection of every capture as Zeek has it.
func TestZeekReference(t *testing.T) {
	connections := 0
	for _, path := range zeekReference(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), "ng"), ".pcap")
		t.Run(name, func(t *testing.T) {
			fields, want := readLog(t, filepath.Join(filepath.Dir(path), name+".conn.log"))
			info, _ := Lookup("zeek")
			v := info.New().(*Zeek)
			v.IPProto = slices.Contains(fields, "ip_proto")
			checksums := !slices.Contains(ignoresChecksums, name)
			got, _ := build(t, v, Settings{Tunnels: true, Checksums: &checksums, MaxOpen: DefaultMaxOpen}, 2, open(path))
			id := func(r map[string]string) string {
				return fmt.Sprint(r["id.orig_h"], r["id.orig_p"], r["id.resp_h"], r["id.resp_p"], r["proto"], r["ip_proto"])
			}
			byID := map[string][]map[string]string{}
			for _, r := range got {
				byID[id(r)] = append(byID[id(r)], r)
			}
			if len(got) != len(want) {
				t.Errorf("%d connections, want %d", len(got), len(want))
			}
			for _, w := range want {
				connections++
				if name == "core.local-flip" {
					swapSides(w)
				}
				list := byID[id(w)]
				if len(list) == 0 {
					t.Errorf("no connection %s", id(w))
					continue
				}
				byID[id(w)] = list[1:]
				for _, f := range zeekFields {
					want := w[f]
					for _, key := range []string{name, name + " " + w["id.orig_p"]} {
						if e, ok := explained[key][f]; ok {
							if e == want {
								t.Errorf("%s: %s is equal, and explained", key, f)
							}
							want = e
						}
					}
					if _, there := w[f]; there && list[0][f] != want {
						t.Errorf("%s: %s is %q, want %q", id(w), f, list[0][f], want)
					}
				}
			}
		})
	}
	if connections != 111 {
		t.Errorf("%d connections were compared, there are 111", connections)
	}
}

// swapSides makes the originator of a row the responder.
func swapSides(r map[string]string) {
	for _, pair := range [][2]string{{"id.orig_h", "id.resp_h"}, {"id.orig_p", "id.resp_p"}, {"orig_bytes", "resp_bytes"},
		{"orig_pkts", "resp_pkts"}, {"orig_ip_bytes", "resp_ip_bytes"}} {
		r[pair[0]], r[pair[1]] = r[pair[1]], r[pair[0]]
	}
}

// readLog reads a log of Zeek: numbers without zeros at the end, and nothing for what is unset.
func readLog(t *testing.T, path string) (fields []string, out []map[string]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		cells := strings.Split(sc.Text(), "\t")
		if cells[0] == "#fields" {
			fields = cells[1:]
		}
		if strings.HasPrefix(cells[0], "#") {
			continue
		}
		row := map[string]string{}
		for i, c := range cells {
			if c == "-" {
				c = ""
			}
			if fields[i] == "duration" && strings.Contains(c, ".") {
				c = strings.TrimRight(strings.TrimRight(c, "0"), ".")
			}
			row[fields[i]] = c
		}
		out = append(out, row)
	}
	return fields, out
}
