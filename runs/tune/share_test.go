package tune

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"plumbline/configs"
	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
)

// TestShare: processes that share a search find what one alone finds, no cell is trained twice, and one of them reads
// the test part.
func TestShare(t *testing.T) {
	files := map[string]string{"train.csv": rows(240, 1, nil), "test.csv": rows(90, 2, nil)}
	e := load(t, "{kind: official}", "tpe", files)
	_, alone := run(t, e, Options{NoTest: true})
	dir, err := Begin(e, Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	lo := experiment.LoadOptions{Builtin: configs.Files}
	var wg sync.WaitGroup
	var mu sync.Mutex
	trained := 0
	for range 3 {
		wg.Go(func() {
			s, err := Resume(context.Background(), dir, lo, Options{Share: true, Workers: 2})
			if err != nil {
				t.Error(err)
				return
			}
			if d := same(alone, s); d != "" {
				t.Error(d)
			}
			mu.Lock()
			trained += s.Trained
			mu.Unlock()
		})
	}
	wg.Wait()
	if trained != alone.Trained {
		t.Errorf("%d cells were trained, %d by one process alone", trained, alone.Trained)
	}
	s, err := Resume(context.Background(), dir, lo, Options{})
	if err != nil || s.Test == nil || s.Test.Finished.IsZero() || s.Trained != 0 {
		t.Errorf("the test part was not read: %+v, %v", s, err)
	}
	if tests, err := filepath.Glob(filepath.Join(dir, "test", "*")); err != nil || len(tests) != 1 {
		t.Errorf("%v, %v", tests, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "claims")); err == nil {
		t.Errorf("claims are left: %v", left)
	}
	// beside one that shares it nobody carries the whole search out
	other, err := Begin(e, Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runs.Board(other, false).Take(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(context.Background(), other, lo, Options{NoTest: true}); !errors.Is(err, claim.ErrHeld) {
		t.Errorf("%v", err)
	}
}
