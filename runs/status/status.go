// Package status is the view of a run while it is at work, from any machine that sees its directory: which cells have
// ended, which are at work where, what failed, and how long the rest takes. It reads what processes have left of their
// steps and claims, not the cells themselves, so that it stays quick where there are many; what cells came to is read
// by runs/record.
package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/record"
)

// Status is a run at one moment.
type Status struct {
	Run      string `json:"run"`
	Name     string `json:"name"`
	Cells    int    `json:"cells"` // of the plan
	OK       int    `json:"ok"`
	Failed   int    `json:"failed"`
	TimedOut int    `json:"timeout"`
	Working  int    `json:"working"` // claimed by a process that is not known to be gone
	Lost     int    `json:"lost"`    // claimed by a process that is gone: whoever takes the cell up takes it over
	Waiting  int    `json:"waiting"`
	// Finished says that results.csv was written with every cell ended.
	Finished bool `json:"finished"`
	// PerHour is how many cells end in an hour, by those that have ended since the first process began; 0: unknown.
	PerHour float64 `json:"cells_per_hour"`
	// Left is the seconds that the rest takes, by the mean of ended cells of the same model and as many processes as
	// work now; negative: unknown, as while nobody is at work.
	Left     float64   `json:"seconds_left"`
	Nodes    []Node    `json:"nodes"`
	Failures []Failure `json:"failures"`
	AtWork   []At      `json:"at_work"`
}

// Node is one machine.
type Node struct {
	Host      string    `json:"host"`
	Processes int       `json:"processes"` // that have worked on the run
	Working   int       `json:"working"`   // cells at work
	Ended     int       `json:"ended"`     // cells that ended
	Last      time.Time `json:"last"`      // sign of life, by its clock
}

// Failure is a cell that is not ok.
type Failure struct {
	Cell   string `json:"cell"`
	Status string `json:"status"`
	Error  string `json:"error"` // its first line
}

// At is a cell that a process has.
type At struct {
	Cell  string    `json:"cell"` // empty: all of them, of a process that carries out the whole run
	Owner string    `json:"owner"`
	State string    `json:"state"` // working, unknown (nothing can be known of it here) or lost
	Since time.Time `json:"since"` // when the process began, by its clock
}

// plan is what is read of manifest.json.
type plan struct {
	Finished time.Time `json:"finished"`
	Cells    []struct {
		Cell  string `json:"cell"`
		Label string `json:"label"`
	} `json:"cells"`
}

// fewCells is how many cells without a line are looked at themselves.
const fewCells = 2000

// Source is where a run tells of itself.
type Source struct {
	Dir string // the run directory, or a copy of it: manifest.json and the folder of steps
	// Ask says what a scheduler knows of a job, as [claim.AskScheduler].
	Ask func(context.Context, claim.Job) (claim.State, error)
	// Claims is where claims are kept; nil: in the run directory.
	Claims claim.Files
	// Look reads the status of a cell that nobody has noted the end of; nil: in the run directory.
	Look func(cell string) (st *record.Status, err error)
}

// Read looks at a run.
func Read(ctx context.Context, from Source) (*Status, error) {
	dir := from.Dir
	var p plan
	planned := make(chan error, 1)
	go func() {
		err := record.ReadJSON(dir, "manifest.json", &p)
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("status: %w", record.NoRun(dir, "manifest.json"))
		}
		planned <- err
	}()
	v := view{last: map[string]record.Step{}, nodes: map[string]*Node{}}
	stepped := record.ReadSteps(dir, v.step)
	if err := errors.Join(<-planned, stepped); err != nil {
		return nil, err
	}
	s := &Status{Run: dir, Name: filepath.Base(dir), Cells: len(p.Cells), Left: -1, Nodes: []Node{},
		Failures: []Failure{}, AtWork: []At{}}
	board := runs.Board(dir, false)
	board.Ask = from.Ask
	if from.Claims != nil {
		board.Files = from.Claims
	}
	if from.Look == nil {
		from.Look = func(cell string) (*record.Status, error) {
			st, faults := record.CheckCell(dir, cell, false)
			if faults != nil {
				st = nil
			}
			return st, nil
		}
	}
	held, err := board.Held(ctx)
	if err != nil {
		return nil, err
	}
	var whole *At // a process that carries out all cells
	at := map[string]At{}
	for _, h := range held {
		n, err := strconv.Atoi(h.Name)
		if h.Name == runs.WholeRun && h.State != claim.Gone {
			whole = &At{"", h.Owner.String(), "working", h.Owner.Since}
			v.node(h.Owner.Host)
		}
		if err != nil || n < 1 || n > len(p.Cells) {
			continue // of the whole run, or of one that collects
		}
		a := At{p.Cells[n-1].Cell, h.Owner.String(), "working", h.Owner.Since}
		switch h.State {
		case claim.Gone:
			a.State = "lost"
		case claim.Unknown:
			a.State = "unknown"
		}
		if a.State != "lost" {
			v.node(h.Owner.Host).Working++
		}
		at[a.Cell] = a
	}
	missing := 0
	for _, c := range p.Cells {
		if _, ok := v.last[c.Cell]; !ok {
			missing++
		}
	}
	look := missing <= fewCells || len(v.last) == 0 // of an earlier version there are no lines
	labels := make(map[string]string, len(p.Cells))
	var left []string
	for _, c := range p.Cells {
		labels[c.Cell] = c.Label
		a, claimed := at[c.Cell]
		step, ended := v.last[c.Cell]
		if !ended && (look || claimed) {
			st, err := from.Look(c.Cell)
			if err != nil {
				return nil, err
			}
			if ended = st != nil; ended {
				step = ofStatus(st)
			}
		}
		switch {
		case claimed && a.State != "lost" && !(ended && step.Status == record.OK):
			s.Working++
			s.AtWork = append(s.AtWork, a)
			left = append(left, c.Cell)
		case ended:
			s.end(c.Cell, step)
		case claimed:
			s.Lost++
			s.AtWork = append(s.AtWork, a)
			left = append(left, c.Cell)
		default:
			s.Waiting++
			left = append(left, c.Cell)
		}
	}
	_, err = os.Stat(filepath.Join(dir, "results.csv"))
	s.Finished = err == nil && !p.Finished.IsZero() && s.Working+s.Lost+s.Waiting == 0
	s.PerHour = v.perHour()
	s.Left = v.left(left, labels, s.Working)
	if whole != nil {
		s.AtWork = append(s.AtWork, *whole)
		if s.PerHour > 0 {
			s.Left = math.Round(float64(len(left)) / s.PerHour * 3600)
		}
	}
	for _, n := range v.nodes {
		s.Nodes = append(s.Nodes, *n)
	}
	slices.SortFunc(s.Nodes, func(a, b Node) int { return cmp.Compare(a.Host, b.Host) })
	return s, nil
}

