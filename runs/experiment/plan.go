package experiment

import (
	"fmt"

	_ "plumbline/data/synth"
)

// Cell is one training and test: a data set, a model and a seed.
type Cell struct {
	Set   *DataSet
	Entry *Entry
	Seed  uint64
	// FoldIndex is the fold's number, from 0, and Fold its name, empty where the split has one.
	FoldIndex int
	Fold      string
}

// Path is the cell's folder below the run directory, with slashes.
func (c Cell) Path() string {
	path := fmt.Sprintf("cells/%s/%s/s%d", c.Set.Config.Name, c.Entry.Label, c.Seed)
	if c.Fold != "" {
		path += "-" + c.Fold
	}
	return path
}

// Plan is the cells in the order of the experiment file: by data set, model, seed and fold. A deterministic
// model has one cell a data set and fold, with the first seed.
func (e *Experiment) Plan() []Cell {
	var out []Cell
	for i := range e.Sets {
		for j := range e.Entries {
			seeds := e.Seeds
			if !e.Entries[j].UsesSeed() {
				seeds = seeds[:1]
			}
			for _, s := range seeds {
				for k, part := range e.Sets[i].Split.FoldNames() {
					out = append(out, Cell{&e.Sets[i], &e.Entries[j], s, k, part})
				}
			}
		}
	}
	return out
}
