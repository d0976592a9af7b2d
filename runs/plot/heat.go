package plot

import (
	"math"
	"strings"

	"plumbline/runs/visible"
)

// Heat draws a table of shares from 0 to 1 as cells that are the darker the larger they are, with their text in each;
// NaN is a cell without colour. The rows and columns have their names beside and above; where there are too many
// columns for their names, rows and columns change places.
func Heat(name, title string, width float64, corner string, rows, columns []string, values [][]float64,
	texts [][]string) *Figure {
	const line, gap = 22, 6
	if len(columns) > len(rows) && width*0.7/float64(len(columns)) < textSize+2 {
		// names above such columns would run into each other: down there is room for as many as there are
		return Heat(name, title, width, corner, columns, rows, turned(values, len(columns)), turned(texts, len(columns)))
	}
	f := &Figure{Name: name, Title: title, Width: width}
	left := 0.0
	for _, r := range rows {
		left = max(left, wide(r))
	}
	left = min(left, width*0.42) + 2*gap
	cell := (width - left - 2) / float64(max(1, len(columns)))
	longest := 0.0
	for _, c := range columns {
		longest = max(longest, wide(c))
	}
	numbers := true // texts that do not fit into their cells are left to colours, tips and the table
	for _, row := range texts {
		for _, s := range row {
			numbers = numbers && wide(visible.Text(s)) <= cell+2
		}
	}
	lines, upright := 1, longest > cell-4 && cell < 8*textWidth
	for _, c := range columns {
		in, whole := broken(c, cell-4)
		lines, upright = max(lines, len(in)), upright || !whole || len(in) > 3
	}
	above := 14*float64(lines) + 4
	if upright {
		above = min(longest, 28*textWidth) + 8
	}
	f.Height = above + line*float64(len(rows)) + 2
	f.Table = [][]string{append([]string{corner}, columns...)}
	for k, c := range columns {
		if upright {
			f.add(shape{points: []point{{left + (float64(k)+0.5)*cell + 4, above - 4}}, upright: true, text: cut(c, above-8)})
			continue
		}
		in, _ := broken(c, cell-4)
		for i, part := range in {
			f.text(left+(float64(k)+0.5)*cell, above-6-14*float64(lines-1-i), "middle", part)
		}
	}
	for i, r := range rows {
		y := above + line*float64(i)
		f.text(left-gap, y+15, "end", cut(r, left-2*gap))
		row := []string{r}
		for k := range columns {
			v, x := values[i][k], left+float64(k)*cell
			if !math.IsNaN(v) {
				f.box("cell", "", 0.05+0.5*math.Min(1, math.Max(0, v)), x+1, y+1, cell-2, line-2, r+", "+columns[k]+": "+
					texts[i][k])
			}
			if numbers {
				f.add(shape{class: "value", points: []point{{x + cell/2, y + 15}}, anchor: "middle", text: texts[i][k]})
			}
			row = append(row, exact(v))
		}
		f.Table = append(f.Table, row)
	}
	return f
}

// turned is a table with its n columns as rows.
func turned[T any](table [][]T, n int) [][]T {
	out := make([][]T, n)
	for _, row := range table {
		for k := range out {
			out[k] = append(out[k], row[k])
		}
	}
	return out
}

// broken is a text in lines of a width, which end after a space or a mark that words are joined by; not whole: a word
// is longer than a line.
func broken(s string, width float64) (lines []string, whole bool) {
	whole = true
	line := ""
	for len(s) > 0 {
		end := strings.IndexAny(s, " _-/.:|")
		word := s[:end+1]
		if end < 0 {
			word = s
		}
		if line != "" && wide(line+strings.TrimSuffix(word, " ")) > width {
			lines, line = append(lines, strings.TrimSuffix(line, " ")), ""
		}
		line += word
		whole = whole && wide(strings.TrimSuffix(line, " ")) <= width
		s = s[len(word):]
	}
	return append(lines, line), whole
}
