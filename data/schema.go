package data

// Field is a column without its values.
type Field struct {
	Name string     `json:"name"`
	Type ColumnType `json:"type"`
}

// Schema is the columns of a table without their values, in their order.
func (t *Table) Schema() []Field {
	out := make([]Field, len(t.Columns))
	for i := range t.Columns {
		out[i] = Field{t.Columns[i].Name, t.Columns[i].Type}
	}
	return out
}

// MarshalText is the type's name.
func (t ColumnType) MarshalText() ([]byte, error) {
	_, err := ParseColumnType(t.String())
	return []byte(t.String()), err
}

// UnmarshalText takes the type's name.
func (t *ColumnType) UnmarshalText(text []byte) (err error) {
	*t, err = ParseColumnType(string(text))
	return err
}
