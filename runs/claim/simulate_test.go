package claim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

// cluster is a simulated one: nodes that share a file system and a scheduler that starts tasks on them. One goroutine
// is at work at a time, and the seed says which is next, so that a schedule can be repeated. What goes wrong:
//
//   - a node is lost in the middle of anything, and the scheduler starts its task anew, here and there while the
//     node, which it only cannot reach, goes on
//   - a task is started twice at the same time
//   - a node sees the folder as it was a while ago, until it changes something in it
//   - an operation takes long, and others come between it and its answer; or its answer is lost
//   - clocks are wrong by years
type cluster struct {
	t     *testing.T
	rng   *rand.Rand
	cells int

	versions []map[string][]byte       // the claims after each change
	done     map[int][]byte            // cells that ended: what they came to
	training map[int]map[*process]bool // who trains a cell
	attempts map[int]int               // of each task, that the scheduler has started
	alive    map[[2]int]bool           // attempts of tasks that the scheduler thinks are at work
	ready    []*process
	trained  int
	ops      int
	faults   bool
	broken   string
}

// process is one start of a task.
type process struct {
	c       *cluster
	task    int
	attempt int
	cells   []int
	board   *Board
	seen    int // the version of the folder that the node sees at least
	zombie  bool
	turn    chan bool // false: the node is lost
	back    chan bool // true: the process has ended
}

// step gives the others a turn, and may not come back.
func (p *process) step() {
	p.c.ops++
	p.back <- false
	if !<-p.turn {
		runtime.Goexit()
	}
}

// wait lets some time pass, much of it now and then.
func (p *process) wait() {
	n := 1
	if p.c.faults && p.c.rng.IntN(20) == 0 {
		n = 1 + p.c.rng.IntN(30)
	}
	for range n {
		p.step()
	}
}

// view is the folder as the node sees it: at most as old as its last own change.
func (p *process) view() map[string][]byte {
	last := len(p.c.versions) - 1
	if p.c.faults && p.c.rng.IntN(3) == 0 {
		last = p.seen + p.c.rng.IntN(last-p.seen+1)
	}
	return p.c.versions[last]
}

func (p *process) change(f func(map[string][]byte)) {
	next := maps.Clone(p.c.versions[len(p.c.versions)-1])
	f(next)
	p.c.versions = append(p.c.versions, next)
	p.seen = len(p.c.versions) - 1
}

func (p *process) Create(name string, content []byte) error {
	p.wait()
	_, there := p.c.versions[len(p.c.versions)-1][name]
	p.seen = len(p.c.versions) - 1 // the file that was written beside changed the folder
	if !there {
		p.change(func(m map[string][]byte) { m[name] = content })
	}
	p.wait()
	if there {
		return fs.ErrExist
	}
	return nil
}

func (p *process) List() ([]string, error) {
	p.wait()
	names := slices.Collect(maps.Keys(p.view()))
	slices.Sort(names)
	p.wait()
	return names, nil
}

func (p *process) Read(name string) ([]byte, error) {
	p.wait()
	raw, ok := p.view()[name]
	p.wait()
	if !ok {
		return nil, fs.ErrNotExist
	}
	return raw, nil
}

func (p *process) Remove(name string) error {
	p.wait()
	p.change(func(m map[string][]byte) { delete(m, name) })
	p.wait()
	return nil
}

// work is what a process of a run does with its cells, as in runs: claim, look whether it is done, train, look whether
// the claim is in force, leave the outcome, give the claim back.
func (p *process) work() {
	c := p.c
	for _, cell := range p.cells {
		got, err := p.board.Take(context.Background(), strconv.Itoa(cell))
		if errors.Is(err, ErrHeld) {
			continue
		}
		if err != nil {
			c.broken = err.Error()
			return
		}
		p.step()
		if c.done[cell] == nil { // a change in the cell's folder makes the node look again
			p.train(cell, got)
		}
		if err := got.Release(); err != nil {
			c.broken = err.Error()
			return
		}
	}
}

func (p *process) train(cell int, got *Claim) {
	c := p.c
	if c.training[cell] == nil {
		c.training[cell] = map[*process]bool{}
	}
	c.training[cell][p] = true
	defer delete(c.training[cell], p)
	for other := range c.training[cell] {
		if other != p && !other.zombie && !p.zombie {
			c.broken = fmt.Sprintf("cell %d is trained by tasks %d and %d at the same time", cell, p.task, other.task)
		}
	}
	c.trained++
	for range 1 + c.rng.IntN(5) {
		p.wait()
	}
	if mine, err := got.Mine(); err != nil || !mine {
		return
	}
	p.step()
	outcome := fmt.Appendf(nil, "cell %d", cell)
	if c.done[cell] != nil && string(c.done[cell]) != string(outcome) {
		c.broken = fmt.Sprintf("cell %d came to %q and %q", cell, c.done[cell], outcome)
	}
	c.done[cell] = outcome
}

// ask is what the scheduler says of an attempt.
func (c *cluster) ask(_ context.Context, j Job) (State, error) {
	if c.faults && c.rng.IntN(10) == 0 {
		return Unknown, errors.New("no answer")
	}
	task, _ := strconv.Atoi(j.ID)
	attempt, _ := strconv.Atoi(j.Attempt)
	if c.alive[[2]int{task, attempt}] {
		return Alive, nil
	}
	return Gone, nil
}

