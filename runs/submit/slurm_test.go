package submit

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program puts a script on the path.
func program(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestSlurmScripts: what sbatch is given, without Slurm.
func TestSlurmScripts(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	bin := t.TempDir()
	program(t, bin, "sbatch", `n=$(cat "$0.n" 2>/dev/null || echo 40); n=$((n + 1)); echo $n > "$0.n"; echo "$n;cluster"`)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dir, e := begun(t, folds, "+launch.slurm={partition: long, account: net, options: [--constraint=avx512], "+
		"setup: [module load x]}", "+launch.throttle=7", "+launch.cpus=4")
	p := layOut(t, dir, e, Options{})
	if err := p.Slurm(context.Background()); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, "submit", "1", name))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("bash", "-n", filepath.Join(dir, "submit", "1", name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
		return string(raw)
	}
	script, collect := read("synth-f1.1.sh"), read("collect.sh")
	for _, want := range []string{"--array=1-2%7\n", "--time=90\n", "--mem=1908M\n", "--signal=B:USR2@90\n", "--requeue\n",
		"--cpus-per-task=4\n", "--partition=long\n", "--account=net\n", "--constraint=avx512\n",
		"/logs\"/slurm-%A_%a.out\n", "--open-mode=append\n"} {
		if !strings.Contains(script, "#SBATCH "+want) && !strings.Contains(script, want) {
			t.Errorf("the script has no %q:\n%s", want, script)
		}
	}
	if !strings.Contains(script, "\nmodule load x\n") {
		t.Errorf("no setup:\n%s", script)
	}
	if want := "--dependency=afterany:41:42:43:44\n"; !strings.Contains(collect, want) || p.Collect != "45" {
		t.Errorf("job %s collects:\n%s", p.Collect, collect)
	}
	saved, err := read2(dir)
	if err != nil || saved.Arrays[3].Job != "44" || saved.Collect != "45" {
		t.Errorf("%+v, %v", saved, err)
	}
	program(t, bin, "sbatch", `echo "no such partition" >&2; exit 1`)
	if err := p.Slurm(context.Background()); err == nil || !strings.Contains(err.Error(), "no such partition") {
		t.Errorf("%v", err)
	}
}

func read2(dir string) (*Plan, error) { return read(dir, 1) }

// TestSlurmTask: what a task's script makes of how the program ends.
func TestSlurmTask(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	for _, c := range []struct {
		what, program, setup string
		before               int // how often it was killed
		requeued, mark       bool
		code                 int
	}{
		{"done", "exit 0", "", 0, false, false, 0},
		{"a cell is not ok", "exit 1", "", 0, false, false, 1},
		{"another process has a cell", "exit 75", "", 0, false, false, 75},
		{"the time limit", `trap "exit 75" TERM; kill -USR2 $PPID; while :; do sleep .05; done`, "", 0, true, false, 0},
		{"the time limit, near before it listens", "kill -USR2 $PPID; while :; do sleep .05; done", "", 0, true, false, 0},
		{"the time limit, at its end", `trap "" TERM; kill -USR2 $PPID; exit 75`, "", 0, true, false, 0},
		{"the time limit, near before it begins", "exit 3", "kill -USR2 $$", 0, true, false, 0},
		{"stopped", `trap "exit 75" TERM; kill -TERM $PPID; while :; do sleep .05; done`, "", 0, false, false, 75},
		{"stopped before it begins", "exit 3", "kill -TERM $$", 0, false, false, 143},
		{"killed", "kill -9 $$", "", 0, true, false, 0},
		{"killed a second time", "kill -9 $$", "", 1, true, false, 0},
		{"killed again and again", "kill -9 $$", "", 2, false, true, 137},
	} {
		bin := t.TempDir()
		program(t, bin, "sbatch", "echo 1")
		// the controller does not answer the first time
		program(t, bin, "scontrol", `[ -e "$0.asked" ] || { : > "$0.asked"; exit 1; }; echo "$@" > "$0.said"`)
		program(t, bin, "plumbline", c.program)
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		dir, e := begun(t, folds, "launch.program="+filepath.Join(bin, "plumbline"), "+launch.slurm={setup: ['"+c.setup+"']}")
		p := layOut(t, dir, e, Options{})
		if err := p.Slurm(context.Background()); err != nil {
			t.Fatal(err)
		}
		kills := filepath.Join(dir, "submit", "1", "synth-f1.1-2.killed")
		if err := os.WriteFile(kills, []byte(strings.Repeat("restart\n", c.before)), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("bash", filepath.Join(dir, "submit", "1", "synth-f1.1.sh"))
		cmd.Env = append(os.Environ(), "SLURM_JOB_ID=12", "SLURM_ARRAY_TASK_ID=2")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != c.code {
			t.Errorf("%s: exit code %d, want %d: %s", c.what, got, c.code, out)
		}
		said, _ := os.ReadFile(filepath.Join(bin, "scontrol.said"))
		if (strings.TrimSpace(string(said)) == "requeue 12") != c.requeued {
			t.Errorf("%s: scontrol %q: %s", c.what, said, out)
		}
		marked, err := p.lacking(dir)
		if err != nil || (len(marked) > 0) != c.mark {
			t.Errorf("%s: cells %v lack memory, %v", c.what, marked, err)
		}
	}
}
