package runs

import (
	"math"
	"strings"
	"testing"

	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

func TestResultsRoundTrip(t *testing.T) {
	e := runstest.Load(t, runstest.Small)
	a := blankResult(e.Plan()[0])
	a.Status, a.Error, a.Train, a.Warnings = record.Failed, "a, \"quoted\"\nerror", 5, []string{"one", "two"}
	a.Set("auroc", 0.123456789012345678)
	var b strings.Builder
	if err := record.WriteResults(&b, []record.Result{a}); err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadResults(strings.NewReader(b.String()), "x")
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if g := got[0]; g.Error != a.Error || g.Metric("auroc") != a.Metric("auroc") || g.Train != 5 ||
		!math.IsNaN(g.Metric("f1")) || len(g.Warnings) != 2 {
		t.Errorf("%+v", g)
	}
	if _, err := record.ReadResults(strings.NewReader("a,b\n1,2\n"), "x.csv"); err == nil ||
		!strings.Contains(err.Error(), "x.csv:1") {
		t.Errorf("error %v", err)
	}
	_, err = record.ReadResults(strings.NewReader("data,model,label,seed,status\na,b,c,zz,ok\n"), "x.csv")
	if err == nil || !strings.Contains(err.Error(), "x.csv:2:7: column seed") {
		t.Errorf("error %v", err)
	}
}
