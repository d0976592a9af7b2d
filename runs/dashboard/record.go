package dashboard

import (
	"math"

	"plumbline/eval"
)

// Record is one flow as tables show it.
type Record struct {
	I     int           `json:"i"`  // its place in the order of time
	At    *int64        `json:"at"` // milliseconds since 1970, or the row; null: no time
	Flag  uint8         `json:"flag"`
	Dims  []string      `json:"dims"`
	Nums  []eval.Number `json:"nums"`
	Score eval.Number   `json:"score"`
}

// Record is the flow at a place.
func (f *Flows) Record(i int) Record {
	r := Record{I: i, Flag: f.Flag[i], Dims: []string{}, Nums: []eval.Number{}, Score: eval.Number(math.NaN())}
	if f.Bin[i] != nowhere {
		at := f.At[i]
		r.At = &at
	}
	for k := range f.Dims {
		r.Dims = append(r.Dims, f.Dims[k].Levels[f.Dims[k].Code[i]])
	}
	for k := range f.Nums {
		r.Nums = append(r.Nums, eval.Number(f.Nums[k].Scale.value(f.Nums[k].Code[i])))
	}
	if f.Score != nil {
		r.Score = eval.Number(f.ScoreScale.value(f.Score[i]))
	}
	return r
}

// Own is how many flows there are without those of the profile, which come after them.
func (f *Flows) Own() int {
	if f.Profile == nil {
		return f.N
	}
	return f.N - f.Profile.N
}

// nearby is how many flows are shown before a flow, and after it.
const nearby = 8

// Near is the flows before and after one in time, all of them or those of the same source.
func (f *Flows) Near(i int, same bool) []Record {
	k := f.dim("src")
	fits := func(j int) bool { return !same || k < 0 || f.Dims[k].Code[j] == f.Dims[k].Code[i] }
	var before, after []Record
	for j := i - 1; j >= 0 && len(before) < nearby; j-- {
		if fits(j) {
			before = append([]Record{f.Record(j)}, before...)
		}
	}
	for j := i + 1; j < f.Own() && len(after) < nearby; j++ {
		if fits(j) {
			after = append(after, f.Record(j))
		}
	}
	return append(append(before, f.Record(i)), after...)
}
