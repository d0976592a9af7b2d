package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lines is the format of plain lines; zeek that of logs whose comments say how lines are read.
func lines([]byte) (Format, error) { return Format{}, nil }
func zeek([]byte) (Format, error)  { return Format{Comments: true}, nil }

// log is a file that a test writes, and what was followed of it.
type log struct {
	t    *testing.T
	path string
	f    *Follower
	o    Options
	got  []string // each record, with the number of its line
	last Position
	said []string
}

func newLog(t *testing.T, format func([]byte) (Format, error)) *log {
	l := &log{t: t, path: filepath.Join(t.TempDir(), "conn.log")}
	l.o = Options{Format: format, Poll: time.Millisecond, Grace: 20 * time.Millisecond,
		Say: func(s string) { l.said = append(l.said, s) }}
	return l
}

// write appends to the log, which is made where it is not there.
func (l *log) write(text string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) do(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// read follows until nothing has come for a while.
func (l *log) read() {
	l.t.Helper()
	if l.f == nil {
		var from *Position
		if l.last.Path != "" {
			from = &l.last
		}
		f, err := New(l.path, from, l.o)
		if err != nil {
			l.t.Fatal(err)
		}
		l.f = f
	}
	for {
		ctx, cancel := context.WithTimeout(l.t.Context(), 80*time.Millisecond)
		p, err := l.f.Next(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			l.t.Fatal(err)
		}
		n := p.Line
		for line := range strings.Lines(string(p.Text)) {
			if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
				l.got = append(l.got, fmt.Sprintf("%d:%s", n, strings.TrimRight(line, "\n")))
			}
			n++
		}
		l.last = p.After
	}
}

// stop ends the reader as a kill would: what comes after the last piece is not known.
func (l *log) stop() {
	l.f.Close()
	l.f = nil
}

func (l *log) want(records string) {
	l.t.Helper()
	if got := strings.Join(l.got, " "); got != records {
		l.t.Errorf("%s\nwant %s\nsaid %q", got, records, l.said)
	}
}

// TestGrowth: whole lines come as they are there, a partial one when it is whole.
func TestGrowth(t *testing.T) {
	l := newLog(t, lines)
	l.read() // it is not there yet
	l.write("a\nb\npart")
	l.read()
	l.want("1:a 2:b")
	l.write("ial\n\nc\n")
	l.read()
	l.want("1:a 2:b 3:partial 5:c")
	l.stop()
	l.write("d\n")
	l.read()
	l.want("1:a 2:b 3:partial 5:c 6:d")
	if l.last.Offset != 17 || l.last.Line != 6 {
		t.Errorf("%+v", l.last)
	}
}

// TestRename: a log that is renamed is read to its end, also what who writes puts there before noticing, then the new
// one.
func TestRename(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		l := newLog(t, lines)
		l.write("a\nb\n")
		l.read()
		if stopped {
			l.stop()
		}
		l.write("c\n")
		l.do(os.Rename(l.path, l.path+".1"))
		f, err := os.OpenFile(l.path+".1", os.O_APPEND|os.O_WRONLY, 0)
		l.do(err)
		_, err = f.WriteString("late\nno end")
		l.do(err)
		l.do(f.Close())
		l.read()
		l.write("x\ny\n")
		l.read()
		l.want("1:a 2:b 3:c 4:late 5:no end 1:x 2:y")
		if l.last.Files != 1 {
			t.Errorf("stopped %v: file %d", stopped, l.last.Files)
		}
	}
}

// TestTwoRotations: of logs that were rotated twice while nobody read, all is read, in their order.
func TestTwoRotations(t *testing.T) {
	l := newLog(t, lines)
	old := func(path string, ago time.Duration) {
		at := time.Now().Add(-ago)
		l.do(os.Chtimes(path, at, at))
	}
	l.write("a\n")
	l.read()
	l.stop()
	l.write("b\n")
	l.do(os.Rename(l.path, l.path+".2"))
	old(l.path+".2", time.Hour)
	l.write("c\n")
	l.do(os.Rename(l.path, l.path+".1"))
	old(l.path+".1", time.Minute)
	for _, other := range []string{l.path + ".bak", l.path + ".3.gz"} {
		l.do(os.WriteFile(other, []byte("none of it\n"), 0o644))
	}
	l.write("d\n")
	l.read()
	l.want("1:a 1:b 1:c 1:d"[0:4] + "2:b 1:c 1:d")
}

