package source

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// canonical is the names of a file's columns as the config has them. A column that stands in the file under its own
// name keeps it, and what is called by an alias of that column too.
func (p plan) canonical(names []string) []string {
	if len(p.Aliases) == 0 {
		return names
	}
	at := map[string]int{}
	for i, n := range names {
		at[strings.ToLower(n)] = i
	}
	out := slices.Clone(names)
	for column, aliases := range p.Aliases {
		if _, there := at[strings.ToLower(column)]; there {
			continue
		}
		for _, a := range aliases { // the first that the file has
			if i, ok := at[strings.ToLower(strings.TrimSpace(a))]; ok {
				out[i] = column
				break
			}
		}
	}
	return out
}

// lacking warns of the declared columns that a file lacks. Where they are half or more of those that are kept it is an
// error: the file is another than the config describes. header is what the file has, nil where nothing says it.
func (b *builder) lacking(file string, absent, header []string, columns []ColumnSpec) error {
	n := b.declared(columns)
	lacks := slices.DeleteFunc(slices.Clone(absent), func(n string) bool { return b.role(n) == dropped })
	if len(lacks) == 0 {
		return nil
	}
	const shown = 12
	has := header
	if len(has) > shown {
		has = append(slices.Clone(has[:shown]), fmt.Sprintf("… %d more", len(header)-shown))
	}
	if 2*len(lacks) >= n && header == nil {
		return fmt.Errorf("no row has %d of the %d columns of the config: %s (aliases give columns other names)",
			len(lacks), n, strings.Join(lacks, ", "))
	}
	if 2*len(lacks) >= n {
		return fmt.Errorf(
			"the file lacks %d of the %d columns of the config: %s; it has the columns %s (aliases give columns "+
				"other names)",
			len(lacks),
			n,
			strings.Join(lacks, ", "),
			strings.Join(has, ", "),
		)
	}
	for i, n := range lacks {
		lacks[i] = fmt.Sprintf("%q%s", n, settings.DidYouMean(n, header))
	}
	b.warnings = append(b.warnings, fmt.Sprintf("%s: %s has no column %s: missing in all of its rows",
		b.Name, file, strings.Join(lacks, ", ")))
	return nil
}

// declared is how many columns of the config are not dropped.
func (b *builder) declared(specs []ColumnSpec) (n int) {
	for _, s := range specs {
		if b.role(s.Name) != dropped {
			n++
		}
	}
	return n
}
