package flows

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"plumbline/data/packets"
)

// craft is a capture of one TCP connection between 10.0.0.1:4000 and 10.0.0.2:80, written as words: who sends (> or
// <), flags (FSRPAUEC), bytes of payload after a colon, window after a slash; @ and seconds before a packet that comes
// then, all others 0.1 seconds after the one before.
func craft(t *testing.T, script string) *packets.Reader {
	t.Helper()
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0)
	const start = 1_700_000_000_000_000
	at, next := int64(0), [2]uint32{1000, 5000}
	for word := range strings.FieldsSeq(script) {
		if s, ok := strings.CutPrefix(word, "@"); ok {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			at = int64(math.Round(v * 1e6))
			continue
		}
		word, window, _ := strings.Cut(word, "/")
		word, payload, _ := strings.Cut(word, ":")
		side := strings.Index("><", word[:1])
		n, _ := strconv.Atoi(payload)
		win := 500
		if window != "" {
			win, _ = strconv.Atoi(window)
		}
		flags := byte(0)
		for _, f := range word[1:] {
			flags |= 1 << strings.IndexRune("FSRPAUEC", f)
		}
		frame := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0}
		frame = binary.BigEndian.AppendUint16(frame, uint16(40+n))
		frame = append(frame, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, byte(1+side), 10, 0, 0, byte(2-side))
		ports := [2]uint16{4000, 80}
		frame = binary.BigEndian.AppendUint16(frame, ports[side])
		frame = binary.BigEndian.AppendUint16(frame, ports[1-side])
		frame = binary.BigEndian.AppendUint32(frame, next[side])
		ack := uint32(0)
		if flags&16 != 0 {
			ack = next[1-side]
		}
		frame = binary.BigEndian.AppendUint32(frame, ack)
		frame = append(frame, 0x50, flags)
		frame = binary.BigEndian.AppendUint16(frame, uint16(win))
		frame = append(frame, 0, 0, 0, 0)
		frame = append(frame, make([]byte, n)...)
		next[side] += uint32(n)
		if flags&3 != 0 {
			next[side]++
		}
		file = binary.LittleEndian.AppendUint32(file, uint32((start+at)/1e6))
		file = binary.LittleEndian.AppendUint32(file, uint32((start+at)%1e6))
		file = binary.LittleEndian.AppendUint32(file, uint32(len(frame)))
		file = binary.LittleEndian.AppendUint32(file, uint32(len(frame)))
		file = append(file, frame...)
		at += 100_000
	}
	return packets.NewReader([]packets.File{{Name: "crafted", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(file)), nil
	}}})
}

// crafted is the flows of such a capture.
func crafted(t *testing.T, v Vocabulary, script string) []map[string]string {
	t.Helper()
	checksums := false
	rows, _ := build(t, v, Settings{Checksums: &checksums, MaxOpen: DefaultMaxOpen}, 1, craft(t, script))
	return rows
}
