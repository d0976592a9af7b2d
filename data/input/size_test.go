package input

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestTextSize: what files say of their size, and what is not believed.
func TestTextSize(t *testing.T) {
	dir := t.TempDir()
	text := bytes.Repeat([]byte("1,tcp,ok\n"), 1000)
	var packed, squeezed bytes.Buffer
	g := gzip.NewWriter(&packed)
	g.Write(text)
	g.Close()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	squeezed.Write(z.EncodeAll(text, nil))
	liar := append(slices.Clone(packed.Bytes()[:packed.Len()-4]), 0xff, 0xff, 0xff, 0xff)
	for name, c := range map[string]struct {
		raw  []byte
		want int64
	}{
		"plain": {text, 9000}, "gzip": {packed.Bytes(), 9000}, "zstd": {squeezed.Bytes(), 9000},
		"liar": {liar, 0}, "short": {packed.Bytes()[:3], 0}, "empty": {nil, 0},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, c.raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := TextSize(file); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}
