package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/onnx"
	"plumbline/runs/bundle"
)

// Names of what an exported model takes and gives.
const (
	NumbersInput    = "numbers"    // float64, rows × columns; for traces: traces × events × columns
	CategoriesInput = "categories" // string, alike
	ScoreOutput     = "score"      // float64, one for each row or trace: higher is more anomalous
	AlarmOutput     = "alarm"      // bool: the score is above the threshold
)

// Model is an exported model.
type Model struct {
	Bytes []byte
	// Numbers and Categories are the columns of the two inputs, in order; an input without columns is not there.
	Numbers, Categories []string
	// Notes say what the model does not hold.
	Notes []string
}

// ErrNoForm is a cell that cannot be expressed; the error says which piece and why.
var ErrNoForm = errors.New("cannot be exported to ONNX")

// ONNX is the cell's preprocessing, model and threshold as one ONNX model: rows of the data set's columns as they come
// in, scores and alarms out. version is the program's.
func ONNX(b *bundle.Bundle, version string) (*Model, error) {
	if b.Info.Needs.Batch {
		return nil, fmt.Errorf("%s %w: a score depends on the other rows of the same call", b.Model, ErrNoForm)
	}
	m := &Model{}
	g := onnx.New(b.Label)
	x, err := m.input(g, b)
	if err != nil {
		return nil, fmt.Errorf("%s %w: %w", b.Model, ErrNoForm, err)
	}
	score, err := models.Graph(b.Detector, g, x)
	if err != nil {
		return nil, fmt.Errorf("%s %w: %w", b.Model, ErrNoForm, err)
	}
	n := onnx.Any("n")
	score = g.Cast(score, onnx.Double)
	g.Output(ScoreOutput, score, onnx.Double, n)
	limit := float64(b.Threshold.Score)
	switch {
	case math.IsNaN(limit) || math.IsInf(limit, 0):
		m.Notes = append(m.Notes, "the cell has no threshold: there are scores alone")
	case len(b.Unit.Columns) > 0:
		m.Notes = append(m.Notes, fmt.Sprintf("the threshold is one of a %s's score, which is made of those of its "+
			"flows: there are scores alone", b.Unit.Name))
	case b.Info.Needs.Input == data.Traces:
		m.Notes = append(m.Notes, "the threshold is one of a flow's score, which is made of those of its windows: there "+
			"are scores alone")
	default:
		g.Output(AlarmOutput, g.Op("Greater", score, g.Scalar(limit)), onnx.Bool, n)
	}
	m.describe(g, b)
	if m.Bytes, err = g.Encode("plumbline", version); err != nil {
		return nil, fmt.Errorf("%s %w: %w", b.Model, ErrNoForm, err)
	}
	return m, nil
}

// input declares the inputs and prepares them.
func (m *Model) input(g *onnx.Graph, b *bundle.Bundle) (onnx.Value, error) {
	traces := b.Info.Needs.Input == data.Traces
	if traces && !b.Tracer.Spec.Events {
		return "", errors.New("it reads symbols, which ONNX has no operators to make")
	}
	m.Numbers, m.Categories = b.Pipeline.Sources()
	rows := []onnx.Dim{onnx.Any("n")}
	if traces {
		rows = append(rows, onnx.Any("events"))
	}
	declare := func(name string, of onnx.Type, columns int) onnx.Value {
		if columns == 0 {
			return ""
		}
		v := g.Input(name, of, append(rows, onnx.Of(columns))...)
		if traces {
			v = g.Reshape(v, -1, int64(columns))
		}
		return v
	}
	numbers := declare(NumbersInput, onnx.Double, len(m.Numbers))
	categories := declare(CategoriesInput, onnx.String, len(m.Categories))
	x, err := b.Pipeline.Graph(g, numbers, categories)
	if err != nil || !traces {
		return x, err
	}
	first := onnx.Value(NumbersInput)
	if len(m.Numbers) == 0 {
		first = CategoriesInput
	}
	shape := g.Node("Slice", []onnx.Value{g.Op("Shape", first), g.Ints([]int64{0}, 1), g.Ints([]int64{2}, 1)}, 1)[0]
	return g.Op("Reshape", x, g.Concat(0, shape, g.Ints([]int64{int64(b.Pipeline.Width())}, 1))), nil
}

// describe adds what somebody needs who has the file alone.
func (m *Model) describe(g *onnx.Graph, b *bundle.Bundle) {
	list := func(v []string) string {
		raw, _ := json.Marshal(v) // strings always can be
		return string(raw)
	}
	for _, p := range [][2]string{
		{"model", b.Model}, {"label", b.Label}, {"data", b.Data}, {"seed", strconv.FormatUint(b.Seed, 10)},
		{"fold", b.Fold}, {"unit", b.Unit.Name}, {"threshold", threshold(b)}, {"threshold_rule", b.Threshold.Rule},
		{"numbers", list(m.Numbers)}, {"categories", list(m.Categories)}, {"model_sha256", b.Files["model.bin"].SHA256},
	} {
		if p[1] != "" && p[1] != "null" {
			g.Meta("plumbline."+p[0], p[1])
		}
	}
}

func threshold(b *bundle.Bundle) string {
	return strconv.FormatFloat(float64(b.Threshold.Score), 'g', -1, 64)
}
