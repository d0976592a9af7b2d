package automata

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
	"plumbline/numeric/elementary"
)

// VisitTotal says what the visits of a state are compared with.
type VisitTotal string

const (
	DistinctStates VisitTotal = "states" // the number of distinct states so far, as in SEQUENT's program
	AllVisits      VisitTotal = "visits" // all visits so far, as in SEQUENT's text
)

// StateFrequency is SEQUENT's anomaly score: how much more often than in training a state is visited. It reads
// windows in order and remembers every visit, so a score depends on all windows before it. The counters
// may be saved and taken up again ([StateFrequency.Save], [LoadStateFrequency]), so that a stream can be scored in
// pieces. For each position of a window in state q, of S states,
//
//	s = ln(C(q)+1) − ln(N(q)+1) + ln(T+1) − ln(D+1)    DistinctStates
//	s = ln(C(q)+1) − ln(N(q)+1) + ln(T+S) − ln(V+S)    AllVisits
//
// with C(q) the visits of q so far and V their sum, D the distinct states so far, N(q) the visits of q in the training
// windows and T their sum. A window's score is the sum of s over its positions (Cao and
// others, State Frequency Estimation for Anomaly Detection, 2024; the first form is that of the code of SEQUENT, where
// the text speaks of visits). The first form grows with the length of the stream, as C does while D stops at S; the
// second compares two shares, smoothed alike, and stays where the stream is like training.
type StateFrequency struct {
	against  VisitTotal
	trained  []int64   // N
	expected []float64 // per state: ln(N+1)
	total    float64   // ln(T+1) or ln(T+S)
	Visits   []int64   // C
	distinct int
	all      int64
}

// NewStateFrequency starts with empty counters. trained[q] is N(q).
func NewStateFrequency(trained []int64, against VisitTotal) *StateFrequency {
	r := &StateFrequency{against: against, trained: slices.Clone(trained), Visits: make([]int64, len(trained))}
	sum := int64(0)
	for _, n := range trained {
		r.expected = append(r.expected, elementary.Log(float64(n)+1))
		sum += n
	}
	r.total = elementary.Log(float64(sum) + 1)
	if against == AllVisits {
		r.total = elementary.Log(float64(sum) + float64(len(trained)))
	}
	return r
}

// Resume takes up saved counters, one a state.
func (r *StateFrequency) Resume(visits []int64) {
	copy(r.Visits, visits)
	r.distinct, r.all = 0, 0
	for _, v := range r.Visits {
		if v > 0 {
			r.distinct++
		}
		r.all += v
	}
}

// Window scores one replayed window and counts its visits. cause is the position of the first largest
// term: the state there is the window's root cause. An empty window scores 0 with cause -1. States below
// zero (after a stop) are passed over.
func (r *StateFrequency) Window(states []int32) (score float64, cause int) {
	cause = -1
	top := math.Inf(-1)
	for i, q := range states {
		if q < 0 {
			continue
		}
		held := float64(r.distinct) + 1
		if r.against == AllVisits {
			held = float64(r.all) + float64(len(r.Visits))
		}
		s := elementary.Log(float64(r.Visits[q])+1) - r.expected[q] + r.total - elementary.Log(held)
		score += s
		if s > top {
			top, cause = s, i
		}
		if r.Visits[q] == 0 {
			r.distinct++
		}
		r.Visits[q]++
		r.all++
	}
	return score, cause
}

// stateFrequencyFile is the saved counters, one for each state of the machine.
type stateFrequencyFile struct {
	Machine string  `json:"machine"` // SHA-256 of the machine's JSON
	Trained []int64 `json:"trained"`
	Visits  []int64 `json:"visits"`

	Total VisitTotal `json:"total,omitempty"` // none: DistinctStates
}

// Save writes the counters of windows on machine m as JSON.
func (r *StateFrequency) Save(w io.Writer, m *machine.Machine) error {
	id, err := flexfringe.Fingerprint(m)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(w).Encode(stateFrequencyFile{id, r.trained, r.Visits, r.against}); err != nil {
		return fmt.Errorf("automata: write counters: %w", err)
	}
	return nil
}

// LoadStateFrequency takes up counters that Save wrote for the same machine. An error wraps ErrMachine and names
// the file, with line and column where it is no JSON.
func LoadStateFrequency(rd io.Reader, file string, m *machine.Machine) (*StateFrequency, error) {
	raw, err := io.ReadAll(rd)
	if err != nil {
		return nil, fmt.Errorf("automata: %s: %w", file, err)
	}
	var f stateFrequencyFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("automata: %w: %s: %w", flexfringe.ErrMachine,
			flexfringe.FilePosition(file, raw, flexfringe.JSONErrorOffset(err)), err)
	}
	id, err := flexfringe.Fingerprint(m)
	if err != nil {
		return nil, err
	}
	n := len(m.States)
	if f.Machine != id || len(f.Trained) != n || len(f.Visits) != n {
		return nil, fmt.Errorf("automata: %w: %s: the counters belong to another machine", flexfringe.ErrMachine, file)
	}
	total := int64(0)
	for q := range n {
		const limit = 1 << 53
		if f.Trained[q] < 0 || f.Visits[q] < 0 || f.Visits[q] > limit || f.Trained[q] > limit || total > limit {
			return nil, fmt.Errorf("automata: %w: %s: a counter of state %d is out of range", flexfringe.ErrMachine,
				file, m.States[q].ID)
		}
		total += f.Trained[q]
	}
	switch f.Total {
	case "":
		f.Total = DistinctStates
	case DistinctStates, AllVisits:
	default:
		return nil, fmt.Errorf("automata: %w: %s: visits against %q", flexfringe.ErrMachine, file, f.Total)
	}
	r := NewStateFrequency(f.Trained, f.Total)
	r.Resume(f.Visits)
	return r, nil
}
