package watch

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"plumbline/runs/bundle"
)

// entity is what is known of one host or connection: what its score is made of.
type entity struct {
	N       int64   `json:"n"` // rows
	Sum     float64 `json:"sum"`
	Max     float64 `json:"max"`
	Last    float64 `json:"last"`
	Over    int64   `json:"over"` // rows above the flow limit
	Alarmed bool    `json:"alarmed,omitempty"`
	Time    int64   `json:"time,omitempty"`  // the latest of its rows, nanoseconds
	Doubt   bool    `json:"doubt,omitempty"` // the row before was more than a day older than that
}

// heard takes the time of a row. Late ones are passed over, but where two in a row are late by more than a day: the
// clock was set back, or the latest time was wrong, and would keep the unit from ever beginning anew.
func (e *entity) heard(at int64) {
	far := at != 0 && e.Time-at > int64(24*time.Hour)
	if at > e.Time || far && e.Doubt {
		e.Time, far = at, false
	}
	e.Doubt = far
}

// entities judges units of several rows after each of their rows, by all of them so far. A unit that had none for the
// idle time of the traffic begins anew.
type entities struct {
	rule   bundle.Rule
	least  int64 // rows of a unit that is judged
	limit  float64
	idle   time.Duration
	recent *recent[*entity]
}

func newEntities(b *bundle.Bundle, idle time.Duration, most bounds) *entities {
	const size = 64
	return &entities{rule: b.Rule(), least: int64(b.MinFlows), limit: float64(b.Threshold.Score), idle: idle,
		recent: newRecent(most, func(*entity) int64 { return size })}
}

// add adds a row's score to its unit, and gives the score of the unit and whether this row makes it an alarm.
func (u *entities) add(key string, score float64, at int64) (total float64, alarm bool) {
	e, ok := u.recent.get(key)
	if !ok || u.idle > 0 && at != 0 && e.Time != 0 && at-e.Time > int64(u.idle) {
		e = &entity{Max: math.Inf(-1)}
	}
	e.N++
	e.Sum += score
	e.Max, e.Last = max(e.Max, score), score
	if score > u.rule.FlowLimit {
		e.Over++
	}
	e.heard(at)
	switch u.rule.Unit {
	case "mean":
		total = e.Sum / float64(e.N)
	case "last":
		total = e.Last
	case "share":
		total = float64(e.Over) / float64(e.N)
	default:
		total = e.Max
	}
	above := total > u.limit && e.N >= u.least
	alarm, e.Alarmed = above && !e.Alarmed, above
	u.recent.put(key, e)
	return total, alarm
}

func (e *entity) encode() []byte {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("watch: %v", err)) // scores are finite
	}
	return raw
}
