package value

import "bytes"

// Notation is how a source writes its numbers, where it is not the plain one. The zero Notation is the plain one.
type Notation struct {
	Decimal   byte // decimal mark; 0: the point
	Thousands byte // what groups digits by three; 0: nothing
	Units     bool // K, M, G, T (powers of 1,000) or % may follow a number; % changes nothing
}

// Plain says whether numbers are read as they stand.
func (n Notation) Plain() bool { return n == Notation{} }

var units = map[byte]float64{'k': 1e3, 'K': 1e3, 'm': 1e6, 'M': 1e6, 'g': 1e9, 'G': 1e9, 't': 1e12, 'T': 1e12, '%': 1}

// Number reads a number in the notation. Groups of digits that do not hold three are no number.
func (n Notation) Number(b []byte) (float64, error) {
	if n.Plain() {
		return Number(b)
	}
	factor := 1.0
	if n.Units && len(b) > 1 {
		if f, ok := units[b[len(b)-1]]; ok {
			factor = f
			b = bytes.TrimRight(b[:len(b)-1], " ")
		}
	}
	decimal := n.Decimal
	if decimal == 0 {
		decimal = '.'
	}
	whole, fraction, has := bytes.Cut(b, []byte{decimal})
	if decimal != '.' && bytes.IndexByte(b, '.') >= 0 && n.Thousands != '.' {
		return 0, ErrNotNumber
	}
	if n.Thousands != 0 && bytes.IndexByte(whole, n.Thousands) >= 0 {
		groups := bytes.Split(whole, []byte{n.Thousands})
		first := bytes.TrimLeft(groups[0], "+-")
		if len(first) == 0 || len(first) > 3 {
			return 0, ErrNotNumber
		}
		for _, g := range groups[1:] {
			if len(g) != 3 {
				return 0, ErrNotNumber
			}
		}
		whole = bytes.Join(groups, nil)
	}
	plain := whole
	if has {
		plain = append(append(bytes.Clone(whole), '.'), fraction...)
	}
	v, err := Number(plain)
	return v * factor, err
}
