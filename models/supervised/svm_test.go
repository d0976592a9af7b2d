package supervised

import (
	"context"
	"math"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// svmReference is margins of scikit-learn 1.2.1 (libsvm, tolerance 1e-6): testdata/svm.py.
type svmReference struct {
	N, D                  int
	Y                     []uint32
	Two, Balanced, Narrow struct {
		Margins []float64
		Vectors []int
	}
	Rest [][]float64
}

// hashed is the rows that testdata/svm.py makes.
func hashed(n, d int, seed uint64) *data.Set {
	s := &data.Set{Kind: data.Vectors, N: n, D: d, Classes: []string{"ok", "near", "far"}}
	for i := range uint64(n) {
		for j := range uint64(d) {
			h := (i*2654435761 + j*40503 + seed) & 0xFFFFFFFF
			for range 2 {
				h = (h ^ h>>16) * 0x45D9F3B & 0xFFFFFFFF
			}
			s.X = append(s.X, float32(h>>8)/(1<<24))
		}
	}
	return s
}

func margins(t *testing.T, d models.Detector, s *data.Set) [][]float64 {
	t.Helper()
	j, err := d.(explained).Learned()
	if err != nil {
		t.Fatal(err)
	}
	m := j.of.(*machines)
	out := make([][]float64, len(m.own))
	for f := range out {
		out[f] = make([]float64, s.N)
		if err := m.own[f].SumsAt(context.Background(), s.X, m.weight[f], 1, out[f]); err != nil {
			t.Fatal(err)
		}
		for i := range out[f] {
			out[f][i] -= m.offset[f]
		}
	}
	return out
}

// TestSVMScikitLearn: margins of libsvm on six thousand rows, which are decomposed: many rows within the margin, class
// weights, a kernel so narrow that nearly every row is a support vector, and three classes one against the others.
func TestSVMScikitLearn(t *testing.T) {
	var r svmReference
	read(t, "svm.json", &r)
	train, test := hashed(r.N, r.D, 1), hashed(200, r.D, 2)
	train.Class = r.Y
	for _, c := range r.Y {
		train.Attack = append(train.Attack, c > 0)
	}
	balanced := Common{Target: "attack", Weights: "balanced", Calibration: "none"}
	for _, c := range []struct {
		name    string
		spec    SVM
		margins []float64
		vectors []int
	}{
		{"two", SVM{defaultCommon(), 1, "scale", 1e-5, 200}, r.Two.Margins, r.Two.Vectors},
		{"balanced", SVM{balanced, 5, "2", 1e-5, 200}, r.Balanced.Margins, r.Balanced.Vectors},
		{"narrow", SVM{defaultCommon(), 10, "200", 1e-5, 200}, r.Narrow.Margins, r.Narrow.Vectors},
		{"little memory", SVM{defaultCommon(), 1, "scale", 1e-5, 1}, r.Two.Margins, r.Two.Vectors},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name == "narrow" {
				t.Skip("the goroutines of the others")
			}
			d := fit(t, &c.spec, train)
			near(t, "margins", margins(t, d, test)[0], c.margins, 1e-3) // kernel values in float32
			j, _ := d.(explained).Learned()
			var vectors [2]int
			for _, b := range j.of.(*machines).beta[0] {
				if b > 0 {
					vectors[1]++
				} else {
					vectors[0]++
				}
			}
			for k, want := range c.vectors {
				if math.Abs(float64(vectors[k]-want)) > 3+0.01*float64(want) {
					t.Errorf("%d support vectors of class %d, want %d", vectors[k], k, want)
				}
			}
		})
	}
	family := Common{Target: "class", Weights: "none", Calibration: "none"}
	d := fit(t, &SVM{family, 1, "scale", 1e-5, 200}, train)
	got := margins(t, d, test)
	order := []int{0, 2, 1} // classes are in the order of their names: far, near
	for k, want := range r.Rest {
		near(t, "one against the others", got[order[k]], want, 1e-3)
	}
	p := probabilities(t, d, test)
	for i := range test.N {
		for c := range 3 { // the most probable class is that of the largest margin
			if p[3*i+c] > max(p[3*i], p[3*i+1], p[3*i+2])-1e-15 && got[c][i] < max(got[0][i], got[1][i], got[2][i]) {
				t.Errorf("row %d: probabilities %v, class %d has the margin %v", i, p[3*i:3*i+3], c, got[c][i])
			}
		}
	}
}

// TestSVMFixture: the margins of scikit-learn 1.2.1 on the fixture's rows, whole, in float64.
func TestSVMFixture(t *testing.T) {
	var f fixtures
	var g struct {
		SVC struct {
			C, Gamma float64
			Decision []float64
			NSV      []int
		}
	}
	read(t, "fixtures.json", &f)
	read(t, "svm_fixture.json", &g)
	spec := &SVM{defaultCommon(), g.SVC.C, "0.5", 1e-9, 200}
	d := fit(t, spec, rows(f.Train, labels(f.LogReg.Y)))
	near(t, "margins", margins(t, d, rows(f.Test, nil))[0], g.SVC.Decision, 1e-6)
}

// TestSVMCalibrates: with a calibration the scores are probabilities: among rows of scores near p, about a share p are
// attacks, which without it they are not.
func TestSVMCalibrates(t *testing.T) {
	train, test := stripes(900, 3, 11), stripes(3000, 3, 12)
	brier := map[string]float64{}
	for _, how := range []string{"none", "platt", "isotonic"} {
		spec := &SVM{Common{"attack", "none", how}, 1, "scale", 1e-3, 200}
		got, err := fit(t, spec, train).Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if test.Attack[i] {
				v = 1 - v
			}
			brier[how] += v * v / float64(test.N)
		}
	}
	if brier["platt"] >= brier["none"] || brier["isotonic"] >= brier["none"] {
		t.Errorf("Brier scores %v", brier)
	}
}

// TestSVMExplains: a column that decides has the largest contribution, and one contribution is the difference of the
// margins with and without it.
func TestSVMExplains(t *testing.T) {
	train := hashed(600, 4, 5)
	for i := range train.N {
		train.Attack = append(train.Attack, train.Row(i)[2] > 0.6)
	}
	d := fit(t, &SVM{defaultCommon(), 1, "scale", 1e-3, 200}, train)
	j, _ := d.(explained).Learned()
	m := j.of.(*machines)
	test := rows([][]float64{{0.5, 0.5, 0.95, 0.5}, {0.1, 0.9, 0.99, 0.2}}, nil)
	_, why, err := d.(explained).Explain(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range why {
		if v[2] < 1 || v[2] <= max(v[0], v[1], v[3]) {
			t.Errorf("row %d: contributions %v", i, v)
		}
		without := test.Subset([]int{i})
		without.X[2] = float32(m.shift[2])
		near(t, "contribution", v[2:3], []float64{margins(t, d, test)[0][i] - margins(t, d, without)[0][0]}, 1e-5)
	}
}
