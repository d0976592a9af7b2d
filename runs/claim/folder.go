package claim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Folder keeps claims in a folder, which may be shared by machines. It is made when it is needed.
type Folder string

// Create writes the content beside and links it into place, which fails where there is a file already, on network file
// systems too. A file system without links gets a file that is made exclusively and then written.
func (f Folder) Create(name string, content []byte) error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return err
	}
	beside, err := os.CreateTemp(string(f), partPrefix+"*")
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed the empty folder
		if err := os.MkdirAll(string(f), 0o755); err != nil {
			return err
		}
		beside, err = os.CreateTemp(string(f), partPrefix+"*")
	}
	if err != nil {
		return err
	}
	defer os.Remove(beside.Name())
	_, err = beside.Write(content)
	if err = errors.Join(err, beside.Close()); err != nil {
		return err
	}
	at := filepath.Join(string(f), name)
	err = os.Link(beside.Name(), at)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return linked(err, beside.Name(), at)
	}
	file, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// linked is the outcome of a link. A network file system that lost the answer to a link that it made says, asked
// again, that there is one: the file itself tells (open(2) on O_EXCL).
func linked(err error, beside, at string) error {
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	one, err1 := os.Stat(beside)
	two, err2 := os.Stat(at)
	if err1 == nil && err2 == nil && os.SameFile(one, two) {
		return nil
	}
	return err
}

// partPrefix begins the names of files that are being written.
const partPrefix = "new-"

// List is the names of the claims.
func (f Folder) List() ([]string, error) {
	dir, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	kept := names[:0]
	for _, n := range names {
		if !strings.HasPrefix(n, partPrefix) {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// maxClaim is the largest claim that is read.
const maxClaim = 1 << 16

// Read is the content of a claim.
func (f Folder) Read(name string) ([]byte, error) {
	at := filepath.Join(string(f), name)
	st, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxClaim {
		return nil, fmt.Errorf("%s is no claim", at)
	}
	return os.ReadFile(at)
}

// Remove deletes a claim.
func (f Folder) Remove(name string) error {
	err := os.Remove(filepath.Join(string(f), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Tidy removes the folder if it is empty.
func (f Folder) Tidy() { os.Remove(string(f)) }
