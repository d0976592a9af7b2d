package prep_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/prep"
	"plumbline/numeric/onnx"
	"plumbline/numeric/onnx/onnxtest"
)

// everyOp is a pipeline with every operation that has an ONNX form, and every kind of output.
const everyOp = `{"outputs": [
 {"name": "kind=tcp", "source": "kind", "level": "tcp", "dummy": true},
 {"name": "a", "source": "a", "ops": [{"op": "fill", "a": 3}, {"op": "affine", "a": 1, "b": 0.3}]},
 {"name": "a log", "source": "a", "ops": [{"op": "fill", "a": -1}, {"op": "log1p"}]},
 {"name": "b log", "source": "b", "ops": [{"op": "fill", "a": 5}, {"op": "log1p"}]},
 {"name": "b log2", "source": "b", "ops": [{"op": "fill", "a": 0}, {"op": "log2"}, {"op": "affine", "a": 0.5, "b": 2}]},
 {"name": "power", "source": "b", "ops": [{"op": "fill", "a": 0}, {"op": "power", "a": 0.4}]},
 {"name": "power 0", "source": "b", "ops": [{"op": "fill", "a": 0}, {"op": "power", "a": 0}]},
 {"name": "power 2", "source": "b", "ops": [{"op": "fill", "a": 0}, {"op": "power", "a": 2}]},
 {"name": "clip", "source": "a", "gaps": true, "ops": [{"op": "clip", "a": -0.5, "b": 2}]},
 {"name": "missing", "source": "a", "ops": [{"op": "missing"}]},
 {"name": "range", "source": "b", "ops": [{"op": "range", "a": -1, "b": 1, "table": [0.25, 0.5]}]},
 {"name": "quantile", "source": "a",
  "ops": [{"op": "fill", "a": 0}, {"op": "quantile", "table": [-1, -0.5, 0, 0, 0, 1, 2.5]}]},
 {"name": "kind=udp", "source": "kind", "level": "udp", "dummy": true, "ops": [{"op": "affine", "a": 0.2, "b": 0.5}]},
 {"name": "kind=other", "source": "kind", "level": "other", "dummy": true, "missing": true},
 {"name": "code", "source": "state", "codes": ["S0", "SF", "REJ"], "absent": "REJ"},
 {"name": "raw", "source": "b", "gaps": true}
]PROJECTION}`

// TestGraph: an exported pipeline makes of a table what Apply makes of it, in ONNX Runtime.
func TestGraph(t *testing.T) {
	onnxtest.Need(t)
	const n = 300
	r := rand.New(rand.NewPCG(5, 6))
	nan := math.NaN()
	special := []float64{nan, 0, -0.5, 2, 2.5, -1, 1, 0.25, 0.5, 1e-12, -1e-12, 1e9, -1e9, -3, 3}
	table := &data.Table{Name: "t", Rows: n}
	number := func(name string) data.Column {
		c := data.Column{Name: name, Type: data.Number}
		for i := range n {
			v := 3 * r.NormFloat64()
			if i < len(special) {
				v = special[i]
			}
			c.Num = append(c.Num, v)
		}
		return c
	}
	category := func(name string, levels ...string) data.Column {
		c := data.Column{Name: name, Type: data.Category, Levels: levels}
		for range n {
			code := uint32(r.IntN(len(levels) + 1))
			if int(code) == len(levels) {
				code = data.Missing
			}
			c.Code = append(c.Code, code)
		}
		return c
	}
	table.Columns = []data.Column{number("b"), category("kind", "udp", "icmp", "tcp", "other"), number("a"),
		category("state", "SF", "REJ", "S0", "RSTO")}
	projection := `, "projection": {"mean": [` + strings.Repeat("0.1,", 15) + `0], "shares": [0.6, 0.3], "vectors": [[` +
		strings.Repeat("0.25,", 15) + `-0.25], [` + strings.Repeat("-0.1,", 15) + `0.5]]}`
	for name, c := range map[string]struct {
		text string
		gaps bool
	}{
		"columns":    {strings.Replace(everyOp, "PROJECTION", "", 1), true},
		"components": {strings.Replace(everyOp, "PROJECTION", projection, 1), false},
	} {
		var p prep.Pipeline
		if err := json.Unmarshal([]byte(c.text), &p); err != nil {
			t.Fatal(err)
		}
		own := *table
		if !c.gaps { // components have no gaps
			own.Columns = append([]data.Column(nil), table.Columns...)
			for i := range own.Columns {
				col := &own.Columns[i]
				col.Num, col.Code = append([]float64(nil), col.Num...), append([]uint32(nil), col.Code...)
				for k, v := range col.Num {
					if v != v {
						col.Num[k] = 1
					}
				}
				for k, code := range col.Code {
					if code == data.Missing || col.Name == "state" && code == 3 {
						col.Code[k] = 0
					}
				}
			}
		}
		compareGraph(t, name, &p, &own)
	}
}

func compareGraph(t *testing.T, name string, p *prep.Pipeline, table *data.Table) {
	t.Helper()
	rows := make([]int32, table.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	want, err := p.Apply(context.Background(), table, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := onnx.New("prep")
	numbers, categories := p.Sources()
	x, err := p.Graph(g, g.Input("numbers", onnx.Double, onnx.Any("n"), onnx.Of(len(numbers))),
		g.Input("categories", onnx.String, onnx.Any("n"), onnx.Of(len(categories))))
	if err != nil {
		t.Fatal(err)
	}
	g.Output("x", x, onnx.Float, onnx.Any("n"), onnx.Of(p.Width()))
	raw, err := g.Encode("test", "1")
	if err != nil {
		t.Fatal(err)
	}
	column := table.Lookup()
	ins := map[string]onnxtest.Input{}
	a, b := onnxtest.Input{Dims: []int{table.Rows, len(numbers)}}, onnxtest.Input{Dims: []int{table.Rows, len(categories)}}
	for _, r := range rows {
		for _, s := range numbers {
			c, _ := column(s)
			a.Doubles = append(a.Doubles, c.Num[r])
		}
		for _, s := range categories {
			c, _ := column(s)
			level := ""
			if c.Code[r] != data.Missing {
				level = c.Levels[c.Code[r]]
			}
			b.Strings = append(b.Strings, level)
		}
	}
	ins["numbers"], ins["categories"] = a, b
	got := onnxtest.Run(t, []onnxtest.Case{{Model: raw, Inputs: ins}})[0]
	if got.Error != "" || len(got.Outputs["x"]) != len(want.X) {
		t.Fatalf("%s: %d values, want %d: %s", name, len(got.Outputs["x"]), len(want.X), got.Error)
	}
	for i, v := range want.X {
		w, had := float64(v), got.Outputs["x"][i]
		if math.IsNaN(w) != math.IsNaN(had) || math.Abs(w-had) > 1e-6*max(1, math.Abs(w)) {
			t.Errorf("%s: row %d, %s: %v in ONNX Runtime, want %v", name, i/want.D, p.Columns()[i%want.D], had, w)
		}
	}
}

// TestGraphRefuses: what has no ONNX form is named.
func TestGraphRefuses(t *testing.T) {
	var p prep.Pipeline
	text := `{"outputs": [{"name": "a", "source": "a", "ops": [{"op": "quantile", "b": 1, "table": [1, 2]}]}]}`
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	g := onnx.New("prep")
	_, err := p.Graph(g, g.Input("numbers", onnx.Double, onnx.Any("n"), onnx.Of(1)), "")
	if err == nil || !strings.Contains(err.Error(), "column a") || !strings.Contains(err.Error(), "uniform") {
		t.Errorf("%v", err)
	}
}
