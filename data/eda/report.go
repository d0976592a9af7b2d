package eda

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/data/value"
	"plumbline/numeric/sketch"
)

// Report is what a data set looks like.
type Report struct {
	Data     string     `json:"data"`
	Rows     int        `json:"rows"`
	Labelled bool       `json:"labelled"`
	Attacks  int        `json:"attacks"`
	Classes  []Class    `json:"classes,omitempty"` // by falling rows
	Distinct int        `json:"distinct_rows"`     // over all columns and the class
	Counted  bool       `json:"distinct_rows_exact"`
	Says     []Finding  `json:"says"`
	Features []*Feature `json:"features"`
	// Streamed are the columns that did not fit the memory: sketches describe them, and pairs with them are of a sample
	// of SampleRows rows.
	Streamed    []string        `json:"streamed,omitempty"`
	SampleRows  int             `json:"sample_rows,omitempty"`
	Pearson     *Matrix         `json:"pearson,omitempty"`
	Spearman    *Matrix         `json:"spearman,omitempty"`
	CramersV    *Matrix         `json:"cramers_v,omitempty"`
	Patterns    []Pattern       `json:"missing_patterns,omitempty"`
	Unpatterned int             `json:"missing_other_rows,omitempty"` // rows of patterns that are not listed
	Course      *Course         `json:"course,omitempty"`
	Periods     *Periods        `json:"periods,omitempty"`
	Windows     []WindowFeature `json:"window_features,omitempty"`
	Questions   []*Question     `json:"tests,omitempty"`
	Against     *Against        `json:"against,omitempty"`
	Notes       []string        `json:"notes,omitempty"`
}

// Finding is a sentence about the data. Kind is rows, missing, duplicates, constant, shortcut, drift, moved, heavy,
// memory, time or pairs.
type Finding struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Request is what a report is to hold beside what it always does.
type Request struct {
	Tests   []string   // pairs such as src_bytes ~ label; none: the usual questions of network traffic
	Against *Collector // another data set to compare with; nil: none
	Notes   []string   // what reading left to say
}

const (
	maxListed     = 20
	shortcutAUROC = 0.95
	movedIndex    = 0.25
)

// Report describes the rows that were added. The collector takes no more rows after it.
func (c *Collector) Report(ctx context.Context, r Request) (*Report, error) {
	if c.rows == 0 {
		return nil, fmt.Errorf("eda: %s: no rows", c.name)
	}
	if err := c.finish(ctx); err != nil {
		return nil, err
	}
	rep := &Report{Data: c.name, Rows: c.rows, Labelled: c.class != nil, Attacks: c.attacks, Notes: r.Notes}
	rep.Classes = slices.DeleteFunc(slices.Clone(c.classes), func(k Class) bool { return k.Rows == 0 })
	slices.SortStableFunc(rep.Classes, func(a, b Class) int { return cmp.Compare(b.Rows, a.Rows) })
	rep.Distinct, rep.Counted = c.distinct.count()
	rep.Distinct = min(rep.Distinct, rep.Rows)
	if err := c.describe(ctx, rep); err != nil {
		return nil, err
	}
	for _, p := range c.patterns {
		rep.Patterns = append(rep.Patterns, *p)
	}
	slices.SortFunc(rep.Patterns, func(a, b Pattern) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), strings.Compare(strings.Join(a.Columns, "\x00"),
			strings.Join(b.Columns, "\x00")))
	})
	rep.Unpatterned = c.rest
	for len(rep.Patterns) > maxListed {
		rep.Unpatterned += rep.Patterns[len(rep.Patterns)-1].Rows
		rep.Patterns = rep.Patterns[:len(rep.Patterns)-1]
	}
	if c.course != nil {
		rep.Course = c.course.finish(c.columns[c.at].name, rep.Labelled)
	}
	var err error
	if rep.Windows, err = c.windows(); err != nil {
		return nil, err
	}
	if len(r.Tests) == 0 {
		rep.Questions = c.usual()
	}
	for _, pair := range r.Tests {
		q, err := c.ask(pair)
		if err != nil {
			return nil, err
		}
		rep.Questions = append(rep.Questions, q)
	}
	adjust(rep.Questions)
	if r.Against != nil {
		if err := r.Against.finish(ctx); err != nil {
			return nil, err
		}
		rep.Against = c.compare(r.Against, rep.Features)
	}
	rep.say()
	rep.Says = append(rep.Says, c.beyond()...)
	return rep, nil
}

