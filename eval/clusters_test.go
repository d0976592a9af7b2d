package eval

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// TestPerCluster: cluster 0 ranks 3 of 4 pairs, 1 all of 1, 3 holds attacks alone, and nothing is in 2.
func TestPerCluster(t *testing.T) {
	scores := []float64{1, 3, 2, 4, 0, 9, 5, 5}
	attack := []bool{false, false, true, true, false, true, true, true}
	m, err := PerCluster(scores, attack, []int32{0, 0, 0, 0, 1, 1, 3, 3})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "cluster 0", m.Clusters[0].AUROC, 0.75, 1e-12)
	near(t, "cluster 0, precision", m.Clusters[0].AUPRC, (1+2.0/3)/2, 1e-12)
	near(t, "cluster 1", m.Clusters[1].AUROC, 1, 1e-12)
	near(t, "weighted", m.WeightedAUROC, (4*0.75+2*1)/6, 1e-12)
	near(t, "weighted precision", m.WeightedAUPRC, (4*(1+2.0/3)/2+2*1)/6, 1e-12)
	near(t, "zero-filled", m.ZeroFilledAUROC, (4*0.75+2*1)/8, 1e-12)
	last := m.Clusters[len(m.Clusters)-1]
	if len(m.Clusters) != 3 || last.Cluster != 3 || !math.IsNaN(last.AUROC) || last.Attacks != 2 {
		t.Errorf("clusters %+v", m.Clusters)
	}
	const want = `"cluster":3,"samples":2,"attacks":2,"auroc":null`
	if raw, err := json.Marshal(m); err != nil || !strings.Contains(string(raw), want) {
		t.Errorf("as JSON %s, %v", raw, err)
	}
	m, err = PerCluster([]float64{1}, []bool{true}, []int32{7})
	if err != nil || !math.IsNaN(m.WeightedAUROC) || m.ZeroFilledAUROC != 0 {
		t.Errorf("attacks alone: %+v, %v", m, err)
	}
	if m, err = PerCluster(nil, nil, nil); err != nil || !math.IsNaN(m.ZeroFilledAUROC) {
		t.Errorf("nothing: %+v, %v", m, err)
	}
	if _, err = PerCluster([]float64{1}, []bool{true}, nil); err == nil {
		t.Error("too few clusters are taken")
	}
	if _, err = PerCluster([]float64{1}, nil, []int32{0}); err == nil {
		t.Error("too few labels are taken")
	}
	if _, err = PerCluster([]float64{1}, []bool{true}, []int32{-1}); err == nil {
		t.Error("cluster -1 is taken")
	}
}
