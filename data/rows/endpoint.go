package rows

import (
	"bytes"
	"fmt"
	"net/netip"
)

// Endpoint is the kind of a column whose cells hold an address and a port. A table has two columns in its place, named
// after it: NAME.address and NAME.port.
const Endpoint Kind = "endpoint"

// Apart is the columns as a table has them, endpoints taken apart.
func Apart(specs []ColumnSpec) []ColumnSpec {
	var out []ColumnSpec
	for _, s := range specs {
		if s.Type == Endpoint {
			out = append(out, ColumnSpec{s.Name + ".address", "address"}, ColumnSpec{s.Name + ".port", "number"})
			continue
		}
		out = append(out, s)
	}
	return out
}

// takeApart puts the columns of addresses and ports in the place of those of endpoints.
func (tf *TextFormat) takeApart() {
	specs := Apart(tf.Specs)
	if len(specs) == len(tf.Specs) {
		return
	}
	place := make([]int, len(tf.Specs)) // of each column among specs
	for k := 1; k < len(place); k++ {
		place[k] = place[k-1] + len(Apart(tf.Specs[k-1:k]))
	}
	cells := tf.At
	if cells == nil {
		cells = make([]int, len(tf.Specs))
		for i := range cells {
			cells[i] = i
		}
	}
	var at []int
	tf.pairs = make([]bool, len(cells))
	for i, k := range cells {
		switch {
		case k < 0:
			at = append(at, -1)
		case tf.Specs[k].Type == Endpoint:
			tf.pairs[i] = true
			at = append(at, place[k], place[k]+1)
		default:
			at = append(at, place[k])
		}
	}
	if tf.At != nil {
		tf.At = at
	}
	var absent []int
	for _, k := range tf.Absent {
		if absent = append(absent, place[k]); tf.Specs[k].Type == Endpoint {
			absent = append(absent, place[k]+1)
		}
	}
	tf.Specs, tf.Absent = specs, absent
}

// noPort stands in the place of a port where an endpoint has none.
var noPort = []byte{0}

func isNoPort(cell []byte) bool { return len(cell) == 1 && &cell[0] == &noPort[0] }

// apart is the cells of a record with endpoints taken apart, or which of them (1-based) is wrong.
func (tf *TextFormat) apart(cells, out [][]byte) ([][]byte, int, error) {
	for i, cell := range cells {
		if !tf.pairs[i] {
			out = append(out, cell)
			continue
		}
		cell = bytes.TrimSpace(cell)
		if tf.isMissing(cell) {
			out = append(out, cell, cell)
			continue
		}
		address, port, err := endpoint(cell)
		if err != nil {
			return nil, i + 1, err
		}
		out = append(out, address, port)
	}
	return out, 0, nil
}

// endpoint takes 10.0.0.1:443, [::1]:80 and host:80 apart. An address may stand without a port.
func endpoint(cell []byte) (address, port []byte, err error) {
	at := bytes.LastIndexByte(cell, ':')
	if cell[0] == '[' {
		end := bytes.IndexByte(cell, ']')
		if end < 2 || end+1 < len(cell) && (cell[end+1] != ':' || end+2 == len(cell)) {
			return nil, nil, fmt.Errorf("%q is no address and port", Clip(cell))
		}
		if end+1 == len(cell) {
			return cell[1:end], noPort, nil
		}
		return cell[1:end], cell[end+2:], nil
	}
	switch {
	case at < 0:
		return cell, noPort, nil
	case bytes.IndexByte(cell, ':') < at: // several colons
		if _, err := netip.ParseAddr(string(cell)); err != nil {
			return nil, nil, fmt.Errorf("%q is no address and port", Clip(cell))
		}
		return cell, noPort, nil
	case at == 0 || at+1 == len(cell):
		return nil, nil, fmt.Errorf("%q is no address and port", Clip(cell))
	}
	return cell[:at], cell[at+1:], nil
}
