package compare

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/eval"
	"plumbline/runs/record"
)

// fewSeeds is the number of seeds or folds below which an interval over them says little: with 5 it reaches 1.24
// standard deviations to either side of the mean, with 3 already 2.48, with 2 nearly 9.
const fewSeeds = 5

// cellWarnings joins the warnings of the cells: each once, with the models it is about and how many of their cells
// carry it when not all do.
func cellWarnings(cells []member) (out []string) {
	type carrier struct {
		labels []string
		cells  int
	}
	carriers := map[string]*carrier{}
	ok := map[string]int{} // cells of each model
	var order []string
	for _, m := range cells {
		if m.Status != record.OK {
			continue
		}
		ok[m.Label]++
		for _, w := range m.Warnings {
			if strings.HasPrefix(w, eval.OffRate) {
				continue
			}
			c := carriers[w]
			if c == nil {
				c = &carrier{}
				carriers[w], order = c, append(order, w)
			}
			if c.cells++; !slices.Contains(c.labels, m.Label) {
				c.labels = append(c.labels, m.Label)
			}
		}
	}
	for _, w := range order {
		c, of := carriers[w], 0
		for _, l := range c.labels {
			of += ok[l]
		}
		who := strings.Join(c.labels, ", ")
		if len(ok) > 1 && len(c.labels) == len(ok) {
			who = "all models"
		}
		if w = who + ": " + w; c.cells < of {
			w = fmt.Sprintf("%s (%d of %d cells)", w, c.cells, of)
		}
		out = append(out, w)
	}
	return out
}

// rateWarnings names the models whose false-positive rate is not the one that was asked for, with their mean rates.
func rateWarnings(cells []member) []string {
	var asked []float64
	var labels []string // of the models, in order of appearance
	sum, n := map[string]float64{}, map[string]float64{}
	for _, m := range cells {
		if m.Status != record.OK || !slices.ContainsFunc(m.Warnings,
			func(w string) bool { return strings.HasPrefix(w, eval.OffRate) }) {
			continue
		}
		if n[m.Label] == 0 {
			labels = append(labels, m.Label)
		}
		n[m.Label]++
		sum[m.Label] += m.Metric("fpr")
		if a := m.Metric("fpr_asked"); !slices.Contains(asked, a) {
			asked = append(asked, a)
		}
	}
	if labels == nil {
		return nil
	}
	for i, l := range labels {
		labels[i] = fmt.Sprintf("%s %s", l, percent(sum[l]/n[l]))
	}
	rates := make([]string, len(asked))
	for i, a := range asked {
		rates[i] = percent(a)
	}
	return []string{fmt.Sprintf("asked for %s false positives, got %s: thresholds do not hold on these benign units",
		strings.Join(rates, " or "), strings.Join(labels, ", "))}
}

// repetitionWarnings is what the number of seeds or folds that the rows rest on leaves open.
func repetitionWarnings(rows []Row) (out []string) {
	var single []string
	few := map[string]int{} // the least number of seeds, and of folds
	for i := range rows {
		r := &rows[i]
		if r.Main.Missing > 0 {
			out = append(out, fmt.Sprintf("%s: undefined for %d of %d cells, which its mean leaves out", r.Label, r.Main.Missing,
				r.OK))
		}
		over := "seeds"
		if r.Main.Over == "folds" {
			over = "folds"
		}
		switch {
		case r.Fixed && over == "seeds" || r.OK == 0:
		case r.OK == 1:
			single = append(single, r.Label)
		case few[over] == 0 || r.Main.N < few[over]:
			few[over] = r.Main.N
		}
	}
	if single != nil {
		out = append(out, fmt.Sprintf("one seed of %s: nothing shows how far the result of another may lie",
			strings.Join(single, ", ")))
	}
	for _, over := range []string{"seeds", "folds"} {
		if n := few[over]; n > 0 && n < fewSeeds {
			out = append(out, fmt.Sprintf("%d %s are few for an interval: take %d or more", n, over, fewSeeds))
		}
	}
	return out
}

