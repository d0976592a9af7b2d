package dashboard

import (
	"cmp"
	"slices"
)

// hosts are the sources, or destinations, with the most marked flows and then the most flows, and what they did.
func (c *counter) hosts(key, peer string, t *tally) []Host {
	f, out := c.f, []Host{}
	k := f.dim(key)
	if k < 0 {
		return out
	}
	n, m := t.dims[k].N, t.dims[k].M
	if t.inside[k].N != nil {
		n, m = t.inside[k].N, t.inside[k].M
	}
	var at []int
	for i := range n {
		if n[i] > 0 {
			at = append(at, i)
		}
	}
	slices.SortFunc(at, func(a, b int) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(n[b], n[a]), cmp.Compare(a, b))
	})
	at = at[:min(len(at), topHosts)]
	rank := make([]int8, len(n))
	for i := range rank {
		rank[i] = -1
	}
	for r, code := range at {
		rank[code] = int8(r)
		out = append(out, Host{Bar: Bar{Name: f.Dims[k].Levels[code], N: n[code], M: m[code]}})
	}
	other, service := f.dim(peer), f.dim("service")
	seen := func(dim int) [][]bool {
		sets := make([][]bool, len(at))
		for r := range sets {
			if dim >= 0 {
				sets[r] = make([]bool, len(f.Dims[dim].Levels))
			}
		}
		return sets
	}
	peers, services := seen(other), seen(service)
	for i, kept := range c.kept {
		if !kept {
			continue
		}
		r := rank[f.Dims[k].Code[i]]
		if r < 0 {
			continue
		}
		h := &out[r]
		if other >= 0 {
			if code := f.Dims[other].Code[i]; !peers[r][code] {
				peers[r][code] = true
				h.Peers++
			}
		}
		if service >= 0 {
			if code := f.Dims[service].Code[i]; !services[r][code] {
				services[r][code] = true
				h.Services++
			}
		}
		if c.out != nil {
			h.Out += f.valueOut[c.out[i]]
		}
		if c.in != nil {
			h.In += f.valueIn[c.in[i]]
		}
	}
	return out
}

// list is a page of the marked flows that are kept, of all kept ones where nothing is ever marked: those of the highest
// score first, or the latest.
func (c *counter) list(q Query) (out List) {
	f := c.f
	out.Rows = []Record{}
	var at []int
	defer func() {
		for _, i := range at {
			out.Rows = append(out.Rows, f.Record(i))
		}
	}()
	wanted := func(i int) bool { return c.kept[i] && (f.Mark == "" || f.Flag[i]&marked != 0) }
	if q.Sort == "time" || f.Score == nil {
		for i := f.N - 1; i >= 0; i-- {
			if wanted(i) {
				if out.Total >= q.Offset && len(at) < pageFlows {
					at = append(at, i)
				}
				out.Total++
			}
		}
		return out
	}
	count := make([]int, none+1)
	for i := range c.kept {
		if wanted(i) {
			count[rankOf(f.Score[i])]++
			out.Total++
		}
	}
	// the flows of the page are within those whose score is no less than that of its last
	limit, above := none, 0
	for ; limit > 0 && above+count[limit] < q.Offset+pageFlows; limit-- {
		above += count[limit]
	}
	for i := range c.kept {
		if wanted(i) && rankOf(f.Score[i]) >= limit {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		return cmp.Compare(rankOf(f.Score[b]), rankOf(f.Score[a]))
	})
	from := min(q.Offset, len(at))
	at = at[from:min(from+pageFlows, len(at))]
	return out
}

// rankOf orders the codes of scores, missing ones first.
func rankOf(code uint16) int {
	if code == none {
		return 0
	}
	return int(code) + 1
}
