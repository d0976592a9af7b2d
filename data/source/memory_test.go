package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/data/source"
	"plumbline/data/source/sourcetest"
)

// TestMemory: a table that is larger than it may be is given up, in one line, and with files that say their size after
// their first rows; one that fits is read.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	var text bytes.Buffer
	const rows = 60_000
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d,%s,normal\n", i%100, i%7, []string{"tcp", "udp"}[i%2])
	}
	if err := os.WriteFile(filepath.Join(dir, "a.csv"), text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	c := sourcetest.Config(t, `
name: a
format: delimited
files: {train: [a.csv]}
label: {column: label, benign: [normal]}
options:
  columns: [{name: x, type: number}, {name: y, type: number}, {name: proto, type: category},
    {name: label, type: category}]
`)
	for memory, want := range map[int64]bool{0: true, 1 << 40: true, 2 << 20: true, 1 << 20: false, 1: false} {
		table, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}, Memory: memory}, 2)
		switch {
		case want && (err != nil || table.Rows != rows):
			t.Errorf("%d bytes: %v", memory, err)
		case !want && (!errors.Is(err, source.ErrMemory) || !strings.Contains(err.Error(), "data: a: ") ||
			strings.Contains(err.Error(), "\n")):
			t.Errorf("%d bytes: %v", memory, err)
		}
	}
	table, _, err := source.Read(context.Background(), c, source.Finder{Dirs: []string{dir}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Bytes(); got != rows*(8+8+4+1+4+1+4) {
		t.Errorf("%d bytes", got)
	}
}
