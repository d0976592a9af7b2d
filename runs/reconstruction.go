package runs

import (
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/numeric/stat"
	"plumbline/runs/prepare"
)

// reconstruction takes the reconstruction errors of a model that rebuilds rows, where these are what is judged.
func (j *job) reconstruction(ctx context.Context, det models.Detector, s *prepare.Sets, m *eval.Metrics) error {
	r, ok := det.(models.Reconstructor)
	if !ok || s.Test.Kind != data.Vectors || j.data.Test.Keys != nil {
		return nil
	}
	valid, err := r.Reconstruction(ctx, s.Valid)
	if err != nil {
		return fmt.Errorf("reconstruction: %w", err)
	}
	test, err := r.Reconstruction(ctx, s.Test)
	if err != nil {
		return fmt.Errorf("reconstruction: %w", err)
	}
	var benign, attack []float64
	if j.data.Test.Truth.Attack == nil { // nobody knows
		test = nil
	}
	for i, v := range test {
		if j.data.Test.Truth.Attack[i] {
			attack = append(attack, v)
		} else {
			benign = append(benign, v)
		}
	}
	for name, v := range map[string][]float64{"valid": valid, "benign": benign, "attack": attack} {
		if len(v) == 0 {
			continue
		}
		slices.Sort(v)
		m.Values["re_"+name+"_mean"], m.Values["re_"+name+"_median"] = stat.Mean(v), stat.Quantile(v, 0.5)
	}
	return nil
}
