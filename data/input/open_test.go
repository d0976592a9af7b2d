package input

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz"
)

const table = "bytes,label\n12,ok\n7,scan – slow\n"

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t testing.TB, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, text := range texts {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func wide(text string, high, low int) []byte {
	b := []byte{0, 0}
	b[high], b[low] = 0xfe, 0xff
	for _, u := range utf16.Encode([]rune(text)) {
		w := []byte{0, 0}
		w[high], w[low] = byte(u>>8), byte(u)
		b = append(b, w...)
	}
	return b
}

// bzipped is what libbzip2 1.0.8 makes of table.
const bzipped = "QlpoOTFBWSZTWc99qyUAAAdZ4QAQQAQwgDoNjKBAAAgAEAAgADFA00MjJiFA" +
	"0000abUCq/WfC3WSNqhsAARzSsxw094vi7kinChIZ77VkoA="

func TestOpen(t *testing.T) {
	var packed bytes.Buffer
	x, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	x.Write([]byte(table))
	x.Close()
	half := len(table) / 2
	for _, c := range []struct {
		name        string
		content     []byte
		want, sumOf string
		wraps       string
		utf16, cr   bool
	}{
		{"plain", []byte(table), table, table, "", false, false},
		{"gzip", zipped(t, table), table, table, "gzip", false, false},
		{"two gzip members", zipped(t, table[:half], table[half:]), table, table, "gzip", false, false},
		{"gzip and zero bytes", append(zipped(t, table), make([]byte, 700)...), table, table, "gzip", false, false},
		{"zero bytes between members", slices.Concat(zipped(t, table[:half]), []byte{0, 0, 0}, zipped(t, table[half:])),
			table, table, "gzip", false, false},
		{"an empty member between", zipped(t, table[:half], "", table[half:]), table, table, "gzip", false, false},
		{"xz", packed.Bytes(), table, table, "xz", false, false},
		{"UTF-16, little end first", wide(table, 1, 0), table, string(wide(table, 1, 0)), "", true, false},
		{"UTF-16, big end first", wide(table, 0, 1), table, string(wide(table, 0, 1)), "", true, false},
		{"UTF-16 in gzip", zipped(t, string(wide(table, 1, 0))), table, string(wide(table, 1, 0)), "gzip", true, false},
		{"CR", []byte("a,b\r1,2\r"), "a,b\n1,2\n", "a,b\r1,2\r", "", false, true},
		{"CR in UTF-16", wide("a,b\r1,2\r", 1, 0), "a,b\n1,2\n", string(wide("a,b\r1,2\r", 1, 0)), "", true, true},
		{"CRLF", []byte("a,b\r\n1,2\r\n"), "a,b\r\n1,2\r\n", "a,b\r\n1,2\r\n", "", false, false},
		{"one line, CRLF cut", []byte("a,b\r"), "a,b\r", "a,b\r", "", false, false},
		{"nothing", nil, "", "", "", false, false},
		{"a text that begins like bzip2", []byte("BZh,x\n"), "BZh,x\n", "BZh,x\n", "", false, false},
	} {
		path := write(t, "file", c.content)
		in, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := io.ReadAll(in)
		if err == nil {
			err = in.Rest(t.Context())
		}
		if err != nil || string(got) != c.want || in.Wraps != c.wraps || in.UTF16 != c.utf16 || in.CR != c.cr {
			t.Errorf("%s: %q, %v (wraps %q, UTF-16 %v, CR %v)", c.name, got, err, in.Wraps, in.UTF16, in.CR)
		}
		h := sha256.Sum256([]byte(c.sumOf))
		if want := hex.EncodeToString(h[:]); in.Sum() != want {
			t.Errorf("%s: sum %s, want that of the uncompressed bytes, %s", c.name, in.Sum(), want)
		}
		in.Close()
		if sum, n, err := Sum(path); err != nil || sum != hex.EncodeToString(h[:]) || n != int64(len(c.sumOf)) {
			t.Errorf("%s: Sum is %s, %d, %v", c.name, sum, n, err)
		}
	}
}

func TestOpenBzip2(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(bzipped)
	if err != nil {
		t.Fatal(err)
	}
	in, err := Open(write(t, "file.bz2", raw))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got, err := io.ReadAll(in); err != nil || string(got) != table || in.Wraps != "bzip2" {
		t.Errorf("%q, %v, %s", got, err, in.Wraps)
	}
}

func TestDamaged(t *testing.T) {
	whole := zipped(t, strings.Repeat(table, 50))
	for name, content := range map[string][]byte{
		"cut off":                whole[:len(whole)-9],
		"another member cut off": append(bytes.Clone(whole), whole[:5]...),
		"text after the end":     append(bytes.Clone(whole), "more"...),
	} {
		in, err := Open(write(t, "file.gz", content))
		if err != nil {
			continue // said at once
		}
		if _, err := io.ReadAll(in); err == nil {
			t.Errorf("%s: no error", name)
		}
		in.Close()
	}
}

func TestForeign(t *testing.T) {
	archive := func(names ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, n := range names {
			w, err := z.Create(n)
			if err != nil {
				t.Fatal(err)
			}
			w.Write([]byte(table))
		}
		z.Close()
		return b.Bytes()
	}
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	for _, n := range []string{"day1.csv", "day2.csv"} {
		w.WriteHeader(&tar.Header{Name: n, Size: int64(len(table)), Mode: 0o600, Typeflag: tar.TypeReg})
		w.Write([]byte(table))
	}
	w.Close()
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"zip":        {archive("a/flows.csv", "b.csv"), `a zip archive that holds "a/flows.csv", "b.csv": unpack it`},
		"many":       {archive("1", "2", "3", "4", "5", "6"), `"5", …`},
		"xlsx":       {archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (xlsx)"},
		"npz":        {archive("X.npy", "y.npy"), "NumPy arrays"},
		"broken zip": {[]byte("PK\x03\x04rest"), "a damaged zip archive"},
		"tar":        {tarred.Bytes(), `a tar archive that holds "day1.csv", "day2.csv"`},
		"tar.gz":     {zipped(t, tarred.String()), `a tar archive within gzip that holds "day1.csv"`},
		"zip.gz":     {zipped(t, string(archive("a"))), "a zip archive within gzip"},
		"pcap":       {[]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00"), "a packet capture"},
		"pickle":     {[]byte("\x80\x04\x95abc"), "a Python pickle"},
		"numpy":      {[]byte("\x93NUMPY\x01\x00"), "NumPy"},
		"web page":   {[]byte("<!DOCTYPE html><html>"), "a web page"},
	} {
		in, err := Open(write(t, "file", c.content))
		if err == nil {
			in.Close()
			t.Errorf("%s is opened", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzOpen: whatever the bytes, opening and reading end with content or an error, and what plain text gives is
// the text.
func FuzzOpen(f *testing.F) {
	for _, seed := range [][]byte{
		[]byte(table), zipped(f, "ab"), wide("ab\n", 1, 0), []byte("a\rb\r"),
		[]byte("PK\x03\x04"), []byte("BZh91"), []byte("\xfd7zXZ\x00"), {0x28, 0xb5, 0x2f, 0xfd},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		in, err := Open(write(t, "file", content))
		if err != nil {
			return
		}
		defer in.Close()
		got, err := io.ReadAll(io.LimitReader(in, 1<<20))
		if in.Wraps == "" && !in.UTF16 && !in.CR && (err != nil || !bytes.Equal(got, content)) {
			t.Errorf("%q became %q, %v", content, got, err)
		}
	})
}
