package split

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
)

// repeating is a table whose rows repeat but for times, hosts and flow ids: of the training part eight rows (5 equal
// benign ones, one of these values that is an attack, two others), of the test part four.
func repeating() *data.Table {
	size := []float64{1, 1, 1, 1, 1, 1, 2, 3, 1, 2, 4, 4}
	t := &data.Table{Name: "t", Rows: len(size), Attack: make([]bool, len(size)), Classes: []string{"ok", "bad"}}
	t.Class, t.Parts = make([]uint32, len(size)), make([]data.Part, len(size))
	t.Attack[5], t.Class[5] = true, 1
	t.Attack[11], t.Class[11] = true, 1
	at := data.Column{Name: "ts", Type: data.Time}
	host := data.Column{Name: "sa", Type: data.Address, Levels: []string{"a", "b"}}
	proto := data.Column{Name: "proto", Type: data.Category, Levels: []string{"tcp"}, Code: make([]uint32, len(size))}
	for i := range size {
		at.Nanos, host.Code = append(at.Nanos, int64(i)), append(host.Code, uint32(i%2))
		if i >= 8 {
			t.Parts[i] = data.PartTest
		}
	}
	t.Columns = []data.Column{at, host, {Name: "size", Type: data.Number, Num: size}, proto}
	return t
}

func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		duplicates, overlap string
		train, test         []int32
		warns               string
	}{
		{"keep", "keep", []int32{0, 1, 2, 3, 4, 5, 6, 7}, []int32{8, 9, 10, 11}, ""},
		// equal values of other truth stay: they are a conflict, not a repetition
		{"drop", "keep", []int32{0, 5, 6, 7}, []int32{8, 9, 10, 11}, "drop left 4 of 8 training rows out"},
		{"weight", "keep", []int32{0, 1, 2, 5, 6, 7}, []int32{8, 9, 10, 11}, "weight left 2 of 8 training rows out"},
		{"keep", "drop", []int32{0, 1, 2, 3, 4, 5, 6, 7}, []int32{10, 11}, "drop left 2 of 4 test rows out"},
		{"drop", "drop", []int32{0, 5, 6, 7}, []int32{10, 11}, "drop left 2 of 4 test rows out"},
	} {
		s := DefaultSplit()
		s.Kind, s.Validation, s.Attacks, s.Duplicates, s.Overlap = "official", 0, "split", c.duplicates, c.overlap
		sp, err := s.Apply(repeating())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sp.Train, c.train) || !slices.Equal(sp.Test, c.test) {
			t.Errorf("%s, %s: train %v, test %v; want %v, %v", c.duplicates, c.overlap, sp.Train, sp.Test, c.train, c.test)
		}
		w := strings.Join(sp.Warnings, "; ")
		if !strings.Contains(w, c.warns) || c.warns == "" && strings.Contains(w, "rows out") {
			t.Errorf("%s, %s: warnings %q", c.duplicates, c.overlap, w)
		}
	}
	// a category with a value a row names rows, and does not make them different
	big := &data.Table{Name: "big", Rows: 400, Attack: make([]bool, 400), Class: make([]uint32, 400)}
	big.Classes = []string{"ok"}
	id := data.Column{Name: "flow_id", Type: data.Category}
	size := data.Column{Name: "size", Type: data.Number, Num: make([]float64, 400)}
	for i := range uint32(400) {
		id.Levels, id.Code = append(id.Levels, fmt.Sprint("f", i)), append(id.Code, i)
	}
	big.Columns, big.Parts = []data.Column{id, size}, make([]data.Part, 400)
	s := DefaultSplit()
	s.Validation, s.Duplicates = 0, "drop"
	if sp, err := s.Apply(big); err != nil || len(sp.Train) != 1 {
		t.Errorf("%d training rows, %v", len(sp.Train), err)
	}
}
