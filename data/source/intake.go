package source

import (
	"fmt"
	"strings"

	"plumbline/data"
	"plumbline/data/rows"
)

// intake is the rows of a data set as its files are read, and what there is to say about them.
type intake struct {
	*rows.Builder
	config  *Config
	read    [2]int // rows by part, before any are left out
	origins []data.Origin
	joined  []data.Origin // files that label the rows of others
	badIn   []int         // unreadable rows by file
	notes   []string
}

func newIntake(c *Config) *intake {
	in := &intake{config: c, Builder: rows.NewBuilder(rows.Plan{
		Name: c.Name, Label: c.Label.Column, Class: c.Label.Class, Levels: c.Label.Levels, Drop: c.Drop,
		Single: len(c.Files.Train)+len(c.Files.Test) == 1, Aliases: c.Aliases, Foreign: c.foreign,
	})}
	if c.trial {
		in.Hopeless = trialRows
	}
	return in
}

// trialRows is after how many rows that cannot be read a trial ends.
const trialRows = 1000

// tooManyBad is an error where more rows of a file cannot be read than the config allows.
func (in *intake) tooManyBad(file string, bad, rows int) error {
	if share := float64(bad) / float64(rows); share <= in.config.MaxBad {
		return nil
	}
	return fmt.Errorf(
		"data: %s: %s: %d of %d rows cannot be read, more than the share of %g that max_bad_share allows:\n  %s",
		in.config.Name, file, bad, rows, in.config.MaxBad, joinBad(in.Examples))
}

// joinBad is bad rows a line each. They may have addresses in the wrong columns, which [Config.hidden] takes out.
func joinBad(bad []rows.BadRow) string {
	lines := make([]string, len(bad))
	for i, b := range bad {
		lines[i] = b.String()
	}
	return strings.Join(lines, "\n  ")
}

func (in *intake) origin(o data.Origin, bad int) {
	in.origins, in.badIn = append(in.origins, o), append(in.badIn, bad)
}

// finish is the table of all rows with their truth.
func (in *intake) finish() (*data.Table, error) {
	t, err := in.Table()
	if err != nil {
		return nil, err
	}
	t.Origins, t.Parts = in.origins, make([]data.Part, t.Rows)
	for _, o := range in.origins {
		for i := o.FirstRow; i < o.FirstRow+o.Rows; i++ {
			t.Parts[i] = o.Part
		}
	}
	labels, classes := in.Truth()
	if labels == nil && len(in.config.Label.Files) == 0 {
		return t, nil
	}
	return t, in.judge(t, labels, classes)
}
