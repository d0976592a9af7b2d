package models

import (
	"errors"
	"fmt"

	"plumbline/numeric/onnx"
)

// ErrNoGraph is a model, or a setting of one, that operators of ONNX cannot compute.
var ErrNoGraph = errors.New("has no ONNX form")

// Exporter is a fitted model that can be written as an ONNX graph.
type Exporter interface {
	// Graph adds to g what scores x, and gives the scores, n numbers in float32 or float64 that are those of Score but
	// for rounding. x is float32: n×columns for Vectors, as the model sees them; n×events×columns for Traces, whose
	// traces are all of one length. What the operators cannot compute is an error that wraps ErrNoGraph and says why.
	Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error)
}

// Graph is that of a detector, or an error that wraps ErrNoGraph.
func Graph(d Detector, g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	e, ok := d.(Exporter)
	if !ok {
		return "", ErrNoGraph
	}
	return e.Graph(g, x)
}

// NoGraph is an error that wraps ErrNoGraph, with the reason.
func NoGraph(why string) error { return fmt.Errorf("%w: %s", ErrNoGraph, why) }

// Graph is that of what was learned, where it has one.
func (f *Fitted[L]) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	of, err := f.Learned()
	if err != nil {
		return "", err
	}
	e, ok := any(of).(Exporter)
	if !ok {
		return "", fmt.Errorf("%s: %w", f.method.Name, ErrNoGraph)
	}
	out, err := e.Graph(g, x)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.method.Name, err)
	}
	return out, nil
}

// Graph is that of the learned model, where it has one.
func (r RowScorer) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	if e, ok := r.RowLearned.(Exporter); ok {
		return e.Graph(g, x)
	}
	return "", ErrNoGraph
}

var (
	_ Exporter = (*Fitted[RowScorer])(nil)
	_ Exporter = RowScorer{}
)
