package evasion

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/split"
)

// evasive is four benign training rows of one connection and, to be tested, two attacks and a benign row.
func evasive() (*data.Table, *split.Split) {
	nan := math.NaN()
	t := &data.Table{
		Name: "evasive", Rows: 7,
		Columns: []data.Column{
			{Name: "bytes", Type: data.Number, Num: []float64{10, 20, 20, nan, 16, 900, 5}},
			{Name: "packets", Type: data.Number, Num: []float64{1, 2, 2, 3, 7, nan, 5}},
			{Name: "proto", Type: data.Category, Code: []uint32{0, 1, 1, 0, 2, 1, 2},
				Levels: []string{"tcp", "udp", "icmp"}},
			{Name: "src", Type: data.Address, Code: []uint32{0, 0, 0, 0, 1, 1, 1}, Levels: []string{"a", "b"}},
			{Name: "dst", Type: data.Address, Code: []uint32{0, 0, 0, 0, 0, 0, 0}, Levels: []string{"c"}},
			{Name: "time", Type: data.Time, Nanos: []int64{4, 3, 2, 1, 9, 8, 7}},
		},
		Attack:  []bool{false, false, false, false, true, true, false},
		Class:   []uint32{0, 0, 0, 0, 1, 1, 0},
		Classes: []string{"benign", "attack"},
	}
	return t, &split.Split{Train: []int32{0, 1, 2, 3}, Test: []int32{4, 5, 6}}
}

func rowText(t *data.Table, row int32) string {
	var out []byte
	for i := range t.Columns {
		out = append(t.Columns[i].AppendText(out, row), ' ')
	}
	return strings.TrimSpace(string(out))
}

// TestEvasionByHand: each kind on seven rows, beside what its definition gives.
func TestEvasionByHand(t *testing.T) {
	before, sp := evasive()
	for _, c := range []struct {
		name   string
		change func(*EvasionSpec)
		want   map[int32][]string // what bytes, packets and proto may become
		n      int
	}{
		// 16 is nearer to 20 than to 10, 7 to 3; no benign row has icmp; a missing number stays missing
		{"padding", func(*EvasionSpec) {}, map[int32][]string{4: {"20 3 tcp", "20 3 udp"}, 5: {"20 - udp"}}, 2},
		// in standard deviations 16 and 7 are nearest to the row that is there twice; so is the other attack
		{"frequency", func(e *EvasionSpec) { e.MinCount = 2 }, map[int32][]string{4: {"20 2 udp"}, 5: {"20 2 udp"}}, 2},
		// in order of time the attacks are rows 5, 4, and the benign connection is rows 3, 2, 1, 0
		{"window", func(e *EvasionSpec) { e.MinRows = 4 },
			map[int32][]string{5: {"- 3 tcp", "20 2 udp"}, 4: {"20 2 udp", "10 1 tcp"}}, 2},
		{"random", func(e *EvasionSpec) { e.Share = 1 },
			map[int32][]string{4: {"10 1 tcp", "20 2 udp", "- 3 tcp"}, 5: {"10 1 tcp", "20 2 udp", "- 3 tcp"}}, 2},
		{"padding", func(e *EvasionSpec) { e.Columns = []string{"bytes"} },
			map[int32][]string{4: {"20 7 icmp"}, 5: {"20 - udp"}}, 2},
		{"padding", func(e *EvasionSpec) { e.Keep = []string{"bytes", "proto"} },
			map[int32][]string{4: {"16 3 icmp"}, 5: {"900 - udp"}}, 1},
	} {
		e := DefaultEvasion()
		e.Kind = c.name
		c.change(&e)
		got, n, err := e.Apply(before, sp)
		if err != nil || n != c.n {
			t.Errorf("%s: %d rows, %v; want %d", c.name, n, err, c.n)
			continue
		}
		for row := range int32(before.Rows) {
			now := rowText(got, row)
			if want, ok := c.want[row]; ok {
				if f := strings.Fields(now); !slices.Contains(want, strings.Join(f[:3], " ")) ||
					strings.Join(f[3:], " ") != strings.Join(strings.Fields(rowText(before, row))[3:], " ") {
					t.Errorf("%s: row %d is %q, want one of %q", c.name, row, now, want)
				}
			} else if now != rowText(before, row) {
				t.Errorf("%s: row %d, no attack of the test part, became %q", c.name, row, now)
			}
		}
		again, _, _ := e.Apply(before, sp)
		for row := range int32(before.Rows) {
			if rowText(got, row) != rowText(again, row) {
				t.Errorf("%s: row %d differs between two applications", c.name, row)
			}
		}
	}
	untouched, _ := evasive()
	for row := range int32(before.Rows) {
		if rowText(before, row) != rowText(untouched, row) {
			t.Errorf("row %d of the table that was given is changed", row)
		}
	}
}

// TestEvasionShare: about the share of many attacks is replaced.
func TestEvasionShare(t *testing.T) {
	const n = 4000
	tb := &data.Table{Name: "many", Rows: 2 * n,
		Columns: []data.Column{{Name: "x", Type: data.Number, Num: make([]float64, 2*n)}}, Attack: make([]bool, 2*n)}
	sp := &split.Split{}
	for i := range int32(n) {
		sp.Train, sp.Test = append(sp.Train, i), append(sp.Test, n+i)
		tb.Columns[0].Num[n+i], tb.Attack[n+i] = 1, true
	}
	e := DefaultEvasion()
	e.Kind = "random"
	_, got, err := e.Apply(tb, sp)
	if sd := math.Sqrt(n * 0.15 * 0.85); err != nil || math.Abs(float64(got)-0.15*n) > 4*sd {
		t.Errorf("%d of %d replaced, %v", got, n, err)
	}
}

func TestEvasionErrors(t *testing.T) {
	tb, sp := evasive()
	for _, c := range []struct {
		change func(*EvasionSpec)
		want   string
	}{
		{func(e *EvasionSpec) { e.Kind = "" }, "no kind"},
		{func(e *EvasionSpec) { e.Columns = []string{"nothing"} }, `no column "nothing"`},
		{func(e *EvasionSpec) { e.Columns = []string{"src"} }, "of type address"},
		{func(e *EvasionSpec) { e.Kind = "frequency" }, "the most frequent one 2 times"},
		{func(e *EvasionSpec) { e.Kind = "window" }, "the longest has 4"},
		{func(e *EvasionSpec) { e.Key = []string{"src"} }, "key is for kind window"},
		{func(e *EvasionSpec) { e.Columns, e.Keep = []string{"bytes"}, []string{"proto"} }, "exclude each other"},
		{func(e *EvasionSpec) { e.Keep = []string{"bytes", "packets", "proto"} }, "no column to change"},
	} {
		e := DefaultEvasion()
		e.Kind = "padding"
		c.change(&e)
		if _, _, err := e.Apply(tb, sp); !errors.Is(err, ErrEvasion) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	e := DefaultEvasion()
	e.Kind = "padding"
	if _, _, err := e.Apply(tb, &split.Split{Test: []int32{4}}); !errors.Is(err, ErrEvasion) {
		t.Errorf("without benign rows: %v", err)
	}
}
