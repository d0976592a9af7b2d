package eda

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"plumbline/data"
	"plumbline/numeric/hypothesis"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

const (
	maxCorrelated = 256  // number columns
	maxCategories = 24   // category columns
	maxLevels     = 1000 // of a category in a table; the rest together
)

// Matrix is a symmetric measure of pairs of columns, row by row. Undefined ones are null.
type Matrix struct {
	Columns []string   `json:"columns"`
	R       [][]Number `json:"r"`
	Rows    int        `json:"rows"` // that it is of: fewer than all where it is of a sample
	// Order is the columns in an order that puts alike ones together.
	Order []int `json:"order"`
}

// correlated are the number columns that correlations are of: the first where there are too many.
func (c *Collector) correlated() []*column {
	var out []*column
	for _, col := range c.columns {
		if col.kind == data.Number {
			out = append(out, col)
		}
	}
	return out[:min(len(out), maxCorrelated)]
}

// correlations are Pearson's and Spearman's, pairs of rows where both have values; the label is a last column where
// there are both labels. Ranks are those among all values of a column.
func (c *Collector) correlations(ctx context.Context) (pearson, spearman *Matrix, err error) {
	columns := c.correlated()
	if len(columns) == 0 {
		return nil, nil, nil
	}
	label := c.class != nil && c.attacks > 0 && c.attacks < c.rows
	names := make([]string, 0, len(columns)+1)
	for _, col := range columns {
		names = append(names, col.name)
	}
	if label {
		names = append(names, "attack")
		columns = append(columns, c.label())
	}
	exact := !slices.ContainsFunc(columns, func(col *column) bool { return !col.exact() })
	g := &gram{columns: columns, exact: exact, rows: c.rows}
	if !exact {
		g.rows = len(c.sampled)
		g.sampled = c.sampled
	}
	for k, ranks := range []bool{false, true} {
		r, err := g.correlate(ctx, max(1, c.opt.Workers), ranks)
		if err != nil {
			return nil, nil, err
		}
		m := &Matrix{Columns: names, R: r, Rows: g.rows, Order: seriate(r)}
		if k == 0 {
			pearson = m
		} else {
			spearman = m
		}
	}
	return pearson, spearman, nil
}

// label is the truth as a column of 0 and 1.
func (c *Collector) label() *column {
	l := &column{name: "attack", kind: data.Number, values: make([]float64, len(c.class.counts)), counts: c.class.counts,
		order: c.class.order, codes: c.class.codes}
	for code := range l.values {
		if code > 0 && c.classes[code-1].Attack {
			l.values[code] = 1
		}
	}
	l.values[0] = math.NaN()
	return l
}

// gram is sums of products of columns over rows.
type gram struct {
	columns []*column
	exact   bool
	rows    int
	sampled []int64
	values  [][]float64 // of the sample's rows, centred and scaled, where not all is exact
}

// tables are what stands for each code of a column in the sums: centred and scaled values or ranks z, 0 where missing,
// and 1 where there is a value.
type tables struct{ z, there []float64 }

