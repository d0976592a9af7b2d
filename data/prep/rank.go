package prep

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/elementary"
	"plumbline/numeric/stat"
)

func init() {
	register("select_features", "keeps the columns that tell most about the labels of the training rows", func() step {
		return &selectFeatures{
			Common: Common{Step: "select_features", Fit: "train"}, By: "mutual_information", Keep: 20, Bins: 10,
			Model: "random_forest", Repeats: 5, Rows: 20000,
		}
	})
}

// selectFeatures keeps the number columns, as they stand after the steps before, that rank first by a measure on the
// training rows of the fold. All measures but variance need attacks among them (split.attacks: split); a model that
// learns without labels is then helped by labels, which a note says.
//
//	mutual_information  Σ p(b,y) ln(p(b,y) / (p(b) p(y))), the column b cut into bins of equal frequency, y the label
//	chi2                Σ_y (O_y − E_y)² / E_y, O_y the column's sum over the rows of label y, E_y its share of
//	                    them; the column must not be negative (scikit-learn's feature_selection.chi2)
//	variance            population variance
//	permutation         AUROC of a model, less that with the column's values in a random order
type selectFeatures struct {
	Common `yaml:",inline"`
	// measure that columns are ranked by
	By string `yaml:"by" jsonschema:"enum=mutual_information,enum=chi2,enum=variance,enum=permutation"`
	// columns to keep
	Keep int `yaml:"keep" jsonschema:"minimum=1"`
	// bins of mutual information
	Bins int `yaml:"bins" jsonschema:"minimum=2,maximum=1000"`
	// model of permutation, with its defaults: any that scores rows one by one
	Model string `yaml:"model"`
	// random orders of each column for permutation; 5 as in scikit-learn
	Repeats int `yaml:"repeats" jsonschema:"minimum=1,maximum=1000"`
	// largest number of training rows that permutation looks at
	Rows int `yaml:"rows" jsonschema:"minimum=10"`
}

// Models names the models that steps rank columns by.
func (s Spec) Models() []string {
	var out []string
	for _, st := range s.steps {
		if sf, ok := st.(*selectFeatures); ok && sf.By == permutation {
			out = append(out, sf.Model)
		}
	}
	return out
}

const permutation = "permutation"

func (s *selectFeatures) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	attack := make([]bool, len(rows))
	n := 0
	for i, r := range rows {
		if f.table.Attack != nil && f.table.Attack[r] {
			attack[i] = true
			n++
		}
	}
	if s.By != "variance" && (n == 0 || n == len(rows)) {
		if f.table.Attack == nil {
			return errors.New("ranks columns by labels, and the data has none: rank by variance")
		}
		return fmt.Errorf("ranks columns by labels, and the training rows have %d attacks among %d: "+
			"set split.attacks: split, or rank by variance", n, len(rows))
	}
	score := map[*column]float64{}
	var candidates []*column
	for _, c := range f.columns {
		if c.text || !s.on(c, f.table) {
			continue
		}
		candidates = append(candidates, c)
	}
	values, err := s.values(f, candidates, rows, attack)
	if err != nil {
		return err
	}
	for i, c := range candidates {
		score[c] = values[i]
	}
	ranked := slices.Clone(candidates)
	slices.SortStableFunc(ranked, func(a, b *column) int { return cmp.Compare(score[b], score[a]) })
	gone := map[*column]bool{}
	for _, c := range ranked[min(s.Keep, len(ranked)):] {
		gone[c] = true
	}
	kept := len(candidates) - len(gone)
	f.remove(func(c *column) bool { return gone[c] })
	said := fmt.Sprintf("%d of %d columns are kept by %s", kept, len(candidates), s.By)
	if s.By == permutation {
		said += " for " + s.Model
	}
	if s.By != "variance" {
		said += ", which looked at the labels of the training rows"
	}
	f.notes = append(f.notes, said)
	return nil
}

// values is the measure of each candidate.
func (s *selectFeatures) values(f *fitting, candidates []*column, rows []int32, attack []bool) ([]float64, error) {
	if s.By == permutation {
		return s.byPermutation(f, candidates, rows)
	}
	values := make([]float64, len(candidates))
	err := f.each(func(c *column) bool { return slices.Contains(candidates, c) }, func(c *column) error {
		v, err := s.rank(f.raw(c, rows), attack)
		values[slices.Index(candidates, c)] = v
		return err
	})
	return values, err
}

var errNegative = errors.New("has negative values, which chi2 cannot rank: scale with minmax before")

// rank is the measure of one column; missing values count as a value of their own for mutual information, and as 0
// for chi2.
func (s *selectFeatures) rank(v []float64, attack []bool) (float64, error) {
	switch s.By {
	case "variance":
		v = slices.DeleteFunc(slices.Clone(v), math.IsNaN)
		_, variance := stat.MeanVariance(v)
		return variance, nil
	case "chi2":
		return chiSquare(v, attack)
	}
	return mutualInformation(v, attack, s.Bins), nil
}

func chiSquare(v []float64, attack []bool) (float64, error) {
	var sum [2]float64
	var rows [2]int
	for i, x := range v {
		k := 0
		if attack[i] {
			k = 1
		}
		rows[k]++
		switch {
		case x < 0:
			return 0, errNegative
		case !math.IsNaN(x):
			sum[k] += x
		}
	}
	total, out := sum[0]+sum[1], 0.0
	for k := range sum {
		if expected := total * float64(rows[k]) / float64(len(v)); expected > 0 {
			out += (sum[k] - expected) * (sum[k] - expected) / expected
		}
	}
	return out, nil
}

// mutualInformation is in nats. A bin is full when it has its share of the rows; equal values stay together, and
// missing ones have a bin of their own.
func mutualInformation(v []float64, attack []bool, bins int) float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) }) // NaN first
	joint := [][2]int{}
	var rows [2]int
	for i, r := range order {
		same := i > 0 && (v[r] == v[order[i-1]] || math.IsNaN(v[r]) && math.IsNaN(v[order[i-1]]))
		if i == 0 || !same && (math.IsNaN(v[order[i-1]]) || full(joint[len(joint)-1], len(v), bins)) {
			joint = append(joint, [2]int{})
		}
		k := 0
		if attack[r] {
			k = 1
		}
		joint[len(joint)-1][k]++
		rows[k]++
	}
	n, out := float64(len(v)), 0.0
	for _, b := range joint {
		for k, count := range b {
			if count > 0 {
				p := float64(count) / n
				out += float64(p * elementary.Log(p*n*n/(float64(b[0]+b[1])*float64(rows[k]))))
			}
		}
	}
	return math.Max(out, 0)
}

// full says whether a bin has its share of the rows.
func full(bin [2]int, rows, bins int) bool { return (bin[0]+bin[1])*bins >= rows }
