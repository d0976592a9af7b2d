package corpus

import (
	"bufio"
	"bytes"
	"io"
)

// PastBOM is the text after a byte order mark, if it begins with one.
func PastBOM(in io.Reader) *bufio.Reader {
	br := bufio.NewReaderSize(in, 1<<16)
	if bom, _ := br.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		br.Discard(3)
	}
	return br
}
