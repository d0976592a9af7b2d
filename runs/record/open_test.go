package record_test

import (
	"fmt"
	"testing"

	"plumbline/runs/record"
)

// TestFitting: whole parts of a name come before others that hold it, and the name itself before both.
func TestFitting(t *testing.T) {
	cells := []string{"cells/a/ae/s1", "cells/a/sae/s1", "cells/a/sae/s2", "cells/a/sae-kde/s1", "ae"}
	for name, want := range map[string]string{"ae": "[4]", "ae/s1": "[0]", "sae": "[1 2]", "sae/s2": "[2]", "kde": "[3]",
		"cells/a/ae/s1": "[0]", "s1": "[0 1 3]", "sa": "[1 2 3]", "none": "[]", "/s2": "[2]"} {
		if got := fmt.Sprint(record.Fitting(cells, name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
