package record

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Directory is a run directory that is being written. A file appears under its name whole or not at all:
// it is written beside, flushed to disk and renamed.
type Directory struct {
	Path string
	// Create opens a new file for writing; tests put a disk that fills up in its place.
	Create func(path string) (io.WriteCloser, error)
	// Writer is in the names of files that are being written, where several processes may write the same ones.
	Writer string
	// Sent is told of each file that was written, and Gone of each that was removed, by names with slashes; both may be
	// nil. What Sent fails to hand on is as good as not written.
	Sent, Gone func(name string) error

	mu      sync.Mutex
	written map[string]FileSum
}

// NewDirectory is the run directory at a path, which is there already.
func NewDirectory(path string) *Directory {
	return &Directory{Path: path, written: map[string]FileSum{}, Create: func(p string) (io.WriteCloser, error) {
		return os.OpenFile(p, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	}}
}

// Written is what was written, by names with slashes.
func (d *Directory) Written() map[string]FileSum {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.written)
}

// MakeDirectory makes a new run directory below root, named after the time and the experiment.
func MakeDirectory(root, name string, now time.Time) (*Directory, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("runs: the output folder cannot be made: %w", err)
	}
	base := filepath.Join(root, now.UTC().Format("20060102-150405")+"-"+name)
	for k := 1; ; k++ {
		path := base
		if k > 1 {
			path = fmt.Sprintf("%s-%d", base, k)
		}
		err := os.Mkdir(path, 0o755)
		if err == nil {
			return NewDirectory(path), nil
		}
		if !errors.Is(err, fs.ErrExist) || k > 1000 {
			return nil, fmt.Errorf("runs: the run directory cannot be made: %w", err)
		}
	}
}

// ErrUnwritable says that the run directory cannot be written, as when the disk is full: what was computed is lost, and
// so would be what comes after it.
var ErrUnwritable = errors.New("the run directory cannot be written")

func unwritable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnwritable, err)
}

// Write writes one file of the run, making its folders. Errors of the disk, not those of fill, wrap [ErrUnwritable].
func (d *Directory) Write(name string, fill func(io.Writer) error) error {
	path := filepath.Join(d.Path, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("runs: %w", unwritable(err))
	}
	part := path + ".part"
	if d.Writer != "" {
		part = path + "." + d.Writer + ".part"
	}
	// what a killed process left, or a pipe or a link in its place, which must not be written to
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runs: %s: %w", name, unwritable(err))
	}
	defer os.Remove(part) // a failure's or a panic's; after the rename there is none
	sum := summed{hash: sha256.New()}
	err := d.fill(part, func(w io.Writer) error {
		sum.to = w
		return fill(&sum)
	})
	if err == nil {
		err = unwritable(os.Rename(part, path))
	}
	if err == nil && d.Sent != nil {
		err = unwritable(d.Sent(name))
	}
	if err != nil {
		return fmt.Errorf("runs: %s: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.written[name] = FileSum{sum.n, hex.EncodeToString(sum.hash.Sum(nil))}
	return nil
}

func (d *Directory) fill(path string, fill func(io.Writer) error) error {
	f, err := d.Create(path)
	if err != nil {
		return unwritable(err)
	}
	defer f.Close() // again after the one below it does no harm
	w := &disk{to: f}
	err = fill(w)
	if w.err != nil { // whatever fill made of it
		return unwritable(w.err)
	}
	if err != nil {
		return err
	}
	if s, ok := f.(interface{ Sync() error }); ok {
		if err := s.Sync(); err != nil {
			return unwritable(err)
		}
	}
	return unwritable(f.Close())
}

// disk is a file that remembers its first error.
type disk struct {
	to  io.Writer
	err error
}

func (d *disk) Write(p []byte) (int, error) {
	n, err := d.to.Write(p)
	if d.err == nil {
		d.err = err
	}
	return n, err
}

// Remove removes files of a folder of the run, by its name with slashes, but for those in it that are to be kept: the
// status first, which must not vouch for what is there no longer. What cannot be removed stays.
func (d *Directory) Remove(folder string, keep ...string) error {
	var errs []error
	gone := func(name string) {
		err := os.Remove(filepath.Join(d.Path, filepath.FromSlash(name)))
		if err == nil && d.Gone != nil {
			err = d.Gone(name)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	gone(folder + "/" + statusFile)
	at := filepath.Join(d.Path, filepath.FromSlash(folder))
	entries, _ := os.ReadDir(at) // there is none in a new run
	for _, e := range entries {
		switch {
		case slices.Contains(keep, e.Name()):
		case e.IsDir():
			errs = append(errs, d.Remove(folder+"/"+e.Name()), os.Remove(filepath.Join(at, e.Name())))
		default:
			gone(folder + "/" + e.Name())
		}
	}
	return errors.Join(errs...)
}

// WriteJSON writes a value as one file of the run.
func (d *Directory) WriteJSON(name string, v any) error {
	return d.Write(name, func(w io.Writer) error { return encode(w, v) })
}
