package noise

import (
	"errors"
	"math"
	"testing"

	"plumbline/data"
)

func TestColumns(t *testing.T) {
	tb := &data.Table{Name: "t", Rows: 4, Columns: []data.Column{
		{Name: "at", Type: data.Time, Nanos: []int64{1, 2, 3, 4}},
		{Name: "a", Type: data.Number, Num: []float64{2, 4, math.NaN(), 1000}}, // the last row does not train
		{Name: "k", Type: data.Category, Levels: []string{"x"}, Code: []uint32{0, 0, 0, 0}}}}
	train := []int32{0, 1, 2}
	half, err := Columns(tb, train, 0.5, 1)
	if err != nil || len(half.Columns) != 5 || len(tb.Columns) != 3 {
		t.Fatal(err, len(half.Columns), len(tb.Columns)) // two that say something, two that do not
	}
	most, err := Columns(tb, train, 0.8, 1)
	if err != nil || len(most.Columns) != 11 {
		t.Fatal(err, len(most.Columns))
	}
	for i, v := range half.Columns[3].Num {
		if v < 2 || v > 4 || v != most.Columns[3].Num[i] {
			t.Errorf("row %d: %v, with more columns %v", i, v, most.Columns[3].Num[i])
		}
	}
	if other, _ := Columns(tb, train, 0.5, 2); other.Columns[3].Num[0] == half.Columns[3].Num[0] {
		t.Error("two seeds draw the same")
	}
	tb.Columns = tb.Columns[:1]
	if _, err := Columns(tb, train, 0.5, 1); !errors.Is(err, ErrNoNumbers) {
		t.Error(err)
	}
}
