package compare

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/runs/record"
)

// operatingOf is the settings of an experiment's operating points that a metric depends on.
var operatingOf = map[string][]string{
	"recall_at_fpr":           {"fpr"},
	"precision_at_fpr":        {"fpr", "prevalence"},
	"precision_at_prevalence": {"prevalence"},
	"recall_at_alerts":        {"alerts"},
	"cost":                    {"prevalence", "costs.alarm", "costs.miss"},
	"oracle_cost":             {"prevalence", "costs.alarm", "costs.miss"},
	"conformal_recall":        {"fdr"},
	"conformal_false_share":   {"fdr"},
	"spot_recall":             {"spot"},
	"spot_fpr":                {"spot"},
	"events":                  {"gap"},
	"event_recall":            {"gap"},
	"detection_delay":         {"gap"},
	"point_adjusted_f1":       {"gap"},

	"point_adjusted_f1_random": {"gap"},
}

// operatingPoints is the operating points of the metrics that are shown, for a note, and a warning of those that runs
// have others of; either may be "".
func operatingPoints(metrics []string, records []*record.Record) (note, warning string) {
	var points, apart, about []string
	for _, m := range metrics {
		for _, key := range operatingOf[m] {
			var values []string
			for _, rec := range records {
				if v, ok := rec.Operating[key]; ok && !slices.Contains(values, v) {
					values = append(values, v)
				}
			}
			if len(values) == 0 {
				continue
			}
			text := key + " " + strings.Join(values, " or ")
			to := &points
			if len(values) > 1 {
				if to = &apart; !slices.Contains(about, m) {
					about = append(about, m)
				}
			}
			if !slices.Contains(*to, text) {
				*to = append(*to, text)
			}
		}
	}
	if points != nil {
		note = "operating points: " + strings.Join(points, ", ")
	}
	if apart != nil {
		warning = fmt.Sprintf("operating points differ from run to run (%s): %s do not compare", strings.Join(apart, ", "),
			strings.Join(about, ", "))
	}
	return note, warning
}
