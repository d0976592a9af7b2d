package input

import (
	"bytes"
	"encoding/base64"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// XZ Utils 5.4.1 made these of "a,b\n1,2\n3,4\n5,6\n". The first is three streams of three blocks each, without checks,
// with SHA-256 and with CRC32, and zeros before the third; the second claims a dictionary of 1,536 MiB
// (--lzma2=dict=1536MiB).
const (
	xzStreams = "/Td6WFoAAAD/EtlBAgAhARYAAAB0L+WjAQAGYSxiCjEsMgAAAgAhARYAAAB0L+WjAQAGCjMsNAo1LAAAAgAhARYAAAB0L+WjAQABN" +
		"goAAAAAAxcHFwcSAptDQqaoAAr8AgAAAAAAWVr9N3pYWgAACuH7DKECACEBFgAAAHQv5aMBAAZhLGIKMSwyAACu7ase56EEN1PJq3aF" +
		"lLyEINe4VJHQvpQh7cOBPCN/TAIAIQEWAAAAdC/lowEABgozLDQKNSwAABGuke0YRpUQ/gRCgEsX3PCkXifE0ApF2R6g538G0tp5AgAh" +
		"ARYAAAB0L+WjAQABNgoAAAAG6dUsFyD8pBKAPjsHxLIo/xE+MD9MerlGZTGdgyu/twADNwc3BzICMc1YlLbp3xwCAAAAAApZWgAAAAAA" +
		"AAAA/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAGYSxiCjEsMgAAoizDmAIAIQEWAAAAdC/lowEABgozLDQKNSwAAENz9F0CACEBFgAA" +
		"AHQv5aMBAAE2CgAAAJRqECgAAxsHGwcWAlz5Ov8+MA2LAgAAAAABWVo="
	xzClaims = "/Td6WFoAAATm1rRGAgAhASUAAAA7eHtBAQAPYSxiCjEsMgozLDQKNSw2CgABAvcNhBbkUwABKBDlC2xgH7bzfQEAAAAABFla"
	xzText   = "a,b\n1,2\n3,4\n5,6\n"
)

func decoded(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// allocated is how many bytes f has the heap give.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func content(path string) (string, error) {
	in, err := Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := io.ReadAll(in)
	return string(out), err
}

// TestXZStreams: several streams, their blocks and checks and the zeros between them come through the lowering of
// dictionaries as they are.
func TestXZStreams(t *testing.T) {
	raw := decoded(t, xzStreams)
	if got, err := content(write(t, "f.xz", raw)); err != nil || got != strings.Repeat(xzText, 3) {
		t.Fatalf("%q, %v", got, err)
	}
	for cut := 7; cut < len(raw); cut++ {
		got, err := content(write(t, "f.xz", raw[:cut]))
		whole := len(got)%len(xzText) == 0 && strings.HasPrefix(strings.Repeat(xzText, 3), got)
		if err == nil && !whole {
			t.Errorf("cut off after %d bytes: %q without an error", cut, got)
		}
	}
}

// TestClaims: what a file claims is not made room for, only what it can hold.
func TestClaims(t *testing.T) {
	huge := decoded(t, xzClaims)
	every := bytes.Clone(huge) // the largest that a header can say
	const props, head, end = 16, 12, 20
	every[props] = 40
	sum := crc32.ChecksumIEEE(every[head:end])
	for i := range 4 {
		every[end+i] = byte(sum >> (8 * i))
	}
	// one frame whose window descriptor says 512 MiB, with a raw block of one byte (RFC 8878, section 3.1.1.1.2)
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x98, 9, 0, 0, 'a'}
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"a dictionary of 1.5 GiB", huge, xzText},
		{"a dictionary of 4 GiB", every, xzText},
		{"a window of 512 MiB", window, "window size exceeded"},
	} {
		path := write(t, "file", c.raw)
		var got string
		var err error
		const most = 16 << 20
		if n := allocated(func() { got, err = content(path) }); n > most {
			t.Errorf("%s: %d bytes are asked for, want at most %d", c.name, n, most)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzClaims: whatever the bytes, reading them ends, with no more memory than they can be worth.
func FuzzClaims(f *testing.F) {
	f.Add(decoded(f, xzStreams))
	f.Add(decoded(f, xzClaims))
	f.Add(decoded(f, bzipped))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0x98, 9, 0, 0, 'a'})
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\r\x00"))
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<12 {
			return
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		const ratio, base = 1 << 15, 48 << 20
		n := allocated(func() {
			in, err := Open(path)
			if err != nil {
				return
			}
			defer in.Close()
			_ = in.Rest(t.Context())
			_ = in.Sum()
		})
		if n > base+uint64(len(raw))*ratio {
			t.Errorf("%d bytes of memory for %d bytes", n, len(raw))
		}
	})
}
