package alerts

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"time"
)

// Group is the alerts of a model with one root cause. What a [Gate] has changed of one has the counts since it was last
// asked.
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
	// Dropped is how many groups had to make room for others, and Open how many of them were in the middle of a stretch
	// of the limit, which begins anew when they come again.
	Dropped, Open int64

	rules   Rules
	most    int
	groups  map[string]*list.Element // of *Group
	order   *list.List               // the one with the latest alert first
	changed map[string]bool
	gone    map[string]bool
	clock   Clock
	benign  map[string]bool
}

// Clock is the latest time of the traffic, as alerts tell it. Where their times jump by more than a day, it follows as
// soon as a second alert says the same: a single wrong time, which who makes traffic may have chosen, does not hold all
// later alerts to a stretch of the limit that never ends, and a clock that was set back is followed.
type Clock struct {
	Now   time.Time `json:"now,omitzero"`
	Doubt time.Time `json:"doubt,omitzero"` // where the alert before jumped to
}

// farther is from where on a time is a jump.
const farther = 24 * time.Hour

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= farther }

// set takes the time of the next alert, and gives the time that holds for it: late ones count as of now, and one that
// jumps ahead by itself.
func (c *Clock) set(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return c.Now
	case c.Now.IsZero(), !near(t, c.Now) && !c.Doubt.IsZero() && near(t, c.Doubt):
		*c = Clock{Now: t}
	case near(t, c.Now):
		if c.Doubt = (time.Time{}); t.After(c.Now) {
			c.Now = t
		}
	default:
		if c.Doubt = t; t.After(c.Now) {
			return t
		}
	}
	return c.Now
}

// NewGate goes on from the groups so far, the one with the latest alert last ([Store.Limits]). It remembers at most
// that many groups (0: any number): for one more, the one goes whose last alert came before those of all others, so
// that those whose stretch of the limit is over go first.
func NewGate(r Rules, groups []Group, clock Clock, most int64) *Gate {
	g := &Gate{rules: r, most: int(most), groups: map[string]*list.Element{}, order: list.New(),
		changed: map[string]bool{}, gone: map[string]bool{}, clock: clock, benign: map[string]bool{}}
	for i := range groups {
		group := groups[i]
		group.Alerts, group.Limited, group.Ignored = 0, 0, 0
		g.groups[group.ID] = g.order.PushFront(&group)
	}
	return g
}

// stretch is the number of the stretch of the limit that a time is in.
func (g *Gate) stretch(at time.Time) int64 {
	if per := int64(g.rules.Limit.Per); per > 0 && !at.IsZero() {
		return at.UnixNano() / per
	}
	return 0
}

// group is that of an alert, as the one with the latest.
func (g *Gate) group(a *Alert) *Group {
	if e := g.groups[a.Group]; e != nil {
		g.order.MoveToFront(e)
		return e.Value.(*Group)
	}
	group := &Group{ID: a.Group, Model: a.Model, Hash: a.Hash, Cause: a.Cause, First: a.Time, Highest: a.Score,
		Stretch: -1}
	g.groups[a.Group] = g.order.PushFront(group)
	for g.most > 0 && g.order.Len() > g.most {
		old := g.order.Remove(g.order.Back()).(*Group)
		delete(g.groups, old.ID)
		delete(g.changed, old.ID)
		g.gone[old.ID] = true
		if g.Dropped++; g.rules.Limit.Alerts > 0 && old.Stretch == g.stretch(g.clock.Now) {
			g.Open++
		}
	}
	return group
}

// Benign takes over what an analyst called false: each gives those alerts, of which group, ends and entity are looked
// at.
func (g *Gate) Benign(each func(do func(*Alert) error) error) error {
	found := map[string]bool{}
	err := each(func(a *Alert) error {
		found[g.benignKey(a)] = true
		return nil
	})
	if err != nil {
		return err
	}
	delete(found, "")
	g.benign = found
	return nil
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
	at := g.clock.set(a.Time)
	group := g.group(a)
	g.changed[a.Group] = true
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
		if now := g.stretch(at); now != group.Stretch {
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

// Changed is the groups that changed since the last call, the one with the latest alert last, with the counts since
// then, the IDs of those that had to go, and the clock.
func (g *Gate) Changed() (changed []Group, gone []string, clock Clock) {
	if len(g.changed) > 0 {
		for e := g.order.Front(); e != nil && len(changed) < len(g.changed); e = e.Next() {
			group := e.Value.(*Group)
			if !g.changed[group.ID] {
				continue
			}
			changed = append(changed, *group)
			group.Alerts, group.Limited, group.Ignored = 0, 0, 0
		}
		slices.Reverse(changed)
	}
	gone = slices.Sorted(maps.Keys(g.gone))
	clear(g.changed)
	clear(g.gone)
	return changed, gone, g.clock
}