func (g *gram) correlate(ctx context.Context, workers int, ranks bool) ([][]Number, error) {
	d := len(g.columns)
	of := make([]tables, d)
	missing := make([]int, 0, d)
	g.values = nil
	for k, col := range g.columns {
		if g.exact {
			of[k] = col.tables(ranks)
			if col.counts[0][0]+col.counts[0][1] > 0 {
				missing = append(missing, k)
			}
			continue
		}
		v := col.atRows(g.sampled)
		scaleSample(v, ranks)
		g.values = append(g.values, v)
		if slices.ContainsFunc(v, func(x float64) bool { return x != x }) {
			missing = append(missing, k)
		}
	}
	// columns of the matrix whose products are summed: z of all, then squares of all and presence of those with missing
	wide := d
	if len(missing) > 0 {
		wide += d + len(missing)
	}
	w := kernel.PanelRows[float64]()
	ld := (wide + w - 1) / w * w
	sum := make([]float64, wide*ld)
	var mu sync.Mutex
	const block = 2048
	blocks := (g.rows + chunkRows - 1) / chunkRows
	parts := make([][]float64, blocks) // added in order, so that sums do not depend on the workers
	next := 0
	err := parallel.Workspaces(ctx, workers, blocks, 1, func() func(from, to int) {
		x := make([]float64, block*ld)
		return func(k, _ int) {
			own := make([]float64, wide*ld)
			for from, n := 0, min(chunkRows, g.rows-k*chunkRows); from < n; from += block {
				to := min(from+block, n)
				g.fill(x, ld, k, from, to, of, missing)
				kernel.AddGram(to-from, wide, x, ld, own)
			}
			mu.Lock()
			defer mu.Unlock()
			parts[k] = own
			for next < blocks && parts[next] != nil {
				for i, v := range parts[next] {
					sum[i] += v
				}
				parts[next] = nil
				next++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	at := func(i, j int) float64 { return sum[min(i, j)*ld+max(i, j)] }
	present := make([]int, d) // the place of a column's presence; −1: it is always there
	for j := range present {
		present[j] = slices.Index(missing, j)
	}
	r := make([][]Number, d)
	for i := range r {
		r[i] = make([]Number, d)
		for j := range r[i] {
			n, si, sj, sii, sjj := float64(g.rows), 0.0, 0.0, at(i, i), at(j, j)
			// where j is missing, i's sums lack those rows
			if m := present[j]; m >= 0 {
				si, sii, n = at(i, 2*d+m), at(d+i, 2*d+m), at(2*d+m, 2*d+m)
			}
			if m := present[i]; m >= 0 {
				sj, sjj, n = at(j, 2*d+m), at(d+j, 2*d+m), at(2*d+m, 2*d+m)
			}
			if a, b := present[i], present[j]; a >= 0 && b >= 0 {
				n = at(2*d+a, 2*d+b)
			}
			r[i][j] = Number(correlation(n, si, sj, sii, sjj, at(i, j)))
		}
	}
	return r, nil
}

// fill writes rows of chunk k to x: what stands for the values, and with missing ones the squares and the presence.
func (g *gram) fill(x []float64, ld, k, from, to int, of []tables, missing []int) {
	d := len(g.columns)
	for j, col := range g.columns {
		if g.exact {
			look(&col.codes, k, from, to, of[j].z, x[j:], ld)
			continue
		}
		for i, v := range g.values[j][k*chunkRows+from : k*chunkRows+to] {
			x[i*ld+j] = 0
			if v == v {
				x[i*ld+j] = v
			}
		}
	}
	if len(missing) == 0 {
		return
	}
	for i := range to - from {
		row := x[i*ld : i*ld+2*d]
		for j := range d {
			row[d+j] = row[j] * row[j]
		}
	}
	for m, j := range missing {
		if g.exact {
			look(&g.columns[j].codes, k, from, to, of[j].there, x[2*d+m:], ld)
			continue
		}
		for i, v := range g.values[j][k*chunkRows+from : k*chunkRows+to] {
			x[i*ld+2*d+m] = 0
			if v == v {
				x[i*ld+2*d+m] = 1
			}
		}
	}
}

// correlation is Pearson's from sums over n rows.
func correlation(n, x, y, xx, yy, xy float64) float64 {
	vx, vy := xx-x*x/n, yy-y*y/n
	if !(n > 1) || !(vx > 1e-12*xx) || !(vy > 1e-12*yy) {
		return math.NaN()
	}
	return min(1, max(-1, (xy-x*y/n)/math.Sqrt(vx*vy)))
}

// tables makes what stands for each code.
func (c *column) tables(ranks bool) tables {
	t := tables{z: make([]float64, len(c.counts)), there: make([]float64, len(c.counts))}
	before, n := 0.0, 0.0
	for _, code := range c.order {
		k := float64(c.counts[code][0]) + float64(c.counts[code][1])
		t.z[code] = c.values[code]
		if ranks {
			t.z[code] = before + (k+1)/2
		}
		before += k
		n += k
	}
	mean, scale := 0.0, 0.0
	for _, code := range c.order {
		mean += float64((float64(c.counts[code][0]) + float64(c.counts[code][1])) / n * t.z[code])
	}
	for _, code := range c.order {
		t.z[code] -= mean
		scale = max(scale, math.Abs(t.z[code]))
	}
	squares := 0.0
	for _, code := range c.order {
		if scale > 0 {
			t.z[code] /= scale
		}
		squares += float64((float64(c.counts[code][0]) + float64(c.counts[code][1])) * t.z[code] * t.z[code])
	}
	for code := range t.z {
		if code > 0 && squares > 0 {
			t.z[code] /= math.Sqrt(squares / n)
		}
		if code > 0 {
			t.there[code] = 1
		}
	}
	t.z[0] = 0
	return t
}

// atRows is the values of rows, NaN where missing.
func (c *column) atRows(rows []int64) []float64 {
	if c.streamed != nil {
		return slices.Clone(c.streamed.sample)
	}
	out := make([]float64, len(rows))
	var codes []uint32
	at := -1
	for i, row := range rows {
		if int(row)/chunkRows != at {
			at = int(row) / chunkRows
			codes = c.codes.read(at, codes)
		}
		out[i] = c.sampleValue(codes[int(row)%chunkRows])
	}
	return out
}

// scaleSample centres and scales values, or their ranks, in place.
func scaleSample(v []float64, ranks bool) {
	s := valueCounts(v)
	if ranks {
		rank, before := map[float64]float64{}, 0.0
		for i, x := range s.Values {
			rank[x] = before + (s.Counts[0][i]+1)/2
			before += s.Counts[0][i]
		}
		for i, x := range v {
			if x == x {
				v[i] = rank[x]
			}
		}
		s = valueCounts(v)
	}
	m := s.Moments(0)
	for i := range v {
		if v[i] -= m.Mean; m.SD > 0 {
			v[i] /= m.SD
		}
	}
}

// valueCounts is values in any order as a sample of one group, without missing ones.
func valueCounts(v []float64) *hypothesis.Sample {
	s := &hypothesis.Sample{Counts: make([][]float64, 1)}
	sorted := make([]float64, 0, len(v))
	for _, x := range v {
		if x == x {
			sorted = append(sorted, x)
		}
	}
	slices.Sort(sorted)
	for i, x := range sorted {
		if i == 0 || x != sorted[i-1] {
			s.Values, s.Counts[0] = append(s.Values, x), append(s.Counts[0], 0)
		}
		s.Counts[0][len(s.Values)-1]++
	}
	return s
}

// associated says whether a column is a category that can go together with another.
func (c *column) associated() bool { return c.kind == data.Category && c.exact() && len(c.order) > 1 }

// associations are Cramér's V of pairs of categories, the label's classes among them.
func (c *Collector) associations(ctx context.Context) (*Matrix, error) {
	var columns []*column
	var names []string
	for _, col := range c.columns {
		if col.associated() && len(columns) < maxCategories {
			columns, names = append(columns, col), append(names, col.name)
		}
	}
	if c.class != nil && len(c.class.order) > 1 {
		columns, names = append(columns, c.class), append(names, "class")
	}
	if len(columns) < 2 {
		return nil, nil
	}
	m := &Matrix{Columns: names, Rows: c.rows, R: make([][]Number, len(columns))}
	for i := range m.R {
		m.R[i] = make([]Number, len(columns))
		m.R[i][i] = 1
	}
	var pairs [][2]int
	for i := range columns {
		for j := range i {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	err := parallel.Blocks(ctx, max(1, c.opt.Workers), len(pairs), 1, func(k, _ int) {
		i, j := pairs[k][0], pairs[k][1]
		v := Number(hypothesis.Independence(cross(columns[i], columns[j], maxLevels, maxLevels)).V)
		m.R[i][j], m.R[j][i] = v, v
	})
	m.Order = seriate(m.R)
	return m, err
}

// cross is the rows by the levels of two columns, the commonest of each in falling order and the others together in a
// last one; rows where either is missing are left out.
func cross(a, b *column, mostA, mostB int) hypothesis.Table {
	placeA, na := a.places(mostA)
	placeB, nb := b.places(mostB)
	flat := make([]float64, (na+1)*(nb+1))
	var ca, cb []uint32
	for k := range a.codes.parts {
		ca, cb = a.codes.read(k, ca), b.codes.read(k, cb)
		for i, code := range ca {
			flat[placeA[code]*(nb+1)+placeB[cb[i]]]++
		}
	}
	t := make(hypothesis.Table, na)
	for i := range t {
		t[i] = flat[(i+1)*(nb+1)+1 : (i+2)*(nb+1)]
	}
	return t
}

// places is where the rows of each code go: 0 for missing ones, then levels from 1 on, n of them.
func (c *column) places(most int) (place []int, n int) {
	order := slices.Clone(c.order)
	slices.SortStableFunc(order, func(x, y uint32) int {
		return cmp.Compare(uint64(c.counts[y][0])+uint64(c.counts[y][1]), uint64(c.counts[x][0])+uint64(c.counts[x][1]))
	})
	place = make([]int, len(c.counts))
	for i, code := range order {
		place[code] = min(i, most) + 1
	}
	return place, min(len(order), most+1)
}

// seriate puts columns that go together side by side: pairs with the highest |r| are joined into chains, end to end,
// and chains follow each other by their first column.
func seriate(r [][]Number) []int {
	d := len(r)
	type pair struct {
		i, j int
		v    float64
	}
	var pairs []pair
	for i := range d {
		for j := range i {
			if v := math.Abs(float64(r[i][j])); v == v {
				pairs = append(pairs, pair{j, i, v})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.v, a.v) })
	chain := make([][]int, d) // by column: the chain that it is in, shared
	of := make([]int, d)
	for i := range chain {
		chain[i], of[i] = []int{i}, i
	}
	for _, p := range pairs {
		a, b := of[p.i], of[p.j]
		if a == b {
			continue
		}
		x, y := chain[a], chain[b]
		if x[len(x)-1] != p.i && x[0] != p.i || y[0] != p.j && y[len(y)-1] != p.j {
			continue // inside a chain
		}
		if x[len(x)-1] != p.i {
			slices.Reverse(x)
		}
		if y[0] != p.j {
			slices.Reverse(y)
		}
		chain[a], chain[b] = append(x, y...), nil
		for _, k := range y {
			of[k] = a
		}
	}
	var out []int
	for _, c := range chain {
		out = append(out, c...)
	}
	return out
}

// Pair is two columns and how they go together.
type Pair struct {
	A string
	B string
	R Number
}

// Strongest are the n pairs with the largest |r|.
func (m *Matrix) Strongest(n int) (out []Pair) {
	if m == nil {
		return nil
	}
	for i := range m.R {
		for j := range i {
			if v := m.R[i][j]; !math.IsNaN(float64(v)) {
				out = append(out, Pair{m.Columns[j], m.Columns[i], v})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Pair) int {
		return cmp.Compare(math.Abs(float64(b.R)), math.Abs(float64(a.R)))
	})
	return out[:min(n, len(out))]
}