// beyond says which columns no correlation is of, since there are too many.
func (c *Collector) beyond() (out []Finding) {
	for _, of := range []struct {
		kind         data.ColumnType
		most         int
		what, called string
	}{
		{data.Number, maxCorrelated, "Correlations", "numbers"},
		{data.Category, maxCategories, "Cramér's V", "categories"},
	} {
		n := 0
		for _, col := range c.columns {
			if col.kind == of.kind && (of.kind == data.Number || col.associated()) {
				n++
			}
		}
		if n > of.most {
			text := fmt.Sprintf("%s: of the first %d of the %d columns of %s.", of.what, of.most, n, of.called)
			out = append(out, Finding{"pairs", text})
		}
	}
	return out
}

// describe fills in features and what goes together.
func (c *Collector) describe(ctx context.Context, rep *Report) (err error) {
	labelled := c.class != nil && c.attacks > 0 && c.attacks < c.rows
	for _, col := range c.columns {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := col.feature(labelled)
		rep.Features = append(rep.Features, f)
		if !col.exact() {
			rep.Streamed, rep.SampleRows = append(rep.Streamed, col.name), len(c.sampled)
		}
	}
	if rep.Pearson, rep.Spearman, err = c.correlations(ctx); err != nil {
		return err
	}
	if rep.CramersV, err = c.associations(ctx); err != nil {
		return err
	}
	rep.Periods, err = c.drift(ctx, rep.Features)
	return err
}

// say makes the sentences.
func (r *Report) say() {
	add := func(kind, format string, args ...any) {
		r.Says = append(r.Says, Finding{kind, fmt.Sprintf(format, args...)})
	}
	rows, columns := value.Count(r.Rows, "row"), value.Count(len(r.Features), "column")
	switch {
	case !r.Labelled:
		add("rows", "%s of %s, without labels.", rows, columns)
	case r.Attacks == 0 || r.Attacks == r.Rows:
		add("rows", "%s of %s, all %s: nothing tells benign rows from attacks.", rows, columns,
			map[bool]string{true: "benign", false: "attacks"}[r.Attacks == 0])
	default:
		add("rows", "%s of %s: %s benign and %s attacks (%.1f %%) of %d classes.", rows, columns,
			value.Thousands(r.Rows-r.Attacks), value.Thousands(r.Attacks), 100*float64(r.Attacks)/float64(r.Rows),
			len(r.Classes))
	}
	if share := 1 - float64(r.Distinct)/float64(r.Rows); share >= 0.001 {
		about := ""
		if !r.Counted {
			about = "about "
		}
		add("duplicates", "%s%.1f %% of the rows repeat another one in all columns and the class.", about, 100*share)
	}
	r.sayColumns(add)
	if p := r.Periods; p != nil {
		r.sayDrift(add)
	} else if !slices.ContainsFunc(r.Features, func(f *Feature) bool { return f.Type == data.Time.String() }) {
		add("time", "No column is a time: the order of rows is that of the file, and nothing is said about change over time.")
	}
	if r.Against != nil {
		r.sayMoved(add)
	}
	if len(r.Streamed) > 0 {
		add("memory", "%d columns did not fit the memory (%s): their ranks are good to ±%.2f %% and their numbers of "+
			"different values to 0.8 %%; pairs with them are of a sample of %s rows.", len(r.Streamed), listed(r.Streamed, 6),
			100*rankError, value.Thousands(r.SampleRows))
	}
}

// rankError is that of sketches of rankK.
var rankError = sketch.RankError(rankK)

