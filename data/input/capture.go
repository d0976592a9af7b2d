package input

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// Capture is an open packet capture. Reading gives its content, uncompressed.
type Capture struct {
	io.Reader
	Size int64 // bytes on disk, 0 where that is not known

	file  *os.File
	done  atomic.Int64
	close func()
}

// OpenCapture opens a packet capture, compressed or not; "-" is the standard input. The content is not looked at, and
// there is no sum of it.
func OpenCapture(path string) (*Capture, error) {
	c := &Capture{file: os.Stdin}
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		st, err := f.Stat()
		if err == nil && st.IsDir() {
			err = fmt.Errorf("%s is a folder", path)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("data: %w", err)
		}
		c.file = f
		if st.Mode().IsRegular() {
			c.Size = st.Size()
		}
	}
	in := &Input{Size: c.Size, close: func() {}}
	unpacked, err := in.unpack(bufio.NewReaderSize(captureFile{c}, bufferSize))
	if err != nil {
		c.file.Close()
		return nil, fmt.Errorf("data: %s: %w", path, err)
	}
	c.Reader, c.close = unpacked, in.close
	return c, nil
}

// captureFile counts what is read of the file.
type captureFile struct{ c *Capture }

func (f captureFile) Read(p []byte) (int, error) {
	n, err := f.c.file.Read(p)
	f.c.done.Add(int64(n))
	return n, err
}

// Done is how many bytes of the file on disk were read. It may be called while others read.
func (c *Capture) Done() int64 { return c.done.Load() }

// Close closes the file.
func (c *Capture) Close() error {
	c.close()
	return c.file.Close()
}
