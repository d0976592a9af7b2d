package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"time"

	"plumbline/runs/visible"

	"codeberg.org/go-pdf/fpdf"
	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/font/gofont/goregular"
)

// Units of length: pixels of a screen and points of paper to an inch.
const pixelsPerInch, pointsPerInch = 96, 72

// drawn is the look of a shape with what the shape says itself.
func (s *shape) drawn() look {
	if s.text != "" && s.class == "" {
		return look{fill: textColour, opacity: 1}
	}
	l := lookOf(s.class)
	for _, of := range []*string{&l.stroke, &l.fill} {
		if *of != "" && s.colour != "" && (of == &l.fill || l.fill == "") {
			*of = s.colour
		}
	}
	if s.opacity != 0 {
		l.opacity = s.opacity
	}
	if l.opacity == 0 {
		l.opacity = 1
	}
	return l
}

// rgb is a colour of the form #rrggbb.
func rgb(s string) (r, g, b int) {
	v, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		panic("plot: no colour: " + s) // a fault of this package
	}
	return int(v >> 16), int(v >> 8 & 255), int(v & 255)
}

// PDF writes the figure as one page of its size, with its font embedded.
func (f *Figure) PDF(w io.Writer) error {
	const scale = pointsPerInch / float64(pixelsPerInch)
	legend, above := f.legend()
	size := fpdf.SizeType{Wd: f.Width * scale, Ht: (f.Height + above) * scale}
	p := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: size})
	p.SetCreationDate(time.Unix(0, 0)) // the same figure, the same bytes
	p.SetModificationDate(time.Unix(0, 0))
	p.SetCatalogSort(true)
	p.SetTitle(visible.Text(f.Title), true)
	p.SetMargins(0, 0, 0)
	p.SetAutoPageBreak(false, 0)
	p.AddUTF8FontFromBytes("go", "", goregular.TTF)
	p.AddPageFormat("", size) // "" keeps the orientation that the size has
	p.SetFont("go", "", textSize*scale)
	p.SetLineJoinStyle("round")
	x := func(q point) float64 { return q.x * scale }
	y := func(q point) float64 { return (q.y + above) * scale }
	for _, s := range append(legend, f.shapes...) {
		l, at := s.drawn(), s.points[0]
		p.SetAlpha(l.opacity, "Normal")
		how := ""
		if l.fill != "" {
			p.SetFillColor(rgb(l.fill))
			how = "F"
		}
		if l.stroke != "" {
			p.SetDrawColor(rgb(l.stroke))
			p.SetLineWidth(l.width * scale)
			p.SetDashPattern(dashes(l.dash, scale), 0)
			how += "D"
		}
		switch {
		case s.text != "":
			p.SetTextColor(rgb(l.fill))
			left := x(at)
			switch s.anchor {
			case "middle":
				left -= p.GetStringWidth(s.text) / 2
			case "end":
				left -= p.GetStringWidth(s.text)
			}
			if s.upright {
				p.TransformBegin()
				p.TransformRotate(90, x(at), y(at))
			}
			p.Text(left, y(at), s.text)
			if s.upright {
				p.TransformEnd()
			}
		case s.radius > 0:
			p.Circle(x(at), y(at), s.radius*scale, how)
		default:
			p.MoveTo(x(at), y(at))
			for _, q := range s.points[1:] {
				p.LineTo(x(q), y(q))
			}
			if s.closed {
				p.ClosePath()
			}
			p.DrawPath(how)
		}
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

func dashes(d []float64, scale float64) []float64 {
	out := make([]float64, len(d))
	for i, v := range d {
		out[i] = v * scale
	}
	return out
}

// PNG writes the figure as an image on white of a resolution in dots per inch.
func (f *Figure) PNG(w io.Writer, dpi float64) error {
	scale := dpi / pixelsPerInch
	legend, above := f.legend()
	c := gg.NewContext(int(f.Width*scale+0.5), int((f.Height+above)*scale+0.5))
	c.SetColor(color.White)
	c.Clear()
	if err := c.LoadFontFaceFromBytes(goregular.TTF, textSize*scale); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	c.SetLineJoinRound()
	c.SetLineCapButt()
	x := func(q point) float64 { return q.x * scale }
	y := func(q point) float64 { return (q.y + above) * scale }
	ink := func(s string, opacity float64) {
		r, g, b := rgb(s)
		c.SetRGBA255(r, g, b, int(255*opacity+0.5))
	}
	for _, s := range append(legend, f.shapes...) {
		l, at := s.drawn(), s.points[0]
		switch {
		case s.text != "":
			ink(l.fill, 1)
			c.Push()
			if s.upright {
				c.RotateAbout(-math.Pi/2, x(at), y(at))
			}
			c.DrawStringAnchored(s.text, x(at), y(at), map[string]float64{"middle": 0.5, "end": 1}[s.anchor], 0)
			c.Pop()
			continue
		case s.radius > 0:
			c.DrawCircle(x(at), y(at), s.radius*scale)
		default:
			c.MoveTo(x(at), y(at))
			for _, q := range s.points[1:] {
				c.LineTo(x(q), y(q))
			}
			if s.closed {
				c.ClosePath()
			}
		}
		if l.fill != "" {
			ink(l.fill, l.opacity)
			c.FillPreserve()
		}
		if l.stroke != "" {
			ink(l.stroke, l.opacity)
			c.SetLineWidth(l.width * scale)
			c.SetDash(dashes(l.dash, scale)...)
			c.StrokePreserve()
		}
		c.ClearPath()
	}
	if err := c.EncodePNG(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
