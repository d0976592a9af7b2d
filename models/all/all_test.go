package all

import (
	"testing"

	"plumbline/models"
	"plumbline/models/modeltest"
)

// TestConformance is not parallel: the suite swaps os.Stdout and os.Stderr.
func TestConformance(t *testing.T) {
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { modeltest.Run(t, info) })
	}
}
