package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Output writes to a file, or to stdout without one. It never writes over what the command was given to read, whatever
// that is called. The folder of the file is made.
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
	f, err := os.Create(file)
	if err != nil {
		return Usage(err)
	}
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
