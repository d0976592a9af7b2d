package claim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func board(t *testing.T, dir, token string) *Board {
	t.Helper()
	b := &Board{Files: Folder(dir), Self: Self()}
	b.Self.Token = token
	return b
}

// TestTake: one of many gets a claim; one that is given back can be had again; that of a process that has ended is
// taken over by one alone.
func TestTake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "claims")
	ended := exec.Command(os.Args[0], "-test.run", "^$")
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	gone := board(t, dir, "gone")
	gone.Self.PID, gone.Self.Began = ended.Process.Pid, began(ended.Process.Pid)
	if err := ended.Wait(); err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		if round > 0 { // each later round finds a claim of a process that has ended
			os.RemoveAll(dir)
			if _, err := gone.Take(context.Background(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var got []*Claim
		for i := range 8 {
			b := board(t, dir, fmt.Sprint(i))
			wg.Go(func() {
				c, err := b.Take(context.Background(), "a")
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, c)
				} else if !errors.Is(err, ErrHeld) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(got) != 1 {
			t.Fatalf("round %d: %d have the claim", round, len(got))
		}
		if mine, err := got[0].Mine(); !mine || err != nil {
			t.Fatalf("the claim is not in force: %v", err)
		}
		if err := got[0].Release(); err != nil {
			t.Fatal(err)
		}
		if names, err := Folder(dir).List(); len(names) != 0 || err != nil {
			t.Fatalf("%v are left, %v", names, err)
		}
	}
	b := board(t, dir, "b")
	for _, name := range []string{"", "a.1", "a/b"} {
		if _, err := b.Take(context.Background(), name); err == nil || errors.Is(err, ErrHeld) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "c.1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Take(context.Background(), "c"); err == nil {
		t.Error("a folder in the place of a claim is no error")
	}
	os.WriteFile(filepath.Join(dir, "d.1"), []byte("{"), 0o644)
	if _, err := b.Take(context.Background(), "d"); !errors.Is(err, ErrHeld) {
		t.Errorf("a claim that cannot be understood: %v", err)
	}
}

// TestAlone: one who wants everything and one who wants something never both have it.
func TestAlone(t *testing.T) {
	dir := t.TempDir()
	for range 50 {
		one, two := board(t, dir, "one"), board(t, dir, "two")
		var wg sync.WaitGroup
		var whole, part *Claim
		wg.Go(func() { whole, _ = one.Alone(context.Background(), "all") })
		wg.Go(func() {
			c, err := two.Take(context.Background(), "1")
			if err != nil {
				t.Error(err)
				return
			}
			if two.Free(context.Background(), "all") != nil {
				c.Release()
				return
			}
			part = c
		})
		wg.Wait()
		if whole != nil && part != nil {
			t.Fatal("both are at work")
		}
		for _, c := range []*Claim{whole, part} {
			if c != nil {
				c.Release()
			}
		}
	}
}

// TestKnows: what one process can know of another.
func TestKnows(t *testing.T) {
	self := Owner{Host: "n1", PID: os.Getpid(), Machine: "m", Boot: "b", Namespace: "ns", Began: began(os.Getpid()),
		Job: &Job{"slurm", "7", "1", "1"}}
	if self.Began == "" {
		t.Skip("the system does not say when a process began")
	}
	ask := func(_ context.Context, j Job) (State, error) {
		switch j.ID {
		case "1":
			return Gone, nil
		case "2":
			return Alive, nil
		}
		return Unknown, errors.New("no answer")
	}
	change := func(f func(*Owner)) *Owner { o := self; f(&o); return &o }
	for _, c := range []struct {
		what string
		of   *Owner
		want State
	}{
		{"this process", change(func(*Owner) {}), Alive},
		{"another process of its number", change(func(o *Owner) { o.Began = "1" }), Gone},
		{"no process of that number", change(func(o *Owner) { o.PID = 1<<22 + 1 }), Gone},
		{"before the machine was started anew", change(func(o *Owner) { o.Boot = "a" }), Gone},
		{"another container, without a job", change(func(o *Owner) { o.Namespace = "x"; o.Job = nil }), Unknown},
		{"another machine of the same name", change(func(o *Owner) { o.Machine = "x"; o.Boot = "x"; o.Job = nil }), Unknown},
		{"a job that has ended", change(func(o *Owner) { o.Host = "n2"; o.Job = &Job{"slurm", "1", "", "0"} }), Gone},
		{"a job at work", change(func(o *Owner) { o.Host = "n2"; o.Job = &Job{"slurm", "2", "", "0"} }), Alive},
		{"a scheduler without an answer", change(func(o *Owner) { o.Host = "n2"; o.Job = &Job{"slurm", "3", "", "0"} }),
			Unknown},
		{"an earlier attempt of this task", change(func(o *Owner) { o.Host = "n2"; o.Job = &Job{"slurm", "7", "1", "0"} }),
			Gone},
		{"nobody", &Owner{Host: "n2"}, Unknown},
	} {
		if got := self.knows(context.Background(), c.of, ask); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	for text, o := range map[string]Owner{
		"process 5 on a":                       {Host: "a", PID: 5},
		"process 5 on a (slurm 7)":             {Host: "a", PID: 5, Job: &Job{"slurm", "7", "", "0"}},
		"process 5 on a (kubernetes 7 task 1)": {Host: "a", PID: 5, Job: &Job{"kubernetes", "7", "1", "pod"}},
	} {
		if o.String() != text {
			t.Errorf("%q, want %q", o.String(), text)
		}
	}
}

// TestSlurmState: answers of scontrol show job -o (Slurm 22.05.8), shortened.
func TestSlurmState(t *testing.T) {
	j := Job{Scheduler: "slurm", ID: "12", Attempt: "1"}
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		out, errOut string
		err         error
		want        State
		bad         bool
	}{
		{"JobId=12 ArrayJobId=11 JobName=x JobState=RUNNING Reason=None Requeue=1 Restarts=1 BatchFlag=1", "", nil, Alive,
			false},
		{"JobId=12 JobState=RUNNING Requeue=1 Restarts=2", "", nil, Gone, false},
		{"JobId=12 JobState=COMPLETING Requeue=1 Restarts=1", "", nil, Alive, false},
		{"JobId=12 JobState=PENDING Reason=BeginTime Restarts=2", "", nil, Gone, false},
		{"JobId=12 JobState=NODE_FAIL Restarts=1", "", nil, Gone, false},
		{"", "slurm_load_jobs error: Invalid job id specified\n", failed, Gone, false},
		{"", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", failed, Unknown, true},
		{"JobId=12 JobState=DREAMING", "", nil, Unknown, true},
		{"", "", nil, Unknown, true},
	} {
		got, err := slurmState(j, c.out, c.errOut, c.err)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s%s: %v, %v", c.out, c.errOut, got, err)
		}
	}
	if s, err := AskScheduler(context.Background(), Job{Scheduler: "kubernetes"}); s != Unknown || err != nil {
		t.Errorf("kubernetes: %v, %v", s, err)
	}
}

// TestReplaced: a later start of a task knows that the earlier one is gone, and the earlier one, which may be at work
// where nobody reaches it, that the later one is not.
func TestReplaced(t *testing.T) {
	for _, c := range []struct {
		own, other string
		want       State
	}{
		{"3", "2", Gone}, {"2", "3", Alive}, {"10", "9", Gone}, {"2", "2", Unknown}, {"pod-a", "pod-b", Gone},
	} {
		j := &Job{"kubernetes", "u", "4", c.own}
		if got := j.replaced(&Job{"kubernetes", "u", "4", c.other}); got != c.want {
			t.Errorf("attempt %s of %s: %v, want %v", c.own, c.other, got, c.want)
		}
		if got := j.replaced(&Job{"kubernetes", "u", "5", c.other}); got != Unknown {
			t.Errorf("another task: %v", got)
		}
	}
	if got := (*Job)(nil).replaced(&Job{}); got != Unknown {
		t.Errorf("no job: %v", got)
	}
}

// TestLateDeletion: a claim that was deleted late and made again by another process is not that of the first one.
func TestLateDeletion(t *testing.T) {
	ctx, f := context.Background(), Folder(t.TempDir())
	one, two := &Board{Files: f, Self: Owner{Token: "one"}}, &Board{Files: f, Self: Owner{Token: "two"}}
	first, err := one.Take(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Remove("1.1"); err != nil {
		t.Fatal(err)
	}
	if mine, err := first.Mine(); err != nil || mine {
		t.Errorf("a deleted claim is in force: %v", err)
	}
	second, err := two.Take(ctx, "1")
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := first.Mine(); err != nil || mine {
		t.Errorf("another's claim is the first one's: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if mine, err := second.Mine(); err != nil || !mine {
		t.Errorf("the first one gave the second one's claim back: %v", err)
	}
}

func TestJobOf(t *testing.T) {
	for env, want := range map[string]string{
		"":               "",
		"SLURM_JOB_ID=5": "slurm 5 0",
		"SLURM_JOB_ID=5 SLURM_ARRAY_TASK_ID=2 SLURM_RESTART_COUNT=3": "slurm 5 task 2 3",
		"PLUMBLINE_JOB=u JOB_COMPLETION_INDEX=4 PLUMBLINE_POD=p":     "kubernetes u task 4 p",

		"PLUMBLINE_JOB=u JOB_COMPLETION_INDEX=4 PLUMBLINE_FAILURES=2":                         "kubernetes u task 4 2",
		"PLUMBLINE_JOB=u JOB_COMPLETION_INDEX=4 PLUMBLINE_FAILURES=2 PLUMBLINE_DISRUPTIONS=3": "kubernetes u task 4 5",
		"PLUMBLINE_JOB=u PLUMBLINE_POD=p PLUMBLINE_FAILURES= PLUMBLINE_DISRUPTIONS=":          "kubernetes u p",
	} {
		vars := map[string]string{}
		for _, f := range strings.Fields(env) {
			k, v, _ := strings.Cut(f, "=")
			vars[k] = v
		}
		got := ""
		if j := jobOf(func(k string) string { return vars[k] }); j != nil {
			got = j.String() + " " + j.Attempt
		}
		if got != want {
			t.Errorf("%s: %q, want %q", env, got, want)
		}
	}
}
