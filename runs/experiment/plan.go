package experiment

import (
	"fmt"
	"math"

	"plumbline/configs/settings"
	_ "plumbline/data/flows"
	_ "plumbline/data/synth"
	"plumbline/models"
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

// ModelSeed is the seed of the cell's model. Folds have one each, from 1 to 2³²−2, drawn by the cell's seed: with one
// for all, the mean over folds would have the error of a single draw. In a split without folds it is the cell's.
func (c Cell) ModelSeed() uint64 {
	if c.Fold == "" {
		return c.Seed
	}
	return 1 + models.Env{Seed: c.Seed}.Rand("fold "+c.Fold).Uint64N(math.MaxUint32-1)
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

// Resolved is the experiment as one YAML file that needs no other: every data config and every parameter
// is in it. Loading it gives the same experiment.
func (e *Experiment) Resolved() ([]byte, error) {
	sets := make([]settings.Node, len(e.Sets))
	for i := range e.Sets {
		sets[i] = e.Sets[i].Doc
	}
	type entry struct {
		Model  string      `yaml:"model"`
		Label  string      `yaml:"label"`
		Params models.Spec `yaml:"params"`
	}
	var entries []entry
	for _, m := range e.Entries {
		entries = append(entries, entry{m.Info.Name, m.Label, m.Spec})
	}
	var out settings.Map
	add := func(key string, given bool, value any) {
		if given {
			out = append(out, settings.Setting{Key: key, Value: value})
		}
	}
	add("name", true, e.Name)
	add("doc", e.Config.Doc != "", e.Config.Doc)
	add("pseudonym_key", e.PseudonymKey != "", e.PseudonymKey)
	add("data", true, sets)
	add("models", true, entries)
	add("controls", true, "off") // those that were added stand in models
	add("seeds", true, e.Seeds)
	add("split", e.Config.Split.Given(), e.Config.Split)
	add("prep", e.Config.Prep.Given(), e.Config.Prep)
	add("traces", e.Config.Traces.Given(), e.Config.Traces)
	add("threshold", true, e.Threshold)
	add("operating", true, e.Operating)
	add("unit", e.Config.Unit != nil, e.Config.Unit)
	add("min_flows", true, e.MinFlows)
	add("aggregate", true, e.Aggregate)
	add("protocol", true, e.Protocol)
	add("bootstrap", true, e.Bootstrap)
	add("workers", true, e.Workers)
	add("timeout", e.Timeout != "", e.Timeout)
	add("audit", true, e.Audit)
	add("keep", true, e.Keep)
	add("published", len(e.Published) > 0, e.Published)
	add("tune", e.Tune != nil, e.Tune)
	add("launch", e.Launch != nil, e.Launch)
	text, err := settings.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("runs: experiment.yaml: %w", err)
	}
	return text, nil
}
