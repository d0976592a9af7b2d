package nfcapd

import (
	"errors"
	"fmt"
	"slices"
)

var (
	errLZOShort    = errors.New("the stream ends early")
	errLZODistance = errors.New("a match reaches to before the content")
)

// lzoStream decodes one LZO1X stream: runs of literals and matches with what came before, up to 48 KiB back. The
// two low bits of a match say how many literals follow it, which in turn decides what the smallest instructions
// mean (Linux, Documentation/staging/lzo.rst).
type lzoStream struct {
	in  []byte
	at  int
	out []byte
	max int
}

// unpackLZO decompresses an LZO1X stream into at most max bytes.
func unpackLZO(in []byte, max int) ([]byte, error) {
	s := &lzoStream{in: in, max: max}
	if err := s.decode(); err != nil {
		return nil, fmt.Errorf("byte %d: %w", s.at, err)
	}
	return s.out, nil
}

func (s *lzoStream) decode() error {
	trailing := 0 // literals after the last instruction; 4 stands for a long run
	if len(s.in) > 0 && s.in[0] > 17 {
		n := int(s.in[0]) - 17
		s.at++
		if err := s.literals(n); err != nil {
			return err
		}
		trailing = min(n, 4)
	}
	for {
		c, err := s.next()
		if err != nil {
			return err
		}
		var length, distance, low int
		switch {
		case c >= 64:
			h, err := s.next()
			if err != nil {
				return err
			}
			length, distance, low = c>>5+1, h<<3+(c>>2&7)+1, c
		case c >= 16:
			mask := 31
			if c < 32 {
				mask = 7
			}
			if length, err = s.length(c&mask, mask); err != nil {
				return err
			}
			a, err := s.next()
			if err != nil {
				return err
			}
			b, err := s.next()
			if err != nil {
				return err
			}
			length, distance, low = length+2, (b<<8|a)>>2+1, a
			if c < 32 {
				distance += 1<<14 - 1 + c&8<<11
				if distance == 1<<14 {
					return nil // the end
				}
			}
		case trailing == 0:
			if length, err = s.length(c, 15); err == nil {
				err = s.literals(length + 3)
			}
			if err != nil {
				return err
			}
			trailing = 4
			continue
		default:
			h, err := s.next()
			if err != nil {
				return err
			}
			length, distance, low = 2, h<<2+c>>2+1, c
			if trailing == 4 {
				length, distance = 3, distance+2048
			}
		}
		if err := s.match(distance, length); err != nil {
			return err
		}
		trailing = low & 3
		if err := s.literals(trailing); err != nil {
			return err
		}
	}
}

func (s *lzoStream) next() (int, error) {
	if s.at >= len(s.in) {
		return 0, errLZOShort
	}
	s.at++
	return int(s.in[s.at-1]), nil
}

// length is a length of few bits, or where those are 0 one that goes on in the bytes that follow.
func (s *lzoStream) length(bits, most int) (int, error) {
	if bits > 0 {
		return bits, nil
	}
	n := most
	for {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		if c > 0 {
			return n + c, nil
		}
		if n += 255; n > s.max {
			return 0, tooLarge(s.max)
		}
	}
}

func (s *lzoStream) literals(n int) error {
	switch {
	case n > len(s.in)-s.at:
		return errLZOShort
	case len(s.out)+n > s.max:
		return tooLarge(s.max)
	}
	s.out = append(s.out, s.in[s.at:s.at+n]...)
	s.at += n
	return nil
}

// match repeats length bytes from distance bytes back; the two may overlap.
func (s *lzoStream) match(distance, length int) error {
	from := len(s.out) - distance
	switch {
	case from < 0:
		return errLZODistance
	case len(s.out)+length > s.max:
		return tooLarge(s.max)
	}
	s.out = slices.Grow(s.out, length)
	for i := range length {
		s.out = append(s.out, s.out[from+i])
	}
	return nil
}
