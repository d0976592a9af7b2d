package figures

import (
	"io/fs"

	"plumbline/runs/compare"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

// All is every figure that a run's directory has what it takes for, of a width in pixels: of each data set the curves,
// scores, classes, decisions, achieved false-positive rates, training, coordinates, causes, machines and published
// values, of all the critical differences, and of runs that vary something each model against it. configs are the
// program's, for published values, and may be nil.
func All(rec *record.Record, configs fs.FS, width float64) (out []*plot.Figure, err error) {
	c, err := compare.Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		return nil, err
	}
	if configs != nil {
		if err := c.AddPublished(configs, false); err != nil {
			return nil, err
		}
	}
	add := func(f *plot.Figure) {
		if f != nil {
			out = append(out, f)
		}
	}
	if o, err := c.OverDataSets(); err == nil && len(c.Groups) > 1 {
		if f, err := o.Diagram(width); err == nil { // an error says that there are too few data sets
			add(f)
		}
	}
	robust, err := Robustness(rec, c, width)
	if err != nil {
		return nil, err
	}
	out = append(out, robust...)
	from := &Reader{Dir: rec.Dir}
	for i := range c.Groups {
		g := &c.Groups[i]
		var all []*Curves
		for k := range g.Rows {
			of, err := from.Curves(&g.Rows[k])
			if err != nil {
				return nil, err
			}
			if of != nil {
				all = append(all, of)
			}
		}
		if len(all) > 0 {
			add(ROC(g.Data, all, width))
			add(PR(g.Data, all, width))
			add(Classes(g.Data, all, width))
			for _, one := range all[:min(len(all), len(plot.Colours))] {
				add(Scores(g.Data, one, width))
				add(Confusion(g.Data, one, width))
			}
		}
		add(Achieved(g, width))
		training, err := Training(rec.Dir, g, width)
		if err != nil {
			return nil, err
		}
		add(training)
		planes := func(dir string, g *compare.Group, width float64) ([]*plot.Figure, error) {
			return Planes(dir, g, width, 0)
		}
		for _, of := range []func(string, *compare.Group, float64) ([]*plot.Figure, error){planes, Causes} {
			more, err := of(rec.Dir, g, width)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		out = append(out, Machines(rec.Dir, g, width)...)
		for k := range g.Published {
			add(Published(g.Data, &g.Published[k], width))
		}
	}
	return out, nil
}
