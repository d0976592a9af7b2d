package eval

import "math"

// RecallWithin is the largest share of the attacks that a threshold catches while it flags at most alerts units,
// attacks and benign ones together; 0 when only flagging nothing keeps within. There is no interpolation: equal scores
// are flagged together. NaN without attacks, or for a number of alerts that is negative or none.
func (r *Ranking) RecallWithin(alerts float64) float64 {
	if r.P == 0 || !(alerts >= 0) {
		return math.NaN()
	}
	var tp, all int
	for g := range r.Score {
		if all += int(r.Pos[g] + r.Neg[g]); float64(all) > alerts {
			break
		}
		tp += int(r.Pos[g])
	}
	return float64(tp) / float64(r.P)
}

// Costs are what mistakes cost, in any unit, and how often there is something to miss.
type Costs struct {
	// a false alarm
	Alarm float64 `yaml:"alarm" json:"alarm" jsonschema:"minimum=0"`
	// an attack that is missed
	Miss float64 `yaml:"miss" json:"miss" jsonschema:"minimum=0"`
}

// Of is the expected cost of one unit where a share of them, the prevalence in [0,1], are attacks,
//
//	c_miss · π · (1 − TPR) + c_alarm · (1 − π) · FPR
//
// (Drummond and Holte, Cost curves, Machine Learning 65, 2006, equation 2, not divided by its largest value). NaN where
// a rate that it needs is.
func (c Costs) Of(tpr, fpr, prevalence float64) float64 {
	return float64(c.Miss*prevalence*(1-tpr)) + float64(c.Alarm*(1-prevalence)*fpr)
}

// OracleCost is the lowest expected cost of any threshold, flagging nothing among them. It chooses the threshold with
// the test labels. NaN when either class is absent.
func (r *Ranking) OracleCost(c Costs, prevalence float64) float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	best := c.Of(0, 0, prevalence)
	var tp, fp int
	for g := range r.Score {
		tp += int(r.Pos[g])
		fp += int(r.Neg[g])
		best = min(best, c.Of(float64(tp)/float64(r.P), float64(fp)/float64(r.N), prevalence))
	}
	return best
}

// PrecisionAtFPR is the precision at the operating point of [Ranking.TPRAtFPR], at a prevalence in [0,1] in place of
// the test set's own. NaN when either class is absent, and where nothing is flagged within the rate.
func (r *Ranking) PrecisionAtFPR(fpr, prevalence float64) float64 {
	if r.P == 0 || r.N == 0 {
		return math.NaN()
	}
	var tp, fp int
	for g := range r.Score {
		if float64(fp+int(r.Neg[g]))/float64(r.N) > fpr {
			break
		}
		tp, fp = tp+int(r.Pos[g]), fp+int(r.Neg[g])
	}
	hits := prevalence * float64(tp) / float64(r.P)
	return ratio(hits, hits+(1-prevalence)*float64(fp)/float64(r.N))
}
