package split

import (
	"fmt"
	"slices"

	"plumbline/data"
)

// byTime cuts so that the given share of the benign rows lies at or after the cut; rows of one instant
// stay together. The validation rows are the latest benign training rows, again after a cut.
func (s SplitSpec) byTime(t *data.Table) (*Split, error) {
	col, err := t.TimeColumn(s.Column)
	if err != nil {
		return nil, err
	}
	for i, v := range col.Nanos {
		if v == data.NoTime {
			return nil, fmt.Errorf("%s: column %s has no time", t.Where(int32(i)), col.Name)
		}
	}
	return s.cutAt(t, col.Nanos)
}

// byOrder is byTime with the places of the rows for their times.
func (s SplitSpec) byOrder(t *data.Table) (*Split, error) {
	place := make([]int64, t.Rows)
	for i := range place {
		place[i] = int64(i)
	}
	return s.cutAt(t, place)
}

// cutAt splits by the times of the rows.
func (s SplitSpec) cutAt(t *data.Table, times []int64) (*Split, error) {
	all := make([]int32, t.Rows)
	for i := range all {
		all[i] = int32(i)
	}
	at, err := cutTime(times, t.Benign(all), s.Test)
	if err != nil {
		return nil, err
	}
	sp := &Split{}
	early := 0
	for i := range all {
		switch {
		case times[i] >= at:
			sp.Test = append(sp.Test, int32(i))
		default:
			sp.Train = append(sp.Train, int32(i))
			if t.Attack[i] {
				early++
			}
		}
	}
	if s.Validation > 0 {
		from, err := cutTime(times, t.Benign(sp.Train), s.Validation)
		if err != nil {
			sp.Warnings = append(sp.Warnings, fmt.Sprintf("no rows held out for thresholds: %v", err))
			return sp, nil
		}
		held := make([]bool, t.Rows)
		for _, r := range sp.Train {
			held[r] = !t.Attack[r] && times[r] >= from
		}
		sp.hold(held)
	}
	if early > 0 {
		sp.Warnings = append(
			sp.Warnings,
			fmt.Sprintf("%d attacks lie before the cut: only models that learn from labels use them", early),
		)
	}
	return sp, nil
}

// cutTime is the instant that leaves about the given share of the rows at or after it, and some before.
func cutTime(nanos []int64, rows []int32, after float64) (int64, error) {
	times := make([]int64, len(rows))
	for i, r := range rows {
		times[i] = nanos[r]
	}
	slices.Sort(times)
	if len(times) < 2 || times[0] == times[len(times)-1] {
		return 0, fmt.Errorf("%d benign rows at fewer than two instants cannot be cut by time", len(times))
	}
	at := times[len(times)-share(after, len(times))]
	if at == times[0] {
		i, _ := slices.BinarySearch(times, at+1)
		at = times[i]
	}
	return at, nil
}
