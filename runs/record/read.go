package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MaxJSON is the largest JSON file of a run that is read: far above what any run writes.
const MaxJSON = 1 << 28

// ErrUnusual is wrapped by the errors about what is no regular file, or too large a one.
var ErrUnusual = errors.New("not a file that a run writes")

// OpenFile opens a file of a run for reading. What is not a regular file, or is larger than limit bytes, is refused
// before it is opened: a pipe in its place would wait for ever, and a device never end.
func OpenFile(path string, limit int64) (*os.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := readable(st, path, limit); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if st, err = f.Stat(); err == nil {
		err = readable(st, path, limit)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func readable(st os.FileInfo, path string, limit int64) error {
	switch {
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is %w: not a regular file (%v)", path, ErrUnusual, st.Mode().Type())
	case st.Size() > limit:
		return fmt.Errorf("%s is %w: %d bytes, at most %d are read", path, ErrUnusual, st.Size(), limit)
	}
	return nil
}

// ReadFile reads a whole file of a run, as [OpenFile] allows.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := OpenFile(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	// one byte more than the limit tells a file that has grown since
	n, err := io.Copy(&b, io.LimitReader(f, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%s is %w: more than %d bytes", path, ErrUnusual, limit)
	}
	return b.Bytes(), err
}

// ReadJSON reads one file of a run.
func ReadJSON(dir, name string, into any) error {
	raw, err := ReadFile(filepath.Join(dir, filepath.FromSlash(name)), MaxJSON)
	if err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("runs: %s: %w", name, err)
	}
	return nil
}

// Sum is the size and hash of a file of a run, as [OpenFile] allows.
func Sum(path string, limit int64) (FileSum, error) {
	f, err := OpenFile(path, limit)
	if err != nil {
		return FileSum{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, limit+1))
	return FileSum{n, hex.EncodeToString(h.Sum(nil))}, err
}

// SumOf is the size and hash of a content.
func SumOf(content []byte) FileSum {
	h := sha256.Sum256(content)
	return FileSum{int64(len(content)), hex.EncodeToString(h[:])}
}
