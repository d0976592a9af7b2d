package export

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"plumbline/data"
)

// TestInert: no text cell of an inert table begins with what a spreadsheet runs; numbers and other texts stay.
func TestInert(t *testing.T) {
	table := &data.Table{Name: "x", Rows: 4, Columns: []data.Column{
		{Name: "=cmd", Type: data.Category, Levels: []string{"=1+1", "+a", "-", "plain"}, Code: []uint32{0, 1, 2, 3}},
		{Name: "n", Type: data.Number, Num: []float64{-1, 2, -3.5, 4}},
		{
			Name:   "host",
			Type:   data.Address,
			Levels: []string{"@SUM(A1)", "10.0.0.1", "\tx"},
			Code:   []uint32{0, 1, 2, data.Missing},
		},
	}, Attack: make([]bool, 4), Class: []uint32{0, 0, 1, 1}, Classes: []string{"=bad()", "ok"}}
	file := filepath.Join(t.TempDir(), "x.csv")
	if _, err := Export(context.Background(), Inert(table), file, nil); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"'=cmd", "n", "host", "attack", "class"},
		{"'=1+1", "-1", "'@SUM(A1)", "0", "'=bad()"},
		{"'+a", "2", "10.0.0.1", "0", "'=bad()"},
		{"'-", "-3.5", "'\tx", "0", "ok"},
		{"plain", "4", "", "0", "ok"},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for i := range want {
		for k := range want[i] {
			if rows[i][k] != want[i][k] {
				t.Errorf("row %d, cell %d is %q, want %q", i, k, rows[i][k], want[i][k])
			}
		}
	}
	if table.Columns[0].Levels[0] != "=1+1" || table.Columns[0].Name != "=cmd" || table.Classes[0] != "=bad()" {
		t.Error("the table itself was changed")
	}
}
