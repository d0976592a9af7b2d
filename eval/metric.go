package eval

import (
	"math"
	"slices"
)

// Metric is one number that judges a cell. The table of them is all that knows their names: metrics.json,
// results.csv, summary.json, comparisons and help follow it.
type Metric struct {
	Name   string // in metrics.json and results.csv, and what comparisons are asked for
	Title  string // head of a column of tables
	Doc    string // one sentence without a full stop
	Better Better
	Range  Range
	// value is NaN where the metric is undefined. nil: the runner measures it.
	value func(*judged) float64
}

// Better says which values of a metric are preferred.
type Better int

// Preferences.
const (
	Neither Better = iota // it describes, and ranks nothing
	Higher
	Lower
)

// judged is what the values of metrics are taken from.
type judged struct {
	rank      *Ranking
	threshold float64   // NaN: none
	flags     Confusion // by the threshold; zero without one
}

// flagged is a quantity of the threshold's decisions, NaN without one.
func flagged(of func(Confusion) float64) func(*judged) float64 {
	return func(j *judged) float64 {
		if math.IsNaN(j.threshold) {
			return math.NaN()
		}
		return of(j.flags)
	}
}

// ranked is a quantity of the ranking alone.
func ranked(of func(*Ranking) float64) func(*judged) float64 {
	return func(j *judged) float64 { return of(j.rank) }
}

// metrics is the table, in the order of metrics.json.
var metrics = slices.Concat(scoreMetrics, ofClasses(), rebuildMetrics, operatingMetrics, runnerMetrics)

// scoreMetrics come from scores and labels.
var scoreMetrics = []Metric{
	{"prevalence", "attacks", "share of attacks among the judged units", Neither, Share,
		ranked(func(r *Ranking) float64 { return ratio(float64(r.P), float64(r.P+r.N)) })},
	{"auroc", "AUROC", "area under the ROC curve: the probability that an attack outscores a benign unit", Higher, Share,
		ranked((*Ranking).ROCAUC)},
	{
		"auprc",
		"AUPRC",
		"average precision, the area under the precision-recall curve without interpolation",
		Higher,
		Share,
		ranked((*Ranking).AveragePrecision),
	},
	{"fpr_at_95tpr", "FPR@95TPR", "false-positive rate of the largest threshold that catches 95 % of the attacks",
		Lower, Share, ranked(func(r *Ranking) float64 { return r.FPRAtTPR(0.95) })},
	{"tpr_at_1fpr", "TPR@1%FPR", "share of attacks caught at no more than 1 % false positives", Higher, Share,
		ranked(func(r *Ranking) float64 { return r.TPRAtFPR(0.01) })},
	{"tpr_at_01fpr", "TPR@0.1%FPR", "share of attacks caught at no more than 0.1 % false positives", Higher, Share,
		ranked(func(r *Ranking) float64 { return r.TPRAtFPR(0.001) })},
	{"partial_auroc", "pAUROC", "mean share of attacks caught over false-positive rates up to 1 %", Higher, Share,
		ranked(func(r *Ranking) float64 { return r.PartialROCAUC(0.01) })},
	{"prauc_trapezoid", "PR trapezoid",
		"area under the precision-recall curve by trapezoids, too high, to compare with published values",
		Higher, Share, ranked((*Ranking).PRAUCTrapezoid)},
	{"oracle_f1", "oracle best F1", "largest F1 of any threshold, chosen with the test labels", Higher, Share,
		ranked(func(r *Ranking) float64 { f1, _ := r.OracleF1(); return f1 })},
	{"oracle_threshold", "oracle threshold", "threshold of the largest F1, chosen with the test labels", Neither, Anything,
		ranked(func(r *Ranking) float64 { _, at := r.OracleF1(); return at })},
	{"threshold", "threshold", "score above which a unit is flagged", Neither, Anything,
		func(j *judged) float64 { return j.threshold }},
	{"accuracy", "accuracy", "share of units told right", Higher, Share, flagged(Confusion.Accuracy)},
	{"balanced_accuracy", "bal. acc.", "mean of recall and specificity", Higher, Share,
		flagged(Confusion.BalancedAccuracy)},
	{"precision", "precision", "share of attacks among the flagged units", Higher, Share, flagged(Confusion.Precision)},
	{"recall", "recall", "share of attacks flagged", Higher, Share, flagged(Confusion.Recall)},
	{"specificity", "specificity", "share of benign units not flagged", Higher, Share, flagged(Confusion.Specificity)},
	{"f1", "F1", "harmonic mean of precision and recall", Higher, Share, flagged(Confusion.F1)},
	{"mcc", "MCC", "Matthews' correlation of flags and truth", Higher, Signed, flagged(Confusion.MCC)},
	{"alarms", "alarms", "share of units flagged", Neither, Share, flagged(Confusion.Flagged)},
	{"distinct_scores", "distinct", "number of different scores", Neither, Positive,
		ranked(func(r *Ranking) float64 { return float64(r.Distinct()) })},
}

