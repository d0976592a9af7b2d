package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/eval"
	"plumbline/runs/bundle"
)

// packed is a cell of a run as a model file.
func packed(t testing.TB, dir, cell string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bundle.Pack(&b, dir, cell); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestModelFile: a model file scores as the cell does that it was made of, says where it comes from, is the same every
// time, and is an archive that others read.
func TestModelFile(t *testing.T) {
	dir, e := run(t, small, "models=[iforest,sequent]", "+unit=host")
	table := testTable(t, e)
	for _, model := range []string{"iforest", "sequent"} {
		raw := packed(t, dir, model+"/s1")
		if !bytes.Equal(raw, packed(t, dir, model)) {
			t.Errorf("%s: packed twice, other bytes", model)
		}
		cell, err := bundle.Load(filepath.Join(dir, model))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "model.plumb")
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bundle.IsFile(path) || bundle.IsFile(filepath.Join(dir, "experiment.yaml")) {
			t.Error("IsFile")
		}
		want, err := cell.Score(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.Score(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Scores, want.Scores) || !slices.Equal(got.Raw, want.Raw) || got.Limit != want.Limit {
			t.Errorf("%s: the model file gives other scores than the cell", model)
		}
		p := b.Provenance
		if p == nil || p.Run != filepath.Base(dir) || p.Cell != "cells/synth/"+model+"/s1" || p.Trained.IsZero() ||
			p.Data.Name != "synth" || p.Result.Train == 0 || len(p.Result.TrainSHA256) != 64 || len(b.Hash) != 64 {
			t.Errorf("%s: provenance %+v", model, p)
		}
		if b.Metrics == nil || b.Metrics.Value("auroc") != p.Result.Metric("auroc") {
			t.Errorf("%s: metrics %+v", model, b.Metrics)
		}
		z, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		z.Close()
		if c := b.Calibration; c.P(math.Inf(1)) != 1/float64(c.N+1) || c.P(math.Inf(-1)) != 1 {
			t.Errorf("%s: p-values from %d scores", model, c.N)
		}
		if b.Profile.Rows == 0 || b.Profile.Column("proto") == nil {
			t.Errorf("%s: profile %+v", model, b.Profile)
		}
		all := "bundle.json spec.yaml prep.json threshold.json model.bin " +
			"calibration.json profile.json provenance.json metrics.json experiment.yaml"
		if strings.Join(names, " ") != all {
			t.Errorf("%s holds %v", model, names)
		}
	}
}

// TestCalibration: p-values are those of all scores where all are kept or the score is among the highest, else at most
// 0.1 % larger.
func TestCalibration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 7, 4000, 4001, 50_000} {
		scores := make([]float64, n)
		for i := range scores {
			scores[i] = math.Round(r.NormFloat64()*1000) / 1000 // with ties
		}
		c := bundle.NewCalibration(scores)
		slices.Sort(scores)
		if len(c.Scores) > 4000 {
			t.Errorf("%d scores are kept", len(c.Scores))
		}
		for _, s := range append([]float64{-9, 9, scores[n/2]}, scores[:min(n, 200)]...) {
			want := eval.ConformalP(scores, []float64{s})[0]
			got := c.P(s)
			if got < want || got > want+0.001 || (n <= 4000 || want < 2000/float64(n)) && got != want {
				t.Errorf("%d scores: p of %v is %v, want %v", n, s, got, want)
			}
		}
	}
}

