package input

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// magics are the first bytes of files that people have beside their data, and what to do with those.
var magics = []struct{ magic, what string }{
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it"},
	{"Rar!\x1a\x07", "a RAR archive: unpack it"},
	{"\xd4\xc3\xb2\xa1", capture},
	{"\xa1\xb2\xc3\xd4", capture},
	{"\x4d\x3c\xb2\xa1", capture},
	{"\xa1\xb2\x3c\x4d", capture},
	{"\x0a\x0d\x0d\x0a", capture},
	{"\x93NUMPY", "an array of NumPy: write it as CSV (numpy.savetxt) or Parquet"},
	{"\x80\x02", "a Python pickle: write it as CSV (to_csv) or Parquet (to_parquet)"},
	{"\x80\x03", "a Python pickle: write it as CSV (to_csv) or Parquet (to_parquet)"},
	{"\x80\x04", "a Python pickle: write it as CSV (to_csv) or Parquet (to_parquet)"},
	{"\x80\x05", "a Python pickle: write it as CSV (to_csv) or Parquet (to_parquet)"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file: write its table as CSV or Parquet"},
	{"ARROW1\x00\x00", "an Arrow (Feather) file: write it as Parquet"},
	{"Obj\x01", "an Avro file: write it as Parquet or JSON lines"},
	{"SQLite format 3\x00", "an SQLite database: write its table as CSV"},
	{"%PDF-", "a PDF document"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (xls): save its sheet as CSV"},
	{"<!DOCTYPE html", "a web page: the download was not the file"},
	{"<!doctype html", "a web page: the download was not the file"},
	{"<html", "a web page: the download was not the file"},
}

const capture = "a packet capture, not a table of flows: `plumbline data flows` makes one, and so does " +
	"format: pcap of a data config"

// ErrCapture is wrapped by the error of [Open] about a file of packets.
var ErrCapture = errors.New(capture)

// foreign says what a file is that holds no table; "" where it may hold one. head is the beginning of its content.
func foreign(head []byte, raw io.ReaderAt, size int64, wraps string) string {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06")) {
		if wraps != "" {
			return "a zip archive within " + wraps + ": unpack it"
		}
		return zipHolds(raw, size)
	}
	const magicAt = 257
	if len(head) > magicAt+5 && string(head[magicAt:magicAt+5]) == "ustar" {
		return "a tar archive" + within(wraps) + holds(tarMembers(head)) + ": unpack it"
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.what
		}
	}
	return ""
}

func within(wraps string) string {
	if wraps == "" {
		return ""
	}
	return " within " + wraps
}

// holds lists the first members.
func holds(members []string) string {
	const shown = 5
	more := ""
	if len(members) > shown {
		members, more = members[:shown], ", …"
	}
	if len(members) == 0 {
		return ""
	}
	for i, m := range members {
		members[i] = fmt.Sprintf("%q", m)
	}
	return " that holds " + strings.Join(members, ", ") + more
}

func zipHolds(raw io.ReaderAt, size int64) string {
	z, err := zip.NewReader(raw, size)
	if err != nil {
		return "a damaged zip archive"
	}
	var members []string
	for _, f := range z.File {
		if !f.FileInfo().IsDir() {
			members = append(members, f.Name)
		}
	}
	switch {
	case slices.Contains(members, "xl/workbook.xml"):
		return "an Excel workbook (xlsx): save its sheet as CSV"
	case slices.ContainsFunc(members, func(m string) bool { return strings.HasSuffix(m, ".npy") }):
		return "an archive of NumPy arrays (npz): write them as CSV or Parquet"
	}
	return "a zip archive" + holds(members) + ": unpack it"
}

// tarMembers are the files that the beginning of a tar archive names.
func tarMembers(head []byte) (members []string) {
	t := tar.NewReader(bytes.NewReader(head))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) || err != nil {
			return members
		}
		if h.Typeflag == tar.TypeReg {
			members = append(members, h.Name)
		}
	}
}
