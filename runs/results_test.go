package runs

import (
	"math"
	"strings"
	"testing"

	"plumbline/runs/record"
)

func TestResultsRoundTrip(t *testing.T) {
	e := load(t, small)
	a := blankResult(e.Plan()[0])
	a.Status, a.Error, a.AUROC, a.Train, a.Warnings = record.Failed, "a, \"quoted\"\nerror", record.Number(0.123456789012345678), 5, []string{"one", "two"}
	var b strings.Builder
	if err := record.WriteResults(&b, []record.Result{a}); err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadResults(strings.NewReader(b.String()), "x")
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if g := got[0]; g.Error != a.Error || g.AUROC != a.AUROC || g.Train != 5 || !math.IsNaN(float64(g.F1)) || len(g.Warnings) != 2 {
		t.Errorf("%+v", g)
	}
	if _, err := record.ReadResults(strings.NewReader("a,b\n1,2\n"), "x.csv"); err == nil || !strings.Contains(err.Error(), "x.csv:1") {
		t.Errorf("error %v", err)
	}
	if _, err := record.ReadResults(strings.NewReader("data,model,label,seed,status\na,b,c,zz,ok\n"), "x.csv"); err == nil || !strings.Contains(err.Error(), "x.csv:2:7: column seed") {
		t.Errorf("error %v", err)
	}
}