// TestDamagedModelFile: a model file of which any byte is another, or that is cut off anywhere, is refused, and the
// error says what is wrong.
func TestDamagedModelFile(t *testing.T) {
	dir, _ := run(t, small, "models=[znorm]")
	raw := packed(t, dir, "znorm")
	read := func(raw []byte) error { _, err := bundle.Read(bytes.NewReader(raw), "model.plumb"); return err }
	if err := read(raw); err != nil {
		t.Fatal(err)
	}
	places := []int{}
	for i := range 160 { // the two lines
		places = append(places, i)
	}
	for i := 0; i < len(raw); i += 97 {
		places = append(places, i)
	}
	for _, i := range places {
		for _, bit := range []byte{1, 8, 128} {
			changed := slices.Clone(raw)
			changed[i] ^= bit
			err := read(changed)
			if err == nil || !strings.Contains(err.Error(), "model.plumb") {
				t.Fatalf("byte %d ^ %d: %v", i, bit, err)
			}
			if i >= 20 && !errors.Is(err, bundle.ErrDamaged) {
				t.Fatalf("byte %d ^ %d: %v", i, bit, err)
			}
		}
	}
	for n := 0; n < len(raw); n += 97 {
		err := read(raw[:n])
		if err == nil || n > 0 && (!errors.Is(err, bundle.ErrDamaged) || !strings.Contains(err.Error(), "cut off")) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	if err := read(append(slices.Clone(raw), "more"...)); !errors.Is(err, bundle.ErrDamaged) ||
		!strings.Contains(err.Error(), "4 bytes stand after") {
		t.Errorf("with more at the end: %v", err)
	}
	later := bytes.Replace(raw, []byte("plumbline-model 1\n"), []byte("plumbline-model 12\n"), 1)
	if err := read(later); !errors.Is(err, bundle.ErrVersion) || !strings.Contains(err.Error(), "format 12") {
		t.Errorf("a later format: %v", err)
	}
	if err := read([]byte("PK\x03\x04 another")); err == nil || !strings.Contains(err.Error(), "not a model file") {
		t.Errorf("another file: %v", err)
	}
}

// TestLoadRefuses: what a name stands for that is no model is said.
func TestLoadRefuses(t *testing.T) {
	dir, _ := run(t, small, "models=[znorm]")
	note := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(note, []byte("a note"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		note: "not a model file", dir: "names no cell", dir + "/nothing": "no cell", t.TempDir(): "names no cell",
		note + ".gone": "neither a model file nor",
	} {
		if _, err := bundle.Load(name); !errors.Is(err, bundle.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	folder := move(t, dir, "znorm/s1")
	if _, err := bundle.Load(folder); err != nil {
		t.Errorf("a cell's folder alone: %v", err)
	}
	if err := bundle.Pack(&bytes.Buffer{}, dir, "znorm"); !errors.Is(err, bundle.ErrRefused) {
		t.Errorf("a cell whose folder is gone: %v", err)
	}
}

// FuzzRead: whatever a model file holds, as it is or with the hash that somebody who means it would give it, it is
// opened or refused with its name.
func FuzzRead(f *testing.F) {
	dir, e := run(f, small, "data=[{data: synth, options: {hosts: 4, hours: 6, rate: 2}}]", "models=[znorm,markov]")
	table := testTable(f, e)
	marked := make([]bool, table.Rows)
	for i := range min(8, len(marked)) {
		marked[i] = true
	}
	table.Keep(marked)
	for _, cell := range []string{"znorm", "markov"} {
		raw := packed(f, dir, cell)
		f.Add(raw, false)
		f.Add(raw, true)
		f.Add(raw[:len(raw)/2], true)
	}
	f.Add(binary.LittleEndian.AppendUint32([]byte("plumbline-model 1\n"), 7), true)
	f.Fuzz(func(t *testing.T, raw []byte, own bool) {
		if own {
			raw = bundle.Reseal(raw)
		}
		b, err := bundle.Read(bytes.NewReader(raw), "a name")
		if err != nil {
			if !strings.Contains(err.Error(), "a name") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		scored, err := b.Score(context.Background(), table)
		if err == nil && len(scored.Scores) == 0 {
			t.Error("no scores, and no error")
		}
		if text := fmt.Sprint(b.Needed()); text == "" {
			t.Error("no columns")
		}
	})
}

// TestFileIsLetGo: a model that is open does not hold the bytes of its file.
func TestFileIsLetGo(t *testing.T) {
	dir, _ := run(t, small, "models=[znorm]")
	raw := packed(t, dir, "znorm/s1")
	var gone atomic.Bool
	runtime.AddCleanup(&raw[0], func(gone *atomic.Bool) { gone.Store(true) }, &gone)
	b, err := bundle.FromArchive(raw, "a model")
	if err != nil {
		t.Fatal(err)
	}
	raw = nil
	for deadline := time.Now().Add(10 * time.Second); !gone.Load(); time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatal("the bytes of the file are held as long as the model")
		}
	}
	runtime.KeepAlive(b)
}
