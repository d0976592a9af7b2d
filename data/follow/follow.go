package follow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Format is how the records of a file are told.
type Format struct {
	FirstLine bool // the first line that is not blank says how the others are read
	Comments  bool // lines that begin with # do, anywhere
	// LastEnd is where the last whole record of text ends; nil: records are lines.
	LastEnd func(text []byte) int
}

// Options is how a file is followed.
type Options struct {
	// Format tells the format by how the file begins.
	Format func(begin []byte) (Format, error)
	Once   bool // read what is there and end
	// Say is told of rotation, truncation and what may be lost; nil: nobody is.
	Say func(string)
	// Poll is how often the file is looked at; 0: four times a second. A file that was renamed is read for Grace more
	// after the last that came into it, since who writes may not have noticed; 0: a second.
	Poll, Grace time.Duration
}

// Piece is whole records of a file.
type Piece struct {
	Text []byte // valid until the next one
	Head []byte // lines from further up that say how Text is read
	Name string // of the file
	Line int64  // of the first record, from 1
	// After is the position after it.
	After Position
}

const (
	mostPiece  = 1 << 20 // bytes of a piece, but for records that are longer
	mostRecord = 8 << 20 // a longer record is cut off: an unclosed quote must not hold up a file for ever
)

// Follower follows one file. It is not safe for concurrent use.
type Follower struct {
	o      Options
	path   string
	f      *os.File // nil: not open
	name   string   // of f, which may have been renamed
	old    bool     // f is not what stands at path
	pos    Position
	begun  bool // format is known
	format Format
	buf    []byte // from pos.Offset on
	grown  time.Time
}

// ErrCompressed says that a file does not grow by lines.
var ErrCompressed = errors.New("compressed files cannot be followed")

// ErrLine says that no line ends where the first one should.
var ErrLine = fmt.Errorf("no line ends within the first %d MB", mostRecord>>20)

// New follows a file from a position; nil: from its beginning. A file that is not there yet is waited for, unless it
// is to be read once. Where the file of the position has been renamed or copied since, it is looked for beside the path
// and read to its end first.
func New(path string, from *Position, o Options) (*Follower, error) {
	if o.Poll == 0 {
		o.Poll = 250 * time.Millisecond
	}
	if o.Grace == 0 {
		o.Grace = time.Second
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	f := &Follower{o: o, path: path, pos: Position{Path: path}}
	if from == nil || from.Path != path {
		return f, nil
	}
	f.pos = *from
	if ok, err := f.reopen(path); ok || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	return f, f.find(fmt.Sprintf("%s is another file than at the last stop", path))
}

// reopen opens what stands at a path where it is the file of the position.
func (f *Follower) reopen(path string) (bool, error) {
	file, err := openFile(path)
	if err != nil {
		return false, fmt.Errorf("follow: %w", err)
	}
	st, err := file.Stat()
	if err != nil || !f.pos.is(file, st) {
		file.Close()
		return false, err
	}
	f.take(file, path)
	return true, nil
}

// take goes on in an open file.
func (f *Follower) take(file *os.File, name string) {
	f.Close()
	f.f, f.name, f.old, f.buf, f.grown = file, name, name != f.path, nil, time.Now()
}

// find goes on where the file of the position went, or begins anew at the path.
func (f *Follower) find(why string) error {
	if f.pos.Offset > 0 {
		ok, _ := f.among(func(s string) (bool, error) {
			ok, err := f.reopen(s)
			if ok {
				f.o.Say(fmt.Sprintf("%s: going on in %s at byte %d", why, s, f.pos.Offset))
			}
			if !errors.Is(err, fs.ErrNotExist) {
				err = nil // of one that nobody may read it is not known which it is
			}
			return ok, err
		})
		if ok {
			return nil
		}
		f.o.Say(fmt.Sprintf("%s, and what followed its byte %d is not there: beginning anew", why, f.pos.Offset))
	}
	f.begin()
	return nil
}

// openFile is os.Open, but for tests.
var openFile = os.Open

// mostLooks is how often rotated files are listed again because one of them had gone when it was opened.
const mostLooks = 10

// among tries the files that the path may have become, until one is taken. While they are tried the next rotation may
// rename them all: then it begins anew.
func (f *Follower) among(take func(path string) (bool, error)) (taken bool, err error) {
	for range mostLooks {
		gone := false
		for _, s := range siblings(f.path) {
			taken, err = take(s)
			if gone = errors.Is(err, fs.ErrNotExist); gone {
				break
			}
			if taken || err != nil {
				return taken, err
			}
		}
		if !gone {
			return false, nil
		}
	}
	return false, nil
}

// begin goes to the beginning of what stands at the path.
func (f *Follower) begin() {
	f.Close()
	f.f, f.buf, f.begun, f.old = nil, nil, false, false
	f.pos = Position{Path: f.path, Files: f.pos.Files + 1}
}

// Close lets go of the file.
func (f *Follower) Close() error {
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}

// Next is the next records. It waits for them until the context ends; of a file that is read once the end is io.EOF.
func (f *Follower) Next(ctx context.Context) (*Piece, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.f == nil {
			if err := f.open(); err != nil {
				return nil, err
			}
		}
		n := 0
		if f.f != nil {
			var err error
			if n, err = f.fill(); err != nil {
				return nil, err
			}
			if n > 0 && f.replaced() { // after the reading: what was read may be of another content
				if err := f.find(f.name + " was truncated"); err != nil {
					return nil, err
				}
				continue
			}
			if p, err := f.cut(false); p != nil || err != nil {
				return p, err
			}
		}
		if n > 0 {
			continue
		}
		switch p, again, err := f.atEnd(); {
		case p != nil || err != nil:
			return p, err
		case again:
			continue
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(f.o.Poll):
		}
	}
}

