//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumbline/data/bucket"
	"plumbline/data/bucket/buckettest"
	"plumbline/runs/mirror"
)

// machine makes the processes that are started from now on those of a machine that has no copies of runs.
func machine(t *testing.T) { t.Setenv("PLUMBLINE_MIRROR", t.TempDir()) }

// objects are those of a bucket's place, by key.
func objects(t *testing.T, address string) map[string]bucket.Object {
	t.Helper()
	b, err := bucket.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bucket.Object{}
	for _, o := range list {
		out[o.Key] = o
	}
	return out
}

// only is the one run of a bucket's place.
func only(t *testing.T, address string) string {
	t.Helper()
	names := map[string]bool{}
	for key := range objects(t, address) {
		name, _, _ := strings.Cut(key, "/")
		names[name] = true
	}
	if len(names) != 1 {
		t.Fatalf("%s holds %v, want one run", address, names)
	}
	for name := range names {
		address += "/" + name
	}
	return address
}

// TestBucket: a run in a bucket whose process is killed goes on on another machine, and a third one reads it: every
// byte is that of a local run, though one request in five fails and some take long.
func TestBucket(t *testing.T) {
	s := buckettest.Start(t)
	s.Fail(4, 0.2, 50*time.Millisecond)
	file := handedOut(t, 2, 2, 60, "{}")
	machine(t)
	cmd, _, ended := start(t, "f1 seed 2", "run", file, "--out", "s3://runs/sweeps", "--workers", "1")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	address := only(t, "s3://runs/sweeps")
	before := objects(t, address)
	done := 0
	for key := range before {
		if strings.HasSuffix(key, "/status.json") {
			done++
		}
	}
	if _, collected := before["results.csv"]; collected || done < 4 || done > 5 {
		t.Fatalf("%d cells had ended when the process was killed", done)
	}
	code, out, errOut := plumb(t, "status", address)
	if code != exitOK || !strings.Contains(out, fmt.Sprintf("%d of 6 cells have ended", done)) {
		t.Errorf("status: %d, %s%s", code, out, errOut)
	}

	machine(t)
	code, out, errOut = plumb(t, "run", "--resume", address, "--quiet")
	if code != exitOK || !strings.HasSuffix(out, "report: "+address+"/report.html\n"+address+"\n") {
		t.Fatalf("resume: %d, %s%s", code, out, errOut)
	}
	after := objects(t, address)
	for key, o := range before {
		if strings.HasPrefix(key, "cells/") && !strings.HasSuffix(key, "/log.jsonl") &&
			before[filepath.Dir(key)+"/status.json"].Key != "" && after[key] != o {
			t.Errorf("%s was written again", key)
		}
	}
	for key := range after {
		if strings.HasPrefix(key, "claims/") || strings.Contains(key, "/checkpoints/") || strings.HasSuffix(key, ".part") {
			t.Errorf("%s is left", key)
		}
	}
	for _, name := range []string{"results.csv", "manifest.json", "report.html", "tests.json", "log.jsonl",
		"cells/synth/slow/s1/log.jsonl"} {
		if after[name].Bytes == 0 {
			t.Errorf("%s was not sent", name)
		}
	}

	machine(t)
	code, out, errOut = plumb(t, "compare", address)
	if code != exitOK || !strings.Contains(out, "slow") {
		t.Errorf("compare: %d, %s%s", code, out, errOut)
	}
	code, out, errOut = plumb(t, "show", address+"/slow/s1")
	if code != exitOK || !strings.Contains(out, "epochs: 60") {
		t.Errorf("show: %d, %s%s", code, out, errOut)
	}
	m, _, err := mirror.View(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	likeLocal(t, file, m.Path, 6)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, failures := s.Counts(); failures["half received"] == 0 || failures["half sent"] == 0 ||
		failures["answer lost"] == 0 {
		t.Errorf("failures: %v", failures)
	}
	for _, args := range [][]string{{"compare", "s3://runs/sweeps"}, {"compare", "s3://nowhere/x"},
		{"run", "--resume", address + "x"}, {"tune", "tune-quickstart", "--out", "s3://runs/x"},
		{"run", "--resume", address, "--launcher", "slurm"}} {
		if code, out, errOut := plumb(t, args...); code == exitOK && args[len(args)-1] != "slurm" {
			t.Errorf("%v: %d, %s%s", args, code, out, errOut)
		}
	}
}

// TestBucketShares: the pods of a Job whose run is in a bucket, started by hand, each with nothing but its own folder,
// some of them killed and started again, leave what a local run leaves.
func TestBucketShares(t *testing.T) {
	s := buckettest.Start(t)
	s.Fail(5, 0.1, 20*time.Millisecond)
	machine(t)
	file := handedOut(t, 2, 2, 0, "{group: 2, kubernetes: {image: x, secret: keys}}")
	code, manifest, errOut := plumb(t, "run", file, "--out", "s3://runs/shared", "--launcher", "kubernetes", "--quiet")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	address := only(t, "s3://runs/shared")
	if strings.TrimSpace(errOut) != address {
		t.Errorf("stderr: %s", errOut)
	}
	type pod struct {
		Containers []struct {
			Args    []string
			EnvFrom []struct{ SecretRef struct{ Name string } }
		}
		Volumes []struct{ PersistentVolumeClaim *struct{} }
	}
	var list struct {
		Items []struct {
			Spec struct {
				Completions int
				Template    struct{ Spec pod }
			}
		}
	}
	if err := json.Unmarshal([]byte(manifest), &list); err != nil || len(list.Items) != 2 {
		t.Fatalf("%v: %s", err, manifest)
	}
	job := list.Items[0].Spec
	if p := job.Template.Spec; p.Containers[0].EnvFrom[0].SecretRef.Name != "keys" || len(p.Volumes) != 1 ||
		p.Volumes[0].PersistentVolumeClaim != nil || job.Completions != 2 {
		t.Errorf("%+v", job)
	}
	if strings.Contains(manifest, "does not matter here") {
		t.Error("a credential is in the manifest")
	}
	pods := 0
	begin := func(args []string, index int, kill time.Duration) {
		t.Helper()
		machine(t)
		pods++
		c := exec.Command(os.Args[0], args...)
		c.Env = append(os.Environ(), "PLUMBLINE_TEST_MAIN=1", "PLUMBLINE_JOB=uid", "PLUMBLINE_POD="+strconv.Itoa(pods),
			"JOB_COMPLETION_INDEX="+strconv.Itoa(index))
		var text strings.Builder
		c.Stdout, c.Stderr = &text, &text
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if kill > 0 {
			time.AfterFunc(kill, func() { c.Process.Kill() })
		}
		if err := c.Wait(); err != nil && kill == 0 {
			t.Errorf("index %d: %v: %s", index, err, text.String())
		}
	}
	args := job.Template.Spec.Containers[0].Args
	random := rand.New(rand.NewPCG(6, 6))
	for index := range job.Completions {
		if index > 0 {
			begin(args, index, time.Duration(300+random.IntN(1500))*time.Millisecond) // however far it came
		}
		begin(args, index, 0)
	}
	begin(list.Items[1].Spec.Template.Spec.Containers[0].Args, 0, 0)
	machine(t)
	m, _, err := mirror.View(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	likeLocal(t, file, m.Path, 4)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	code, out, errOut := plumb(t, "status", address)
	if code != exitOK || !strings.Contains(out, "4 of 4 cells have ended") || strings.Contains(out, "plumbline collect") {
		t.Errorf("status: %d, %s%s", code, out, errOut)
	}
}

// TestBucketCache: what one machine has prepared another one takes from the bucket.
func TestBucketCache(t *testing.T) {
	buckettest.Start(t)
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("a,b,label\n")
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 600 {
		label, shift := "benign", 0.0
		if i%10 == 9 {
			label, shift = "attack", 3
		}
		fmt.Fprintf(&rows, "%.4f,%.4f,%s\n", random.NormFloat64()+shift, random.NormFloat64(), label)
	}
	data := filepath.Join(dir, "flows.csv")
	if err := os.WriteFile(data, []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	var entries map[string]bucket.Object
	for i := range 2 {
		t.Setenv("PLUMBLINE_CACHE", t.TempDir())
		out := t.TempDir()
		file := writeExperiment(t, "name: cached\ndata: ["+data+"]\nmodels: [znorm]\nbootstrap: 20\ncontrols: off\n")
		code, _, errOut := plumb(t, "run", file, "--out", out, "--quiet", "--cache", "s3://runs/cache")
		if code != exitOK {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		there := objects(t, "s3://runs/cache")
		if len(there) == 0 || i == 1 && !maps.Equal(there, entries) {
			t.Errorf("%v, before %v", there, entries)
		}
		entries = there
		local, err := filepath.Glob(filepath.Join(os.Getenv("PLUMBLINE_CACHE"), "*.plumb"))
		logs, _ := filepath.Glob(filepath.Join(out, "*", "log.jsonl"))
		if err != nil || len(local) != len(there) || len(logs) != 1 {
			t.Fatalf("%v, %v, %v", local, logs, err)
		}
		raw, err := os.ReadFile(logs[0])
		if read := strings.Contains(string(raw), `"phase":"reading"`); err != nil || read != (i == 0) {
			t.Errorf("machine %d reads the data: %v, %v", i+1, read, err)
		}
	}
}
