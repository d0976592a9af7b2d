package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Store is a folder of entries.
type Store struct {
	Dir   string
	Limit int64 // bytes that all entries together may have
	Far   Far   // of machines that share no folder; nil: none
}

// Far is a place where entries are kept for other machines, by the names of their files. It is not bounded.
type Far interface {
	// Fetch brings an entry into a file; the error wraps [fs.ErrNotExist] where there is none.
	Fetch(name, path string) error
	// Send keeps a file as an entry, over one that may be there.
	Send(name, path string) error
}

// About is what an entry is, for people.
type About struct {
	Name    string `json:"name"`    // of the data set
	Content string `json:"content"` // what of it
	Version string `json:"version"` // of the program that wrote it
}

// Listed is one entry of a listing.
type Listed struct {
	Key   string
	Bytes int64
	Used  time.Time // last
	About
}

// ErrMiss says that there is no entry under a key.
var ErrMiss = errors.New("not in the cache")

// ErrDamaged says that an entry was not what was written. It is removed.
var ErrDamaged = errors.New("damaged cache entry")

const (
	extension = ".plumb"
	unsure    = ".part" // files being written
)

// Key is the hash of texts in their order.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// File is the SHA-256 of a file's bytes as they are on disk.
func File(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
		return "", fmt.Errorf("cache: %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (s *Store) path(key string) string { return filepath.Join(s.Dir, key+extension) }

// maxEntry is the largest entry that is read.
const maxEntry = 1 << 42

// load reads a whole file. It is not mapped: a mapped file that is changed in place changes what models see after its
// sum was checked, and one that is cut off ends the process where it is next looked at.
func load(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxEntry {
		return nil, fmt.Errorf("%s: %w: no regular file, or too large", path, ErrDamaged)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw := make([]byte, st.Size())
	if n, err := io.ReadFull(f, raw); err != nil {
		return nil, fmt.Errorf("%s: %w: cut off after %d of %d bytes", path, ErrDamaged, n, len(raw))
	}
	return raw, nil
}

// Get reads the entry under a key. The error is ErrMiss, wraps ErrDamaged, or is about the file.
func (s *Store) Get(key string) (*Entry, error) {
	path := s.path(key)
	raw, err := load(path)
	if errors.Is(err, fs.ErrNotExist) && s.Far != nil {
		if raw, err = s.fetch(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cache: %w", err)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMiss
	}
	if errors.Is(err, ErrDamaged) {
		os.Remove(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	e, err := parse(raw)
	if err != nil {
		os.Remove(path)
		return nil, fmt.Errorf("cache: %s: %w", path, err)
	}
	now := time.Now()
	os.Chtimes(path, now, now) // best effort: what is used stays
	return e, nil
}

// Put writes an entry, over one that may be there, and makes room for it. An entry larger than the limit is
// not written.
func (s *Store) Put(key string, about About, meta any, arrays Arrays) error {
	head, size, err := header(about, meta, arrays)
	if err != nil {
		return err
	}
	if size > s.Limit {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, "*"+unsure)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	err = write(f, head, arrays)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path(key))
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("cache: %w", err)
	}
	if s.Far != nil {
		if err := s.Far.Send(key+extension, s.path(key)); err != nil {
			return fmt.Errorf("cache: %w", err)
		}
	}
	return s.trim(key)
}

// fetch brings an entry from far, keeps it here, and makes room for it.
func (s *Store) fetch(key string) ([]byte, error) {
	if err := s.Far.Fetch(key+extension, s.path(key)); err != nil {
		return nil, err
	}
	raw, err := load(s.path(key))
	return raw, errors.Join(err, s.trim(key))
}

// trim removes the entries that were not used for the longest time until the rest fits the limit, but not
// the one named; and halves that a killed process left.
func (s *Store) trim(keep string) error {
	list, err := s.files()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, l := range list {
		total += l.Bytes
	}
	for _, l := range list {
		if total <= s.Limit {
			break
		}
		if l.Key == keep {
			continue
		}
		if err := os.Remove(s.path(l.Key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cache: %w", err)
		}
		total -= l.Bytes
	}
	return nil
}

// stale is the age at which a file that is still being written belongs to no living process.
const stale = time.Hour

// files is the entries, the one not used for the longest time first, without About.
func (s *Store) files() ([]Listed, error) {
	dir, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	var out []Listed
	for _, d := range dir {
		st, err := d.Info()
		if err != nil || !st.Mode().IsRegular() { // gone meanwhile
			continue
		}
		if strings.HasSuffix(d.Name(), unsure) && time.Since(st.ModTime()) > stale {
			os.Remove(filepath.Join(s.Dir, d.Name()))
		}
		if key, ok := strings.CutSuffix(d.Name(), extension); ok {
			out = append(out, Listed{Key: key, Bytes: st.Size(), Used: st.ModTime()})
		}
	}
	slices.SortFunc(out, func(a, b Listed) int {
		if c := a.Used.Compare(b.Used); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out, nil
}

// List is all entries, the last used first.
func (s *Store) List() ([]Listed, error) {
	list, err := s.files()
	if err != nil {
		return nil, err
	}
	slices.Reverse(list)
	for i := range list {
		if list[i].About, err = about(s.path(list[i].Key)); err != nil {
			list[i].Content = err.Error()
		}
	}
	return list, nil
}

// Clear removes the entries of a data set, or all for the empty name, and says how many and how large they
// were.
func (s *Store) Clear(name string) (n int, bytes int64, err error) {
	list, err := s.List()
	if err != nil {
		return 0, 0, err
	}
	for _, l := range list {
		if name != "" && l.Name != name {
			continue
		}
		if err := os.Remove(s.path(l.Key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, bytes, fmt.Errorf("cache: %w", err)
		}
		n++
		bytes += l.Bytes
	}
	return n, bytes, nil
}

// about reads what an entry is, without checking the rest of it.
func about(path string) (About, error) {
	f, err := os.Open(path)
	if err != nil {
		return About{}, err
	}
	defer f.Close()
	start := make([]byte, len(magic)+8)
	if _, err := io.ReadFull(f, start); err != nil {
		return About{}, ErrDamaged
	}
	n, err := headerSize(start)
	if err != nil {
		return About{}, err
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(f, raw); err != nil {
		return About{}, ErrDamaged
	}
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		return About{}, ErrDamaged
	}
	return h.About, nil
}
