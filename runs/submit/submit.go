// Package submit hands the cells of a run to a scheduler that is there already: Slurm, Kubernetes, or whatever starts
// commands. It lays out tasks ([Make]): cells of one data set and fold, of about the same time together, in arrays; and
// writes what the scheduler is given ([Plan.Slurm], [Plan.Kubernetes], [Plan.Commands]). What a task starts is always
// the same command, plumbline run --resume RUNDIR --cells, which with its claims and checkpoints is in runs.
//
// A submission leaves its files in the run directory, in submit/NUMBER.
package submit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/data/bucket"
	"plumbline/numeric/parallel"
	"plumbline/runs"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Task is cells that one process carries out one after the other, or side by side as the settings say.
type Task struct {
	Cells   []int   `json:"cells"`   // numbers in the plan
	Seconds float64 `json:"seconds"` // estimated, of all of them
}

// Array is tasks on one fold of one data set, so that whoever does one finds it prepared.
type Array struct {
	Name    string  `json:"name"`
	Data    string  `json:"data"`
	Fold    string  `json:"fold,omitempty"`
	Tasks   []Task  `json:"tasks"`
	Seconds float64 `json:"time_limit_seconds"` // of each task
	Memory  int64   `json:"memory_bytes"`       // of each task
	Job     string  `json:"job,omitempty"`      // the scheduler's name for it
}

// Plan is one submission.
type Plan struct {
	Name    string             `json:"name"` // of the experiment
	Number  int                `json:"number"`
	Again   int                `json:"again"` // how often memory was doubled
	Arrays  []Array            `json:"arrays"`
	Collect string             `json:"collect,omitempty"` // the scheduler's name for the job that collects
	Notes   []string           `json:"notes"`             // how times and memory were estimated
	Launch  *experiment.Launch `json:"-"`
	dir     string             // of the run, absolute
	address string             // of the run in a bucket, of which dir is a copy; empty: dir is the run
	sent    func(name string) error
	data    []string // folders of data files
	search  bool     // of settings: all tasks start the same command
}

// Options is what a submission depends on besides the experiment.
type Options struct {
	DataDirs []string // folders given on the command line
	Program  string   // where this program is
	// Address is that of the run directory in a bucket, where it lives there; Sent hands a file of the copy on.
	Address string
	Sent    func(name string) error
	// Again is the number of a submission some of whose tasks lacked memory: their cells alone are handed out, with
	// twice the memory.
	Again int
}

// Make lays out the cells of a run that are not ok.
func Make(ctx context.Context, dir string, e *experiment.Experiment, o Options) (*Plan, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	p, task, limit, signal, memory, err := blank(abs, e, o)
	if err != nil {
		return nil, err
	}
	launch := p.Launch
	plan := e.Plan()
	left, err := unfinished(ctx, abs, plan)
	if err != nil {
		return nil, err
	}
	factor := 1.0
	if o.Again > 0 {
		before, err := read(abs, o.Again)
		if err != nil {
			return nil, err
		}
		if before.Again >= launch.MoreMemory {
			return nil, fmt.Errorf("submit: memory was doubled %d times, as launch.more_memory says: %w", before.Again,
				ErrNothing)
		}
		lacking, err := before.lacking(abs)
		if err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(left, func(n int) bool { return !slices.Contains(lacking, n) })
		p.Again = before.Again + 1
		factor = math.Pow(2, float64(p.Again))
	}
	if len(left) == 0 {
		return nil, ErrNothing
	}
	est, err := estimate(abs, e, plan, launch.CPUs)
	if err != nil {
		return nil, err
	}
	p.Notes = est.notes
	if p.Number, err = next(abs); err != nil {
		return nil, err
	}
	for from := 0; from < len(left); {
		c := plan[left[from]-1]
		var own, rest []int
		for _, n := range left[from:] {
			if plan[n-1].Set == c.Set && plan[n-1].FoldIndex == c.FoldIndex {
				own = append(own, n)
			} else {
				rest = append(rest, n)
			}
		}
		left, from = rest, 0
		tasks := group(own, est.seconds, launch.Group, launch.Workers, task.Seconds())
		a := Array{Data: c.Set.Config.Name, Fold: c.Fold, Memory: memory, Seconds: limit.Seconds()}
		if memory == 0 {
			for _, n := range own {
				a.Memory = max(a.Memory, est.memory(plan[n-1], launch.Workers))
			}
		}
		a.Memory = int64(float64(a.Memory) * factor)
		if limit == 0 {
			longest := 0.0
			for _, t := range tasks {
				longest = max(longest, t.Seconds)
			}
			a.Seconds = math.Ceil(max(600, 3*longest, 2*signal.Seconds())/60) * 60
		}
		p.chunk(a, tasks)
	}
	return p, p.write()
}

