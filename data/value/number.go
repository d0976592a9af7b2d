package value

import (
	"errors"
	"math"
	"strconv"
	"unsafe"
)

// ErrNotNumber is the error of a text that is no number.
var ErrNotNumber = errors.New("not a number")

// Pow10 are the powers of ten that float64 holds exactly.
var Pow10 = [...]float64{
	1e0,
	1e1,
	1e2,
	1e3,
	1e4,
	1e5,
	1e6,
	1e7,
	1e8,
	1e9,
	1e10,
	1e11,
	1e12,
	1e13,
	1e14,
	1e15,
	1e16,
	1e17,
	1e18,
	1e19,
	1e20,
	1e21,
	1e22,
}

// Number is strconv.ParseFloat, fast for plain decimals: a mantissa below 2^53 divided by a power of
// ten up to 10^22 is correctly rounded (Clinger 1990), and everything else goes the long way. Only decimal
// notation counts: no hexadecimal, no underscores. Infinity and NaN come back as they are.
func Number(b []byte) (float64, error) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	var m uint64
	digits, point := 0, -1
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits > 18 {
				return parseSlow(b)
			}
			m = m*10 + uint64(c-'0')
		case c == '.' && point < 0:
			point = digits
		default:
			return parseSlow(b)
		}
	}
	if digits == 0 {
		return 0, ErrNotNumber
	}
	if m >= 1<<53 {
		return parseSlow(b)
	}
	v := float64(m)
	if point >= 0 {
		v /= Pow10[digits-point]
	}
	if neg {
		v = -v
	}
	return v, nil
}

func parseSlow(b []byte) (float64, error) {
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' || c == 'p' || c == 'P' {
			return 0, ErrNotNumber
		}
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, ErrNotNumber
	}
	return v, nil
}

// Hex reads a number of the form 0x1f.
func Hex(b []byte) (float64, error) {
	if len(b) < 3 || b[0] != '0' || b[1] != 'x' && b[1] != 'X' {
		return 0, ErrNotNumber
	}
	v, err := strconv.ParseUint(string(b[2:]), 16, 32)
	if err != nil {
		return 0, ErrNotNumber
	}
	return float64(v), nil
}

// Finite says whether a number is neither infinite nor NaN.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
