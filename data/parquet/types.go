package parquet

import "fmt"

// Physical is how a column's values are stored.
type Physical int

const (
	Boolean Physical = iota
	Int32
	Int64
	Int96
	Float
	Double
	ByteArray
	FixedLenByteArray
)

var physicalNames = [...]string{
	"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
}

func (p Physical) String() string {
	if p >= 0 && int(p) < len(physicalNames) {
		return physicalNames[p]
	}
	return fmt.Sprintf("type %d", int(p))
}

// Logical is what a column's values mean.
type Logical int

const (
	Plain     Logical = iota // what the physical type says
	Text                     // UTF-8: string, enum, JSON
	Unsigned                 // of the physical integer type
	Decimal                  // value · 10^−Scale
	Date                     // days since 1970
	TimeOfDay                // in Unit, since midnight
	Timestamp                // in Unit, since 1970; without UTC set, of an unnamed local clock
	UUID
	Float16
	Binary   // BSON, geometry, variant: no table value
	Interval // months, days and milliseconds: no table value
	Null     // every value is missing
)

// Unit is a unit of time, in nanoseconds.
type Unit int64

const (
	Nanos  Unit = 1
	Micros Unit = 1_000
	Millis Unit = 1_000_000
)

// Column is one column of a file.
type Column struct {
	Path     []string // names from the top; one for a column that is in no group
	Physical Physical
	Logical  Logical
	Length   int // of each value in bytes, for FixedLenByteArray
	Scale    int // for Decimal
	Unit     Unit
	UTC      bool // a Timestamp is an instant rather than a local time
	Repeated bool // part of a list or map: it has not one value a row, and cannot be read
	List     int  // of a Repeated column: how many names of Path name the list or map
	Optional bool // values may be missing

	maxDef int // definition level of a value that is there
}

// Encodings.
const (
	encPlain           = 0
	encPlainDictionary = 2
	encRLE             = 3
	encDelta           = 5
	encDeltaLength     = 6
	encDeltaBytes      = 7
	encRLEDictionary   = 8
	encByteStreamSplit = 9
)

// Page types.
const (
	pageData       = 0
	pageIndex      = 1
	pageDictionary = 2
	pageDataV2     = 3
)

// converted are the older annotations, by their number.
func (c *Column) converted(t int) {
	switch t {
	case 0, 4, 19:
		c.Logical = Text
	case 5:
		c.Logical = Decimal
	case 6:
		c.Logical = Date
	case 7, 8:
		c.Logical, c.Unit = TimeOfDay, Millis
		if t == 8 {
			c.Unit = Micros
		}
	case 9, 10:
		c.Logical, c.Unit, c.UTC = Timestamp, Millis, true
		if t == 10 {
			c.Unit = Micros
		}
	case 11, 12, 13, 14:
		c.Logical = Unsigned
	case 20:
		c.Logical = Binary
	case 21:
		c.Logical = Interval
	}
}

// check refuses annotations that do not fit the physical type, so that reading can rely on them.
func (c *Column) check() error {
	fits := true
	p := c.Physical
	integer := p == Int32 || p == Int64
	switch c.Logical {
	case Text:
		fits = p == ByteArray || p == FixedLenByteArray
	case Unsigned, TimeOfDay, Timestamp:
		fits = integer
	case Decimal:
		fits = (integer || p == ByteArray || p == FixedLenByteArray) && c.Scale >= 0 && c.Scale <= 1000
	case Date:
		fits = p == Int32
	case UUID:
		fits = p == FixedLenByteArray && c.Length == 16
	case Float16:
		fits = p == FixedLenByteArray && c.Length == 2
	}
	switch {
	case p < Boolean || p > FixedLenByteArray:
		return fmt.Errorf("unknown %v", p)
	case p == FixedLenByteArray && (c.Length < 1 || c.Length > 1<<20):
		return fmt.Errorf("values of %d bytes", c.Length)
	case !fits:
		return fmt.Errorf("an annotation that does not fit the type %v", p)
	}
	return nil
}
