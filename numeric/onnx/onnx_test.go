package onnx_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"plumbline/numeric/onnx"
	"plumbline/numeric/onnx/onnxtest"
)

// walk follows a tree as ONNX's BRANCH_LEQ does.
func walk(t onnx.Tree, x []float32) []float64 {
	at := 0
	for t[at].Column >= 0 {
		if x[t[at].Column] <= t[at].Cut {
			at = t[at].Left
		} else {
			at = t[at].Right
		}
	}
	return t[at].Leaf
}

// TestSteps: the tree of a step function is the function, at its steps and on either side of them.
func TestSteps(t *testing.T) {
	for name, cuts := range map[string][]float32{
		"none":       {},
		"one":        {0},
		"extremes":   {-math.MaxFloat32, math.MaxFloat32},
		"neighbours": {1, math.Nextafter32(1, 2), math.Nextafter32(math.Nextafter32(1, 2), 2)},
		"many":       {-3e30, -1, -1e-40, 0, 1e-45, 0.1, 0.2, 7, 8, 1e20},
	} {
		f := func(v float32) (step int) {
			for _, c := range cuts {
				if v > c {
					step++
				}
			}
			return step
		}
		tree := onnx.Steps(0, f, func(step int) []float64 { return []float64{float64(step)} })
		try := []float32{-math.MaxFloat32, math.MaxFloat32, float32(math.Copysign(0, -1))}
		for _, c := range cuts {
			for _, to := range []float32{-math.MaxFloat32, math.MaxFloat32} {
				try = append(try, c, math.Nextafter32(c, to))
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			if v := math.Float32frombits(r.Uint32()); v-v == 0 {
				try = append(try, v)
			}
		}
		for _, v := range try {
			if got := walk(tree, []float32{v}); got[0] != float64(f(v)) {
				t.Errorf("%s: %v has step %v, want %d", name, v, got[0], f(v))
			}
		}
		if want := 2*len(cuts) + 1; len(tree) > want {
			t.Errorf("%s: %d nodes for %d steps", name, len(tree), len(cuts)+1)
		}
	}
}

// TestFloatBelow: a float32 is at most the cut exactly where it is at most the exact number.
func TestFloatBelow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100000 {
		v := r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30))
		cut := onnx.FloatBelow(v)
		near := float32(v)
		for _, x := range []float32{near, math.Nextafter32(near, math.MaxFloat32), math.Nextafter32(near, -math.MaxFloat32)} {
			if (x <= cut) != (float64(x) <= v) {
				t.Fatalf("%v beside %v: cut %v", x, v, cut)
			}
		}
	}
}

// TestWrongGraphs: what no runtime would take is an error here.
func TestWrongGraphs(t *testing.T) {
	for name, build := range map[string]func(g *onnx.Graph){
		"no inputs": func(g *onnx.Graph) { g.Output("y", g.Scalar(1), onnx.Double) },
		"no outputs": func(g *onnx.Graph) {
			g.Input("x", onnx.Double, onnx.Any("n"))
		},
		"a value of nothing": func(g *onnx.Graph) {
			g.Input("x", onnx.Double, onnx.Any("n"))
			g.Output("y", g.Op("Neg", "z"), onnx.Double)
		},
		"one name twice": func(g *onnx.Graph) {
			x := g.Input("x", onnx.Double, onnx.Any("n"))
			g.Output("x", x, onnx.Double)
		},
		"a constant of another shape": func(g *onnx.Graph) {
			x := g.Input("x", onnx.Double, onnx.Any("n"))
			g.Output("y", g.Op("Add", x, g.Doubles([]float64{1, 2}, 3)), onnx.Double)
		},
		"a leaf of another width": func(g *onnx.Graph) {
			x := g.Input("x", onnx.Float, onnx.Any("n"), onnx.Of(1))
			g.Output("y", g.Trees(x, []onnx.Tree{{{Column: -1, Leaf: []float64{1, 2}}}}, 1), onnx.Float)
		},
	} {
		g := onnx.New("wrong")
		build(g)
		if _, err := g.Encode("test", "1"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestEncode: the outermost fields are those of ModelProto (onnx.proto: 1 ir_version, 2 producer_name, 3
// producer_version, 7 graph, 8 opset_import, 14 metadata_props), and the same graph has the same bytes.
func TestEncode(t *testing.T) {
	build := func() []byte {
		g := onnx.New("g")
		x := g.Input("x", onnx.Float, onnx.Any("n"), onnx.Of(2))
		tree := onnx.Tree{{Column: 1, Cut: 0.5, Left: 1, Right: 2}, {Column: -1, Leaf: []float64{1}},
			{Column: -1, Leaf: []float64{2}}}
		g.Output("y", g.Trees(x, []onnx.Tree{tree}, 1), onnx.Float, onnx.Any("n"), onnx.Of(1))
		g.Meta("key", "value")
		raw, err := g.Encode("test", "1")
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := build()
	if !bytes.Equal(raw, build()) {
		t.Error("the same graph twice has other bytes")
	}
	seen := map[protowire.Number]int{}
	for b := raw; len(b) > 0; {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(field, kind, b); n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		if v, _ := protowire.ConsumeVarint(b); field == 1 && v != 7 {
			t.Errorf("IR version %d", v)
		}
		b = b[n:]
		seen[field]++
	}
	want := map[protowire.Number]int{1: 1, 2: 1, 3: 1, 7: 1, 8: 2, 14: 1}
	for field, n := range want {
		if seen[field] != n {
			t.Errorf("field %d stands there %d times, want %d", field, seen[field], n)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("fields %v", seen)
	}
}

// TestTreesInRuntime: trees go where walk goes, missing values where they are sent, and sums are those of the leaves.
func TestTreesInRuntime(t *testing.T) {
	onnxtest.Need(t)
	trees := []onnx.Tree{
		{{Column: 0, Cut: 1, Left: 1, Right: 2, MissingLeft: true}, {Column: -1, Leaf: []float64{1, 10}},
			{Column: 1, Cut: -2, Left: 3, Right: 4}, {Column: -1, Leaf: []float64{2, 20}}, {Column: -1, Leaf: []float64{3, 30}}},
		{{Column: -1, Leaf: []float64{0.5, 0}}},
	}
	g := onnx.New("trees")
	x := g.Input("x", onnx.Float, onnx.Any("n"), onnx.Of(2))
	g.Output("y", g.Trees(x, trees, 2), onnx.Float, onnx.Any("n"), onnx.Of(2))
	raw, err := g.Encode("test", "1")
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	rows := []float32{1, 0, 1.5, -2, 1.5, -1.9, nan, -3, 2, nan}
	r := onnxtest.Run(t, []onnxtest.Case{{Model: raw, Inputs: map[string]onnxtest.Input{
		"x": {Dims: []int{5, 2}, Floats: rows},
	}}})[0]
	want := []float64{1.5, 10, 2.5, 20, 3.5, 30, 1.5, 10, 3.5, 30}
	if r.Error != "" || len(r.Outputs["y"]) != len(want) {
		t.Fatalf("%v %s", r.Outputs, r.Error)
	}
	for i, v := range want {
		if r.Outputs["y"][i] != v {
			t.Errorf("row %d: %v, want %v", i/2, r.Outputs["y"][i/2*2:i/2*2+2], want[i/2*2:i/2*2+2])
		}
	}
}
