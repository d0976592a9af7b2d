package report

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline/data/value"
	"plumbline/eval"
	"plumbline/runs/compare"
	"plumbline/runs/figures"
	"plumbline/runs/methods"
	"plumbline/runs/page"
	"plumbline/runs/plot"
	"plumbline/runs/record"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

//go:embed page.js
var scriptText string

var reportPage = page.New(pageText, styleText, scriptText)

// maxFigures is how many data sets have figures: a page of hundreds would be as large as the run.
const maxFigures = 5

// view is what the template gets.
type view struct {
	Name, Date, Counts string
	Over               string // of several data sets, how models stand over all
	Diagram            *drawn
	Along              []*drawn // of runs that vary something
	Sets               []*set
	Failures           []failure
	Faults             []string
	Warnings           []string
	Methods            []methods.Paragraph
	Environment        [][2]string
	shown              map[string]any // of each set, for scripts
}

// Long says that the page takes a browser long to lay out as a whole.
func (v *view) Long() bool { return len(v.Sets) > 3 }

type failure struct{ Cell, Status, Error string }

// set is one group: a data set and unit.
type set struct {
	ID, Name, Note string
	Says           string
	Doubts         []string
	Metric         string
	Axis           template.HTML
	Heads          []head
	Rows           []row
	Footnotes      []string
	ROC            *drawn
	Legend         []key
	Rest           int
	PR             *drawn
	Distributions  []labelled
	More           []labelled
	Classes        []string
	Heat           []heatRow
	Explorer       bool
	Audit          []string
	Published      []published
	Skipped        string

	figures []*plot.Figure
}

type head struct{ Metric, Title, Doc string }

type key struct{ Name, Colour string }

// labelled is a figure with its heading.
type labelled struct {
	Label  string
	Figure *drawn
}

// drawn is a figure for the template.
type drawn struct{ *plot.Figure }

// Drawing is the figure's element.
func (d *drawn) Drawing() template.HTML { return template.HTML(d.Inline()) }

// Whole is the figure's element with its legend.
func (d *drawn) Whole() template.HTML { return template.HTML(d.InlineLegend()) }

type heatRow struct {
	Name  string
	Cells []heat
}

// heat is a share with its colour, from 0 to 1.
type heat struct {
	Text  string
	Value string
}

// row is a line of the comparison.
type row struct {
	Rank     string
	Label    string
	Tags     []tag
	Control  bool
	Main     string
	SD       string
	Dot      template.HTML
	Interval string
	Others   []number
	OK       string
}

type tag struct{ Text, Why, Class string }

type number struct {
	Text, Sort string
	Bad        bool
}

type published struct {
	Source, Notes string
	Verdicts      []compare.Verdict
	Rows          [][]string
}

// Write writes the report of a run. configs holds the program's configs, where papers are looked up, and may be nil.
// Figures read the scores of cells until they have read limit lines, 0 for all; the page says where they stop.
func Write(w io.Writer, rec *record.Record, configs fs.FS, limit int) error {
	p, err := build(rec, configs, limit)
	if err != nil {
		return err
	}
	return reportPage.Write(w, page.Head{Title: p.Name + ": report"}, p, map[string]any{"sets": p.shown,
		"figures": p.numbers()})
}

// numbers is those of all figures, for scripts.
func (p *view) numbers() map[string]page.Table {
	out := map[string]page.Table{}
	for _, s := range p.Sets {
		for _, f := range s.figures {
			out[f.Name] = page.TableOf(f.Table)
		}
	}
	for _, f := range append([]*drawn{p.Diagram}, p.Along...) {
		if f != nil {
			out[f.Name] = page.TableOf(f.Table)
		}
	}
	return out
}

