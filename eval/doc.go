// Package eval judges scores: rankings of attacks against benign samples ([Rank], [Ranking.ROCAUC],
// [Ranking.AveragePrecision], …), thresholds fitted on benign validation scores ([ThresholdRule]), what a threshold
// does ([Confusion]), everything a results table needs in one call ([Summarise]) by the one table of metrics
// ([MetricTable]), rankings within clusters ([PerCluster]), intervals over the choice of units ([Ranking.Intervals]),
// means with their intervals over seeds ([Repeat]) and folds ([Pool]), and the tests that compare detectors
// ([Wilcoxon], [Friedman], [Holm], [DeLong]).
//
// It is arithmetic on scores and labels: no models, no files, no printing. Quantiles, moments and distributions of
// plain numbers are numeric/stat's, the only import of this module. Scores are float64 and higher means more
// anomalous; a sample is flagged when score > threshold, strictly. NaN and infinite scores are errors that name the
// index. A quantity that the data leave undefined (recall without attacks) is NaN, never 0, and where a result
// carries Warnings, one of them says why.
package eval
