package runs

import (
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/runs/experiment"
)

// operate takes the metrics of the operating points that the experiment states.
func (j *job) operate(scores []float64, threshold float64, m *eval.Metrics) error {
	o, us := &j.exp.Operating, j.data.Test
	attack := us.Truth.Attack
	r, err := eval.Rank(scores, attack)
	if err != nil {
		return err
	}
	set := func(name string, v float64) { m.Values[name] = v }
	set("recall_at_fpr", r.TPRAtFPR(o.FPR))
	set("precision_at_fpr", r.PrecisionAtFPR(o.FPR, o.Prevalence))
	set("oracle_cost", r.OracleCost(o.Costs, o.Prevalence))
	known := !math.IsNaN(threshold)
	if known {
		set("precision_at_prevalence", m.Confusion.PrecisionAt(o.Prevalence))
		set("cost", o.Costs.Of(m.Confusion.Recall(), m.Confusion.FPR(), o.Prevalence))
	}
	if days := experiment.Days(us.Time, data.NoTime); !math.IsNaN(days) {
		set("recall_at_alerts", r.RecallWithin(o.Alerts*days))
		if known {
			set("alerts_per_day", float64(m.Confusion.TP+m.Confusion.FP)/days)
		}
	}
	if us.Time != nil && known {
		gap, err := o.MaxGap()
		if err != nil {
			return err
		}
		events := eval.FindOccurrences(us.Time, data.NoTime, us.Source, us.Truth, gap)
		found := events.Judge(scores, attack, threshold)
		set("events", float64(events.Count))
		set("event_recall", found.Recall)
		set("detection_delay", found.Delay)
		set("point_adjusted_f1", found.PointAdjustedF1)
		set(eval.PointAdjustedRandom, found.PointAdjustedRandom)
	}
	return j.calibratedPoints(scores, m)
}

// calibratedPoints are those that rest on the scores of held-out benign units.
func (j *job) calibratedPoints(scores []float64, m *eval.Metrics) error {
	if len(j.calibrated) == 0 {
		return nil
	}
	o, attack := &j.exp.Operating, j.data.Test.Truth.Attack
	p := eval.ConformalP(slices.Sorted(slices.Values(j.calibrated)), scores)
	flags := eval.CountFlags(eval.BenjaminiHochberg(p, o.FDR), attack)
	m.Values["conformal_recall"] = flags.Recall()
	m.Values["conformal_false_share"] = 1 - flags.Precision()
	if o.SPOT == 0 {
		return nil
	}
	alarms, _, err := eval.SPOT(j.calibrated, scores, o.SPOT)
	if err != nil {
		return fmt.Errorf("operating: %w", err)
	}
	flags = eval.CountFlags(alarms, attack)
	m.Values["spot_recall"], m.Values["spot_fpr"] = flags.Recall(), flags.FPR()
	return nil
}
