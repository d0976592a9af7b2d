package tune

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/runs"
	"plumbline/runs/claim"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
	"plumbline/runs/record"
)

// StateFile is what a search's directory is known by.
const StateFile = "tuning.json"

// Options is how a search is carried out, apart from what it is.
type Options struct {
	Root    string      // folder that the search's directory is made in
	Workers int         // cells side by side; 0: one for each processor
	Memory  int64       // bytes that a data set and what a model makes of it may take; 0: any
	NoTest  bool        // the test part is left for a later Resume
	Observe func(Event) // may be nil; called by one goroutine at a time
	Test    func(runs.Event)
	Command []string
	// Share says that other processes are at work on the search: each goes through all of it, and a cell is trained by one
	// of them, for whose value the others wait. The last one reads the test part.
	Share bool
}

// Event is a step of a search.
type Event struct {
	Dir         string
	Text        string // what is begun
	Data, Label string
	Trial       *Trial // that ended, nil for a text alone; in each round of successive halving
	Done, Total int    // trials of the search
}

// State is a search as its directory holds it.
type State struct {
	Version    string    `json:"plumbline"`
	Revision   string    `json:"revision"`
	Experiment string    `json:"experiment_sha256"`
	Command    []string  `json:"command"`
	Started    time.Time `json:"started"`
	Finished   time.Time `json:"finished,omitzero"` // when the last trial had ended
	DataDirs   []string  `json:"data_dirs"`         // where data files were looked up; Resume looks there too
	Seeds      []uint64  `json:"seeds"`             // of each trial
	Folds      []string  `json:"folds"`             // of each trial
	Method     string    `json:"method"`
	Objective  string    `json:"objective"`
	Metric     string    `json:"metric"`
	Searches   []*Search `json:"searches"`
	// Test is the reading of the test part, of which there is one.
	Test *Test `json:"test,omitempty"`
	// Trained is how many cells this process trained: others were on file.
	Trained int `json:"-"`
}

// Test is the runs that read the test part, with the settings of the file and those that were found.
type Test struct {
	Begun    time.Time `json:"begun"`
	Finished time.Time `json:"finished,omitzero"`
	Runs     []string  `json:"runs"` // run directories within that of the search
}

// ErrInterrupted says that the search was stopped; Resume takes it up.
var ErrInterrupted = errors.New("interrupted")

// Run searches as the experiment's key tune says, in a directory of its own, and then reads the test part once.
func Run(ctx context.Context, e *experiment.Experiment, o Options) (dir string, s *State, err error) {
	if e.Tune == nil {
		return "", nil, fmt.Errorf("tune: %s has no key tune: what to search for", e.File)
	}
	made, state, err := begin(e, o)
	if err != nil {
		return "", nil, err
	}
	return made.Path, state, carryOut(ctx, e, made, state, o)
}

// Begin makes the directory of a search, which processes that share it take up ([Options.Share]).
func Begin(e *experiment.Experiment, o Options) (dir string, err error) {
	made, state, err := begin(e, o)
	if err != nil {
		return "", err
	}
	return made.Path, made.WriteJSON(StateFile, state)
}

func begin(e *experiment.Experiment, o Options) (*record.Directory, *State, error) {
	resolved, err := e.Resolved()
	if err != nil {
		return nil, nil, err
	}
	made, err := record.MakeDirectory(o.Root, e.Name, time.Now())
	if err != nil {
		return nil, nil, err
	}
	err = made.Write("experiment.yaml", func(w io.Writer) error { _, err := w.Write(resolved); return err })
	return made, newState(e, resolved, o.Command), err
}

// newState is that of a search which begins; text is its experiment.yaml.
func newState(e *experiment.Experiment, text []byte, command []string) *State {
	m := record.Build()
	return &State{Version: m.Version, Revision: m.Revision, Experiment: record.SumOf(text).SHA256, Command: command,
		Started: time.Now().UTC(), DataDirs: e.Finder.Absolute()}
}

// Resume takes up a search that was stopped or killed: cells that are on file are not trained again. One that has read
// its test part is left as it is.
func Resume(ctx context.Context, path string, lo experiment.LoadOptions, o Options) (*State, error) {
	file := filepath.Join(path, "experiment.yaml")
	raw, err := record.ReadFile(file, record.MaxJSON)
	if errors.Is(err, os.ErrNotExist) {
		err = record.NoRun(path, "experiment.yaml")
	}
	if err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	var before State
	begun := true
	switch err := record.ReadJSON(path, StateFile, &before); {
	case errors.Is(err, os.ErrNotExist): // killed before anything was known
		begun = false
	case err != nil:
		return nil, err
	}
	lo.DataDirs = slices.Concat(lo.DataDirs, before.DataDirs)
	e, err := experiment.Load(file, lo)
	if err != nil {
		return nil, err
	}
	if e.Tune == nil {
		return nil, fmt.Errorf("tune: %s is no search: %s has no key tune", path, file)
	}
	state := newState(e, raw, o.Command)
	switch {
	case !begun:
	case before.Experiment != state.Experiment:
		return nil, fmt.Errorf("tune: %s was changed since the search began; start a new one with it", file)
	case before.Test != nil && !before.Test.Finished.IsZero():
		return &before, nil
	default:
		state.Started, state.Command, state.Test = before.Started, before.Command, before.Test
		state.DataDirs = before.DataDirs
	}
	return state, carryOut(ctx, e, record.NewDirectory(path), state, o)
}

