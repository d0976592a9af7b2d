package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkAliases finds a name that would stand for two columns.
func (c *Config) checkAliases() error {
	of := map[string]string{}
	for _, column := range slices.Sorted(maps.Keys(c.Aliases)) {
		for _, name := range c.Aliases[column] {
			key := strings.ToLower(strings.TrimSpace(name))
			if other, twice := of[key]; twice || key == "" {
				return fmt.Errorf("%q is a name of both %q and %q", name, other, column)
			}
			of[key] = column
		}
	}
	return nil
}

// KnownColumn is a column that a config knows of.
type KnownColumn struct {
	Names    []string // its name, then those that files may give to it
	Optional bool     // it is of the truth, or not kept
}

// Known are the columns that the config names: those of the format, of its types, of aliases, of the truth and of drop.
func (c *Config) Known() (columns []KnownColumn) {
	var names []string
	for _, s := range c.source.Schema() {
		names = append(names, s.Name)
	}
	if d, ok := c.source.(*Delimited); ok {
		names = append(names, slices.Sorted(maps.Keys(d.Types))...)
	}
	names = append(names, slices.Sorted(maps.Keys(c.Aliases))...)
	truth := slices.Concat([]string{c.Label.Column, c.Label.Class}, c.Label.Levels, c.Drop)
	names = append(names, truth...)
	seen := map[string]bool{"": true}
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			columns = append(columns, KnownColumn{
				Names: append([]string{n}, c.Aliases[n]...), Optional: slices.Contains(truth, n),
			})
		}
	}
	return columns
}

// ByName says whether files may have further columns, and whether they may lack some.
func (c *Config) ByName() (more, lack bool) {
	d, ok := c.source.(*Delimited)
	return ok && d.ByName, ok && d.ByName && d.Absent == "missing"
}
