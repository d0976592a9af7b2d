package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// many writes a capture of n TCP connections that are all open at the same time: a segment with 20 bytes of each, seen
// from their middle, and then an answer to each.
func many(out string, n int) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriterSize(file, 1<<20)
	if _, err := w.Write(pcapHeader()); err != nil {
		return err
	}
	const rest = 10e9 // ns that the capture takes
	for answer := range 2 {
		for i := range n {
			at := int64(1_700_000_000e9) + int64(rest/2)*int64(answer) + int64(rest/2)*int64(i)/int64(n)
			frame := segment(uint32(i), answer == 1)
			if _, err := w.Write(append(record(nil, at, len(frame), uint32(len(frame))), frame...)); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%s: %d connections, %d frames\n", out, n, 2*n)
	return w.Flush()
}

// segment is an Ethernet frame of connection i, from its server where it is an answer. Checksums are right.
func segment(i uint32, answer bool) []byte {
	be := binary.BigEndian
	client, server := be.AppendUint32(nil, 10<<24|i>>4), be.AppendUint32(nil, 192<<24|168<<16|i>>8)
	ports := be.AppendUint16(be.AppendUint16(nil, uint16(1024+i%60_000)), 443)
	numbers := be.AppendUint32(be.AppendUint32(nil, 1000+i), 70_000+i)
	if answer {
		client, server = server, client
		ports = be.AppendUint16(be.AppendUint16(nil, 443), uint16(1024+i%60_000))
		numbers = be.AppendUint32(be.AppendUint32(nil, 70_000+i), 1020+i)
	}
	const payload, header = 20, 20
	tcp := append(append(ports, numbers...), 5<<4, 0x18, 4, 0, 0, 0, 0, 0)
	tcp = append(tcp, make([]byte, payload)...)
	ip := []byte{0x45, 0, 0, header + header + payload, 0, 1, 0x40, 0, 64, 6, 0, 0}
	ip = append(append(ip, client...), server...)
	be.PutUint16(ip[10:], ^onesSum(0, ip))
	pseudo := append([]byte{0, 6, 0, header + payload}, ip[12:20]...)
	be.PutUint16(tcp[16:], ^onesSum(uint32(onesSum(0, pseudo)), tcp))
	frame := append(make([]byte, 12), 8, 0)
	return append(append(frame, ip...), tcp...)
}

// onesSum adds an even number of bytes in one's complement (RFC 1071).
func onesSum(s uint32, b []byte) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
