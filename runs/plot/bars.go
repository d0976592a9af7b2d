package plot

import "strconv"

// Bar is a row of a chart of bars, made of counts that are put end to end.
type Bar struct {
	Name   string
	Counts []int // of each part
}

// Bars draws counts as horizontal bars of parts, the largest bar as wide as there is room, with its sum at the end.
// parts names the parts; the first is drawn in orange, the second in grey, as attacks and benign units are.
func Bars(name, title string, width float64, parts []string, bars []Bar) *Figure {
	const line = 22
	f := &Figure{Name: name, Title: title, Width: width, Height: float64(line*len(bars)) + 4}
	left, most := 0.0, 1
	for _, b := range bars {
		left = max(left, wide(b.Name))
		most = max(most, sum(b.Counts))
	}
	left = min(left, width*0.5) + 14
	room := width - left - wide(strconv.Itoa(most)) - 14
	colours := append([]string{"#d55e00", "#8a929c"}, Colours...)
	for i, p := range parts {
		f.keys = append(f.keys, legendKey{p, colours[i]})
	}
	f.Table = [][]string{append([]string{""}, parts...)}
	for i, b := range bars {
		y := 2 + line*float64(i)
		f.text(left-8, y+15, "end", cut(b.Name, left-14))
		row, x := []string{b.Name}, left
		for k, n := range b.Counts {
			w := room * float64(n) / float64(most)
			if n > 0 {
				f.box("bar", colours[k], 0.8, x, y+4, w, line-8, b.Name+", "+parts[k]+": "+strconv.Itoa(n))
			}
			x += w
			row = append(row, strconv.Itoa(n))
		}
		f.text(x+5, y+15, "start", strconv.Itoa(sum(b.Counts)))
		f.Table = append(f.Table, row)
	}
	return f
}

func sum(v []int) (s int) {
	for _, n := range v {
		s += n
	}
	return s
}
