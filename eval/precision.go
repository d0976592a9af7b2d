package eval

import "math"

// PR returns the precision-recall curve: X recall, Y precision, one point per distinct score by growing
// recall, after the conventional first point (0,1). It is nil when either class is absent.
func (r *Ranking) PR() []Point {
	if r.P == 0 || r.N == 0 {
		return nil
	}
	pts := make([]Point, 1, len(r.Score)+1)
	pts[0] = Point{0, 1, math.Inf(1)}
	var tp, fp int
	for g, s := range r.Score {
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
		pts = append(pts, Point{float64(tp) / float64(r.P), float64(tp) / float64(tp+fp), s})
	}
	return pts
}

// AveragePrecision is the area under the precision-recall curve as a sum of steps,
//
//	AP = Σ_k (R_k − R_{k−1}) P_k        over the distinct scores, descending
//
// without interpolation, as scikit-learn's average_precision_score. A ranking by chance gives about the
// prevalence P/(P+N). NaN when either class is absent: without benign samples it is 1 whatever the scores.
func (r *Ranking) AveragePrecision() float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	var sum float64
	var tp, all int
	for g := range r.Score {
		pos := int(r.Pos[g])
		tp += pos
		all += pos + int(r.Neg[g])
		if pos > 0 {
			sum += float64(float64(pos) * (float64(tp) / float64(all)))
		}
	}
	return sum / float64(r.P)
}

// PRAUCTrapezoid is the area under the precision-recall curve by the trapezoid rule, starting at (0,1). It
// interpolates between points linearly, which is too optimistic (Davis and Goadrich, ICML 2006): it is here to
// compare with published values, [Ranking.AveragePrecision] is the one to report. NaN when either class is absent.
func (r *Ranking) PRAUCTrapezoid() float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	var area float64
	var tp, all int
	x, y := 0.0, 1.0
	for g := range r.Score {
		tp += int(r.Pos[g])
		if all += int(r.Pos[g] + r.Neg[g]); all == 0 {
			continue // a group that a resample left empty
		}
		nx, ny := float64(tp)/float64(r.P), float64(tp)/float64(all)
		area += (nx - x) * (y + ny) / 2
		x, y = nx, ny
	}
	return area
}

// PrecisionAt is the share of attacks among the k highest scores: what an analyst who looks at k alerts
// finds. A group of equal scores that k cuts counts with its mean, as for a random order among equals. NaN
// unless 1 ≤ k ≤ P+N.
func (r *Ranking) PrecisionAt(k int) float64 {
	if k < 1 || k > r.P+r.N {
		return math.NaN()
	}
	var hits float64
	left := k
	for g := range r.Score {
		n := int(r.Pos[g] + r.Neg[g])
		if n >= left {
			hits += float64(r.Pos[g]) * float64(left) / float64(n)
			break
		}
		hits += float64(r.Pos[g])
		left -= n
	}
	return hits / float64(k)
}

// OracleF1 is the best F1 over all thresholds and the threshold that gives it (the largest such). It
// chooses the threshold with the test labels, so it bounds what a threshold rule could reach and is not a
// result of one. NaN without attacks.
func (r *Ranking) OracleF1() (f1, threshold float64) {
	f1, threshold = math.NaN(), math.NaN()
	if r.P == 0 {
		return
	}
	var tp, all int
	for g, s := range r.Score {
		tp += int(r.Pos[g])
		all += int(r.Pos[g] + r.Neg[g])
		// F1 = 2 TP / (2 TP + FP + FN) = 2 TP / (flagged + P)
		if f := 2 * float64(tp) / float64(all+r.P); math.IsNaN(f1) || f > f1 {
			f1, threshold = f, math.Nextafter(s, math.Inf(-1))
		}
	}
	return
}
