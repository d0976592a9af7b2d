package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"plumbline/runs/record"
)

// axesOf is where the data sets of runs stand on axes of robustness, by their names.
func axesOf(records []*record.Record) map[string]record.Axis {
	out := map[string]record.Axis{}
	for _, rec := range records {
		for _, d := range rec.Manifest.Data {
			if d.Axis != nil {
				out[d.Name] = *d.Axis
			}
		}
	}
	return out
}

// along is the groups that stand on the named axis, a list for each data set that is varied, by their values.
func (c *Comparison) along(axis string) (out [][]*Group) {
	at := map[string]int{}
	for i := range c.Groups {
		g := &c.Groups[i]
		a, ok := c.axes[g.Data]
		if !ok || a.Name != axis {
			continue
		}
		key := a.Of + "\x00" + g.Unit
		if _, known := at[key]; !known {
			at[key] = len(out)
			out = append(out, nil)
		}
		out[at[key]] = append(out[at[key]], g)
	}
	for _, groups := range out {
		slices.SortStableFunc(groups, func(x, y *Group) int {
			return cmp.Compare(c.axes[x.Data].Value, c.axes[y.Data].Value)
		})
	}
	return out
}

// curve is the table of models against the values of an axis of one data set: how each model fares along it. Marks are
// those of each value by itself; ranks over values of one data set would be of no use.
func (c *Comparison) curve(groups []*Group, axis string) (*Pivot, error) {
	p, err := c.pivot(groups, "data")
	if err != nil {
		return nil, err
	}
	p.Across, p.Ranks = axis, nil
	p.Data = c.axes[groups[0].Data].Of
	p.Title = fmt.Sprintf("%s, %s, unit %s, by %s", title(c.Metric), c.axes[groups[0].Data].Of, groups[0].Unit, axis)
	p.Columns = p.Columns[:0]
	for _, g := range groups {
		p.Columns = append(p.Columns, strconv.FormatFloat(c.axes[g.Data].Value, 'g', -1, 64))
	}
	return p, nil
}
