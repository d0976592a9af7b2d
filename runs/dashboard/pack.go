package dashboard

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"math"
)

// packed is the flows as the script of a file gets them: columns in planes of bytes, lowest first, one after the other,
// compressed by gzip, in base64.
type packed struct {
	Block  string   `json:"block"`
	Layout [][2]any `json:"layout"` // names and bytes of a value
	Rows   int      `json:"rows"`
	Unit   int64    `json:"unit"` // milliseconds, or rows, of the values of "at"
}

// packer gathers columns.
type packer struct {
	raw    bytes.Buffer
	layout [][2]any
}

// add adds a column in as many bytes of each value as the largest needs.
func add[T uint8 | uint16 | uint32](p *packer, name string, v []T, width int) {
	p.layout = append(p.layout, [2]any{name, width})
	for k := range width {
		for _, x := range v {
			p.raw.WriteByte(byte(uint32(x) >> (8 * k)))
		}
	}
}

// pack packs the flows.
func (f *Flows) pack() (*packed, error) {
	p := &packer{}
	unit := int64(1)
	if float64(f.Axis.Bins)*float64(f.Axis.Step) > math.MaxUint32 {
		unit = 1000 // steps of such an axis are whole seconds
	}
	at := make([]uint32, f.N)
	last := uint32(0)
	for i := range at {
		v := uint32(math.MaxUint32)
		switch {
		case f.Flag[i]&profile != 0 && f.Bin[i] != nowhere:
			v = uint32(f.Bin[i])
		case f.Bin[i] != nowhere:
			v = uint32((f.At[i] - f.Axis.Start) / unit)
		}
		at[i], last = v-last, v
	}
	add(p, "at", at, 4)
	add(p, "flag", f.Flag, 1)
	if len(f.Signs) > 0 {
		add(p, "sign", f.Sign, 1)
	}
	if f.Score != nil {
		add(p, "score", f.Score, 2)
	}
	for i := range f.Dims {
		width := 2
		if len(f.Dims[i].Levels) <= 256 {
			width = 1
		}
		add(p, "dim", f.Dims[i].Code, width)
	}
	for i := range f.Nums {
		add(p, "num", f.Nums[i].Code, 2)
	}
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(p.raw.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	return &packed{base64.StdEncoding.EncodeToString(z.Bytes()), p.layout, f.N, unit}, nil
}
