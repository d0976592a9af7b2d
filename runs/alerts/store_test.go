package alerts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "a store?.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// limited is an alert that the limit held back.
func limited(n int64, cause string) *Alert {
	a := found(n, cause)
	a.Limited = true
	return a
}

func commit(t testing.TB, s *Store, b *Batch) {
	t.Helper()
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// filled has alerts 0 to 5 given on, of two causes, and 6 held back.
func filled(t testing.TB) *Store {
	t.Helper()
	s := newStore(t)
	b := &Batch{Stream: "conn.log", State: map[string][]byte{"offset": []byte("120"), "gone": []byte("x")},
		Alerts: []*Alert{limited(6, "duration")}}
	for n := range int64(6) {
		b.Alerts = append(b.Alerts, found(n, []string{"duration", "bytes"}[n%2]))
	}
	b.Alerts[5].Source = "10.0.0.9"
	b.Alerts[2].Score = 0.9 // number 1
	gate := NewGate(Rules{}, nil, Clock{}, 0)
	for _, a := range b.Alerts[1:] {
		gate.Pass(a, nil)
	}
	b.Groups, _, _ = gate.Changed()
	commit(t, s, b)
	return s
}

// lines is the line of each alert, less 9: its number.
func lines(t testing.TB, s *Store, q Query) (out []int64) {
	t.Helper()
	list, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		out = append(out, a.Line-9)
	}
	return out
}

