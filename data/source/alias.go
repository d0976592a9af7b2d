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
