package runs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"plumbline/configs"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

const shared = `
name: shared
data:
  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}
models: [iforest, {model: ae, params: {epochs: 3}}, znorm]
seeds: [1, 2]
split: {kind: kfold, folds: 2}
bootstrap: 20
`

func options() experiment.LoadOptions { return experiment.LoadOptions{Builtin: configs.Files} }

// files is the content of the files of a run's cells but for what times are in.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, "cells"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "status.json" || d.Name() == cellLog {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestShare: processes at work on one run at the same time, some of them on the same cells, leave what one process
// alone leaves.
func TestShare(t *testing.T) {
	whole := runSmall(t, shared, Options{})
	dir, err := Begin(runstest.Load(t, shared), Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	trained, held := map[string]int{}, 0
	for _, cells := range []string{"1-6", "4-10", "1-10", "7,9"} {
		wg.Go(func() {
			numbers, err := ParseCells(cells)
			if err != nil {
				t.Error(err)
				return
			}
			out, err := Resume(context.Background(), dir, options(), Options{Share: numbers, Workers: 1,
				Observe: func(e Event) {
					if e.Kind == Started {
						mu.Lock()
						trained[e.Cell.Path()]++
						mu.Unlock()
					}
				}})
			if err != nil || out.Failed > 0 || out.Interrupted {
				t.Errorf("%s: %+v, %v", cells, out, err)
				return
			}
			mu.Lock()
			held += len(out.Held)
			mu.Unlock()
			for _, h := range out.Held {
				if !errors.Is(h, claim.ErrHeld) {
					t.Error(h)
				}
			}
		})
	}
	wg.Wait()
	out, err := Collect(context.Background(), dir, options(), Options{})
	if err != nil || out.Interrupted || out.Failed > 0 || len(out.Results) != 10 {
		t.Fatalf("%+v, %v", out, err)
	}
	for cell, n := range trained {
		if n != 1 {
			t.Errorf("%s was trained %d times", cell, n)
		}
	}
	if len(trained) != 10 {
		t.Errorf("%d cells were trained", len(trained))
	}
	if a, b := results(t, whole.Dir), results(t, dir); a != b {
		t.Errorf("results.csv:\n%s\nof one process alone:\n%s", b, a)
	}
	if a, b := files(t, whole.Dir), files(t, dir); !reflect.DeepEqual(a, b) {
		t.Errorf("%d files of cells are not the %d of one process alone", len(b), len(a))
	}
	one, two := manifest(t, whole.Dir), manifest(t, dir)
	if !reflect.DeepEqual(one.Data, two.Data) || !reflect.DeepEqual(one.Plan, two.Plan) || two.Finished.IsZero() ||
		len(one.Files) != len(two.Files) {
		t.Errorf("manifest:\n%+v\nof one process alone:\n%+v", two, one)
	}
	rec, err := record.Open(dir)
	if err != nil || !rec.Complete || len(rec.Check()) > 0 {
		t.Errorf("complete %v, %v, %v", rec.Complete, rec.Check(), err)
	}
	// who opens one cell reads no other
	if err := os.Remove(filepath.Join(dir, rec.Results[0].Cell, "status.json")); err != nil {
		t.Fatal(err)
	}
	of, cell, err := record.OpenCell(dir, rec.Results[1].Cell)
	if err != nil || len(of.Faults) > 0 || cell.Status != record.OK {
		t.Errorf("%+v, %v, %v", cell, of.Faults, err)
	}
	if whole, err := record.Open(dir); err != nil || len(whole.Faults) == 0 {
		t.Errorf("a missing status is no fault: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "claims")); err == nil {
		t.Errorf("claims are left: %v", left)
	}
}

func manifest(t *testing.T, dir string) (m record.Manifest) {
	t.Helper()
	if err := record.ReadJSON(dir, "manifest.json", &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestShareOfTheDead: the claim of a process that is gone is taken over, that of one of which nothing can be known is
// not, unless somebody says so; and while a cell is claimed nobody carries out the whole run.
func TestShareOfTheDead(t *testing.T) {
	dir, err := Begin(runstest.Load(t, shared, "models=[znorm]"), Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	dead, far := Board(dir, false), Board(dir, false)
	dead.Self.PID, dead.Self.Began, dead.Self.Token = 1<<22+1, "1", "dead" // above the largest number of a process
	far.Self.Host, far.Self.Machine, far.Self.Boot, far.Self.Token = "elsewhere", "x", "y", "far"
	for name, b := range map[string]*claim.Board{"1": dead, "2": far} {
		if _, err := b.Take(context.Background(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Resume(context.Background(), dir, options(), Options{}); !errors.Is(err, claim.ErrHeld) ||
		!strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("the whole run beside a claim: %v", err)
	}
	out, err := Resume(context.Background(), dir, options(), Options{Share: []int{1, 2}})
	if err != nil || len(out.Results) != 1 || len(out.Held) != 1 || !strings.Contains(out.Held[0].Error(), "elsewhere") {
		t.Fatalf("%+v, %v", out, err)
	}
	half, err := Collect(context.Background(), dir, options(), Options{})
	if err != nil || !half.Interrupted || half.Failed != 1 || half.Results[1].Status != record.Interrupted {
		t.Errorf("%+v, %v", half, err)
	}
	if rec, err := record.Open(dir); err != nil || rec.Complete || len(rec.Faults) > 0 {
		t.Errorf("complete %v, %v, %v", rec.Complete, rec.Faults, err)
	}
	out, err = Resume(context.Background(), dir, options(), Options{Share: []int{1, 2}, TakeOver: true})
	if err != nil || len(out.Results) != 2 || len(out.Held) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := Resume(context.Background(), dir, options(), Options{Share: []int{3}}); err == nil ||
		!strings.Contains(err.Error(), "cells 1 to 2") {
		t.Errorf("a cell that is not there: %v", err)
	}
	// one whose claim others have taken over leaves nothing behind
	board := Board(dir, false)
	mine, err := board.Take(context.Background(), "1")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "claims", "1.2"), []byte(`{"token":"other"}`), 0o644)
	if err := (&job{claim: mine}).mine(); !errors.Is(err, claim.ErrHeld) {
		t.Errorf("a claim that was taken over: %v", err)
	}
}

func TestCellNumbers(t *testing.T) {
	for text, want := range map[string]string{"3": "3", "1-4": "1-4", "9, 2-3,1": "1-3,9", "1-3,2-5": "1-5"} {
		got, err := ParseCells(text)
		if err != nil || FormatCells(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "3-2", "a", "1-", "-1", "1,,2", "1-99999999999"} {
		if got, err := ParseCells(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
