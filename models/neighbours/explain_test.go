package neighbours

import (
	"context"
	"slices"
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestNeighbourReasonsByHand: of the rows (0,0), (1,0), (0,2) and (9,9), the two nearest to (0,−1) are the first and
// the second, with the squared differences 0+1 and 1+1.
func TestNeighbourReasonsByHand(t *testing.T) {
	train := modeltest.Vectors(2, []float64{0, 0, 1, 0, 0, 2, 9, 9})
	rows := modeltest.Vectors(2, []float64{0, -1})
	all := models.Sample{Sample: "random"}
	for _, c := range []struct {
		spec             models.Spec
		reasons, expects []float64
	}{
		{&KNN{K: 2, Distance: "largest", Sample: all}, []float64{1, 1}, []float64{1, 0}},
		{&KNN{K: 2, Distance: "mean", Sample: all}, []float64{0.5, 1}, []float64{0.5, 0}},
		{&KNN{K: 1, Distance: "median", Sample: all}, []float64{0, 1}, []float64{0, 0}},
		{&LOF{K: 2, Sample: all}, []float64{0.5, 1}, []float64{0.5, 0}},
	} {
		det := modeltest.Fitted(t, c.spec, models.Env{}, train)
		_, reasons, err := det.(models.Explainer).Explain(context.Background(), rows)
		if err != nil || !slices.Equal(reasons[0], c.reasons) {
			t.Errorf("%+v: reasons %v, want %v, %v", c.spec, reasons, c.reasons, err)
		}
		expected, err := det.(models.Expecter).Expected(context.Background(), rows)
		if err != nil || !slices.Equal(expected[0], c.expects) {
			t.Errorf("%+v: expects %v, want %v, %v", c.spec, expected, c.expects, err)
		}
	}
}
