package columnar

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"plumbline/data/parquet"
	"plumbline/data/rows"
	"plumbline/data/value"
)

// parquetColumn turns one column of one row group into table values.
type parquetColumn struct {
	tf     *rows.TextFormat
	at     int // of the column in tf.specs
	column *parquet.Column
	number int // of the column in the file
	rows   int
	skip   bool

	columnChunk rows.ColumnChunk
	good        []bool           // rows whose value can be read; nil: all; chunk has a missing one in place of others
	bad         []badValue       // the first of those others
	err         error            // why the column cannot be read at all
	text        []byte           // room for one value
	cache       rows.ColumnChunk // dictionary entries that were turned already
	known       []bool           // which those are
}

// badValue is why the value of a row (from 0) cannot be read.
type badValue struct {
	row int
	why error
}

// exactRows is the row group up to which a column gets its room at once, rather than as it grows.
const exactRows = 1 << 20

// exactPages is into how many pages as large as the first the rows of such a group are likely to be cut, at most: a
// group that claims more is made room for as its pages come.
const exactPages = 256

func (c *parquetColumn) read(ctx context.Context, file *parquet.File, group int) {
	if c.skip {
		return
	}
	kind := c.tf.Specs[c.at].Type
	c.columnChunk = rows.NewColumnChunk(kind, 0)
	var dict *parquet.Values
	row := 0
	c.err = file.Read(ctx, group, c.number, func(p *parquet.Page) error {
		if row == 0 && c.rows <= exactRows && c.rows/exactPages <= p.Rows {
			c.columnChunk = rows.NewColumnChunk(kind, c.rows)
		}
		if p.Dict != nil && p.Dict != dict {
			dict = p.Dict
			c.cache, c.known = rows.NewColumnChunk(kind, dict.Len()), make([]bool, dict.Len())
		}
		c.page(p, row)
		row += p.Rows
		return nil
	})
}

func (c *parquetColumn) page(p *parquet.Page, row int) {
	k := 0 // of the values that are there
	for i := range p.Rows {
		if p.Valid != nil && !p.Valid[i] {
			c.columnChunk.Miss()
			continue
		}
		var err error
		if p.Dict != nil {
			err = c.entry(p.Dict, int(p.Index[k]))
		} else {
			err = c.value(&p.Values, k)
		}
		if k++; err != nil {
			c.columnChunk.Miss()
			if c.good == nil {
				c.good = slices.Repeat([]bool{true}, c.rows)
			}
			c.good[row+i] = false
			if len(c.bad) < rows.MaxExamples {
				c.bad = append(c.bad, badValue{row + i, err})
			}
		}
	}
}

// entry adds entry i of a dictionary, which is turned into a value when it first occurs, so that texts get
// their codes in the order of the rows.
func (c *parquetColumn) entry(dict *parquet.Values, i int) error {
	s, k := &c.columnChunk, &c.cache
	if c.known[i] {
		switch {
		case s.Num != nil:
			s.Num = append(s.Num, k.Num[i])
		case s.Nanos != nil:
			s.Nanos = append(s.Nanos, k.Nanos[i])
		default:
			s.Code = append(s.Code, k.Code[i])
		}
		return nil
	}
	if err := c.value(dict, i); err != nil {
		return err
	}
	c.known[i] = true
	switch {
	case s.Num != nil:
		k.Num = k.Num[:cap(k.Num)]
		k.Num[i] = s.Num[len(s.Num)-1]
	case s.Nanos != nil:
		k.Nanos = k.Nanos[:cap(k.Nanos)]
		k.Nanos[i] = s.Nanos[len(s.Nanos)-1]
	default:
		k.Code = k.Code[:cap(k.Code)]
		k.Code[i] = s.Code[len(s.Code)-1]
	}
	return nil
}