// blank is a submission without tasks, and the settings that are times and sizes.
func blank(dir string, e *experiment.Experiment, o Options) (p *Plan, task, limit, signal time.Duration, memory int64,
	err error) {
	launch := experiment.DefaultLaunch()
	if e.Launch != nil {
		launch = *e.Launch
	}
	if launch.Program == "" {
		launch.Program = o.Program
	}
	if task, limit, signal, err = launch.Times(); err == nil {
		memory, err = launch.Bytes()
	}
	if err != nil {
		return nil, 0, 0, 0, 0, fmt.Errorf("submit: launch: %w", err)
	}
	p = &Plan{Name: e.Name, Launch: &launch, dir: dir, address: o.Address, sent: o.Sent, Notes: []string{},
		data: slices.Clone(o.DataDirs)}
	if len(launch.Data) > 0 {
		p.data = launch.Data
	}
	return p, task, limit, signal, memory, nil
}

// Possible says what keeps a launcher from handing out an experiment whose directory is made in a folder, or below an
// address in a bucket, before there is one.
func Possible(launcher string, e *experiment.Experiment, root string, search bool) error {
	if launcher == "local" {
		return nil
	}
	o := Options{}
	if bucket.Is(root) {
		o.Address = root
	}
	abs, err := filepath.Abs(filepath.Join(root, e.Name))
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	p, _, _, _, _, err := blank(abs, e, o)
	if err == nil && search {
		err = shareable(p.Launch)
	}
	switch {
	case err != nil:
	case launcher == "slurm":
		err = p.slurmPossible()
	case launcher == "kubernetes":
		_, err = p.mounted()
	}
	return err
}

// shareable says what is missing for a search to be handed out.
func shareable(l *experiment.Launch) error {
	if l.Throttle < 1 || l.Time == "" || l.Memory == "" {
		return errors.New("submit: a search is shared by processes of which nothing is known before: say " +
			"launch.throttle, how many they are, launch.time and launch.memory")
	}
	return nil
}

// Search lays out a search of settings: as many processes as may be at work, each of which goes through all of it.
func Search(dir string, e *experiment.Experiment, o Options) (*Plan, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	p, _, limit, _, memory, err := blank(abs, e, o)
	if err != nil {
		return nil, err
	}
	if err := shareable(p.Launch); err != nil {
		return nil, err
	}
	p.search = true
	if p.Number, err = next(abs); err != nil {
		return nil, err
	}
	tasks := make([]Task, p.Launch.Throttle)
	for i := range tasks {
		tasks[i].Cells = []int{}
	}
	p.chunk(Array{Data: "search", Seconds: limit.Seconds(), Memory: memory}, tasks)
	return p, p.write()
}

// ErrNothing says that there is nothing to hand out.
var ErrNothing = errors.New("submit: every cell is ok, or none lacks memory: there is nothing to hand out")

