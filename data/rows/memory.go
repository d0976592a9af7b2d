package rows

import (
	"errors"
	"fmt"

	"plumbline/data"
)

// ErrMemory says that a table does not fit the memory that it may take.
var ErrMemory = errors.New("not enough memory")

// likely is how many rows all the text holds, if the rest is like what was read; 0: not known.
func (b *Builder) likely(p *Chunk) float64 {
	text := b.taken + int64(p.text)
	if b.Expected <= text || text == 0 {
		return 0
	}
	return float64(b.Rows+len(p.Lines)) / float64(text) * float64(b.Expected)
}

// fits says whether the table can be held with the next chunk, and with what is likely to follow it. Rows of other
// lengths may follow, so that a little more than the limit is let pass until it is there.
func (b *Builder) fits(p *Chunk) error {
	if b.Memory <= 0 {
		return nil
	}
	row := int64(4 + 1) // line and part
	for _, s := range b.specs {
		switch {
		case b.role(s.Name) == dropped:
		case s.Type.ColumnType() == data.Number || s.Type.ColumnType() == data.Time:
			row += 8
		default:
			row += 4
		}
	}
	const margin = 1.25
	rows, most := b.likely(p), float64(b.Memory)*margin
	if rows == 0 {
		rows, most = float64(b.Rows+len(p.Lines)), float64(b.Memory)
	}
	if rows*float64(row) <= most {
		return nil
	}
	return fmt.Errorf("%w: the table of some %.0f rows, %d bytes each, takes %.3g MB, and %.3g MB may be used (--memory)",
		ErrMemory, rows, row, rows*float64(row)/1e6, float64(b.Memory)/1e6)
}