// open opens what stands at the path, if anything does.
func (f *Follower) open() error {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) && !f.o.Once {
		return nil
	}
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	st, err := file.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", f.path)
	}
	if err != nil {
		file.Close()
		return fmt.Errorf("follow: %w", err)
	}
	f.take(file, f.path)
	f.pos.Device, f.pos.Inode = identity(st)
	return nil
}

// fill reads what there is, up to a piece.
func (f *Follower) fill() (int, error) {
	want := mostPiece
	if len(f.buf) >= mostPiece { // a long record
		want = mostRecord
	}
	if len(f.buf) >= want {
		return 0, nil
	}
	at := len(f.buf)
	if cap(f.buf) < want {
		left := int64(0) // that is there to be read
		if st, err := f.f.Stat(); err == nil {
			left = max(0, st.Size()-f.pos.Offset-int64(at))
		}
		room := int(min(int64(want), int64(at)+max(left, 1<<16)))
		if cap(f.buf) < room {
			f.buf = append(make([]byte, 0, room), f.buf...)
		}
	}
	n, err := f.f.ReadAt(f.buf[at:min(want, cap(f.buf))], f.pos.Offset+int64(at))
	f.buf = f.buf[:at+n]
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("follow: %w", err)
	}
	if n > 0 {
		f.grown = time.Now()
	}
	return n, nil
}

// cut is the whole records at the beginning of what was read; nil: there is none. At the end of a file all that is left
// is one.
func (f *Follower) cut(end bool) (*Piece, error) {
	if len(f.buf) == 0 {
		return nil, nil
	}
	headless := !f.begun || f.format.FirstLine
	if headless && f.pos.Head == "" && len(f.buf) >= mostRecord && bytes.IndexByte(f.buf, '\n') < 0 {
		return nil, fmt.Errorf("follow: %s: %w", f.name, ErrLine)
	}
	if !f.begun {
		for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ\x00"} {
			if f.pos.Offset == 0 && bytes.HasPrefix(f.buf, []byte(magic)) {
				return nil, fmt.Errorf("follow: %s: %w", f.name, ErrCompressed)
			}
		}
		begin := f.buf
		if f.pos.Head != "" {
			begin = append([]byte(f.pos.Head), f.buf...)
		} else if bytes.IndexByte(f.buf, '\n') < 0 && !end {
			return nil, nil
		}
		var err error
		if f.format, err = f.o.Format(begin); err != nil {
			return nil, fmt.Errorf("follow: %s: %w", f.name, err)
		}
		f.begun = true
	}
	if f.format.FirstLine && f.pos.Head == "" && !f.takeHead(end) {
		return nil, nil
	}
	n := f.records(end)
	if n == 0 {
		return nil, nil
	}
	text := f.buf[:n]
	p := &Piece{Text: text, Head: []byte(f.pos.Head), Name: f.name, Line: f.pos.Line + 1}
	if f.format.Comments {
		f.pos.Head = lastHead(f.pos.Head, text)
	}
	if err := f.advance(text); err != nil {
		return nil, err
	}
	p.After = f.pos
	f.buf = f.buf[n:]
	if len(f.buf) == 0 && cap(f.buf) < mostPiece/2 {
		f.buf = nil
	}
	return p, nil
}

// takeHead takes the first line that is not blank.
func (f *Follower) takeHead(end bool) bool {
	for {
		i := bytes.IndexByte(f.buf, '\n') + 1
		if i == 0 && end {
			i = len(f.buf)
		}
		if i == 0 {
			return false
		}
		line := f.buf[:i]
		if f.advance(line) != nil {
			return false
		}
		f.buf = f.buf[i:]
		if len(bytes.TrimSpace(line)) > 0 {
			f.pos.Head = string(bytes.TrimRight(line, "\r\n")) + "\n"
			return true
		}
	}
}

