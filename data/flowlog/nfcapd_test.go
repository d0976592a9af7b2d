package flowlog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

const nfcapdConfig = `
name: own
format: nfcapd
files: {train: [flows.nfcapd]}
`

// TestNfcapdEqualsNfdump checks every column of a real file against nfdump 1.7.1's CSV of the same file, which cuts
// times to the second.
func TestNfcapdEqualsNfdump(t *testing.T) {
	dir := filepath.Join(datatest.Dir(t, "nfdump"), "nfdump")
	c := sourcetest.Config(t, strings.Replace(nfcapdConfig, "flows.nfcapd", "portscan.nfcapd", 1))
	tb, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "portscan.nfdump-1.7.1.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	rows, compared := 0, 0
	for ; ; rows++ {
		row, err := r.Read()
		if err == io.EOF || len(row) > 0 && row[0] == "Summary" {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for k, name := range head {
			col, err := tb.Column(name)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := nfdumpText(col, name, rows), strings.TrimSpace(row[k]); got != want {
				t.Fatalf("flow %d: %s is %q, nfdump writes %q", rows+1, name, got, want)
			}
			compared++
		}
	}
	if rows != 4593 || tb.Rows != rows || len(head) != 48 || compared != rows*48 {
		t.Errorf("%d rows of %d columns, the table has %d rows", rows, len(head), tb.Rows)
	}
}

// nfdumpText is a value as nfdump -o csv writes it.
func nfdumpText(c *data.Column, name string, row int) string {
	switch {
	case name == "tr":
		return time.Unix(0, c.Nanos[row]).UTC().Format("2006-01-02 15:04:05.000")
	case c.Type == data.Time:
		return time.Unix(0, c.Nanos[row]).UTC().Format("2006-01-02 15:04:05")
	case name == "td" || name == "cl" || name == "sl" || name == "al":
		return strconv.FormatFloat(c.Num[row], 'f', 3, 64)
	case c.Type == data.Number:
		return strconv.FormatFloat(c.Num[row], 'f', -1, 64)
	case c.Missing(row):
		return "0.0.0.0"
	}
	return c.Level(int32(row))
}

// TestNfcapdFaults: a file that is none of nfcapd's, and one that is cut off, are told with their names.
func TestNfcapdFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"csv", "ts,te,td\n", "flows.nfcapd: nfcapd: the file begins with"},
		{"cut", "\x0c\xa5\x02\x00\x00", "flows.nfcapd: nfcapd: header: unexpected EOF"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "flows.nfcapd"), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := sourcetest.ReadDir(t, nfcapdConfig, dir, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestNfcapdColumns: a column that is not kept is not read, and more flows than go to the table at once are one table.
func TestNfcapdColumns(t *testing.T) {
	real, err := os.ReadFile(filepath.Join(datatest.Dir(t, "nfdump"), "nfdump", "portscan.nfcapd"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const blocks, block = 140 + 136, 12
	// the real file's block twenty times: 91,860 flows
	raw := bytes.Clone(real[:blocks])
	size := block + int(uint32(real[blocks+4])|uint32(real[blocks+5])<<8|uint32(real[blocks+6])<<16)
	for range 20 {
		raw = append(raw, real[blocks:blocks+size]...)
	}
	raw[8] = 20
	if err := os.WriteFile(filepath.Join(dir, "flows.nfcapd"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	tb, _, err := sourcetest.ReadDir(t, nfcapdConfig+"drop: [mpls1, tr]\n", dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.Column("mpls1"); err == nil || tb.Rows != 20*4593 || tb.Lines[tb.Rows-1] != 20*4593 {
		t.Errorf("%d rows, mpls1 %v", tb.Rows, err)
	}
	sa, err := tb.Column("sa")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4593 {
		if sa.Level(int32(i)) != sa.Level(int32(i+19*4593)) {
			t.Fatalf("flow %d has %s, its copy %s", i, sa.Level(int32(i)), sa.Level(int32(i+19*4593)))
		}
	}
}

// FuzzNfcapd: whatever the bytes, reading ends with a table or an error. The seed is one invented flow with every
// extension, in layout 2.
func FuzzNfcapd(f *testing.F) {
	const flow = "DKUCAAABBwEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAEAAABUAQAAAwAAAAsAVAEOAAAAAAAACQEANAB7mPc+XQ" +
		"EAANOz9" +
		"z5dAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQJwAgDobAAADACQAAAAAALgNASABAAAAAAAAAAAAAAC4DQEgAgABAAAAAAAEABQACwAA" +
		"AAwAAAAYGQENAAAAAAUAHAACAAAAAAAAAAMAAAAAAAAABAAAAAAAAAAGAAwAZAAAAMgAAAAHAAwA6f0AAADqVvoIAAgABAMCAQsAFAAAAAAA" +
		"uA0BIAMAAAAAAAAADAAIAAYHCAkOACwAgz4AAJM+AACjPgAAsz4AAMM+AADTPgAA4z4AAPM+AAADPwAAEz8AAA8AJADwBQQDAgEAAPEFBAMC" +
		"AQAA8gUEAwIBAADzBQQDAgEAABEAHADcBQAAAAAAAMQJAAAAAAAArA0AAAAAAAAcABAAbXkgbGFiZWwAAAAAhAMIAAECAwQ="
	seed, err := base64.StdEncoding.DecodeString(flow)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	c := sourcetest.Config(f, nfcapdConfig)
	dir := f.TempDir()
	find := source.Finder{Dirs: []string{dir}}
	path := filepath.Join(dir, "flows.nfcapd")
	if err := os.WriteFile(path, seed, 0o600); err != nil {
		f.Fatal(err)
	}
	if tb, _, err := source.Read(f.Context(), c, find, 2); err != nil || tb.Rows != 1 ||
		sourcetest.Text(f, tb, "label", 0) != "my label" {
		f.Fatalf("the seed: %v", err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		tb, _, err := source.Read(context.Background(), c, find, 2)
		if err == nil && (tb.Rows == 0 || len(tb.Lines) != tb.Rows) {
			t.Errorf("%d rows, %d lines", tb.Rows, len(tb.Lines))
		}
	})
}
