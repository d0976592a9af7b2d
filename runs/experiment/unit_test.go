package experiment

import (
	"slices"
	"testing"

	"plumbline/data"
)

func tracesOver(windows ...[]int32) *data.Set {
	s := &data.Set{Kind: data.Traces, N: len(windows)}
	for _, w := range windows {
		s.Traces = append(s.Traces, data.Trace{Rows: w})
	}
	return s
}

// TestLift by hand: rows 4, 7, 9 and two overlapping windows, entities A = {4, 9} and B = {7}.
func TestLift(t *testing.T) {
	us := &Units{Rows: []int32{4, 7, 9}, Unit: []int32{0, 1, 0}, Keys: []string{"A", "B"}, First: []int32{4, 7}}
	set := tracesOver([]int32{4, 7}, []int32{7, 9})
	for _, c := range []struct {
		rule Aggregate
		want [2]float64
	}{
		{Aggregate{Flow: "max", Unit: "max"}, [2]float64{2, 2}},       // rows 1 2 2
		{Aggregate{Flow: "mean", Unit: "mean"}, [2]float64{1.5, 1.5}}, // rows 1 1.5 2
		// row 7 ends window 1, row 9 ends window 2, row 4 takes window 1
		{Aggregate{Flow: "last", Unit: "last"}, [2]float64{2, 1}},
		{Aggregate{Flow: "last", Unit: "mean"}, [2]float64{1.5, 1}},
		{Aggregate{Flow: "max", Unit: "share"}, [2]float64{0.5, 1}}, // above 1.2 are rows 7 and 9
	} {
		flows, err := us.Flows(set, []float64{1, 2}, c.rule.Flow)
		if got := us.Gather(flows, c.rule.Unit, 1.2); err != nil || got[0] != c.want[0] || got[1] != c.want[1] {
			t.Errorf("%+v: %v, %v; want %v", c.rule, got, err, c.want)
		}
	}
	if _, err := us.Flows(tracesOver([]int32{4}), []float64{1}, "max"); err == nil {
		t.Error("rows in no trace are not noticed")
	}
}

// TestNearAttack by hand: rows 1 to 5 are units of their own, 3 is an attack; of the windows, one holds it with 2.
func TestNearAttack(t *testing.T) {
	us := &Units{Rows: []int32{1, 2, 3, 4, 5}, Unit: []int32{0, 1, 2, 3, 4}, First: []int32{1, 2, 3, 4, 5}}
	us.Truth.Attack = []bool{false, false, true, false, false}
	got := us.NearAttack(tracesOver([]int32{1, 2}, []int32{2, 3}, []int32{4, 5}))
	if want := []bool{false, true, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := us.NearAttack(&data.Set{Kind: data.Vectors, N: 5}); got != nil {
		t.Errorf("of rows: %v", got)
	}
}
