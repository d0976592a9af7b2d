package experiment

import (
	"fmt"
	"math"
	"time"

	"plumbline/eval"
)

// Operating is the operating points that are told of each model alike, whatever its threshold. The values are metrics
// of their own.
type Operating struct {
	// false-positive rate on the benign test units: recall_at_fpr, precision_at_fpr
	FPR float64 `yaml:"fpr" jsonschema:"minimum=0,maximum=1"`
	// share of attacks where the detector is to work: precision_at_prevalence, precision_at_fpr, cost
	Prevalence float64 `yaml:"prevalence" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// alarms a day of the test units' time: recall_at_alerts
	Alerts float64 `yaml:"alerts" jsonschema:"minimum=0"`
	// what a false alarm and a missed attack cost: cost, oracle_cost
	Costs eval.Costs `yaml:"costs"`
	// false discovery rate of conformal p-values: conformal_recall, conformal_false_share
	FDR float64 `yaml:"fdr" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
	// share of benign units that SPOT's threshold is to be exceeded by: spot_recall, spot_fpr; 0: not taken, since its
	// fits along the stream take longer than all else that judges a large test part
	SPOT float64 `yaml:"spot" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// longest time between two attack units of one event, such as 30m: event_recall, detection_delay
	Gap string `yaml:"gap"`
}

func defaultOperating() Operating {
	return Operating{FPR: 0.01, Prevalence: 0.01, Alerts: 100, Costs: eval.Costs{Alarm: 1, Miss: 100}, FDR: 0.1,
		Gap: "30m"}
}

// MaxGap is the gap as nanoseconds.
func (o Operating) MaxGap() (int64, error) {
	d, err := time.ParseDuration(o.Gap)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("operating.gap %q: want a time above 0, such as 90s or 30m", o.Gap)
	}
	return int64(d), nil
}

// Days is the days from the first to the last time of some, NaN where there are no two.
func Days(times []int64, none int64) float64 {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, t := range times {
		if t != none {
			first, last = min(first, t), max(last, t)
		}
	}
	if first >= last {
		return math.NaN()
	}
	return (float64(last) - float64(first)) / float64(24*time.Hour)
}
