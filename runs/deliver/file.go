package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"plumbline/runs/alerts"
)

// encode is alerts as lines.
func encode(list []alerts.Alert, layout string) ([]byte, error) {
	var out []byte
	for i := range list {
		line, err := list[i].Encode(layout)
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

// writer is standard output.
type writer struct {
	out    io.Writer
	layout string
}

func (w *writer) Send(_ context.Context, list []alerts.Alert) (int, error) {
	text, err := encode(list, w.layout)
	if err == nil {
		_, err = w.out.Write(text)
	}
	if err != nil {
		return 0, err
	}
	return len(list), nil
}

func (w *writer) Close() error { return nil }

// file is a file that lines are appended to. A log rotation may rename it: the next alerts are in a new one.
type file struct {
	path, layout string
	f            *os.File
}

// marked is a sink that knows how far it has come itself.
type marked interface {
	// mark says how far the sink is after a Send.
	mark() string
	// resume is told the mark that was noted last, and gives what is in the sink after it.
	resume(mark string) ([]byte, error)
}

// open opens the file anew where another one has its name.
func (f *file) open() error {
	now, err := os.Stat(f.path)
	if f.f != nil {
		if own, ownErr := f.f.Stat(); err == nil && ownErr == nil && os.SameFile(own, now) {
			return nil
		}
		f.f.Close()
		f.f = nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.f, err = os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	return err
}

// Send appends lines, all or none.
func (f *file) Send(_ context.Context, list []alerts.Alert) (int, error) {
	text, err := encode(list, f.layout)
	if err != nil {
		return 0, err
	}
	if err := f.open(); err != nil {
		return 0, err
	}
	st, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	if _, err := f.f.Write(text); err != nil {
		if st.Mode().IsRegular() {
			f.f.Truncate(st.Size()) // half a line would spoil the next one
		}
		return 0, err
	}
	return len(list), nil
}

// mark is the size of the file.
func (f *file) mark() string {
	st, err := f.f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return ""
	}
	return fmt.Sprint(st.Size())
}

// mostLooked bounds what is looked at of a file: one batch of alerts is far smaller.
const mostLooked = 64 << 20

// resume is what was written after the mark, and takes out half a line at its end. A file that is shorter than the mark
// is another one: all of it is looked at.
func (f *file) resume(mark string) ([]byte, error) {
	if err := f.open(); err != nil {
		return nil, err
	}
	st, err := f.f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return nil, err
	}
	var from int64
	fmt.Sscan(mark, &from)
	if from > st.Size() {
		from = 0
	}
	from = max(from, st.Size()-mostLooked)
	rest := make([]byte, st.Size()-from)
	if _, err := f.f.ReadAt(rest, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if end := bytes.LastIndexByte(rest, '\n') + 1; end < len(rest) {
		if err := f.f.Truncate(from + int64(end)); err != nil {
			return nil, err
		}
		rest = rest[:end]
	}
	return rest, nil
}

func (f *file) Close() error {
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}
