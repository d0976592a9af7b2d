package plot

import (
	"fmt"
	"html"
	"strings"
)

// Panel is clouds of one plane under a title.
type Panel struct {
	Title  string
	Clouds []Cloud
}

// Panels draws planes side by side, three in a row, on the same axes, so that points can be followed from one to the
// next. Clouds of the same place in each panel have the same colour and name.
func Panels(name, title string, width float64, panels []Panel) *Figure {
	x, y := planeOf(panels)
	return panelsOn(name, title, width, panels, x, y)
}

func panelsOn(name, title string, width float64, panels []Panel, x, y Axis) *Figure {
	const above, gap, across = 20, 10, 3
	n := min(across, len(panels))
	side := (width - gap*float64(n+1)) / float64(n)
	rows := (len(panels) + across - 1) / across
	radius := 1.3
	if n == 1 {
		radius = 2 // a film has one panel as wide as the figure
	}
	f := &Figure{Name: name, Title: title, Width: width, Height: float64(rows)*(side+above+gap) + gap}
	f.Table = [][]string{{"panel", "x", "y", "class"}}
	for i, p := range panels {
		left, top := gap+float64(i%across)*(side+gap), float64(i/across)*(side+above+gap)+above
		f.text(left+side/2, top-6, "middle", cut(p.Title, side))
		f.add(shape{class: "frame", closed: true, points: []point{{left, top}, {left + side, top}, {left + side, top + side},
			{left, top + side}}})
		for k, c := range p.Clouds {
			if i == 0 {
				f.keys = append(f.keys, legendKey{c.Name, cloudColour(k)})
			}
			for m := range c.X {
				f.add(shape{class: "cloud", colour: cloudColour(k), radius: radius,
					points: []point{{left + side*x.at(c.X[m]), top + side*(1-y.at(c.Y[m]))}}})
				f.Table = append(f.Table, []string{p.Title, exact(c.X[m]), exact(c.Y[m]), c.Name})
			}
		}
	}
	return f
}

// planeOf is axes that hold the clouds of all panels, of one scale.
func planeOf(panels []Panel) (x, y Axis) {
	var all []Cloud
	for _, p := range panels {
		all = append(all, p.Clouds...)
	}
	x.span(all, func(c *Cloud) []float64 { return c.X })
	y.span(all, func(c *Cloud) []float64 { return c.Y })
	if more := (x.High - x.Low) - (y.High - y.Low); more > 0 {
		y.Low, y.High = y.Low-more/2, y.High+more/2
	} else {
		x.Low, x.High = x.Low+more/2, x.High-more/2
	}
	return x, y
}

// Animated draws the panels one after the other in one place, each for a second: in SVG files, as other formats show
// the last.
func Animated(name, title string, width float64, panels []Panel) *Figure {
	x, y := planeOf(panels)
	var frames []*Figure
	for i := range panels {
		frames = append(frames, panelsOn(name, title, width, panels[i:i+1], x, y))
	}
	f := *frames[len(frames)-1]
	f.frames, f.Table = frames, nil
	for i, one := range frames {
		f.Table = append(f.Table, one.Table[min(i, 1):]...)
	}
	return &f
}

// film is the frames as elements of which one shows at a time.
func (f *Figure) film() string {
	var b strings.Builder
	for i, frame := range f.frames {
		var values []string
		for k := range f.frames {
			if k == i {
				values = append(values, "visible")
			} else {
				values = append(values, "hidden")
			}
		}
		fmt.Fprintf(&b, `<g visibility="hidden"><animate attributeName="visibility" values="%s" dur="%ds" `+
			`calcMode="discrete" repeatCount="indefinite"/>`, html.EscapeString(strings.Join(values, ";")), len(f.frames))
		writeShapes(&b, frame.shapes)
		b.WriteString("</g>")
	}
	return b.String()
}
