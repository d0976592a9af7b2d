package methods

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/data/split"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// robustness tells what was done to the rows besides splitting them: less training, wrong labels, copies, columns that
// say nothing, test rows from elsewhere.
func robustness(s *experiment.DataSet) (out []string) {
	sp := &s.Split
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if sp.Kind == "drift" {
		add("A share of %s of the test rows is of the test files, the others are held out of the training files, as many of "+
			"each truth and with the same training rows whatever the share.", number(sp.Drifted))
	}
	if sp.Training < 1 {
		add("Of the training rows, benign rows and attacks alike, a share of %s is kept.", number(sp.Training))
	}
	if sp.LabelNoise > 0 {
		add("Of the training rows, benign rows and attacks alike, a share of %s is taken for what it is not: models that "+
			"learn without labels lose those benign rows and get those attacks.", number(sp.LabelNoise))
	}
	if sp.AttackCopies > split.DefaultSplit().AttackCopies {
		add("Each attack of training stands there %d times.", sp.AttackCopies)
	}
	if s.Irrelevant > 0 {
		add("A share of %s of the columns says nothing: they were added, drawn alike over the range of a number among the "+
			"training rows.", number(s.Irrelevant))
	}
	return out
}

// asTaken says whether the rows that models without labels train on are the benign ones of training, no more and no
// fewer.
func asTaken(sp *split.SplitSpec) bool {
	return sp.Unlabelled != "all" && sp.Contamination == 0 && sp.LabelNoise == 0
}

// training is how many rows train models without labels.
func training(sp *split.SplitSpec, m *record.DataManifest) string {
	if asTaken(sp) {
		return m.Training()
	}
	return fmt.Sprintf("%d rows train models that learn without labels", m.Train)
}

// tuned tells how the settings of models were found that a search chose.
func tuned(of []record.Tuned) (out []string) {
	for _, t := range of {
		chosen := "the settings of the file"
		if len(t.Values) > 0 {
			chosen = strings.Join(t.Values, ", ")
		}
		out = append(out, fmt.Sprintf("The settings of %s were searched for inside the training data, from those of %s: "+
			"method %s, objective %s, %d trials, %d trainings in all; trial %d was chosen (%s). The test part was read once, "+
			"after that.", t.Label, t.From, t.Method, t.Objective, t.Trials, t.Cells, t.Trial, chosen))
	}
	return out
}

// controls tells what models are held against, "" where there is nothing.
func controls(e *experiment.Experiment) string {
	var labels []string
	for _, m := range e.Entries {
		if m.Info.Control || m.Label == "untrained" {
			labels = append(labels, m.Label)
		}
	}
	if labels == nil || len(labels) == len(e.Entries) {
		return ""
	}
	slices.Sort(labels)
	return "A model is marked where it is not shown to be better than the best control (" + list(labels) + "): its mean " +
		"is no better, or Welch's test, with Holm's correction for the models, does not tell the two apart."
}
