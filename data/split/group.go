package split

import (
	"fmt"
	"strings"

	"plumbline/data"
)

// byGroup sends whole groups to one side. The groups that validate are benign throughout.
func (s SplitSpec) byGroup(t *data.Table) (*Split, error) {
	group, names, err := t.Groups(s.Columns)
	if err != nil {
		return nil, err
	}
	if len(names) < 2 {
		return nil, fmt.Errorf("one group (%s) cannot be split", strings.Join(s.Columns, ", "))
	}
	hasBenign, hasAttack := make([]bool, len(names)), make([]bool, len(names))
	for i, g := range group {
		if t.Attack[i] {
			hasAttack[g] = true
		} else {
			hasBenign[g] = true
		}
	}
	// attacked and clean groups are drawn apart, so that both sides have benign rows to the share asked for
	var clean, attacked []int32
	for g := range names {
		if hasAttack[g] {
			attacked = append(attacked, int32(g))
		} else {
			clean = append(clean, int32(g))
		}
	}
	r := s.rand(forTest)
	inTest := make([]bool, len(names))
	for _, g := range choose(r, clean, share(s.Test, len(clean))) {
		inTest[g] = true
	}
	k := len(attacked)
	if s.Attacks == "split" || len(clean) == 0 {
		k = share(s.Test, len(attacked))
	}
	for _, g := range choose(r, attacked, k) {
		inTest[g] = true
	}
	test := make([]bool, t.Rows)
	for i, g := range group {
		test[i] = inTest[g]
	}
	sp := &Split{}
	sp.take(test)
	if s.Validation > 0 {
		var candidates []int32
		for g := range names {
			if !inTest[g] && hasBenign[g] && !hasAttack[g] {
				candidates = append(candidates, int32(g))
			}
		}
		heldGroup := make([]bool, len(names))
		if len(candidates) > 1 {
			for _, g := range choose(s.rand(forValidation), candidates, share(s.Validation, len(candidates))) {
				heldGroup[g] = true
			}
		}
		held := make([]bool, t.Rows)
		for i, g := range group {
			held[i] = heldGroup[g]
		}
		sp.hold(held)
	}
	return sp, nil
}
