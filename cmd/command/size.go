package command

import (
	"strconv"

	"plumbline/runs/experiment"
)

// Size is a flag: a number of bytes such as 8GB.
type Size int64

// Set takes a number with a unit, or a number of bytes.
func (s *Size) Set(text string) error {
	n, err := experiment.ParseSize(text)
	if err == nil {
		*s = Size(n)
	}
	return err
}

func (s *Size) String() string { return strconv.FormatInt(int64(*s), 10) }

// Type names the value in the help.
func (s *Size) Type() string { return "size" }
