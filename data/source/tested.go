package source

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/data/join"
)

// readTested joins the rows of the data set that a config is tested on to its own.
func (c *Config) readTested(ctx context.Context, t *data.Table, rep *ReadReport, f Finder, workers int) (
	*data.Table, *ReadReport, error,
) {
	test, more, err := Read(ctx, c.tested, f, workers)
	if err != nil {
		return nil, nil, fmt.Errorf("test_set: %w", err)
	}
	both, dropped, err := join.Common(c.Name, t, test)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: test_set: %w", c.Name, err)
	}
	if err := c.checkOrigins(both.Origins); err != nil {
		return nil, nil, err
	}
	rep.Rows, rep.Bad = both.Rows, rep.Bad+more.Bad
	rep.Examples = append(rep.Examples, more.Examples...)
	for _, w := range more.Warnings {
		rep.Warnings = append(rep.Warnings, c.said(w))
	}
	rep.Notes = append(rep.Notes, more.Notes...)
	said := fmt.Sprintf("trained on %d rows of its own, tested on %d of %s, in %d columns that both have",
		t.Rows, test.Rows, c.tested.Name, len(both.Columns))
	if len(dropped) > 0 {
		said += "; left out: " + join.Names(dropped)
	}
	rep.Notes = append(rep.Notes, said)
	return both, rep, nil
}

// TrainingFiles is the config without its official test files, so that reading it opens none of them. A data set that
// is tested on another has no training part of its own: the columns that it keeps depend on the other.
func (c *Config) TrainingFiles() (*Config, error) {
	if c.tested != nil {
		return nil, fmt.Errorf("data: %s: its columns are those that %s has too, which only the test rows tell", c.Name,
			c.tested.Name)
	}
	out := *c
	out.Files.Test = nil
	out.Expect = Expect{} // of all files together
	return &out, nil
}