// start starts a task, as another attempt or as a double of the last.
func (c *cluster) start(task int, cells []int, double bool) {
	if !double {
		c.attempts[task]++
	}
	p := &process{c: c, task: task, attempt: c.attempts[task], cells: cells, turn: make(chan bool), back: make(chan bool)}
	c.alive[[2]int{task, p.attempt}] = true
	p.board = &Board{Files: p, Ask: c.ask, Self: Owner{Host: fmt.Sprintf("n%d", c.rng.IntN(1<<30)), PID: 1,
		Token: fmt.Sprint(task, ".", p.attempt, ".", c.ops, ".", len(c.ready)), Since: time.Unix(c.rng.Int64N(1<<33), 0),
		Machine: "m", Boot: fmt.Sprint(c.rng.Uint64()), Namespace: "ns", Began: "1",
		Job: &Job{"slurm", strconv.Itoa(task), "1", strconv.Itoa(p.attempt)}}}
	p.board.Self.Machine = p.board.Self.Host
	c.ready = append(c.ready, p)
	go func() {
		defer func() { p.back <- true }()
		if <-p.turn {
			p.work()
		}
	}()
}

// run carries all tasks out until every cell has ended. It gives up when that takes too many attempts.
func (c *cluster) run(tasks [][]int) {
	for i, cells := range tasks {
		c.start(i, cells, false)
	}
	for len(c.ready) > 0 && c.broken == "" {
		i := c.rng.IntN(len(c.ready))
		p := c.ready[i]
		fault := c.faults && c.rng.IntN(150) == 0
		switch {
		case fault && c.attempts[p.task] < 6 && c.rng.IntN(2) == 0:
			c.start(p.task, p.cells, true)
			continue
		case fault && c.attempts[p.task] < 6 && !p.zombie: // the scheduler sees it go, and so does the task start anew
			for _, q := range c.ready {
				if q.task == p.task && q.attempt == p.attempt && (q != p || c.rng.IntN(3) == 0) {
					q.zombie = true // it cannot be reached, and goes on
				}
			}
			c.alive[[2]int{p.task, p.attempt}] = false
			if !p.zombie {
				p.turn <- false
				<-p.back
				for _, who := range c.training {
					delete(who, p)
				}
				c.ready = slices.Delete(c.ready, i, i+1)
			}
			c.start(p.task, p.cells, false)
			continue
		}
		p.turn <- true
		if ended := <-p.back; ended {
			at := slices.Index(c.ready, p)
			c.ready = slices.Delete(c.ready, at, at+1)
			if !slices.ContainsFunc(c.ready, func(q *process) bool { return q.task == p.task && q.attempt == p.attempt }) {
				c.alive[[2]int{p.task, p.attempt}] = false
			}
			if len(c.ready) == 0 && len(c.done) < c.cells && c.attempts[p.task] < 50 { // what is not done is handed out again
				for i, cells := range tasks {
					c.start(i, cells, false)
				}
			}
		}
	}
}

func simulate(t *testing.T, seed uint64, cells, tasks int, faults bool) *cluster {
	c := &cluster{t: t, rng: rand.New(rand.NewPCG(seed, 7)), cells: cells, versions: []map[string][]byte{{}},
		done: map[int][]byte{}, training: map[int]map[*process]bool{}, attempts: map[int]int{}, alive: map[[2]int]bool{},
		faults: faults}
	shares := make([][]int, tasks)
	for n := range cells {
		shares[n*tasks/cells] = append(shares[n*tasks/cells], n+1)
	}
	c.run(shares)
	return c
}

// TestSimulatedCluster: in a thousand schedules with faults no cell is lost, none is trained by two at the same time
// that the scheduler has not given up, and each comes to the same.
func TestSimulatedCluster(t *testing.T) {
	schedules := 1000
	if testing.Short() {
		schedules = 100
	}
	again := 0
	for seed := range uint64(schedules) {
		c := simulate(t, seed, 8, 3, true)
		if c.broken != "" {
			t.Fatalf("seed %d: %s", seed, c.broken)
		}
		if len(c.done) != c.cells {
			t.Fatalf("seed %d: %d of %d cells have ended", seed, len(c.done), c.cells)
		}
		for n, outcome := range c.done {
			if string(outcome) != fmt.Sprintf("cell %d", n) {
				t.Fatalf("seed %d: cell %d came to %q", seed, n, outcome)
			}
		}
		again += c.trained - c.cells
	}
	if again == 0 {
		t.Error("no node was ever lost while it trained: the faults are too few")
	}
	t.Logf("%d schedules, %d trainings besides the %d that came to an end", schedules, again, schedules*8)
}

// TestManyWorkers is opt-in, for docs/scale.md: 10,000 cells on 100 workers, and the operations on claims of each cell.
func TestManyWorkers(t *testing.T) {
	if os.Getenv("PLUMBLINE_SCALE") == "" {
		t.Skip("PLUMBLINE_SCALE=1 simulates 10,000 cells on 100 workers")
	}
	began := time.Now()
	c := simulate(t, 1, 10_000, 100, false)
	if c.broken != "" || len(c.done) != c.cells || c.trained != c.cells {
		t.Fatalf("%s, %d cells have ended, %d were trained", c.broken, len(c.done), c.trained)
	}
	t.Logf("%d cells: %d operations, %.1f each, in %v", c.cells, c.ops, float64(c.ops)/float64(c.cells),
		time.Since(began).Round(time.Millisecond))
}
