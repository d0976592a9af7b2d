package prep

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"plumbline/configs/settings"
	"plumbline/numeric/stat"
)

// Window cuts the events of one key into traces. Every event is in one window at least.
type Window struct {
	// count: n events; time: the events of n seconds; dynamic: of a time that follows the pace of the events
	Kind string `yaml:"kind" jsonschema:"enum=count,enum=time,enum=dynamic"`
	// count: events in a window; 0: traces stay whole. Shorter traces stay whole; a last window reaches the end
	Length int `yaml:"length" jsonschema:"minimum=0"`
	// count: events from one window to the next
	Stride int `yaml:"stride" jsonschema:"minimum=1"`
	// count: the first windows of a trace are shorter, beginning with one of stride events, so that with a stride of 1
	// every event ends one
	Growing bool `yaml:"growing"`
	// time: seconds of a window, both ends included
	Span float64 `yaml:"span" jsonschema:"minimum=0"`
	// time: seconds from the start of one window to that of the next; 0: as span
	Step float64 `yaml:"step" jsonschema:"minimum=0"`
	// traces are cut where more than this many seconds pass between two events; 0: never; dynamic: 1800 unless given
	Gap float64 `yaml:"gap" jsonschema:"minimum=0"`
	// dynamic: fewest events of a window (a ten-thousandth of the events, if that is more)
	Min int `yaml:"min" jsonschema:"minimum=1"`
	// dynamic: events that a window has at most
	Max int `yaml:"max" jsonschema:"minimum=1"`
}

// defaultWindow leaves traces whole.
func defaultWindow() Window { return Window{Kind: "count", Stride: 1, Min: 10, Max: 1500} }

// UnmarshalSettings reads a window; a kind brings its own defaults.
func (w *Window) UnmarshalSettings(d settings.Node) settings.Problems {
	type plain Window
	p := plain(*w)
	if kind, ok := d.Get("kind"); ok {
		if name, _ := kind.Scalar(); name == "dynamic" && p.Kind != "dynamic" {
			p.Gap = 1800
		}
	}
	ps := d.Decode(&p)
	*w = Window(p)
	return ps
}

// Timed says whether the cut looks at times.
func (w Window) Timed() bool { return w.Kind == "time" || w.Kind == "dynamic" || w.Gap > 0 }

func (w Window) check() error {
	switch {
	case w.Kind != "count" && w.Kind != "time" && w.Kind != "dynamic":
		return fmt.Errorf("traces: window: kind %q", w.Kind)
	case w.Length < 0 || w.Stride < 1 || !(w.Span >= 0 && w.Span <= maxSeconds) ||
		!(w.Step >= 0 && w.Step <= maxSeconds) || !(w.Gap >= 0 && w.Gap <= maxSeconds):
		return fmt.Errorf("traces: impossible window: %+v", w)
	case w.Kind == "count" && w.Length > 0 && w.Stride > w.Length:
		return fmt.Errorf("traces: a stride of %d over windows of %d leaves events out", w.Stride, w.Length)
	case w.Kind != "count" && w.Length > 0:
		return fmt.Errorf("traces: window: length goes with kind count, not %s", w.Kind)
	case w.Kind == "time" && w.Span == 0:
		return fmt.Errorf("traces: window: kind time needs a span")
	case w.Kind == "time" && w.Step > w.Span:
		return fmt.Errorf("traces: a step of %g seconds over windows of %g leaves events out", w.Step, w.Span)
	case w.Growing && (w.Kind != "count" || w.Length == 0):
		return fmt.Errorf("traces: window: growing goes with kind count and a length")
	case w.Kind != "time" && (w.Span > 0 || w.Step > 0):
		return fmt.Errorf("traces: window: span and step go with kind time, not %s", w.Kind)
	case w.Kind == "dynamic" && (w.Min < 1 || w.Max < w.Min):
		return fmt.Errorf("traces: window: min %d, max %d", w.Min, w.Max)
	}
	return nil
}

// maxSeconds bounds what is given in seconds: a hundred years.
const maxSeconds = 100 * 366 * 86400

// span is a run of events, from and to as indices, to exclusive.
type span struct{ from, to int }

// windows are the windows over the n events of one key, whose times (nanoseconds, ascending) are only
// needed for timed windows.
func (w Window) windows(n int, times []int64) (out []span) {
	for from := 0; from < n; {
		to := n
		if w.Gap > 0 {
			for to = from + 1; to < n && float64(times[to]-times[to-1]) <= w.Gap*1e9; to++ {
			}
		}
		switch w.Kind {
		case "time":
			out = w.byTime(out, times, span{from, to})
		case "dynamic":
			out = w.dynamic(out, times, span{from, to})
		default:
			out = w.byCount(out, span{from, to})
		}
		from = to
	}
	return out
}

