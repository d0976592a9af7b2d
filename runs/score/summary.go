package score

import (
	"fmt"
	"math"
	"slices"
	"time"

	"plumbline/data"
	"plumbline/data/profile"
	"plumbline/data/source"
	"plumbline/eval"
	"plumbline/runs/bundle"
)

// Summary is what scoring found of the input as a whole.
type Summary struct {
	Model     string      `json:"model"`
	Label     string      `json:"label"`
	Hash      string      `json:"model_sha256"`
	Files     []string    `json:"files"`
	Read      string      `json:"read"`    // as the training data, as NAME, as inferred
	Columns   []string    `json:"columns"` // which stand for which, where names are others
	Rows      int64       `json:"rows"`
	Bad       int         `json:"bad_rows"`
	Unit      string      `json:"unit"`
	Units     int64       `json:"units"` // judged
	Small     int64       `json:"units_of_few_flows"`
	Alarms    int64       `json:"alarms"`
	Threshold eval.Number `json:"threshold"`
	// Seconds is from the first to the last time, and PerDay how many alarms there are in 24 hours; null: there are no
	// times, or all are the same.
	Seconds eval.Number `json:"seconds"`
	PerDay  eval.Number `json:"alarms_per_day"`
	// Expected is how many alarms there would be in benign traffic as in training, by the share of held-out scores above
	// the threshold, (1 + n) / (1 + all); null: there are none.
	Expected eval.Number `json:"alarms_expected"`
	// PValues says how many held-out scores p-values are taken from. 0: there are none, and no p-values.
	PValues int             `json:"p_values_from"`
	Reasons string          `json:"reasons,omitempty"` // how reasons were found
	Drift   []profile.Drift `json:"drift"`             // of each column, largest first; of a model without a profile none
	Moved   []string        `json:"moved"`             // columns that are not as in training
	Unknown []Unknown       `json:"unknown"`           // categories that were not there in training
	// Late is events that came after later ones of their trace had been judged; ClosedEarly is traces or units that
	// were closed before the input ended, since no more may be held; Batches is in how many pieces a model that judges
	// rows together was given them.
	Late        int64    `json:"late"`
	ClosedEarly int64    `json:"closed_early"`
	Batches     int      `json:"batches,omitempty"`
	Truth       *Truth   `json:"truth,omitempty"` // with labels
	Warnings    []string `json:"warnings"`
	Notes       []string `json:"notes"`

	from, to int64
	unknowns map[string]*Unknown
}

// Unknown is a column with categories that the model does not know. All of them count as one that was never seen.
type Unknown struct {
	Column string   `json:"column"`
	Rows   int64    `json:"rows"`
	Share  float64  `json:"share"`
	Some   []string `json:"some"` // of them
}

// Truth is how many units of each kind are alarms.
type Truth struct {
	Benign       int64       `json:"benign"`
	BenignAlarms int64       `json:"benign_alarms"`
	Attacks      int64       `json:"attacks"`
	AttackAlarms int64       `json:"attack_alarms"`
	FPR          eval.Number `json:"fpr"`
	Recall       eval.Number `json:"recall"`
}

func newSummary(b *bundle.Bundle, in *bundle.Input) *Summary {
	s := &Summary{
		Model: b.Model, Label: b.Label, Hash: b.Hash, Files: in.Files, Read: in.Way, Columns: in.Notes,
		Unit: b.Unit.Name, Threshold: b.Threshold.Score, Drift: []profile.Drift{}, Moved: []string{},
		Unknown: []Unknown{}, Warnings: []string{}, Notes: []string{},
		from: math.MaxInt64, to: math.MinInt64, unknowns: map[string]*Unknown{},
	}
	if s.Columns == nil {
		s.Columns = []string{}
	}
	if b.Calibration != nil {
		s.PValues = b.Calibration.N
	}
	return s
}

// someTexts is how many unknown categories of a column are named.
const someTexts = 5

// unknown counts the rows of a column whose category is not among the known, and keeps some as they are to be shown.
func (s *Summary) unknown(c *data.Column, known map[string]bool, show func(data.ColumnType, string) string) {
	var other []bool
	for code, l := range c.Levels {
		if !known[l] {
			if other == nil {
				other = make([]bool, len(c.Levels))
			}
			other[code] = true
		}
	}
	if other == nil {
		return
	}
	u := s.unknowns[c.Name]
	if u == nil {
		u = &Unknown{Column: c.Name}
		s.unknowns[c.Name] = u
	}
	for _, code := range c.Code {
		if code == data.Missing || !other[code] {
			continue
		}
		u.Rows++
		if text := show(c.Type, c.Levels[code]); len(u.Some) < someTexts && !slices.Contains(u.Some, text) {
			u.Some = append(u.Some, text)
		}
	}
}