// chunk makes arrays of at most as many tasks as the scheduler takes.
func (p *Plan) chunk(a Array, tasks []Task) {
	name := a.Data
	if a.Fold != "" {
		name += "-" + a.Fold
	}
	parts := slices.Collect(slices.Chunk(tasks, p.Launch.ArrayLimit))
	for i, part := range parts {
		a.Name, a.Tasks = name, part
		if len(parts) > 1 {
			a.Name += "." + strconv.Itoa(i+1)
		}
		p.Arrays = append(p.Arrays, a)
	}
}

// group shares cells out to tasks: of a number of cells each, or as many as together take about a time, the longest
// first to whichever task has least so far, so that tasks are even.
func group(cells []int, seconds func(int) float64, size, workers int, target float64) []Task {
	total := 0.0
	for _, n := range cells {
		total += seconds(n)
	}
	k := int(math.Ceil(total / (target * float64(workers))))
	if size > 0 {
		k = (len(cells) + size - 1) / size
	}
	k = max(1, min(k, len(cells)))
	order := slices.Clone(cells)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(seconds(b), seconds(a)) })
	tasks := make([]Task, k)
	for _, n := range order {
		least := -1
		for i := range tasks {
			full := size > 0 && len(tasks[i].Cells) >= size
			if !full && (least < 0 || tasks[i].Seconds < tasks[least].Seconds) {
				least = i
			}
		}
		tasks[least].Cells = append(tasks[least].Cells, n)
		tasks[least].Seconds += seconds(n)
	}
	for i := range tasks {
		slices.Sort(tasks[i].Cells)
		tasks[i].Seconds /= float64(min(workers, len(tasks[i].Cells)))
	}
	slices.SortFunc(tasks, func(a, b Task) int { return cmp.Compare(a.Cells[0], b.Cells[0]) })
	return tasks
}

// unfinished is the numbers of the cells that are not ok.
func unfinished(ctx context.Context, dir string, plan []experiment.Cell) ([]int, error) {
	done := make([]bool, len(plan))
	err := parallel.Blocks(ctx, 4*runtime.GOMAXPROCS(0), len(plan), 16, func(from, to int) {
		for i := from; i < to; i++ {
			st, faults := record.CheckCell(dir, plan[i].Path(), false)
			done[i] = st != nil && len(faults) == 0 && st.Status == record.OK
		}
	})
	var left []int
	for i, ok := range done {
		if !ok {
			left = append(left, i+1)
		}
	}
	return left, err
}

// folder is the submission's, within the run directory.
func (p *Plan) folder() string { return filepath.Join(submissions, strconv.Itoa(p.Number)) }

const submissions = "submit"

// planFile is what a submission was.
const planFile = "plan.json"

// next is the number of the next submission.
func next(dir string) (int, error) {
	entries, err := os.ReadDir(filepath.Join(dir, submissions))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("submit: %w", err)
	}
	last := 0
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			last = max(last, n)
		}
	}
	return last + 1, nil
}

func read(dir string, number int) (*Plan, error) {
	p := &Plan{}
	return p, record.ReadJSON(dir, submissions+"/"+strconv.Itoa(number)+"/"+planFile, p)
}

