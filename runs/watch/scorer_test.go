package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/alerts"
)

// wrapped is a model that does something before it scores, and passes an error of that on.
type wrapped struct {
	models.Detector
	before func(ctx context.Context, s *data.Set) error
}

func (d wrapped) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if err := d.before(ctx, s); err != nil {
		return nil, err
	}
	return d.Detector.Score(ctx, s)
}

func (d wrapped) Update(ctx context.Context, more *data.Set) error {
	return d.Detector.(models.Updater).Update(ctx, more)
}

// odd says of about one window in seven that it is one on which a model of these tests fails.
func odd(w *data.Trace) bool {
	sum := int32(0)
	for i, s := range w.Symbols {
		sum += int32(i+1) * s
	}
	return sum%7 == 3
}

// placed is alerts as their lines and scores.
func placed(list []alerts.Alert) (out []string) {
	for _, a := range list {
		out = append(out, fmt.Sprintf("%s %s %v", a.Where(), a.ID, a.Score))
	}
	return out
}

// TestFailingWindows: where a model cannot judge some windows, their rows are left out and said, and all others have
// the scores of one pass in which nothing fails, those after them too.
func TestFailingWindows(t *testing.T) {
	const headLines = 7
	rows := zeekRows(4, 900, false)
	for _, unit := range []string{"flow", "host"} {
		for label, b := range trained(t, unit, "markov", "pdfa") {
			log := zeekHead(false) + strings.Join(rows, "")
			watch := func(before func(context.Context, *data.Set) error) (*watched, Counts) {
				w := newWatched(t, b)
				w.o.Say = func(string) {}
				w.put(log)
				x, err := New(t.Context(), b, w.o)
				if err != nil {
					t.Fatal(err)
				}
				x.scorer.det = wrapped{b.Detector, before}
				if err := x.File(t.Context(), w.log, true); err != nil {
					t.Fatal(err)
				}
				return w, x.Counts
			}
			var fails []bool // by row
			whole, _ := watch(func(_ context.Context, s *data.Set) error {
				for i := range s.Traces {
					fails = append(fails, odd(&s.Traces[i]))
				}
				return nil
			})
			bad := 0
			var want []string
			for _, is := range fails {
				if is {
					bad++
				}
			}
			for _, a := range whole.all(true) {
				if !fails[a.Line-1-headLines] {
					want = append(want, placed([]alerts.Alert{a})...)
				}
			}
			part, counts := watch(func(_ context.Context, s *data.Set) error {
				for i := range s.Traces {
					if odd(&s.Traces[i]) {
						return fmt.Errorf("%w: window %d", models.ErrInput, i)
					}
				}
				return nil
			})
			if len(fails) != len(rows) || bad < 20 || counts.Bad != int64(bad) || counts.Rows != int64(len(rows)-bad) {
				t.Fatalf("%s of %s: %d of %d windows fail, counted %+v", label, unit, bad, len(fails), counts)
			}
			got := placed(part.all(true))
			if unit == "host" { // a unit without some of its rows is another
				if len(got) == 0 {
					t.Errorf("%s of %s: no alerts", label, unit)
				}
				continue
			}
			if d := cmp.Diff(want, got); d != "" || len(want) < 5 {
				t.Errorf("%s: %d alerts (-without failures +with)\n%.2000s", label, len(want), d)
			}
		}
	}
}

