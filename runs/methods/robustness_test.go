package methods

import (
	"strings"
	"testing"

	"plumbline/data/split"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// TestRobustness: whatever was done to the rows of a data set is told with its number, and nothing where nothing was;
// rows that are taken for benign are not called so.
func TestRobustness(t *testing.T) {
	m := &record.DataManifest{Train: 640}
	for _, test := range []struct {
		change func(*experiment.DataSet)
		want   string // in what is told
		train  string
	}{
		{func(*experiment.DataSet) {}, "", "640 benign rows train"},
		{func(s *experiment.DataSet) { s.Split.Training = 0.35 }, "share of 0.35 is kept", "640 benign rows train"},
		{func(s *experiment.DataSet) { s.Split.LabelNoise = 0.07 }, "share of 0.07 is taken for what it is not",
			"640 rows train models"},
		{func(s *experiment.DataSet) { s.Split.AttackCopies = 9 }, "there 9 times", "640 benign rows train"},
		{func(s *experiment.DataSet) { s.Irrelevant = 0.6 }, "share of 0.6 of the columns", "640 benign rows train"},
		{func(s *experiment.DataSet) { s.Split.Kind, s.Split.Drifted = "drift", 0.4 }, "share of 0.4 of the test rows",
			"640 benign rows train"},
		{func(s *experiment.DataSet) { s.Split.Contamination = 0.02 }, "", "640 rows train models"},
		{func(s *experiment.DataSet) { s.Split.Unlabelled = "all" }, "", "640 rows train models"},
	} {
		s := &experiment.DataSet{Split: split.DefaultSplit()}
		test.change(s)
		got := strings.Join(robustness(s), " ")
		if !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%q, want %q", got, test.want)
		}
		if got := training(&s.Split, m); !strings.HasPrefix(got, test.train) {
			t.Errorf("%q, want %q", got, test.train)
		}
	}
}

// TestTuned: a search is told with its budget and what it chose.
func TestTuned(t *testing.T) {
	got := strings.Join(tuned([]record.Tuned{
		{Label: "ae-tuned", From: "ae", Method: "tpe", Objective: "families", Trials: 14, Cells: 84, Trial: 11,
			Values: []string{"models.ae.epochs=17", "models.ae.dropout=0.2"}},
		{Label: "pca-tuned", From: "pca", Method: "grid", Objective: "benign_loss", Trials: 3, Cells: 6},
	}), "\n")
	for _, want := range []string{"settings of ae-tuned", "from those of ae:", "method tpe", "objective families",
		"14 trials", "84 trainings", "trial 11 was chosen (models.ae.epochs=17, models.ae.dropout=0.2)",
		"trial 0 was chosen (the settings of the file)"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %s", want, got)
		}
	}
}