// TestRotatedMeanwhile: the files of a log are renamed once more between the look at their names and the opening of
// one: all is read, whether a reader goes on or begins after a stop.
func TestRotatedMeanwhile(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		l := newLog(t, lines)
		times := 0
		openFile = func(path string) (*os.File, error) {
			if path == l.path+".1" && times == 0 {
				times++
				l.do(os.Rename(l.path+".2", l.path+".3"))
				l.do(os.Rename(l.path+".1", l.path+".2"))
			}
			return os.Open(path)
		}
		defer func() { openFile = os.Open }()
		l.write("a\n")
		l.read()
		if stopped {
			l.stop()
		}
		l.write("b\n")
		old := time.Now().Add(-time.Minute)
		l.do(os.Chtimes(l.path, old, old))
		l.do(os.WriteFile(l.path+".1", []byte("c\n"), 0o644))
		if stopped { // the file of the position is the one that moves on
			l.do(os.Rename(l.path+".1", l.path+".2"))
			l.do(os.Rename(l.path, l.path+".1"))
		} else {
			l.do(os.Rename(l.path, l.path+".2"))
		}
		l.write("d\n")
		l.read()
		if l.want(map[bool]string{false: "1:a 2:b 1:c 1:d", true: "1:a 2:b 1:c 1:d"}[stopped]); times != 1 {
			t.Errorf("stopped %v: renamed %d times", stopped, times)
		}
	}
}

// TestCopyTruncate: what was written between the last look and the truncation is in the copy.
func TestCopyTruncate(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		l := newLog(t, lines)
		l.write("a\nb\n")
		l.read()
		if stopped {
			l.stop()
		}
		l.write("c\n")
		raw, err := os.ReadFile(l.path)
		l.do(err)
		l.do(os.WriteFile(l.path+"-20261127", raw, 0o644))
		l.do(os.Truncate(l.path, 0))
		l.write("x longer than all that was there before\n")
		l.read()
		l.want("1:a 2:b 3:c 1:x longer than all that was there before")
	}
}

// TestTruncate: a log that is emptied, and filled again beyond where the reader was, is read anew, and that something
// may be lost is said.
func TestTruncate(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		l := newLog(t, lines)
		l.write("a\nb\n")
		l.read()
		if stopped {
			l.stop()
		}
		l.do(os.Truncate(l.path, 0))
		l.write("x\nyyyyyyyy\n")
		l.read()
		l.want("1:a 2:b 1:x 2:yyyyyyyy")
		if len(l.said) != 1 || !strings.Contains(l.said[0], "beginning anew") {
			t.Errorf("said %q", l.said)
		}
	}
}

// TestHeads: the lines that say how a log is read come with each piece, those of a part of a log that has others with
// it.
func TestHeads(t *testing.T) {
	l := newLog(t, zeek)
	l.write("#separator \\x09\n#fie")
	l.read()
	l.write("lds\ta\n#types\tcount\n")
	l.read()
	l.want("")
	l.write("1\n#close\tx\n")
	l.read()
	l.want("4:1")
	if want := "#separator \\x09\n#fields\ta\n#types\tcount\n"; l.last.Head != want || l.last.Line != 4 {
		t.Errorf("line %d, head %q", l.last.Line, l.last.Head)
	}
	l.stop()
	l.write("#separator \\x09\n#fields\tb\n#types\tcount\n2\n")
	l.read()
	l.want("4:1 9:2")
	if want := "#close\tx\n#separator \\x09\n#fields\tb\n#types\tcount\n"; l.last.Head != want {
		t.Errorf("head %q", l.last.Head)
	}
	l.write("3\n#close\ty\n")
	l.read()
	l.do(os.Rename(l.path, strings.TrimSuffix(l.path, ".log")+".2026-11-27-12-00-00.log"))
	l.write("#separator \\x09\n#fields\tc\n#types\tcount\n4\n")
	l.read()
	l.want("4:1 9:2 10:3 4:4")

	csv := newLog(t, func([]byte) (Format, error) { return Format{FirstLine: true}, nil })
	csv.write("\nname")
	csv.read()
	csv.write("\n1\n")
	csv.read()
	csv.want("3:1")
	if csv.last.Head != "name\n" {
		t.Errorf("head %q", csv.last.Head)
	}
}

