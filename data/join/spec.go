package join

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Spec says when a row of the second table fits a row of the first, and what it then says.
type Spec struct {
	// columns of this table whose values must be those of a column of the second: {sa: attacker, dp: port}. A cell of
	// the second table that is empty fits every value; one that is a network (10.0.0.0/8) fits its addresses. Upper and
	// lower case are the same, and so are 80 and 80.0
	Key map[string]string `yaml:"key"`
	// pairs of columns of this table that may stand the other way round, such as the two addresses and the two ports
	// where the second table does not say who began: [[sa, da], [sp, dp]]
	Mirror [][]string `yaml:"mirror"`
	// column of this table with the time at which a row begins; default the first of that type
	Time string `yaml:"time"`
	// column of this table with the time at which a row ends, which makes rows fit that overlap an interval; default:
	// a row fits when it begins inside
	End string `yaml:"end"`
	// column of the second table with the time at which its intervals begin; none: times play no part
	From string `yaml:"from"`
	// column of the second table with the time at which they end, itself included; default: they last length seconds
	To string `yaml:"to"`
	// seconds that intervals last where no column says when they end, the last instant not included; 0: the one instant
	Length float64 `yaml:"length" jsonschema:"minimum=0"`
	// seconds that intervals are longer at both ends, for clocks that differ
	Slack float64 `yaml:"slack" jsonschema:"minimum=0"`
	// how times of the second table are written, in Go's reference time, besides seconds since 1970 and the usual
	// 2006-01-02 15:04:05
	TimeLayouts []string `yaml:"time_layouts"`
	// column of the second table with the class of the attack
	Class string `yaml:"class"`
	// column of the second table with the label, which benign, attack and rules judge; none: what is listed is an attack
	Label string `yaml:"label"`
	// columns of the second table whose value, where it is not 0, says that the interval holds an attack of that name,
	// as in UGR'16; and for each which values of this table's columns it has: {Dos: {sa: [10.0.0.1], dp: [80]}}
	Flags map[string]map[string][]string `yaml:"flags"`
	// what rows are that nothing fits: benign, or drop to leave them out
	Unmatched string `yaml:"unmatched" jsonschema:"enum=,enum=benign,enum=drop"`
}

// Check says what contradicts itself.
func (s Spec) Check() error {
	switch {
	case len(s.Key) == 0 && s.From == "":
		return errors.New("join needs a key, or from with the beginning of intervals")
	case s.From == "" && (s.To != "" || s.Length > 0 || s.Slack > 0 || s.Time != "" || s.End != ""):
		return errors.New("join: to, length, slack, time and end need from")
	case s.To != "" && s.Length > 0:
		return errors.New("join: to says when intervals end, and so does length: give one")
	case s.Length < 0 || s.Slack < 0 || s.Length > maxSeconds || s.Slack > maxSeconds:
		return fmt.Errorf("join: length and slack: want 0 to %g seconds", float64(maxSeconds))
	case len(s.Flags) > 0 && (s.Class != "" || s.Label != ""):
		return errors.New("join: flags name the classes, and so do class and label: give one")
	}
	for _, p := range s.Mirror {
		if len(p) != 2 || s.Key[p[0]] == "" || s.Key[p[1]] == "" || p[0] == p[1] {
			return fmt.Errorf("join: mirror %v: want two columns of the key", p)
		}
	}
	for flag, where := range s.Flags {
		for _, column := range slices.Sorted(maps.Keys(where)) {
			if _, twice := s.Key[column]; twice || len(where[column]) == 0 {
				return fmt.Errorf("join: flag %s: column %s: want values, and a column that is not in the key", flag, column)
			}
		}
	}
	return nil
}

const maxSeconds = 1e9

// columns are the columns of the first table that rules compare, in a fixed order: those of the key, then of flags.
func (s Spec) columns() []string {
	out := slices.Sorted(maps.Keys(s.Key))
	more := map[string]bool{}
	for _, where := range s.Flags {
		for c := range where {
			more[c] = true
		}
	}
	return append(out, slices.Sorted(maps.Keys(more))...)
}
