package dashboard

import (
	"strconv"

	"plumbline/data"
	"plumbline/data/source"
	"plumbline/runs/bundle"
	"plumbline/runs/record"
)

// Parts of a table in the run of its model.
const testedPart, otherPart = "test", "training, threshold or left out"

// tested marks the rows of a table that tested a model in its run; nil where that is not known: of another data set, of
// a model file without its run, of units other than flows, or where the scores of the cell are of other rows.
func tested(b *bundle.Bundle, c *source.Config, t *data.Table) []bool {
	if c.Name != b.Data || len(b.Unit.Columns) > 0 || b.Provenance != nil {
		return nil
	}
	lines, err := record.OpenScores(b.Path, "")
	if err != nil {
		return nil // a cell need not keep its scores
	}
	defer lines.Close()
	if head, err := lines.Next(); err != nil || len(head) < 4 || head[0] != "row" || head[3] != "attack" {
		return nil
	}
	out, some := make([]bool, t.Rows), false
	for {
		line, err := lines.Next()
		if err != nil {
			return nil
		}
		if line == nil {
			break
		}
		row, err := strconv.Atoi(line[0])
		if err != nil || row < 0 || row >= t.Rows || t.Attack != nil && line[3] != "" && t.Attack[row] != (line[3] == "1") {
			return nil
		}
		out[row], some = true, true
	}
	if !some {
		return nil
	}
	return out
}

// partColumn is the rows of a table by their part in the run of the model.
func partColumn(tested []bool) *data.Column {
	c := &data.Column{Name: "part of the run", Type: data.Category, Levels: []string{testedPart, otherPart},
		Code: make([]uint32, len(tested))}
	for i, on := range tested {
		if !on {
			c.Code[i] = 1
		}
	}
	return c
}