func (w Window) byCount(out []span, part span) []span {
	length := w.Length
	if n := part.to - part.from; length == 0 || length > n {
		length = n
	}
	if w.Growing {
		for n := w.Stride; n < length; n += w.Stride {
			out = append(out, span{part.from, part.from + n})
		}
	}
	for from := part.from; ; from += w.Stride {
		from = min(from, part.to-length)
		out = append(out, span{from, from + length})
		if from+length == part.to {
			return out
		}
	}
}

// byTime takes the events of [start, start+Span], start moving by Step; where a window is empty the next
// one starts at the next event.
func (w Window) byTime(out []span, times []int64, part span) []span {
	width, step := int64(w.Span*1e9), int64(w.Step*1e9)
	if step == 0 {
		step = width
	}
	step = max(step, 1)
	start, seen := times[part.from], part.from
	for {
		s := inside(times, part, start, later(start, width))
		if s.from == s.to || s.from > seen { // nothing here, or the step went over an event
			start = times[seen]
			continue
		}
		out = append(out, s)
		if seen = max(seen, s.to); seen == part.to {
			return out
		}
		// on to the first step at which the window loses or gains an event
		change := min(times[s.from]-start+1, times[s.to]-width-start)
		start = later(start, max((change+step-1)/step, 1)*step)
	}
}

// later is t+d, at most the end of time.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// inside is the events of a part with from ≤ time ≤ to.
func inside(times []int64, part span, from, to int64) span {
	in := times[part.from:part.to]
	a := sort.Search(len(in), func(i int) bool { return in[i] >= from })
	b := sort.Search(len(in), func(i int) bool { return in[i] > to })
	return span{part.from + a, part.from + max(a, b)}
}

// dynamic is the windows of Serentellos (Anomaly detection in network traffic using multivariate state
// machines, thesis, TU Delft): of 25 median gaps, moved by 5, both stretched and shrunk so that a window holds
// neither too few nor too many events. Events of one instant that are more
// than Max are cut by count.
func (w Window) dynamic(out []span, times []int64, part span) []span {
	n := part.to - part.from
	least := min(max(n/10000, w.Min), n, w.Max)
	width, step := pace(times[part.from:part.to])
	start, last := times[part.from], times[part.to-1]
	seen := part.from // events before it are in a window
	emit := func(s span) {
		if len(out) > 0 && out[len(out)-1] == s {
			return
		}
		out = append(out, s)
		seen = max(seen, s.to)
	}
	previous := span{-1, -1}
	for seen < part.to && later(start, width) < last {
		s := inside(times, part, start, later(start, width))
		if s.from == s.to || s.from > seen {
			start = times[seen]
			s = inside(times, part, start, later(start, width))
		}
		for s == previous {
			start = later(start, step)
			step = later(step, step)
			if step >= width {
				width = later(0, min(step, math.MaxInt64/5)*5)
			}
			if s = inside(times, part, start, later(start, width)); s.from == s.to || s.from > seen {
				start = times[seen]
				s = inside(times, part, start, later(start, width))
			}
			if s.to == part.to {
				break
			}
		}
		s, width, step = w.fitted(times, part, start, width, step, least)
		if s.to-s.from > w.Max { // one instant holds too many
			for from := s.from; from < s.to; from += w.Max {
				emit(span{from, min(from+w.Max, s.to)})
			}
			previous = s
			start = times[s.to-1] + 1
			continue
		}
		emit(s)
		previous = s
		start = later(start, step)
	}
	for seen < part.to { // what is left
		emit(span{seen, min(seen+w.Max, part.to)})
	}
	return out
}

// pace is 25 and 5 median gaps between ascending times, in nanoseconds.
func pace(times []int64) (width, step int64) {
	gaps := make([]float64, 0, len(times))
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, float64(times[i]-times[i-1]))
	}
	median := 0.0
	if len(gaps) > 0 {
		slices.Sort(gaps)
		median = stat.Quantile(gaps, 0.5)
	}
	if width, step = int64(25*median), int64(5*median); width == 0 || step == 0 {
		width, step = 25e6, 5e6
	}
	return width, step
}

// fitted changes the window's width until it holds from least to w.Max events, as far as that can be.
func (w Window) fitted(times []int64, part span, start, width, step int64, least int) (span, int64, int64) {
	factor, fall := 2.0, 0.05
	whole := times[part.to-1] - times[part.from] + 1
	const rounds = 1000
	s := inside(times, part, start, later(start, width))
	for range rounds {
		n := s.to - s.from
		switch {
		case n > w.Max && times[s.from] < times[s.to-1]:
			if width = int64(float64(width) / factor); step >= width {
				step = max(width/5, 1)
			}
		case n < least && s.to < part.to:
			width = min(int64(min(float64(max(width, 1))*factor, math.MaxInt64/2))+1, whole)
		default:
			return s, width, step
		}
		s = inside(times, part, start, later(start, width))
		if factor -= fall; factor <= 1 {
			factor, fall = 3, fall/2
		}
	}
	// no width does: too many events stand close together
	return span{s.from, min(max(s.to, s.from+least), s.from+w.Max, part.to)}, width, step
}