// TestStoppedWithin: a watcher of a model that learns is stopped within a piece after another that was not written yet,
// and goes on: the alerts are those of one pass.
func TestStoppedWithin(t *testing.T) {
	b := trained(t, "flow", "kitnet")["kitnet"]
	rows := zeekRows(3, 1200, false)
	whole, part := newWatched(t, b), newWatched(t, b)
	whole.o.Learn, part.o.Learn = true, true
	whole.put(zeekHead(false) + strings.Join(rows, ""))
	whole.once()
	part.put(zeekHead(false) + strings.Join(rows[:300], ""))
	x, err := New(t.Context(), b, part.o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	grown := false
	x.scorer.det = wrapped{x.scorer.det, func(ctx context.Context, _ *data.Set) error {
		switch n := x.Counts.Rows; {
		case n == learnRows && !grown: // the last rows of the first piece
			grown = true
			f, err := os.OpenFile(part.log, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString(strings.Join(rows[300:], ""))
			return err
		case n == 2*learnRows: // within the second
			stop()
		}
		return ctx.Err()
	}}
	if err := x.File(ctx, part.log, false); err != nil || x.Counts.Rows != 2*learnRows {
		t.Fatalf("%d rows, %v", x.Counts.Rows, err)
	}
	part.once()
	want := placed(whole.all(true))
	if d := cmp.Diff(want, placed(part.all(true))); d != "" || len(want) == 0 {
		t.Errorf("%d alerts (-one pass +stopped)\n%.2000s", len(want), d)
	}
}

// TestStreamStopped: what was read of a stream, which nobody sends again, is judged and kept when watching stops.
func TestStreamStopped(t *testing.T) {
	b := trained(t, "flow", "znorm")["znorm"]
	text := zeekHead(false) + strings.Join(zeekRows(5, 400, false), "")
	whole, part := newWatched(t, b), newWatched(t, b)
	whole.put(text)
	whole.once()
	x, err := New(t.Context(), b, part.o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	x.scorer.det = wrapped{b.Detector, func(ctx context.Context, _ *data.Set) error {
		stop()
		time.Sleep(20 * time.Millisecond) // the end comes while it is judged
		return ctx.Err()
	}}
	in, out := io.Pipe()
	defer out.Close()
	go out.Write([]byte(text))
	if err := x.Stream(ctx, in); err != nil {
		t.Fatal(err)
	}
	want := placed(whole.all(true))
	if d := cmp.Diff(want, placed(part.all(true))); d != "" || len(want) == 0 {
		t.Errorf("%d alerts (-one pass +stopped)\n%.2000s", len(want), d)
	}
}

// TestStoppedWriting: a watcher that is stopped when a piece was judged writes it all the same, and has nothing left to
// do at the next start.
func TestStoppedWriting(t *testing.T) {
	b := trained(t, "flow", "znorm")["znorm"]
	w := newWatched(t, b)
	w.put(zeekHead(false) + strings.Join(zeekRows(5, 400, false), ""))
	x, err := New(t.Context(), b, w.o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	x.o.Rules.Verdicts = "off"
	x.scorer.det = wrapped{deaf{b.Detector}, func(context.Context, *data.Set) error {
		stop()
		return nil
	}}
	if err := x.File(ctx, w.log, true); err != nil || x.Counts.Rows != 400 {
		t.Fatalf("%+v, %v", x.Counts, err)
	}
	if c := w.once(); c.Rows != 0 || len(w.all(true)) == 0 {
		t.Errorf("%d rows were left, %d alerts", c.Rows, len(w.all(true)))
	}
}

// deaf is a model that scores to the end whatever the context says.
type deaf struct{ models.Detector }

func (d deaf) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	return d.Detector.Score(context.WithoutCancel(ctx), s)
}

// TestLingering: judging has no time limit while watching goes on, and one after its end.
func TestLingering(t *testing.T) {
	const more = 20 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	long, let := lingering(ctx, more)
	defer let()
	short, done := lingering(ctx, time.Hour)
	time.Sleep(2 * more)
	if err := long.Err(); err != nil {
		t.Fatalf("%v while watching goes on", err)
	}
	at := time.Now()
	stop()
	if long.Err() != nil {
		t.Error("it ends with the other")
	}
	<-long.Done()
	if took := time.Since(at); took < more {
		t.Errorf("it ended after %v, not %v", took, more)
	}
	if done(); short.Err() == nil {
		t.Error("it lasts longer than what it was for")
	}
}

// TestOtherModel: a model that takes a stream over begins with nothing, and at its next start has what it has met
// itself, none of what the model before it remembered; of more than there is room for it has the latest.
func TestOtherModel(t *testing.T) {
	for label, b := range trained(t, "host", "markov", "znorm") {
		w := newWatched(t, b)
		rows := zeekRows(6, 600, false)
		w.put(zeekHead(false) + strings.Join(rows[:400], ""))
		w.once()
		known := func(n int) (units, tails int) {
			t.Helper()
			w.o.Entities = n
			x, err := New(t.Context(), w.b, w.o)
			if err != nil {
				t.Fatal(err)
			}
			if x.scorer.tails != nil {
				tails = len(x.scorer.tails.recent.at)
			}
			return len(x.units.recent.at), tails
		}
		traces := label == "markov"
		if units, tails := known(0); units != 8 || traces != (tails == 8) {
			t.Fatalf("%s: %d units and %d traces of 8 hosts", label, units, tails)
		}
		other := *b
		other.Hash = "another"
		w.b = &other
		var two []string // rows of two hosts
		for _, r := range rows[400:] {
			if strings.Contains(r, "\t10.0.0.2\t") || strings.Contains(r, "\t10.0.0.5\t") {
				two = append(two, r)
			}
		}
		w.put(zeekHead(false) + strings.Join(append(rows[:400:400], two...), ""))
		if c := w.once(); c.Rows != int64(len(two)) || len(two) < 10 {
			t.Fatalf("%s: %d rows, want %d", label, c.Rows, len(two))
		}
		if units, tails := known(0); units != 2 || traces != (tails == 2) {
			t.Errorf("%s: %d units and %d traces of the 2 hosts that the new model has met", label, units, tails)
		}
		if units, tails := known(1); units != 1 || traces != (tails == 1) {
			t.Errorf("%s: %d units and %d traces where there is room for 1", label, units, tails)
		}
	}
}

// TestBadCells: a row that cannot be read is said without the addresses that stand in it, and without anything else
// that may be private or the beginning of it.
func TestBadCells(t *testing.T) {
	b := trained(t, "flow", "znorm")["znorm"]
	w := newWatched(t, b)
	rows := zeekRows(5, 40, false)
	cells := strings.Split(rows[20], "\t")
	const name = "printer-in-the-office-of-the-director-on-floor-7, 192.168.55.123" // is cut off within the address
	for k, hide := range []bool{false, true, false, true} {
		cells[7] = []string{cells[2], name}[k/2] // where the duration should be
		rows[20] = strings.Join(cells, "\t")
		w.put(zeekHead(false) + strings.Join(rows, ""))
		var said []string
		w.o.Stream, w.o.Say, w.o.Disguise = fmt.Sprint(k), func(s string) { said = append(said, s) }, nil
		if hide {
			w.o.Disguise = func(string) string { return "hidden" }
		}
		w.once()
		if len(said) != 1 {
			t.Fatalf("said %q", said)
		}
		shows := strings.Contains(said[0], cells[2]) || strings.Contains(said[0], "192.168.5") ||
			strings.Contains(said[0], "printer")
		if shows == hide || strings.Contains(said[0], "hidden") != (hide && k < 2) {
			t.Errorf("hidden %v: %q", hide, said)
		}
		if !hide {
			continue
		}
		x, err := New(t.Context(), b, w.o)
		if err != nil {
			t.Fatal(err)
		}
		got := x.hidden(fmt.Errorf("no column %q, and %q", "id.orig_p", name)).Error()
		if got != `no column "id.orig_p", and "…"` {
			t.Error(got)
		}
	}
}

// TestRoom: traces are remembered up to a number and to bytes in all, those that were silent longest go first, which is
// counted and said; groups of alerts likewise. What stays goes on as if all did.
func TestRoom(t *testing.T) {
	b := trained(t, "flow", "markov")["markov"]
	rows := zeekRows(9, 800, false)
	for name, c := range map[string]struct {
		entities int
		memory   int64
		groups   int64
		left     int // traces
	}{
		"any":          {1000, 1 << 30, 1000, 8},
		"three":        {3, 1 << 30, 1000, 3},
		"few bytes":    {1000, 4 * (entryBytes + 8 + 4*eventBytes), 1000, -1},
		"less than 1":  {1000, 1, 1000, 1},
		"groups":       {1000, 1 << 30, 2, 8},
		"groups and 1": {1, 1 << 30, 1, 1},
	} {
		w := newWatched(t, b)
		var said []string
		w.o.Say = func(s string) { said = append(said, s) }
		w.o.Entities, w.o.Memory, w.o.Groups = c.entities, c.memory, c.groups
		w.o.Rules = alerts.DefaultRules()
		w.put(zeekHead(false) + strings.Join(rows, ""))
		counts := w.once()
		x, err := New(t.Context(), w.b, w.o)
		if err != nil {
			t.Fatal(err)
		}
		kept := x.scorer.tails.recent
		held := int64(0)
		for _, e := range kept.at {
			tail := e.Value.(*entry[*tail])
			held += entryBytes + int64(len(tail.key)) + int64(12*len(tail.value.symbols)+4*len(tail.value.x))
		}
		if held != kept.held || held > c.memory && len(kept.at) > 1 || c.left >= 0 && len(kept.at) != c.left ||
			c.left < 0 && (len(kept.at) < 1 || len(kept.at) > 4) {
			t.Errorf("%s: %d traces take %d bytes, counted %d, may take %d", name, len(kept.at), held, kept.held, c.memory)
		}
		groups, err := w.store.Groups(t.Context(), "")
		if err != nil || int64(len(groups)) > c.groups || len(groups) == 0 {
			t.Errorf("%s: %d groups, %v", name, len(groups), err)
		}
		text := strings.Join(said, "\n")
		less := len(kept.at) < 8
		if (counts.Forgotten > 0) != less || strings.Contains(text, "were silent longest") != less {
			t.Errorf("%s: %+v, said %s", name, counts, text)
		}
		if (counts.Groups > 0) != strings.Contains(text, "keep_groups") || counts.Groups == 0 && c.groups < 3 {
			t.Errorf("%s: %+v, said %s", name, counts, text)
		}
		list := w.all(true)
		if int64(len(list)) != counts.Alerts+counts.Limited || len(list) == 0 || counts.Rows != 800 {
			t.Errorf("%s: %d alerts, %+v", name, len(list), counts)
		}
	}
}

// TestIdle, by hand: a unit that was silent for an hour begins anew, whatever late rows come between. One time that is
// years ahead begins it anew too, and does not keep it from that later; nor does a clock that was set back.
func TestIdle(t *testing.T) {
	const minute, years = int64(time.Minute), 9000 * 24 * 60
	for name, c := range map[string]struct {
		minutes []int64
		rows    []int64 // of the unit, after each
	}{
		"silent":         {[]int64{1, 2, 61, 122}, []int64{1, 2, 3, 1}},
		"late":           {[]int64{100, 130, 5, 160, 10, 221}, []int64{1, 2, 3, 4, 5, 1}},
		"very late once": {[]int64{9000, 9030, 5, 9060, 6, 9090}, []int64{1, 2, 3, 4, 5, 6}},
		"years ahead":    {[]int64{1, years, 2, 3, 4, 70}, []int64{1, 1, 2, 3, 4, 1}},
		"set back":       {[]int64{9000, 1, 2, 62, 123}, []int64{1, 2, 3, 4, 1}},
		"without times":  {[]int64{0, 0, 0}, []int64{1, 2, 3}},
	} {
		u := &entities{idle: time.Hour, least: 1,
			recent: newRecent(bounds{10, 1 << 20, func(s string) string { return s }}, func(*entity) int64 { return 64 })}
		for k, m := range c.minutes {
			u.add("host", 1, m*minute)
			e, _ := u.recent.get("host")
			if again := (&entity{}); json.Unmarshal(e.encode(), again) != nil || *again != *e {
				t.Errorf("%s: %+v is kept as %+v", name, e, again)
			}
			if e.N != c.rows[k] {
				t.Errorf("%s: after row %d the unit has %d rows, want %d", name, k+1, e.N, c.rows[k])
			}
		}
	}
}
