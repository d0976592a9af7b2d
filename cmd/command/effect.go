package command

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NoEffect is an error where flags are given that say nothing there: when is what makes them so, such as "with --list".
func NoEffect(c *cobra.Command, when string, names ...string) error {
	for _, name := range names {
		if c.Flags().Changed(name) {
			return Usage(fmt.Errorf("%s: --%s has no effect %s", c.Name(), name, when))
		}
	}
	return nil
}

// Idle has a command refuse flags where they say nothing: when is what makes them so, and is whether it is so with some
// arguments. Several of these may be said of one command, after its own check of arguments was set.
func Idle(c *cobra.Command, is func(args []string) bool, when string, names ...string) {
	check := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if is(args) {
			if err := NoEffect(c, when, names...); err != nil {
				return err
			}
		}
		return check(c, args)
	}
}

// NeedsOut is Idle of --force where none of the files is named.
func NeedsOut(c *cobra.Command, files ...*string) {
	none := func([]string) bool { return !slices.ContainsFunc(files, func(f *string) bool { return *f != "" }) }
	Idle(c, none, "without a file to write", "force")
}

// Alone is NoEffect for all flags but some and --quiet.
func Alone(c *cobra.Command, when string, besides ...string) error {
	var others []string
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "quiet" && !slices.Contains(besides, f.Name) {
			others = append(others, f.Name)
		}
	})
	return NoEffect(c, when, others...)
}
