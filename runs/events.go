package runs

import (
	"plumbline/models"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// EventKind says what an Event reports.
type EventKind int

// Event is one step of a run, for progress displays. Observers are called from several goroutines, one at
// a time.
type Event struct {
	Kind        EventKind
	Dir         string
	Data        string // name of the data set
	Text        string
	Cell        experiment.Cell
	Epoch       models.Epoch
	Result      record.Result
	Done, Total int
}

func (r *run) observe(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == Finished {
		r.done++
		r.results[e.Cell.Path()] = e.Result
	}
	e.Dir, e.Done, e.Total = r.dir.Path, r.done, r.total
	if r.opt.Observe != nil {
		r.opt.Observe(e)
	}
}

const (
	Planned   EventKind = iota // the run directory stands; Total is the number of cells, Done those of an earlier attempt
	Preparing                  // a data set is being read and prepared
	Prepared                   // a data set is ready; Text says what it holds
	Warned                     // Text is a warning about a data set
	Started                    // a cell begins
	EpochDone                  // a cell made progress
	Scoring                    // a cell's model is fitted, and scores
	Judging                    // a cell's scores stand; metrics and intervals are computed
	Finished                   // a cell ended; Result says how
)
