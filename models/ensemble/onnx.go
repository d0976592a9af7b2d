package ensemble

import (
	"fmt"

	"plumbline/models"
	"plumbline/numeric/onnx"
)

// memberScores adds the members' scores, each n×1 in float64.
func memberScores(g *onnx.Graph, list []models.Detector, x func(t int) onnx.Value) ([]onnx.Value, error) {
	var out []onnx.Value
	for t, det := range list {
		v, err := models.Graph(det, g, x(t))
		if err != nil {
			return nil, fmt.Errorf("model %d: %w", t+1, err)
		}
		out = append(out, g.Unsqueeze(g.Cast(v, onnx.Double), 1))
	}
	return out, nil
}

func (b *bag) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	scores, err := memberScores(g, b.members, func(t int) onnx.Value {
		columns := make([]int64, len(b.columns[t]))
		for k, j := range b.columns[t] {
			columns[k] = int64(j)
		}
		return g.Gather(x, 1, columns...)
	})
	if err != nil {
		return "", err
	}
	if b.spec.Combine == "mean" {
		return g.Reduce("ReduceMean", g.Concat(1, scores...), 1, false), nil
	}
	return g.Reduce("ReduceMax", g.Concat(1, scores...), 1, false), nil
}

func (m *committee) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	scores, err := memberScores(g, m.members, func(int) onnx.Value { return x })
	if err != nil {
		return "", err
	}
	for t, v := range scores {
		if m.spec.By == "average_of_maxima" {
			scores[t] = g.Op("Mul", g.Op("Sub", v, g.Scalar(m.mean[t])), g.Scalar(m.unit[t]))
			continue
		}
		// half the share of the training scores that are below plus half that of those that are not above
		n := len(m.sorted[t])
		training := g.Doubles(m.sorted[t], n)
		below := g.Sum(g.Cast(g.Op("Less", training, v), onnx.Double), 1, true)
		above := g.Sum(g.Cast(g.Op("Greater", training, v), onnx.Double), 1, true)
		both := g.Op("Add", below, g.Op("Sub", g.Scalar(float64(n)), above))
		scores[t] = g.Op("Div", both, g.Scalar(float64(2*n)))
	}
	size := map[string]int{"mean_rank": 1, "max_rank": len(scores), "average_of_maxima": m.spec.Group}[m.spec.By]
	var best []onnx.Value
	for from := 0; from < len(scores); from += size {
		group := g.Concat(1, scores[from:min(from+size, len(scores))]...)
		best = append(best, g.Reduce("ReduceMax", group, 1, true))
	}
	return g.Reduce("ReduceMean", g.Concat(1, best...), 1, false), nil
}
