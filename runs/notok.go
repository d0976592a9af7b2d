package runs

import (
	"fmt"
	"strings"

	"plumbline/models"
	"plumbline/runs/record"
)

// NotOK names the models with cells that are not ok, and how many they are; controls are named as such, since a table
// without one says less but is no worse.
func (o *Outcome) NotOK() string {
	var labels []string
	counts := map[string]int{}
	for _, r := range o.Results {
		if r.Status == record.OK {
			continue
		}
		label := r.Label
		if info, err := models.Lookup(r.Model); err == nil && info.Control || label == "untrained" {
			label += " (control)"
		}
		if counts[label]++; counts[label] == 1 {
			labels = append(labels, label)
		}
	}
	for i, label := range labels {
		labels[i] = fmt.Sprintf("%s %d", label, counts[label])
	}
	return strings.Join(labels, ", ")
}
