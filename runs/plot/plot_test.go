package plot

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis Axis
		want []float64
	}{
		{Axis{Low: 0, High: 1}, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{Axis{Low: -0.3, High: 0.3}, []float64{-0.2, 0, 0.2}},
		{Axis{Low: 0.001, High: 1, Log: true}, []float64{0.001, 0.01, 0.1, 1}},
		{Axis{Low: 1e-12, High: 1, Log: true}, []float64{1e-12, 1e-9, 1e-6, 1e-3, 1}},
		{Axis{Low: 0, High: 730}, []float64{0, 200, 400, 600}},
	} {
		got := c.axis.ticks(5)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }) {
			t.Errorf("%+v: %v, want %v", c.axis, got, c.want)
		}
	}
	log := Axis{Low: 0.01, High: 1, Log: true, Percent: true}
	if math.Abs(log.at(0.1)-0.5) > 1e-12 || log.at(0) != 0 || log.at(7) != 1 || log.write(0.015) != "1.5 %" {
		t.Errorf("%v %v %v %s", log.at(0.1), log.at(0), log.at(7), log.write(0.015))
	}
}

// TestPath: what is undefined and what a straight line passes anyway is left out.
func TestPath(t *testing.T) {
	got := path(straight([]float64{0, 1, 2, 3, 3, 4, math.NaN()}, []float64{5, 5, 5, 5, 9, math.NaN(), 1}))
	if got != "M0 5H3V9" {
		t.Error(got)
	}
}

// TestFigures: a figure is well-formed XML whatever its names, and its numbers are those that it was given.
func TestFigures(t *testing.T) {
	evil := `<b onclick="x">&"'`
	var lines []Line
	for i := range 8 {
		l := Line{Name: evil, Y: []float64{0, float64(i) / 10, 1}}
		if i == 0 {
			l.Low, l.High = []float64{0, 0, 0.9}, []float64{0, 0.2, 1}
		}
		lines = append(lines, l)
	}
	f := Lines("roc", evil, 300, 200, Axis{Label: "x", Low: 0.1, High: 1, Log: true}, Axis{Label: "y", Low: 0, High: 1},
		[]float64{0.1, 0.5, 1}, lines, true)
	g := Areas("scores", evil, 200, 100, "rank", []float64{0.5, 0.5}, []float64{0, 1}, 0.5)
	empty := Areas("scores", "", 200, 100, "rank", nil, nil, math.NaN())
	for _, f := range []*Figure{f, g, empty} {
		var b bytes.Buffer
		if err := f.SVG(&b); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(&b); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, f.Inline())
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "b" {
				t.Error("a name became an element")
			}
		}
	}
	var file bytes.Buffer
	if err := f.SVG(&file); err != nil || strings.Count(file.String(), `class="line"`) != 2*len(Colours) {
		t.Errorf("a file of its own has no legend: %s", &file)
	}
	if n := strings.Count(f.Inline(), `class="line"`); n != len(Colours) {
		t.Errorf("%d coloured lines", n)
	}
	if n := strings.Count(f.Inline(), `class="rest"`); n != 2 || strings.Count(f.Inline(), `class="band"`) != 1 {
		t.Errorf("%d grey lines", n)
	}
	var b bytes.Buffer
	if err := f.CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][1] != evil || rows[0][2] != evil+" low" || rows[2][3] != "0.2" {
		t.Errorf("%v %q", err, rows)
	}
}

func TestDot(t *testing.T) {
	a := Axis{Low: 0, High: 1}
	if got := Dot(110, 18, a, "", math.NaN(), 0.5, math.NaN()).Inline(); strings.Contains(got, `"ci`) ||
		!strings.Contains(got, `cx="55"`) {
		t.Error(got)
	}
	if got := Dot(110, 18, a, "ctl", 0, 0.5, 1).Inline(); !strings.Contains(got, `class="ci ctl" x1="5" y1="9" x2="105"`) {
		t.Error(got)
	}
}
