package cluster

import (
	"context"
	"fmt"
	"slices"
)

// Partition splits rows into groups by the nearest of some centres, of which a group may have several: the means of
// BIRCH's subclusters, say, of which hierarchical clustering made groups. It may be used by any number of goroutines.
type Partition struct {
	Groups int
	Of     []int32 // group of each centre, from 0
	*Centres
}

// NewPartition is the groups of some centres, at least one. Every group from 0 to the largest has a centre.
func NewPartition(centres [][]float32, of []int32) (*Partition, error) {
	if len(centres) == 0 || len(of) != len(centres) {
		return nil, fmt.Errorf("cluster: groups of %d centres for %d", len(of), len(centres))
	}
	p := &Partition{Groups: int(slices.Max(of)) + 1, Of: of}
	has := make([]bool, max(0, min(p.Groups, len(of))))
	for i, k := range of {
		if k < 0 || int(k) >= len(has) {
			return nil, fmt.Errorf("cluster: centre %d is of group %d; %d centres have groups from 0", i, k, len(of))
		}
		has[k] = true
	}
	if k := slices.Index(has, false); k >= 0 {
		return nil, fmt.Errorf("cluster: no centre is of group %d of %d", k, p.Groups)
	}
	p.Centres = NewCentres(Rows(centres), nil)
	return p, nil
}

// Assign fills labels with the group of each row of m, that of the nearest centre.
func (p *Partition) Assign(ctx context.Context, m Matrix[float32], workers int, labels []int32) error {
	if err := Assign(ctx, p.Centres, m, workers, labels); err != nil {
		return err
	}
	for i, c := range labels {
		labels[i] = p.Of[c]
	}
	return nil
}

// Single is the centres, row-major, rounded to float32: what they were made from.
func (p *Partition) Single() []float32 {
	out := make([]float32, len(p.X))
	for i, v := range p.X {
		out[i] = float32(v)
	}
	return out
}

// Without is the partition without one of several groups; the numbers of those after it are one less.
func (p *Partition) Without(group int32) (*Partition, error) {
	single := p.Single()
	var centres [][]float32
	var of []int32
	for i, k := range p.Of {
		if k == group {
			continue
		}
		if k > group {
			k--
		}
		centres, of = append(centres, single[i*p.D:(i+1)*p.D]), append(of, k)
	}
	return NewPartition(centres, of)
}

// Members are the numbers of the rows of each of n groups, in order.
func Members(labels []int32, n int) [][]int {
	out := make([][]int, n)
	for i, k := range labels {
		if k >= 0 {
			out[k] = append(out[k], i)
		}
	}
	return out
}
