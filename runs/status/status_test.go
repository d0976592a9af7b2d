package status

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/record"
	"plumbline/runs/usage"
)

// made writes a run of n cells with a line each for those before ended, in files of 20, every tenth of them failed.
func made(t testing.TB, n, ended int) string {
	t.Helper()
	dir := t.TempDir()
	m := record.Manifest{Data: []record.DataManifest{}}
	for i := range n {
		m.Plan = append(m.Plan, record.PlannedCell{Cell: fmt.Sprintf("cells/d/m%d/s%d", i%3, i), Data: "d", Model: "ae",
			Label: fmt.Sprintf("m%d", i%3), Seed: uint64(i), Unit: "flow", Input: "vectors"})
	}
	if err := record.NewDirectory(dir).WriteJSON("manifest.json", m); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, record.StepsFolder), 0o755); err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	for from := 0; from < ended; from += 20 {
		f, err := os.Create(filepath.Join(dir, record.StepsFolder, fmt.Sprintf("p%06d.jsonl", from)))
		if err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(f)
		enc.Encode(record.Step{Host: fmt.Sprintf("n%d", from/20%100), PID: 1, Time: began})
		for i := from; i < min(from+20, ended); i++ {
			s := record.Step{Cell: m.Plan[i].Cell, Status: record.OK, Seconds: 10 * float64(1+i%3),
				Time: began.Add(time.Duration(i+1) * 10 * time.Second)}
			if i%10 == 9 {
				s.Status, s.Error = record.Failed, "no convergence\nsecond line"
			}
			enc.Encode(s)
		}
		f.WriteString(`{"cell": "cut o`) // a process that was killed while it wrote
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRead(t *testing.T) {
	dir := made(t, 100, 40)
	far, near := runs.Board(dir, false), runs.Board(dir, false)
	far.Self = claim.Owner{Host: "n7", PID: 5, Token: "a", Job: &claim.Job{Scheduler: "slurm", ID: "9", Task: "1"}}
	near.Self = claim.Owner{Host: "n8", PID: 6, Token: "b", Job: &claim.Job{Scheduler: "slurm", ID: "8"}}
	ctx := context.Background()
	for name, b := range map[string]*claim.Board{"41": far, "42": far, "43": near, "10": far} { // 10 failed before
		if _, err := b.Take(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	// a cell that ended in a process that was killed before it said so
	d := record.NewDirectory(dir)
	cell := "cells/d/m0/s45"
	if err := d.WriteJSON(cell+"/status.json", record.Status{Cell: cell, Status: record.TimedOut, Error: "not done",
		Result: record.Result{Cell: cell, Status: record.TimedOut}}); err != nil {
		t.Fatal(err)
	}
	s, err := Read(ctx, Source{Dir: dir, Ask: func(_ context.Context, j claim.Job) (claim.State, error) {
		return map[string]claim.State{"9": claim.Alive, "8": claim.Gone}[j.ID], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := []int{s.Cells, s.OK, s.Failed, s.TimedOut, s.Working, s.Lost, s.Waiting, s.Ended()}
	if want := []int{100, 36, 3, 1, 3, 1, 56, 40}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s.Finished || len(s.Failures) != 4 || s.Failures[0] != (Failure{"cells/d/m1/s19", "failed", "no convergence"}) {
		t.Errorf("%v, %+v", s.Finished, s.Failures)
	}
	// 40 cells in 400 seconds from the first process to the last cell
	if s.PerHour != 360 {
		t.Errorf("%v cells an hour", s.PerHour)
	}
	// 60 cells are left: 20, 20 and 19 of those whose cells take 10, 20 and 30 s, less the one that timed out, and number
	// 10, of model m0, which is done again; three processes share them
	want := 0.0
	for i := 40; i < 100; i++ {
		if i != 45 {
			want += 10 * float64(1+i%3)
		}
	}
	want += 10
	if s.Left != float64(int(want/3+.5)) {
		t.Errorf("%v s left, want %v", s.Left, want/3)
	}
	if len(s.AtWork) != 4 || s.AtWork[0].Cell != "cells/d/m0/s9" || s.AtWork[3].State != "lost" {
		t.Errorf("%+v", s.AtWork)
	}
	if len(s.Nodes) != 3 || s.Nodes[0].Host != "n0" || s.Nodes[0].Ended != 20 || s.Nodes[2].Working != 3 {
		t.Errorf("%+v", s.Nodes)
	}
	if _, err := Read(ctx, Source{Dir: t.TempDir()}); err == nil {
		t.Error("an empty folder is a run")
	}
}

// TestManyCells is opt-in, for docs/scale.md: how long a view of 10,000 and 100,000 cells takes.
func TestManyCells(t *testing.T) {
	if os.Getenv("PLUMBLINE_SCALE") == "" {
		t.Skip("PLUMBLINE_SCALE=1 measures 10,000 and 100,000 cells")
	}
	for _, n := range []int{10_000, 100_000} {
		dir := made(t, n, n-100)
		began, worked := time.Now(), usage.ProcessTime()
		s, err := Read(context.Background(), Source{Dir: dir})
		took, cpu := time.Since(began), usage.ProcessTime()-worked
		if err != nil || s.Ended() != n-100 {
			t.Fatalf("%+v, %v", s, err)
		}
		st, err := os.Stat(filepath.Join(dir, "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d cells: %v, of the processor %v, manifest %d MB", n, took.Round(time.Millisecond),
			cpu.Round(time.Millisecond), st.Size()/1e6)
		if cpu > 2*time.Second { // the wall time is also that of others at work
			t.Errorf("%d cells: %v, want at most 2 s", n, cpu)
		}
	}
}
