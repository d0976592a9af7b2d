package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/configs"
	"plumbline/configs/settings"
	"plumbline/data/source"
	"plumbline/runs/experiment"
)

// DataFlag is --data, for the commands that look for data files.
func (a *App) DataFlag(c *cobra.Command) {
	c.Flags().Var(folders{&a.DataDirs}, "data",
		"folder of data files (repeatable; then $PLUMBLINE_DATA, then data/raw)")
	c.MarkFlagDirname("data")
}

// JSONFlag is --json, for the commands whose result has a form for programs.
func (a *App) JSONFlag(c *cobra.Command, to *bool) { c.Flags().BoolVar(to, "json", false, "as JSON") }

// Load reads an experiment file.
func (a *App) Load(file string, overrides []string) (*experiment.Experiment, error) {
	for _, o := range overrides {
		if !settings.IsOverride(o) {
			return nil, Usage(fmt.Errorf("%q is neither a flag nor an override (key=value, +key=value, ~key)", o))
		}
	}
	e, err := experiment.Load(file, experiment.LoadOptions{Overrides: overrides, DataDirs: a.DataDirs,
		Builtin: configs.Files})
	if err == nil {
		for _, file := range slices.Sorted(maps.Keys(e.Inferred)) {
			a.SayGuess(file, e.Inferred[file])
		}
	}
	return e, Usage(err)
}

// Library is the configs that can be named.
func (a *App) Library() experiment.Library { return experiment.NewLibrary("", configs.Files) }

// Needs makes an argument check whose message names what is missing.
func Needs(min, max int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < min || max >= 0 && len(args) > max {
			return Usage(fmt.Errorf("%s: want %s, got %d arguments (see plumbline %s --help)", c.Name(), what, len(args),
				c.Name()))
		}
		return nil
	}
}

// CompleteExperiment completes the name of an experiment, else the file; overrides are free text.
func (a *App) CompleteExperiment(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, name := range a.Library().Experiments() {
		if begun != "" && strings.HasPrefix(name, begun) {
			names = append(names, name)
		}
	}
	if names != nil {
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// CompleteFolders completes run directories, at most max of them (-1: any number).
func CompleteFolders(max int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if max >= 0 && len(args) >= max {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
}

// CompleteOne completes one argument out of some names.
func CompleteOne(names func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// SayGuess says what was taken for the truth in a data file.
func (a *App) SayGuess(file string, c *source.Config) {
	if c.Label.None() {
		fmt.Fprintf(a.Err, "%s: no column looks like a label (as data infer guesses)\n", file)
		return
	}
	fmt.Fprintf(a.Err, "%s: label column %q, benign: %s (as data infer guesses)\n", file, c.Label.Column,
		strings.Join(c.Label.Benign, ", "))
}

// DataSet is what a command line names as a data set, and where its files are looked up. A guess at a data file is said
// on stderr.
func (a *App) DataSet(name string) (*source.Config, source.Finder, error) {
	c, finder, named, err := a.Library().DataSet(name, a.DataDirs...)
	if err == nil && named.Inferred {
		a.SayGuess(name, c)
	}
	return c, finder, err
}
