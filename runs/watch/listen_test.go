package watch

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/data/netflow/netflowtest"
	"plumbline/data/nfcapd"
	"plumbline/runs"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
	"plumbline/runs/runstest"
)

// packet5 is flows of NetFlow v5, of a host to a port each, exported at a time: bytes are 400, but for every tenth.
func packet5(first, n int, at int64) []byte {
	be := binary.BigEndian
	p := be.AppendUint16(be.AppendUint16(nil, 5), uint16(n))
	p = be.AppendUint32(p, 60_000)
	p = be.AppendUint32(be.AppendUint32(p, uint32(at/1000)), uint32(at%1000*1_000_000))
	p = append(be.AppendUint32(p, uint32(first)), 0, 0, 0, 0)
	for i := first; i < first+n; i++ {
		bytes := uint32(400 + i%7)
		if i%10 == 9 {
			bytes = 90_000_000
		}
		p = append(p, 10, 0, 0, byte(1+i%8), 192, 0, 2, 7, 0, 0, 0, 0, 0, 1, 0, 2)
		p = be.AppendUint32(be.AppendUint32(p, 4), bytes)
		p = be.AppendUint32(be.AppendUint32(p, 59_000), 59_500)
		p = be.AppendUint16(be.AppendUint16(p, uint16(40000+i)), 443)
		p = append(p, 0, 0x1b, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return p
}

// nfdumpModel is a model of flows in nfdump's columns, trained on those of eight hosts to one.
func nfdumpModel(t *testing.T) *bundle.Bundle {
	t.Helper()
	csv := "ts,sa,da,sp,dp,pr,ipkt,ibyt,label\n"
	for i := range 600 {
		csv += fmt.Sprintf("2026-11-27 12:00:%02d,10.0.0.%d,192.0.2.7,%d,443,TCP,%d,%d,benign\n", i%60, 1+i%8, 40000+i, 3+i%3,
			390+i%30)
	}
	file := filepath.Join(t.TempDir(), "train.csv")
	if err := os.WriteFile(file, []byte(csv), 0o644); err != nil {
		t.Fatal(err)
	}
	e := runstest.Load(t, fmt.Sprintf(`
name: netflow
data:
  - name: own
    format: delimited
    files: {train: [%s]}
    options:
      header: true
      time_layouts: ["2006-01-02 15:04:05"]
      types: {ts: time, sa: address, da: address, pr: category, label: category}
    label: {column: label, benign: [benign]}
    drop: [sp]
models: [znorm]
seeds: [1]
split: {kind: random, test: 0.2, validation: 0.2}
prep: [impute, {step: scale, kind: zscore}, onehot]
threshold: {rule: fpr, value: 0.001}
bootstrap: 0
audit: off
`, file))
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(filepath.Join(out.Dir, filepath.FromSlash(out.Results[0].Cell)))
	if err != nil {
		t.Fatal(out.Results[0].Error, err)
	}
	return b
}

// listening watches what comes in at an address of its own until stop, which gives what the watcher counted.
func listening(t *testing.T, w *watched) (to net.Conn, stop func() Counts) {
	t.Helper()
	x, err := New(t.Context(), w.b, w.o)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listenUDP("udp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.receive(ctx, conn) }()
	if to, err = net.Dial("udp", conn.LocalAddr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	return to, func() Counts {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return x.Counts
	}
}

// waited is the alerts when there are n of them, or after a while.
func (w *watched) waited(n int) []alerts.Alert {
	for end := time.Now().Add(20 * time.Second); len(w.all(true)) < n && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	return w.all(true)
}

// TestListen: flows that an exporter sends are judged by a model that was trained on nfdump's columns, and each of the
// large ones is an alert with its addresses and time.
func TestListen(t *testing.T) {
	b := nfdumpModel(t)
	w := newWatched(t, b)
	w.o.Stream, w.o.Rules.Verdicts = "udp:2055", "off"
	to, stop := listening(t, w)
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixMilli()
	for k := range 20 {
		if _, err := to.Write(packet5(k*30, 30, at)); err != nil {
			t.Fatal(err)
		}
	}
	to.Write([]byte("what is no packet at all"))
	list := w.waited(60)
	if c := stop(); len(list) != 60 || c.Rows != 600 || c.Bad != 1 || c.Lost != 0 || c.Dropped != 0 {
		t.Fatalf("%d alerts, %+v", len(list), c)
	}
	for i, a := range list {
		if a.Line != int64(10*i+10) || a.Source != fmt.Sprintf("10.0.0.%d", 1+(10*i+9)%8) || a.DestPort != "443" ||
			a.Cause != "ibyt" || a.Time.UnixMilli() != at-1000 || a.File != "udp:2055" {
			t.Fatalf("alert %d: %+v", i, a)
		}
	}
	if _, err := listenUDP("tcp:2055"); err == nil {
		t.Error("tcp is listened to")
	}
}

// TestListenAsNfdump: packets of NetFlow v9 and IPFIX that are made of the flows of a file of nfcapd and sent over
// loopback become the flows that nfdump 1.7.1 lists of it, each an alert of a model to which everything is one.
func TestListenAsNfdump(t *testing.T) {
	listed := realText(t, "nfdump/portscan.nfdump-1.7.1.csv.gz")
	f, err := os.Open(filepath.Join(os.Getenv("PLUMBLINE_DATA"), "nfdump", "portscan.nfcapd"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := nfcapd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var flows []nfcapd.Flow
	for {
		var x nfcapd.Flow
		if err := r.Next(&x); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, x)
	}
	// nfdump's lines up to the summary, by the columns that both kinds of packets carry
	names := []string{"ts", "te", "sa", "da", "sp", "dp", "pr", "flg", "stos", "ipkt", "ibyt", "opkt", "obyt", "in", "out",
		"sas", "das"}
	want := map[string]int{}
	lines, n := csv.NewReader(strings.NewReader(listed)), 0
	lines.FieldsPerRecord = -1
	head, err := lines.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := lines.Read()
		if err != nil {
			t.Fatal(err)
		}
		if len(row) != len(head) {
			break
		}
		var key []string
		for _, name := range names {
			key = append(key, strings.TrimSpace(row[slices.Index(head, name)]))
		}
		want[strings.Join(key, " ")]++
		n++
	}
	if n != len(flows) || n < 4000 {
		t.Fatalf("nfdump lists %d flows, the file has %d", n, len(flows))
	}
	b := nfdumpModel(t)
	b.Threshold.Score = -1 // distances are at least 0
	for _, version := range []uint16{9, 10} {
		w := newWatched(t, b)
		w.o.Stream, w.o.Rules.Verdicts = "udp:2055", "off"
		to, stop := listening(t, w)
		for i, p := range netflowtest.Packets(version, flows) {
			if _, err := to.Write(p); err != nil {
				t.Fatal(err)
			}
			if i%16 == 15 { // the socket's buffer may be small
				time.Sleep(5 * time.Millisecond)
			}
		}
		list := w.waited(n)
		if c := stop(); c.Rows != int64(n) || c.Lost != 0 || c.Dropped != 0 || c.NoTemplate != 0 {
			t.Fatalf("version %d: %+v, want %d flows", version, c, n)
		}
		got := map[string]int{}
		for i := range list {
			var key []string
			for _, name := range names {
				text := list[i].Record[name]
				if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
					text = at.UTC().Format(time.DateTime) // nfdump prints whole seconds
				}
				key = append(key, text)
			}
			got[strings.Join(key, " ")]++
		}
		if d := cmp.Diff(want, got); d != "" || len(list) != n {
			t.Errorf("version %d: %d alerts of %d flows (-nfdump +watch)\n%.3000s", version, len(list), n, d)
		}
	}
}
