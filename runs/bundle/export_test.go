package bundle

import "bytes"

// Reseal gives what stands after the two lines of a model file lines that fit it.
func Reseal(raw []byte) []byte {
	end := bytes.IndexByte(raw, '\n')
	if end < 0 || len(raw) < end+1+secondLine {
		return raw
	}
	first, body := string(raw[:end+1]), raw[end+1+secondLine:]
	return append([]byte(first+sealed(first, body)), body...)
}

// FromArchive opens a model file in memory.
var FromArchive = fromArchive
