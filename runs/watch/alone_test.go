//go:build unix

package watch

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/runs/deliver"
)

// TestAlone: a stream is watched once with a model and a store; when that ends others may, and nothing is left behind.
// Other streams, and other stores, are watched beside it.
func TestAlone(t *testing.T) {
	b := trained(t, "flow", "znorm")["znorm"]
	dir := t.TempDir()
	log, other := filepath.Join(dir, "conn.log"), filepath.Join(dir, "other.log")
	for _, file := range []string{log, other} {
		if err := os.WriteFile(file, []byte(zeekHead(false)+strings.Join(zeekRows(2, 50, false), "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := filepath.Join(dir, "alerts.db")
	run := func(store, log string) error {
		j := Job{Bundle: b, Store: store, Settings: deliver.Default(), Follow: log, Out: io.Discard, Once: true,
			Say: func(s string) { t.Log(s) }}
		_, err := j.Run(t.Context())
		return err
	}
	done, err := alone(store, b.Label+" "+log)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(store, log); !errors.Is(err, ErrWatched) {
		t.Errorf("a second one: %v", err)
	}
	for _, err := range []error{run(store, other), run(filepath.Join(dir, "own.db"), log)} {
		if err != nil {
			t.Error(err)
		}
	}
	done()
	for range 2 {
		if err := run(store, log); err != nil {
			t.Errorf("after it: %v", err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.lock")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
