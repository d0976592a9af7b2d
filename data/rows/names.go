package rows

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/configs/settings"
)

// Canonical is the names of a file's columns as the config has them. A column that stands in the file under its own
// name keeps it, and what is called by an alias of that column too.
func (p Plan) Canonical(names []string) []string {
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

// Lacking warns of the declared columns that a file lacks. Where they are half or more of those that are kept it is an
// error: the file is another than the config describes. header is what the file has, nil where nothing says it.
func (b *Builder) Lacking(file string, absent, header []string, columns []ColumnSpec) error {
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
	b.Warnings = append(b.Warnings, fmt.Sprintf("%s: %s has no column %s: missing in all of its rows",
		b.Name, file, strings.Join(lacks, ", ")))
	return nil
}

// declared is how many columns of the config are not dropped.
func (b *Builder) declared(specs []ColumnSpec) (n int) {
	for _, s := range specs {
		if b.role(s.Name) != dropped {
			n++
		}
	}
	return n
}

func noColumn(name string, specs []ColumnSpec) error {
	names := namesOf(specs)
	return fmt.Errorf("the file has no column %q, which the data config names%s; it has %s",
		name, settings.DidYouMean(name, names), strings.Join(names, ", "))
}

func namesOf(specs []ColumnSpec) []string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}

// align brings the columns of a further file, or of what follows a further header, into the order of those before.
// Dropped columns may be there or not.
func (b *Builder) align(tf *TextFormat) error {
	for _, s := range tf.Specs {
		b.met[s.Name] = true
	}
	if b.specs == nil || tf.At != nil || slices.Equal(b.specs, tf.Specs) {
		return nil
	}
	place := map[string]int{}
	for k, s := range b.specs {
		place[s.Name] = k
	}
	at, has := make([]int, len(tf.Specs)), make([]bool, len(b.specs))
	var more []string
	for i, s := range tf.Specs {
		k, ok := place[s.Name]
		switch {
		case !ok && b.role(s.Name) == dropped:
			at[i] = -1
		case !ok && tf.Lenient:
			at[i] = -1
			more = append(more, s.Name)
		case !ok, has[k], b.specs[k].Type != s.Type && !tf.Lenient && b.role(s.Name) != dropped:
			return nil // fix says what differs
		default:
			at[i], has[k] = k, true
		}
	}
	var absent []int
	for k, s := range b.specs {
		if has[k] {
			continue
		}
		if b.role(s.Name) != dropped && !tf.Lenient {
			return nil
		}
		absent = append(absent, k)
	}
	if tf.Lenient {
		var lacks []string
		for _, k := range absent {
			lacks = append(lacks, b.specs[k].Name)
		}
		if err := b.Lacking(tf.File, lacks, namesOf(tf.Specs), b.specs); err != nil {
			return err
		}
		if len(more) > 0 {
			b.Warnings = append(b.Warnings, fmt.Sprintf("%s: %s has further columns, which are not read: %s",
				b.Name, tf.File, strings.Join(more, ", ")))
		}
	}
	tf.Specs, tf.At, tf.Absent = b.specs, at, absent
	return nil
}

func difference(a, b []ColumnSpec) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("column %d is %s (%s), was %s (%s)", i+1, b[i].Name, b[i].Type, a[i].Name, a[i].Type)
		}
	}
	return fmt.Sprintf("%d columns, were %d", len(b), len(a))
}
