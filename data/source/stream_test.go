package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/data/pseudonym"
	"plumbline/data/rows"
)

// lines are the rows of a table as texts with their truth.
func lines(t *data.Table) (out []string) {
	for i := range t.Rows {
		var b []byte
		for k := range t.Columns {
			b = append(t.Columns[k].AppendText(append(b, t.Columns[k].Name+"="...), int32(i)), ' ')
		}
		if t.Attack != nil {
			b = fmt.Appendf(b, "%v %s %d", t.Attack[i], t.Classes[t.Class[i]], t.Class[i])
		}
		out = append(out, fmt.Sprintf("%s part %d line %d", b, t.Parts[i], t.Lines[i]))
	}
	return out
}

// TestStream: blocks hold the rows that a table of the whole does, in their order, with the same truth and the same to
// say, across files of several blocks.
func TestStream(t *testing.T) {
	dir := t.TempDir()
	var a, b strings.Builder
	for i := range 60_000 { // more than a block
		fmt.Fprintf(&a, "%d,%s,%d,%s\n", i%977, []string{"tcp", "udp", "", fmt.Sprint("p", i/50)}[i%4], i-500,
			[]string{"ok", "OK", "scan", "noise", "flood"}[i%5])
		fmt.Fprintf(&b, "%d,icmp,%d,%s\n", i%3, i, []string{"scan", "late", ""}[min(i%3000, 2)*i/(i+1)])
	}
	for name, text := range map[string]string{"a.csv": a.String(), "b.csv": b.String()[:20_000]} {
		text = text[:strings.LastIndexByte(text, '\n')+1]
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const base = `
name: own
format: delimited
files: {train: [a.csv], test: [b.csv]}
max_bad_share: 1
options:
  columns: [{name: size, type: number}, {name: proto, type: category}, {name: seq, type: number}, {name: label,
	type: category}]
`
	for name, more := range map[string]string{
		"labels": "label: {column: label, benign: [ok], rules: [{contains: noise, is: drop}]}",
		"derived": "label: {column: label, benign: [ok, none]}\nfilter: [{column: seq, from: 10}]\nrepair: [{error: " +
			"negative, columns: [seq]}]\nderive: [{name: twice, expr: size * 2}]",
		"by file": "label: {files: [{file: a.csv, is: benign}, {file: b.csv, is: attack, class: night}]}\ndrop: [label]",
		"none":    "",
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t, base+more)
			f := Finder{Dirs: []string{dir}}
			whole, want, err := Read(t.Context(), c, f, 2)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Streams(true) {
				t.Fatal("is not read in blocks")
			}
			var got []string
			blocks := 0
			rep, err := Stream(t.Context(), c, f, 2, true, func(b *data.Table, share float64) error {
				if blocks++; share < 0 || share > 1 {
					t.Errorf("share %v", share)
				}
				got = append(got, lines(b)...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(whole), got); diff != "" {
				t.Errorf("rows differ (-table +blocks):\n%.2000s", diff)
			}
			if blocks < 3 {
				t.Errorf("%d blocks", blocks)
			}
			slices.Sort(want.Notes)
			slices.Sort(rep.Notes)
			if diff := cmp.Diff(want, rep); diff != "" {
				t.Errorf("reports differ (-table +blocks):\n%s", diff)
			}
		})
	}
}

// TestStreamOfTable: what cannot be read in blocks is read first and cut, and an error of the taker ends the reading.
func TestStreamOfTable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flows.csv"), []byte("1,tcp,ok\n2,udp,bad\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := config(t, flowsConfig+"identify: [{rows: 2, part: train}]\n")
	f := Finder{Dirs: []string{dir}}
	rows := 0
	rep, err := Stream(t.Context(), c, f, 1, true, func(b *data.Table, _ float64) error { rows += b.Rows; return nil })
	if err != nil || c.Streams(true) || rows != 2 || rep.Rows != 2 {
		t.Errorf("%d rows, %+v, %v", rows, rep, err)
	}
	for _, text := range []string{flowsConfig, flowsConfig + "identify: [{rows: 2, part: train}]\n"} {
		if _, err := Stream(t.Context(), config(t, text), f, 1, true, func(*data.Table,
			float64) error {
			return os.ErrClosed
		}); err == nil {
			t.Error("no error")
		}
	}
}

