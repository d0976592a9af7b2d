package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"plumbline/runs/experiment"
)

// dimension is one key and its values, as points between 0 and 1 or as numbers of a choice.
type dimension struct {
	key     string
	domain  experiment.Domain
	choices []string // YAML of each; nil: a range
}

// point is a place in the space, a coordinate for each dimension: in [0, 1], or the number of a choice. nil stands for
// the settings of the file.
type point []float64

func dimensions(e *experiment.Experiment, keys []string) ([]dimension, error) {
	out := make([]dimension, len(keys))
	for i, key := range keys {
		d := dimension{key: key, domain: e.Tune.Space[key]}
		for k := range d.domain.Choice {
			text, err := d.domain.ChoiceText(k)
			if err != nil {
				return nil, fmt.Errorf("tune: %s: %w", key, err)
			}
			d.choices = append(d.choices, text)
		}
		out[i] = d
	}
	return out, nil
}

// text is the value at a coordinate, in YAML. Numbers have six significant digits.
func (d *dimension) text(x float64) string {
	if d.choices != nil {
		return d.choices[int(x)]
	}
	low, high, whole := d.domain.Range()
	v := low + x*(high-low)
	if d.domain.Logarithmic() {
		v = low * math.Pow(high/low, x)
	}
	v = min(max(v, low), high)
	if whole {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil || rounded < low || rounded > high {
		rounded = v
	}
	return strconv.FormatFloat(rounded, 'g', -1, 64)
}

// draw is a coordinate, each alike likely.
func (d *dimension) draw(r *rand.Rand) float64 {
	if d.choices != nil {
		return float64(r.IntN(len(d.choices)))
	}
	return r.Float64()
}

// points are the coordinates that a grid has.
func (d *dimension) points() (out []float64) {
	if d.choices != nil {
		for i := range d.choices {
			out = append(out, float64(i))
		}
		return out
	}
	n := d.domain.Points
	if n == 0 {
		n = 5
	}
	low, high, whole := d.domain.Range()
	if whole && !d.domain.Logarithmic() {
		n = min(n, int(high-low)+1)
	}
	seen := map[string]bool{}
	for i := range n {
		x := float64(i) / float64(n-1)
		if text := d.text(x); !seen[text] { // whole numbers fall together
			seen[text] = true
			out = append(out, x)
		}
	}
	return out
}

// assign is the overrides that a point stands for.
func assign(dims []dimension, p point) []string {
	if p == nil {
		return []string{}
	}
	out := make([]string, len(dims))
	for i := range dims {
		out[i] = dims[i].key + "=" + dims[i].text(p[i])
	}
	return out
}

// maxGrid is how many points a grid has at most: as many as trials can be asked for, the settings of the file aside.
const maxGrid = 99_999

// gridSize is the number of all combinations, or some number above maxGrid.
func gridSize(dims []dimension) int {
	n := 1
	for i := range dims {
		if n *= len(dims[i].points()); n > maxGrid {
			return n
		}
	}
	return n
}

// manyPoints is the number of a grid's points in words.
func manyPoints(n int) string {
	if n > maxGrid {
		return fmt.Sprintf("more than %d", maxGrid)
	}
	return strconv.Itoa(n)
}

// grid is all combinations, the last key changing fastest.
func grid(dims []dimension) []point {
	all := []point{{}}
	for i := range dims {
		var longer []point
		for _, p := range all {
			for _, x := range dims[i].points() {
				longer = append(longer, append(append(point{}, p...), x))
			}
		}
		all = longer
	}
	return all
}

// random is the point that a trial of a number draws.
func random(dims []dimension, r *rand.Rand) point {
	p := make(point, len(dims))
	for i := range dims {
		p[i] = dims[i].draw(r)
	}
	return p
}
