package recurrent

import (
	"fmt"

	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/models/nn/graph"
	"plumbline/numeric/elementary"
	"plumbline/numeric/onnx"
)

// graphTask is a task that operators of ONNX can carry out.
type graphTask interface {
	// back is how many events before the one it judges a window ends.
	back() int
	// scoreGraph makes scores, windows × 1 in float64, of what the network gave for windows, each of which ends with an
	// event in rows (windows × columns, float32) and sees first rows in front of the trace.
	scoreGraph(w windowGraph) (onnx.Value, error)
}

// windowGraph is what a task makes a score of.
type windowGraph struct {
	g      *onnx.Graph
	out    onnx.Value // of the network
	in     onnx.Value // windows × steps × columns, ending with the event
	seen   onnx.Value // windows × 1, float64: events that are there, at most the window
	steps  int
	width  int // columns of an event
	errors models.Detector
}

// row is the window's last event, windows × columns.
func (w windowGraph) row() onnx.Value {
	return w.g.Squeeze(w.g.Gather(w.in, 1, int64(w.steps-1)), 1)
}

// step is what the network gave at a step, windows × its columns.
func (w windowGraph) step(t int) onnx.Value { return w.g.Squeeze(w.g.Gather(w.out, 0, int64(t)), 0) }

// judged is the score of error vectors, n × 1: what the one-class model says, or the mean of their squares.
func (w windowGraph) judged(v onnx.Value) (onnx.Value, error) {
	g := w.g
	if w.errors == nil {
		return g.Reduce("ReduceMean", g.Square(g.Cast(v, onnx.Double)), 1, true), nil
	}
	out, err := models.Graph(w.errors, g, v)
	if err != nil {
		return "", fmt.Errorf("errors: %w", err)
	}
	return g.Unsqueeze(g.Cast(out, onnx.Double), 1), nil
}

// Graph judges each event by the window that ends with it, and pools the scores of a trace.
func (q *sequential) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	t, ok := q.task.(graphTask)
	if !ok {
		return "", models.NoGraph("what it makes of the network's output has none")
	}
	if s, ok := q.task.(overlapping); ok && s.shared() {
		return "", models.NoGraph("rows: windows, where later windows change the score of an event")
	}
	steps, d := q.net.Steps, q.net.In
	// The events with rows of zeros in front: traces × (front + events) × columns.
	front := steps + t.back() - 1
	shape := g.Op("Shape", x)
	size := func(axis int64) onnx.Value {
		return g.Node("Slice", []onnx.Value{shape, g.Ints([]int64{axis}, 1), g.Ints([]int64{axis + 1}, 1)}, 1)[0]
	}
	traces, events := size(0), size(1)
	zeros := g.Node("Pad", []onnx.Value{x, g.Ints([]int64{0, int64(front), 0, 0, 0, 0}, 6)}, 1)[0]
	at := g.Op("Range", g.Ints([]int64{0}), g.Squeeze(events, 0), g.Ints([]int64{1}))
	if q.pool == "last" {
		at = g.Op("Sub", events, g.Ints([]int64{1}, 1))
	}
	// window is a cut that ends back events before each event: (traces·events) × steps × columns.
	window := func(back int) onnx.Value {
		offsets := make([]int64, steps)
		for k := range offsets {
			offsets[k] = int64(front - steps + 1 - back + k)
		}
		places := g.Op("Add", g.Unsqueeze(at, 1), g.Ints(offsets, steps))
		cut := g.Node("Gather", []onnx.Value{zeros, places}, 1, onnx.Int("axis", 1))[0]
		return g.Reshape(cut, -1, int64(steps), int64(d))
	}
	own := window(0)
	seen := g.Op("Min", g.Op("Add", g.Cast(at, onnx.Double), g.Scalar(1)), g.Scalar(float64(steps)))
	seen = g.Op("Expand", g.Unsqueeze(seen, 0), g.Concat(0, traces, g.Op("Shape", at)))
	w := windowGraph{g: g, in: own, steps: steps, width: d, seen: g.Reshape(seen, -1, 1), errors: q.residualModel}
	see := own
	if t.back() > 0 {
		see = window(t.back())
	}
	w.out = graph.Recurrent(g, q.net, q.p, see)
	scores, err := t.scoreGraph(w)
	if err != nil {
		return "", err
	}
	scores = g.Op("Reshape", scores, g.Concat(0, traces, g.Ints([]int64{-1}, 1)))
	if q.pool == "max" {
		return g.Reduce("ReduceMax", scores, 1, false), nil
	}
	return g.Reduce("ReduceMean", scores, 1, false), nil
}

