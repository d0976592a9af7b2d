package alerts

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// anyNumber keeps everything that these tests write.
var anyNumber = Keep{Alerts: 1000, Judged: 1000, Unsent: 1000, Groups: 1000}

// trimmed is what trimming takes out.
func trimmed(t *testing.T, s *Store, k Keep, sinks ...string) Trimmed {
	t.Helper()
	out, err := s.Trim(t.Context(), k, sinks)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTrim: the newest alerts stay, older ones with a verdict or that a sink has not sent as far as there is room for
// them, and what goes is counted.
func TestTrim(t *testing.T) {
	s := filled(t) // seq 1 is number 6, which was held back, seq 2 to 7 are 0 to 5
	if _, err := s.Judge(t.Context(), found(1, "bytes").ID, Note, "odd"); err != nil {
		t.Fatal(err)
	}
	s.MarkSent(t.Context(), "webhook", 4, "")
	keep := anyNumber
	keep.Alerts = 2
	for _, step := range []struct {
		change func()
		sinks  []string
		want   Trimmed
		left   []int64
	}{
		{func() {}, []string{"webhook"}, Trimmed{Alerts: 3}, []int64{1, 3, 4, 5}},
		{func() {}, []string{"webhook", "new"}, Trimmed{}, []int64{1, 3, 4, 5}},
		{func() { keep.Unsent = 1 }, []string{"webhook", "new"},
			Trimmed{Alerts: 1, Unsent: map[string]int64{"webhook": 1, "new": 1}}, []int64{1, 4, 5}},
		{func() { // three verdicts, two of one alert
			s.Judge(t.Context(), found(4, "duration").ID, False, "")
			s.Judge(t.Context(), found(4, "duration").ID, True, "")
			commit(t, s, &Batch{Alerts: []*Alert{found(7, "bytes"), found(8, "duration")}})
			keep.Judged = 1
		}, []string{"webhook", "new"},
			Trimmed{Alerts: 2, Judged: 1, Verdicts: 2, Unsent: map[string]int64{"webhook": 1, "new": 1}},
			[]int64{4, 7, 8}},
		{func() { keep.Groups = 1 }, nil, Trimmed{Groups: 1}, []int64{4, 7, 8}},
	} {
		step.change()
		got := trimmed(t, s, keep, step.sinks...)
		if step.want.Unsent == nil {
			step.want.Unsent = map[string]int64{}
		}
		if d := cmp.Diff(step.want, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		if got := lines(t, s, Query{Limited: true, Oldest: true}); !slices.Equal(got, step.left) {
			t.Errorf("%v are left, want %v", got, step.left)
		}
	}
	groups, err := s.Groups(t.Context(), "")
	if err != nil || len(groups) != 1 || groups[0].Cause != "bytes" { // the one whose alert came last
		t.Errorf("%+v, %v", groups, err)
	}
}

// TestTrimMany: more than one transaction takes out goes too.
func TestTrimMany(t *testing.T) {
	if testing.Short() {
		t.Skip("many rows, from one goroutine")
	}
	s := newStore(t)
	b := &Batch{}
	for n := range int64(atOnce + 1500) {
		b.Alerts = append(b.Alerts, &Alert{ID: fmt.Sprintf("%016x", n), Line: n + 9})
	}
	commit(t, s, b)
	keep := anyNumber
	if out := trimmed(t, s, keep); out.Alerts != atOnce+500 {
		t.Errorf("%+v", out)
	}
	if got := lines(t, s, Query{Oldest: true, Limit: 1}); !slices.Equal(got, []int64{atOnce + 500}) {
		t.Errorf("%v", got)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Trim(ended, keep, nil); err == nil {
		t.Error("trimmed after the end")
	}
}

// TestGroupsOfSeveral: watchers of one model add to each other's counts; the order in which groups changed is kept.
func TestGroupsOfSeveral(t *testing.T) {
	s := newStore(t)
	gates := []*Gate{NewGate(Rules{}, nil, Clock{}, 0), NewGate(Rules{}, nil, Clock{}, 0)}
	for n, cause := range []string{"bytes", "duration", "bytes", "port", "bytes", "duration"} {
		g := gates[n%2]
		g.Pass(found(int64(n), cause), nil)
		b := &Batch{}
		b.Groups, b.Gone, _ = g.Changed()
		commit(t, s, b)
	}
	var got []string
	list, err := s.Limits(t.Context(), "h", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		got = append(got, fmt.Sprintf("%s %d %v-%v", g.Cause, g.Alerts, g.First.Minute(), g.Last.Minute()))
	}
	if want := []string{"port 1 3-3", "bytes 3 0-4", "duration 2 1-5"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if list, err = s.Limits(t.Context(), "h", 2); err != nil || len(list) != 2 || list[0].Cause != "bytes" {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err = s.Limits(t.Context(), "another model", 2); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestManyGroups: of more groups than are remembered the one goes whose last alert came first, here and in the store;
// one that stopped and goes on from the store decides as one that did not.
func TestManyGroups(t *testing.T) {
	rules := Rules{Limit: Limit{Alerts: 1, Per: Span(time.Hour)}}
	const most = 3
	causes := []string{"a", "b", "c", "a", "d", "b", "a", "e", "c", "d", "a", "a", "e", "b"}
	play := func(t *testing.T, stops bool) (fates []Fate, left []string, dropped, open int64) {
		s := newStore(t)
		g := NewGate(rules, nil, Clock{}, most)
		for n, cause := range causes {
			at := int64(n)
			if n >= 9 { // an hour later: the stretches before are over
				at += 60
			}
			fates = append(fates, g.Pass(found(at, cause), nil))
			if !stops && n < len(causes)-1 {
				continue
			}
			b := &Batch{}
			var clock Clock
			b.Groups, b.Gone, clock = g.Changed()
			commit(t, s, b)
			list, err := s.Limits(t.Context(), "h", most)
			if err != nil || len(list) > most {
				t.Fatalf("%d groups, %v", len(list), err)
			}
			before := g
			g = NewGate(rules, list, clock, most)
			g.Dropped, g.Open = before.Dropped, before.Open
		}
		list, err := s.Groups(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range list {
			left = append(left, g.Cause)
		}
		return fates, left, g.Dropped, g.Open
	}
	fates, left, dropped, open := play(t, false)
	// by hand: d takes the place of b, b that of c, e that of d, c that of b, all in one hour; in the next one d that of
	// a, a that of e, e that of c, whose stretches are over, and b that of d, whose is not
	want := []Fate{Given, Given, Given, Limited, Given, Given, Limited, Given, Given, Given, Given, Limited, Given, Given}
	if !slices.Equal(fates, want) || !slices.Equal(left, []string{"b", "e", "a"}) || dropped != 8 || open != 5 {
		t.Errorf("%v, left %v, %d dropped, %d of them open", fates, left, dropped, open)
	}
	again, leftToo, droppedToo, openToo := play(t, true)
	if !slices.Equal(again, fates) || !slices.Equal(leftToo, left) || droppedToo != dropped || openToo != open {
		t.Errorf("stopped after each: %v, left %v, %d dropped, %d open", again, leftToo, droppedToo, openToo)
	}
}

// TestJudgedBriefly: what suppression needs of judged alerts is given without their bodies.
func TestJudgedBriefly(t *testing.T) {
	s := newStore(t)
	host := found(2, "duration")
	host.Source, host.Dest, host.Entity = "", "", "10.0.0.9"
	commit(t, s, &Batch{Alerts: []*Alert{found(1, "bytes"), host, found(3, "port")}})
	for _, n := range []int64{1, 2} {
		if _, err := s.Judge(t.Context(), found(n, "").ID, False, ""); err != nil {
			t.Fatal(err)
		}
	}
	var got []Alert
	err := s.Judged(t.Context(), False, func(a *Alert) error {
		got = append(got, *a)
		return nil
	})
	want := []Alert{{Group: GroupID("h", "bytes"), Source: "10.0.0.5", Dest: "192.0.2.7"},
		{Group: GroupID("h", "duration"), Entity: "10.0.0.9"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}
