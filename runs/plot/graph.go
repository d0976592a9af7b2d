package plot

import (
	"math"
	"slices"
	"strconv"
)

// Edge is an arrow of a graph, the thicker the larger its share of the largest weight.
type Edge struct {
	From, To int
	Label    string
	Weight   float64
}

// nodeRadius is that of a graph's nodes in pixels.
const nodeRadius = 17

// Graph draws nodes and arrows in layers, each node as far down as its shortest way from node 0 is long, in an order
// within the layers that keeps arrows short (mean places of the neighbours, swept down and up). Arrows back are bent.
func Graph(name, title string, width float64, nodes []string, edges []Edge) *Figure {
	layers := rowsOf(layersOf(len(nodes), edges), max(2, int(width/(2*nodeRadius+22))))
	layerHeight := 96.0
	if len(layers) > 6 {
		layerHeight = 64 // a chain
	}
	f := &Figure{Name: name, Title: title, Width: width, Height: layerHeight*float64(len(layers)) + 10}
	at := make([]point, len(nodes))
	for d, l := range layers {
		for i, n := range l {
			at[n] = point{width * (float64(i) + 0.5) / float64(len(l)), layerHeight*(float64(d)+0.5) + 5}
		}
	}
	f.Table = [][]string{{"from", "to", "label", "weight"}}
	top := 0.0
	for _, e := range edges {
		top = math.Max(top, e.Weight)
	}
	twoWay := map[[2]int]bool{}
	for _, e := range edges {
		twoWay[[2]int{e.From, e.To}] = true
	}
	var taken []box
	for _, p := range at {
		taken = append(taken, box{p.x - nodeRadius, p.y - nodeRadius, p.x + nodeRadius, p.y + nodeRadius})
	}
	for _, e := range edges {
		f.Table = append(f.Table, []string{nodes[e.From], nodes[e.To], e.Label, strconv.FormatFloat(e.Weight, 'g', -1, 64)})
		bend := 0.0
		if at[e.From].y >= at[e.To].y || twoWay[[2]int{e.To, e.From}] {
			bend = 26
		}
		f.arrow(at[e.From], at[e.To], bend, e, 0.25+0.75*math.Sqrt(e.Weight/math.Max(top, 1e-300)), &taken)
	}
	for i, n := range nodes {
		f.add(shape{class: "node", points: []point{at[i]}, radius: nodeRadius, tip: n})
		f.text(at[i].x, at[i].y+4, "middle", cut(n, 2*nodeRadius-2))
	}
	return f
}

// arrow adds an edge between the rims of two nodes, or a loop at one.
func (f *Figure) arrow(from, to point, bend float64, e Edge, opacity float64, taken *[]box) {
	var line []point
	if e.From == e.To {
		c := point{from.x + 0.85*nodeRadius, from.y - 0.85*nodeRadius} // the loop leaves up and to the right
		for i := range 33 {
			sin, cos := math.Sincos(0.75*math.Pi + 2*math.Pi*float64(i)/32)
			p := point{c.x + 10*cos, c.y + 10*sin}
			if math.Hypot(p.x-from.x, p.y-from.y) >= nodeRadius+2 {
				line = append(line, p)
			}
		}
	} else {
		dx, dy := to.x-from.x, to.y-from.y
		length := math.Hypot(dx, dy)
		control := point{(from.x+to.x)/2 - bend*2*dy/length, (from.y+to.y)/2 + bend*2*dx/length}
		for i := range 25 {
			t := float64(i) / 24
			u := 1 - t
			p := point{u*u*from.x + 2*u*t*control.x + t*t*to.x, u*u*from.y + 2*u*t*control.y + t*t*to.y}
			if math.Hypot(p.x-from.x, p.y-from.y) >= nodeRadius && math.Hypot(p.x-to.x, p.y-to.y) >= nodeRadius+5 {
				line = append(line, p)
			}
		}
	}
	if len(line) < 2 {
		return
	}
	f.add(shape{class: "ink", opacity: opacity, points: line, tip: e.Label})
	a, b := line[len(line)-2], line[len(line)-1]
	angle := math.Atan2(b.y-a.y, b.x-a.x)
	turn := func(by, length float64) point {
		return point{b.x + length*math.Cos(angle+by), b.y + length*math.Sin(angle+by)}
	}
	f.add(shape{class: "tip", opacity: opacity, closed: true, points: []point{turn(0, 5), turn(2.5, 4), turn(-2.5, 4)}})
	f.label(line, cut(e.Label, 80), taken)
}

