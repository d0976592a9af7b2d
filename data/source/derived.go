package source

import (
	"fmt"
	"maps"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/rows"
)

// columnTypes are the columns of the table as far as the config says them, and whether the files may have others.
func (c *Config) columnTypes() (columns map[string]data.ColumnType, others bool) {
	columns = map[string]data.ColumnType{}
	specs := c.source.Schema()
	others = specs == nil
	if d, ok := c.source.(*Delimited); ok && others {
		for name, kind := range d.Types {
			specs = append(specs, rows.Apart([]rows.ColumnSpec{{Name: name, Type: kind}})...)
		}
	}
	for _, s := range specs {
		if s.Name != c.Label.Column && s.Name != c.Label.Class && !slices.Contains(c.Drop, s.Name) {
			columns[s.Name] = s.Type.ColumnType()
		}
	}
	return columns, others
}

// checkDerived checks repairs and derived columns against the columns that are known before any file is read.
func (c *Config) checkDerived(doc settings.Node) (ps settings.Problems) {
	if len(c.Repair)+len(c.Derive) == 0 {
		return nil
	}
	columns, others := c.columnTypes()
	if at, ok := doc.Get("repair"); ok {
		for i, r := range c.Repair {
			if err := r.Check(columns, others); err != nil {
				ps = append(ps, at.Items()[i].Problem("%v", err))
			}
		}
	}
	if at, ok := doc.Get("derive"); ok {
		for i, d := range c.Derive {
			if err := d.Check(columns, others); err != nil {
				ps = append(ps, at.Items()[i].Problem("%v", err))
			}
			maps.Copy(columns, d.Made(columns, others))
		}
	}
	return ps
}

// derive repairs the values of a table and adds the config's derived columns, and says what it repaired.
func (c *Config) derive(t *data.Table, workers int) (notes []string, err error) {
	repaired := make([]int, len(c.Repair))
	if err := c.deriveBlock(t, workers, repaired); err != nil {
		return nil, err
	}
	return c.repairs(repaired, t.Rows), nil
}

// deriveBlock is derive for some of the rows, and adds to repaired how many of them each repair changed.
func (c *Config) deriveBlock(t *data.Table, workers int, repaired []int) error {
	for i, r := range c.Repair {
		n, err := r.Apply(t, workers)
		if err != nil {
			return fmt.Errorf("data: %s: repair.%d: %w", t.Name, i, err)
		}
		repaired[i] += n
	}
	for i, d := range c.Derive {
		if err := d.Add(t, workers); err != nil {
			return fmt.Errorf("data: %s: derive.%d: %w", t.Name, i, err)
		}
	}
	return nil
}

// repairs says how many of the rows each repair changed.
func (c *Config) repairs(repaired []int, rows int) (notes []string) {
	for i, n := range repaired {
		notes = append(notes, fmt.Sprintf("repair (%s): %d of %d rows have values that were set to missing", c.Repair[i], n,
			rows))
	}
	return notes
}
