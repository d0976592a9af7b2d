package record

import (
	"encoding/json"
	"io"
	"maps"
	"strings"
)

// FileSum is what a file held when it was written.
type FileSum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Folder is a folder of a run directory that is being written. It is safe for concurrent use.
type Folder struct {
	dir *Directory
	at  string // within the run directory, with slashes
}

// Folder is a folder of the run, by its path with slashes.
func (d *Directory) Folder(path string) *Folder { return &Folder{d, path} }

// Write writes one file of the folder, as [Directory.Write] does.
func (f *Folder) Write(name string, fill func(io.Writer) error) error {
	return f.dir.Write(f.at+"/"+name, fill)
}

// WriteJSON writes a value as one file of the folder.
func (f *Folder) WriteJSON(name string, v any) error { return f.dir.WriteJSON(f.at+"/"+name, v) }

// Files is what was written into the folder, by name; not what was written into folders in it.
func (f *Folder) Files() map[string]FileSum {
	out := map[string]FileSum{}
	for name, sum := range f.dir.Written() {
		if rest, ok := strings.CutPrefix(name, f.at+"/"); ok && !strings.Contains(rest, "/") {
			out[rest] = sum
		}
	}
	return out
}

// Forget takes what was written into the folder off the list, for a cell that is begun anew.
func (f *Folder) Forget() {
	f.dir.mu.Lock()
	defer f.dir.mu.Unlock()
	maps.DeleteFunc(f.dir.written, func(name string, _ FileSum) bool { return strings.HasPrefix(name, f.at+"/") })
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// summed hashes what it passes on.
type summed struct {
	to   io.Writer
	hash interface {
		io.Writer
		Sum([]byte) []byte
	}
	n int64
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.to.Write(p)
	s.hash.Write(p[:n])
	s.n += int64(n)
	return n, err
}
