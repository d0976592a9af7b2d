//go:build unix

package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"plumbline/cmd/command"
	"plumbline/runs/record"
)

// start runs the program as a process of its own and waits for a line on its stderr.
func start(t *testing.T, waitFor string, args ...string) (cmd *exec.Cmd, stderr *strings.Builder, ended chan error) {
	t.Helper()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_MAIN=1")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	stderr, ended = &strings.Builder{}, make(chan error, 1)
	seen := make(chan bool, 1)
	go func() {
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			stderr.WriteString(sc.Text() + "\n")
			if strings.Contains(sc.Text(), waitFor) {
				seen <- true
			}
		}
		ended <- cmd.Wait()
	}()
	select {
	case <-seen:
	case err := <-ended:
		t.Fatalf("ended before %q: %v: %s", waitFor, err, stderr)
	case <-time.After(60 * time.Second):
		t.Fatalf("no %q", waitFor)
	}
	return cmd, stderr, ended
}

// TestInterrupt: the first interrupt ends a run in order, with what is done kept and the command that goes
// on; resuming does the rest and can itself be interrupted.
func TestInterrupt(t *testing.T) {
	root := t.TempDir()
	long := writeExperiment(t, "name: long\ndata: [{data: synth, options: {hosts: 6, hours: 12, rate: 3}}]\n"+
		"models: [znorm, {model: ae, params: {epochs: 100000}}]\nbootstrap: 20\nworkers: 1\n")
	var dir string
	for attempt, args := range [][]string{{"run", long, "--out", root}, {"run", "--resume", ""}} {
		waitFor := "znorm seed 1: AUROC"
		if attempt == 1 {
			args[2], waitFor = dir, "benign rows train"
		}
		cmd, stderr, ended := start(t, waitFor, args...)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if code := cmd.ProcessState.ExitCode(); code != exitFailed {
				t.Fatalf("exit %d, %v: %s", code, err, stderr)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("an interrupt does not stop the run")
		}
		list, err := record.List(root)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d runs, %v", len(list), err)
		}
		dir = list[0].Dir
		if want := "go on with: plumbline run --resume " + dir + "\n"; !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, stderr)
		}
		if list[0].OK() != 1 || state(list[0]) != record.Interrupted {
			t.Errorf("attempt %d: %d cells are ok, state %q", attempt, list[0].OK(), state(list[0]))
		}
	}
	for _, args := range [][]string{{"list", root}, {"show", dir}} {
		if code, out, errOut := plumb(t, args...); code != exitOK || !strings.Contains(out, "interrupted") ||
			strings.Contains(out, "NaN") {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errOut)
		}
	}
}

// TestSecondInterrupt: when the first is being dealt with, the next one kills.
func TestSecondInterrupt(t *testing.T) {
	if os.Getenv("PLUMBLINE_TEST_STUCK") != "" {
		a := &app{&command.App{Err: os.Stderr}}
		ctx, _ := a.interruptible(t.Context())
		os.Stderr.WriteString("ready\n")
		<-ctx.Done()
		time.Sleep(time.Minute) // work that does not stop
		return
	}
	t.Setenv("PLUMBLINE_TEST_STUCK", "1")
	cmd := exec.Command(os.Args[0], "-test.run=TestSecondInterrupt$")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	sc := bufio.NewScanner(pipe)
	for _, word := range []string{"ready", "stopping"} {
		for sc.Scan() && !strings.Contains(sc.Text(), word) {
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Wait()
	if st := cmd.ProcessState.Sys().(syscall.WaitStatus); !st.Signaled() || st.Signal() != syscall.SIGINT {
		t.Errorf("ended by %v", cmd.ProcessState)
	}
}
