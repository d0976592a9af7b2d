package record

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"plumbline/eval"
)

// TestColumns: the columns of results.csv are a format that other programs read.
func TestColumns(t *testing.T) {
	const want = "data,model,label,seed,fold,unit,status,error,n_train,n_test,n_features,auroc,auprc,prevalence," +
		"fpr_at_95tpr,tpr_at_1fpr,threshold,accuracy,balanced_accuracy,precision,recall,specificity,f1,mcc,fit_seconds," +
		"score_seconds,peak_rss_mb,train_sha256,test_sha256,cell,auroc_low,auroc_high,auprc_low,auprc_high,tpr_at_01fpr," +
		"n_valid,weighted_cluster_auroc,zero_filled_cluster_auroc,input,deterministic,warnings"
	var b strings.Builder
	if err := WriteResults(&b, nil); err != nil {
		t.Fatal(err)
	}
	head := strings.TrimSuffix(b.String(), "\n")
	if !strings.HasPrefix(head, want) {
		t.Errorf("columns\n%s\nwant first\n%s", head, want)
	}
	for _, c := range columns {
		name := strings.TrimSuffix(strings.TrimSuffix(c.name, lowSuffix), highSuffix)
		r := Result{Valid: eval.Number(math.NaN())}
		if _, metric := eval.MetricNamed(name); metric && c.get(&r) != "" {
			t.Errorf("%s of a cell without metrics is %q", c.name, c.get(&r))
		}
	}
}

// TestResultJSON: metrics stand beside the other fields, null and absent ones are undefined.
func TestResultJSON(t *testing.T) {
	r := Result{Data: "d", Label: "a", Status: OK, Valid: 7, Warnings: []string{"few"}}
	r.Judge(&eval.Metrics{
		Values:    map[string]float64{"auroc": 0.75, "f1": math.NaN(), "oracle_f1": 0.5},
		Intervals: map[string]eval.Interval{"auroc": {Low: 0.5, High: 0.875}},
	})
	r.Set("fit_seconds", 2)
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(
		string(raw),
		`"auroc":0.75,"auroc_high":0.875,"auroc_low":0.5,"fit_seconds":2,"oracle_f1":0.5}`,
	) {
		t.Errorf("as JSON %s", raw)
	}
	var back Result
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if back.Data != "d" || back.Valid != 7 || back.Interval("auroc") != (eval.Interval{Low: 0.5, High: 0.875}) ||
		back.Metric("oracle_f1") != 0.5 || !math.IsNaN(back.Metric("f1")) || back.Interval("auprc").Defined() ||
		len(back.Metrics) != len(r.Metrics) {
		t.Errorf("read back %+v", back)
	}
	if err := json.Unmarshal([]byte(`{"data": "d", "auroc": null, "n_valid": null, "unheard_of": 3}`), &back); err != nil ||
		!math.IsNaN(back.Metric("auroc")) ||
		!math.IsNaN(float64(back.Valid)) ||
		len(back.Metrics) != 0 {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{`{"auroc": "high"}`, `{"data": 3}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if raw, err := json.Marshal(Result{Valid: eval.Number(math.NaN())}); err != nil ||
		!strings.Contains(string(raw), `"n_valid":null`) {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestFoldOverlap(t *testing.T) {
	cells := func(folds ...string) (out []Result) {
		for _, f := range folds {
			out = append(out, Result{Data: "d", Fold: f})
		}
		return append(out, Result{Data: "other", Fold: "c1"})
	}
	for _, c := range []struct {
		folds    []string
		manifest []DataManifest
		want     float64
	}{
		{[]string{"f1", "f2", "f3", "f1"}, nil, 0.5},
		{[]string{"r1f1", "r1f2", "r2f1", "r2f2"}, nil, 1},
		{[]string{"r1f1", "r1f2", "r2f1"}, nil, math.NaN()},
		{[]string{"r1", "r2"}, nil, math.NaN()},
		{[]string{"r1", "r2"}, []DataManifest{
			{Name: "other", Train: 1, TestBenign: 1}, {Name: "d", Train: 60, TestBenign: 30},
		}, 0.5},
		{[]string{"c1", "c2"}, []DataManifest{{Name: "d", Train: 60, TestBenign: 30}}, math.NaN()},
		{nil, nil, math.NaN()},
	} {
		m := Manifest{Data: c.manifest}
		if got := m.FoldOverlap("d", cells(c.folds...)); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v, %v: %v, want %v", c.folds, c.manifest, got, c.want)
		}
	}
}
