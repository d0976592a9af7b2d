package audit

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/data"
)

func (r *Report) find(kind, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{kind, fmt.Sprintf(format, args...)})
}

// findAll turns the figures into findings.
func (r *Report) findAll() {
	r.Findings = []Finding{}
	f := r.Features
	if s := share(f.Test, r.Test); s > repeatShare {
		r.find("duplicates", "%s of the test rows repeat another test row", percent(s))
	}
	if s := share(f.All, r.Rows); r.Unlabelled && s > repeatShare {
		r.find("duplicates", "%s of the rows repeat another row", percent(s))
	} else if s := share(f.Train, r.Train); !r.Unlabelled && s > repeatShare {
		r.find("duplicates", "%s of the training rows repeat another training row", percent(s))
	}
	if s := share(f.Across, r.Test); s > repeatShare {
		r.find("overlap", "%s of the test rows also occur in training", percent(s))
	}
	if b := r.Bare; len(r.Identifiers) > 0 && b.All > f.All {
		r.find("duplicates", "%d rows repeat another one without %s, which name rows; %d with them", b.All,
			strings.Join(r.Identifiers, ", "), f.All)
	}
	if d := r.Drift; d != nil && d.Break != "" {
		r.find("drift", "benign rows from %s on are others than before (stability index %.2f, most: %s): a split in time "+
			"tests this too", d.Break, d.BreakPSI, strings.Join(d.BreakMost, ", "))
	}
	if f.Conflicts > 0 {
		r.find(
			"conflicts",
			"%d rows occur both as benign and as attacks: no model can get all of them right",
			f.Conflicts,
		)
	}
	for _, g := range r.Groups {
		if g.Both > 0 {
			r.find(
				"groups",
				"%d of %d groups by %s have rows in training and in test (%s of the test rows)",
				g.Both,
				g.Groups,
				strings.Join(g.Columns, ", "),
				percent(share(g.TestIn, r.Test)),
			)
		}
	}
	r.findInColumns()
	for name, n := range r.Disordered {
		if n > 0 {
			r.find("time", "%d rows are earlier than the row before by column %s", n, name)
		}
	}
	for _, w := range r.Wrong {
		columns := strings.Join(w.Columns, ", ")
		r.find("wrong", "%s: %s in %d rows, first %s; {error: %s, columns: [%s]} under repair sets such values to missing",
			strings.ReplaceAll(w.Error, "_", " "), columns, w.Rows, w.First, w.Error, columns)
	}
	if !r.Unlabelled {
		r.findInClasses()
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return strings.Compare(a.Kind, b.Kind) })
}

func (r *Report) findInColumns() {
	for _, c := range r.Columns {
		address := c.Type == data.Address.String()
		if c.Beyond > 0 && !address {
			r.find("constant", "column %s has one value in the benign training rows, and another in %d test rows: "+
				"drop_constant takes it out", c.Name, c.Beyond)
		}
		switch {
		case c.Distinct == 1:
			r.find("constant", "column %s has one value", c.Name)
		case !address && c.Type == data.Category.String() && c.Distinct > 100 && share(c.Distinct, r.Rows) > 0.5:
			r.find(
				"identifier",
				"column %s has %d values in %d rows: it names rows rather than describes them",
				c.Name,
				c.Distinct,
				r.Rows,
			)
		case c.AUROC > shortcutAUROC || c.Stump > shortcutAUROC:
			what := "column"
			if address {
				what = "address column"
			}
			r.find("shortcut", "%s %s alone tells attacks (AUROC %.4f, one cut %.4f)", what, c.Name, c.AUROC, c.Stump)
		}
	}
}

func (r *Report) findInClasses() {
	small, benign, attacks := 0, 0, 0
	for _, c := range r.Classes {
		if c.Attack && c.Test > 0 && c.Test < smallClass {
			small++
		}
		if c.Attack {
			attacks += c.Test
		} else {
			benign += c.Test
		}
	}
	if small > 0 {
		r.find("small_class", "%d attack classes have fewer than %d test rows", small, smallClass)
	}
	if benign == 0 || attacks == 0 {
		r.find("one_class", "the test rows are of one kind: %d benign, %d attacks", benign, attacks)
	}
}

func percent(s float64) string { return fmt.Sprintf("%.1f %%", 100*s) }

// Warnings are what a reader of every table of results must know: the columns that by themselves rank nearly all
// attacks above nearly all benign rows.
func (r *Report) Warnings() []string {
	var names []string
	for _, c := range r.Columns {
		if c.Distinct > 1 && c.AUROC > leakAUROC {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return nil
	}
	return []string{fmt.Sprintf("a single column tells attacks from benign rows (AUROC above %g): %s: a shortcut "+
		"of this data, or the label in another form", leakAUROC, strings.Join(names, ", "))}
}

// Shortcuts are the columns that alone tell attacks.
func (r *Report) Shortcuts() (names []string) {
	for _, c := range r.Columns {
		if c.Distinct > 1 && (c.AUROC > shortcutAUROC || c.Stump > shortcutAUROC) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Line is the report in one line, for the foot of a table.
func (r *Report) Line() string {
	count := map[string]int{}
	shortcuts := r.Shortcuts()
	for _, f := range r.Findings {
		count[f.Kind]++
	}
	s := fmt.Sprintf("audit: %s of test rows repeat, %s occur in training",
		percent(share(r.Features.Test, r.Test)), percent(share(r.Features.Across, r.Test)))
	if !r.Unlabelled {
		s += fmt.Sprintf("; %d conflicting rows", r.Features.Conflicts)
	}
	if len(shortcuts) > 0 {
		shown := shortcuts
		if len(shown) > 4 {
			shown = append(slices.Clone(shown[:4]), "…")
		}
		s += "; shortcuts: " + strings.Join(shown, ", ")
	}
	if n := count["groups"]; n > 0 {
		s += "; groups on both sides"
	}
	if n := count["small_class"]; n > 0 {
		s += "; small classes"
	}
	return s
}
