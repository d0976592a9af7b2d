package eval

import "math"

// Point is one operating point of a curve: what happens when every sample with a score ≥ Score is flagged.
// For a ROC curve X is the false-positive rate and Y the true-positive rate; for a precision-recall curve X
// is recall and Y precision. Score is +Inf where nothing is flagged.
type Point struct{ X, Y, Score float64 }

// ROC returns the receiver operating characteristic, from (0,0) to (1,1), one point per distinct score and
// one before the first. It is nil without attacks or without benign samples.
func (r *Ranking) ROC() []Point {
	if r.P == 0 || r.N == 0 {
		return nil
	}
	pts := make([]Point, 1, len(r.Score)+1)
	pts[0] = Point{0, 0, math.Inf(1)}
	var tp, fp int
	for g, s := range r.Score {
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
		pts = append(pts, Point{float64(fp) / float64(r.N), float64(tp) / float64(r.P), s})
	}
	return pts
}

// ROCAUC is the area under the ROC curve: the probability that an attack outscores a benign sample, ties
// counting one half (the Mann–Whitney statistic U/(P·N)). NaN when either class is absent.
func (r *Ranking) ROCAUC() float64 {
	// Twice U, in integers: exact up to 2³¹ samples.
	var u2, above uint64
	for g := range r.Score {
		neg := uint64(r.Neg[g])
		u2 += uint64(r.Pos[g]) * (2*(uint64(r.N)-above-neg) + neg)
		above += neg
	}
	return ratio(float64(u2), 2*float64(r.P)*float64(r.N))
}

// PartialROCAUC is the mean true-positive rate over false-positive rates up to maxFPR in (0,1]: the area
// under that part of the ROC curve, divided by maxFPR. The curve is cut by linear interpolation. Chance gives
// maxFPR/2, perfection 1; it is not the McClish rescaling of scikit-learn's max_fpr. NaN when either class is
// absent or maxFPR is out of range.
func (r *Ranking) PartialROCAUC(maxFPR float64) float64 {
	if r.P == 0 || r.N == 0 || !(maxFPR > 0 && maxFPR <= 1) {
		return math.NaN()
	}
	var area, x, y float64
	var tp, fp int
	for g := range r.Score {
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
		nx, ny := float64(fp)/float64(r.N), float64(tp)/float64(r.P)
		if nx > maxFPR {
			ny = y + (ny-y)*(maxFPR-x)/(nx-x)
			area += (maxFPR - x) * (y + ny) / 2
			break
		}
		area += (nx - x) * (y + ny) / 2
		x, y = nx, ny
	}
	return area / maxFPR
}

// FPRAtTPR is the false-positive rate at the largest threshold that catches at least the share tpr of the
// attacks. There is no interpolation: it is the rate of a threshold that exists. NaN when either class is
// absent.
func (r *Ranking) FPRAtTPR(tpr float64) float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	var tp, fp int
	for g := range r.Score {
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
		if float64(tp)/float64(r.P) >= tpr {
			break
		}
	}
	return float64(fp) / float64(r.N)
}

// TPRAtFPR is the largest share of the attacks that a threshold catches while flagging at most the share
// fpr of the benign samples; 0 when only flagging nothing keeps within it. There is no interpolation. NaN
// when either class is absent.
func (r *Ranking) TPRAtFPR(fpr float64) float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	var tp, fp int
	for g := range r.Score {
		if fp += int(r.Neg[g]); float64(fp)/float64(r.N) > fpr {
			break
		}
		tp += int(r.Pos[g])
	}
	return float64(tp) / float64(r.P)
}
