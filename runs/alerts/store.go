package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// storeVersion is the layout of the database. A later one is refused.
const storeVersion = 1

// schema makes an empty database. Times are nanoseconds since 1970, 0 where they are not known.
const schema = `
CREATE TABLE alerts (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	time INTEGER NOT NULL,
	model TEXT NOT NULL,
	cause TEXT NOT NULL,
	grp TEXT NOT NULL,
	src TEXT NOT NULL,
	dst TEXT NOT NULL,
	score REAL NOT NULL,
	given INTEGER NOT NULL,
	verdict TEXT NOT NULL DEFAULT '',
	note TEXT NOT NULL DEFAULT '',
	body TEXT NOT NULL
);
CREATE INDEX alerts_time ON alerts (time);
CREATE INDEX alerts_grp ON alerts (grp, seq);
CREATE INDEX alerts_verdict ON alerts (verdict) WHERE verdict <> '';
CREATE TABLE groups (
	id TEXT PRIMARY KEY, model TEXT NOT NULL, hash TEXT NOT NULL, cause TEXT NOT NULL,
	first INTEGER NOT NULL, last INTEGER NOT NULL,
	alerts INTEGER NOT NULL, limited INTEGER NOT NULL, ignored INTEGER NOT NULL, highest REAL NOT NULL,
	stretch INTEGER NOT NULL, within INTEGER NOT NULL, held INTEGER NOT NULL
);
CREATE TABLE verdicts (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL, verdict TEXT NOT NULL, note TEXT NOT NULL,
	at INTEGER NOT NULL
);
CREATE TABLE state (stream TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (stream, key));
CREATE TABLE sent (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL, mark TEXT NOT NULL);
PRAGMA user_version = 1;
`

// Store keeps alerts in a SQLite database, with what it takes to go on after a crash: how far streams were read and
// what was sent where. What one [Store.Commit] gives is there as a whole or not at all. Several processes may read it,
// and judge, while one watches. It is safe for concurrent use.
type Store struct {
	db   *sql.DB
	path string

	mu      sync.Mutex
	changed chan struct{} // closed when this process commits
}

// ErrStore says that a file is no store of alerts that this program can use.
var ErrStore = errors.New("no alert store of this program")

// ErrFull says that nothing could be written for lack of room.
var ErrFull = errors.New("no room is left")

// ErrBusy says that another process was writing for longer than one waits.
var ErrBusy = errors.New("somebody else is writing")

// Open opens the store in a file, which it makes where there is none.
func Open(path string) (*Store, error) { return open(path, true) }

// OpenExisting opens the store in a file that is there.
func OpenExisting(path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	return open(path, false)
}

func open(path string, fresh bool) (*Store, error) {
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"},
		"_txlock": {"immediate"}}
	name := "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "?" + pragmas.Encode()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("alerts: %s: %w", path, err)
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db, path: path, changed: make(chan struct{})}
	if err := s.begin(fresh); err != nil {
		db.Close()
		return nil, fmt.Errorf("alerts: %s: %w", path, err)
	}
	return s, nil
}

// begin checks the layout, and makes the tables of an empty database.
func (s *Store) begin(fresh bool) error {
	ctx := context.Background()
	return s.write(ctx, func(tx *sql.Tx) error {
		var version, tables int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if err := tx.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
			return err
		}
		switch {
		case version > storeVersion:
			return fmt.Errorf("%w: layout %d, and %d is the last known", ErrStore, version, storeVersion)
		case version == storeVersion:
			return nil
		case tables > 0 || !fresh:
			return fmt.Errorf("%w: a database of something else", ErrStore)
		}
		_, err := tx.Exec(schema)
		return err
	})
}

// Close lets go of the file.
func (s *Store) Close() error { return s.db.Close() }

// Path is the file.
func (s *Store) Path() string { return s.path }

// write carries out one transaction.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return storeError(err)
	}
	defer tx.Rollback()
	if err = do(tx); err == nil {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // it was rolled back when the context ended
		err = ctx.Err()
	}
	return storeError(err)
}

// storeError marks errors of SQLite that callers tell apart.
func storeError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "disk is full") || strings.Contains(text, "disk I/O error"):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case strings.Contains(text, "SQLITE_BUSY"):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case strings.Contains(text, "file is not a database"):
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	return err
}

// Batch is what one step of a watcher leaves.
type Batch struct {
	Alerts []*Alert          // Seq is set where they are new
	Gone   []string          // groups that are taken out, before others are put in
	Groups []Group           // that changed, with what their counts have grown by
	Stream string            // whose state it is
	State  map[string][]byte // that changed; nil: the key is gone
}

// Commit writes a batch. An alert whose ID is there already is left as it is.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, a := range b.Alerts {
			if err := insert(tx, a); err != nil {
				return err
			}
		}
		for _, id := range b.Gone {
			if _, err := tx.Exec("DELETE FROM groups WHERE id = ?", id); err != nil {
				return err
			}
		}
		for i := range b.Groups {
			if err := putGroup(tx, &b.Groups[i]); err != nil {
				return err
			}
		}
		for key, value := range b.State {
			var err error
			if value == nil {
				_, err = tx.Exec("DELETE FROM state WHERE stream = ? AND key = ?", b.Stream, key)
			} else {
				_, err = tx.Exec("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", b.Stream, key, value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("alerts: %s: %w", s.path, err)
	}
	if len(b.Alerts) > 0 {
		s.notify()
	}
	return nil
}

func insert(tx *sql.Tx, a *Alert) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	res, err := tx.Exec("INSERT OR IGNORE INTO alerts (id, time, model, cause, grp, src, dst, score, given, body) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", a.ID, nanos(a.Time), a.Model, a.Cause, a.Group, a.Source, a.Dest,
		a.Score, !a.Limited, string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	a.Seq, err = res.LastInsertId()
	return err
}

// putGroup adds to the counts of a group, which several watchers of one model may do, and makes it the one that was
// changed last, which its rowid tells.
func putGroup(tx *sql.Tx, g *Group) error {
	was := Group{Highest: math.Inf(-1)}
	var first, last int64
	err := tx.QueryRow("SELECT first, last, alerts, limited, ignored, highest FROM groups WHERE id = ?", g.ID).Scan(&first,
		&last, &was.Alerts, &was.Limited, &was.Ignored, &was.Highest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if at := nanos(g.First); first == 0 || at != 0 && at < first {
		first = at
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", g.ID, g.Model,
		g.Hash, g.Cause, first, max(last, nanos(g.Last)), was.Alerts+g.Alerts, was.Limited+g.Limited, was.Ignored+g.Ignored,
		max(was.Highest, g.Highest), g.Stretch, g.Within, g.Held)
	return err
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// State is what a stream left: how far it was read, and what its scores depend on.
func (s *Store) State(ctx context.Context, stream string) (map[string][]byte, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT key, value FROM state WHERE stream = ?", stream)
	if err != nil {
		return nil, s.fail(err)
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var key string
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return nil, s.fail(err)
		}
		out[key] = value
	}
	return out, s.fail(rows.Err())
}

// Sent is how far a sink has come, and its own mark of it; 0 and "" of one that is new.
func (s *Store) Sent(ctx context.Context, sink string) (seq int64, mark string, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT seq, mark FROM sent WHERE sink = ?", sink).Scan(&seq, &mark)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return seq, mark, s.fail(err)
}

// MarkSent notes how far a sink has come.
func (s *Store) MarkSent(ctx context.Context, sink string, seq int64, mark string) error {
	return s.fail(s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", sink, seq, mark)
		return err
	}))
}

func (s *Store) fail(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("alerts: %s: %w", s.path, storeError(err))
}