// build makes all that the page shows.
func build(rec *record.Record, configs fs.FS, limit int) (*view, error) {
	c, err := compare.Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		return nil, err
	}
	if configs != nil {
		if err := c.AddPublished(configs, false); err != nil {
			return nil, err
		}
	}
	p := &view{Name: rec.Name, Warnings: c.Warnings, shown: map[string]any{}}
	if !rec.Manifest.Started.IsZero() {
		p.Date = rec.Manifest.Started.Format("2 January 2006")
	}
	p.Counts = fmt.Sprintf("%s · %d of %d cells ok", value.Count(len(c.Groups), "data set"), rec.OK(), len(rec.Results))
	about, _ := eval.MetricNamed(c.Metric)
	says, diagram := over(c, about.Title)
	p.Over, p.Diagram = says, diagram
	along, err := figures.Robustness(rec, c, half)
	if err != nil {
		return nil, err
	}
	for _, f := range along {
		p.Along = append(p.Along, &drawn{f})
	}
	from := &figures.Reader{Dir: rec.Dir, Limit: limit}
	for i := range c.Groups {
		s, data := setOf(from, c, &c.Groups[i], i)
		p.Sets = append(p.Sets, s)
		p.shown[s.ID] = data
	}
	used := map[string]int{}
	for _, s := range p.Sets {
		for _, f := range s.figures {
			if used[f.Name]++; used[f.Name] > 1 { // a data set judged by several units
				f.Name = fmt.Sprintf("%s-%d", f.Name, used[f.Name])
			}
		}
	}
	for _, r := range rec.Results {
		if r.Status != record.OK {
			p.Failures = append(p.Failures, failure{r.Cell, r.Status, r.Error})
		}
	}
	for _, f := range rec.Faults {
		p.Faults = append(p.Faults, f.String())
	}
	p.Environment = environment(&rec.Manifest)
	if section, err := methods.Write(rec, configs); err == nil { // a damaged directory has no methods to tell
		p.Methods = section.Paragraphs()
	}
	return p, nil
}

// setOf is a group's part of the page, and its data for scripts.
func setOf(from *figures.Reader, c *compare.Comparison, g *compare.Group, i int) (*set, map[string]any) {
	about, _ := eval.MetricNamed(c.Metric)
	s := &set{ID: fmt.Sprintf("s%d", i), Name: g.Data, Note: g.Heading(), Metric: about.Title, Audit: g.Audit}
	s.Says, s.Doubts = verdict(g, about.Title)
	for _, m := range g.Columns {
		if m != c.Metric {
			about, _ := eval.MetricNamed(m)
			s.Heads = append(s.Heads, head{m, about.Title, about.Doc})
		}
	}
	axis := axisOf(g)
	s.Axis = template.HTML(axisTicks(axis))
	for k := range g.Rows {
		s.Rows = append(s.Rows, rowOf(&g.Rows[k], s.Heads, axis))
	}
	s.Footnotes = append(s.Footnotes, g.Shrunk...)
	if slices.ContainsFunc(g.Rows, func(r compare.Row) bool { return r.Even }) {
		s.Footnotes = append(s.Footnotes, "= "+g.How())
	}
	for _, p := range g.Published {
		s.Published = append(s.Published, publishedOf(&p))
	}
	data := map[string]any{"metrics": values(g)}
	if g.Unlabelled {
		return s, data
	}
	if i >= maxFigures {
		s.Skipped = fmt.Sprintf("Figures are drawn of the first %d data sets.", maxFigures)
		return s, data
	}
	var all []*figures.Curves
	for k := range g.Rows {
		of, err := from.Curves(&g.Rows[k])
		if err != nil {
			s.Skipped = sentence("the scores cannot be read, so that there are no figures: " + err.Error())
			return s, data
		}
		if of != nil {
			all = append(all, of)
		}
	}
	if from.Stopped {
		s.Skipped = fmt.Sprintf("Figures leave out cells beyond %d lines of scores; plumbline report reads all.", from.Limit)
	}
	s.more(from.Dir, g)
	if len(all) > 0 {
		s.draw(all)
		data["curves"] = encode(all)
		data["prevalence"] = rounded(g.Prevalence)
	}
	return s, data
}

