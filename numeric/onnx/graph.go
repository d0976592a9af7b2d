package onnx

import (
	"fmt"
	"math"
	"slices"
)

// Type is the type of a tensor's elements, by its number in TensorProto.
type Type int32

// The types that graphs here use.
const (
	Float  Type = 1
	Int64  Type = 7
	String Type = 8
	Bool   Type = 9
	Double Type = 11
)

// Value is a tensor of a graph by its name: an input, a constant, or what a node makes. The zero Value stands for an
// optional input that is left out.
type Value string

// Graph is a computation that grows node by node. The zero Graph is not usable: see [New].
type Graph struct {
	name            string
	inputs, outputs []port
	constants       []constant
	nodes           []node
	meta            [][2]string
	named           map[Value]bool
	problems        []error
}

// Dim is one size of a tensor: a number, or a name for one that may be anything.
type Dim struct {
	Size int
	Name string
}

// Any is a size of its own name.
func Any(name string) Dim { return Dim{Name: name} }

// Of is a given size.
func Of(size int) Dim { return Dim{Size: size} }

type port struct {
	name Value
	of   Type
	dims []Dim
}

type constant struct {
	name Value
	of   Type
	dims []int
	raw  []byte
}

type node struct {
	op, domain string
	in, out    []Value
	attributes []Attribute
}

// New is an empty graph.
func New(name string) *Graph { return &Graph{name: name, named: map[Value]bool{"": true}} }

// fail keeps what is wrong with the graph for [Graph.Encode].
func (g *Graph) fail(format string, args ...any) {
	g.problems = append(g.problems, fmt.Errorf("onnx: "+format, args...))
}

func (g *Graph) declare(v Value) Value {
	if g.named[v] {
		g.fail("two values of the name %q", v)
	}
	g.named[v] = true
	return v
}

// fresh is a name that nothing has yet.
func (g *Graph) fresh(what string) Value {
	return g.declare(Value(fmt.Sprintf("%s_%d", what, len(g.named))))
}

// Input declares what is given to the graph.
func (g *Graph) Input(name string, of Type, dims ...Dim) Value {
	g.inputs = append(g.inputs, port{g.declare(Value(name)), of, dims})
	return Value(name)
}

// Output gives a value a name and makes it a result of the graph.
func (g *Graph) Output(name string, v Value, of Type, dims ...Dim) {
	g.nodes = append(g.nodes, node{op: "Identity", in: []Value{v}, out: []Value{g.declare(Value(name))}})
	g.outputs = append(g.outputs, port{Value(name), of, dims})
}

// Meta is a property of the model beside the graph.
func (g *Graph) Meta(key, value string) { g.meta = append(g.meta, [2]string{key, value}) }

// Nodes is how many there are.
func (g *Graph) Nodes() int { return len(g.nodes) }

// Floats is a constant of float32; without dims it is a scalar.
func (g *Graph) Floats(data []float32, dims ...int) Value {
	return addConstant(g, Float, data, dims, putFloat)
}

// Doubles is a constant of float64; without dims it is a scalar.
func (g *Graph) Doubles(data []float64, dims ...int) Value {
	return addConstant(g, Double, data, dims, putDouble)
}

// Ints is a constant of int64; without dims it is a scalar.
func (g *Graph) Ints(data []int64, dims ...int) Value {
	return addConstant(g, Int64, data, dims, putInt)
}

// Scalar is a float64 constant that fits any shape.
func (g *Graph) Scalar(v float64) Value { return g.Doubles([]float64{v}) }

// Row is a float64 constant of one value for each column.
func (g *Graph) Row(v []float64) Value { return g.Doubles(v, len(v)) }

func addConstant[T any](g *Graph, of Type, data []T, dims []int, put func([]byte, T) []byte) Value {
	n := 1
	for _, d := range dims {
		n *= d
	}
	if n != len(data) {
		g.fail("a constant of %d elements in the shape %v", len(data), dims)
	}
	var raw []byte
	for _, v := range data {
		raw = put(raw, v)
	}
	c := constant{g.fresh("const"), of, slices.Clone(dims), raw}
	g.constants = append(g.constants, c)
	return c.name
}

// Op adds an operator of the default domain without attributes and gives what it makes.
func (g *Graph) Op(op string, in ...Value) Value { return g.Node(op, in, 1)[0] }

// Node adds an operator and gives its outputs. ML operators are those of the domain ai.onnx.ml.
func (g *Graph) Node(op string, in []Value, outputs int, attributes ...Attribute) []Value {
	return g.add("", op, in, outputs, attributes)
}

// ML adds an operator of the domain ai.onnx.ml.
func (g *Graph) ML(op string, in []Value, outputs int, attributes ...Attribute) []Value {
	return g.add(mlDomain, op, in, outputs, attributes)
}

func (g *Graph) add(domain, op string, in []Value, outputs int, attributes []Attribute) []Value {
	for _, v := range in {
		if !g.named[v] {
			g.fail("%s takes %q, which nothing makes", op, v)
		}
	}
	out := make([]Value, outputs)
	for i := range out {
		out[i] = g.fresh(op)
	}
	g.nodes = append(g.nodes, node{op, domain, slices.Clone(in), out, attributes})
	return out
}

