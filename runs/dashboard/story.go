package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"plumbline/data/value"
)

// story is what the first screen says, which reads without scripts.
type story struct {
	Name   string
	Says   string
	Doubts []string
	Tiles  [][2]string
	Time   template.HTML // a drawing of traffic over time
	Axis   string        // what a bin is
	Rows   bool          // it is of rows
	Mark   string        // plural
	Served bool
	Lacks  []string
}

// amount writes bytes.
func amount(v float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if v >= u.of {
			return fmt.Sprintf("%.3g %s", v/u.of, u.name)
		}
	}
	return fmt.Sprintf("%.0f B", v)
}

// percent writes a share.
func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "under 0.1 %"
	}
	return strconv.FormatFloat(math.Round(1000*share)/10, 'f', -1, 64) + " %"
}

// story tells the view of all flows.
func (f *Flows) story(v *View) *story {
	s := &story{Name: clip(f.Name), Axis: f.Axis.width(), Rows: f.Axis.Rows, Mark: f.Mark}
	own := f.Own()
	when := "in the order of rows, since the data has no time"
	if !f.Axis.Rows {
		when = "from " + f.Axis.moment(f.Axis.Start) + " to " + f.Axis.moment(f.Axis.edge(f.Axis.Bins)) + " UTC"
	}
	s.Says = fmt.Sprintf("%s of %s, %s", value.Count(own, "flow"), s.Name, when)
	switch {
	case f.Mark == "":
		s.Says += "; nothing says which of them are anomalous"
	case v.Marked == 0:
		s.Says += "; no " + f.Mark + " among them"
	default:
		s.Says += fmt.Sprintf("; %s, %s of them", value.Count(v.Marked, f.Mark), percent(float64(v.Marked)/float64(own)))
		if d := v.Dims["src"]; d != nil && len(d.Top) > 0 && d.Top[0].M > 0 && d.Top[0].Name != noValue {
			s.Says += fmt.Sprintf(", most from %s (%s)", d.Top[0].Name, value.Thousands(d.Top[0].M))
		}
	}
	s.Says += "."
	peak, at := 0, 0
	for b, n := range v.Time.N {
		if n > peak {
			peak, at = n, b
		}
	}
	if f.Axis.Bins > 1 && !f.Axis.Rows {
		s.Says += fmt.Sprintf(" Most in one bin of time, %s: at %s, %s.", f.Axis.width(), f.Axis.moment(f.Axis.edge(at)),
			value.Count(peak, "flow"))
	}
	s.doubts(f, v)
	s.tiles(f, v)
	s.Time = template.HTML(f.drawing(v))
	return s
}

// doubts says what the numbers may not mean.
func (s *story) doubts(f *Flows, v *View) {
	doubt := func(format string, args ...any) { s.Doubts = append(s.Doubts, fmt.Sprintf(format, args...)) }
	switch {
	case f.Score != nil && math.IsNaN(f.Limit):
		doubt("%s left no threshold, so that no score is an alarm.", f.Model)
	case f.Score != nil && f.Labelled && v.Marked > 0:
		doubt("%s of the alarms are labelled attacks, and %s of the attacks are alarms (%s above %.4g).",
			percent(float64(v.Hits)/float64(v.Marked)), percent(float64(v.Hits)/math.Max(1, float64(v.Attacks))), f.Model,
			f.Limit)
	case f.Score != nil:
		doubt("An alarm is a score of %s above %.4g; without labels nobody knows how many are right.", f.Model, f.Limit)
	case f.Mark == "":
		doubt("The data has no labels and no model scored it: name a cell with --run RUN/CELL to see alarms.")
	default:
		doubt("What is marked is what the labels call an attack; with --run RUN/CELL it is what a model finds.")
	}
	if k := f.dim("part"); f.Seen && k >= 0 {
		n := 0
		for _, code := range f.Dims[k].Code {
			if f.Dims[k].Levels[code] == testedPart {
				n++
			}
		}
		doubt("All of these flows are scored, those that %s learned from too: %s tested it in its run, the others trained "+
			"it, set its threshold or were left out, and what trained it scores lower than new flows would. "+
			"\u201cAdd a filter\u201d tells them apart by the part of the run.", f.Model, value.Count(n, "flow"))
	} else if f.Seen {
		doubt("All of these flows are scored, those that %s learned from too, which score lower than new ones would; "+
			"which they are its run does not say.", f.Model)
	}
	if f.Axis.Missing > 0 {
		doubt("%s without a time stand in no chart over time.", value.Count(f.Axis.Missing, "flow"))
	}
	if p := f.Profile; p != nil {
		doubt("Held against %s: %s", clip(p.Name), f.against(v))
	}
}

