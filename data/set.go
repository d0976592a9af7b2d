package data

import "fmt"

// Kind says what the samples of a [Set] are.
type Kind uint8

const (
	Vectors Kind = iota + 1 // one row of X per sample
	Traces                  // one Trace per sample
)

func (k Kind) String() string {
	switch k {
	case Vectors:
		return "vectors"
	case Traces:
		return "traces"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// UnknownSymbol stands in a trace for an event that the fitted discretiser has no symbol for.
const UnknownSymbol int32 = -1

// Feature is what a column of a [Set] is.
type Feature struct {
	Name   string      `json:"name"`
	Source string      `json:"source,omitempty"` // the column of the table that it was made from
	Kind   FeatureKind `json:"kind,omitempty"`
	Level  string      `json:"level,omitempty"` // with Kind Level: the value of Source that it stands for
}

// FeatureKind says how the values of a [Feature] are to be read.
type FeatureKind string

const (
	Quantity FeatureKind = "" // a number
	// one of several columns that stand for the values of one category, above 0 where it is that value
	Level FeatureKind = "level"
	// the category itself: a whole number from 0 on, in no order that means anything; NaN: none, or one not seen in
	// training. Only models whose Needs.Native is set meet it
	Code FeatureKind = "code"
)

// String names the feature, and the level that it stands for.
func (f Feature) String() string {
	if f.Kind == Level {
		return fmt.Sprintf("%q (level %q of %s)", f.Name, f.Level, f.Source)
	}
	return fmt.Sprintf("%q", f.Name)
}

// Quantities are features of which only the names are known.
func Quantities(names ...string) []Feature {
	out := make([]Feature, len(names))
	for j, name := range names {
		out[j].Name = name
	}
	return out
}

// Trace is one entity's events in time order, or a window of them. Slices of traces of one entity may
// share memory: treat them as read-only.
type Trace struct {
	Key     string    // the entity, such as a host or "source destination"
	Events  []float32 // t×d, row-major; nil when only symbols are wanted
	Symbols []int32   // t indices into Set.Alphabet, or UnknownSymbol
	Rows    []int32   // t rows of the table
}

// Set is what a detector sees: n samples, either rows of a float32 matrix or traces. A detector neither
// changes a Set nor keeps a reference to it.
type Set struct {
	Kind Kind
	N    int       // samples
	D    int       // columns of X, or of each trace's Events (0 when they carry symbols alone)
	X    []float32 // Vectors: N×D, row-major
	// Features say what the D columns are; none where nobody knows. A model reads no meaning out of their names.
	Features []Feature
	// Traces and Alphabet are set for Kind Traces. Symbol s of a trace is Alphabet[s].
	Traces   []Trace
	Alphabet []string
	// Attack and Class are the truth per sample, nil when unknown or withheld (see [Set.Unlabelled]).
	Attack  []bool
	Class   []uint32
	Classes []string
	Rows    []int32 // Vectors: the table row of each sample
}

// Row is sample i of a Vectors set, as a view.
func (s *Set) Row(i int) []float32 { return s.X[i*s.D : (i+1)*s.D : (i+1)*s.D] }

// ColumnNames is the D names of the features; of a set that has none, "column 0" and so on.
func (s *Set) ColumnNames() []string {
	names := make([]string, s.D)
	for j := range names {
		if j < len(s.Features) {
			names[j] = s.Features[j].Name
		} else {
			names[j] = fmt.Sprint("column ", j)
		}
	}
	return names
}

// Unlabelled is the same set without its truth, sharing all else.
func (s *Set) Unlabelled() *Set {
	c := *s
	c.Attack, c.Class, c.Classes = nil, nil, nil
	return &c
}

// Subset copies the samples at idx, in that order. Traces are shared, matrix rows are copied.
func (s *Set) Subset(idx []int) *Set {
	c := *s
	c.N = len(idx)
	if s.Kind == Vectors {
		c.X = make([]float32, len(idx)*s.D)
		for i, j := range idx {
			copy(c.X[i*s.D:(i+1)*s.D], s.Row(j))
		}
	}
	c.Traces = pick(s.Traces, idx)
	c.Attack = pick(s.Attack, idx)
	c.Class = pick(s.Class, idx)
	c.Rows = pick(s.Rows, idx)
	return &c
}

func pick[T any](from []T, idx []int) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(idx))
	for i, j := range idx {
		out[i] = from[j]
	}
	return out
}
