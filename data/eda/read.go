package eda

import (
	"context"
	"fmt"
	"strings"

	"plumbline/data"
	"plumbline/data/source"
)

// Part is the rows of a data set that are looked at.
type Part string

// The parts of a data set: all rows, or those of its official training or test files.
const (
	All   Part = ""
	Train Part = "train"
	Test  Part = "test"
)

// CutPart takes a part off the name of a data set, as in nsl-kdd:train.
func CutPart(name string) (string, Part) {
	for _, p := range []Part{Train, Test} {
		if rest, ok := strings.CutSuffix(name, ":"+string(p)); ok {
			return rest, p
		}
	}
	return name, All
}

// Read packs the rows of a data set as its files are read. Data sets whose rows cannot be read in blocks are held as a
// whole first, within the memory of the finder. said is given the rows so far and the share of the text that they
// are, 0 where that is not known; it may be nil.
func Read(ctx context.Context, cfg *source.Config, f source.Finder, part Part, o Options, said func(rows int,
	share float64)) (
	*Collector, []string, error,
) {
	c := NewCollector(o)
	rep, err := source.Stream(ctx, cfg, f, max(1, o.Workers), part != All, func(t *data.Table, share float64) error {
		if part != All {
			keep := make([]bool, t.Rows)
			for i, p := range t.Parts {
				keep[i] = (p == data.PartTest) == (part == Test)
			}
			t.Keep(keep)
		}
		if err := c.Add(ctx, t); err != nil {
			return err
		}
		if said != nil {
			said(c.rows, share)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if c.rows == 0 {
		return nil, nil, fmt.Errorf("eda: %s has no %s rows", cfg.Name, part)
	}
	if part != All {
		c.name += ":" + string(part)
	}
	return c, append(rep.Warnings, rep.Notes...), nil
}
