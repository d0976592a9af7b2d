package hypothesis

import (
	"math"

	"plumbline/numeric/stat"
)

// Table is counts by the levels of two categories, rows of equal length.
type Table [][]float64

// margins are the sums of rows and columns and of all.
func (t Table) margins() (rows, columns []float64, n float64) {
	if len(t) == 0 {
		return nil, nil, 0
	}
	rows, columns = make([]float64, len(t)), make([]float64, len(t[0]))
	for i, row := range t {
		for j, v := range row {
			rows[i] += v
			columns[j] += v
			n += v
		}
	}
	return rows, columns, n
}

// ChiSquared is the outcome of a test of independence.
type ChiSquared struct {
	Result
	V           float64 // Cramér's: 0 where the categories have nothing to do with each other, 1 where one gives the other
	MinExpected float64 // the smallest expected count
	Below5      int     // expected counts below 5, for which the approximation is rough
	Cells       int
}

// Independence is Pearson's test of whether two categories have nothing to do with each other,
//
//	χ² = Σ (O−E)²/E        E = row · column / n
//
// with (rows−1)(columns−1) degrees of freedom, without a correction for continuity. Rows and columns without counts are
// left out.
func Independence(t Table) ChiSquared {
	rows, columns, n := t.margins()
	out := ChiSquared{Result: undefined, V: math.NaN(), MinExpected: math.Inf(1)}
	x, r, c := 0.0, positive(rows), positive(columns)
	for i, row := range t {
		for j, o := range row {
			if rows[i] == 0 || columns[j] == 0 {
				continue
			}
			e := rows[i] * columns[j] / n
			x += (o - e) * (o - e) / e
			out.Cells++
			if out.MinExpected = min(out.MinExpected, e); e < 5 {
				out.Below5++
			}
		}
	}
	if r < 2 || c < 2 {
		return out
	}
	out.Statistic, out.DF = x, float64((r-1)*(c-1))
	out.LogP = stat.LogChiSquaredSurvival(x, out.DF)
	out.V = math.Sqrt(x / (n * float64(min(r, c)-1)))
	return out
}

// Yates is the test of independence of two by two levels with Yates's correction for continuity.
func Yates(t Table) Result {
	rows, columns, n := t.margins()
	if len(rows) != 2 || len(columns) != 2 || positive(rows) < 2 || positive(columns) < 2 {
		return undefined
	}
	x := 0.0
	for i, row := range t {
		for j, o := range row {
			e := rows[i] * columns[j] / n
			d := math.Abs(o - e)
			d -= min(0.5, d)
			x += d * d / e
		}
	}
	return Result{Statistic: x, DF: 1, LogP: stat.LogChiSquaredSurvival(x, 1)}
}

func positive(v []float64) (n int) {
	for _, x := range v {
		if x > 0 {
			n++
		}
	}
	return n
}

// Residuals are the standardised (adjusted) residuals of a table, which are normal where its categories are
// independent: (O−E) / √(E (1−row/n) (1−column/n)); 0 where they are undefined.
func Residuals(t Table) Table {
	rows, columns, n := t.margins()
	out := make(Table, len(t))
	for i, row := range t {
		out[i] = make([]float64, len(row))
		for j, o := range row {
			e := rows[i] * columns[j] / n
			if sd := math.Sqrt(e * (1 - rows[i]/n) * (1 - columns[j]/n)); sd > 0 {
				out[i][j] = (o - e) / sd
			}
		}
	}
	return out
}

// MergeRare adds the rows up whose expected counts are below 5 in some column, into one row at the end, and says which
// those are. The table is nil where fewer than two rows are left.
func MergeRare(t Table) (merged Table, rare []int) {
	rows, columns, n := t.margins()
	if n == 0 {
		return nil, nil
	}
	rest := make([]float64, len(columns))
	for i, row := range t {
		if least := lowest(columns) * rows[i] / n; least >= 5 {
			merged = append(merged, row)
			continue
		}
		rare = append(rare, i)
		for j, v := range row {
			rest[j] += v
		}
	}
	if rare != nil {
		merged = append(merged, rest)
	}
	if len(merged) < 2 {
		return nil, rare
	}
	return merged, rare
}

// lowest is the smallest positive value.
func lowest(v []float64) float64 {
	least := math.Inf(1)
	for _, x := range v {
		if x > 0 {
			least = min(least, x)
		}
	}
	return least
}

// Fisher is the exact two-sided test of two by two counts: the logarithm of the probability, with these margins, of all
// tables that are not more likely than this one. The odds ratio is that of the sample, ad/bc.
func Fisher(t Table) (oddsRatio, logP float64) {
	if len(t) != 2 || len(t[0]) != 2 || len(t[1]) != 2 {
		return math.NaN(), math.NaN()
	}
	a, b, c, d := t[0][0], t[0][1], t[1][0], t[1][1]
	oddsRatio = a * d / (b * c)
	n, row, column := a+b+c+d, a+b, a+c
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	at := func(k float64) float64 {
		return logChoose(column, k) + logChoose(n-column, row-k) - logChoose(n, row)
	}
	here := at(a)
	const same = 1e-7 // tables are as likely up to rounding
	var terms []float64
	top := math.Inf(-1)
	low, high := max(0, row-(n-column)), min(row, column)
	mode := math.Floor((row + 1) * (column + 1) / (n + 2))
	// from the mode outwards probabilities fall, and those that cannot matter any more are left out
	walk := func(k, by float64) {
		for ; k >= low && k <= high; k += by {
			p := at(k)
			if p > here+same {
				continue
			}
			if p < top-40 {
				return
			}
			top = max(top, p)
			terms = append(terms, p)
		}
	}
	walk(min(max(mode, low), high), -1)
	walk(min(max(mode, low), high)+1, 1)
	sum := 0.0
	for _, p := range terms {
		sum += math.Exp(p - top)
	}
	return oddsRatio, min(0, top+math.Log(sum))
}

// logChoose is the logarithm of the binomial coefficient n over k.
func logChoose(n, k float64) float64 {
	ln, _ := math.Lgamma(n + 1)
	lk, _ := math.Lgamma(k + 1)
	lr, _ := math.Lgamma(n - k + 1)
	return ln - lk - lr
}
