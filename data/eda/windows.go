package eda

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/data"
	"plumbline/data/audit"
	"plumbline/data/derive"
)

// windowRows is how many rows, from the first on, time-window features are tried on. Tests have less.
var windowRows = 100_000

// WindowFeature is an aggregate over what an entity did in the seconds up to each row, and what it alone tells of the
// attacks.
type WindowFeature struct {
	Name    string  `json:"name"`
	Key     string  `json:"key"`
	Seconds float64 `json:"seconds"`
	AUROC   Number  `json:"auroc"`
	Derive  string  `json:"derive"` // the entry of a data config that adds it
}

// windows tries aggregates by the first two addresses and their pair over ten seconds to an hour. It is nil without
// labels, a time and an address.
func (c *Collector) windows() ([]WindowFeature, error) {
	if c.class == nil || c.at < 0 || c.attacks == 0 || c.attacks == c.rows {
		return nil, nil
	}
	r, of := c.roles()
	t := &data.Table{Name: c.name, Rows: min(c.rows, windowRows)}
	take := func(to *[]string, columns ...*data.Column) {
		for _, v := range columns {
			if col := of(v); col != nil && col.exact() {
				*to, t.Columns = append(*to, col.name), append(t.Columns, col.table(t.Rows))
			}
		}
	}
	var times, keys, sum, distinct []string
	if c.columns[c.at].exact() {
		times, t.Columns = append(times, c.columns[c.at].name), append(t.Columns, c.columns[c.at].table(t.Rows))
	}
	take(&keys, r.Source, r.Destination)
	take(&sum, r.BytesOut, r.BytesIn, r.Bytes)
	take(&distinct, r.DestinationPort)
	if len(keys) == 0 || len(times) == 0 {
		return nil, nil
	}
	attack := c.label().table(t.Rows).Num
	ways := [][]string{keys[:1]}
	if len(keys) == 2 {
		ways = append(ways, keys[1:], keys)
	}
	var out []WindowFeature
	for _, key := range ways {
		for _, seconds := range []float64{10, 60, 600, 3600} {
			spec := derive.Spec{Rolling: derive.Rolling{Key: key, Seconds: seconds, Count: true, Sum: sum}}
			if len(key) == 1 {
				spec.Distinct = distinct
				for _, other := range keys {
					if other != key[0] {
						spec.Distinct = append(slices.Clone(spec.Distinct), other)
					}
				}
			}
			u := *t
			u.Columns = slices.Clone(t.Columns)
			if err := spec.Add(&u, 1); err != nil {
				return nil, fmt.Errorf("eda: time windows: %w", err)
			}
			for _, col := range u.Columns[len(t.Columns):] {
				auroc := alone(col.Num, attack)
				if math.IsNaN(auroc) {
					continue
				}
				out = append(out, WindowFeature{Name: col.Name, Key: strings.Join(key, ", "), Seconds: seconds,
					AUROC: Number(auroc), Derive: entry(key, seconds, col.Name)})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b WindowFeature) int { return cmp.Compare(b.AUROC, a.AUROC) })
	return out[:min(len(out), 24)], nil
}

// entry is the derive entry that makes a column of that name.
func entry(key []string, seconds float64, name string) string {
	what := "count: true"
	for _, kind := range []string{"sum", "distinct"} {
		if rest, ok := strings.CutPrefix(name, kind+"_"); ok {
			column := rest[:strings.LastIndexByte(rest, '_')]
			what = fmt.Sprintf("%s: [%q]", kind, column)
		}
	}
	quoted := make([]string, len(key))
	for i, k := range key {
		quoted[i] = fmt.Sprintf("%q", k)
	}
	return fmt.Sprintf("{key: [%s], seconds: %g, %s}", strings.Join(quoted, ", "), seconds, what)
}

// alone is the AUROC of values alone, NaN where one class is absent.
func alone(v, attack []float64) float64 {
	s := valueCounts(v)
	benign, attacks := make([]float64, len(s.Values)), make([]float64, len(s.Values))
	var n [2]float64
	for i, x := range v {
		k, ok := slices.BinarySearch(s.Values, x)
		switch {
		case !ok:
		case attack[i] == 1:
			attacks[k]++
			n[1]++
		default:
			benign[k]++
			n[0]++
		}
	}
	if n[0] == 0 || n[1] == 0 {
		return math.NaN()
	}
	auroc, _ := audit.Alone(s.Values, benign, attacks)
	return auroc
}

// table is the first n rows of a column as one of a table.
func (c *column) table(n int) data.Column {
	out := data.Column{Name: c.name, Type: c.kind}
	if !c.numeric() {
		out.Levels = c.texts
	}
	var codes []uint32
	for k := 0; k < len(c.codes.parts) && out.Len() < n; k++ {
		codes = c.codes.read(k, codes)
		for _, code := range codes[:min(len(codes), n-out.Len())] {
			switch {
			case c.kind == data.Number:
				out.Num = append(out.Num, c.values[code])
			case c.kind == data.Time && code == 0:
				out.Nanos = append(out.Nanos, data.NoTime)
			case c.kind == data.Time:
				out.Nanos = append(out.Nanos, int64(math.Round(c.values[code]*1e6))*1000)
			case code == 0:
				out.Code = append(out.Code, data.Missing)
			default:
				out.Code = append(out.Code, code)
			}
		}
	}
	return out
}
