package eval

import (
	"fmt"
	"math"
	"slices"
)

// Metrics is everything that a run reports of one cell.
type Metrics struct {
	Samples    int
	Attacks    int
	Prevalence float64

	AUROC, AUPRC         float64
	AUROCInt, AUPRCInt   Interval // bootstrap over test samples
	FPRAt95TPR           float64
	TPRAt1FPR, TPRAt01   float64 // at 1 % and 0.1 % false positives
	PartialAUROC         float64 // up to 1 % false positives
	PRAUCTrapezoid       float64
	OracleF1             float64
	OracleThreshold      float64
	Threshold            float64
	Confusion            Confusion
	Accuracy, Balanced   float64
	Precision, Recall    float64
	Specificity, F1, MCC float64

	Classes  []ClassMetrics
	Warnings []string
}

// ClassMetrics is how one attack class fares.
type ClassMetrics struct {
	Class   string
	Samples int
	Recall  float64 // share above the threshold
	AUROC   float64 // against all benign samples
}

// fewRows is the number of test samples below which a class's recall says little.
const fewRows = 30

// Truth is the labels of test samples.
type Truth struct {
	Attack []bool
	Class  []uint32 // index into Names; nil: no classes
	Names  []string
}

// Summarise judges the scores of one test set. threshold may be NaN: what depends on it is NaN then.
// resamples is the number of bootstrap resamples, 0 for no intervals.
func Summarise(scores []float64, truth Truth, threshold float64, resamples int, seed uint64) (*Metrics, error) {
	r, err := Rank(scores, truth.Attack)
	if err != nil {
		return nil, err
	}
	nan := math.NaN()
	m := &Metrics{
		Samples: len(scores), Attacks: int(r.attacks), Prevalence: ratio(r.attacks, float64(len(scores))),
		AUROC: r.ROCAUC(), AUPRC: r.AveragePrecision(), FPRAt95TPR: r.FPRAtTPR(0.95),
		TPRAt1FPR: r.TPRAtFPR(0.01), TPRAt01: r.TPRAtFPR(0.001), PartialAUROC: r.PartialROCAUC(0.01), PRAUCTrapezoid: r.PRAUCTrapezoid(),
		Threshold: threshold, Accuracy: nan, Balanced: nan, Precision: nan, Recall: nan, Specificity: nan, F1: nan, MCC: nan,
	}
	m.OracleF1, m.OracleThreshold = r.OracleF1()
	m.AUROCInt, m.AUPRCInt = r.Bootstrap(resamples, seed)
	if !math.IsNaN(threshold) {
		c := Confuse(scores, truth.Attack, threshold)
		m.Confusion = c
		m.Accuracy, m.Balanced, m.Precision, m.Recall = c.Accuracy(), c.BalancedAccuracy(), c.Precision(), c.Recall()
		m.Specificity, m.F1, m.MCC = c.Specificity(), c.F1(), c.MCC()
		if c.TP+c.FP == 0 {
			m.warn("nothing is above the threshold: precision and MCC are undefined")
		}
	}
	m.judgeRanking(r)
	m.classes(scores, truth, threshold)
	return m, nil
}

func (m *Metrics) warn(format string, args ...any) {
	m.Warnings = append(m.Warnings, fmt.Sprintf(format, args...))
}

func (m *Metrics) judgeRanking(r *Ranking) {
	switch {
	case m.Samples == 0:
		m.warn("no test samples")
	case r.attacks == 0:
		m.warn("no attack among %d test samples: ranking metrics are undefined", m.Samples)
	case r.benigns == 0:
		m.warn("no benign one among %d test samples: ranking metrics are undefined", m.Samples)
	}
	switch n := r.Distinct(); {
	case m.Samples < 2:
	case n == 1:
		m.warn("all %d scores are equal", m.Samples)
	case n < 10 && n < m.Samples:
		m.warn("%d samples have only %d different scores", m.Samples, n)
	}
	if math.IsNaN(m.Threshold) {
		m.warn("no threshold: accuracy, precision, recall, F1 and MCC are undefined")
	}
}

// classes judges each attack class on its own, in order of name.
func (m *Metrics) classes(scores []float64, truth Truth, threshold float64) {
	if truth.Class == nil {
		return
	}
	var benign []float64
	byClass := map[uint32][]float64{}
	for i, s := range scores {
		if truth.Attack[i] {
			byClass[truth.Class[i]] = append(byClass[truth.Class[i]], s)
		} else {
			benign = append(benign, s)
		}
	}
	small := 0
	for class, own := range byClass {
		c := ClassMetrics{Class: truth.Names[class], Samples: len(own), Recall: math.NaN(), AUROC: math.NaN()}
		labels := make([]bool, len(own), len(own)+len(benign))
		for i := range labels {
			labels[i] = true
		}
		all := append(slices.Clone(own), benign...)
		if r, err := Rank(all, append(labels, make([]bool, len(benign))...)); err == nil {
			c.AUROC = r.ROCAUC()
		}
		if !math.IsNaN(threshold) {
			above := 0
			for _, s := range own {
				if s > threshold {
					above++
				}
			}
			c.Recall = float64(above) / float64(len(own))
		}
		if len(own) < fewRows {
			small++
		}
		m.Classes = append(m.Classes, c)
	}
	slices.SortFunc(m.Classes, func(a, b ClassMetrics) int {
		if a.Class < b.Class {
			return -1
		}
		return 1
	})
	if small > 0 {
		m.warn("%d of %d attack classes have fewer than %d test samples: their recall says little", small, len(byClass), fewRows)
	}
}