// TestOnce: a file that is read once ends, with its last line whether that has an end or not.
func TestOnce(t *testing.T) {
	l := newLog(t, zeek)
	l.o.Once = true
	l.write("#fields\ta\n1\n2")
	l.read()
	l.want("2:1 3:2")
	if _, err := New(filepath.Join(t.TempDir(), "none"), nil, l.o); err != nil {
		t.Fatal(err)
	}
	none, _ := New(filepath.Join(t.TempDir(), "none"), nil, l.o)
	if _, err := none.Next(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	packed := newLog(t, lines)
	packed.write("\x1f\x8b\x08\x00 and so on\n")
	f, _ := New(packed.path, nil, packed.o)
	defer f.Close()
	if _, err := f.Next(t.Context()); !errors.Is(err, ErrCompressed) {
		t.Errorf("a compressed file: %v", err)
	}
}

// TestLongRecord: a record that does not end is cut off rather than held for ever; large files come in pieces.
func TestLongRecord(t *testing.T) {
	l := newLog(t, func([]byte) (Format, error) {
		return Format{LastEnd: func(text []byte) int { return 0 }}, nil
	})
	l.write(strings.Repeat("0123456\n", mostRecord/8) + "rest\n")
	l.read()
	if len(l.got) != mostRecord/8 {
		t.Errorf("%d lines, want %d", len(l.got), mostRecord/8)
	}
	l = newLog(t, lines)
	l.write(strings.Repeat("0123456\n", 3*mostPiece/8))
	l.read()
	if len(l.got) != 3*mostPiece/8 || l.last.Offset != 3*mostPiece {
		t.Errorf("%d lines to byte %d", len(l.got), l.last.Offset)
	}
}

func TestReader(t *testing.T) {
	in, out := io.Pipe()
	r := NewReader(in, zeek)
	next := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p, err := r.Next(ctx)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%d %q %q", p.Line, p.Head, p.Text)
	}
	io.WriteString(out, "#fields\ta\n1\n2")
	if got := next(); got != `1 "" "#fields\ta\n1\n"` {
		t.Error(got)
	}
	io.WriteString(out, "\n")
	if got := next(); got != `3 "#fields\ta\n" "2\n"` {
		t.Error(got)
	}
	io.WriteString(out, "3")
	out.Close()
	if got := next(); got != `4 "#fields\ta\n" "3"` {
		t.Error(got)
	}
	if got := next(); got != "EOF" {
		t.Error(got)
	}
}

// TestNoLineEnd: a file, or what a program writes, whose first line does not end is an error, neither waited for with
// all of the processor nor held in memory whatever its size; comments that do not end are passed on.
func TestNoLineEnd(t *testing.T) {
	head := func([]byte) (Format, error) { return Format{FirstLine: true}, nil }
	endless := strings.Repeat("x", mostRecord+1000)
	for name, format := range map[string]func([]byte) (Format, error){"lines": lines, "head": head} {
		l := newLog(t, format)
		l.write(endless)
		for _, once := range []bool{false, true} {
			l.o.Once = once
			f, err := New(l.path, nil, l.o)
			l.do(err)
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			if _, err := f.Next(ctx); !errors.Is(err, ErrLine) {
				t.Errorf("%s, once %v: %v", name, once, err)
			}
			stop()
			f.Close()
		}
		in, out := io.Pipe()
		go func() {
			for {
				if _, err := io.WriteString(out, endless[:100_000]); err != nil {
					return
				}
			}
		}()
		if _, err := NewReader(in, format).Next(t.Context()); !errors.Is(err, ErrLine) {
			t.Errorf("%s from a program: %v", name, err)
		}
		in.Close()
	}
	l := newLog(t, zeek)
	l.write(strings.Repeat("#\tno record\n", mostRecord/10))
	f, err := New(l.path, nil, l.o)
	l.do(err)
	defer f.Close()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if p, err := f.Next(ctx); err != nil || len(p.Text) == 0 || p.After.Offset != int64(len(p.Text)) {
		t.Errorf("%v", err)
	}
}
