package plot

import (
	"fmt"
	"html"
	"io"
	"math"
	"strconv"
	"strings"

	"plumbline/runs/visible"
)

// Inline is the figure as an element of an HTML page, which says how classes look.
func (f *Figure) Inline() string { return f.element("", false) }

// InlineLegend is the figure as an element of an HTML page, with its legend in it.
func (f *Figure) InlineLegend() string { return f.element("", true) }

// SVG writes the figure as a file of its own.
func (f *Figure) SVG(w io.Writer) error {
	if _, err := io.WriteString(w, f.element(` xmlns="http://www.w3.org/2000/svg"`, true)+"\n"); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// style is how classes look in a file of its own.
func style() string {
	var b strings.Builder
	fmt.Fprintf(&b, "text{font:%dpx sans-serif;fill:%s}", textSize, textColour)
	for _, l := range looks {
		fmt.Fprintf(&b, ".%s{", strings.ReplaceAll(l.class, " ", "."))
		switch l.fill {
		case "":
			b.WriteString("fill:none;")
		case "-":
		default:
			fmt.Fprintf(&b, "fill:%s;", l.fill)
		}
		if l.stroke != "" && l.stroke != "-" {
			fmt.Fprintf(&b, "stroke:%s;", l.stroke)
		}
		if l.width != 0 {
			fmt.Fprintf(&b, "stroke-width:%s;stroke-linejoin:round;", number(l.width))
		}
		if l.dash != nil {
			fmt.Fprintf(&b, "stroke-dasharray:%s %s;", number(l.dash[0]), number(l.dash[1]))
		}
		if l.opacity != 0 {
			fmt.Fprintf(&b, "opacity:%s;", strconv.FormatFloat(l.opacity, 'g', -1, 64))
		}
		b.WriteString("}")
	}
	return b.String()
}

func (f *Figure) element(namespace string, withLegend bool) string {
	var b strings.Builder
	shapes, above := f.shapes, 0.0
	head := ""
	if withLegend {
		var legend []shape
		legend, above = f.legend()
		shapes = append(legend, shapes...)
	}
	if namespace != "" {
		head = fmt.Sprintf(` width="%s" height="%s"`, number(f.Width), number(f.Height+above))
	}
	fmt.Fprintf(&b, `<svg%s%s viewBox="0 %s %s %s" role="img" aria-label="%s">`, namespace, head, number(-above),
		number(f.Width), number(f.Height+above), html.EscapeString(visible.Text(f.Title)))
	if namespace != "" {
		b.WriteString("<style>" + style() + "</style>")
	}
	if namespace != "" && f.frames != nil {
		writeShapes(&b, shapes[:len(shapes)-len(f.shapes)])
		b.WriteString(f.film())
	} else {
		writeShapes(&b, shapes)
	}
	b.WriteString("</svg>")
	return b.String()
}

func writeShapes(b *strings.Builder, shapes []shape) {
	for i := 0; i < len(shapes); {
		n := cloud(shapes[i:])
		if n > 1 {
			dots(b, shapes[i:i+n])
		} else {
			n = 1
			shapes[i].svg(b)
		}
		i += n
	}
}

// cloud is how many shapes from the first on are points of one cloud.
func cloud(shapes []shape) (n int) {
	for n < len(shapes) && shapes[n].class == "cloud" && shapes[n].colour == shapes[0].colour && shapes[n].tip == "" {
		n++
	}
	return n
}

// dots writes the points of a cloud as one element: strokes without length, whose ends are round.
func dots(b *strings.Builder, shapes []shape) {
	fmt.Fprintf(b, `<path class="cloud" fill="none" stroke="%s" stroke-width="%s" stroke-linecap="round" d="`,
		shapes[0].colour, number(2*shapes[0].radius))
	for _, s := range shapes {
		b.WriteString("M" + number(s.points[0].x) + " " + number(s.points[0].y) + "h0")
	}
	b.WriteString(`"/>`)
}

// svg writes the shape as an element.
func (s *shape) svg(b *strings.Builder) {
	at := s.points[0]
	look := ""
	if s.class != "" {
		look = ` class="` + s.class + `"`
		kind := "fill"
		if lookOf(s.class).fill == "" {
			kind = "stroke"
		}
		if s.colour != "" {
			look += fmt.Sprintf(` %s="%s"`, kind, s.colour)
		}
		if s.opacity != 0 {
			look += fmt.Sprintf(` %s-opacity="%s"`, kind, strconv.FormatFloat(s.opacity, 'f', 2, 64))
		}
	}
	tag := ""
	switch {
	case s.text != "":
		anchor := s.anchor
		if anchor == "" {
			anchor = "start"
		}
		tag = "text"
		fmt.Fprintf(b, `<text%s x="%s" y="%s" text-anchor="%s"`, look, number(at.x), number(at.y), anchor)
		if s.upright {
			fmt.Fprintf(b, ` transform="rotate(-90 %s %s)"`, number(at.x), number(at.y))
		}
	case s.radius > 0:
		tag = "circle"
		fmt.Fprintf(b, `<circle%s cx="%s" cy="%s" r="%s"`, look, number(at.x), number(at.y), number(s.radius))
	case len(s.points) == 2:
		tag = "line"
		fmt.Fprintf(b, `<line%s x1="%s" y1="%s" x2="%s" y2="%s"`, look, number(at.x), number(at.y),
			number(s.points[1].x), number(s.points[1].y))
	default:
		tag = "path"
		end := ""
		if s.closed {
			end = "Z"
		}
		fmt.Fprintf(b, `<path%s d="%s%s"`, look, path(s.points), end)
	}
	if s.text == "" && s.tip == "" {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + html.EscapeString(s.text))
	if s.tip != "" {
		b.WriteString("<title>" + html.EscapeString(s.tip) + "</title>")
	}
	b.WriteString("</" + tag + ">")
}

// path is points as the d of a path element.
func path(points []point) string {
	var b strings.Builder
	for i, p := range points {
		switch {
		case i == 0:
			b.WriteString("M" + number(p.x) + " " + number(p.y))
		case p.y == points[i-1].y:
			b.WriteString("H" + number(p.x))
		case p.x == points[i-1].x:
			b.WriteString("V" + number(p.y))
		default:
			b.WriteString("L" + number(p.x) + " " + number(p.y))
		}
	}
	return b.String()
}

// number is a coordinate to a tenth of a pixel.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64) // no negative zero
}
