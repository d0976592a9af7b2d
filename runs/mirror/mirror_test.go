package mirror

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/data/bucket"
	"plumbline/data/bucket/buckettest"
	"plumbline/runs/claim"
)

// made is a run directory in a store: names and contents.
func made(t *testing.T, files map[string]string) (*buckettest.Server, *bucket.Bucket) {
	t.Helper()
	s := buckettest.Start(t)
	t.Setenv(folderVariable, t.TempDir())
	b, err := bucket.Open(t.Context(), "s3://runs/sweeps/one")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		at := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), name, at); err != nil {
			t.Fatal(err)
		}
	}
	return s, b
}

// there is the files of a folder, with their contents.
func there(t *testing.T, m *Mirror) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := m.files("", func(name string) error {
		raw, err := os.ReadFile(m.at(name))
		out[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCopies: a copy is what the bucket holds, whatever it held before; a share is without cells until they are asked
// for; caches and claims are not copied.
func TestCopies(t *testing.T) {
	s, b := made(t, map[string]string{"experiment.yaml": "name: x\n", "cells/d/m/s1/status.json": "{}",
		"cells/d/m/s10/status.json": "{}", "data/d/all.json": "1", "cache/x.plumb": "2", "claims/1.1": "3",
		"progress/p.jsonl": "4", "submit/1/a.tasks": "1-2\n"})
	ctx, address := t.Context(), "s3://runs/sweeps/one"
	m, rest, err := View(ctx, address+"/cells/d/m/s1")
	if err != nil || rest != "cells/d/m/s1" || m.Address() != address {
		t.Fatalf("%q, %v", rest, err)
	}
	if all := there(t, m); len(all) != 6 || all["data/d/all.json"] != "1" {
		t.Errorf("a view holds %v", all)
	}
	// while it is looked at, others wait
	limited, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, _, err := View(limited, address); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two look at the same copy: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"cells/d/m/s1/old.csv": "x", "experiment.yaml": "name: y\n"} {
		if err := os.WriteFile(m.at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := s.Counts()
	if m, _, err = View(ctx, address); err != nil {
		t.Fatal(err)
	}
	after, _ := s.Counts()
	if all := there(t, m); len(all) != 6 || all["experiment.yaml"] != "name: x\n" || after["GET"]-before["GET"] != 2 {
		t.Errorf("%d requests; the view holds %v", after["GET"]-before["GET"], all) // a listing and the changed file
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}

	one, err := Share(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Share(ctx, address)
	if err != nil || one.Path == two.Path {
		t.Fatalf("two shares have one folder: %v", err)
	}
	if all := there(t, two); len(all) != 3 || all["submit/1/a.tasks"] == "" {
		t.Errorf("a share holds %v", all)
	}
	if err := two.Fetch(ctx, "cells/d/m/s1"); err != nil {
		t.Fatal(err)
	}
	if all := there(t, two); len(all) != 4 || all["cells/d/m/s1/status.json"] != "{}" {
		t.Errorf("with a cell it holds %v", all)
	}
	if done, err := two.Ended(ctx, "cells/d/m/s10"); err != nil || !done {
		t.Errorf("a cell has not ended: %v", err)
	}
	if st, err := two.Status(ctx, "cells/d/m/s2"); err != nil || st != nil {
		t.Errorf("%v, %v", st, err)
	}
	work, err := Work(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Work(ctx, address); !errors.Is(err, ErrBusy) {
		t.Errorf("two carry on the same run: %v", err)
	}
	if err := errors.Join(one.Close(), two.Close(), work.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := View(ctx, "s3://runs/sweeps"); err == nil || !strings.Contains(err.Error(), "not a run directory") {
		t.Errorf("no run: %v", err)
	}
	at := filepath.Join(t.TempDir(), "x")
	if err := errors.Join(os.WriteFile(at, nil, 0o644), b.Put(ctx, "../two/x", at)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := View(ctx, address); err == nil || !strings.Contains(err.Error(), "is no file of a run") {
		t.Errorf("a key that leads out: %v", err)
	}
}

// TestBegin: of two runs of the same name one is begun; files that grow are sent when they are closed.
func TestBegin(t *testing.T) {
	_, b := made(t, nil)
	ctx := t.Context()
	for i := range 2 {
		t.Setenv(folderVariable, t.TempDir())
		r, err := Begin(ctx, "s3://runs/sweeps")
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Run(filepath.Join(r.Path, "one"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m.at("experiment.yaml"), []byte("name: x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		err = m.Send("experiment.yaml")
		if i == 1 {
			if err == nil || !strings.Contains(err.Error(), "begin again") {
				t.Errorf("two runs of one name: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"log.jsonl", "other.jsonl"} {
			if err := os.WriteFile(m.at(name), []byte("1\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			m.Grows(name)
		}
		m.Grows("never.jsonl") // it is not there yet
		if err := m.Grown("other.jsonl"); err != nil {
			t.Error(err)
		}
		if has, err := b.Has(ctx, "other.jsonl"); err != nil || !has {
			t.Errorf("a file that has grown was not sent: %v", err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if raw, err := b.Read(ctx, "log.jsonl", 10); err != nil || string(raw) != "1\n" {
			t.Errorf("%q, %v", raw, err)
		}
		if err := m.Gone("log.jsonl"); err != nil {
			t.Error(err)
		}
	}
}

// TestClaims: one process has a claim in a bucket, another takes it over from one that is gone; a store that lets two
// make the same object is refused.
func TestClaims(t *testing.T) {
	s, _ := made(t, map[string]string{"experiment.yaml": "name: x\n"})
	ctx := t.Context()
	s.Fail(1, 0.2, 0)
	m, err := Share(ctx, "s3://runs/sweeps/one")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	board := func(attempt string) *claim.Board {
		return &claim.Board{Files: m.Claims(), Self: claim.Owner{Host: "h" + attempt, PID: 1, Token: attempt,
			Job: &claim.Job{Scheduler: "kubernetes", ID: "u", Task: "0", Attempt: attempt}}}
	}
	first, err := board("0").Take(ctx, "7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := board("0").Take(ctx, "7"); !errors.Is(err, claim.ErrHeld) {
		t.Errorf("taken twice: %v", err)
	}
	second, err := board("1").Take(ctx, "7")
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := first.Mine(); err != nil || mine {
		t.Errorf("the first one has it still: %v", err)
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
	if names, err := m.Claims().List(); err != nil || len(names) != 0 {
		t.Errorf("%v are left, %v", names, err)
	}
	s.Heedless()
	if _, err := board("2").Take(ctx, "8"); err == nil || !strings.Contains(err.Error(), "If-None-Match") {
		t.Errorf("a store that heeds no condition: %v", err)
	}
}
