package all

import (
	"testing"

	"plumbline/models"
	"plumbline/models/ensemble"
	"plumbline/models/modeltest"
)

// TestFeatureBaggingBesidePyOD: lof on choices of the columns, over ten seeds.
func TestFeatureBaggingBesidePyOD(t *testing.T) {
	for _, p := range modeltest.PyOD(t) {
		p.SameOver(t, 3, "FeatureBagging", &ensemble.FeatureBagging{Model: models.ReferenceTo("lof"), Estimators: 10,
			Combine: "mean"})
	}
}

// TestCombineRealModels: the committee of the defaults on tables of ODDS is not worse than the worst of its members.
func TestCombineRealModels(t *testing.T) {
	info, err := models.Lookup("combine")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range modeltest.PyOD(t) {
		for _, by := range []string{"mean_rank", "max_rank", "average_of_maxima"} {
			spec := info.Defaults().(*ensemble.Combine)
			spec.By = by
			worst := 1.0
			for _, m := range spec.Base {
				one, err := m.Spec()
				if err != nil {
					t.Fatal(err)
				}
				worst = min(worst, modeltest.AUROC(t, modeltest.FitScore(t, one, models.Env{}, p.Even, p.Odd), p.Odd.Attack))
			}
			got := modeltest.AUROC(t, modeltest.FitScore(t, spec, models.Env{}, p.Even, p.Odd), p.Odd.Attack)
			t.Logf("%s, %s: AUROC %.4f, the worst member %.4f", p.Name, by, got, worst)
			if got < worst-0.02 {
				t.Errorf("%s, %s: AUROC %.4f, the worst member %.4f", p.Name, by, got, worst)
			}
		}
	}
}
