package prep

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
)

func window(t testing.TB, text string) Window {
	t.Helper()
	doc, err := settings.Parse("w.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	w := defaultWindow()
	if ps := doc.Decode(&w); len(ps) > 0 {
		t.Fatal(ps)
	}
	return w
}

// seconds is times in nanoseconds.
func seconds(at ...float64) []int64 {
	out := make([]int64, len(at))
	for i, s := range at {
		out[i] = int64(s * 1e9)
	}
	return out
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		text  string
		times []int64
		want  []span
	}{
		{"{length: 0}", seconds(0, 1, 2), []span{{0, 3}}},
		{"{length: 2, stride: 2}", seconds(0, 1, 2, 3, 4), []span{{0, 2}, {2, 4}, {3, 5}}},
		{"{length: 2, gap: 5}", seconds(0, 1, 2, 8, 13), []span{{0, 2}, {1, 3}, {3, 5}}}, // 6 seconds cut, 5 do not
		{"{length: 9, gap: 1}", seconds(0, 2, 4), []span{{0, 1}, {1, 2}, {2, 3}}},
		// every event ends a window
		{"{length: 3, growing: true}", seconds(0, 1, 2, 3, 4), []span{{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 5}}},
		{"{length: 3, growing: true, gap: 5}", seconds(0, 1, 9), []span{{0, 1}, {0, 2}, {2, 3}}},
		{"{length: 4, stride: 2, growing: true}", seconds(0, 1, 2, 3, 4), []span{{0, 2}, {0, 4}, {1, 5}}},
		// [0,10] [10,20] [20,30]; the event at 10 is in two, both ends being included
		{"{kind: time, span: 10}", seconds(0, 4, 10, 12, 25), []span{{0, 3}, {2, 4}, {4, 5}}},
		// [0,10] [5,15] [10,20] [15,25]: the last has what none before has
		{"{kind: time, span: 10, step: 5}", seconds(0, 4, 10, 12, 25), []span{{0, 3}, {2, 4}, {4, 5}}},
		{"{kind: time, span: 10, step: 0.001}", seconds(0, 4, 12), []span{{0, 2}, {1, 2}, {1, 3}}},
		// nothing for a year: the next window starts at the next event
		{"{kind: time, span: 1, step: 0.5}", seconds(0, 0.2, 31536000, 31536000.2), []span{{0, 2}, {2, 4}}},
		{"{kind: time, span: 60}", seconds(7), []span{{0, 1}}},
		// a median gap of 1 s: windows of 25 s moved by 5 s, over 40 events at whole seconds
		{"{kind: dynamic}", every(40, 1), []span{{0, 26}, {5, 31}, {10, 36}, {36, 40}}},
		{"{kind: dynamic, max: 20}", every(22, 1), nil},
		{"{kind: dynamic, max: 3, min: 1}", seconds(1, 1, 1, 1, 1, 1, 1), []span{{0, 3}, {3, 6}, {6, 7}}},
		// half an hour and a second between two events cut; less does not
		{"{kind: dynamic}", seconds(0, 1800, 3601), []span{{0, 2}, {2, 3}}},
	} {
		got := window(t, c.text).windows(len(c.times), c.times)
		if c.want != nil && !slices.Equal(got, c.want) {
			t.Errorf("%s over %d events: %v, want %v", c.text, len(c.times), got, c.want)
		}
	}
}

func every(n int, gap float64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(float64(i) * gap * 1e9)
	}
	return out
}

// TestWindowsHoldEveryEvent: whatever the times, each event is in a window, windows are runs of events, go
// forward, and are as large as they may be.
func TestWindowsHoldEveryEvent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		n := 1 + r.IntN(120)
		times := make([]int64, n)
		scale := []float64{0, 1, 1e3, 1e9, 3e10, 1e13}[r.IntN(6)]
		at := int64(1_600_000_000_000_000_000)
		for i := range times {
			if r.IntN(3) > 0 {
				at += int64(r.ExpFloat64() * scale)
			}
			if r.IntN(40) == 0 {
				at += int64(r.Float64() * 1e14)
			}
			times[i] = at
		}
		text := ""
		switch r.IntN(3) {
		case 0:
			length := r.IntN(20)
			text = fmt.Sprintf("{length: %d, stride: %d, gap: %v}", length, 1+r.IntN(max(length, 1)), r.IntN(2)*100)
		case 1:
			text = fmt.Sprintf(
				"{kind: time, span: %v, step: %v, gap: %v}",
				10+r.Float64(),
				10*r.Float64(),
				r.IntN(2)*100,
			)
		case 2:
			least := 1 + r.IntN(12)
			text = fmt.Sprintf("{kind: dynamic, min: %d, max: %d}", least, least+r.IntN(30))
		}
		w := window(t, text)
		got := w.windows(n, times)
		covered := make([]bool, n)
		for k, s := range got {
			if s.from < 0 || s.to > n || s.from >= s.to {
				t.Fatalf("%s: window %v of %d events", text, s, n)
			}
			if k > 0 && (s.from < got[k-1].from || s == got[k-1]) {
				t.Fatalf("%s: window %v follows %v", text, s, got[k-1])
			}
			if w.Kind == "dynamic" && s.to-s.from > w.Max {
				t.Fatalf("%s: window %v holds more than %d", text, s, w.Max)
			}
			for i := s.from; i < s.to; i++ {
				covered[i] = true
				if w.Gap > 0 && i > s.from && float64(times[i]-times[i-1]) > w.Gap*1e9 {
					t.Fatalf("%s: window %v goes over a gap", text, s)
				}
			}
		}
		if i := slices.Index(covered, false); i >= 0 {
			t.Fatalf("%s: event %d of %d is in no window: %v", text, i, n, got)
		}
	}
}

func TestWindowErrors(t *testing.T) {
	for text, want := range map[string]string{
		"{length: 2, stride: 3}":                 "leaves events out",
		"{kind: time}":                           "needs a span",
		"{kind: time, span: 5, step: 6}":         "leaves events out",
		"{kind: time, span: 5, length: 3}":       "length goes with kind count",
		"{span: 5}":                              "span and step go with kind time",
		"{kind: dynamic, min: 5, max: 4}":        "min 5, max 4",
		"{kind: time, span: 1e300}":              "impossible window",
		"{kind: dynamic, length: 10, stride: 1}": "length goes with kind count",
	} {
		if err := window(t, text).check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if w := window(t, "{kind: dynamic}"); w.Gap != 1800 {
		t.Errorf("gap %v", w.Gap)
	}
	if w := window(t, "{kind: dynamic, gap: 5}"); w.Gap != 5 {
		t.Errorf("gap %v", w.Gap)
	}
}