// rebuildMetrics are of models that rebuild samples: measured by what runs the model, and in metrics.json.
var rebuildMetrics = []Metric{
	rebuilt("re_valid_mean", "RE valid", "mean", "the benign validation rows"),
	rebuilt("re_valid_median", "RE valid, median", "median", "the benign validation rows"),
	rebuilt("re_benign_mean", "RE benign", "mean", "the benign test rows"),
	rebuilt("re_benign_median", "RE benign, median", "median", "the benign test rows"),
	rebuilt("re_attack_mean", "RE attack", "mean", "the attacks of the test rows"),
	rebuilt("re_attack_median", "RE attack, median", "median", "the attacks of the test rows"),
}

func rebuilt(name, title, what, of string) Metric {
	return Metric{name, title, what + " reconstruction error of " + of + ", the mean over columns of the squared " +
		"difference, of models that rebuild rows", Neither, Positive, nil}
}

// operatingMetrics are of the operating points that an experiment states: taken by what runs the model, and in
// metrics.json.
var operatingMetrics = []Metric{
	{"recall_at_fpr", "recall at FPR", "share of attacks caught at no more than the stated false-positive rate on the " +
		"test units, alike for all models (operating.fpr)", Higher, Share, nil},
	{"precision_at_fpr", "prec. at FPR", "precision there, at the stated prevalence", Higher, Share, nil},
	{"precision_at_prevalence", "prec. at prevalence", "precision if the stated share of the units were attacks, at the " +
		"same recall and false-positive rate (operating.prevalence)", Higher, Share, nil},
	{"alerts_per_day", "alerts a day", "alarms over the days from the first to the last test unit", Neither, Positive,
		nil},
	{"recall_at_alerts", "recall at alerts", "share of attacks caught with no more than the stated alarms a day, alike " +
		"for all models (operating.alerts)", Higher, Share, nil},
	{"cost", "cost", "expected cost of a unit at the threshold, at the stated costs and prevalence (operating.costs)",
		Lower, Positive, nil},
	{"oracle_cost", "oracle cost", "lowest expected cost of any threshold, chosen with the test labels", Lower, Positive,
		nil},
	{"conformal_recall", "conf. recall", "share of attacks flagged by conformal p-values at the stated false discovery " +
		"rate (operating.fdr)", Higher, Share, nil},
	{"conformal_false_share", "conf. false", "share of benign units among those", Lower, Share, nil},
	{"spot_recall", "SPOT recall", "share of attacks above a threshold that SPOT learns on along the test units " +
		"(operating.spot)", Higher, Share, nil},
	{"spot_fpr", "SPOT FPR", "share of benign units above it", Lower, Share, nil},
	{"events", "events", "attacks as stretches of one class and one source without a gap (operating.gap)", Neither,
		Positive, nil},
	{"event_recall", "event recall", "share of these events with an alarm", Higher, Share, nil},
	{"detection_delay", "delay s", "median seconds from an event's first unit to its first alarm, where more than half " +
		"of the events have one", Lower, Positive, nil},
	{pointAdjusted, "PA-F1", "F1 that counts all units of an event with an alarm as flagged; chance is large, see " +
		PointAdjustedRandom, Higher, Share, nil},
	{PointAdjustedRandom, "PA-F1 of chance", "the same of as many alarms at random", Neither, Share, nil},
}

