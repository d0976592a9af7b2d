package rows

import (
	"strings"

	"plumbline/data"
)

// ColumnSpec is one column as a config declares it.
type ColumnSpec struct {
	Name string `yaml:"name"`
	// number, category, time, address, port: a number that may be hexadecimal (0x…), as Argus writes ICMP types, or
	// endpoint: an address and a port in one cell, as 10.0.0.1:443 or [::1]:80, which become two columns, NAME.address
	// and NAME.port
	Type Kind `yaml:"type" jsonschema:"enum=number,enum=category,enum=time,enum=address,enum=port,enum=endpoint"`
}

// Kind is the type of a column as configs write it: number, category, time, address, port or endpoint.
type Kind string

// ColumnType is the type of the column in a table: a port is a number.
func (k Kind) ColumnType() data.ColumnType {
	if k == "port" {
		return data.Number
	}
	t, _ := data.ParseColumnType(string(k))
	return t
}

// Columns is columns from their names and types, as in "ts time, bytes number". It panics where a name stands without
// a type.
func Columns(text string) (specs []ColumnSpec) {
	for column := range strings.SplitSeq(text, ",") {
		f := strings.Fields(column)
		if len(f) != 2 {
			panic("rows: want a name and a type: " + column)
		}
		specs = append(specs, ColumnSpec{Name: f[0], Type: Kind(f[1])})
	}
	return specs
}
