package command

import (
	"fmt"
	"os"
	"strings"
)

// folders is a flag that takes folders, which must exist: a mistyped one would send the search for data files elsewhere
// without a word.
type folders struct{ to *[]string }

func (f folders) String() string { return strings.Join(*f.to, ",") }

// Type is the word that help shows.
func (f folders) Type() string { return "stringArray" }

// Set takes one folder more.
func (f folders) Set(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("there is no folder %s", dir)
	case !st.IsDir():
		return fmt.Errorf("%s is a file, not a folder", dir)
	}
	*f.to = append(*f.to, dir)
	return nil
}
