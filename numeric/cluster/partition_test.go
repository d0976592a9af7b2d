package cluster

import (
	"context"
	"math"
	"slices"
	"testing"
)

// TestPartition: rows belong to the group of the nearest centre, also when one of the groups is left out.
func TestPartition(t *testing.T) {
	p, err := NewPartition([][]float32{{0}, {1}, {2}, {3}}, []int32{0, 1, 2, 1})
	if err != nil {
		t.Fatal(err)
	}
	rows := Matrix[float32]{N: 5, D: 1, X: []float32{2.9, 0.1, 1.2, 2.4, -7}}
	labels := func(p *Partition) []int32 {
		out := make([]int32, rows.N)
		if err := p.Assign(context.Background(), rows, 2, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := labels(p); p.Groups != 3 || !slices.Equal(got, []int32{1, 0, 1, 2, 0}) {
		t.Errorf("of %d groups: %v", p.Groups, got)
	}
	if got := Members(labels(p), 3); !slices.Equal(got[0], []int{1, 4}) || !slices.Equal(got[1], []int{0, 2}) ||
		!slices.Equal(got[2], []int{3}) {
		t.Errorf("members %v", got)
	}
	if p, err = p.Without(1); err != nil {
		t.Fatal(err)
	}
	if got := labels(p); p.Groups != 2 || !slices.Equal(p.Single(), []float32{0, 2}) ||
		!slices.Equal(got, []int32{1, 0, 1, 1, 0}) {
		t.Errorf("without group 1, %d groups around %v: %v", p.Groups, p.Single(), got)
	}
	for name, of := range map[string][]int32{
		"below 0": {0, -1}, "a gap": {0, 2}, "an empty one": {1, 1}, "too few": {0}, "beyond all": {0, math.MaxInt32},
	} {
		if p, err := NewPartition([][]float32{{0}, {1}}, of); err == nil {
			t.Errorf("%s: %d groups", name, p.Groups)
		}
	}
	if _, err := NewPartition(nil, nil); err == nil {
		t.Error("a partition without a centre")
	}
}

// TestSumsOfBlocks: a step of Lloyd's from sums of blocks moves each centre to the mean of its rows; one without rows
// stays, and so does a coordinate that overflows.
func TestSumsOfBlocks(t *testing.T) {
	a, b := NewSums(3, 2), NewSums(3, 2)
	AddRow(a, 0, []float32{1, 2})
	AddRow(b, 0, []float32{3, 6})
	AddRow(b, 1, []float64{1e9, 5})
	a.Add(b)
	before := [][]float32{{9, 9}, {8, 8}, {7, 7}}
	want := [][]float32{{2, 4}, {8, 5}, {7, 7}}
	for c, got := range a.Centres(before, 1e6) {
		if !slices.Equal(got, want[c]) {
			t.Errorf("centre %d is at %v, want %v", c, got, want[c])
		}
	}
	if before[0][0] != 9 || !slices.Equal(a.Sizes, []int{2, 1, 0}) {
		t.Errorf("centres before %v, sizes %v", before, a.Sizes)
	}
}