// label writes a text beside a line where it runs into nothing; where there is no such place it is left to the tip.
func (f *Figure) label(line []point, s string, taken *[]box) {
	half := wide(s)/2 + 1
	for _, share := range []float64{0.72, 0.55, 0.85, 0.4, 0.3} { // towards the end arrows of one node are further apart
		m := line[int(share*float64(len(line)-1))]
		x := math.Min(math.Max(m.x, half), f.Width-half)
		a, c := line[0], line[len(line)-1]
		if math.Abs(c.x-a.x) < 0.3*math.Abs(c.y-a.y) { // beside a steep line, not across it
			if x = m.x + 5 + half; x+half > f.Width {
				x = m.x - 5 - half
			}
		}
		b := box{x - half, m.y - 3 - textSize, x + half, m.y}
		if !slices.ContainsFunc(*taken, b.meets) {
			*taken = append(*taken, b)
			f.text(x, m.y-3, "middle", s)
			return
		}
	}
}

// box is a rectangle that is taken.
type box struct{ left, top, right, bottom float64 }

func (a box) meets(b box) bool {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

// rowsOf is layers in rows of at most n nodes, taken in turn from a layer, so that neighbours stay near.
func rowsOf(layers [][]int, n int) (rows [][]int) {
	for _, l := range layers {
		k := (len(l) + n - 1) / n
		for r := range k {
			var row []int
			for i := r; i < len(l); i += k {
				row = append(row, l[i])
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// layersOf is the nodes by the length of their shortest way from node 0, those without one below, each layer in order.
func layersOf(n int, edges []Edge) (layers [][]int) {
	depth := make([]int, n)
	for i := range depth {
		depth[i] = -1
	}
	if n == 0 {
		return nil
	}
	depth[0] = 0
	for layer := []int{0}; len(layer) > 0; {
		layers = append(layers, layer)
		var next []int
		for _, e := range edges {
			if slices.Contains(layer, e.From) && depth[e.To] < 0 {
				depth[e.To] = len(layers)
				next = append(next, e.To)
			}
		}
		layer = next
	}
	var lost []int
	for i, d := range depth {
		if d < 0 {
			lost = append(lost, i)
			depth[i] = len(layers)
		}
	}
	if lost != nil {
		layers = append(layers, lost)
	}
	place := make([]float64, n)
	set := func(l []int) {
		for i, v := range l {
			place[v] = (float64(i) + 0.5) / float64(len(l))
		}
	}
	for _, l := range layers {
		set(l)
	}
	for sweep := range 8 {
		for k := range layers {
			d := k
			if sweep%2 == 1 {
				d = len(layers) - 1 - k
			}
			mean := map[int]float64{}
			for _, v := range layers[d] {
				s, m := place[v], 1.0
				for _, e := range edges {
					if e.From == v && depth[e.To] != d {
						s, m = s+place[e.To], m+1
					}
					if e.To == v && depth[e.From] != d {
						s, m = s+place[e.From], m+1
					}
				}
				mean[v] = s / m
			}
			slices.SortStableFunc(layers[d], func(a, b int) int {
				switch {
				case mean[a] < mean[b]:
					return -1
				case mean[a] > mean[b]:
					return 1
				}
				return 0
			})
			set(layers[d])
		}
	}
	return layers
}
