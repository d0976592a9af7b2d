package stat

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestChiSquaredQuantile: two quantiles of tables, and those of gonum.
func TestChiSquaredQuantile(t *testing.T) {
	if v := ChiSquaredQuantile(0.95, 1); math.Abs(v-3.841458820694124) > 1e-12 {
		t.Errorf("%v", v)
	}
	if v := ChiSquaredQuantile(0.5, 2); math.Abs(v-2*math.Ln2) > 1e-13 {
		t.Errorf("%v", v)
	}
	for _, dof := range []int{1, 2, 3, 9, 40, 122, 616, 5000} {
		for _, p := range []float64{1e-6, 0.025, 0.5, 0.975, 0.999} {
			got, want := ChiSquaredQuantile(p, dof), distuv.ChiSquared{K: float64(dof)}.Quantile(p)
			if math.Abs(got-want) > 1e-10*want {
				t.Errorf("%v, %d: %v, gonum %v", p, dof, got, want)
			}
		}
	}
	for _, p := range []float64{0, 1, -1, math.NaN()} {
		if v := ChiSquaredQuantile(p, 3); !math.IsNaN(v) {
			t.Errorf("%v: %v", p, v)
		}
	}
	if v := ChiSquaredQuantile(0.5, 0); !math.IsNaN(v) {
		t.Errorf("no degree: %v", v)
	}
}
