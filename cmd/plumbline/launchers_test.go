//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/compare"
)

// handedOut is an experiment whose cells launchers carry out; slow is how many epochs its long cells take.
func handedOut(t *testing.T, labels, seeds, slow int, launch string) string {
	t.Helper()
	var models, numbers []string
	for i := range labels {
		models = append(models, fmt.Sprintf("{model: iforest, label: f%d, params: {trees: %d}}", i, 5+i))
	}
	if slow > 0 {
		models = append(models, fmt.Sprintf("{model: ae, label: slow, params: {epochs: %d}}", slow))
	}
	for i := range seeds {
		numbers = append(numbers, strconv.Itoa(i+1))
	}
	file := filepath.Join(t.TempDir(), "x.yaml")
	text := fmt.Sprintf("name: handed-out\ndata:\n  - {data: synth, options: {hosts: 8, hours: 20, rate: 4}}\n"+
		"models: [%s]\nseeds: [%s]\nbootstrap: 20\ncontrols: off\nlaunch: %s\n", strings.Join(models, ", "),
		strings.Join(numbers, ", "), launch)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// likeLocal runs the experiment here and holds the other run against it, cell by cell.
func likeLocal(t *testing.T, file, dir string, cells int) {
	t.Helper()
	out := t.TempDir()
	if code, _, errOut := plumb(t, "run", file, "--out", out, "--quiet"); code != exitOK {
		t.Fatalf("here: exit code %d: %s", code, errOut)
	}
	local, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(local) != 1 {
		t.Fatal(local, err)
	}
	e, err := compare.Equal(local[0], dir, compare.Measured, 0)
	if err != nil || len(e.Differences) > 0 || e.Cells != cells || e.Scores != cells {
		t.Errorf("%d cells, scores of %d: %v, %v", e.Cells, e.Scores, e.Differences, err)
	}
	if code, text, errOut := plumb(t, "verify", dir, "--files"); code != exitOK {
		t.Errorf("verify --files: %d, %s%s", code, text, errOut)
	}
}

// TestKubernetesByHand: the command of the Job's pods, started for each index as Kubernetes does, some of them killed
// and started again, and the collector leave what a local run leaves.
func TestKubernetesByHand(t *testing.T) {
	root := t.TempDir()
	file := handedOut(t, 4, 2, 0, fmt.Sprintf("{group: 2, kubernetes: {image: x, volume: y, mount: %q}}", root))
	code, manifest, errOut := plumb(t, "run", file, "--out", root, "--launcher", "kubernetes", "--quiet")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var list struct {
		Items []struct {
			Spec struct {
				Completions int
				Template    struct {
					Spec struct{ Containers []struct{ Args []string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(manifest), &list); err != nil || len(list.Items) != 2 {
		t.Fatalf("%v: %s", err, manifest)
	}
	pods := 0
	pod := func(args []string, index int, kill time.Duration) error {
		pods++
		ctx := t.Context()
		if kill > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, kill)
			defer cancel()
		}
		c := exec.CommandContext(ctx, os.Args[0], args...)
		c.Env = append(os.Environ(), "PLUMBLINE_TEST_MAIN=1", "PLUMBLINE_JOB=uid", "PLUMBLINE_POD="+strconv.Itoa(pods),
			"JOB_COMPLETION_INDEX="+strconv.Itoa(index))
		out, err := c.CombinedOutput()
		if err != nil && kill == 0 {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	}
	job := list.Items[0].Spec
	args := job.Template.Spec.Containers[0].Args
	if job.Completions != 4 {
		t.Fatalf("%d indexes of 8 cells", job.Completions)
	}
	for index := range job.Completions {
		if index%2 == 1 {
			pod(args, index, time.Duration(50+100*index)*time.Millisecond) // however far it came
		}
		if err := pod(args, index, 0); err != nil {
			t.Errorf("index %d: %v", index, err)
		}
	}
	collect := list.Items[1].Spec.Template.Spec.Containers[0].Args
	if err := pod(collect, 0, 0); err != nil {
		t.Fatal(err)
	}
	likeLocal(t, file, collect[1], 8)
	code, text, _ := plumb(t, "status", collect[1])
	if code != exitOK || !strings.Contains(text, "8 of 8 cells have ended") {
		t.Errorf("status: %d, %s", code, text)
	}
}

// startSlurm starts Slurm on this machine alone (Debian's slurm-wlm 22.05), or skips the test where it cannot be had.
func startSlurm(t *testing.T) {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("PLUMBLINE_SLURM") == "required" {
		skip = t.Fatalf
	}
	for _, name := range []string{"slurmctld", "slurmd", "sbatch", "scontrol", "bash"} {
		if _, err := exec.LookPath(name); err != nil {
			skip("no Slurm here: %v", err)
		}
	}
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		skip("slurmd wants to be root")
	}
	dir := t.TempDir()
	var ports []int
	var free []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free = append(free, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range free {
		l.Close()
	}
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/ctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
SlurmctldLogFile=%[2]s/ctld.log
SlurmdLogFile=%[2]s/slurmd.log
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MessageTimeout=60
SlurmdTimeout=600
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=%[5]d RealMemory=8000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`, host, dir, ports[0], ports[1], runtime.NumCPU())
	if err := os.WriteFile(filepath.Join(dir, "slurm.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))
	t.Cleanup(func() {
		for _, name := range []string{"ctld.log", "slurmd.log"} {
			if raw, err := os.ReadFile(filepath.Join(dir, name)); err == nil && t.Failed() {
				t.Logf("%s: %s", name, raw[max(0, len(raw)-4000):])
			}
		}
		exec.Command("scancel", "--full", "--user=root").Run()
		for _, name := range []string{"slurmd.pid", "ctld.pid"} {
			raw, _ := os.ReadFile(filepath.Join(dir, name))
			if pid, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil {
				syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		time.Sleep(2 * time.Second) // they write as they end
	})
	for _, name := range []string{"slurmctld", "slurmd"} {
		if out, err := exec.Command(name).CombinedOutput(); err != nil {
			skip("%s does not start: %v: %s", name, err, out)
		}
	}
	until(t, 2*time.Minute, "the node is idle", func() bool {
		out, _ := exec.Command("sinfo", "-h", "-o", "%T").Output()
		return strings.Contains(string(out), "idle")
	})
}

func until(t *testing.T, limit time.Duration, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !f(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not so that %s", limit, what)
		}
	}
}

// TestSlurm: sixty cells as an array of a real Slurm. The process of one task is killed, another is stopped until its
// time limit is near: both are queued again, the second goes on from its checkpoint, and what comes of it is what comes
// of a local run.
func TestSlurm(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a scheduler")
	}
	startSlurm(t)
	t.Setenv("PLUMBLINE_TEST_MAIN", "1") // sbatch hands the environment on
	root := t.TempDir()
	file := handedOut(t, 29, 2, 3000, "{group: 10, cpus: 1, memory: 500MB, time: 2m, signal: 60s}")
	code, out, errOut := plumb(t, "run", file, "--out", root, "--launcher", "slurm", "--quiet")
	if code != exitOK || !strings.Contains(out, "6 tasks") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	found, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	dir := found[0]
	// number 59 and 60 are the long cells
	owner := func(cell string) (o claim.Owner) {
		until(t, 3*time.Minute, "cell "+cell+" is at work", func() bool {
			held, err := runs.Board(dir, false).Held(context.Background())
			for _, h := range held {
				if err == nil && h.Name == cell && h.State == claim.Alive {
					o = h.Owner
					return true
				}
			}
			return false
		})
		return o
	}
	// Slurm waits two minutes before it starts a job anew. The node refuses one that it has just ended, so it gets time.
	waiting := map[string]time.Time{}
	release := func(o claim.Owner, restarts int) bool {
		out, _ := exec.Command("scontrol", "show", "job", "-o", o.Job.ID).Output()
		if !strings.Contains(string(out), "JobState=PENDING") ||
			restarts > 0 && !strings.Contains(string(out), fmt.Sprintf("Restarts=%d ", restarts)) {
			delete(waiting, o.Job.ID)
			return false
		}
		since, known := waiting[o.Job.ID]
		if !known {
			waiting[o.Job.ID] = time.Now()
		}
		return known && time.Since(since) > 10*time.Second &&
			exec.Command("scontrol", "update", "JobId="+o.Job.ID, "StartTime=now").Run() == nil
	}
	again := func(o claim.Owner) {
		attempt, err := strconv.Atoi(o.Job.Attempt)
		if err != nil {
			t.Fatal(err)
		}
		until(t, 3*time.Minute, "job "+o.Job.ID+" was queued again", func() bool { return release(o, attempt+1) })
	}
	killed := owner("59")
	if err := syscall.Kill(killed.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	late := owner("60")
	spent := processorTime(late.PID)
	until(t, 3*time.Minute, "some epochs have ended", func() bool {
		return processorTime(late.PID) > spent+300*time.Millisecond
	})
	if err := syscall.Kill(late.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	again(killed)
	until(t, 3*time.Minute, "the time limit is near", func() bool {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", late.PID))
		_, pending, _ := strings.Cut(string(raw), "ShdPnd:\t")
		pending, _, _ = strings.Cut(pending, "\n")
		mask, bad := strconv.ParseUint(pending, 16, 64)
		return err == nil && bad == nil && mask&(1<<(syscall.SIGTERM-1)) != 0
	})
	if err := syscall.Kill(late.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until(t, time.Minute, "a checkpoint is left", func() bool {
		left, _ := filepath.Glob(filepath.Join(dir, "cells/synth/slow/s2/checkpoints/*"))
		return len(left) > 0
	})
	again(late)
	until(t, 5*time.Minute, "the run is collected", func() bool {
		// on a busy machine they reach their limit once more, and would wait for two minutes
		for _, o := range []claim.Owner{killed, late} {
			release(o, 0)
		}
		_, err := os.Stat(filepath.Join(dir, "report.html"))
		return err == nil
	})
	until(t, time.Minute, "the collector has ended", func() bool {
		out, _ := exec.Command("squeue", "-h").Output()
		return strings.TrimSpace(string(out)) == ""
	})
	os.Unsetenv("PLUMBLINE_TEST_MAIN")
	likeLocal(t, file, dir, 60)
	if t.Failed() { // what the jobs printed
		logs, _ := filepath.Glob(filepath.Join(dir, "logs", "*"))
		for _, name := range logs {
			raw, _ := os.ReadFile(name)
			t.Logf("%s: %s", filepath.Base(name), raw)
		}
	}
	// the log of the cell: it began, was interrupted, and went on after some epochs
	raw, err := os.ReadFile(filepath.Join(dir, "cells/synth/slow/s2/log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var story []string
	for line := range bytes.Lines(raw) {
		var l struct {
			Msg, Status, Job string
			Done             int `json:"epochs_done"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch {
		case l.Msg == "cell begins" && l.Job == late.Job.String(),
			l.Msg == "training goes on from a checkpoint" && l.Done > 0:
			story = append(story, l.Msg)
		case l.Msg == "cell ends":
			story = append(story, l.Status)
		}
	}
	want := []string{"cell begins", "interrupted", "cell begins", "training goes on from a checkpoint"}
	if len(story) < 5 || !slices.Equal(story[:4], want) || story[len(story)-1] != "ok" {
		t.Errorf("the cell's log tells %q:\n%s", story, raw)
	}
}

// processorTime is what a process has used (proc(5), fields 14 and 15 of stat, in hundredths of a second).
func processorTime(pid int) time.Duration {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