// against says what of the flows the profile does not have.
func (f *Flows) against(v *View) string {
	var parts []string
	for _, d := range f.Dims {
		if d.Key == "class" || d.Key == "part" {
			continue
		}
		fresh, n := 0, 0
		for _, s := range f.fresh(d.Key) {
			fresh++
			n += s
		}
		if fresh > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s never seen in it (%s)", value.Count(fresh, "value"),
				strings.ToLower(d.Title), value.Count(n, "flow")))
		}
	}
	text := "all of its categories were seen in it"
	if parts != nil {
		text = strings.Join(parts, ", ")
	}
	if len(v.Shift) > 0 {
		s := v.Shift[0]
		text += fmt.Sprintf("; most changed is %s %s, %s of the flows and %s of the profile's", s.Dim, s.Name,
			percent(s.Share), percent(s.Was))
	}
	return text + "."
}

// fresh is the flows of each level of a category that the profile does not have.
func (f *Flows) fresh(key string) (out []int) {
	d := &f.Dims[f.dim(key)]
	n, p := make([]int, len(d.Levels)), make([]int, len(d.Levels))
	for i, code := range d.Code {
		if f.Flag[i]&profile != 0 {
			p[code]++
		} else {
			n[code]++
		}
	}
	for k := range n {
		if n[k] > 0 && p[k] == 0 {
			out = append(out, n[k])
		}
	}
	return out
}

// tiles are the totals.
func (s *story) tiles(f *Flows, v *View) {
	add := func(value, name string) { s.Tiles = append(s.Tiles, [2]string{value, name}) }
	add(value.Thousands(f.Own()), "flows")
	if f.Mark != "" {
		add(value.Thousands(v.Marked), f.Mark+"s")
	}
	if f.Score != nil && f.Labelled {
		add(value.Thousands(v.Attacks), "labelled attacks")
	}
	total := func(values []float64) (t float64) {
		for _, x := range values {
			t += x
		}
		return t
	}
	if v.Time.Out != nil {
		add(amount(total(v.Time.Out)), "out, from source to destination")
	}
	if v.Time.In != nil {
		add(amount(total(v.Time.In)), "in, back")
	}
	for _, d := range []struct{ key, name string }{{"src", "sources"}, {"dst", "destinations"}} {
		if k := v.Dims[d.key]; k != nil {
			add(value.Thousands(k.Levels), d.name)
		}
	}
}

// drawing is traffic over time, as the script draws it at first.
func (f *Flows) drawing(v *View) string {
	const w, h, left, below = 1080.0, 170.0, 8.0, 22.0
	top := 1
	for _, n := range v.Time.N {
		top = max(top, n)
	}
	x := func(b int) float64 { return left + (w-2*left)*float64(b)/float64(f.Axis.Bins) }
	area := func(class string, counts []int) string {
		var b strings.Builder
		fmt.Fprintf(&b, `<path class="%s" d="M%.1f %.1f`, class, x(0), h-below)
		for k, n := range counts {
			y := h - below - (h-below-16)*float64(n)/float64(top)
			fmt.Fprintf(&b, "V%.1fH%.1f", y, x(k+1))
		}
		fmt.Fprintf(&b, `V%.1fZ"/>`, h-below)
		return b.String()
	}
	text := func(at float64, y float64, anchor, s string) string {
		return fmt.Sprintf(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, at, y, anchor,
			template.HTMLEscapeString(s))
	}
	last := f.Axis.edge(f.Axis.Bins)
	if f.Axis.Rows {
		last = int64(f.Own()) - 1
	}
	svg := fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="flows over time">`, w, h) +
		fmt.Sprintf(`<line class="grid" x1="%g" x2="%g" y1="16" y2="16"/>`, left, w-left) + area("flow", v.Time.N)
	if f.Mark != "" {
		svg += area("hit", v.Time.M)
	}
	return svg + text(left, 12, "start", value.Count(top, "flow")+" per "+f.Axis.width()) +
		text(left, h-6, "start", f.Axis.moment(f.Axis.Start)) + text(w-left, h-6, "end", f.Axis.moment(last)) + "</svg>"
}