func (r *Report) sayColumns(add func(kind, format string, args ...any)) {
	missing, cells := 0, 0
	var constant, shortcuts, heavy, absent []string
	for _, f := range r.Features {
		missing, cells = missing+f.Missing, cells+f.Missing+f.N
		switch {
		case f.N == 0:
			absent = append(absent, f.Name)
		case f.Distinct == 1 && f.Missing == 0:
			constant = append(constant, f.Name)
		}
		if float64(f.AUROC) > shortcutAUROC {
			shortcuts = append(shortcuts, fmt.Sprintf("%s (%.3f)", f.Name, float64(f.AUROC)))
		}
		if f.All != nil && math.Abs(float64(f.All.Skewness)) > 20 {
			heavy = append(heavy, f.Name)
		}
	}
	if missing > 0 {
		add("missing", "%.2g %% of the cells are missing, in %d of the columns.", 100*float64(missing)/float64(cells),
			len(slices.DeleteFunc(slices.Clone(r.Features), func(f *Feature) bool { return f.Missing == 0 })))
	} else {
		add("missing", "No value is missing.")
	}
	if absent != nil {
		add("missing", "Without any value: %s.", listed(absent, 8))
	}
	if constant != nil {
		add("constant", "Of one value throughout: %s.", listed(constant, 8))
	}
	if shortcuts != nil {
		add("shortcut", "Alone almost tell attacks from benign rows (AUROC): %s. A detector may learn that alone.",
			listed(shortcuts, 8))
	}
	if heavy != nil {
		add("heavy", "Heavy tails (skewness above 20): %s. Means of them say little; take logarithms or ranks.",
			listed(heavy, 8))
	}
}

func (r *Report) sayDrift(add func(kind, format string, args ...any)) {
	of := slices.Clone(r.Features)
	slices.SortStableFunc(of, func(a, b *Feature) int { return cmp.Compare(defined(b.Drift), defined(a.Drift)) })
	var most []string
	for _, f := range of {
		if float64(f.Drift) > movedIndex {
			most = append(most, fmt.Sprintf("%s (%.2g)", f.Name, float64(f.Drift)))
		}
	}
	whose := "rows"
	if r.Periods.Benign {
		whose = "benign rows"
	}
	if most == nil {
		add("drift", "Over %d periods from %s no column of the %s changes by a stability index above %g.",
			len(r.Periods.From),
			r.Periods.From[0], whose, movedIndex)
		return
	}
	add("drift", "Over %d periods from %s, %d columns of the %s change by a stability index above %g: %s.",
		len(r.Periods.From), r.Periods.From[0], len(most), whose, movedIndex, listed(most, 6))
}

func (r *Report) sayMoved(add func(kind, format string, args ...any)) {
	of := slices.DeleteFunc(slices.Clone(r.Features), func(f *Feature) bool { return f.Moved == nil })
	slices.SortStableFunc(of, func(a, b *Feature) int {
		return cmp.Compare(defined(b.Moved.Index),
			defined(a.Moved.Index))
	})
	var most, fresh []string
	for _, f := range of {
		if float64(f.Moved.Index) > movedIndex {
			most = append(most, fmt.Sprintf("%s (%.2g)", f.Name, float64(f.Moved.Index)))
		}
		if f.Moved.NewLevels > 0 {
			fresh = append(fresh, fmt.Sprintf("%s (%d, %s rows)", f.Name, f.Moved.NewLevels, value.Thousands(f.Moved.NewRows)))
		}
	}
	whose := "rows"
	if r.Against.Benign {
		whose = "benign rows"
	}
	if most == nil {
		add("moved", "Beside %s (%s rows) no column of the %s moved by a stability index above %g.", r.Against.Name,
			value.Thousands(r.Against.Rows), whose, movedIndex)
	} else {
		add("moved", "Beside %s (%s rows), %d columns of the %s moved by a stability index above %g: %s.", r.Against.Name,
			value.Thousands(r.Against.Rows), len(most), whose, movedIndex, listed(most, 6))
	}
	if fresh != nil {
		add("moved", "Levels that are new there: %s.", listed(fresh, 6))
	}
	if r.Against.Lacks != nil {
		add("moved", "Columns that are not there: %s.", listed(r.Against.Lacks, 6))
	}
}

// defined is a number, −1 where it is undefined.
func defined(v Number) float64 {
	if math.IsNaN(float64(v)) {
		return -1
	}
	return float64(v)
}

// listed is names with commas, those beyond n as their number.
func listed(names []string, n int) string {
	if len(names) > n {
		names = append(slices.Clone(names[:n]), fmt.Sprintf("%d more", len(names)-n))
	}
	return strings.Join(names, ", ")
}

// JSON writes the report.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("eda: %w", err)
	}
	return nil
}

// Tests is how many tests the P values are adjusted for.
func (r *Report) Tests() (n int) {
	for _, q := range r.Questions {
		for _, t := range q.Tests {
			if !math.IsNaN(float64(t.LogP)) {
				n++
			}
		}
	}
	return n
}
