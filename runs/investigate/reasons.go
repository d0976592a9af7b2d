package investigate

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// Reason is a source column that adds to a score, or what else a model names as cause.
type Reason struct {
	Name  string
	Share float64 // of all that adds to the score, in (0, 1]
}

// Ways in which reasons are found.
const (
	ByModel       = "The model says what adds to its score."
	ByCause       = "The model says which part of the flow's trace stands out."
	ByReplacement = "The model gives no reasons: the share is by how much the score falls when the column is as in " +
		"flows that score low."
	ByNobody = "The model gives no reasons and cannot be asked for them."
)

// Reasons is at most n reasons for the score of each of some samples, largest share first, and how they were found.
// Columns of the matrix that come from one source column are summed.
func Reasons(ctx context.Context, det models.Detector, needs models.Needs, s *data.Set, raw []float64, samples []int,
	n int) (out [][]Reason, way string, err error) {
	return ReasonsAgainst(ctx, det, needs, s, raw, samples, nil, n)
}

// ReasonsAgainst is Reasons that do not depend on the other samples: a model that gives no reasons is asked with the
// values of a usual row, of the set's width, in place of those of flows that score low. Nil: with these.
func ReasonsAgainst(ctx context.Context, det models.Detector, needs models.Needs, s *data.Set, raw []float64,
	samples []int, usual []float32, n int) (out [][]Reason, way string, err error) {
	shares := make([]map[string]float64, len(samples))
	for i := range shares {
		shares[i] = map[string]float64{}
	}
	asked, at := s.Unlabelled(), func(i int) int { return samples[i] }
	if !needs.Batch {
		asked, at = s.Subset(samples).Unlabelled(), func(i int) int { return i }
	}
	explainer, explains := det.(models.Explainer)
	investigator, investigates := det.(models.Investigator)
	switch {
	case explains:
		names, parts, err := explainer.Explain(ctx, asked)
		if err != nil {
			return nil, "", fmt.Errorf("runs: reasons: %w", err)
		}
		from := map[string]string{}
		for _, src := range sources(s) {
			for _, j := range src.columns {
				from[s.ColumnNames()[j]] = src.name
			}
		}
		for i := range shares {
			for k, v := range parts[at(i)][:min(len(names), len(parts[at(i)]))] {
				name := names[k]
				if src, ok := from[name]; ok {
					name = src
				}
				shares[i][name] += max(0, v)
			}
		}
		way = ByModel
	case investigates:
		causes, err := investigator.Causes(ctx, asked)
		if err != nil {
			return nil, "", fmt.Errorf("runs: reasons: %w", err)
		}
		for i := range shares {
			shares[i][causes[at(i)].Name] = 1
		}
		way = ByCause
	case s.Kind == data.Vectors && !needs.Batch:
		if usual == nil {
			usual = medians(s, raw)
		}
		err := falls(ctx, det, s, raw, samples, usual, func(src *source, i int, fall float64) {
			shares[i][src.name] += max(0, fall)
		})
		if err != nil {
			return nil, "", fmt.Errorf("runs: reasons: %w", err)
		}
		way = ByReplacement
	default:
		return make([][]Reason, len(samples)), ByNobody, nil
	}
	for _, of := range shares {
		out = append(out, largestShares(of, n))
	}
	return out, way, nil
}

// largestShares is the n largest of some amounts as shares of all, without those of nothing.
func largestShares(of map[string]float64, n int) []Reason {
	total := 0.0
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		total += of[name]
	}
	var out []Reason
	for _, name := range names {
		if of[name] > 0 {
			out = append(out, Reason{name, of[name] / total})
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(b.Share, a.Share) })
	return out[:min(n, len(out))]
}
