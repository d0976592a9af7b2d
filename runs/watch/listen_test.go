package watch

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"plumbline/runs"
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

// TestListen: flows that an exporter sends are judged by a model that was trained on nfdump's columns, and each of the
// large ones is an alert with its addresses and time.
func TestListen(t *testing.T) {
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
	w := newWatched(t, b)
	w.o.Stream, w.o.Rules.Verdicts = "udp:2055", "off"
	x, err := New(t.Context(), b, w.o)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listenUDP("udp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.receive(ctx, conn) }()
	to, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixMilli()
	for k := range 20 {
		if _, err := to.Write(packet5(k*30, 30, at)); err != nil {
			t.Fatal(err)
		}
	}
	to.Write([]byte("what is no packet at all"))
	for end := time.Now().Add(20 * time.Second); len(w.all(true)) < 60 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	list := w.all(true)
	if len(list) != 60 || x.Counts.Rows != 600 || x.Counts.Bad != 1 || x.Counts.Lost != 0 || x.Counts.Dropped != 0 {
		t.Fatalf("%d alerts, %+v", len(list), x.Counts)
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
