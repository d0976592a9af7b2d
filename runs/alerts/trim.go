package alerts

import (
	"context"
	"database/sql"
	"errors"
)

// Keep is how much a store keeps, at least 1 of each.
type Keep struct {
	Alerts int64 // the newest, by their place in the store
	Judged int64 // older ones with a verdict, besides; and verdicts, those that later ones took the place of too
	Unsent int64 // the newest that one of the sinks has not sent are kept too, up to so far back
	Groups int64 // those with the latest alerts
}

// Trimmed is what was taken out of a store.
type Trimmed struct {
	Alerts   int64            // all of them
	Unsent   map[string]int64 // of them, those that a sink has not sent and never will
	Judged   int64            // of them, those with a verdict, which holds no longer
	Verdicts int64
	Groups   int64
}

// atOnce is how many rows are taken out in one transaction, so that who watches is not held up.
const atOnce = 20_000

// Trim takes out the oldest of what a store has more of than it keeps. sinks are those whose place in the store counts.
func (s *Store) Trim(ctx context.Context, k Keep, sinks []string) (out Trimmed, err error) {
	out.Unsent = map[string]int64{}
	var newest sql.NullInt64
	if err := s.db.QueryRowContext(ctx, "SELECT max(seq) FROM alerts").Scan(&newest); err != nil {
		return out, s.fail(err)
	}
	until := newest.Int64 - k.Alerts // up to there alerts may go
	sent := map[string]int64{}
	for _, sink := range sinks {
		var seq int64
		err := s.db.QueryRowContext(ctx, "SELECT seq FROM sent WHERE sink = ?", sink).Scan(&seq)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return out, s.fail(err)
		}
		sent[sink] = seq
		until = min(until, max(seq, newest.Int64-k.Unsent))
	}
	for sink, seq := range sent {
		var n int64
		if seq < until {
			err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM alerts WHERE seq > ? AND seq <= ? AND given = 1 AND "+
				"verdict = ''", seq, until).Scan(&n)
			if err != nil {
				return out, s.fail(err)
			}
		}
		if n > 0 {
			out.Unsent[sink] = n
		}
	}
	if out.Alerts, err = s.takeOut(ctx, "alerts", "seq", "seq <= ? AND verdict = ''", until); err != nil {
		return out, err
	}
	var last sql.NullInt64 // up to there judged ones go
	err = s.db.QueryRowContext(ctx, "SELECT seq FROM alerts INDEXED BY alerts_verdict WHERE verdict <> '' AND seq <= ? "+
		"ORDER BY seq DESC LIMIT 1 OFFSET ?", until, k.Judged).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, s.fail(err)
	}
	if last.Valid {
		if out.Judged, err = s.takeOut(ctx, "alerts", "seq", "verdict <> '' AND seq <= ?", last.Int64); err != nil {
			return out, err
		}
		out.Alerts += out.Judged
	}
	out.Verdicts, err = s.takeOut(ctx, "verdicts", "seq", "seq <= (SELECT seq FROM verdicts ORDER BY seq DESC LIMIT 1 "+
		"OFFSET ?)", k.Judged)
	if err != nil {
		return out, err
	}
	out.Groups, err = s.takeOut(ctx, "groups", "rowid", "rowid <= (SELECT rowid FROM groups ORDER BY rowid DESC LIMIT 1 "+
		"OFFSET ?)", k.Groups)
	return out, err
}

// takeOut deletes the rows of a table that a condition holds for, some at a time, and says how many.
func (s *Store) takeOut(ctx context.Context, table, key, condition string, arg int64) (n int64, err error) {
	for {
		var some int64
		err := s.write(ctx, func(tx *sql.Tx) error {
			res, err := tx.Exec("DELETE FROM "+table+" WHERE "+key+" IN (SELECT "+key+" FROM "+table+" WHERE "+condition+
				" LIMIT ?)", arg, atOnce)
			if err == nil {
				some, err = res.RowsAffected()
			}
			return err
		})
		if n += some; err != nil || some < atOnce {
			return n, s.fail(err)
		}
	}
}
