package prep

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"plumbline/numeric/onnx"
)

// Sources is what a pipeline reads of a table, in the order of its outputs: columns of numbers, and of categories.
func (p *Pipeline) Sources() (numbers, categories []string) {
	for i := range p.Outputs {
		o, into := &p.Outputs[i], &numbers
		if o.Dummy || o.Codes != nil {
			into = &categories
		}
		if !slices.Contains(*into, o.Source) {
			*into = append(*into, o.Source)
		}
	}
	return numbers, categories
}

// Graph adds to g what Apply computes, as float32 rows×Width: from float64 rows of numbers, NaN where one is missing,
// and rows of strings, empty where a category is missing, both in the columns' order of [Pipeline.Sources]. Of the two
// the one without columns is not looked at.
func (p *Pipeline) Graph(g *onnx.Graph, numbers, categories onnx.Value) (onnx.Value, error) {
	b := graphed{p: p, g: g, numbers: numbers, categories: categories, place: make([]int64, len(p.Outputs))}
	b.numberNames, b.categoryNames = p.Sources()
	if err := b.addNumbers(); err != nil {
		return "", err
	}
	b.addDummies()
	b.addCodes()
	x := g.Concat(1, b.pieces...)
	if !identity(b.place) {
		x = g.Gather(x, 1, b.place...)
	}
	if q := p.Projection; q != nil {
		d, k := len(q.Mean), len(q.Vectors)
		across := make([]float64, d*k)
		for c, v := range q.Vectors {
			for j := range v {
				across[j*k+c] = v[j]
			}
		}
		z := g.Op("Sub", g.Cast(x, onnx.Double), g.Row(q.Mean))
		x = g.Cast(g.Op("MatMul", z, g.Doubles(across, d, k)), onnx.Float)
	}
	return x, nil
}

func identity(place []int64) bool {
	for i, v := range place {
		if v != int64(i) {
			return false
		}
	}
	return true
}

// graphed is a pipeline on its way into a graph.
type graphed struct {
	p                          *Pipeline
	g                          *onnx.Graph
	numbers, categories        onnx.Value
	numberNames, categoryNames []string
	pieces                     []onnx.Value // float32, side by side
	width                      int64        // of them
	place                      []int64      // of each output among their columns
}

// add is a piece for some outputs.
func (b *graphed) add(piece onnx.Value, outputs []int) {
	for _, i := range outputs {
		b.place[i] = b.width
		b.width++
	}
	b.pieces = append(b.pieces, piece)
}