// count counts a row by its truth.
func (r *run) count(t *data.Table, row int32, alarm bool) {
	if r.o.Labels && t.Attack != nil {
		r.sum.truth(t.Attack[row], alarm)
	}
}

func (s *Summary) truth(attack, alarm bool) {
	if s.Truth == nil {
		s.Truth = &Truth{}
	}
	all, alarms := &s.Truth.Benign, &s.Truth.BenignAlarms
	if attack {
		all, alarms = &s.Truth.Attacks, &s.Truth.AttackAlarms
	}
	*all++
	if alarm {
		*alarms++
	}
}

// end is what can be said when all is read.
func (s *Summary) end(r *run, rep *source.ReadReport) {
	s.Rows, s.Bad = r.rows, rep.Bad
	for _, w := range rep.Warnings { // a row that could not be read may have an address in the wrong column
		s.Warnings = append(s.Warnings, r.o.Pseudonyms.Said(w, r.in.Named))
	}
	s.Notes = append(s.Notes, rep.Notes...)
	warn := func(format string, args ...any) { s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...)) }
	s.Seconds, s.PerDay = eval.Number(math.NaN()), eval.Number(math.NaN())
	if s.to > s.from {
		s.Seconds = eval.Number(float64(s.to-s.from) / float64(time.Second))
		s.PerDay = eval.Number(float64(s.Alarms) * 86400 / float64(s.Seconds))
	}
	if math.IsNaN(r.limit) {
		warn("the model has no threshold: nothing is an alarm")
	}
	if s.PValues == 0 {
		warn("the model keeps no held-out scores: there are no p-values")
	}
	s.expect(r, warn)
	if r.counter != nil {
		s.Drift = append(s.Drift, r.counter.Drift()...)
	} else {
		warn("the model does not say what its training rows were like: drift is not looked for")
	}
	for _, d := range s.Drift {
		if d.Moved {
			s.Moved = append(s.Moved, d.Column)
		}
	}
	if len(s.Moved) > 0 {
		worst := s.Drift[0]
		warn("%d of %d columns are not as in training (stability index above %g), most %s (%.2f): scores and "+
			"p-values are of traffic that the model does not know", len(s.Moved), len(s.Drift), profile.Shift, worst.Column,
			worst.PSI)
	}
	for _, u := range s.unknowns {
		u.Share = float64(u.Rows) / float64(max(1, s.Rows))
		if u.Rows > 0 {
			s.Unknown = append(s.Unknown, *u)
		}
	}
	slices.SortFunc(s.Unknown, func(a, b Unknown) int {
		if a.Rows != b.Rows {
			return int(b.Rows - a.Rows)
		}
		return slices.Compare([]string{a.Column}, []string{b.Column})
	})
	for _, u := range s.Unknown {
		warn("%s: %d rows (%.3g %%) have values that were not there in training, such as %s", u.Column, u.Rows, 100*u.Share,
			u.Some[0])
	}
	if s.ClosedEarly > 0 {
		warn("%d traces or units were closed before the input ended: more than %d would have been held", s.ClosedEarly,
			r.o.Hold)
	}
	if s.Batches > 1 {
		warn("the model judges rows together: it was given them in %d pieces, of at most %d rows", s.Batches, r.o.Hold)
	}
	if s.Late > 0 {
		warn("%d events came after later ones of their traces had been judged, and stand after them", s.Late)
	}
	if t := s.Truth; t != nil {
		t.FPR, t.Recall = share(t.BenignAlarms, t.Benign), share(t.AttackAlarms, t.Attacks)
	} else if r.o.Labels {
		warn("there are no labels")
	}
}

// expect says how many alarms benign traffic as in training would have, and whether chance explains those that there
// are.
func (s *Summary) expect(r *run, warn func(format string, args ...any)) {
	c := r.b.Calibration
	s.Expected = eval.Number(math.NaN())
	if s.PValues == 0 || math.IsNaN(r.limit) {
		return
	}
	over := c.P(math.Nextafter(r.limit, math.Inf(1))) // (1 + those above the limit)/(1 + all)
	units, alarms := s.Units, s.Alarms
	s.Expected = eval.Number(over * float64(units))
	if t := s.Truth; t != nil {
		units, alarms = t.Benign, t.BenignAlarms
	}
	above := int(math.Round(over*float64(c.N+1))) - 1
	if !eval.TooMany(int(alarms), int(units), c.N, above) {
		return
	}
	why := "attacks are among them, or the threshold does not hold for this traffic"
	if s.Truth != nil {
		why = "the threshold does not hold for this traffic"
	}
	warn("%d of %d %ss are alarms, %.3g would be in traffic as in training, which chance does not explain: %s",
		alarms, units, s.Unit, over*float64(units), why)
}

func share(n, of int64) eval.Number {
	if of == 0 {
		return eval.Number(math.NaN())
	}
	return eval.Number(float64(n) / float64(of))
}
