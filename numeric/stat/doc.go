// Package stat is the statistics of plain numbers that the other packages share: quantiles of one definition
// ([Quantile], [Select]), means and deviations ([Mean], [MeanSD], [MeanVariance]), ranks with ties ([MidRanks],
// [TieSum]), and the distributions that intervals and tests need ([NormalQuantile], [StudentQuantile],
// [ChiSquaredSurvival], [FSurvival], [RangeQuantile], [Binomial], …).
//
// Distributions are gonum's where it has them; what stands here gives them one spelling and says what happens
// outside their domain. Moments are sums from left to right and in two passes, not gonum's compensated ones: what
// was scored once must come out with the same bits.
//
// Nothing here knows of scores, labels or detectors: metrics, thresholds and tests between detectors are
// package eval's, clustering is numeric/cluster's, and moments of whole matrices by column are where their blocks
// are walked.
//
// Values are finite; what NaN among them gives is NaN or unspecified, never a panic. A quantity that too few
// values leave undefined is NaN.
package stat
