package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data/guess"
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
	f := &findings{}
	var drop []string
	var types strings.Builder
	for _, field := range parquetFields(file, func(string) bool { return false }) {
		if field.wrong != "" {
			drop = append(drop, field.spec.Name)
			continue
		}
		g := guess.New(field.spec.Name)
		if err := lookAt(g, file, field); err != nil {
			return nil, fmt.Errorf("data: %s: column %q: %w", name, field.spec.Name, err)
		}
		g.Decide()
		switch own := field.spec.Type; {
		case own == "time" || own == "number" && g.Kind != guess.Time:
			g.Kind, g.Layout = string(own), ""
		case string(own) != g.Kind:
			fmt.Fprintf(&types, "    %s: %s\n", quoteYAML(g.Name), g.Kind)
		}
		f.columns = append(f.columns, g)
	}
	var b strings.Builder
	writeHead(&b, name, "parquet")
	is := f.writeTruth(&b, drop)
	b.WriteString("options:\n")
	is.writeReading(&b)
	if types.Len() > 0 {
		b.WriteString("  types:\n" + types.String())
	}
	is.writeDefaults(&b)
	return []byte(b.String()), nil
}

// lookAt takes the first values of a column in.
func lookAt(g *guess.Column, file *parquet.File, f parquetField) error {
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
				g.Infinite = g.Infinite ||
					f.spec.Type == "number" && slices.Contains([]string{"NaN", "+Inf", "-Inf"}, text)
				g.Look(strings.TrimSpace(text))
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
