package plot

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"plumbline/runs/visible"

	"git.sr.ht/~sbinet/gg"
	"golang.org/x/image/font/gofont/goregular"
)

// crowded says which texts of a figure reach beyond its edges and which run into each other, as its font has them.
func crowded(t *testing.T, f *Figure) (out []string) {
	t.Helper()
	c := gg.NewContext(10, 10)
	if err := c.LoadFontFaceFromBytes(goregular.TTF, textSize); err != nil {
		t.Fatal(err)
	}
	legend, above := f.legend()
	type placed struct {
		box
		text string
	}
	var all []placed
	for _, s := range append(legend, f.shapes...) {
		if s.text == "" {
			for _, p := range s.points {
				if p.x < -1 || p.x > f.Width+1 || p.y < -above-1 || p.y > f.Height+1 || math.IsNaN(p.x+p.y) {
					out = append(out, fmt.Sprintf("a %s reaches to %v", s.class, p))
				}
			}
			continue
		}
		w, _ := c.MeasureString(s.text)
		at, left := s.points[0], s.points[0].x
		switch s.anchor {
		case "middle":
			left -= w / 2
		case "end":
			left -= w
		}
		b := box{left, at.y - 0.72*textSize, left + w, at.y}
		if s.upright {
			b = box{at.x - 0.72*textSize, at.y - w, at.x, at.y}
		}
		if b.left < -1 || b.right > f.Width+1 || b.top < -above-1 || b.bottom > f.Height+1 {
			out = append(out, fmt.Sprintf("%q is cut: %.0f in %v × %v", s.text, b, f.Width, f.Height))
		}
		for _, o := range all {
			if b.meets(o.box) {
				out = append(out, fmt.Sprintf("%q runs into %q", s.text, o.text))
			}
		}
		all = append(all, placed{b, s.text})
	}
	return out
}

// TestNothingCut: in figures with the names that runs have, as wide as a column and as a page, no text or line reaches
// beyond the edges and no text runs into another.
func TestNothingCut(t *testing.T) {
	bad := &Figure{Width: 60, Height: 40}
	bad.text(5, 20, "start", "one two")
	bad.text(15, 24, "start", "three")
	bad.text(50, 38, "middle", "cut off")
	bad.rule("grid", 0, -9, 5, 5)
	if got := crowded(t, bad); len(got) != 3 {
		t.Errorf("of a text that runs into another, a text and a line beyond the edges is said: %q", got)
	}
	models := strings.Fields("iforest-1000 sae-svm.5 input-mdis best_feature untrained lof pca token_lm-radford2018")
	classes := []string{"DoS GoldenEye", "Infiltration - Portscan", "Web Attack - Brute Force",
		"Web Attack - SQL Injection",
		"guess_passwd", "C&C", "PartOfAHorizontalPortScan", "buffer_overflow", "ftp_write", "warezmaster", "apache2"}
	labels := []string{"udp|-|SF|0 +4", "tcp|http|S0|3", "6|1|3|2", "17|0|0|1 +12"}
	nan := math.NaN()
	for _, width := range []float64{317, 672} {
		figures := map[string]*Figure{}
		var lines []Line
		var points []Point
		values, texts, ranks := [][]float64{}, [][]string{}, []float64{}
		for i, m := range models {
			l := Line{Name: m, Y: []float64{0, float64(i) / 10, 1}}
			if i%2 == 0 {
				l.Low, l.High = []float64{0, 0, 0.9}, []float64{0.1, 0.9, 1}
			}
			lines = append(lines, l)
			points = append(points, Point{Name: m, Value: []float64{0, 0.001, 0.9}[i%3], Low: 0.0001, High: 1, Beside: 0.3})
			row, says := []float64{}, []string{}
			for k := range classes {
				row, says = append(row, float64(k)/10), append(says, fmt.Sprint(10*k))
			}
			values, texts, ranks = append(values, row), append(texts, says), append(ranks, 1+float64(i))
		}
		percent := Axis{Label: "false-positive rate", Low: 0.001, High: 1, Log: true, Percent: true}
		figures["lines"] = Lines("", "", width, 240, percent, Axis{Label: "true-positive rate", Low: 0, High: 1,
			Percent: true}, []float64{0.001, 0.1, 1}, lines, true)
		figures["dots"] = Dots("", "", width, Axis{Label: "false-positive rate on test", Low: 1e-4, High: 1, Log: true,
			Percent: true}, 0.01, "ours", "published", points)
		figures["heat"] = Heat("", "", width, "model", models, classes, values, texts)
		for i := range values {
			for range 3 {
				values[i], texts[i] = append(values[i], values[i]...), append(texts[i], texts[i]...)
			}
		}
		many := strings.Fields(strings.Repeat("buffer_overflow ", len(values[0])))
		figures["turned heat"] = Heat("", "", width, "model", models, many, values, texts)
		figures["ranks"] = Ranks("", "", width, models, ranks, [][2]int{{0, 2}, {1, 6}, {4, 7}}, 2.4,
			"critical difference 2.40 (Nemenyi, .05), 15 data sets")
		figures["areas"] = Areas("", "", width, 120, "rank", []float64{0.2, 0.8}, []float64{1, 0}, 0.5)
		figures["bars"] = Bars("", "", width, []string{"on attacks", "on benign flows"}, []Bar{
			{"Total Length of Bwd Packet", []int{14884, 3}}, {"state -1", []int{1, 0}}})
		figures["parallel"] = Parallel("", "", width, []Coordinate{{Name: "hidden", Words: []string{"[32,8]", "[64,32]",
			"[85,49,12]"}}, {Name: "rate", Low: 0.0001, High: 0.1, Log: true}, {Name: "max_features", Low: 0.2, High: 0.9972},
			{Name: "objective", Low: 0.892134, High: 0.9246}}, [][]float64{{0, 0.01, 0.4, 0.9}, {2, nan, 0.9, 0.92}},
			[]bool{false, true})
		figures["scatter"] = Scatter("", "", width, 240, Axis{Label: "rate", Log: true}, Axis{Label: "objective"}, false,
			[]Cloud{{"trials", []float64{0.0004, 0.09}, []float64{0.8921, 0.9}}, {"chosen", []float64{0.02}, []float64{0.9246}}},
			Level{"the file's settings", 0.91})
		chain, star := []Edge{}, []Edge{{1, 0, labels[1], 3}, {3, 3, labels[0], 9}}
		for i := range 9 {
			chain = append(chain, Edge{i, i + 1, labels[i%4], float64(i)})
			star = append(star, Edge{i / 3, i + 1, labels[i%4], float64(i)})
		}
		nodes := strings.Fields("-1 256 12593 3 4 5 6 7 8 9")
		figures["chain"] = Graph("", "", width, nodes, chain)
		figures["star"] = Graph("", "", width, nodes, star)
		figures["panels"] = Panels("", "", width, []Panel{{"before training", []Cloud{{"benign", []float64{0, 1},
			[]float64{0, 1}}}}, {"after epoch 1", nil}, {"trained", nil}})
		for kind, f := range figures {
			for _, fault := range crowded(t, f) {
				t.Errorf("%s, %v wide: %s", kind, width, visible.Text(fault))
			}
		}
	}
}
