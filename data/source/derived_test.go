package source

import (
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
)

const rollingConfig = `
name: own
format: delimited
files: {train: [flows.csv]}
label: {column: label, benign: [ok]}
options:
  columns: [{name: t, type: time}, {name: src, type: address}, {name: dst, type: address}, {name: size, type: number}, {name: label, type: category}]
derive:
  - {key: [src], seconds: 10, count: true, sum: [size], mean: [size], distinct: [dst]}
`

// TestRolling by hand: host a at 0, 5, 9.9, 15 (twice); host b at 5. A window holds what is less than ten
// seconds old. Rows of one instant count in file order.
func TestRolling(t *testing.T) {
	tb, _, err := readText(
		t,
		rollingConfig,
		"5,a,y,2,ok\n0,a,x,1,ok\n5,b,x,100,ok\n9.9,a,x,,ok\n15,a,z,4,ok\n15,a,z,8,ok\n,a,z,8,ok\n",
		2,
	)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	for name, want := range map[string][]float64{
		"count_10s":        {2, 1, 1, 3, 2, 3, nan},
		"sum_size_10s":     {3, 1, 100, 3, 4, 12, nan},
		"mean_size_10s":    {1.5, 1, 100, 1.5, 4, 6, nan},
		"distinct_dst_10s": {2, 1, 1, 2, 2, 2, nan},
	} {
		c, err := tb.Column(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(c.Num, want, func(a, b float64) bool { return a == b || a != a && b != b }) {
			t.Errorf("%s: %v, want %v", name, c.Num, want)
		}
	}
	for change, want := range map[string]string{
		"seconds: 10|seconds: 0":          "more than 0",
		"sum: [size]|sum: [src]":          "cannot be added up",
		"distinct: [dst]|distinct: [dts]": `no column "dts"`,
		"key: [src]|key: [who]":           `no column "who"`,
	} {
		old, fresh, _ := strings.Cut(change, "|")
		doc, err := settings.Parse("test.yaml", []byte(strings.Replace(rollingConfig, old, fresh, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = DecodeConfig(doc); err == nil {
			_, _, err = readText(t, strings.Replace(rollingConfig, old, fresh, 1), "5,a,y,2,ok\n", 1)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}