func carryOut(ctx context.Context, e *experiment.Experiment, dir *record.Directory, s *State, o Options) error {
	t := e.Tune
	s.Seeds, s.Method, s.Objective, s.Metric = t.Seeds, t.Method, t.Objective, t.Metric
	if t.Objective == "benign_loss" {
		s.Metric = "re_benign_mean"
	}
	say := func(v Event) {
		if v.Dir = dir.Path; o.Observe != nil {
			o.Observe(v)
		}
	}
	board := runs.Board(dir.Path, false)
	if o.Share {
		dir.Writer = board.Self.Token
	} else {
		alone, err := board.Alone(ctx, runs.WholeRun)
		if err != nil {
			return fmt.Errorf("tune: %s: another process is at work on this search: %w", dir.Path, err)
		}
		defer alone.Tidy()
	}
	if err := dir.WriteJSON(StateFile, s); err != nil {
		return err
	}
	for i := range e.Sets {
		say(Event{Text: "reading the training part of " + e.Sets[i].Config.Name})
		training, err := prepare.ReadTraining(ctx, &e.Sets[i], e.Finder, runtime.GOMAXPROCS(0), o.Memory)
		if err != nil {
			return interrupted(ctx, err)
		}
		for _, w := range training.Warnings() {
			say(Event{Text: "warning: " + w})
		}
		sum := training.Sum()
		for _, entry := range e.Entries {
			keys := e.Keys(entry.Label)
			own := slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, "models.") })
			if len(keys) == 0 || entry.Info.Control && !own {
				continue
			}
			dims, err := dimensions(e, keys)
			if err != nil {
				return err
			}
			b := &bench{
				training: training, sum: sum, settings: t, dir: dir, workers: o.Workers, program: s.Version + " " + s.Revision,
				prepared: map[string]*folds{}, busy: map[string]*sync.Mutex{}, share: o.Share, board: board,
				find:      func(name string) (string, error) { return e.Finder.Find("", name) },
				candidate: func(values []string) (*experiment.Candidate, error) { return e.Candidate(i, entry.Label, values) },
			}
			one, err := search(ctx, b, entry.Label, dims, say)
			s.Trained += b.trained
			if err != nil {
				return interrupted(ctx, err)
			}
			s.Folds = b.inner.FoldNames()
			s.Searches = append(s.Searches, one)
			if err := dir.WriteJSON(StateFile, s); err != nil {
				return err
			}
		}
	}
	if len(s.Searches) == 0 {
		return errors.New("tune: no model has a key to search over")
	}
	s.Finished = time.Now().UTC()
	if err := errors.Join(dir.WriteJSON(StateFile, s), writeTrials(dir, s)); err != nil || o.NoTest {
		return err
	}
	if o.Share {
		alone, err := board.Alone(ctx, runs.WholeRun)
		if errors.Is(err, claim.ErrHeld) {
			say(Event{Text: "the test part is left to another process: " + err.Error()})
			return nil
		}
		if err != nil {
			return fmt.Errorf("tune: %w", err)
		}
		defer alone.Tidy()
		var now State // another process may have read it
		if err := record.ReadJSON(dir.Path, StateFile, &now); err != nil {
			return err
		}
		if now.Test != nil && !now.Test.Finished.IsZero() {
			*s = now
			return nil
		}
	}
	return s.test(ctx, e, dir, o, say)
}

func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// search tries settings of one model on one training part. It is given nothing of the test part: candidates have no
// data sets and no files, and training has no other rows.
func search(ctx context.Context, b *bench, label string, dims []dimension, say func(Event)) (*Search, error) {
	first, err := b.candidate(nil)
	if err != nil {
		return nil, err
	}
	labels := first.Entry.Info.Needs.Labels
	if b.inner, err = b.settings.InnerSplit(b.training.Set().Split, labels); err != nil {
		return nil, err
	}
	if err := b.possible(labels); err != nil {
		return nil, err
	}
	one := &Search{Data: b.training.Name(), Label: label, Sum: b.sum, Best: -1}
	one.Benign, one.Attack = b.training.Count()
	for _, d := range dims {
		one.Keys = append(one.Keys, d.key)
	}
	total := b.settings.Trials
	if b.settings.Method == "grid" && total == 0 {
		total = min(gridSize(dims), maxGrid) + 1
	}
	say(Event{Text: fmt.Sprintf("%s on %s: %d trials of %d cells", label, one.Data, total, b.cells())})
	done := 0
	b.ended = func(t *Trial) { // one at a time
		if t.Round == 0 {
			done++
		}
		say(Event{Data: one.Data, Label: label, Trial: t, Done: done, Total: total})
	}
	if err := one.run(ctx, b.settings, dims, b.cells(), better(b.settings), b.evaluate); err != nil {
		return nil, err
	}
	if one.Best < 0 {
		return nil, fmt.Errorf("tune: %s on %s: no trial is ok, first: %s", label, one.Data, one.Trials[0].Error)
	}
	return one, nil
}

// writeTrials is the trials as a table.
func writeTrials(dir *record.Directory, s *State) error {
	return dir.Write("trials.csv", func(w io.Writer) error { return s.table(w) })
}