// addNumbers takes outputs with the same operations, but for their numbers, together.
func (b *graphed) addNumbers() error {
	groups, order := map[string][]int{}, []string(nil)
	for i := range b.p.Outputs {
		o := &b.p.Outputs[i]
		if o.Dummy || o.Codes != nil {
			continue
		}
		var kinds []string
		alone := ""
		for _, op := range o.Ops {
			kinds = append(kinds, op.Kind)
			if op.Kind == "quantile" || op.Kind == "range" || op.Kind == "power" { // no rows of numbers say it all
				alone = fmt.Sprint(i)
			}
		}
		key := strings.Join(append(kinds, alone), " ")
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	for _, key := range order {
		outputs := groups[key]
		columns := make([]int64, len(outputs))
		for k, i := range outputs {
			columns[k] = int64(slices.Index(b.numberNames, b.p.Outputs[i].Source))
		}
		v := b.g.Gather(b.numbers, 1, columns...)
		for at := range b.p.Outputs[outputs[0]].Ops {
			ops := make([]*Op, len(outputs))
			for k, i := range outputs {
				ops[k] = &b.p.Outputs[i].Ops[at]
			}
			var err error
			if v, err = graphOps(b.g, v, ops); err != nil {
				return fmt.Errorf("column %s: %w", b.p.Outputs[outputs[0]].Name, err)
			}
		}
		b.add(b.g.Cast(v, onnx.Float), outputs)
	}
	return nil
}

// addDummies takes the outputs of one category column together.
func (b *graphed) addDummies() {
	g := b.g
	for c, name := range b.categoryNames {
		var outputs []int
		var levels []string
		missing := int64(-1)
		for i := range b.p.Outputs {
			if o := &b.p.Outputs[i]; o.Dummy && o.Source == name {
				outputs = append(outputs, i)
				if !slices.Contains(levels, o.Level) {
					levels = append(levels, o.Level)
				}
			}
		}
		if len(outputs) == 0 {
			continue
		}
		if k := slices.Index(levels, ""); k >= 0 {
			missing = int64(k)
		} else {
			missing = int64(len(levels))
			levels = append(levels, "")
		}
		hot := g.ML("OneHotEncoder", []onnx.Value{g.Gather(b.categories, 1, int64(c))}, 1,
			onnx.Texts("cats_strings", levels...), onnx.Int("zeros", 1))[0]
		hot = g.Reshape(hot, -1, int64(len(levels)))
		own, also := make([]int64, len(outputs)), make([]int64, len(outputs))
		off, on := make([]float32, len(outputs)), make([]float32, len(outputs))
		for k, i := range outputs {
			o := &b.p.Outputs[i]
			own[k] = int64(slices.Index(levels, o.Level))
			if also[k] = own[k]; o.Missing {
				also[k] = missing
			}
			off[k], on[k] = float32(run(o.Ops, 0)), float32(run(o.Ops, 1))
		}
		is := g.Op("Or", g.Cast(g.Gather(hot, 1, own...), onnx.Bool), g.Cast(g.Gather(hot, 1, also...), onnx.Bool))
		b.add(g.Op("Where", is, g.Floats(on, len(on)), g.Floats(off, len(off))), outputs)
	}
}

func (b *graphed) addCodes() {
	for i := range b.p.Outputs {
		o := &b.p.Outputs[i]
		if o.Codes == nil {
			continue
		}
		keys, values := slices.Clone(o.Codes), make([]float32, len(o.Codes))
		for k := range values {
			values[k] = float32(k)
		}
		if k := slices.Index(o.Codes, o.Absent); o.Absent != "" && k >= 0 && !slices.Contains(keys, "") {
			keys, values = append(keys, ""), append(values, float32(k))
		}
		column := b.g.Gather(b.categories, 1, int64(slices.Index(b.categoryNames, o.Source)))
		b.add(b.g.ML("LabelEncoder", []onnx.Value{column}, 1, onnx.Texts("keys_strings", keys...),
			onnx.Numbers("values_floats", values...), onnx.Number("default_float", float32(math.NaN())))[0], []int{i})
	}
}

// graphOps adds one operation of each column of v, float64, of which all are of one kind.
func graphOps(g *onnx.Graph, v onnx.Value, ops []*Op) (onnx.Value, error) {
	a, b := make([]float64, len(ops)), make([]float64, len(ops))
	for k, o := range ops {
		a[k], b[k] = o.A, o.B
	}
	one := g.Scalar(1)
	switch kind := ops[0].Kind; kind {
	case "fill":
		return g.Op("Where", g.Op("IsNaN", v), g.Row(a), v), nil
	case "affine":
		return g.Op("Div", g.Op("Sub", v, g.Row(a)), g.Row(b)), nil
	case "log1p", "log2":
		out := g.Op("Mul", g.Op("Sign", v), graphLog1p(g, g.Op("Abs", v)))
		if kind == "log2" {
			out = g.Op("Div", out, g.Scalar(math.Ln2))
		}
		return out, nil
	case "power":
		return graphPower(g, v, ops[0].A), nil
	case "clip":
		return g.Op("Where", g.Op("IsNaN", v), v, g.Op("Min", g.Op("Max", v, g.Row(a)), g.Row(b))), nil
	case "missing":
		return g.Op("Where", g.Op("IsNaN", v), one, g.Scalar(0)), nil
	case "range":
		inside := between(g, v, ops[0].A, ops[0].B)
		for t := ops[0].Table; len(t) > 1; t = t[2:] {
			inside = g.Op("And", inside, g.Op("Not", between(g, v, t[0], t[1])))
		}
		return g.Op("Where", inside, one, g.Scalar(0)), nil
	case "quantile":
		return graphQuantile(g, v, ops[0])
	default:
		return "", fmt.Errorf("operation %s: no ONNX form", kind)
	}
}

// graphLog1p is log(1+v) without loss for small v ≥ 0, by W. Kahan's correction: with u = 1+v rounded, log(u)·v/(u−1),
// or v where u is 1.
func graphLog1p(g *onnx.Graph, v onnx.Value) onnx.Value {
	one := g.Scalar(1)
	u := g.Op("Add", v, one)
	small := g.Op("Equal", u, one)
	rest := g.Op("Where", small, one, g.Op("Sub", u, one))
	return g.Op("Where", small, v, g.Op("Mul", g.Op("Log", u), g.Op("Div", v, rest)))
}

func between(g *onnx.Graph, v onnx.Value, low, high float64) onnx.Value {
	// neither is true of NaN
	from := g.Op("Or", g.Op("Greater", v, g.Scalar(low)), g.Op("Equal", v, g.Scalar(low)))
	to := g.Op("Or", g.Op("Less", v, g.Scalar(high)), g.Op("Equal", v, g.Scalar(high)))
	return g.Op("And", from, to)
}

// graphPower is yeoJohnson.
func graphPower(g *onnx.Graph, v onnx.Value, lambda float64) onnx.Value {
	const tiny = 1e-8
	zero := g.Scalar(0)
	side := func(v onnx.Value, lambda float64) onnx.Value { // of v ≥ 0
		logs := graphLog1p(g, v)
		if math.Abs(lambda) <= tiny {
			return logs
		}
		power := g.Op("Exp", g.Op("Mul", logs, g.Scalar(lambda)))
		return g.Op("Div", g.Op("Sub", power, g.Scalar(1)), g.Scalar(lambda))
	}
	above := side(g.Op("Max", v, zero), lambda)
	below := g.Op("Neg", side(g.Op("Max", g.Op("Neg", v), zero), 2-lambda))
	out := g.Op("Where", g.Op("Less", v, zero), below, above)
	return g.Op("Where", g.Op("IsNaN", v), v, out)
}

// graphQuantile is Op.quantile to uniform shares.
func graphQuantile(g *onnx.Graph, v onnx.Value, o *Op) (onnx.Value, error) {
	n := len(o.Table)
	if o.B == 1 {
		return "", fmt.Errorf("operation quantile with normal scores: no ONNX form, as there is no inverse of the " +
			"error function; map to uniform")
	}
	if n == 1 {
		return "", fmt.Errorf("operation quantile of a single reference value: no ONNX form")
	}
	table := g.Doubles(o.Table, n)
	count := func(op string) onnx.Value { // how many reference values are …
		return g.Sum(g.Cast(g.Op(op, table, v), onnx.Double), 1, true)
	}
	one, zero, all := g.Scalar(1), g.Scalar(0), g.Scalar(float64(n))
	below, equal := count("Less"), count("Equal")
	ties := g.Op("Mul", g.Op("Sub", g.Op("Add", g.Op("Mul", below, g.Scalar(2)), equal), one), g.Scalar(0.5))
	last := g.Scalar(float64(n - 1))
	right := g.Op("Min", below, last)
	left := g.Op("Max", g.Op("Sub", right, one), zero)
	pick := func(at onnx.Value) onnx.Value { return g.Op("Gather", table, g.Cast(at, onnx.Int64)) }
	a, b := pick(left), pick(right)
	width := g.Op("Sub", b, a)
	flat := g.Op("Equal", width, zero)
	width = g.Op("Where", flat, one, width)
	inside := g.Op("Add", g.Op("Sub", below, one), g.Op("Div", g.Op("Sub", v, a), width))
	p := g.Op("Where", g.Op("Greater", equal, zero), ties, inside)
	outside := g.Op("And", g.Op("Equal", equal, zero), g.Op("Equal", below, zero))
	p = g.Op("Where", outside, zero, p)
	p = g.Op("Where", g.Op("Equal", below, all), last, p)
	return g.Op("Where", g.Op("IsNaN", v), v, g.Op("Div", p, last)), nil
}
