package join

import (
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// index finds rules by the values that they want. Rules that want values of the same columns share a group.
type index struct {
	groups []*group
}

// group is the rules that want values of the same columns, none of them a network but those in nets.
type group struct {
	columns []int
	swapped []int // the columns to look at where a row stands the other way round; nil: it may not
	by      map[string]*timeline
	nets    []*rule // rules with networks, in order
}

// timeline is rules of the same values by the time at which they begin, with the latest end up to each.
type timeline struct {
	rules  []*rule
	latest []int64
}

func newIndex(rules []rule, columns []string, mirror [][]string) *index {
	swap := make([]int, len(columns))
	for k := range swap {
		swap[k] = k
	}
	for _, p := range mirror {
		a, b := slices.Index(columns, p[0]), slices.Index(columns, p[1])
		swap[a], swap[b] = b, a
	}
	ix := &index{}
	at := map[string]*group{}
	for i := range rules {
		r := &rules[i]
		r.networks = make([]netip.Prefix, len(r.want))
		var wanted []int
		net := false
		var mask []byte
		for k, text := range r.want {
			mask = append(mask, '0')
			if text == "" {
				continue
			}
			mask[k] = '1'
			wanted = append(wanted, k)
			if strings.Contains(text, "/") {
				if p, err := netip.ParsePrefix(text); err == nil {
					r.networks[k], net = p.Masked(), true
				}
			}
		}
		g := at[string(mask)]
		if g == nil {
			g = &group{columns: wanted, by: map[string]*timeline{}}
			if len(mirror) > 0 {
				for _, k := range wanted {
					g.swapped = append(g.swapped, swap[k])
				}
			}
			at[string(mask)] = g
			ix.groups = append(ix.groups, g)
		}
		if net {
			g.nets = append(g.nets, r)
			continue
		}
		key := g.key(r.want, g.columns)
		if g.by[key] == nil {
			g.by[key] = &timeline{}
		}
		g.by[key].rules = append(g.by[key].rules, r)
	}
	for _, g := range ix.groups {
		for _, t := range g.by {
			t.sort()
		}
	}
	return ix
}

func (g *group) key(values []string, columns []int) string {
	var b strings.Builder
	for _, k := range columns {
		b.WriteString(values[k])
		b.WriteByte(0)
	}
	return b.String()
}

func (t *timeline) sort() {
	slices.SortFunc(t.rules, byFrom)
	for i, r := range t.rules {
		latest := r.to
		if i > 0 {
			latest = max(latest, t.latest[i-1])
		}
		t.latest = append(t.latest, latest)
	}
}

// find is the rule that fits a row and stands first in the second table; nil: none.
func (ix *index) find(row []string, from, to int64) (best *rule) {
	take := func(r *rule) {
		if best == nil || r.order < best.order {
			best = r
		}
	}
	for _, g := range ix.groups {
		for pass, columns := range [][]int{g.columns, g.swapped} {
			if pass == 1 && columns == nil {
				break
			}
			if t := g.by[g.key(row, columns)]; t != nil && !missing(row, columns) {
				t.find(from, to, take)
			}
			for _, r := range g.nets {
				if r.from <= to && r.to >= from && g.fits(r, row, columns) {
					take(r)
				}
			}
		}
	}
	return best
}

// find gives the rules whose interval overlaps [from, to].
func (t *timeline) find(from, to int64, take func(*rule)) {
	i := sort.Search(len(t.rules), func(i int) bool { return t.rules[i].from > to })
	for i--; i >= 0 && t.latest[i] >= from; i-- {
		if t.rules[i].to >= from {
			take(t.rules[i])
		}
	}
}

// missing says whether a row has no value where one is wanted.
func missing(row []string, columns []int) bool {
	return slices.ContainsFunc(columns, func(k int) bool { return row[k] == "" })
}

// fits compares a row with a rule that wants networks.
func (g *group) fits(r *rule, row []string, columns []int) bool {
	for i, k := range g.columns {
		value := row[columns[i]]
		if p := r.networks[k]; p.IsValid() {
			a, err := netip.ParseAddr(value)
			if err != nil || !p.Contains(a) {
				return false
			}
		} else if value != r.want[k] {
			return false
		}
	}
	return true
}