// Cast changes the type of the elements.
func (g *Graph) Cast(v Value, to Type) Value {
	return g.Node("Cast", []Value{v}, 1, Int("to", int64(to)))[0]
}

// Sum adds up along one axis, which goes away, or, if kept, stays with size 1.
func (g *Graph) Sum(v Value, axis int, keep bool) Value {
	return g.Node("ReduceSum", []Value{v, g.Ints([]int64{int64(axis)}, 1)}, 1, Flag("keepdims", keep))[0]
}

// Reduce is one of ReduceMax, ReduceMin, ReduceMean, ReduceLogSumExp, … along one axis.
func (g *Graph) Reduce(op string, v Value, axis int, keep bool) Value {
	return g.Node(op, []Value{v}, 1, Ints("axes", int64(axis)), Flag("keepdims", keep))[0]
}

// Gather takes indices along an axis.
func (g *Graph) Gather(v Value, axis int, indices ...int64) Value {
	return g.Node("Gather", []Value{v, g.Ints(indices, len(indices))}, 1, Int("axis", int64(axis)))[0]
}

// Concat joins along an axis.
func (g *Graph) Concat(axis int, v ...Value) Value {
	if len(v) == 1 {
		return v[0]
	}
	return g.Node("Concat", v, 1, Int("axis", int64(axis)))[0]
}

// Reshape gives another shape; −1 stands for what is left over, 0 for the size as it is.
func (g *Graph) Reshape(v Value, dims ...int64) Value {
	return g.Op("Reshape", v, g.Ints(dims, len(dims)))
}

// Unsqueeze puts an axis of size 1 in.
func (g *Graph) Unsqueeze(v Value, axis int) Value {
	return g.Op("Unsqueeze", v, g.Ints([]int64{int64(axis)}, 1))
}

// Squeeze takes an axis of size 1 out.
func (g *Graph) Squeeze(v Value, axis int) Value {
	return g.Op("Squeeze", v, g.Ints([]int64{int64(axis)}, 1))
}

// LogSumExp is log Σ e^v along axis 1, which goes away, without overflow.
func (g *Graph) LogSumExp(v Value) Value {
	top := g.Reduce("ReduceMax", v, 1, true)
	sum := g.Sum(g.Op("Exp", g.Op("Sub", v, top)), 1, false)
	return g.Op("Add", g.Squeeze(top, 1), g.Op("Log", sum))
}

// Square is v².
func (g *Graph) Square(v Value) Value { return g.Op("Mul", v, v) }

// Smallest gives the k smallest along the last axis, rising, and where they stand.
func (g *Graph) Smallest(v Value, k int) (values, indices Value) {
	out := g.Node("TopK", []Value{v, g.Ints([]int64{int64(k)}, 1)}, 2, Int("axis", -1), Flag("largest", false),
		Flag("sorted", true))
	return out[0], out[1]
}

// SquaredDistances are ‖x_i − p_j‖², n×m, of n rows from m points of d columns, in float64 from differences with shift,
// d, which is best in the middle of the points. They are never below 0.
func (g *Graph) SquaredDistances(x, points, shift Value) Value {
	z, p := g.Op("Sub", g.Cast(x, Double), shift), g.Op("Sub", g.Cast(points, Double), shift)
	product := g.Op("MatMul", z, g.Node("Transpose", []Value{p}, 1, Ints("perm", 1, 0))[0])
	sum := g.Op("Add", g.Sum(g.Square(z), 1, true), g.Sum(g.Square(p), 1, false))
	return g.Op("Max", g.Op("Sub", sum, g.Op("Mul", g.Scalar(2), product)), g.Scalar(0))
}

// NearestRows gives the k nearest of m rows of d columns for each row of x: their distances, n×k, and numbers, n×k, by
// rising distance and number. values are what the constant rows holds. Candidates come from products of matrices; their
// distances are then taken from differences, so that a copy of a row is at distance 0.
func (g *Graph) NearestRows(x, rows Value, values []float32, m, d, k int) (distances, numbers Value) {
	shift := make([]float64, d)
	for i, v := range values {
		shift[i%d] += float64(v) / float64(m)
	}
	many := min(m, 2*k+16)
	_, candidates := g.Smallest(g.SquaredDistances(x, rows, g.Row(shift)), many)
	candidates, _ = g.Smallest(candidates, many) // by number, which decides among equals
	found := g.Cast(g.Op("Gather", rows, candidates), Double)
	apart := g.Sum(g.Square(g.Op("Sub", found, g.Unsqueeze(g.Cast(x, Double), 1))), 2, false)
	squares, at := g.Smallest(apart, k)
	numbers = g.Node("GatherElements", []Value{candidates, at}, 1, Int("axis", 1))[0]
	return g.Op("Sqrt", squares), numbers
}

// FloatBelow is the largest float32 that is not above v: it divides float32 values as v does.
func FloatBelow(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}
