package edapage

import (
	_ "embed"
	"html"
	"html/template"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"plumbline/data/eda"
	"plumbline/data/value"
	"plumbline/runs/page"
	"plumbline/runs/plot"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var layout = page.New(pageHTML, pageCSS, pageJS)

const (
	maxFeatures = 300 // rows of the table of features
	maxHeat     = 80  // columns of a map of correlations
	maxRows     = 15  // of tables of what is most
	detailBins  = 96
	smallBins   = 40
)

// view is the page.
type view struct {
	Name      string
	Counts    string
	First     string
	Says      []eda.Finding
	Features  []feature
	Left      int // features that the table leaves out
	Labelled  bool
	Drift     bool
	Moved     string // the other data set
	Pairs     []pair
	Maps      []string // matrices that there are
	HeatLeft  int
	Outliers  []outlier
	Patterns  []pattern
	Course    *course
	Days      *days
	Windows   []window
	Questions []question
	Tests     int
	Notes     []string
	figures   map[string]page.Table
}

type feature struct {
	Broken                                      template.HTML // the name, which may break after its marks
	Name, Type, Missing, Distinct, Middle, Mean string
	MissingV, MiddleV, MeanV                    string // to sort by
	DistinctV                                   int
	About                                       template.HTML
	AUROC, Drift, Moved                         number
	Index                                       int
	Tags                                        []tag
}

type number struct{ Text, Sort string }

type tag struct{ Text, Why, Class string }

type pair struct{ R, A, B string }

type outlier struct{ Name, Low, High, Share, Benign, Attack, Deviations string }

type pattern struct{ Rows, Share, Columns string }

type window struct {
	Name, Key, Seconds, AUROC, Derive string
}

type drawing struct {
	Name    string
	Drawing template.HTML
}

type course struct {
	Note          string
	Rows, Repeats *drawing
	Peaks         []string
}

type days struct {
	Note string
	From []string
	Rows []dayRow
}

type dayRow struct {
	Name  string
	Cells []heat
}

type heat struct{ Text, Value string }

type question struct {
	Question, Answer, Method string
	Effects                  []string
	Tests                    [][]string
	Assumptions              []eda.Assumption
	Cells                    [][]string
	Terms                    [][]string
}

// Write writes the page.
func Write(w io.Writer, r *eda.Report) error {
	v := newView(r)
	return layout.Write(w, page.Head{Title: r.Data + ": exploratory description"}, v, map[string]any{
		"figures": v.figures, "features": details(r, v), "maps": maps(r, v), "labelled": v.Labelled,
	})
}

func newView(r *eda.Report) *view {
	v := &view{Name: r.Data, figures: map[string]page.Table{}, Drift: r.Periods != nil,
		Labelled: r.Labelled && r.Attacks > 0 && r.Attacks < r.Rows, Notes: r.Notes, Tests: r.Tests()}
	v.Counts = grouped(float64(r.Rows)) + " rows · " + value.Count(len(r.Features), "column")
	if r.Against != nil {
		v.Moved = r.Against.Name
	}
	if len(r.Says) > 0 {
		v.First, v.Says = r.Says[0].Text, r.Says[1:]
	}
	for _, i := range chosen(r) {
		v.Features = append(v.Features, v.feature(r, i))
	}
	v.Left = len(r.Features) - len(v.Features)
	for _, p := range r.Spearman.Strongest(maxRows) {
		v.Pairs = append(v.Pairs, pair{fixed(float64(p.R), 3), p.A, p.B})
	}
	v.outliers(r)
	for _, p := range r.Patterns[:min(len(r.Patterns), maxRows)] {
		v.Patterns = append(v.Patterns, pattern{grouped(float64(p.Rows)), percent(float64(p.Rows) / float64(r.Rows)),
			listed(p.Columns, 12)})
	}
	v.time(r)
	for _, w := range r.Windows[:min(len(r.Windows), maxRows)] {
		v.Windows = append(v.Windows, window{w.Name, w.Key, short(w.Seconds), fixed(float64(w.AUROC), 3), w.Derive})
	}
	for _, q := range r.Questions {
		v.Questions = append(v.Questions, questionOf(q))
	}
	return v
}

// chosen are the features that the page shows, in the order of the table: all, or those that tell most.
func chosen(r *eda.Report) []int {
	order := make([]int, len(r.Features))
	for i := range order {
		order[i] = i
	}
	if len(order) <= maxFeatures {
		return order
	}
	interest := func(f *eda.Feature) float64 {
		v := 0.0
		for _, x := range []float64{2*float64(f.AUROC) - 1, float64(f.Drift), float64(f.Missing) / float64(r.Rows)} {
			if !math.IsNaN(x) {
				v = max(v, x)
			}
		}
		if f.Moved != nil && !math.IsNaN(float64(f.Moved.Index)) {
			v = max(v, float64(f.Moved.Index))
		}
		return v
	}
	sort.SliceStable(order, func(i, j int) bool { return interest(r.Features[order[i]]) > interest(r.Features[order[j]]) })
	order = order[:maxFeatures]
	slices.Sort(order)
	return order
}

func (v *view) feature(r *eda.Report, i int) feature {
	f := r.Features[i]
	out := feature{Name: f.Name, Broken: broken(f.Name), Type: f.Type, Index: i, Missing: "–",
		Distinct:  grouped(float64(f.Distinct)),
		DistinctV: f.Distinct, Middle: "–", Mean: "–", AUROC: numberOf(float64(f.AUROC), 3),
		Drift: numberOf(float64(f.Drift), 2), Moved: numberOf(math.NaN(), 2), About: small(f, v.Labelled)}
	if f.Missing > 0 {
		out.Missing = percent(float64(f.Missing) / float64(r.Rows))
	}
	out.MissingV = sortable(float64(f.Missing))
	switch {
	case f.All != nil:
		out.Middle, out.MiddleV = human(float64(f.All.Quantiles[4])), sortable(float64(f.All.Quantiles[4]))
		out.Mean, out.MeanV = human(float64(f.All.Mean)), sortable(float64(f.All.Mean))
	case len(f.Top) > 0 && f.Type != "time":
		out.Middle = clip(f.Top[0].Text, 18)
	}
	if f.Moved != nil {
		out.Moved = numberOf(float64(f.Moved.Index), 2)
	}
	switch {
	case f.RankError > 0:
		out.Tags = append(out.Tags, tag{"about", "it did not fit the memory: ranks to ±" + percent(f.RankError), ""})
	case f.N == 0:
		out.Tags = append(out.Tags, tag{"empty", "no row has a value", "warn"})
	case f.Distinct == 1 && f.Missing == 0:
		out.Tags = append(out.Tags, tag{"constant", "all rows have one value", ""})
	}
	if float64(f.AUROC) > 0.95 {
		out.Tags = append(out.Tags, tag{"shortcut", "it alone almost tells attacks from benign rows", "warn"})
	}
	return out
}

func (v *view) outliers(r *eda.Report) {
	var of []*eda.Feature
	for _, f := range r.Features {
		if f.Outliers != nil && f.Outliers.Fences > 0 && f.Distinct > 2 {
			of = append(of, f)
		}
	}
	sort.SliceStable(of, func(i, j int) bool { return of[i].Outliers.Fences > of[j].Outliers.Fences })
	for _, f := range of[:min(len(of), maxRows)] {
		o := f.Outliers
		row := outlier{Name: f.Name, Low: human(float64(o.Low)), High: human(float64(o.High)),
			Share: percent(float64(o.Fences) / float64(f.N)), Deviations: percent(float64(o.Deviations) / float64(f.N))}
		if f.Benign != nil && f.Attack != nil {
			row.Benign = percent(float64(o.FencesBy[0]) / f.Benign.N)
			row.Attack = percent(float64(o.FencesBy[1]) / f.Attack.N)
		}
		v.Outliers = append(v.Outliers, row)
	}
}

// keep is a figure with its numbers for scripts.
func (v *view) keep(f *plot.Figure) *drawing {
	v.figures[f.Name] = page.TableOf(f.Table)
	return &drawing{f.Name, template.HTML(f.Inline())}
}

func questionOf(q *eda.Question) question {
	out := question{Question: q.Question, Answer: q.Answer, Method: q.Method, Assumptions: q.Assumptions}
	for _, e := range q.Effects {
		text := e.Name + " " + fixed(float64(e.Value), 3)
		if !math.IsNaN(float64(e.Low)) {
			text += " [" + fixed(float64(e.Low), 3) + ", " + fixed(float64(e.High), 3) + "]"
		}
		out.Effects = append(out.Effects, text)
	}
	for _, t := range q.Tests {
		df := "–"
		if !math.IsNaN(float64(t.DF)) {
			df = human(float64(t.DF))
		}
		if !math.IsNaN(float64(t.DF2)) {
			df += ", " + human(float64(t.DF2))
		}
		out.Tests = append(out.Tests, []string{t.Name, human(float64(t.Statistic)), df, eda.P(float64(t.LogP)),
			eda.P(float64(t.Holm)), eda.P(float64(t.BH))})
	}
	for _, c := range q.Cells {
		out.Cells = append(out.Cells, []string{clip(c.Row, 40), clip(c.Column, 40), human(float64(c.Observed)),
			human(float64(c.Expected)), fixed(float64(c.Residual), 1)})
	}
	for _, t := range q.Logistic {
		out.Terms = append(out.Terms, []string{clip(t.Name, 60), fixed(float64(t.Beta), 3), fixed(float64(t.SE), 3),
			human(float64(t.OddsRatio.Value)), human(float64(t.OddsRatio.Low)) + "–" + human(float64(t.OddsRatio.High)),
			eda.P(float64(t.LogP))})
	}
	return out
}

func listed(names []string, n int) string {
	if len(names) > n {
		names = append(slices.Clone(names[:n]), strconv.Itoa(len(names)-n)+" more")
	}
	return strings.Join(names, ", ")
}

// broken is a name that lines may break after the marks between its words.
func broken(name string) template.HTML {
	return template.HTML(strings.NewReplacer("_", "_<wbr>", ".", ".<wbr>", "/", "/<wbr>").Replace(html.EscapeString(name)))
}

// clip is at most n characters of a text.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