// PointAdjustedRandom is the metric that stands beside [pointAdjusted] wherever that does.
const (
	pointAdjusted       = "point_adjusted_f1"
	PointAdjustedRandom = "point_adjusted_f1_random"
)

// Beside is the metric without which another must not be shown, "" for none.
func Beside(metric string) string {
	if metric == pointAdjusted {
		return PointAdjustedRandom
	}
	return ""
}

// keptByRunner are the metrics of metrics.json that what runs the model puts there.
var keptByRunner = slices.Concat(rebuildMetrics, operatingMetrics)

// runnerMetrics are measured by what runs the model.
var runnerMetrics = []Metric{
	{"fpr", "FPR", "share of benign units flagged, but for those that share a window with an attack", Lower, Share, nil},
	{"fpr_asked", "FPR asked", "false-positive rate that the threshold's rule was asked for", Neither, Share, nil},
	{"near_attack", "near attack", "benign units that share a window with an attack", Neither, Positive, nil},
	{
		"fpr_near_attack",
		"FPR near attack",
		"share of those flagged: alarms that may be on the attack",
		Neither,
		Share,
		nil,
	},
	{"weighted_cluster_auroc", "cluster AUROC",
		"AUROC within the clusters of a model that has some, weighted by their units", Higher, Share, nil},
	{"zero_filled_cluster_auroc", "cluster AUROC, 0-filled",
		"the same over all clusters, one without attacks or benign units counting 0", Higher, Share, nil},
	{"silhouette", "silhouette",
		"mean silhouette of the clusters of a model that has some, over at most 10,000 test samples", Higher, Signed, nil},
	{
		"davies_bouldin",
		"Davies-Bouldin",
		"mean over clusters of the worst ratio of extent to distance",
		Lower,
		Positive,
		nil,
	},
	{"calinski_harabasz", "Calinski-Harabasz", "variance between clusters over that within, by degrees of freedom",
		Higher, Positive, nil},
	{"n_train_attacks", "attacks seen", "labelled attacks among the training samples of a model that learns from labels",
		Neither, Positive, nil},
	{"fit_seconds", "fit s", "time of training", Lower, Positive, nil},
	{"score_seconds", "score s", "time of scoring the test samples", Lower, Positive, nil},
	{"peak_rss_mb", "peak MB", "largest memory of the process so far, in megabytes", Lower, Positive, nil},
}

// withoutLabels are the metrics that scores alone give.
var withoutLabels = []string{"threshold", "alarms", "distinct_scores"}

// MetricTable is every metric there is, those of classifiers and then those that the runner measures last.
func MetricTable() []Metric { return slices.Clone(metrics) }

// MetricNames is the names of the table in its order.
func MetricNames() []string {
	out := make([]string, len(metrics))
	for i, m := range metrics {
		out[i] = m.Name
	}
	return out
}

// MetricNamed is the metric of that name, if there is one.
func MetricNamed(name string) (Metric, bool) {
	for _, m := range metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// TitleOf is what tables and axes call a metric: its name where it is none that is known.
func TitleOf(name string) string {
	if m, ok := MetricNamed(name); ok {
		return m.Title
	}
	return name
}

// Measured says whether the metric comes from scores, probabilities and labels and is in metrics.json; the others are
// measured by what runs the model.
func (m Metric) Measured() bool {
	if slices.ContainsFunc(keptByRunner, func(r Metric) bool { return r.Name == m.Name }) {
		return true
	}
	return m.value != nil || slices.ContainsFunc(classMetrics, func(c classMetric) bool { return c.Name == m.Name })
}
