package rows

import "plumbline/data"

// Block is rows of a file in their order: the columns that are kept as a table, whose levels are the block's own, and
// the texts of the truth, nil where there is none. It is valid until the next one.
type Block struct {
	Table           *data.Table
	Labels, Classes *Texts
}

// handOver gives a chunk to Each rather than keeping it.
func (b *Builder) handOver(p *Chunk) error {
	n := len(p.Lines)
	block := &Block{Table: &data.Table{Name: b.Name, Rows: n, Lines: p.Lines}}
	for i, s := range b.specs {
		c := &p.Columns[i]
		switch b.role(s.Name) {
		case feature:
			block.Table.Columns = append(block.Table.Columns, data.Column{Name: s.Name, Type: s.Type.ColumnType(), Num: c.Num,
				Nanos: c.Nanos, Code: c.Code, Levels: c.names})
		case label:
			block.Labels = &Texts{c.Code, c.names}
		case class:
			block.Classes = &Texts{c.Code, c.names}
		}
	}
	if n == 0 {
		return nil
	}
	return b.Each(block)
}

// Share is how much of the text of all files was taken over, 0 where that is not known.
func (b *Builder) Share() float64 {
	if b.Expected <= 0 {
		return 0
	}
	return min(1, float64(b.taken)/float64(b.Expected))
}
