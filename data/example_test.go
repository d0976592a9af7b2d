package data_test

import (
	"fmt"

	"plumbline/data"
)

// Rows of a table are grouped by the entity that columns name, here the connection.
func ExampleTable_Groups() {
	hosts := []string{"10.0.0.5", "10.0.0.9", "10.0.1.1"}
	t := &data.Table{Name: "flows", Rows: 4, Columns: []data.Column{
		{Name: "src", Type: data.Address, Code: []uint32{0, 1, 0, 0}, Levels: hosts},
		{Name: "dst", Type: data.Address, Code: []uint32{2, 2, 2, data.Missing}, Levels: hosts},
		{Name: "bytes", Type: data.Number, Num: []float64{60, 1200, 75, 40}},
	}}
	group, names, err := t.Groups([]string{"src", "dst"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, g := range group {
		fmt.Printf("row %d: %s\n", row, names[g])
	}
	// Output:
	// row 0: 10.0.0.5 10.0.1.1
	// row 1: 10.0.0.9 10.0.1.1
	// row 2: 10.0.0.5 10.0.1.1
	// row 3: 10.0.0.5 -
}

// A set is what a model sees: a float32 matrix, row by row. Subset gives some of its rows, Unlabelled withholds the
// truth.
func ExampleSet() {
	s := &data.Set{
		Kind: data.Vectors, N: 3, D: 2,
		X:        []float32{0.1, 0.2, 0.3, 0.4, 9, 9},
		Features: data.Quantities("duration", "bytes"),
		Attack:   []bool{false, false, true},
	}
	benign := s.Subset([]int{0, 1}).Unlabelled()
	fmt.Println(benign.N, benign.Row(1), benign.ColumnNames(), benign.Attack == nil)
	// Output: 2 [0.3 0.4] [duration bytes] true
}
