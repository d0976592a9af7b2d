package audit

import (
	"context"
	"strings"
	"testing"

	"plumbline/data"
)

// TestUnlabelled: what needs no labels is found in a table that has none.
func TestUnlabelled(t *testing.T) {
	tb := &data.Table{
		Name: "t", Rows: 4, Lines: []int32{2, 3, 4, 5}, Origins: []data.Origin{{Name: "f.csv", Rows: 4}},
		Columns: []data.Column{
			{Name: "ts", Type: data.Time, Nanos: []int64{5, 6, 1, 7}},
			{Name: "dur", Type: data.Number, Num: []float64{1, -2.5, 1, 1}},
			{Name: "flat", Type: data.Number, Num: []float64{3, 3, 3, 3}},
			{Name: "sa", Type: data.Address, Levels: []string{"a", "b"}, Code: []uint32{0, 1, 0, 0}},
		},
	}
	r, err := Unlabelled(context.Background(), tb, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Kind+" "+f.Text)
	}
	want := []string{
		"constant column flat has one value", "duplicates 50.0 % of the rows repeat another row",
		"time 1 rows are earlier than the row before by column ts",
		"wrong negative: dur in 1 rows, first f.csv:3; {error: negative, columns: [dur]} under repair sets such values " +
			"to missing",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !r.Unlabelled || r.Features.All != 2 || r.Whole.All != 0 || len(r.Columns) != 3 || tb.Attack != nil {
		t.Errorf("%+v", r)
	}
}
