package source

import (
	"context"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
)

// TestRealData checks the shipped configs against the published counts.
func TestRealData(t *testing.T) {
	for _, c := range []struct {
		name, folder              string
		rows, benign, columns     int
		trainBenign, testBenign   int // of the official parts
		trainAttacks, testAttacks int
		trainKinds, testKinds     int // of attack
	}{
		{"nsl-kdd", "nsl-kdd", 148517, 77054, 41, 67343, 9711, 58630, 12833, 22, 37},
		{"kddcup99", "kddcup99", 805050, 157871, 41, 97278, 60593, 396743, 250436, 22, 37},
		{"iot23-34-1", "iot-23", 23145, 1923, 17, 1923, 0, 21222, 0, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := shipped(t, c.name, c.folder)
			var n [2][2]int
			for i, a := range tb.Attack {
				k := 0
				if a {
					k = 1
				}
				n[tb.Parts[i]][k]++
			}
			var kinds [2]map[uint32]bool
			for k := range kinds {
				kinds[k] = map[uint32]bool{}
			}
			for i, class := range tb.Class {
				if tb.Attack[i] {
					kinds[tb.Parts[i]][class] = true
				}
			}
			if len(kinds[0]) != c.trainKinds || len(kinds[1]) != c.testKinds {
				t.Errorf(
					"%d and %d kinds of attack, want %d and %d",
					len(kinds[0]),
					len(kinds[1]),
					c.trainKinds,
					c.testKinds,
				)
			}
			want := [2][2]int{{c.trainBenign, c.trainAttacks}, {c.testBenign, c.testAttacks}}
			if tb.Rows != c.rows || len(tb.Columns) != c.columns || n != want || n[0][0]+n[1][0] != c.benign {
				t.Errorf(
					"%d rows, %d columns, %v; want %d, %d, %v",
					tb.Rows,
					len(tb.Columns),
					n,
					c.rows,
					c.columns,
					want,
				)
			}
		})
	}
}

// shipped reads a data set with its shipped config and expects nothing to warn of.
func shipped(tb testing.TB, name, folder string) *data.Table {
	tb.Helper()
	dir := datatest.Dir(tb, folder)
	t, rep, err := Read(context.Background(), shippedConfig(tb, "../../configs/data/"+name+".yaml"), NewFinder(dir), 2)
	if err != nil {
		tb.Fatal(err)
	}
	// one of the captures of ctu-argus was written without SrcBytes, which is said
	rep.Warnings = slices.DeleteFunc(rep.Warnings, func(w string) bool {
		return name == "ctu-argus" && strings.Contains(w, `has no column "SrcBytes"`)
	})
	if len(rep.Warnings) > 0 {
		tb.Errorf("%s: warnings %v", name, rep.Warnings)
	}
	return t
}
