package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Reader reads whole records of what a program writes as it writes them. It is not safe for concurrent use.
type Reader struct {
	cutter Follower
	chunks chan chunk
	ended  error // of the input
}

type chunk struct {
	text []byte
	err  error
}

// readSize is how much is read at a time.
const readSize = 1 << 16

// NewReader reads from in, on a goroutine of its own that ends with the input. It reads at most two chunks ahead, so
// that who writes waits for who reads.
func NewReader(in io.Reader, format func(begin []byte) (Format, error)) *Reader {
	r := &Reader{cutter: Follower{o: Options{Format: format}, name: "standard input"}, chunks: make(chan chunk, 1)}
	go func() {
		for {
			buf := make([]byte, readSize)
			n, err := in.Read(buf)
			r.chunks <- chunk{buf[:n], err}
			if err != nil {
				return
			}
		}
	}()
	return r
}

// Next is the next records. The error is io.EOF at the end of the input.
func (r *Reader) Next(ctx context.Context) (*Piece, error) {
	f := &r.cutter
	for {
		if p, err := f.cut(r.ended != nil); p != nil || err != nil {
			return p, err
		}
		if r.ended != nil {
			if errors.Is(r.ended, io.EOF) {
				return nil, io.EOF
			}
			return nil, fmt.Errorf("follow: %w", r.ended)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case c := <-r.chunks:
			f.buf = append(f.buf[:len(f.buf):len(f.buf)], c.text...)
			r.ended = c.err
		}
	}
}
