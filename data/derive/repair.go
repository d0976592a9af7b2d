package derive

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/data"
)

// Repair sets values that cannot be right to missing.
type Repair struct {
	// what is wrong: negative (a number below 0), port (a number that is none of 0 to 65,535), not_binary (a flag that is
	// neither 0 nor 1), end_before_start (columns: start, end; the end becomes missing), bytes_without_packets (columns:
	// bytes, packets; both become missing)
	Error string `yaml:"error" jsonschema:"enum=,enum=negative,enum=port,enum=not_binary,enum=end_before_start,enum=bytes_without_packets"`
	// an expression as of derive that is true where the columns are wrong, in place of error
	Where string `yaml:"where"`
	// columns that are looked at, and that become missing
	Columns []string `yaml:"columns" jsonschema:"minItems=1"`
}

// pairs are the errors that are of two columns.
var pairs = []string{"end_before_start", "bytes_without_packets"}

// Check says what contradicts itself, as [Spec.Check] does.
func (r Repair) Check(columns map[string]data.ColumnType, others bool) error {
	switch {
	case (r.Error == "") == (r.Where == ""):
		return errors.New("repair: want one of error and where")
	case len(r.Columns) == 0:
		return errors.New("repair: names no column")
	case slices.Contains(pairs, r.Error) && len(r.Columns) != 2:
		return fmt.Errorf("repair: %s is of two columns, %d are given", r.Error, len(r.Columns))
	}
	for _, c := range r.Columns {
		if _, ok := columns[c]; !ok && !others {
			return fmt.Errorf("repair: no column %q; there are %s", c, known(columns))
		}
	}
	if r.Where == "" {
		return nil
	}
	p, err := compile(r.Where, columns, others)
	if err == nil && !p.boolean {
		err = fmt.Errorf("where %q is no condition: want true or false", r.Where)
	}
	return err
}

// Apply sets the wrong values to missing, and returns how many rows had one.
func (r Repair) Apply(t *data.Table, workers int) (rows int, err error) {
	columns := make([]*data.Column, len(r.Columns))
	for i, name := range r.Columns {
		if columns[i], err = t.Column(name); err != nil {
			return 0, err
		}
	}
	if r.Where != "" {
		return r.applyWhere(t, columns, workers)
	}
	wrong, err := errorOf(r.Error, columns)
	if err != nil {
		return 0, err
	}
	for i := range t.Rows {
		hit := false
		switch r.Error {
		case "end_before_start":
			if hit = wrong(i, nil); hit {
				miss(columns[1], i)
			}
		case "bytes_without_packets":
			if hit = wrong(i, nil); hit {
				miss(columns[0], i)
				miss(columns[1], i)
			}
		default:
			for _, c := range columns {
				if wrong(i, c) {
					miss(c, i)
					hit = true
				}
			}
		}
		if hit {
			rows++
		}
	}
	return rows, nil
}

func (r Repair) applyWhere(t *data.Table, columns []*data.Column, workers int) (rows int, err error) {
	p, err := compile(r.Where, types(t), false)
	if err != nil {
		return 0, err
	}
	wrong := make([]bool, t.Rows)
	err = p.run(t, workers, func(row int, v any) error {
		wrong[row], _ = v.(bool)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("where %q: %w", r.Where, err)
	}
	for i, w := range wrong {
		if w {
			rows++
			for _, c := range columns {
				miss(c, i)
			}
		}
	}
	return rows, nil
}

func (r Repair) String() string {
	if r.Where != "" {
		return r.Where
	}
	return strings.ReplaceAll(r.Error, "_", " ") + " " + strings.Join(r.Columns, ", ")
}

func miss(c *data.Column, row int) {
	switch c.Type {
	case data.Number:
		c.Num[row] = math.NaN()
	case data.Time:
		c.Nanos[row] = data.NoTime
	default:
		c.Code[row] = data.Missing
	}
}

// errorOf says whether a row has an error. Errors of two columns look at both, whatever column is asked for.
func errorOf(name string, columns []*data.Column) (func(row int, c *data.Column) bool, error) {
	for _, c := range columns {
		if c.Type != data.Number && !(name == "end_before_start" && c.Type == data.Time) {
			return nil, fmt.Errorf("repair: %s: column %s is of type %v", name, c.Name, c.Type)
		}
	}
	switch name {
	case "negative":
		return func(i int, c *data.Column) bool { return c.Num[i] < 0 }, nil
	case "port":
		return func(i int, c *data.Column) bool {
			v := c.Num[i]
			return v < 0 || v > 65535 || v != math.Floor(v) && v == v
		}, nil
	case "not_binary":
		return func(i int, c *data.Column) bool { v := c.Num[i]; return v != 0 && v != 1 && v == v }, nil
	case "bytes_without_packets":
		bytes, packets := columns[0], columns[1]
		return func(i int, _ *data.Column) bool { return bytes.Num[i] > 0 && packets.Num[i] == 0 }, nil
	}
	start, end := columns[0], columns[1]
	if start.Type != end.Type {
		return nil, fmt.Errorf("repair: %s and %s are of different types", start.Name, end.Name)
	}
	if start.Type == data.Number {
		return func(i int, _ *data.Column) bool { return end.Num[i] < start.Num[i] }, nil
	}
	return func(i int, _ *data.Column) bool {
		return end.Nanos[i] != data.NoTime && start.Nanos[i] != data.NoTime && end.Nanos[i] < start.Nanos[i]
	}, nil
}
