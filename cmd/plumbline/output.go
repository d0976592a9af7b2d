package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// output writes to a file, or to stdout without one. It never writes over what the command was given to read, whatever
// that is called. The folder of the file is made.
func (a *app) output(file string, inputs []string, fill func(io.Writer) error) error {
	if file == "" {
		return fill(a.raw)
	}
	if err := notAnInput(file, inputs); err != nil {
		return usage(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return usage(err)
	}
	f, err := os.Create(file)
	if err != nil {
		return usage(err)
	}
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	return failed(f.Close())
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

// mayWrite is an error where a file to write is there already, unless the command was told to write over it, and in any
// case where it is one of those that are read.
func mayWrite(file string, force bool, inputs []string) error {
	if file == "" {
		return nil
	}
	if err := notAnInput(file, inputs); err != nil {
		return usage(err)
	}
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usage(err)
	case st.Mode().IsRegular() && !force:
		return usage(fmt.Errorf("%s is there already: --force writes over it", file))
	}
	return nil
}
