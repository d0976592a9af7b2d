package follow

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Position is how far a file was read, and what tells the file from others that have its name later.
type Position struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"` // bytes of whole records that were taken
	Line   int64  `json:"line"`   // lines before it
	Head   string `json:"head,omitempty"`
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`
	// Print is the hash of the first Printed bytes.
	Print   string `json:"print,omitempty"`
	Printed int64  `json:"printed,omitempty"`
	// Files is how many files of that name were read before this one.
	Files int64 `json:"files,omitempty"`
}

// mostPrinted bounds the bytes that a file is told by: enough for the head of a log with the time it was opened.
const mostPrinted = 2048

// printOf is the hash of the first n bytes of a file; empty where it is shorter.
func printOf(f *os.File, n int64) string {
	buf := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, n), buf); err != nil {
		return ""
	}
	sum := sha256.Sum256(buf)
	return hex.EncodeToString(sum[:])
}

// is says whether an open file is the one of a position.
func (p *Position) is(f *os.File, st os.FileInfo) bool {
	if st.Size() < p.Offset {
		return false
	}
	if p.Printed == 0 { // nothing was read of it
		device, inode := identity(st)
		return p.Inode != 0 && device == p.Device && inode == p.Inode
	}
	return printOf(f, p.Printed) == p.Print
}

// rotated is what rotation adds to a name: numbers and times.
var rotated = regexp.MustCompile(`^[.\-_][0-9][0-9TZ:_.\-]*$`)

// siblings are the regular files that a file of that path may have become when it was rotated, longest unchanged first.
func siblings(path string) []string {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean("./" + dir))
	if filepath.IsAbs(path) {
		entries, err = os.ReadDir(filepath.Dir(path))
	}
	if err != nil {
		return nil
	}
	stem, ext := strings.TrimSuffix(base, filepath.Ext(base)), filepath.Ext(base)
	type sibling struct {
		path string
		time int64
	}
	var out []sibling
	for _, e := range entries {
		name := e.Name()
		more, after := strings.CutPrefix(name, base)
		within, before := strings.CutPrefix(strings.TrimSuffix(name, ext), stem)
		if !(after && rotated.MatchString(more) ||
			before && ext != "" && strings.HasSuffix(name, ext) && rotated.MatchString(within)) {
			continue
		}
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() {
			out = append(out, sibling{filepath.Join(dir, name), st.ModTime().UnixNano()})
		}
	}
	slices.SortStableFunc(out, func(a, b sibling) int { return int(min(1, max(-1, a.time-b.time))) })
	paths := make([]string, len(out))
	for i := range out {
		paths[i] = out[i].path
	}
	return paths
}