// value adds one value to the columnChunk: numbers and times as they are, everything else by its text.
func (c *parquetColumn) value(v *parquet.Values, i int) error {
	s := &c.columnChunk
	switch {
	case s.Num != nil && (v.Bytes == nil || c.column.Logical == parquet.Float16):
		x, err := c.float(v, i)
		if err == nil && !value.Finite(x) {
			if !c.tf.Infinite {
				return fmt.Errorf("%v is not finite (options.nonfinite: missing takes such values as missing)", x)
			}
			s.Miss()
			return nil
		}
		if err == nil {
			s.Num = append(s.Num, x)
		}
		return err
	case s.Nanos != nil && c.instants():
		t, err := c.instant(v, i)
		if err == nil {
			s.Nanos = append(s.Nanos, t)
		}
		return err
	case s.Nanos != nil && c.column.Logical == parquet.TimeOfDay:
		return errors.New("a time of day is no point in time")
	}
	var err error
	if c.text, err = c.appendText(c.text[:0], v, i); err != nil {
		return err
	}
	return s.Cell(c.tf, c.at, bytes.TrimSpace(c.text))
}

// instants says whether the column holds points in time.
func (c *parquetColumn) instants() bool {
	return c.column.Logical == parquet.Timestamp || c.column.Logical == parquet.Date ||
		c.column.Physical == parquet.Int96
}

// float is a value that is kept as an integer or a float. Times of day and points in time are in seconds.
func (c *parquetColumn) float(v *parquet.Values, i int) (float64, error) {
	switch {
	case c.column.Logical == parquet.Float16:
		return float16(binary.LittleEndian.Uint16(v.Bytes[i])), nil
	case v.Floats != nil:
		return v.Floats[i], nil
	}
	x := v.Ints[i]
	switch c.column.Logical {
	case parquet.Unsigned:
		return float64(uint64(x)), nil
	case parquet.TimeOfDay, parquet.Timestamp:
		return float64(x) / (1e9 / float64(c.column.Unit)), nil
	case parquet.Date:
		return float64(x) * 86400, nil
	case parquet.Decimal:
		if scale := c.column.Scale; scale < len(value.Pow10) && x > -1<<53 && x < 1<<53 {
			return float64(x) / value.Pow10[scale], nil
		}
		return strconv.ParseFloat(string(decimal(nil, big.NewInt(x), c.column.Scale)), 64)
	}
	return float64(x), nil
}

