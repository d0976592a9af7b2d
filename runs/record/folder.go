package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"sync"
)

// FileSum is what a file held when it was written.
type FileSum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Folder is a folder of a run directory that is being written. It remembers what was written. It is safe for
// concurrent use.
type Folder struct {
	dir   *Directory
	at    string // within the run directory, with slashes
	mu    sync.Mutex
	files map[string]FileSum
}

// Folder is a folder of the run, by its path with slashes.
func (d *Directory) Folder(path string) *Folder {
	return &Folder{dir: d, at: path, files: map[string]FileSum{}}
}

// Write writes one file of the folder, as [Directory.Write] does.
func (f *Folder) Write(name string, fill func(io.Writer) error) error {
	sum := summed{hash: sha256.New()}
	err := f.dir.Write(f.at+"/"+name, func(w io.Writer) error {
		sum.to = w
		return fill(&sum)
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[name] = FileSum{sum.n, hex.EncodeToString(sum.hash.Sum(nil))}
	return nil
}

// WriteJSON writes a value as one file of the folder.
func (f *Folder) WriteJSON(name string, v any) error {
	return f.Write(name, func(w io.Writer) error { return encode(w, v) })
}

// Files is what was written, by name.
func (f *Folder) Files() map[string]FileSum {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.files)
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
