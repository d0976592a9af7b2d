package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// kinds is a figure of each kind with the texts given.
func kinds(s string) map[string]*Figure {
	nan := math.NaN()
	return map[string]*Figure{
		"lines": Lines(s, s, 320, 220, Axis{Label: s, Low: 0, High: 2}, Axis{Label: s, Low: 0.1, High: 1, Log: true},
			[]float64{0, 1, 2}, []Line{{Name: s, Y: []float64{0.1, nan, 1}}, {Name: s, Y: []float64{nan, 0.5, nan}}}, false),
		"areas": Areas(s, s, 300, 120, s, []float64{0.2, 0.8}, []float64{1, 0}, 0.5),
		"heat": Heat(s, s, 320, s, []string{s, "b"}, []string{s, "y"}, [][]float64{{0, 1}, {nan, 0.5}},
			[][]string{{"0", s}, {"–", "50"}}),
		"dots": Dots(s, s, 320, Axis{Label: s, Low: 0.01, High: 1, Log: true}, 0.1, s, s,
			[]Point{{Name: s, Value: 0.5, Low: 0.4, High: 0.6, Beside: 0.7}, {Name: "b", Value: nan, Low: nan, High: nan,
				Grey: true, Beside: nan}}),
		"scatter": Scatter(s, s, 320, 260, Axis{Label: s}, Axis{Label: s}, true, []Cloud{
			{Name: s, X: []float64{0, 1}, Y: []float64{0, 5}},
			{Name: "b", X: []float64{2}, Y: []float64{1}}}, Level{s, 3}),
		"parallel": Parallel(s, s, 320, []Coordinate{{Name: s, Low: 0.001, High: 1, Log: true}, {Name: "b", Words: []string{s,
			"y"}}, {Name: "c", Low: 1, High: 1}}, [][]float64{{0.01, 1, 1}, {nan, 0, 1}}, []bool{true, false}),
		"panels": Panels(s, s, 320, []Panel{{s, []Cloud{{s, []float64{0, 1}, []float64{0, 1}}, {"b", nil, nil}}}, {"2", nil},
			{"3", []Cloud{{s, []float64{4}, []float64{9}}}}, {"4", nil}}),
		"film": Animated(s, s, 320, []Panel{{s, []Cloud{{s, []float64{0, 1}, []float64{0, 1}}}},
			{"2", []Cloud{{s, []float64{4}, []float64{9}}}}}),
		"bars":  Bars(s, s, 320, []string{s, "rest"}, []Bar{{s, []int{3, 4}}, {"b", []int{0, 0}}}),
		"ranks": Ranks(s, s, 420, []string{s, "b", "c"}, []float64{1.1, 1.9, 3}, [][2]int{{0, 1}}, 0.9, s),
		"graph": Graph(s, s, 320, []string{s, "1", "2"}, []Edge{{0, 1, s, 4}, {1, 0, s, 2}, {1, 1, s, 1}, {2, 0, s, 0}}),
		"dot":   Dot(110, 18, Axis{Low: 0, High: 1}, "ctl", 0, 0.5, 1),
	}
}

// TestKinds: every kind is well-formed whatever its texts, is written in every format, and gives the same bytes again.
func TestKinds(t *testing.T) {
	evil := "</svg><script>alert(1)</script>\"'&\u202e\x1b[31m" + strings.Repeat("w", 90)
	again := kinds(evil)
	for kind, f := range kinds(evil) {
		t.Run(kind, func(t *testing.T) {
			files := map[string][]byte{}
			for _, format := range []string{"svg", "pdf"} {
				var a, b bytes.Buffer
				if err := errors.Join(f.Write(&a, format), again[kind].Write(&b, format)); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(a.Bytes(), b.Bytes()) {
					t.Errorf("%s: two drawings of one figure differ", format)
				}
				files[format] = a.Bytes()
			}
			for d := xml.NewDecoder(bytes.NewReader(files["svg"])); ; {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, files["svg"])
				}
				if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
					t.Error("a text became an element")
				}
			}
			for _, bad := range []string{"\u202e", "\x1b", "NaN", "Inf"} {
				if bytes.Contains(files["svg"], []byte(bad)) {
					t.Errorf("%q is in the drawing", bad)
				}
			}
			if !bytes.HasPrefix(files["pdf"], []byte("%PDF-")) {
				t.Errorf("no PDF: %.20s", files["pdf"])
			}
			var small bytes.Buffer
			if err := f.PNG(&small, pixelsPerInch); err != nil {
				t.Fatal(err)
			}
			image, err := png.Decode(&small)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := float64(image.Bounds().Dx()), f.Width; math.Abs(got-want) > 1 {
				t.Errorf("the image is %v wide, want %v", got, want)
			}
			inked := false
			for y := range image.Bounds().Dy() {
				for x := range image.Bounds().Dx() {
					r, g, b, _ := image.At(x, y).RGBA()
					inked = inked || r+g+b < 3*0xffff
				}
			}
			if !inked {
				t.Error("the image is white")
			}
			if f.Write(io.Discard, "gif") == nil {
				t.Error("an unknown format is no error")
			}
		})
	}
}

// TestPixels: widths in inches and of venues.
func TestPixels(t *testing.T) {
	for in, want := range map[string]float64{"3.3": 317, "7": 672, "ieee": 336, "ieee-wide": 687, "neurips": 528} {
		if got, err := Pixels(in); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1", "21", "nan", "journal", "-wide"} {
		if got, err := Pixels(in); err == nil {
			t.Errorf("%q is %v pixels", in, got)
		}
	}
	if !slices.Contains(Venues(), "acm-wide") || slices.Contains(Venues(), "neurips-wide") {
		t.Error(Venues())
	}
}

// TestLayers: depth is the length of the shortest way from the first node; arrows do not cross where they need not.
func TestLayers(t *testing.T) {
	got := layersOf(6, []Edge{{From: 0, To: 1}, {From: 0, To: 2}, {From: 1, To: 4}, {From: 2, To: 3}, {From: 3, To: 0}})
	want := [][]int{{0}, {1, 2}, {4, 3}, {5}}
	if !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Errorf("%v, want %v", got, want)
	}
	got = rowsOf([][]int{{1, 2, 3, 4, 5}}, 2)
	if want := [][]int{{1, 4}, {2, 5}, {3}}; !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Error(got)
	}
	if layersOf(0, nil) != nil {
		t.Error("layers without nodes")
	}
}

// TestHeadings: names above the columns of a table of cells are broken between words, and stand upright where a word
// has no room.
func TestHeadings(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		lines string
		whole bool
	}{
		{"best_feature", wide("best_feature"), "best_feature", true},
		{"best_feature", wide("feature"), "best_·feature", true},
		{"one two three", wide("one two"), "one two·three", true},
		{"ransomware", wide("ransomwar"), "ransomware", false},
		{"", 10, "", true},
	} {
		lines, whole := broken(c.text, c.width)
		if got := strings.Join(lines, "·"); got != c.lines || whole != c.whole {
			t.Errorf("%q in %g: %q, %v", c.text, c.width, got, whole)
		}
	}
}
