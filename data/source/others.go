package source

import (
	"maps"
	"slices"

	"plumbline/data/derive"
	"plumbline/data/rows"
)

// ForFiles is the config for other files of the layout that it describes: what it says of its own files, such as their
// rows, is left out. Without labels nothing is taken for truth either, and no row is left out by it: the columns that
// hold it, and those that are dropped, may be there or not.
func (c *Config) ForFiles(files []string, labels bool) *Config {
	out := *c
	out.Files, out.Identify, out.Expect, out.tested = Files{Train: slices.Clone(files)}, nil, Expect{}, nil
	if !labels {
		out.Label = Label{Levels: slices.DeleteFunc(c.truthColumns(), func(name string) bool { return name == "" })}
		out.Drop = nil
	}
	return &out
}

// Trial is the config for a file of which nobody knows whether it is of the kind: reading it ends early where none of
// the first rows can be read.
func (c *Config) Trial() *Config {
	out := *c
	out.trial = true
	return &out
}

// truthColumns are those that hold the truth, and those that are dropped.
func (c *Config) truthColumns() []string {
	return slices.Concat([]string{c.Label.Column, c.Label.Class}, c.Label.Levels, c.Drop)
}

// WithoutTruth is ForFiles without labels for files whose columns are told by their order and that lack those of the
// truth; nil where that is no difference.
func (c *Config) WithoutTruth(files []string) *Config {
	d, ok := c.source.(*Delimited)
	if !ok || d.ByName {
		return nil
	}
	truth := c.truthColumns()
	short := *d
	short.Columns = slices.DeleteFunc(slices.Clone(d.Columns), func(s rows.ColumnSpec) bool {
		return slices.Contains(truth, s.Name)
	})
	if len(short.Columns) == len(d.Columns) {
		return nil
	}
	out := c.ForFiles(files, false)
	out.source = &short
	return out
}

// OfRows is the config without truth and without the derived columns that other rows play a part in, so that its rows
// can be read in blocks, and the names of those columns.
func (c *Config) OfRows() (*Config, []string) {
	out := c.ForFiles(c.Files.Train, false)
	types, others := c.columnTypes()
	var made []string
	out.Derive = slices.DeleteFunc(slices.Clone(c.Derive), func(d derive.Spec) bool {
		rolling := d.Expr == "" && len(d.Parts) == 0
		if rolling {
			made = slices.AppendSeq(made, maps.Keys(d.Made(types, others)))
		}
		return rolling
	})
	return out, made
}
