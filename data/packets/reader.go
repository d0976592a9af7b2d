package packets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// File is one capture of a stream.
type File struct {
	Name string // for messages
	Open func() (io.ReadCloser, error)
}

// Frame is one frame of a capture.
type Frame struct {
	Time   int64 // nanoseconds since 1970
	Number uint64
	Link   Link
	Wire   uint32 // bytes on the wire
	Data   []byte // what was captured; valid until the frame's window is released
	File   int    // which file it is from
	Window *Window
}

// Window is a piece of a capture in memory, which frames are slices of. Who keeps frames longer than until the next one
// retains their windows.
type Window struct {
	buf  []byte
	refs atomic.Int32
}

const (
	windowSize  = 1 << 20
	maxFrame    = 16 << 20 // bytes of one record that are believed
	usualFrame  = 1 << 18  // the longest that libpcap writes where a capture says nothing else
	maxWarnings = 20
)

var windows = sync.Pool{New: func() any { return &Window{buf: make([]byte, windowSize)} }}

func newWindow(size int) *Window {
	w := windows.Get().(*Window)
	if size > len(w.buf) {
		windows.Put(w)
		w = &Window{buf: make([]byte, size)}
	}
	w.refs.Store(1)
	return w
}

// Size is how many bytes of memory the window takes.
func (w *Window) Size() int { return len(w.buf) }

// Retain keeps the window until it is released once more.
func (w *Window) Retain() { w.refs.Add(1) }

// Release lets go of the window; the last one gives its memory back.
func (w *Window) Release() {
	if w.refs.Add(-1) == 0 && len(w.buf) == windowSize {
		windows.Put(w)
	}
}

// Reader reads captures, pcap and pcapng, one after the other as one stream of frames.
type Reader struct {
	// Warnings are what there is to say about the files, one line each: cut off, damaged.
	Warnings []string
	// Cut is how many files end in the middle of a record.
	Cut int

	files  []File
	file   int // the one that is open, or the next
	in     io.ReadCloser
	win    *Window
	at, to int // what is read of the window and not yet used
	eof    bool
	number uint64
	last   int64 // time of the frame before
	format recordReader
}

// recordReader reads the records of one format. next gives io.EOF at the end of the file.
type recordReader interface {
	next(r *Reader, f *Frame) error
}

// NewReader is a reader of these files in this order.
func NewReader(files []File) *Reader { return &Reader{files: files} }

// errCut says that a file ends within a record.
var errCut = errors.New("the file is cut off within a record")

// Next reads the next frame, or io.EOF after the last one. A file that ends in the middle of a record, or goes on with
// what cannot be one, is a warning, and the next file is read; a file that is no capture is an error.
func (r *Reader) Next(f *Frame) error {
	for {
		if r.in == nil {
			if r.file == len(r.files) {
				return io.EOF
			}
			if err := r.open(); err != nil {
				return err
			}
		}
		err := r.format.next(r, f)
		if err == nil {
			r.number++
			f.Number, f.File, f.Window = r.number, r.file, r.win
			r.last = f.Time
			return nil
		}
		name := r.files[r.file].Name
		if !errors.Is(err, io.EOF) {
			if broken := (*readError)(nil); errors.As(err, &broken) {
				return fmt.Errorf("%s: %w", name, broken.err)
			}
			r.Cut++
			r.warn("%s: %v, after %d frames of the stream: the rest of the file is left out", name, err, r.number)
		}
		r.closeFile()
	}
}

// readError is what the system or the decompressor says.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (r *Reader) warn(format string, args ...any) {
	if len(r.Warnings) < maxWarnings {
		r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
	}
}

func (r *Reader) open() error {
	f := r.files[r.file]
	in, err := f.Open()
	if err != nil {
		return err
	}
	r.in, r.eof, r.at, r.to = in, false, 0, 0
	if r.win != nil {
		r.win.Release()
	}
	r.win = newWindow(windowSize)
	head, err := r.peek(4)
	if err == nil {
		r.format, err = formatOf(head)
	}
	if err == nil {
		err = r.begin()
	}
	if err != nil {
		r.closeFile()
		if errors.Is(err, io.EOF) || errors.Is(err, errCut) {
			err = errors.New("no capture: the file is empty or ends within its header")
		}
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}

func (r *Reader) begin() error {
	if p, ok := r.format.(*pcap); ok {
		return p.header(r)
	}
	return nil
}

// formatOf tells the format by the first four bytes.
func formatOf(head []byte) (recordReader, error) {
	le, be := binary.LittleEndian.Uint32(head), binary.BigEndian.Uint32(head)
	for order, magic := range map[binary.ByteOrder]uint32{binary.LittleEndian: le, binary.BigEndian: be} {
		switch magic {
		case 0xa1b2c3d4:
			return &pcap{order: order, unit: 1000, record: 16}, nil
		case 0xa1b23c4d:
			return &pcap{order: order, unit: 1, record: 16}, nil
		case 0xa1b2cd34: // with further fields after the lengths, by a patch to libpcap
			return &pcap{order: order, unit: 1000, record: 24}, nil
		}
	}
	if be == blockSection {
		return &pcapng{}, nil
	}
	return nil, errors.New("no packet capture: neither pcap nor pcapng")
}

// Close closes the file that is open.
func (r *Reader) Close() {
	if r.in != nil {
		r.closeFile()
	}
	if r.win != nil {
		r.win.Release()
		r.win = nil
	}
}

func (r *Reader) closeFile() {
	r.in.Close()
	r.in, r.format = nil, nil
	r.file++
}

// peek gives the next n bytes without using them up: io.EOF where there is none, errCut where there are fewer.
func (r *Reader) peek(n int) ([]byte, error) {
	if r.to-r.at < n {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	return r.win.buf[r.at : r.at+n], nil
}

// take is peek, and uses them up.
func (r *Reader) take(n int) ([]byte, error) {
	b, err := r.peek(n)
	r.at += len(b)
	return b, err
}

// fill reads until n bytes are there. What frames were cut from stays as it is: the rest moves to another window.
func (r *Reader) fill(n int) error {
	if r.at+n > len(r.win.buf) {
		w := newWindow(max(n, windowSize))
		r.to = copy(w.buf, r.win.buf[r.at:r.to])
		r.at = 0
		r.win.Release()
		r.win = w
	}
	for r.to-r.at < n && !r.eof {
		k, err := r.in.Read(r.win.buf[r.to:])
		r.to += k
		switch {
		case errors.Is(err, io.EOF):
			r.eof = true
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errCut // the compressed file
		case err != nil:
			return &readError{err}
		}
	}
	switch have := r.to - r.at; {
	case have >= n:
		return nil
	case have == 0:
		return io.EOF
	}
	return errCut
}

// skip passes over n bytes.
func (r *Reader) skip(n int) error {
	for n > 0 {
		k := min(n, windowSize/2)
		if _, err := r.take(k); err != nil {
			if errors.Is(err, io.EOF) {
				err = errCut
			}
			return err
		}
		n -= k
	}
	return nil
}