// Texts calls look with the text of each value that is there and can be read, and paged with the rows of each page
// after it, whose error ends the reading.
func (f *Field) Texts(file *parquet.File, look func(text string), paged func(rows int) error) error {
	c := &parquetColumn{column: &file.Columns[f.column]}
	for group := range file.Groups {
		err := file.Read(context.Background(), group, f.column, func(p *parquet.Page) error {
			k := 0
			for i := range p.Rows {
				if p.Valid != nil && !p.Valid[i] {
					continue
				}
				v, at := &p.Values, k
				if p.Dict != nil {
					v, at = p.Dict, int(p.Index[k])
				}
				k++
				var err error
				if c.text, err = c.appendText(c.text[:0], v, at); err == nil { // reading counts the others
					look(string(c.text))
				}
			}
			return paged(p.Rows)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// float16 is the IEEE 754 number of 16 bits: sign, 5 bits of exponent with bias 15, 10 bits of fraction.
func float16(b uint16) float64 {
	exp, frac := int(b>>10&31), float64(b&1023)
	var x float64
	switch {
	case exp == 0:
		x = math.Ldexp(frac, -24)
	case exp < 31:
		x = math.Ldexp(1024+frac, exp-25)
	case frac == 0:
		x = math.Inf(1)
	default:
		return math.NaN()
	}
	if b>>15 != 0 {
		x = -x
	}
	return x
}

const day = 86400 * int64(time.Second)

// instant is a point in time, in nanoseconds since 1970. A time without a zone counts as UTC.
func (c *parquetColumn) instant(v *parquet.Values, i int) (int64, error) {
	var count, unit, rest int64
	switch {
	case c.column.Physical == parquet.Int96: // nanoseconds of the day, then the Julian day
		b := v.Bytes[i]
		count, unit, rest = int64(
			int32(binary.LittleEndian.Uint32(b[8:])),
		)-2440588, day, int64(
			binary.LittleEndian.Uint64(b),
		)
		if rest < 0 || rest > day {
			return 0, fmt.Errorf("%d nanoseconds of a day", rest)
		}
	case c.column.Logical == parquet.Date:
		count, unit = v.Ints[i], day
	default:
		count, unit = v.Ints[i], int64(c.column.Unit)
	}
	// a day less than what fits leaves room for rest, and for NoTime
	if most := (math.MaxInt64 - day) / unit; count > most || count < -most {
		return 0, fmt.Errorf("the time is out of range: want years 1678 to 2261")
	}
	return count*unit + rest, nil
}

// appendText appends a value as a person writes it; truth values are 0 and 1, as in the other formats.
func (c *parquetColumn) appendText(b []byte, v *parquet.Values, i int) ([]byte, error) {
	switch {
	case c.column.Logical == parquet.Float16:
		x, _ := c.float(v, i)
		return appendFloat(b, x, 32), nil
	case v.Floats != nil && c.column.Physical == parquet.Float:
		return appendFloat(b, v.Floats[i], 32), nil
	case v.Floats != nil:
		return appendFloat(b, v.Floats[i], 64), nil
	case c.instants():
		t, err := c.instant(v, i)
		if err != nil {
			return b, err
		}
		if c.column.Logical == parquet.Date {
			return time.Unix(0, t).UTC().AppendFormat(b, time.DateOnly), nil
		}
		return time.Unix(0, t).UTC().AppendFormat(b, time.RFC3339Nano), nil
	case c.column.Logical == parquet.Decimal:
		n := new(big.Int)
		if v.Ints != nil {
			n.SetInt64(v.Ints[i])
		} else if err := twosComplement(n, v.Bytes[i]); err != nil {
			return b, err
		}
		return decimal(b, n, c.column.Scale), nil
	case c.column.Logical == parquet.TimeOfDay:
		x := v.Ints[i]
		if x < 0 || x > day/int64(c.column.Unit) {
			return b, fmt.Errorf("%d is no time of a day", x)
		}
		return time.Unix(0, x*int64(c.column.Unit)).UTC().AppendFormat(b, "15:04:05.999999999"), nil
	case c.column.Logical == parquet.UUID:
		x := hex.EncodeToString(v.Bytes[i])
		return append(b, x[:8]+"-"+x[8:12]+"-"+x[12:16]+"-"+x[16:20]+"-"+x[20:]...), nil
	case c.column.Logical == parquet.Unsigned:
		return strconv.AppendUint(b, uint64(v.Ints[i]), 10), nil
	case v.Ints != nil:
		return strconv.AppendInt(b, v.Ints[i], 10), nil
	}
	if !utf8.Valid(v.Bytes[i]) {
		return b, fmt.Errorf("%q is not UTF-8 text (drop leaves a column of binary data out)", rows.Clip(v.Bytes[i]))
	}
	return append(b, v.Bytes[i]...), nil
}

// appendFloat writes the shortest decimal that reads back as the same number, without an exponent where a
// person would not use one.
func appendFloat(b []byte, x float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(x); a >= 1e15 || a < 1e-6 && a > 0 {
		format = 'g'
	}
	return strconv.AppendFloat(b, x, format, -1, bits)
}

// twosComplement sets n to a big-endian integer.
func twosComplement(n *big.Int, b []byte) error {
	if len(b) > 64 {
		return fmt.Errorf("a decimal of %d bytes", len(b))
	}
	n.SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return nil
}

// decimal appends n · 10^−scale.
func decimal(b []byte, n *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(n).String()
	if n.Sign() < 0 {
		b = append(b, '-')
	}
	if scale == 0 {
		return append(b, digits...)
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-scale], digits[len(digits)-scale:]
	return append(append(append(b, whole...), '.'), part...)
}
