package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data/input"
	"plumbline/data/parquet"
)

// errEnough ends the reading of a column of which enough was seen.
var errEnough = errors.New("enough rows")

// inferParquet looks at the first rows of each column. The file knows its columns and their types; what is
// left to find is the label, texts that are numbers, times or addresses, and seconds that are times.
func inferParquet(in *input.Input, name string) ([]byte, error) {
	file, err := openParquet(in)
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	if file.Rows == 0 {
		return nil, fmt.Errorf("data: %s: no rows", name)
	}
	var columns []guess
	var drop []string
	var types strings.Builder
	for _, f := range parquetFields(file, func(string) bool { return false }) {
		if f.wrong != "" {
			drop = append(drop, f.spec.Name)
			continue
		}
		g := guess{name: f.spec.Name, values: map[string]int{}}
		if err := g.lookAt(file, f); err != nil {
			return nil, fmt.Errorf("data: %s: column %q: %w", name, f.spec.Name, err)
		}
		g.decide()
		switch own := f.spec.Type; {
		case own == "time" || own == "number" && g.kind != "time":
			g.kind, g.layout = own, ""
		case own != g.kind:
			fmt.Fprintf(&types, "    %s: %s\n", quoteYAML(g.name), g.kind)
		}
		columns = append(columns, g)
	}
	var b strings.Builder
	writeHead(&b, name, "parquet")
	is := writeTruth(&b, columns, drop)
	b.WriteString("options:\n")
	is.writeReading(&b)
	if types.Len() > 0 {
		b.WriteString("  types:\n" + types.String())
	}
	is.writeDefaults(&b)
	return []byte(b.String()), nil
}

// lookAt takes the first values of a column in.
func (g *guess) lookAt(file *parquet.File, f parquetField) error {
	c := &parquetColumn{column: &file.Columns[f.column]}
	rows := 0
	for group := range file.Groups {
		err := file.Read(context.Background(), group, f.column, func(p *parquet.Page) error {
			k := 0
			for i := range p.Rows {
				if p.Valid != nil && !p.Valid[i] {
					continue
				}
				v, at := &p.Values, k
				if p.Dict != nil {
					v, at = p.Dict, int(p.Index[k])
				}
				k++
				var err error
				if c.text, err = c.appendText(c.text[:0], v, at); err != nil {
					continue // reading counts such rows
				}
				text := string(c.text)
				g.infinite = g.infinite ||
					f.spec.Type == "number" && slices.Contains([]string{"NaN", "+Inf", "-Inf"}, text)
				g.look(strings.TrimSpace(text))
			}
			if rows += p.Rows; rows >= inferRows {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}
