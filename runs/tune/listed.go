package tune

import (
	"path/filepath"

	"plumbline/runs/record"
)

// Listing is a search as listings of runs show it.
type Listing struct {
	State  string // unfinished, untested (the test part was not read to its end), finished or damaged
	Trials int    // that ended
}

// Listed is what listings show of a directory of a search; nil for a run. The cells that read its test part become
// those of the record.
func Listed(r *record.Record) *Listing {
	var s State
	if record.ReadJSON(r.Dir, StateFile, &s) != nil {
		return nil
	}
	l := &Listing{State: "finished"}
	for _, one := range s.Searches {
		l.Trials += len(one.Trials)
	}
	if s.Finished.IsZero() {
		l.State = "unfinished"
	} else if s.Test == nil || s.Test.Finished.IsZero() {
		l.State = "untested"
	}
	if s.Test != nil {
		for _, name := range s.Test.Runs {
			if one, err := record.Open(filepath.Join(r.Dir, name)); err == nil && filepath.IsLocal(name) {
				r.Results, r.Faults = append(r.Results, one.Results...), append(r.Faults, one.Faults...)
			}
		}
	}
	if r.Faults != nil {
		l.State = "damaged"
	}
	return l
}
