package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Query is which alerts are asked for: all fields that are not zero must fit.
type Query struct {
	From, To time.Time // of the traffic; To is not included
	Model    string
	Cause    string
	Group    string
	Address  string // of either end
	Verdict  string // true, false, note; none: without one; any: with one
	Limited  bool   // those too that the limit held back
	After    int64  // Seq above this
	Before   int64  // Seq below this
	Oldest   bool   // oldest first; else newest first
	Top      bool   // highest score first
	Limit    int    // most alerts; 0: any number
}

// where is the condition of a query.
func (q *Query) where() (string, []any) {
	var parts []string
	var args []any
	add := func(part string, v ...any) { parts, args = append(parts, part), append(args, v...) }
	if !q.From.IsZero() {
		add("time >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		add("time < ?", q.To.UnixNano())
	}
	if q.Model != "" {
		add("model = ?", q.Model)
	}
	if q.Cause != "" {
		add("cause = ?", q.Cause)
	}
	if q.Group != "" {
		add("grp = ?", q.Group)
	}
	if q.Address != "" {
		add("(src = ? OR dst = ?)", q.Address, q.Address)
	}
	switch q.Verdict {
	case "":
	case "none":
		add("verdict = ''")
	case "any":
		add("verdict <> ''")
	default:
		add("verdict <> '' AND verdict = ?", q.Verdict) // the first of them lets SQLite use the index
	}
	if !q.Limited {
		add("given = 1")
	}
	if q.After > 0 {
		add("seq > ?", q.After)
	}
	if q.Before > 0 {
		add("seq < ?", q.Before)
	}
	if parts == nil {
		return "", nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

// check says what is wrong with a query.
func (q *Query) check() error {
	switch q.Verdict {
	case "", "none", "any", string(True), string(False), string(Note):
		return nil
	}
	return fmt.Errorf("alerts: verdict %q: want true, false, note, none or any", q.Verdict)
}

// List is the alerts that a query asks for.
func (s *Store) List(ctx context.Context, q Query) ([]Alert, error) {
	out := []Alert{}
	err := s.Each(ctx, q, func(a *Alert) error {
		out = append(out, *a)
		return nil
	})
	return out, err
}

// Each gives the alerts that a query asks for to do, one after the other, until it fails. They are read in pages, but
// for [Query.Top], so that who takes long over them holds up neither who writes nor the emptying of SQLite's log.
func (s *Store) Each(ctx context.Context, q Query, do func(*Alert) error) error {
	if err := q.check(); err != nil {
		return err
	}
	most := q.Limit
	for n := 0; ; {
		if q.Limit = page; q.Top {
			q.Limit = most
		} else if most > 0 {
			q.Limit = min(page, most-n)
		}
		list, err := s.read(ctx, &q)
		if err != nil {
			return err
		}
		for i := range list {
			if err := do(&list[i]); err != nil {
				return err
			}
		}
		if n += len(list); q.Top || len(list) < q.Limit || n == most {
			return nil
		}
		if last := list[len(list)-1].Seq; q.Oldest {
			q.After = last
		} else {
			q.Before = last
		}
	}
}

// read is the alerts that a query asks for, all at once.
func (s *Store) read(ctx context.Context, q *Query) (out []Alert, err error) {
	where, args := q.where()
	order := " ORDER BY seq DESC"
	if q.Oldest {
		order = " ORDER BY seq"
	}
	if q.Top {
		order = " ORDER BY score DESC, seq"
	}
	if q.Limit > 0 {
		order += fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT seq, verdict, note, body FROM alerts"+where+order, args...)
	if err != nil {
		return nil, s.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanAlert(rows)
		if err != nil {
			return nil, s.fail(err)
		}
		out = append(out, *a)
	}
	return out, s.fail(rows.Err())
}

func scanAlert(row interface{ Scan(...any) error }) (*Alert, error) {
	var seq int64
	var verdict, note, body string
	if err := row.Scan(&seq, &verdict, &note, &body); err != nil {
		return nil, err
	}
	a := &Alert{}
	if err := json.Unmarshal([]byte(body), a); err != nil {
		return nil, fmt.Errorf("alert %d: %w", seq, err)
	}
	a.Seq, a.Verdict, a.Note = seq, Verdict(verdict), note
	return a, nil
}

// ErrNoAlert says that no alert or group has that name.
var ErrNoAlert = errors.New("no such alert")

// Get is one alert by its ID, or by the beginning of one.
func (s *Store) Get(ctx context.Context, id string) (*Alert, error) {
	row := s.db.QueryRowContext(ctx, "SELECT seq, verdict, note, body FROM alerts WHERE id >= ? AND id < ? ORDER BY id "+
		"LIMIT 1", id, id+"g")
	a, err := scanAlert(row)
	if errors.Is(err, sql.ErrNoRows) || id == "" {
		return nil, fmt.Errorf("alerts: %q: %w", id, ErrNoAlert)
	}
	return a, s.fail(err)
}

// Groups is the groups of a model, of all models where it is empty, that with the latest alert first.
func (s *Store) Groups(ctx context.Context, model string) ([]Group, error) {
	return s.groups(ctx, "WHERE ? = '' OR model = ? ORDER BY last DESC, id", model, model)
}

func (s *Store) groups(ctx context.Context, which string, args ...any) ([]Group, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, model, hash, cause, first, last, alerts, limited, ignored, highest, "+
		"stretch, within, held FROM groups "+which, args...)
	if err != nil {
		return nil, s.fail(err)
	}
	defer rows.Close()
	out := []Group{}
	for rows.Next() {
		var g Group
		var first, last int64
		if err := rows.Scan(&g.ID, &g.Model, &g.Hash, &g.Cause, &first, &last, &g.Alerts, &g.Limited, &g.Ignored, &g.Highest,
			&g.Stretch, &g.Within, &g.Held); err != nil {
			return nil, s.fail(err)
		}
		g.First, g.Last = instant(first), instant(last)
		out = append(out, g)
	}
	return out, s.fail(rows.Err())
}

// Limits is the groups of one version of a model that changed last, up to a number, the one that changed last at the
// end: what a [Gate] goes on from.
func (s *Store) Limits(ctx context.Context, hash string, most int64) ([]Group, error) {
	out, err := s.groups(ctx, "WHERE hash = ? ORDER BY rowid DESC LIMIT ?", hash, most)
	slices.Reverse(out)
	return out, err
}

// Judged gives the alerts with a verdict to do, of each no more than its group, its ends and what it is about.
func (s *Store) Judged(ctx context.Context, v Verdict, do func(*Alert) error) error {
	rows, err := s.db.QueryContext(ctx, "SELECT grp, src, dst, CASE src WHEN '' THEN json_extract(body, '$.entity') END "+
		"FROM alerts WHERE verdict <> '' AND verdict = ?", string(v))
	if err != nil {
		return s.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Alert
		var entity sql.NullString
		if err := rows.Scan(&a.Group, &a.Source, &a.Dest, &entity); err != nil {
			return s.fail(err)
		}
		a.Entity = entity.String
		if err := do(&a); err != nil {
			return err
		}
	}
	return s.fail(rows.Err())
}

// Judge keeps what an analyst says of an alert, or of all alerts of a group, by its ID or its beginning. It says how
// many alerts that were. Earlier verdicts stay in the store's history.
func (s *Store) Judge(ctx context.Context, id string, v Verdict, note string) (n int64, err error) {
	if _, err := ParseVerdict(string(v)); err != nil {
		return 0, fmt.Errorf("alerts: %w", err)
	}
	if id == "" {
		return 0, fmt.Errorf("alerts: %q: %w", id, ErrNoAlert)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		for _, column := range []string{"id", "grp"} {
			var names int
			err := tx.QueryRow("SELECT count(DISTINCT "+column+") FROM alerts WHERE "+column+" >= ? AND "+column+" < ?", id,
				id+"g").Scan(&names)
			if err != nil {
				return err
			}
			if names > 1 {
				return fmt.Errorf("%q begins the names of %d alerts or groups: give more of it", id, names)
			}
			if names == 0 {
				continue
			}
			if _, err := tx.Exec("INSERT INTO verdicts (alert, verdict, note, at) SELECT id, ?, ?, ? FROM alerts WHERE "+
				column+" >= ? AND "+column+" < ?", v, note, time.Now().UnixNano(), id, id+"g"); err != nil {
				return err
			}
			res, err := tx.Exec("UPDATE alerts SET verdict = ?, note = ? WHERE "+column+" >= ? AND "+column+" < ?", v, note,
				id, id+"g")
			if err == nil {
				n, err = res.RowsAffected()
			}
			return err
		}
		return fmt.Errorf("%q: %w", id, ErrNoAlert)
	})
	if err == nil {
		s.notify()
	}
	return n, s.fail(err)
}

// Poll is how often is looked for what other processes wrote.
const Poll = 500 * time.Millisecond

// page is how many alerts are read at a time, so that who takes long over them holds up nobody who writes.
const page = 256

// Subscribe gives every alert that is given on after a place in the store to do, oldest first, as they come, until the
// context ends or do fails. Those of other processes come within half a second.
func (s *Store) Subscribe(ctx context.Context, after int64, do func(*Alert) error) error {
	tick := time.NewTicker(Poll)
	defer tick.Stop()
	for {
		changed := s.Changed()
		for {
			list, err := s.List(ctx, Query{After: after, Oldest: true, Limit: page})
			if err != nil {
				return err
			}
			for i := range list {
				if err := do(&list[i]); err != nil {
					return err
				}
				after = list[i].Seq
			}
			if len(list) < page {
				break
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-tick.C:
		}
	}
}

// Last is the place of the newest alert, 0 without any.
func (s *Store) Last(ctx context.Context) (int64, error) {
	var seq sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT max(seq) FROM alerts").Scan(&seq)
	return seq.Int64, s.fail(err)
}

// LastVerdict is the number of the newest verdict, 0 without any: it grows with each.
func (s *Store) LastVerdict(ctx context.Context) (int64, error) {
	var seq sql.NullInt64
	err := s.db.QueryRowContext(ctx, "SELECT max(seq) FROM verdicts").Scan(&seq)
	return seq.Int64, s.fail(err)
}

// Changed is closed at the next commit or verdict of this process.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Store) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