func (p forecastTask) back() int { return 1 }

func (p forecastTask) scoreGraph(w windowGraph) (onnx.Value, error) {
	var rest []onnx.Value
	for a := range p.Ahead {
		columns := make([]int64, w.width)
		for j := range columns {
			columns[j] = int64(a*w.width + j)
		}
		rest = append(rest, w.g.Op("Sub", w.row(), w.g.Gather(w.step(p.Window-1-a), 1, columns...)))
	}
	return w.judged(w.g.Concat(1, rest...))
}

func (r reconstructTask) back() int { return 0 }

func (r reconstructTask) scoreGraph(w windowGraph) (onnx.Value, error) {
	g := w.g
	if r.rows == "last" {
		return w.judged(g.Op("Abs", g.Op("Sub", w.row(), w.step(w.steps-1))))
	}
	var sum onnx.Value
	for t := range w.steps {
		own := g.Squeeze(g.Gather(w.in, 1, int64(t)), 1)
		v, err := w.judged(g.Op("Abs", g.Op("Sub", own, w.step(t))))
		if err != nil {
			return "", err
		}
		there := g.Op("Greater", w.seen, g.Scalar(float64(w.steps-t)-0.5)) // of the last events, the seen count
		v = g.Op("Where", there, v, g.Scalar(0))
		if sum == "" {
			sum = v
		} else {
			sum = g.Op("Add", sum, v)
		}
	}
	return g.Op("Div", sum, w.seen), nil
}

func (t classifyTask) back() int { return 0 }

func (t classifyTask) scoreGraph(w windowGraph) (onnx.Value, error) {
	return w.g.Op("Sigmoid", w.g.Cast(w.out, onnx.Double)), nil
}

func (t densityTask) back() int {
	if t.Of == "same" {
		return 0
	}
	return 1
}

func (t densityTask) scoreGraph(w windowGraph) (onnx.Value, error) {
	g, row := w.g, w.row()
	sizes, numbers := t.classes()
	var terms []onnx.Value
	var columns []int64
	members := make([][]int64, len(sizes))
	for j, k := range t.group {
		if k < 0 {
			columns = append(columns, int64(j))
		} else {
			members[k] = append(members[k], int64(j))
		}
	}
	out := func(from, n int) onnx.Value {
		at := make([]int64, n)
		for k := range at {
			at[k] = int64(from + k)
		}
		return g.Cast(g.Gather(w.out, 1, at...), onnx.Double)
	}
	if numbers > 0 {
		rest := g.Op("Sub", g.Cast(g.Gather(row, 1, columns...), onnx.Double), out(0, numbers))
		logs := g.Op("Max", out(numbers, numbers), g.Scalar(elementary.Log(nn.MinVariance)))
		both := g.Op("Add", g.Op("Mul", g.Square(rest), g.Op("Exp", g.Op("Neg", logs))), logs)
		terms = append(terms, g.Sum(g.Op("Mul", both, g.Scalar(0.5)), 1, true))
	}
	at := 2 * numbers
	for k, size := range sizes {
		logits := out(at, size)
		at += size
		all := g.Unsqueeze(g.LogSumExp(logits), 1)
		own := g.Gather(row, 1, members[k]...)
		none := g.Op("Not", g.Op("Greater", g.Reduce("ReduceMax", own, 1, true), g.Floats([]float32{0})))
		class := g.Node("ArgMax", []onnx.Value{own}, 1, onnx.Int("axis", 1), onnx.Flag("keepdims", true))[0]
		class = g.Op("Where", none, g.Ints([]int64{int64(size - 1)}), class)
		logit := g.Node("GatherElements", []onnx.Value{logits, class}, 1, onnx.Int("axis", 1))[0]
		terms = append(terms, g.Op("Min", g.Op("Sub", all, logit), g.Scalar(maxSurprisal)))
	}
	return g.Sum(g.Concat(1, terms...), 1, true), nil
}
