package plot

// Areas draws the shares of benign units and attacks in bins of equal width from 0 to 1, one area over the other, with
// a mark where the threshold lies; a mark that is NaN is left out. Each list sums to 1 or is empty.
func Areas(name, title string, width, height float64, label string, benign, attack []float64, mark float64) *Figure {
	f := &Figure{Name: name, Title: title, Width: width, Height: height}
	top := 0.0
	for i := range benign {
		top = max(top, benign[i])
	}
	for i := range attack {
		top = max(top, attack[i])
	}
	const left, above, below = 6, 6, 22
	w, h := width-2*left, height-above-below
	base := above + h
	f.Table = [][]string{{label, "benign", "attack"}}
	for i := range max(len(benign), len(attack)) {
		row := []string{exact(float64(i) / float64(max(len(benign), len(attack)))), "", ""}
		for k, of := range [][]float64{benign, attack} {
			if i < len(of) {
				row[k+1] = exact(of[i])
			}
		}
		f.Table = append(f.Table, row)
	}
	for k, of := range [][]float64{benign, attack} {
		if len(of) == 0 || top == 0 {
			continue
		}
		x, y := []float64{left}, []float64{base}
		for i, v := range of {
			for _, edge := range []int{i, i + 1} {
				x, y = append(x, left+w*float64(edge)/float64(len(of))), append(y, base-h*v/top)
			}
		}
		x, y = append(x, left+w), append(y, base)
		f.add(shape{class: []string{"benign", "attack"}[k], points: straight(x, y), closed: true})
	}
	f.keys = []legendKey{{"benign", lookOf("benign").fill}, {"attacks", lookOf("attack").fill}}
	f.rule("base", left, base, left+w, base)
	if mark >= 0 && mark <= 1 {
		f.keys = append(f.keys, legendKey{"threshold, dotted", lookOf("mark").stroke})
		f.rule("mark", left+w*mark, above, left+w*mark, base)
	}
	f.text(left, height-6, "start", "lowest scores")
	f.text(left+w, height-6, "end", "highest")
	return f
}

// Dot draws a value with its interval on an axis without labels, as tables have it; class colours it.
func Dot(width, height float64, a Axis, class string, low, mean, high float64) *Figure {
	f := &Figure{Width: width, Height: height}
	const side = 5
	x := func(v float64) float64 { return side + (width-2*side)*a.at(v) }
	for _, v := range a.ticks(3) {
		f.rule("grid", x(v), 0, x(v), height)
	}
	if class != "" {
		class = " " + class
	}
	if low <= high {
		f.rule("ci"+class, x(low), height/2, x(high), height/2)
	}
	f.add(shape{class: "pt" + class, points: []point{{x(mean), height / 2}}, radius: 3.5})
	return f
}
