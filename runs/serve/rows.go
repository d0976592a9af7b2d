package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unsafe"

	"plumbline/data"
)

// known refuses rows of categories that the model does not know, where that is asked for.
func (b *batch) known(t *data.Table) error {
	if b.unknown != RefuseUnknown {
		return nil
	}
	for row := range t.Rows {
		if names := b.m.unknown(t, row); names != nil {
			return refuse(http.StatusUnprocessableEntity, "", "%s: the model does not know this %s", t.Where(int32(row)),
				strings.Join(names, ", "))
		}
	}
	return nil
}

// unknown is the inputs of a row whose category the model does not know. The table may have other columns, too.
func (m *Model) unknown(t *data.Table, row int) (names []string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Code == nil || c.Code[row] == data.Missing {
			continue
		}
		k, ok := m.at[c.Name]
		if !ok || m.inputs[k].levels == nil || m.inputs[k].levels[c.Levels[c.Code[row]]] {
			continue
		}
		names = append(names, c.Name)
	}
	return names
}

// readFloats fills x with little-endian float32, and says how many came; io.EOF at the end of the text. A number that
// is cut off is an error.
func readFloats(in io.Reader, x []float32) (int, error) {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	n, err := io.ReadFull(in, raw)
	switch {
	case err == io.ErrUnexpectedEOF:
		err = io.EOF
	case err != nil && err != io.EOF:
		return 0, err
	}
	if n%4 != 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if bigEndian {
		for i := 0; i < n; i += 4 {
			raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
		}
	}
	return n / 4, err
}

// bigEndian says how this processor lays out numbers.
var bigEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 0
}()

// appendCSV adds a text as a cell.
func appendCSV(to []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return append(to, text...)
	}
	return append(append(append(to, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}

// appendJSON adds a text as a JSON string.
func appendJSON(to []byte, text string) []byte {
	raw, _ := json.Marshal(text) // a text always has a form
	return append(to, raw...)
}
