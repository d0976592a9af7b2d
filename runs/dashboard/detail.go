package dashboard

import (
	"cmp"
	"context"
	"slices"
)

// Detail is what is known of one flow beyond its columns in the charts.
type Detail struct {
	Where   string      `json:"where"`  // file:line
	Values  [][2]string `json:"values"` // every column and its text
	Reasons []Reason    `json:"reasons,omitempty"`
	Why     string      `json:"why,omitempty"` // how the reasons were found, or why there are none
}

// Reason is a column that a score comes from.
type Reason struct {
	Name   string  `json:"name"`
	Share  float64 `json:"share"`  // of all that adds to the score, between 0 and 1
	Actual string  `json:"actual"` // in this flow
	Usual  string  `json:"usual"`  // in flows that score low, or what the model expects
}

// Detailer looks up details of flows, given by place.
type Detailer func(ctx context.Context, places []int) (map[int]*Detail, error)

// highest is the places of the first n of the flows that the table of alarms begins with.
func (f *Flows) highest(n int) []int {
	var at []int
	for i := range f.Own() {
		if f.Mark == "" || f.Flag[i]&marked != 0 {
			at = append(at, i)
		}
	}
	if f.Score != nil {
		slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(rankOf(f.Score[b]), rankOf(f.Score[a])) })
		return at[:min(n, len(at))]
	}
	slices.Reverse(at)
	return at[:min(n, len(at))]
}
