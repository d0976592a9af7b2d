package prep

import (
	"fmt"
	"math"

	"plumbline/data"
)

func init() {
	register("missing_indicator", "adds a 0/1 column that says where a number column has no value", func() step {
		return &missingIndicator{Common{Step: "missing_indicator", Fit: "benign"}}
	})
}

// missingIndicator adds for each number column that lacks values in some training rows, but not in all, a column
// NAME=(missing) that is 1 where the value is missing. It stands before impute, which fills the gaps.
type missingIndicator struct {
	Common `yaml:",inline"`
}

func (s *missingIndicator) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	var added []*column
	for _, c := range f.columns {
		src := &f.table.Columns[c.source]
		if c.text || c.dummy || !s.on(c, f.table) || src.Type != data.Number {
			continue
		}
		n := 0
		for _, r := range rows {
			if math.IsNaN(run(c.ops, src.Num[r])) {
				n++
			}
		}
		if n == 0 || n == len(rows) {
			continue
		}
		ops := append(c.ops[:len(c.ops):len(c.ops)], Op{Kind: "missing"})
		added = append(added, &column{name: c.name + "=" + missingLevel, source: c.source, ops: ops})
		f.notes = append(f.notes,
			fmt.Sprintf("column %s lacks %d of %d values in training and has an indicator", c.name, n, len(rows)))
	}
	f.columns = append(f.columns, added...)
	return nil
}
