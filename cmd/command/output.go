package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Output writes to a file, or to stdout without one. It never writes over what the command was given to read, whatever
// that is called. The folder of the file is made. The file appears whole or not at all: what was there before stays
// until all is written. Pipes and devices are written as they are.
func (a *App) Output(file string, inputs []string, fill func(io.Writer) error) error {
	if file == "" {
		return fill(a.Raw)
	}
	if err := notAnInput(file, inputs); err != nil {
		return Usage(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return Usage(err)
	}
	to, mode, beside := place(file)
	part := filepath.Join(filepath.Dir(to), fmt.Sprintf(".plumbline-%d-%d.part", os.Getpid(), parts.Add(1)))
	var f *os.File
	if beside {
		f, _ = os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	}
	if f == nil { // a folder that takes no new file may hold one that can be written
		f, err := os.Create(file)
		if err != nil {
			return Usage(err)
		}
		return filled(f, fill)
	}
	defer os.Remove(part) // after the rename there is none
	if err := filled(f, fill); err != nil {
		var at *fs.PathError // the file that was asked for is what there is no room for
		if errors.As(err, &at) && at.Path == part {
			at.Path = file
		}
		return err
	}
	if mode != 0 {
		if err := os.Chmod(part, mode); err != nil {
			return Failed(err)
		}
	}
	return Failed(os.Rename(part, to))
}

// parts are the files that were written beside their places.
var parts atomic.Int64

// place is where a file is to stand, after all links, the mode of one that is there already, and whether it can be
// written beside that.
func place(file string) (to string, mode fs.FileMode, beside bool) {
	for _, kernel := range []string{"/dev/", "/proc/"} { // such as /dev/stdout, which may be a file
		if abs, err := filepath.Abs(file); err != nil || strings.HasPrefix(abs, kernel) {
			return file, 0, false
		}
	}
	st, err := os.Stat(file)
	if err != nil {
		_, dangling := os.Lstat(file)
		return file, 0, dangling != nil
	}
	to, err = filepath.EvalSymlinks(file)
	return to, st.Mode().Perm(), err == nil && st.Mode().IsRegular() && writable(file)
}

// writable says whether a file may be written to: one that may not is not to be replaced either.
func writable(file string) bool {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		f.Close()
	}
	return err == nil
}

func filled(f *os.File, fill func(io.Writer) error) error {
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	return Failed(f.Close())
}

// notAnInput is an error where a file to write is one that is read, by whatever name or link.
func notAnInput(file string, inputs []string) error {
	st, err := os.Stat(file)
	if err != nil {
		return nil // not there, so that nothing is lost
	}
	for _, in := range inputs {
		if is, err := os.Stat(in); err == nil && os.SameFile(st, is) {
			return fmt.Errorf("%s is what is read (%s): name another file to write", file, in)
		}
	}
	return nil
}

// MayWrite is an error where a file to write is there already, unless the command was told to write over it, and in any
// case where it is one of those that are read.
func MayWrite(file string, force bool, inputs []string) error {
	if file == "" {
		return nil
	}
	if err := notAnInput(file, inputs); err != nil {
		return Usage(err)
	}
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return Usage(err)
	case st.Mode().IsRegular() && !force:
		return Usage(fmt.Errorf("%s is there already: --force writes over it", file))
	}
	return nil
}

// JSON prints v for programs.
func (a *App) JSON(v any) error { return Failed(WriteJSON(a.Raw, v)) }

// WriteJSON writes v, indented by two.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
