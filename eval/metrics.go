package eval

import (
	"fmt"
	"math"
)

// Metrics is everything that a run reports of one cell. Undefined numbers are NaN (null in JSON).
type Metrics struct {
	Samples    int     `json:"samples"`
	Attacks    int     `json:"attacks"`
	Prevalence float64 `json:"prevalence"`

	AUROC           float64  `json:"auroc"`
	AUROCInt        Interval `json:"auroc_interval"` // bootstrap over test samples
	AUPRC           float64  `json:"auprc"`          // average precision
	AUPRCInt        Interval `json:"auprc_interval"`
	FPRAt95TPR      float64  `json:"fpr_at_95tpr"`
	TPRAt1FPR       float64  `json:"tpr_at_1fpr"`   // at most 1 % false positives
	TPRAt01         float64  `json:"tpr_at_01fpr"`  // at most 0.1 % false positives
	PartialAUROC    float64  `json:"partial_auroc"` // up to 1 % false positives, see [Ranking.PartialROCAUC]
	PRAUCTrapezoid  float64  `json:"prauc_trapezoid"`
	OracleF1        float64  `json:"oracle_f1"`
	OracleThreshold float64  `json:"oracle_threshold"`

	Threshold   float64   `json:"threshold"`
	Confusion   Confusion `json:"confusion"` // all 0 without a threshold
	Accuracy    float64   `json:"accuracy"`
	Balanced    float64   `json:"balanced_accuracy"`
	Precision   float64   `json:"precision"`
	Recall      float64   `json:"recall"`
	Specificity float64   `json:"specificity"`
	F1          float64   `json:"f1"`
	MCC         float64   `json:"mcc"`

	Distinct int            `json:"distinct_scores"`
	Classes  []ClassMetrics `json:"classes,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
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
		Samples: len(scores), Attacks: r.P, Prevalence: ratio(float64(r.P), float64(len(scores))),
		AUROC: r.ROCAUC(), AUPRC: r.AveragePrecision(), FPRAt95TPR: r.FPRAtTPR(0.95),
		TPRAt1FPR: r.TPRAtFPR(0.01), TPRAt01: r.TPRAtFPR(0.001),
		PartialAUROC: r.PartialROCAUC(0.01), PRAUCTrapezoid: r.PRAUCTrapezoid(),
		Threshold: threshold, Accuracy: nan, Balanced: nan, Precision: nan, Recall: nan, Specificity: nan, F1: nan, MCC: nan,
		Distinct: r.Distinct(),
	}
	m.OracleF1, m.OracleThreshold = r.OracleF1()
	m.AUROCInt, m.AUPRCInt = r.Bootstrap(resamples, seed)
	if !math.IsNaN(threshold) {
		c := r.At(threshold)
		m.Confusion = c
		m.Accuracy, m.Balanced, m.Precision, m.Recall = c.Accuracy(), c.BalancedAccuracy(), c.Precision(), c.Recall()
		m.Specificity, m.F1, m.MCC = c.Specificity(), c.F1(), c.MCC()
	}
	if m.Classes, err = r.PerClass(truth, threshold); err != nil {
		return nil, err
	}
	m.doubtSamples()
	m.doubtScores(r)
	m.doubtThreshold()
	return m, nil
}

func (m *Metrics) warn(format string, args ...any) {
	m.Warnings = append(m.Warnings, fmt.Sprintf(format, args...))
}

// doubtSamples warns of test sets that leave something undefined or resting on very little.
func (m *Metrics) doubtSamples() {
	benign := m.Samples - m.Attacks
	switch {
	case m.Samples == 0:
		m.warn("no test samples")
	case m.Attacks == 0:
		m.warn("no attack among %d test samples: ranking metrics are undefined", m.Samples)
	case benign == 0:
		m.warn("no benign one among %d test samples: ranking metrics are undefined", m.Samples)
	default:
		if m.Attacks < FewRows || benign < FewRows {
			m.warn("%d attacks and %d benign test samples: with fewer than %d of either, every number is uncertain", m.Attacks, benign, FewRows)
		}
		switch {
		case benign < 100:
			m.warn("%d benign test samples: the recall at 1 %% and 0.1 %% false positives is that at none", benign)
		case benign < 1000:
			m.warn("%d benign test samples: the recall at 0.1 %% false positives is that at none", benign)
		}
	}
	few := 0
	for _, c := range m.Classes {
		if c.Few {
			few++
		}
	}
	if few > 0 {
		m.warn("%d of %d attack classes have fewer than %d test samples: their recall says little", few, len(m.Classes), FewRows)
	}
}

// doubtScores warns of scores that hardly rank.
func (m *Metrics) doubtScores(r *Ranking) {
	switch {
	case m.Samples < 2:
		return
	case m.Distinct == 1:
		m.warn("all %d scores are equal", m.Samples)
		return
	case m.Distinct < 10 && m.Distinct < m.Samples:
		m.warn("%d samples have only %d different scores", m.Samples, m.Distinct)
	}
	if top := int(r.Pos[0] + r.Neg[0]); m.Samples >= 100 && 10*top >= m.Samples {
		m.warn("%.0f %% of the samples share the highest score: the scores are saturated", 100*float64(top)/float64(m.Samples))
	}
}

// doubtThreshold warns of thresholds that leave something undefined.
func (m *Metrics) doubtThreshold() {
	switch flagged := m.Confusion.TP + m.Confusion.FP; {
	case math.IsNaN(m.Threshold):
		m.warn("no threshold: accuracy, precision, recall, F1 and MCC are undefined")
	case m.Samples == 0:
	case flagged == 0:
		m.warn("nothing is above the threshold: precision and MCC are undefined")
	case flagged == m.Samples:
		m.warn("everything is above the threshold: MCC is undefined")
	}
}
