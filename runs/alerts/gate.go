package alerts

import (
	"cmp"
	"slices"
	"time"
)

// Group is the alerts of a model with one root cause.
type Group struct {
	ID      string    `json:"group"`
	Model   string    `json:"model"`
	Hash    string    `json:"model_hash"`
	Cause   string    `json:"cause"`
	First   time.Time `json:"first,omitzero"` // of the traffic
	Last    time.Time `json:"last,omitzero"`
	Alerts  int64     `json:"alerts"`        // that were given on
	Limited int64     `json:"limited"`       // held back by the limit; they are in the store
	Ignored int64     `json:"ignored"`       // by the rules or by a verdict
	Highest float64   `json:"highest_score"` // of all of them

	// state of the limit
	Stretch int64 `json:"-"` // number of the current one
	Within  int64 `json:"-"` // alerts given on in it
	Held    int64 `json:"-"` // held back since the last that was not
}

// Fate is what becomes of an alert.
type Fate int

// Fates.
const (
	Given   Fate = iota // kept in the store and given on
	Limited             // kept in the store
	Ignored             // counted
)

// Gate decides what becomes of alerts, in their order. What it decides depends on the alerts before and on the
// traffic's own time alone, so that a stream that is read again in other pieces has the same alerts. It is not safe for
// concurrent use.
type Gate struct {
	rules   Rules
	groups  map[string]*Group
	changed map[string]bool
	clock   time.Time // latest time of the traffic
	benign  map[string]bool
}

// NewGate goes on from the groups so far.
func NewGate(r Rules, groups []Group, clock time.Time) *Gate {
	g := &Gate{rules: r, groups: map[string]*Group{}, changed: map[string]bool{}, clock: clock, benign: map[string]bool{}}
	for i := range groups {
		group := groups[i]
		g.groups[group.ID] = &group
	}
	return g
}

// Benign is what an analyst called false: the keys of [Alert.entityKey] or of groups, as the rules say.
func (g *Gate) Benign(judged []Alert) {
	clear(g.benign)
	for i := range judged {
		g.benign[g.benignKey(&judged[i])] = true
	}
	delete(g.benign, "")
}

// benignKey is what a verdict false says of further alerts; empty: nothing.
func (g *Gate) benignKey(a *Alert) string {
	switch g.rules.Verdicts {
	case "entity":
		return a.Group + "\x00" + cmp.Or(a.Source, a.Entity) + "\x00" + a.Dest
	case "group":
		return a.Group
	}
	return ""
}

// Pass decides what becomes of an alert, and notes in it how many were held back before it. disguise changes what is
// kept, such as addresses, after the rules have seen them; nil: nothing.
func (g *Gate) Pass(a *Alert, disguise func(*Alert)) Fate {
	group := g.groups[a.Group]
	if group == nil {
		group = &Group{ID: a.Group, Model: a.Model, Hash: a.Hash, Cause: a.Cause, First: a.Time, Highest: a.Score,
			Stretch: -1}
		g.groups[a.Group] = group
	}
	g.changed[a.Group] = true
	if a.Time.After(g.clock) {
		g.clock = a.Time
	}
	if !a.Time.IsZero() {
		if group.First.IsZero() || a.Time.Before(group.First) {
			group.First = a.Time
		}
		if a.Time.After(group.Last) {
			group.Last = a.Time
		}
	}
	group.Highest = max(group.Highest, a.Score)
	ignored := slices.ContainsFunc(g.rules.Ignore, func(r Ignore) bool { return r.Fits(a) })
	if disguise != nil {
		disguise(a)
		group.Cause = a.Cause
	}
	if ignored || g.benign[g.benignKey(a)] {
		group.Ignored++
		return Ignored
	}
	if l := g.rules.Limit; l.Alerts > 0 {
		now := int64(0)
		if per := int64(l.Per); per > 0 && !g.clock.IsZero() {
			now = g.clock.UnixNano() / per
		}
		if now != group.Stretch {
			group.Stretch, group.Within = now, 0
		}
		if group.Within >= l.Alerts {
			group.Limited++
			group.Held++
			a.Limited = true
			return Limited
		}
		group.Within++
	}
	a.Held, group.Held = group.Held, 0
	group.Alerts++
	return Given
}

// Changed is the groups that changed since the last call, by ID, and the latest time of the traffic.
func (g *Gate) Changed() ([]Group, time.Time) {
	var out []Group
	for id := range g.changed {
		out = append(out, *g.groups[id])
	}
	clear(g.changed)
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
	return out, g.clock
}
