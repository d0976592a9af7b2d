package rows

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"plumbline/data"
	"plumbline/data/value"
)

func (s *ColumnChunk) Cell(tf *TextFormat, i int, cell []byte) error {
	missing := tf.isMissing(cell)
	switch {
	case s.Num != nil:
		return s.number(tf, cell, missing, tf.Specs[i].Type == "port")
	case s.Nanos != nil:
		v, err := int64(data.NoTime), error(nil)
		if !missing {
			v, err = tf.Times.Parse(cell)
		}
		if err != nil {
			return err
		}
		s.Nanos = append(s.Nanos, v)
	case missing:
		s.Code = append(s.Code, data.Missing)
	default:
		id, ok := s.ids[string(cell)]
		if !ok {
			text, err := tf.text(cell)
			if err != nil {
				return err
			}
			id = uint32(len(s.names))
			s.ids[string(cell)] = id
			s.names = append(s.names, text)
		}
		s.Code = append(s.Code, id)
	}
	return nil
}

func (s *ColumnChunk) number(tf *TextFormat, cell []byte, missing, port bool) error {
	v := nan
	if port && len(cell) == 1 && cell[0] == '-' {
		missing = true
	}
	if !missing {
		var err error
		if v, err = tf.Numbers.Number(cell); err != nil && port {
			v, err = value.Hex(cell)
		}
		if err != nil {
			return fmt.Errorf("%q is not a number", Clip(cell))
		}
		if !value.Finite(v) {
			if !tf.Infinite {
				return fmt.Errorf(
					"%q is not finite (options.nonfinite: missing takes such cells as missing)",
					Clip(cell),
				)
			}
			v = nan
		}
	}
	s.Num = append(s.Num, v)
	return nil
}

func (tf *TextFormat) isMissing(cell []byte) bool {
	for _, m := range tf.Missing {
		if bytes.Equal(cell, m) {
			return true
		}
	}
	return false
}

// text is a cell as UTF-8.
func (tf *TextFormat) text(cell []byte) (string, error) {
	if tf.Latin1 {
		return fromLatin1(cell), nil
	}
	if !utf8.Valid(cell) {
		return "", fmt.Errorf("%q is not UTF-8 (options.encoding: latin-1 reads it)", Clip(cell))
	}
	return string(cell), nil
}

// fromLatin1 reads Windows-1252, which agrees with ISO 8859-1 but for 0x80 to 0x9f.
func fromLatin1(cell []byte) string {
	const high = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	table := []rune(high)
	out := make([]rune, len(cell))
	for i, b := range cell {
		if out[i] = rune(b); b >= 0x80 && b < 0xa0 {
			out[i] = table[b-0x80]
		}
	}
	return string(out)
}

func Clip(cell []byte) []byte {
	if len(cell) > 60 {
		return cell[:60]
	}
	return cell
}
