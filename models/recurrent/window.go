package recurrent

import (
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// WindowSpec is what of a trace a recurrent network sees at a time. An event is judged by a window that ends
// with it; windows never reach beyond the trace, that is, beyond its key and its side of the split. What is
// missing in front of the first event is rows of zeros, or a symbol of its own.
type WindowSpec struct {
	// W: events that the network sees at a time. 1 makes a control without any memory, which belongs beside every
	// recurrent model
	Window int `yaml:"window" jsonschema:"minimum=1,maximum=10000"`
	// training windows, drawn without replacement; 0: all
	Sample int `yaml:"sample" jsonschema:"minimum=0,maximum=100000000"`
}

// Memory is how many events a score rests on.
func (w WindowSpec) Memory() int { return w.Window }

// Pooling is how the scores of a trace's events make its own.
type Pooling struct {
	// score of a trace: mean or largest over its events, or the last event's. Training sees the same windows: one for
	// each event, or with last one for each trace
	Pool string `yaml:"pool" jsonschema:"enum=mean,enum=max,enum=last"`
}

// window is the events of a trace up to one of them: end is the number of events before its end.
type window struct{ trace, end int32 }

// windows lists the windows of a set's traces: one for each event, or the last one's alone. first[i] is where
// the windows of trace i begin; an empty trace has none.
func windows(s *data.Set, symbols, last bool) (list []window, first []int32) {
	first = make([]int32, 0, s.N+1)
	for i := range s.Traces {
		first = append(first, int32(len(list)))
		n := events(s, i, symbols)
		from := 1
		if last {
			from = max(1, n)
		}
		for end := from; end <= n; end++ {
			list = append(list, window{int32(i), int32(end)})
		}
	}
	return list, append(first, int32(len(list)))
}

// events is how many events a trace has.
func events(s *data.Set, trace int, symbols bool) int {
	if symbols || s.D == 0 {
		return len(s.Traces[trace].Symbols)
	}
	return len(s.Traces[trace].Events) / s.D
}

// sample is a sample of the windows, in their order.
func (w WindowSpec) sample(env models.Env, list []window) []window {
	if w.Sample == 0 || w.Sample >= len(list) {
		return list
	}
	at := env.Rand("sample").Perm(len(list))[:w.Sample]
	slices.Sort(at)
	out := make([]window, len(at))
	for i, j := range at {
		out[i] = list[j]
	}
	return out
}

// rowsBefore copies a trace's n rows of d columns that end where w does, back events earlier, with rows of
// zeros in front of the first.
func rowsBefore(to []float32, s *data.Set, w window, back, n int) {
	end := max(0, int(w.end)-back)
	missing := max(0, n-end)
	clear(to[:missing*s.D])
	copy(to[missing*s.D:n*s.D], s.Traces[w.trace].Events[(end-n+missing)*s.D:end*s.D])
}

// lastRow is the row of the event that w ends with.
func lastRow(s *data.Set, w window) []float32 {
	return s.Traces[w.trace].Events[(int(w.end)-1)*s.D : int(w.end)*s.D]
}

// symbolsBefore is rowsBefore for the symbols of an alphabet of k: what is unknown is k, what is missing k+1.
func symbolsBefore(to []float32, s *data.Set, w window, back, n, k int) {
	end := max(0, int(w.end)-back)
	missing := max(0, n-end)
	for i := range missing {
		to[i] = float32(k + 1)
	}
	for i, a := range s.Traces[w.trace].Symbols[end-n+missing : end] {
		if a == data.UnknownSymbol {
			a = int32(k)
		}
		to[missing+i] = float32(a)
	}
}