// records is where the whole records of what was read end. Comments at the end of it are left until a record follows,
// so that none of them is separated from it.
func (f *Follower) records(end bool) int {
	text := f.buf
	n := len(text)
	switch {
	case end:
	case f.format.LastEnd != nil:
		n = f.format.LastEnd(text)
	default:
		n = bytes.LastIndexByte(text, '\n') + 1
	}
	for f.format.Comments && n > 0 && !end {
		start := bytes.LastIndexByte(text[:n-1], '\n') + 1
		if len(bytes.TrimSpace(text[start:n])) > 0 && !bytes.HasPrefix(withoutBOM(text[start:n]), []byte("#")) {
			break
		}
		n = start
	}
	if f.format.Comments && end && !hasRecord(text[:n]) {
		return 0
	}
	if n == 0 && len(text) >= mostRecord { // a record, or comments, without end
		if n = bytes.LastIndexByte(text, '\n') + 1; n == 0 {
			n = len(text)
		}
	}
	return n
}

func withoutBOM(line []byte) []byte { return bytes.TrimPrefix(line, []byte("\ufeff")) }

// hasRecord says whether text has a line that is no comment.
func hasRecord(text []byte) bool {
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) > 0 && !bytes.HasPrefix(withoutBOM(line), []byte("#")) {
			return true
		}
	}
	return false
}

// lastHead is the comments that hold after text: those of the last run with #fields, else those from before.
func lastHead(head string, text []byte) string {
	var run []byte
	fields := false
	for line := range bytes.Lines(text) {
		line = withoutBOM(line)
		if !bytes.HasPrefix(line, []byte("#")) {
			if fields {
				head = string(run)
			}
			run, fields = run[:0], false
			continue
		}
		run = append(run, line...)
		fields = fields || bytes.HasPrefix(line, []byte("#fields"))
	}
	return head
}

// advance goes on by text that begins at the position.
func (f *Follower) advance(text []byte) error {
	f.pos.Offset += int64(len(text))
	f.pos.Line += int64(bytes.Count(text, []byte{'\n'}))
	if n := min(f.pos.Offset, mostPrinted); n > f.pos.Printed && f.f != nil {
		begin := make([]byte, n)
		if _, err := f.f.ReadAt(begin, 0); err != nil {
			return fmt.Errorf("follow: %s: %w", f.name, err)
		}
		sum := sha256.Sum256(begin)
		f.pos.Print, f.pos.Printed = hex.EncodeToString(sum[:]), n
	}
	return nil
}

// replaced says whether the file begins otherwise than it did.
func (f *Follower) replaced() bool {
	return f.pos.Printed > 0 && printOf(f.f, f.pos.Printed) != f.pos.Print
}

// atEnd looks what became of the file when nothing more is in it. again: there may be more at once.
func (f *Follower) atEnd() (p *Piece, again bool, err error) {
	if f.f == nil {
		return nil, false, nil
	}
	st, err := f.f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("follow: %w", err)
	}
	switch {
	case st.Size() < f.pos.Offset || f.replaced():
		return nil, true, f.find(f.name + " was truncated")
	case st.Size() > f.pos.Offset+int64(len(f.buf)):
		return nil, true, nil
	case f.o.Once && !f.old:
		if p, err := f.cut(true); p != nil || err != nil {
			return p, false, err
		}
		return nil, false, io.EOF
	}
	now, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("follow: %w", err)
	case os.SameFile(st, now):
		return nil, false, nil
	case !f.o.Once && !f.old && time.Since(f.grown) < f.o.Grace:
		return nil, false, nil
	}
	if p, err := f.cut(true); p != nil || err != nil { // the last line may lack its end
		return p, false, err
	}
	return nil, true, f.later(st)
}

// later goes on to the file that was written after one that was read to its end.
func (f *Follower) later(done os.FileInfo) error {
	f.o.Say(fmt.Sprintf("%s was rotated: all of it was read", f.path))
	taken, err := f.among(func(s string) (bool, error) {
		later := func(st os.FileInfo) bool { return !os.SameFile(st, done) && st.ModTime().After(done.ModTime()) }
		st, err := os.Stat(s)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return false, err
		case err != nil || !later(st):
			return false, nil
		}
		file, err := openFile(s)
		if err != nil {
			return false, fmt.Errorf("follow: %w", err)
		}
		if st, err = file.Stat(); err != nil || !later(st) { // another one was given the name meanwhile
			file.Close()
			return false, errors.Join(err, fs.ErrNotExist)
		}
		f.begin()
		f.take(file, s)
		f.pos.Device, f.pos.Inode = identity(st)
		return true, nil
	})
	if !taken && err == nil {
		f.begin()
	}
	return err
}
