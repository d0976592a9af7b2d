package record

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"plumbline/eval"
)

// small is the files of a run of one cell, as a run leaves them.
func small(tb testing.TB) map[string][]byte {
	tb.Helper()
	const cell = "cells/d/m/s1"
	dir := NewDirectory(tb.TempDir())
	write := func(name string, v any) {
		if err := dir.WriteJSON(name, v); err != nil {
			tb.Fatal(err)
		}
	}
	m := eval.Metrics{Values: map[string]float64{"auroc": 0.75}}
	r := Result{Data: "d", Model: "m", Label: "m", Seed: 1, Unit: "flow", Status: OK, Cell: cell, Input: "vectors"}
	r.Set("auroc", 0.75)
	write(cell+"/metrics.json", m)
	truth := eval.Truth{Attack: []bool{false, true}, Class: []uint32{0, 1}, Names: []string{"b", "a"}}
	folder := dir.Folder(cell)
	scores := Scores{Row: []int32{3, 5}, Score: []float64{.25, 4}, Truth: truth}
	if err := folder.Write(ScoresFile, scores.Write); err != nil {
		tb.Fatal(err)
	}
	write(cell+"/status.json", Status{Cell: cell, Status: OK, Files: folder.Files(), Result: r})
	experiment := []byte("name: small\nthreshold: {rule: fpr, value: 0.01}\n")
	if err := os.WriteFile(filepath.Join(dir.Path, "experiment.yaml"), experiment, 0o644); err != nil {
		tb.Fatal(err)
	}
	var csv bytes.Buffer
	if err := WriteResults(&csv, []Result{r}); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir.Path, "results.csv"), csv.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
	files := dir.Written()
	files["results.csv"] = SumOf(csv.Bytes())
	write("manifest.json", Manifest{Experiment: SumOf(experiment).SHA256, Files: files,
		Plan: []PlannedCell{{Cell: cell, Data: "d", Model: "m", Label: "m", Seed: 1, Unit: "flow", Input: "vectors"}}})
	out := map[string][]byte{}
	err := filepath.WalkDir(dir.Path, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir.Path, at)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(name)], err = os.ReadFile(at)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// damaged are the files of a run that a fuzzed content takes the place of.
var damaged = []string{"manifest.json", "results.csv", "experiment.yaml", "cells/d/m/s1/status.json",
	"cells/d/m/s1/metrics.json", "cells/d/m/s1/" + ScoresFile}

// FuzzRunDirectory: whatever stands in one file of a run, it is opened and checked in bounded memory, and where the
// file is not what was written some fault or error names it.
func FuzzRunDirectory(f *testing.F) {
	whole := small(f)
	dir := f.TempDir()
	for name, content := range whole {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, content, 0o644)); err != nil {
			f.Fatal(err)
		}
	}
	rec, err := Open(dir)
	if err != nil || len(rec.Check()) > 0 {
		f.Fatalf("the run as it was left: %v, %v", err, rec.Check())
	}
	for k, name := range damaged {
		if whole[name] == nil {
			f.Fatalf("no %s", name)
		}
		f.Add(uint8(k), whole[name])
		f.Add(uint8(k), []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		name := damaged[int(which)%len(damaged)]
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.WriteFile(at, content, 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(at, whole[name], 0o644)
		var before, after runtime.MemStats
		if len(content) > 1<<16 {
			runtime.ReadMemStats(&before)
		}
		rec, err := Open(dir)
		said := ""
		if err == nil {
			for _, fault := range rec.Check() {
				said += fault.String() + "\n"
			}
			if err := rec.ReadMetrics(); err != nil {
				said += err.Error()
			}
			rec.Find("d")
		} else {
			said = err.Error()
		}
		if _, _, err := ReadScores(dir, "cells/d/m/s1"); err != nil && !strings.Contains(err.Error(), ScoresFile) {
			t.Errorf("the error does not name the file: %v", err)
		}
		if len(content) > 1<<16 {
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<26+uint64(len(content))*1000 {
				t.Errorf("%d bytes of %s take %d of memory", len(content), name, used)
			}
		}
		// a manifest that is another valid one vouches for itself alone
		if name != "manifest.json" && !bytes.Equal(content, whole[name]) && !strings.Contains(said, name) {
			t.Errorf("%s holds %.100q, and nobody says so: %s", name, content, said)
		}
	})
}

// FuzzResults: whatever results.csv holds, it is read or the error says where it cannot be; rows that were read are
// written and read again as they are.
func FuzzResults(f *testing.F) {
	f.Add(small(f)["results.csv"])
	f.Add([]byte("data,model,auroc\nd,m,0.5\n"))
	f.Add([]byte("a\n\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, err := ReadResults(bytes.NewReader(raw), "results.csv")
		if err != nil {
			if !strings.Contains(err.Error(), "results.csv") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		var one, two bytes.Buffer
		if err := WriteResults(&one, rows); err != nil {
			t.Fatal(err)
		}
		again, err := ReadResults(bytes.NewReader(one.Bytes()), "results.csv")
		if err != nil {
			t.Fatalf("%v\n%s", err, one.Bytes())
		}
		if err := WriteResults(&two, again); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%v\n%s\n%s", err, one.Bytes(), two.Bytes())
		}
	})
}