// end counts a cell that has ended.
func (s *Status) end(cell string, step record.Step) {
	switch step.Status {
	case record.OK:
		s.OK++
		return
	case record.TimedOut:
		s.TimedOut++
	default:
		s.Failed++
	}
	line, _, _ := strings.Cut(step.Error, "\n")
	s.Failures = append(s.Failures, Failure{cell, step.Status, line})
}

// Ended is how many cells have come to an end.
func (s *Status) Ended() int { return s.OK + s.Failed + s.TimedOut }

// ofStatus is the end of a cell as its own status tells.
func ofStatus(st *record.Status) record.Step {
	return record.Step{Cell: st.Cell, Status: st.Status, Error: st.Error, Time: st.Finished,
		Seconds: st.Finished.Sub(st.Started).Seconds()}
}

// view is what the steps of all processes come to.
type view struct {
	last    map[string]record.Step // of each cell
	nodes   map[string]*Node
	process string
	host    string // of the process
	first   time.Time
	latest  time.Time
	ended   int // cells that took time
}

func (v *view) node(host string) *Node {
	if v.nodes[host] == nil {
		v.nodes[host] = &Node{Host: host}
	}
	return v.nodes[host]
}

// step takes one line in; those of a process come together.
func (v *view) step(process string, s record.Step) {
	if process != v.process {
		v.process, v.host = process, ""
	}
	if s.Host != "" {
		v.host = s.Host
		v.node(s.Host).Processes++
	}
	n := v.node(v.host)
	if s.Time.After(n.Last) {
		n.Last = s.Time
	}
	if v.first.IsZero() || s.Time.Before(v.first) {
		v.first = s.Time
	}
	if s.Cell == "" {
		return
	}
	if s.Seconds > 0 {
		n.Ended++
		v.ended++
		if s.Time.After(v.latest) {
			v.latest = s.Time
		}
	}
	was, known := v.last[s.Cell]
	switch {
	case known && was.Status == record.OK && (s.Status != record.OK || s.Seconds == 0):
	case known && s.Status != record.OK && s.Time.Before(was.Time):
	default:
		v.last[s.Cell] = s
	}
}

// perHour is the cells that ended in an hour.
func (v *view) perHour() float64 {
	hours := v.latest.Sub(v.first).Hours()
	if v.ended == 0 || hours <= 0 {
		return 0
	}
	return float64(v.ended) / hours
}

// left is the seconds that cells take, shared by processes.
func (v *view) left(cells []string, labels map[string]string, working int) float64 {
	if len(cells) == 0 {
		return 0
	}
	sum, n := map[string]float64{}, map[string]float64{}
	for cell, s := range v.last {
		if s.Seconds > 0 {
			for _, of := range []string{labels[cell], ""} {
				sum[of] += s.Seconds
				n[of]++
			}
		}
	}
	if working == 0 || n[""] == 0 {
		return -1
	}
	total := 0.0
	for _, cell := range cells {
		of := labels[cell]
		if n[of] == 0 {
			of = ""
		}
		total += sum[of] / n[of]
	}
	return math.Round(total / float64(working))
}