// write leaves the plan and a file of tasks for each array: a line for each task, from 1 for Slurm and from 0 for
// Kubernetes.
func (p *Plan) write() error {
	for _, a := range p.Arrays {
		err := p.leave(a.tasksFile(), func(w io.Writer) error {
			for _, t := range a.Tasks {
				if _, err := fmt.Fprintln(w, runs.FormatCells(t.Cells)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return p.Save()
}

// Save leaves the plan with the names that the scheduler gave.
func (p *Plan) Save() error {
	return p.leave(planFile, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(p)
	})
}

// leave writes a file of the submission.
func (p *Plan) leave(name string, fill func(io.Writer) error) error {
	d := record.NewDirectory(p.dir)
	d.Sent = p.sent
	return d.Write(filepath.ToSlash(filepath.Join(p.folder(), name)), fill)
}

// where is the run directory as tasks name it.
func (p *Plan) where() string { return cmp.Or(p.address, p.dir) }

func (a *Array) tasksFile() string { return a.Name + ".tasks" }

// lacking is the cells of the tasks that left a mark because they lacked memory.
func (p *Plan) lacking(dir string) ([]int, error) {
	var out []int
	for _, a := range p.Arrays {
		for i, t := range a.Tasks {
			mark := filepath.Join(dir, p.folder(), fmt.Sprintf("%s-%d.memory", a.Name, i+1))
			_, err := os.Stat(mark)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("submit: %w", err)
			}
			if err == nil {
				out = append(out, t.Cells...)
			}
		}
	}
	return out, nil
}

// Cells is how many cells are handed out.
func (p *Plan) Cells() (cells, tasks int) {
	for _, a := range p.Arrays {
		tasks += len(a.Tasks)
		for _, t := range a.Tasks {
			cells += len(t.Cells)
		}
	}
	return cells, tasks
}

// Says is the submission in lines for people: tasks, times and memory, and how they were estimated.
func (p *Plan) Says() []string {
	cells, tasks := p.Cells()
	out := []string{fmt.Sprintf("%d cells in %d tasks, %d arrays", cells, tasks, len(p.Arrays))}
	for _, a := range p.Arrays {
		n, sum := 0, 0.0
		for _, t := range a.Tasks {
			n += len(t.Cells)
			sum += t.Seconds
		}
		out = append(out, fmt.Sprintf("%s: %d cells in %d tasks of about %v, limit %v, memory %.3g GB", a.Name, n,
			len(a.Tasks), span(sum/float64(len(a.Tasks))), span(a.Seconds), float64(a.Memory)/1e9))
	}
	return append(out, p.Notes...)
}

func span(seconds float64) time.Duration {
	return (time.Duration(seconds*1000) * time.Millisecond).Round(time.Second)
}

// arguments are those of the program for some cells: what all launchers start. The run directory and the folder of the
// submission may lie elsewhere on the machine that does the work.
func (p *Plan) arguments(dir, cells string) []string {
	if p.search {
		return p.withData([]string{"tune", "--resume", dir, "--share", "--workers", strconv.Itoa(p.Launch.Workers)})
	}
	cache := p.Launch.Cache
	if cache == "" {
		cache = dir + "/cache"
	}
	out := []string{"run", "--resume", dir, "--cells", cells, "--workers", strconv.Itoa(p.Launch.Workers),
		"--cache", cache}
	if cache != "off" {
		out = append(out, "--cache-mb", strconv.Itoa(cacheMB))
	}
	return p.withData(out)
}

// withData adds what is the same for all commands.
func (p *Plan) withData(out []string) []string {
	for _, d := range p.data {
		if abs, err := filepath.Abs(d); err == nil && len(p.Launch.Data) == 0 {
			d = abs
		}
		out = append(out, "--data", d)
	}
	return append(out, "--quiet")
}

// cacheMB is how large the prepared data may be that the tasks of a run share.
const cacheMB = 65536

// Commands are the tasks as commands of a shell, one a line, for any program that starts commands; and the one that
// collects when all have ended.
func (p *Plan) Commands() (tasks []string, collect string) {
	for _, a := range p.Arrays {
		for _, t := range a.Tasks {
			tasks = append(tasks, p.command(p.arguments(p.where(), runs.FormatCells(t.Cells))))
		}
	}
	return tasks, p.command(p.collector(p.where()))
}

// collector is the arguments of the command that sums up.
func (p *Plan) collector(dir string) []string {
	if p.search {
		return p.withData([]string{"tune", "--resume", dir})
	}
	return []string{"collect", dir}
}

func (p *Plan) command(args []string) string {
	out := []string{quote(p.Launch.Program)}
	for _, a := range args {
		out = append(out, quote(a))
	}
	return strings.Join(out, " ")
}

// quote is a word of a shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@+%", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
