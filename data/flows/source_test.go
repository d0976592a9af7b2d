package flows

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/packets"
	"plumbline/data/source"
	"plumbline/data/synth/capture"
)

func config(t *testing.T, text string) (*source.Config, error) {
	t.Helper()
	node, err := settings.Parse("office.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return source.DecodeConfig(node)
}

// TestCaptureAsData: captures as a data set, in two files, one of them compressed, with labels by the truth of the
// simulation: as a table and in blocks, with as many flows as there are of the whole capture; some are attacks.
func TestCaptureAsData(t *testing.T) {
	s := capture.Default()
	s.Minutes, s.Clients, s.AttackFrom = 2, 4, 0.1
	var whole, truth bytes.Buffer
	done, err := s.Write(&whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := capture.WriteTruth(&truth, done.Intervals); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, part := range cutUp(t, whole.Bytes(), 4000) {
		in, _ := part.Open()
		content, _ := io.ReadAll(in)
		name := filepath.Join(dir, []string{"one.pcap", "two.pcap.gz"}[i])
		if i == 1 {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			w.Write(content)
			w.Close()
			content = z.Bytes()
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.csv"), truth.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	labelled, err := config(t, `
name: office
format: pcap
options: {as: zeek, settings: {ip_proto: true}}
files: [one.pcap, two.pcap]
label:
  join: {files: [truth.csv], from: from, to: to, class: class, time: ts,
    key: {id.orig_h: src, id.resp_h: dst}, mirror: [[id.orig_h, id.resp_h]]}
`)
	if err != nil {
		t.Fatal(err)
	}
	f := source.Finder{Dirs: []string{dir}}
	table, _, err := source.Read(context.Background(), labelled, f, 2)
	if err != nil {
		t.Fatal(err)
	}
	zeek, _ := Lookup("zeek")
	_, rep := text(t, zeek.New(), Settings{MaxOpen: DefaultMaxOpen}, 2, inMemory(whole.Bytes()))
	attacks := 0
	for _, a := range table.Attack {
		if a {
			attacks++
		}
	}
	if uint64(table.Rows) != rep.Records || attacks == 0 || attacks == table.Rows {
		t.Errorf("%d rows, %d attacks; %d flows of the whole", table.Rows, attacks, rep.Records)
	}
	o := table.Origins
	if len(o) != 3 || o[0].Name != "one.pcap" || o[1].FirstRow != o[0].Rows || o[0].Rows+o[1].Rows != table.Rows ||
		o[0].Rows == 0 || o[1].Rows == 0 || len(o[1].SHA256) != 64 || o[0].SHA256 == o[1].SHA256 {
		t.Errorf("%+v", o)
	}
	plain, err := config(t, "name: office\nformat: pcap\noptions: {as: zeek}\nfiles: [one.pcap, two.pcap]\n")
	if err != nil {
		t.Fatal(err)
	}
	if !plain.Streams(true) {
		t.Error("captures cannot be read in blocks")
	}
	rows := 0
	_, err = source.Stream(context.Background(), plain, f, 2, true, func(b *data.Table, _ float64) error {
		rows += b.Rows
		return nil
	})
	if err != nil || rows != table.Rows {
		t.Errorf("%d rows in blocks, %v", rows, err)
	}
}

// TestCaptureOptions: what is wrong is said where it stands.
func TestCaptureOptions(t *testing.T) {
	for options, want := range map[string]string{
		"{}":                                       "want one of",
		"{as: zeke}":                               `did you mean "zeek"`,
		"{as: zeek, max_open: 0}":                  "at least 1",
		"{as: zeek, settings: {tcp_idel: 3}}":      `did you mean "tcp_idle"`,
		"{as: zeek, settings: {tcp_idle: -1}}":     "want more than 0",
		"{as: zeek, settings: {local_nets: [a]}}":  "no network",
		"{as: zeek, tunels: true}":                 `did you mean "tunnels"`,
		"{as: zeek, settings: {tcp_idle: .nan}}":   "",
		"{as: zeek, checksums: perhaps}":           "",
		"{as: zeek, settings: {local_nets: none}}": "",
	} {
		_, err := config(t, "name: x\nformat: pcap\nfiles: [a.pcap]\noptions: "+options+"\n")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "office.yaml:") {
			t.Errorf("%s: %v", options, err)
		}
	}
}

// TestWriteLog: the log of a capture is read back as Zeek's own logs are, with all that it says.
func TestWriteLog(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pcap")
	file := fuzzPackets{[]byte{0, 0, 0, 10, 0, 0, 2, 1, 1, 0, 0x40, 90, 0x20, 0, 0x12, 1, 1, 3, 0, 10, 90, 9, 0x10, 1}}
	if err := os.WriteFile(in, file.capture(), 0o644); err != nil {
		t.Fatal(err)
	}
	zeek, _ := Lookup("zeek")
	v := zeek.New()
	s := Settings{MaxOpen: 10, Checksums: new(bool)}
	path := filepath.Join(dir, "conn.log.gz")
	out, err := export.Create(path, TableColumns(v), LogTypes(v))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Write(context.Background(), &Files{Paths: []string{in}}, v, s, nil, 1, out)
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := config(t, "name: x\nformat: zeek\nfiles: [conn.log]\n")
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	var line []byte
	for i := range back.Rows {
		line = line[:0]
		for k := range back.Columns {
			line = append(back.Columns[k].AppendText(line, int32(i)), ' ')
		}
		lines = append(lines, string(line))
	}
	want, _ := text(t, zeek.New(), s, 1, inMemory(file.capture()))
	if got := strings.Join(lines, "\n") + "\n"; got != want || rep.Records != 3 {
		t.Errorf("%d records:\n%swant\n%s", rep.Records, got, want)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.part"))
	if slices.Contains(left, path+".part") {
		t.Error("the unfinished file is left")
	}
}

// TestManyFiles: of the files of a stream that were read nothing stays in memory, however many there are.
func TestManyFiles(t *testing.T) {
	const n = 500
	path := filepath.Join(t.TempDir(), "in.pcap")
	file := fuzzPackets{[]byte{0, 0, 0, 10, 0, 0, 2, 1}}.capture()
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	f := &Files{Paths: slices.Repeat([]string{path}, n)}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	r := f.Reader()
	defer r.Close()
	var frame packets.Frame
	if err := r.Next(&frame); err != nil {
		t.Fatal(err)
	}
	before := heap()
	for range n - 1 {
		if err := r.Next(&frame); err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d bytes stay of %d files", after-before, n)
	}
	if err := r.Next(&frame); !errors.Is(err, io.EOF) || f.Bytes() != int64(n*len(file)) {
		t.Errorf("%v after %d bytes, want %d", err, f.Bytes(), n*len(file))
	}
}