// TestTrial: a file of another kind is told by its first rows, however long it is; one with a row that can be read is
// read on.
func TestTrial(t *testing.T) {
	c := config(t, "name: tried\nformat: delimited\nfiles: {train: [x.csv]}\n"+
		"options: {columns: [{name: n, type: number}, {name: label, type: category}]}\nlabel: {column: label, benign: [a]}\n")
	dir := t.TempDir()
	for _, of := range []struct {
		name, text string
		trial      bool
		hopeless   bool
	}{
		{"all", strings.Repeat("1,a,2\n", 2_000_000), true, true},
		{"one", "1,a\n" + strings.Repeat("1,a,2\n", 2_000), true, false},
		{"no trial", strings.Repeat("1,a,2\n", 2_000), false, false},
	} {
		if err := os.WriteFile(filepath.Join(dir, "x.csv"), []byte(of.text), 0o644); err != nil {
			t.Fatal(err)
		}
		one := c
		if of.trial {
			one = c.Trial()
		}
		_, err := Stream(t.Context(), one, Finder{Dirs: []string{dir}}, 2, false,
			func(*data.Table, float64) error { return nil })
		if err == nil || errors.Is(err, rows.ErrHopeless) != of.hopeless {
			t.Errorf("%s: %v", of.name, err)
		}
		tried := 0
		if _, told, ok := strings.Cut(fmt.Sprint(err), "can be read ("); ok {
			fmt.Sscan(told, &tried)
		}
		if of.hopeless && (tried < trialRows || tried > 500_000) { // a piece of text at a time, on several processors
			t.Errorf("%s: %d of 2,000,000 rows were tried", of.name, tried)
		}
	}
}

// TestBadRowsOfPseudonyms: what is said of rows that cannot be read has pseudonyms for the addresses in them.
func TestBadRowsOfPseudonyms(t *testing.T) {
	m, err := pseudonym.New(make([]byte, pseudonym.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.Repeat("1,a\n", 30) + "10.1.2.3,a\n" + strings.Repeat("1,a\n", 30)
	if err := os.WriteFile(filepath.Join(dir, "x.csv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, share := range []string{"0.1", "0"} {
		c := config(t, "name: hidden\nformat: delimited\nfiles: {train: [x.csv]}\nmax_bad_share: "+share+
			"\noptions: {columns: [{name: n, type: number}, {name: label, type: category}]}\n"+
			"label: {column: label, benign: [a]}\n")
		for _, hide := range []bool{false, true} {
			if hide {
				c = c.WithPseudonyms(m)
			}
			_, rep, err := Read(t.Context(), c, Finder{Dirs: []string{dir}}, 1)
			streamed, errStreamed := Stream(t.Context(), c, Finder{Dirs: []string{dir}}, 1, false,
				func(*data.Table, float64) error { return nil })
			warnings := func(rep *ReadReport, err error) string {
				if err != nil {
					return err.Error()
				}
				return strings.Join(rep.Warnings, "; ")
			}
			for _, said := range []string{warnings(rep, err), warnings(streamed, errStreamed)} {
				if strings.Count(said, "could not be read")+strings.Count(said, "cannot be read") != 1 {
					t.Errorf("share %s: %s", share, said)
				}
				_, said, _ = strings.Cut(said, "be read")
				if strings.Contains(said, "10.1.2.3") == hide || strings.Contains(said, m.Text("10.1.2.3")) != hide {
					t.Errorf("share %s, hidden %v: %s", share, hide, said)
				}
			}
		}
	}
}
