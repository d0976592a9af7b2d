package evasion

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/data/split"
)

// EvasionSpec declares how the attacks of the test part try to look benign before a model sees them: the
// robustness attacks of C. Cao and others, State Frequency Estimation for Anomaly Detection (SEQUENT), 2024. What is
// benign is taken from the training part. Columns that
// a config derives from an entity's earlier rows are changed like others, not computed anew.
type EvasionSpec struct {
	// padding: every number becomes the nearest one of benign training rows, categories that those lack a random one;
	// random: a share of the attacks takes the values of random benign rows; window: an attacking connection's rows
	// take those of consecutive rows of benign connections; frequency: every attack becomes the nearest of the frequent
	// benign rows
	Kind string `yaml:"kind" jsonschema:"enum=padding,enum=random,enum=window,enum=frequency"`
	// what an attacker can change; none: every number and category
	Columns []string `yaml:"columns"`
	// columns that stay, where columns does not name the others
	Keep []string `yaml:"keep"`
	// window: the columns that make a connection; none: the first two addresses
	Key []string `yaml:"key"`
	// random: how many of the attacks are replaced
	Share float64 `yaml:"share" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// window: fewest rows of a benign connection that is imitated
	MinRows int `yaml:"min_rows" jsonschema:"minimum=1"`
	// frequency: how often benign values must be seen together to be imitated
	MinCount int `yaml:"min_count" jsonschema:"minimum=1"`
	// of the random choices; the same for every cell
	Seed uint64 `yaml:"seed"`
}

// DefaultEvasion is what an evasion says where a config does not: the paper's share and counts.
func DefaultEvasion() EvasionSpec {
	return EvasionSpec{Share: 0.15, MinRows: 10, MinCount: 100, Seed: 1}
}

// ErrEvasion is wrapped by errors about an evasion that cannot be carried out.
var ErrEvasion = errors.New("impossible evasion")

// Check says what is wrong with the values together.
func (e EvasionSpec) Check() error {
	switch {
	case e.Kind == "":
		return fmt.Errorf("%w: no kind: want padding, random, window or frequency", ErrEvasion)
	case len(e.Columns) > 0 && len(e.Keep) > 0:
		return fmt.Errorf("%w: columns and keep exclude each other", ErrEvasion)
	case len(e.Key) > 0 && e.Kind != "window":
		return fmt.Errorf("%w: key is for kind window, not %s", ErrEvasion, e.Kind)
	}
	return nil
}

// Apply is the table with the attacks of the test part disguised, and how many rows were. The other rows and
// columns are those of t, which stays as it is. Labels stay, too: the rows are attacks as before.
func (e EvasionSpec) Apply(t *data.Table, sp *split.Split) (*data.Table, int, error) {
	fail := func(err error) (*data.Table, int, error) {
		return nil, 0, fmt.Errorf("data: %s: evasion %s: %w", t.Name, e.Kind, err)
	}
	if err := e.Check(); err != nil {
		return fail(err)
	}
	a := attacker{spec: e, benign: t.Benign(sp.Train), random: rand.New(rand.NewPCG(e.Seed, 0x6576617369))}
	for _, r := range sp.Test {
		if t.Attack[r] {
			a.rows = append(a.rows, r)
		}
	}
	out := *t
	out.Columns = slices.Clone(t.Columns)
	if err := a.choose(&out); err != nil {
		return fail(err)
	}
	if len(a.benign) == 0 {
		return fail(fmt.Errorf("%w: no benign training rows to imitate", ErrEvasion))
	}
	var n int
	var err error
	switch e.Kind {
	case "padding":
		n = a.pad()
	case "random":
		n = a.replace()
	case "window":
		n, err = a.follow(t)
	case "frequency":
		n, err = a.frequent()
	}
	if err != nil {
		return fail(err)
	}
	return &out, n, nil
}

// attacker disguises rows.
type attacker struct {
	spec    EvasionSpec
	columns []*data.Column // copies, to be changed
	benign  []int32        // training rows
	rows    []int32        // test rows that are attacks
	random  *rand.Rand
}

// choose copies the columns that are changed.
func (a *attacker) choose(t *data.Table) error {
	for _, name := range slices.Concat(a.spec.Columns, a.spec.Keep) {
		if _, err := t.Column(name); err != nil {
			return fmt.Errorf("%w: %w", ErrEvasion, err)
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		wanted := (c.Type == data.Number || c.Type == data.Category) && !slices.Contains(a.spec.Keep, c.Name)
		if len(a.spec.Columns) > 0 {
			if wanted = slices.Contains(a.spec.Columns, c.Name); wanted && c.Type != data.Number &&
				c.Type != data.Category {
				return fmt.Errorf("%w: column %s is of type %v: numbers and categories can be disguised", ErrEvasion,
					c.Name, c.Type)
			}
		}
		if wanted {
			c.Num, c.Code = slices.Clone(c.Num), slices.Clone(c.Code)
			a.columns = append(a.columns, c)
		}
	}
	if len(a.columns) == 0 {
		return fmt.Errorf("%w: no column to change", ErrEvasion)
	}
	return nil
}

// imitate gives row to the values of row from and says whether that changed any.
func (a *attacker) imitate(to, from int32) (changed bool) {
	for _, c := range a.columns {
		if c.Type == data.Number {
			changed = changed || c.Num[to] != c.Num[from] && !(math.IsNaN(c.Num[to]) && math.IsNaN(c.Num[from]))
			c.Num[to] = c.Num[from]
			continue
		}
		changed = changed || c.Code[to] != c.Code[from]
		c.Code[to] = c.Code[from]
	}
	return changed
}

// pad moves every value to one that benign rows have, each column for itself. Missing numbers stay missing.
func (a *attacker) pad() (n int) {
	changed := make([]bool, len(a.rows))
	for _, c := range a.columns {
		if c.Type == data.Category {
			seen := map[uint32]bool{}
			for _, r := range a.benign {
				seen[c.Code[r]] = true
			}
			for i, r := range a.rows {
				if !seen[c.Code[r]] {
					c.Code[r] = c.Code[a.benign[a.random.IntN(len(a.benign))]]
					changed[i] = true
				}
			}
			continue
		}
		var known []float64
		for _, r := range a.benign {
			if v := c.Num[r]; !math.IsNaN(v) {
				known = append(known, v)
			}
		}
		slices.Sort(known)
		known = slices.Compact(known)
		for i, r := range a.rows {
			if v := c.Num[r]; !math.IsNaN(v) && len(known) > 0 {
				c.Num[r] = nearest(known, v)
				changed[i] = changed[i] || c.Num[r] != v
			}
		}
	}
	for _, b := range changed {
		if b {
			n++
		}
	}
	return n
}

// nearest is the one of ascending values that is nearest to v, the smaller of two.
func nearest(ascending []float64, v float64) float64 {
	i, _ := slices.BinarySearch(ascending, v)
	switch {
	case i == len(ascending):
		return ascending[i-1]
	case i > 0 && v-ascending[i-1] <= ascending[i]-v:
		return ascending[i-1]
	}
	return ascending[i]
}

// replace gives each attack, with the probability Share, the values of a random benign row.
func (a *attacker) replace() (n int) {
	for _, r := range a.rows {
		if a.random.Float64() < a.spec.Share {
			if a.imitate(r, a.benign[a.random.IntN(len(a.benign))]) {
				n++
			}
		}
	}
	return n
}

// follow gives the rows of each attacking connection, in time, the values of the rows of a random benign one, from a
// random place that leaves the most of it, and of another one where the first ends.
func (a *attacker) follow(t *data.Table) (n int, err error) {
	key := a.spec.Key
	if len(key) == 0 {
		for i := range t.Columns {
			if t.Columns[i].Type == data.Address && len(key) < 2 {
				key = append(key, t.Columns[i].Name)
			}
		}
		if len(key) < 2 {
			return 0, fmt.Errorf("%w: %d address columns: name the columns of a connection under key", ErrEvasion,
				len(key))
		}
	}
	group, _, err := t.Groups(key)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrEvasion, err)
	}
	longest := 0
	var models [][]int32
	for _, rows := range inGroups(t, group, a.benign) {
		longest = max(longest, len(rows))
		if len(rows) >= a.spec.MinRows {
			models = append(models, rows)
		}
	}
	if len(models) == 0 {
		return 0, fmt.Errorf("%w: no benign connection (%s) has %d training rows, the longest has %d", ErrEvasion,
			strings.Join(key, ", "), a.spec.MinRows, longest)
	}
	for _, rows := range inGroups(t, group, a.rows) {
		var from []int32
		for i, r := range rows {
			if len(from) == 0 {
				from = models[a.random.IntN(len(models))]
				if spare := len(from) - (len(rows) - i); spare > 0 {
					from = from[a.random.IntN(spare+1):]
				}
			}
			if a.imitate(r, from[0]) {
				n++
			}
			from = from[1:]
		}
	}
	return n, nil
}

// inGroups parts rows by group, groups in order of their first row, rows by the first time column, or as they stand.
func inGroups(t *data.Table, group, rows []int32) (out [][]int32) {
	at := map[int32]int{}
	for _, r := range rows {
		k, ok := at[group[r]]
		if !ok {
			k = len(out)
			at[group[r]], out = k, append(out, nil)
		}
		out[k] = append(out[k], r)
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Type == data.Time {
			for _, rows := range out {
				slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(c.Nanos[a], c.Nanos[b]) })
			}
			break
		}
	}
	return out
}

// frequent gives every attack the values of the nearest of the rows that benign traffic repeats: Euclidean, numbers in
// standard deviations of the benign rows, a category that differs counting 1. A missing number is 0 of them away from
// another and 1 from a number.
func (a *attacker) frequent() (n int, err error) {
	counts := map[string]int{}
	first := map[string]int32{}
	var order []string
	var key []byte
	for _, r := range a.benign {
		key = key[:0]
		for _, c := range a.columns {
			key = c.AppendKey(key, r)
		}
		k := string(key)
		if counts[k]++; counts[k] == 1 {
			first[k], order = r, append(order, k)
		}
	}
	most := 0
	var models []int32
	for _, k := range order {
		most = max(most, counts[k])
		if counts[k] >= a.spec.MinCount {
			models = append(models, first[k])
		}
	}
	if len(models) == 0 {
		return 0, fmt.Errorf("%w: no benign row is seen %d times, the most frequent one %d times", ErrEvasion,
			a.spec.MinCount, most)
	}
	scale := make([]float64, len(a.columns))
	for i, c := range a.columns {
		if c.Type == data.Number {
			scale[i] = deviation(c.Num, a.benign)
		}
	}
	for _, r := range a.rows {
		best, least := models[0], math.Inf(1)
		for _, m := range models {
			if d := a.distance(r, m, scale); d < least {
				best, least = m, d
			}
		}
		if a.imitate(r, best) {
			n++
		}
	}
	return n, nil
}

func (a *attacker) distance(r, m int32, scale []float64) (sum float64) {
	for i, c := range a.columns {
		switch {
		case c.Type == data.Category:
			if c.Code[r] != c.Code[m] {
				sum++
			}
		case math.IsNaN(c.Num[r]) || math.IsNaN(c.Num[m]):
			if math.IsNaN(c.Num[r]) != math.IsNaN(c.Num[m]) {
				sum++
			}
		default:
			d := (c.Num[r] - c.Num[m]) / scale[i]
			sum += float64(d * d)
		}
	}
	return sum
}

// deviation is the standard deviation of the rows' values, 1 where they do not differ.
func deviation(v []float64, rows []int32) float64 {
	n, mean, squares := 0.0, 0.0, 0.0
	for _, r := range rows {
		if !math.IsNaN(v[r]) {
			n++
			d := v[r] - mean
			mean += d / n
			squares += float64(d * (v[r] - mean))
		}
	}
	if sd := math.Sqrt(squares / n); sd > 0 && !math.IsInf(sd, 0) {
		return sd
	}
	return 1
}
