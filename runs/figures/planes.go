package figures

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/runs/compare"
	"plumbline/runs/plot"
)

// latentMethod is how coordinates.csv calls places by a model's own codes; after an epoch it has @ and the epoch.
const latentMethod = "latent"

// Planes is the test rows of a group in the plane by each method that the run kept coordinates of: by those that depend
// on no model once, by the codes of models for each row's first cell, with their way over the epochs that were kept as
// panels and as a film. Of a plane at most about the given number of points is drawn, of each class alike; 0: all.
func Planes(dir string, g *compare.Group, width float64, most int) (out []*plot.Figure, err error) {
	var shared, own []*plot.Figure
	for i := range g.Rows {
		for _, cell := range g.Rows[i].Results() {
			rows, err := table(dir, cell.Cell+"/coordinates.csv")
			if err != nil {
				return nil, err
			}
			if rows == nil {
				continue
			}
			panels, err := places(rows)
			if err != nil {
				return nil, err
			}
			for i := range panels {
				thin(&panels[i], most)
			}
			var path []plot.Panel
			first := shared == nil
			for _, p := range panels {
				switch {
				case strings.HasPrefix(p.Title, latentMethod):
					path = append(path, p)
				case first:
					shared = append(shared, plot.Scatter("plane-"+p.Title+"-"+g.Data, "Test rows of "+g.Data+
						" in the plane by "+p.Title, width, 0.8*width, plot.Axis{Label: "first coordinate"},
						plot.Axis{Label: "second coordinate"}, true, p.Clouds))
				}
			}
			own = append(own, codes(g.Data+"-"+g.Rows[i].Label, path, width)...)
			break
		}
	}
	return append(shared, own...), nil
}

// thin takes every second, third ... point of each cloud, the first among them.
func thin(p *plot.Panel, most int) {
	n := 0
	for _, c := range p.Clouds {
		n += len(c.X)
	}
	if most == 0 || n <= most {
		return
	}
	every := (n + most - 1) / most
	for i := range p.Clouds {
		c, k := &p.Clouds[i], 0
		for at := 0; at < len(c.X); at += every {
			c.X[k], c.Y[k] = c.X[at], c.Y[at]
			k++
		}
		c.X, c.Y = c.X[:k], c.Y[:k]
	}
}

// codes draws the last panel, and all of them where there are several.
func codes(name string, path []plot.Panel, width float64) (out []*plot.Figure) {
	if len(path) == 0 {
		return nil
	}
	for i := range path {
		_, epoch, early := strings.Cut(path[i].Title, "@")
		switch {
		case epoch == "0":
			path[i].Title = "before training"
		case early:
			path[i].Title = "after epoch " + epoch
		default:
			path[i].Title = "trained"
		}
	}
	last := path[len(path)-1]
	out = append(out, plot.Scatter("latent-"+name, "Codes of test rows: "+name, width, 0.8*width,
		plot.Axis{Label: "first component"}, plot.Axis{Label: "second component"}, true, last.Clouds))
	if len(path) > 1 {
		out = append(out, plot.Panels("latent-epochs-"+name, "Codes of test rows over the epochs: "+name, width, path),
			plot.Animated("latent-film-"+name, "Codes of test rows over the epochs, as a film: "+name, width, path))
	}
	return out
}

// places is the clouds of each method of coordinates.csv, in the order of the file: benign rows first, then classes by
// their number of rows, those beyond the colours as one.
func places(rows [][]string) (out []plot.Panel, err error) {
	at := func(name string) int { return slices.Index(rows[0], name) }
	method, kind, class := at("method"), at("kind"), at("class")
	x, y := column(rows, "x"), column(rows, "y")
	if method < 0 || kind < 0 || class < 0 || x == nil || y == nil {
		return nil, errors.New("figures: coordinates.csv lacks a column")
	}
	for i, r := range rows[1:] {
		m, name := r[method], "benign"
		if r[kind] != "benign" {
			name = cmp.Or(r[class], r[kind], "rows")
		}
		if len(out) == 0 || out[len(out)-1].Title != m {
			out = append(out, plot.Panel{Title: m, Clouds: []plot.Cloud{{Name: "benign"}}})
		}
		p := &out[len(out)-1]
		k := slices.IndexFunc(p.Clouds, func(c plot.Cloud) bool { return c.Name == name })
		if k < 0 {
			k = len(p.Clouds)
			p.Clouds = append(p.Clouds, plot.Cloud{Name: name})
		}
		c := &p.Clouds[k]
		c.X, c.Y = append(c.X, x[i]), append(c.Y, y[i])
	}
	for i := range out {
		clouds := out[i].Clouds
		slices.SortStableFunc(clouds[1:], func(a, b plot.Cloud) int { return cmp.Compare(len(b.X), len(a.X)) })
		if last := len(plot.Colours); len(clouds) > last+1 {
			rest := &clouds[last]
			rest.Name = fmt.Sprintf("%d others", len(clouds)-last)
			for _, c := range clouds[last+1:] {
				rest.X, rest.Y = append(rest.X, c.X...), append(rest.Y, c.Y...)
			}
			out[i].Clouds = clouds[:last+1]
		}
	}
	return out, nil
}