// fewWarning says that models which use their seed have few seeds, or few folds: tests on the judged units are of these
// trainings, and others may do otherwise. "" where there are enough, or no model uses its seed.
func fewWarning(models ...[]record.Result) string {
	least, over := 0, ""
	for _, cells := range models {
		seeds, folds := map[uint64]bool{}, map[string]bool{}
		for i := range cells {
			seeds[cells[i].Seed], folds[cells[i].Fold] = true, true
		}
		n, what := len(seeds), "seed"
		if len(folds) > 1 {
			n, what = len(folds), "fold"
		}
		fixed := len(cells) == 0 || what == "seed" && cells[0].Deterministic
		if !fixed && n < fewSeeds && (over == "" || n < least) {
			least, over = n, what
		}
	}
	switch {
	case over == "":
		return ""
	case least > 1:
		over += "s"
	}
	return fmt.Sprintf("%d %s: the tests on units are of these trainings, and say little of others; take %d or more",
		least, over, fewSeeds)
}

// attackWarnings: attacks that all test in every fold are one sample, which an interval over folds cannot tell of.
func attackWarnings(cells []member, records []*record.Record) (out []string) {
	folds := map[string]bool{}
	for _, c := range cells {
		folds[c.Fold] = true
	}
	if len(folds) < 2 {
		return nil
	}
	for _, c := range cells {
		d, ok := records[c.run].Manifest.DataSet(c.Data)
		if !ok || c.Fold == "" || d.TestBenign == 0 || d.Attacks == 0 || d.Test-d.TestBenign < d.Attacks {
			continue
		}
		text := fmt.Sprintf("all %d attacks test in every fold: intervals over folds say nothing of other attacks", d.Attacks)
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// thresholdWarnings: decisions by other rules are not compared by what they got right.
func thresholdWarnings(cells []member, records []*record.Record) []string {
	var rules []string
	for _, c := range cells {
		if rule := records[c.run].Threshold; c.Status == record.OK && rule != "" && !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	if len(rules) < 2 {
		return nil
	}
	return []string{fmt.Sprintf(
		"%s (%s): accuracy, precision, recall, F1 and MCC do not compare", otherRules, strings.Join(rules, "; "))}
}

// ruleWarnings: thresholds of one data set beside those of another, set by another rule.
func (c *Comparison) ruleWarnings(records []*record.Record) []string {
	var rules []string
	for _, rec := range records {
		if rule := rec.Threshold; rec.OK() > 0 && rule != "" && !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	within := slices.ContainsFunc(c.Groups, func(g Group) bool {
		return slices.ContainsFunc(g.Warnings, func(w string) bool { return strings.HasPrefix(w, otherRules) })
	})
	if len(rules) < 2 || within {
		return nil
	}
	return []string{fmt.Sprintf("%s from data set to data set (%s)", otherRules, strings.Join(rules, "; "))}
}

// otherRules begins the warnings of threshold rules that differ.
const otherRules = "thresholds are set by other rules"

// preparationWarnings is what keeps the numbers of two cells from being comparable: other test units, or other
// values in front of models that see the same kind of input.
func preparationWarnings(cells []member) (out []string) {
	var folds []string
	byFold := map[string][]member{}
	for _, m := range cells {
		if _, ok := byFold[m.Fold]; !ok {
			folds = append(folds, m.Fold)
		}
		byFold[m.Fold] = append(byFold[m.Fold], m)
	}
	for _, f := range folds { // folds differ from each other by design
		for _, warning := range preparationWarningsIn(byFold[f]) {
			if !slices.Contains(out, warning) {
				out = append(out, warning)
			}
		}
	}
	return out
}

func preparationWarningsIn(cells []member) (out []string) {
	var units, inputs []string
	sums := map[string][]string{}
	for _, m := range cells {
		if m.Status != record.OK {
			continue
		}
		u := fmt.Sprintf("%d with %s attacks", m.Test, percent(m.Metric("prevalence")))
		if !slices.Contains(units, u) {
			units = append(units, u)
		}
		if m.TestSHA256 == "" {
			continue
		}
		if _, ok := sums[m.Input]; !ok {
			inputs = append(inputs, m.Input)
		}
		if !slices.Contains(sums[m.Input], m.TestSHA256) {
			sums[m.Input] = append(sums[m.Input], m.TestSHA256)
		}
	}
	if len(units) > 1 {
		out = append(out, fmt.Sprintf("not all are judged on the same units (%s): their numbers do not compare",
			strings.Join(units, "; ")))
	}
	for _, in := range inputs {
		if k := len(sums[in]); k > 1 {
			out = append(out, fmt.Sprintf("models of %s saw %d different test sets (test_sha256): data, split or preprocessing "+
				"differ", in, k))
		}
	}
	return out
}