// axisOf is the axis of a group's dots: its values with their intervals, to a round end.
func axisOf(g *compare.Group) plot.Axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range g.Rows {
		for _, v := range []float64{r.Main.Mean, r.Main.Interval.Low, r.Main.Interval.High} {
			if !math.IsNaN(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	if !(lo < hi) {
		return plot.Axis{Low: 0, High: 1}
	}
	step := 0.1
	return plot.Axis{Low: max(0, math.Floor(lo/step)*step), High: min(1, math.Ceil(hi/step)*step)}
}

// Sizes of the dots of a table.
const dotWidth, dotHeight = 110, 18

func axisTicks(a plot.Axis) string {
	return fmt.Sprintf(`<span>%s</span><span>%s</span>`, strconv.FormatFloat(a.Low, 'g', 2, 64),
		strconv.FormatFloat(a.High, 'g', 2, 64))
}

func rowOf(r *compare.Row, heads []head, axis plot.Axis) row {
	out := row{Label: r.Label, Control: r.Control, Main: short(r.Main.Mean), Interval: "–", Rank: "–",
		OK: fmt.Sprintf("%d/%d", r.OK, r.Cells)}
	if r.Rank > 0 {
		out.Rank = strconv.Itoa(r.Rank)
	}
	class := ""
	if r.Control {
		class = "ctl"
		out.Tags = append(out.Tags, tag{"control", "it is there to be beaten", ""})
	}
	if r.SawLabels {
		out.Tags = append(out.Tags, tag{"saw labels", "it learns from labelled attacks; others saw benign rows alone", ""})
	}
	if r.Unbeaten != "" {
		out.Tags = append(out.Tags, tag{"†", "not shown to be better than the best control, " + r.Unbeaten, "warn"})
	}
	switch {
	case r.Best:
		out.Tags = append(out.Tags, tag{"best", "of its column", "good"})
	case r.Even:
		out.Tags = append(out.Tags, tag{"=", "not significantly worse than the best", ""})
	}
	if r.Main.N > 1 {
		out.SD = "± " + short(r.Main.SD)
	}
	if !math.IsNaN(r.Main.Mean) {
		out.Dot = template.HTML(plot.Dot(dotWidth, dotHeight, axis, class, r.Main.Interval.Low, r.Main.Mean,
			r.Main.Interval.High).Inline())
	}
	if r.Main.Interval.Defined() {
		out.Interval = short(r.Main.Interval.Low) + "–" + short(r.Main.Interval.High)
	}
	for _, h := range heads {
		v := r.Others[h.Metric].Mean
		n := number{Text: short(v), Sort: sortable(v)}
		if strings.HasSuffix(h.Metric, "_seconds") && !math.IsNaN(v) {
			n.Text = strconv.FormatFloat(v, 'f', 2, 64)
		}
		if h.Metric == "fpr" && !math.IsNaN(v) {
			n.Text = strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
			n.Bad = missed(r)
		}
		out.Others = append(out.Others, n)
	}
	return out
}

// missed says whether a cell of the row was warned to miss the false-positive rate that was asked for.
func missed(r *compare.Row) bool {
	return slices.ContainsFunc(r.Results(), func(c record.Result) bool {
		return slices.ContainsFunc(c.Warnings, func(w string) bool { return strings.Contains(w, "false positives") })
	})
}

func sortable(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// more makes the figures that need no scores: rates at thresholds, losses, coordinates, causes, published values.
func (s *set) more(dir string, g *compare.Group) {
	add := func(label string, of ...*plot.Figure) { // "" is the title, for figures of several models
		for _, f := range of {
			if f != nil && !strings.HasPrefix(f.Name, "latent-film-") { // panels show the same on a page
				s.figures = append(s.figures, f)
				s.More = append(s.More, labelled{cmp.Or(label, f.Title), &drawn{f}})
			}
		}
	}
	add("False-positive rates that thresholds reach, and what they were asked for (dotted)", figures.Achieved(g, half))
	for i := range g.Published {
		add("Ours beside published values", figures.Published(g.Data, &g.Published[i], half))
	}
	// a file that cannot be read has its fault among those of the run
	if f, err := figures.Training(dir, g, half); err == nil {
		add("Loss by epoch: models have different losses, so that heights do not compare", f)
	}
	if of, err := figures.Planes(dir, g, half, pagePoints); err == nil {
		add("", of...)
	}
	if of, err := figures.Causes(dir, g, half); err == nil {
		add("", of...)
	}
	add("", figures.Machines(dir, g, half)...)
}

// pagePoints is how many points a plane of the page has, about; files that plot writes have all.
const pagePoints = 250

// Widths of figures on the page, in pixels.
const half, third = 500, 250

// draw makes the group's figures from the curves, best row first.
func (s *set) draw(all []*figures.Curves) {
	add := func(f *plot.Figure) *drawn {
		if f == nil {
			return nil
		}
		s.figures = append(s.figures, f)
		return &drawn{f}
	}
	s.ROC, s.PR = add(figures.ROC(s.Name, all, half)), add(figures.PR(s.Name, all, half))
	s.Rest = max(0, min(len(all), figures.MaxLines)-len(plot.Colours))
	for i, c := range all[:min(len(all), len(plot.Colours))] {
		s.Legend = append(s.Legend, key{c.Label, plot.Colours[i]})
		s.Distributions = append(s.Distributions, labelled{c.Label, add(figures.Scores(s.Name, c, third))})
	}
	if f := figures.Confusion(s.Name, all[0], half); f != nil {
		s.More = append(s.More, labelled{"What " + all[0].Label + " decides at its threshold", add(f)})
	}
	var share [][]float64
	s.Classes, share = figures.Recall(all)
	for i, c := range all {
		h := heatRow{Name: c.Label}
		for _, v := range share[i] {
			if math.IsNaN(v) {
				h.Cells = append(h.Cells, heat{figures.Percent(v), "0"})
				continue
			}
			h.Cells = append(h.Cells, heat{figures.Percent(v), strconv.FormatFloat(v, 'f', 2, 64)})
		}
		s.Heat = append(s.Heat, h)
	}
	s.Explorer = true
}

// encode is curves as whole numbers of a thousandth, for scripts.
func encode(all []*figures.Curves) (out []map[string]any) {
	for _, c := range all {
		tpr := make([]int, len(c.TPR()))
		for i, v := range c.TPR() {
			tpr[i] = int(math.Round(1000 * v))
		}
		out = append(out, map[string]any{"label": c.Label, "tpr": tpr})
	}
	return out
}

// values is every metric that a row has, as mean and interval, by label.
func values(g *compare.Group) map[string]any {
	out := map[string]any{}
	for i := range g.Rows {
		r := &g.Rows[i]
		of := map[string][]any{}
		for _, m := range eval.MetricTable() {
			v := r.Value(m.Name)
			if math.IsNaN(v.Mean) {
				continue
			}
			of[m.Name] = []any{rounded(v.Mean), rounded(v.Interval.Low), rounded(v.Interval.High)}
		}
		out[r.Label] = of
	}
	return out
}

// rounded is a value to five figures, nil where it is undefined.
func rounded(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(v, 'g', 5, 64))
}

func publishedOf(p *compare.Published) published {
	out := published{Source: p.Source}
	if p.Place != "" {
		out.Source += " (" + p.Place + ")"
	}
	if p.Differs != "" {
		out.Notes = "Ours differs: " + p.Differs
	}
	for _, v := range p.Verdicts {
		about, _ := eval.MetricNamed(v.Metric)
		difference := short(float64(v.Difference))
		if float64(v.Difference) > 0 {
			difference = "+" + difference
		}
		out.Rows = append(out.Rows, []string{v.Label, about.Title, short(v.Theirs), short(float64(v.Ours)), difference,
			v.Verdict, v.Why})
	}
	return out
}

// environment is what the run was made with.
func environment(m *record.Manifest) [][2]string {
	version := m.Version
	if m.Revision != "" {
		version += " (" + m.Revision + ")"
	}
	if m.Modified {
		version += ", with changes"
	}
	out := [][2]string{{"plumbline", version}, {"Go", m.Go}, {"machine", fmt.Sprintf("%s/%s, %s, %s", m.OS, m.Arch, m.CPU,
		value.Count(m.CPUs, "processor"))}, {"instructions", m.Kernels}, {"command", strings.Join(m.Command, " ")}}
	if !m.Finished.IsZero() {
		out = append(out, [2]string{"took", m.Finished.Sub(m.Started).Round(1e8).String()})
	}
	for _, d := range m.Data {
		for _, f := range d.Files {
			out = append(out, [2]string{d.Name, fmt.Sprintf("%s, %d rows, SHA-256 %s", f.Name, f.Rows, f.SHA256)})
		}
	}
	return out
}
