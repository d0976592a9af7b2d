package infer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data/columnar"
	"plumbline/data/guess"
	"plumbline/data/input"
	"plumbline/data/parquet"
)

// errEnough ends the reading of a column of which enough was seen.
var errEnough = errors.New("enough rows")

// inferParquet looks at the first rows of each column. The file knows its columns and their types; what is
// left to find is the label, texts that are numbers, times or addresses, and seconds that are times.
func inferParquet(in *input.Input, name string) ([]byte, error) {
	file, err := columnar.Open(in)
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", name, err)
	}
	if file.Rows == 0 {
		return nil, fmt.Errorf("data: %s: no rows", name)
	}
	f := &findings{}
	var drop []string
	var types strings.Builder
	for _, field := range columnar.Fields(file, func(string) bool { return false }) {
		if field.Wrong != "" {
			drop = append(drop, field.Spec.Name)
			continue
		}
		g := guess.New(field.Spec.Name)
		if err := lookAt(g, file, field); err != nil {
			return nil, fmt.Errorf("data: %s: column %q: %w", name, field.Spec.Name, err)
		}
		g.Decide()
		switch own := field.Spec.Type; {
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
func lookAt(g *guess.Column, file *parquet.File, f columnar.Field) error {
	rows := 0
	err := f.Texts(file, func(text string) {
		g.Infinite = g.Infinite || f.Spec.Type == "number" && slices.Contains([]string{"NaN", "+Inf", "-Inf"}, text)
		g.Look(strings.TrimSpace(text))
	}, func(n int) error {
		if rows += n; rows >= inferRows {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