func TestQuery(t *testing.T) {
	s := filled(t)
	if n, err := s.Judge(t.Context(), found(2, "duration").ID, False, "backup"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.Judge(t.Context(), GroupID("h", "bytes")[:6], True, ""); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for name, c := range map[string]struct {
		q    Query
		want []int64
	}{
		"all":      {Query{}, []int64{5, 4, 3, 2, 1, 0}},
		"limited":  {Query{Limited: true, Cause: "duration"}, []int64{4, 2, 0, 6}},
		"oldest":   {Query{Oldest: true, Limit: 2}, []int64{0, 1}},
		"time":     {Query{From: noon.Add(2 * time.Minute), To: noon.Add(4 * time.Minute)}, []int64{3, 2}},
		"top":      {Query{Top: true, Limit: 3}, []int64{1, 0, 2}},
		"group":    {Query{Group: GroupID("h", "bytes")}, []int64{5, 3, 1}},
		"address":  {Query{Address: "10.0.0.9"}, []int64{4}},
		"model":    {Query{Model: "ae"}, nil},
		"false":    {Query{Verdict: "false"}, []int64{2}},
		"unjudged": {Query{Verdict: "none"}, []int64{4, 0}},
		"judged":   {Query{Verdict: "any", Limit: 1}, []int64{5}},
		"places":   {Query{After: 2, Before: 5}, []int64{3, 2}[0:2]},
	} {
		got := lines(t, s, c.q)
		if name == "places" { // the one held back was stored first
			c.want = []int64{2, 1}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if _, err := s.List(t.Context(), Query{Verdict: "perhaps"}); err == nil {
		t.Error("an unknown verdict is asked for without an error")
	}
	a, err := s.Get(t.Context(), found(2, "duration").ID[:10])
	if err != nil {
		t.Fatal(err)
	}
	want := found(2, "duration")
	want.Seq, want.Verdict, want.Note = a.Seq, False, "backup"
	if d := cmp.Diff(want, a); d != "" || a.Seq == 0 {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, id := range []string{"", "zz", "0000000000000000"} {
		if _, err := s.Get(t.Context(), id); !errors.Is(err, ErrNoAlert) {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := s.Judge(t.Context(), id, True, ""); !errors.Is(err, ErrNoAlert) {
			t.Errorf("%q: %v", id, err)
		}
	}
	groups, err := s.Groups(t.Context(), "iforest")
	if err != nil || len(groups) != 2 || groups[0].Cause != "bytes" || groups[0].Alerts != 3 {
		t.Errorf("%+v, %v", groups, err)
	}
}

// TestReopen: a store that is opened again, by another path to the file, has all of it; an alert that comes again is
// there once.
func TestReopen(t *testing.T) {
	s := filled(t)
	commit(t, s, &Batch{Alerts: []*Alert{found(5, "bytes"), found(7, "bytes")}, Stream: "conn.log",
		State: map[string][]byte{"offset": []byte("140"), "gone": nil}})
	if err := s.MarkSent(t.Context(), "webhook", 3, "mark"); err != nil {
		t.Fatal(err)
	}
	again, err := OpenExisting(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := lines(t, again, Query{Limit: 3}); !slices.Equal(got, []int64{7, 5, 4}) {
		t.Errorf("%v", got)
	}
	state, err := again.State(t.Context(), "conn.log")
	if err != nil || len(state) != 1 || string(state["offset"]) != "140" {
		t.Errorf("state %q, %v", state, err)
	}
	if seq, mark, err := again.Sent(t.Context(), "webhook"); seq != 3 || mark != "mark" || err != nil {
		t.Errorf("%d %q %v", seq, mark, err)
	}
	if seq, mark, err := again.Sent(t.Context(), "syslog"); seq != 0 || mark != "" || err != nil {
		t.Errorf("%d %q %v", seq, mark, err)
	}
}

// TestFull: a commit for which there is no room leaves nothing, and the same one succeeds when there is.
func TestFull(t *testing.T) {
	s := filled(t)
	s.db.SetMaxOpenConns(1) // max_page_count is of a connection
	if _, err := s.db.Exec("PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	b := &Batch{Stream: "conn.log", State: map[string][]byte{"offset": []byte("200")}}
	for n := range int64(300) {
		b.Alerts = append(b.Alerts, found(10+n, "duration"))
	}
	if err := s.Commit(t.Context(), b); !errors.Is(err, ErrFull) {
		t.Fatalf("a full disk: %v", err)
	}
	if got := lines(t, s, Query{Limit: 1}); !slices.Equal(got, []int64{5}) {
		t.Errorf("half a batch is there: %v", got)
	}
	if state, _ := s.State(t.Context(), "conn.log"); string(state["offset"]) != "120" {
		t.Errorf("the position went on: %q", state)
	}
	if _, err := s.db.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	commit(t, s, b)
	if got := lines(t, s, Query{}); len(got) != 306 {
		t.Errorf("%d alerts, want 306", len(got))
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	if _, err := Open(write("text.db", strings.Repeat("no database at all ", 99))); !errors.Is(err, ErrStore) {
		t.Errorf("a text: %v", err)
	}
	for name, statement := range map[string]string{
		"later.db": "PRAGMA user_version = 99", "else.db": "CREATE TABLE t (x)",
	} {
		at := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		db.Close()
		if _, err := Open(at); !errors.Is(err, ErrStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenExisting(filepath.Join(dir, "none.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

// TestSubscribe: alerts come in their order, those of this process and those of another.
func TestSubscribe(t *testing.T) {
	s := filled(t)
	other, err := OpenExisting(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	last, err := s.Last(t.Context())
	if err != nil || last != 7 {
		t.Fatal(last, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(chan int64, 10)
	done := make(chan error, 1)
	stop := errors.New("enough")
	go func() {
		n := 0
		done <- s.Subscribe(ctx, last, func(a *Alert) error {
			got <- a.Line - 9
			if n++; n == 3 {
				return stop
			}
			return nil
		})
	}()
	for k, from := range []*Store{s, other, s} {
		n := int64(20 + k)
		commit(t, from, &Batch{Alerts: []*Alert{limited(100+n, "bytes"), found(n, "bytes")}})
		select {
		case v := <-got:
			if v != n {
				t.Fatalf("alert %d, want %d", v, n)
			}
		case <-ctx.Done():
			t.Fatal("an alert did not come")
		}
	}
	if err := <-done; !errors.Is(err, stop) {
		t.Error(err)
	}
}

// TestManyWriters: commits of several processes' connections wait for each other.
func TestManyWriters(t *testing.T) {
	s := newStore(t)
	other, err := Open(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	errs := make(chan error, 4)
	for k := range 4 {
		go func() {
			to := []*Store{s, other}[k%2]
			for n := range int64(20) {
				if err := to.Commit(context.Background(), &Batch{Alerts: []*Alert{found(int64(k)*100+n, "x")}}); err != nil {
					errs <- fmt.Errorf("writer %d: %w", k, err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := lines(t, s, Query{}); len(got) != 80 {
		t.Errorf("%d alerts, want 80", len(got))
	}
}

// TestPages: alerts are read in pages, in which nothing is missing or twice, in either order and up to any number; who
// takes long over them does not keep SQLite's log from being emptied.
func TestPages(t *testing.T) {
	s := newStore(t)
	b := &Batch{}
	for n := range int64(2*page + 77) {
		b.Alerts = append(b.Alerts, found(n, []string{"duration", "bytes"}[n%2]))
	}
	commit(t, s, b)
	for _, limit := range []int{0, 1, page - 1, page, page + 1, 2 * page, 3 * page} {
		for _, q := range []Query{{Limit: limit}, {Limit: limit, Cause: "bytes"}, {Limit: limit, After: 100, Before: 400}} {
			rows, err := s.read(t.Context(), &q)
			if err != nil || limit > page && q.Before == 0 && len(rows) < page {
				t.Fatal(len(rows), err)
			}
			var want []int64
			for _, a := range rows {
				want = append(want, a.Line-9)
			}
			if got := lines(t, s, q); !slices.Equal(got, want) {
				t.Errorf("%+v: %v, want %v", q, got, want)
			}
			if q.Oldest = true; limit == 0 {
				slices.Reverse(want)
				if got := lines(t, s, q); !slices.Equal(got, want) {
					t.Errorf("%+v: %v, want %v", q, got, want)
				}
			}
		}
	}
	first := true
	err := s.Each(t.Context(), Query{Oldest: true}, func(*Alert) error {
		for n := range 80 { // all this is written while one alert is at work
			if !first {
				return nil
			}
			commit(t, s, &Batch{Stream: "x", State: map[string][]byte{"state": make([]byte, 300_000+n)}})
		}
		first = false
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(s.Path() + "-wal")
	if err != nil || st.Size() > 10<<20 {
		t.Errorf("the log has %d bytes after 24 MB were written: %v", st.Size(), err)
	}
}

// TestLastVerdict: it grows with each verdict, also of one alert, and with nothing else.
func TestLastVerdict(t *testing.T) {
	s := filled(t)
	last := int64(0)
	for i, v := range []Verdict{"", False, True, Note, "", False} {
		if v != "" {
			if _, err := s.Judge(t.Context(), found(1, "bytes").ID, v, ""); err != nil {
				t.Fatal(err)
			}
		} else {
			commit(t, s, &Batch{Alerts: []*Alert{found(int64(20+i), "bytes")}})
		}
		now, err := s.LastVerdict(t.Context())
		if err != nil || (now > last) != (v != "") {
			t.Errorf("%d: %d after %d: %v", i, now, last, err)
		}
		last = now
	}
}

// TestBusy: what somebody else keeps from being written is told from other faults, and so is the end of the context
// while something is written; neither leaves anything, and the same batch can be written later.
func TestBusy(t *testing.T) {
	s := filled(t)
	s.db.SetMaxOpenConns(1) // busy_timeout is of a connection
	if _, err := s.db.Exec("PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	other, err := Open(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	b := &Batch{Alerts: []*Alert{found(30, "duration")}}
	err = other.write(t.Context(), func(*sql.Tx) error { return s.Commit(t.Context(), b) })
	if !errors.Is(err, ErrBusy) {
		t.Errorf("while another writes: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = s.write(ctx, func(tx *sql.Tx) error {
		stop()
		for { // until it is rolled back
			if err := insert(tx, found(31, "duration")); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while writing: %v", err)
	}
	if got := lines(t, s, Query{}); len(got) != 6 {
		t.Errorf("%v", got)
	}
	commit(t, s, b)
	if got := lines(t, s, Query{Limit: 1}); !slices.Equal(got, []int64{30}) {
		t.Errorf("%v", got)
	}
}
