package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
)

// ColumnType says what a column's values mean and which field of [Column] holds them.
type ColumnType uint8

const (
	Number   ColumnType = iota + 1 // Num; missing = NaN
	Category                       // Code into Levels; missing = Missing
	Time                           // Nanos since the Unix epoch, UTC; missing = NoTime
	// Code into Levels (text of a host, network or port-less endpoint); never a feature unless a config says so
	Address
)

// Missing is the code of a missing category or address.
const Missing = math.MaxUint32

// NoTime marks a missing time.
const NoTime = math.MinInt64

var columnTypeNames = map[ColumnType]string{Number: "number", Category: "category", Time: "time", Address: "address"}

func (t ColumnType) String() string {
	if s, ok := columnTypeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("ColumnType(%d)", uint8(t))
}

// ParseColumnType is the inverse of [ColumnType.String].
func ParseColumnType(s string) (ColumnType, error) {
	for t, name := range columnTypeNames {
		if name == s {
			return t, nil
		}
	}
	return 0, fmt.Errorf("data: column type %q: want number, category, time or address", s)
}

// Column is one named column of a table. Exactly one of Num, Code and Nanos is non-nil, as Type says.
type Column struct {
	Name   string
	Type   ColumnType
	Num    []float64
	Code   []uint32
	Levels []string // distinct texts, in order of first appearance in the source
	Nanos  []int64
}

// Len is the number of rows.
func (c *Column) Len() int {
	switch c.Type {
	case Number:
		return len(c.Num)
	case Time:
		return len(c.Nanos)
	default:
		return len(c.Code)
	}
}

// Level is the text of row's category or address, "" if missing.
func (c *Column) Level(row int32) string {
	if code := c.Code[row]; code != Missing {
		return c.Levels[code]
	}
	return ""
}

// AppendText appends the value of a row as a person reads it, "-" if it is missing.
func (c *Column) AppendText(to []byte, row int32) []byte {
	switch {
	case c.Type == Number && !math.IsNaN(c.Num[row]):
		const short = 1e6 // whole numbers below it are written without an exponent
		if v := c.Num[row]; v > -short && v < short && v == math.Trunc(v) && (v != 0 || !math.Signbit(v)) {
			return strconv.AppendInt(to, int64(v), 10)
		}
		return strconv.AppendFloat(to, c.Num[row], 'g', -1, 64)
	case c.Type == Time && c.Nanos[row] != NoTime:
		return time.Unix(0, c.Nanos[row]).UTC().AppendFormat(to, time.RFC3339Nano)
	case c.Code != nil && c.Code[row] != Missing:
		return append(to, c.Levels[c.Code[row]]...)
	}
	return append(to, '-')
}

// AppendKey appends the value of a row in a form of one width that only equal values share.
func (c *Column) AppendKey(to []byte, row int32) []byte {
	switch {
	case c.Type == Number && math.IsNaN(c.Num[row]):
		return binary.LittleEndian.AppendUint64(to, math.Float64bits(math.NaN()))
	case c.Type == Number:
		return binary.LittleEndian.AppendUint64(to, math.Float64bits(c.Num[row]+0)) // −0 is 0
	case c.Type == Time:
		return binary.LittleEndian.AppendUint64(to, uint64(c.Nanos[row]))
	}
	return binary.LittleEndian.AppendUint32(to, c.Code[row])
}

// Part says which of a data set's published files a row came from.
type Part uint8

const (
	PartTrain Part = iota
	PartTest
)

// Origin is one file that a table was read from.
type Origin struct {
	Path     string // as found on disk
	Name     string // as written in the data config
	Part     Part
	Bytes    int64  // on disk
	SHA256   string // of the uncompressed content
	FirstRow int    // first table row that came from this file
	Rows     int
}

// Table is typed rows in columns, in file order. It is read-only once read.
type Table struct {
	Name    string // of the data config
	Rows    int
	Columns []Column
	// Attack and Class hold the truth: Attack[i] is whether row i is anomalous, Class[i] indexes Classes
	// (the source's own names of attacks and of benign traffic). Both are nil when the source has no labels.
	Attack  []bool
	Class   []uint32
	Classes []string
	Parts   []Part
	Lines   []int32  // 1-based line (or record) of the row in its file
	Origins []Origin // in reading order; their row ranges partition the table
}

// Bytes is the memory that the values of the table take, without the texts of levels, which are held once each.
func (t *Table) Bytes() int64 {
	n := len(t.Attack) + 4*len(t.Class) + len(t.Parts) + 4*len(t.Lines)
	for i := range t.Columns {
		c := &t.Columns[i]
		n += 8*len(c.Num) + 4*len(c.Code) + 8*len(c.Nanos)
	}
	return int64(n)
}

// Lookup finds columns as [Table.Column] does, of a table of many columns in a time that does not grow with them.
func (t *Table) Lookup() func(name string) (*Column, error) {
	at := make(map[string]int, len(t.Columns))
	for i := range t.Columns {
		if _, has := at[t.Columns[i].Name]; !has { // the first of a name
			at[t.Columns[i].Name] = i
		}
	}
	return func(name string) (*Column, error) {
		if i, ok := at[name]; ok {
			return &t.Columns[i], nil
		}
		return t.Column(name)
	}
}

// Column returns the column of that name, or an error that names the closest ones there are.
func (t *Table) Column(name string) (*Column, error) {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i], nil
		}
	}
	return nil, fmt.Errorf("data: %s has no column %q", t.Name, name)
}

// Where says where row came from, as file:line, for messages.
func (t *Table) Where(row int32) string {
	for i := range t.Origins {
		o := &t.Origins[i]
		if int(row) >= o.FirstRow && int(row) < o.FirstRow+o.Rows {
			if int(row) < len(t.Lines) {
				return fmt.Sprintf("%s:%d", o.Name, t.Lines[row])
			}
			return o.Name
		}
	}
	return fmt.Sprintf("%s row %d", t.Name, row)
}
