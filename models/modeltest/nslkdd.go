package modeltest

import (
	"bytes"
	"context"
	"flag"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/prep"
	"plumbline/data/source"
	"plumbline/data/split"
	"plumbline/models"
)

var full = flag.Bool("full", false,
	"check the detectors against the reference values of the whole KDDTrain+, not only its 20 % file")

// NSLKDDReference is scikit-learn 1.2.1 on the benign rows of a training file and KDDTest+, in float64.
type NSLKDDReference struct {
	File       string
	Gamma, Rho float64 // of ocsvm with nu 0.1
	SV         int
	First5     []float64 // decision values
	Rho01      float64   // the same with nu 0.01
	First5Of01 []float64
	AUROC      map[string]float64
	Forest, SD float64 // mean and standard deviation of the AUROC of iforest over seeds 0 to 9
	Forest1000 float64 // the same with max_samples 1000
	SD1000     float64
}

var nslkddReferences = []NSLKDDReference{
	{
		File: "KDDTrain+_20Percent.txt", Gamma: 0.15177657500601674, Rho: 431.72457742530303, SV: 1351,
		First5: []float64{-143.22891769, -143.80969502, 87.74303597, -55.67815644, -68.89524754},
		Rho01:  32.11558295, First5Of01: []float64{-5.57324960, -5.64856048, 10.97033901, -1.89921258, 2.21565700},
		AUROC: map[string]float64{
			"ocsvm": 0.896336, "ocsvm01": 0.854854, "lof": 0.797424, "kde1": 0.929696, "kdescott": 0.931540,
			"pca95": 0.939818, "pca1": 0.942447, "mahalanobis": 0.957871, "centroid": 0.912482, "kmeans8": 0.946061,
		},
		Forest: 0.94049371, SD: 0.00485738, Forest1000: 0.94794827, SD1000: 0.00435057,
	},
	{
		File: "KDDTrain+.txt", Gamma: 0.15121601209317018, Rho: 2181.897864552604, SV: 6742,
		First5: []float64{-724.48657730, -727.54560544, 430.04423300, -278.98116037, -352.81419585},
		Rho01:  163.32229169, First5Of01: []float64{-29.46151801, -29.70554782, 51.72403001, -8.70751214, 11.69947087},
		AUROC: map[string]float64{
			"ocsvm": 0.900954, "ocsvm01": 0.858853, "lof": 0.839608, "kde1": 0.929574, "kdescott": 0.931332,
			"pca95": 0.940462, "pca1": 0.942542, "mahalanobis": 0.958433, "centroid": 0.912316, "kmeans8": 0.946160,
		},
		Forest: 0.94031345, SD: 0.00289505, Forest1000: 0.94628106, SD1000: 0.00366903,
	},
}

// RealData is a data set of configs/data in its own preprocessing, without rows held out: the benign
// training rows and the test rows.
func RealData(t *testing.T, name string, change func(*source.Config)) (train, test *data.Set) {
	t.Helper()
	if testing.Short() {
		t.Skip("real data takes long")
	}
	ctx := context.Background()
	dir := datatest.Dir(t, name)
	path := "../../configs/data/" + name + ".yaml"
	raw, err := os.ReadFile(path)
	Check(t, err)
	doc, err := settings.Parse(path, raw)
	Check(t, err)
	cfg, err := source.DecodeConfig(doc)
	Check(t, err)
	change(cfg)
	table, _, err := source.Read(ctx, cfg, source.NewFinder(dir), 2)
	Check(t, err)
	split := split.DefaultSplit()
	cfg.Split.Decode(&split)
	split.Validation = 0
	parts, err := split.Apply(table)
	Check(t, err)
	steps, err := prep.Decode(cfg.Prep)
	Check(t, err)
	rows := prep.Rows{Benign: table.Benign(parts.Train), All: parts.Train}
	p, err := steps.Fit(ctx, table, rows, 2)
	Check(t, err)
	train, err = p.Apply(ctx, table, rows.Benign, 2)
	Check(t, err)
	test, err = p.Apply(ctx, table, parts.Test, 2)
	Check(t, err)
	return train, test
}

// Timed is FitScore that tells how long both took.
func Timed(t *testing.T, spec models.Spec, seed uint64, train, test *data.Set) []float64 {
	t.Helper()
	m := Build(t, spec, models.Env{Seed: seed})
	start := time.Now()
	Check(t, m.Fit(context.Background(), train))
	fitted := time.Now()
	out, err := m.Score(context.Background(), test)
	Check(t, err)
	t.Logf("%d×%d: fit %.2f s, %d rows scored in %.2f s", train.N, train.D, fitted.Sub(start).Seconds(), test.N,
		time.Since(fitted).Seconds())
	return out
}

// NSLKDD is the benign rows of a training file of NSL-KDD and KDDTest+, in the preprocessing of the references (see the
// matrices' check sums in package prep).
func NSLKDD(t *testing.T, file string) (train, test *data.Set) {
	t.Helper()
	return RealData(t, "nsl-kdd", func(c *source.Config) { c.Files.Train = []string{file} })
}

// OnNSLKDD runs a test on the 20 % file of NSL-KDD, and with -full on the whole training file too.
func OnNSLKDD(t *testing.T, run func(t *testing.T, ref NSLKDDReference, train, test *data.Set)) {
	for _, ref := range nslkddReferences {
		t.Run(ref.File, func(t *testing.T) {
			if ref.File == "KDDTrain+.txt" && !*full {
				t.Skip("takes minutes: give -full")
			}
			train, test := NSLKDD(t, ref.File)
			run(t, ref, train, test)
		})
	}
}

// SameAUROC fits a detector and checks its AUROC against the reference's of that name.
func (r NSLKDDReference) SameAUROC(t *testing.T, name string, spec models.Spec, tolerance float64, train,
	test *data.Set) {
	t.Helper()
	got := AUROC(t, Timed(t, spec, 1, train, test), test.Attack)
	if t.Logf("%s: AUROC %.6f, reference %.6f", name, got, r.AUROC[name]); math.Abs(got-r.AUROC[name]) > tolerance {
		t.Errorf("%s: AUROC %.6f, reference %.6f", name, got, r.AUROC[name])
	}
}

// SameBits: on rows of real width too, scores of all detectors that are registered are the same bits whatever the
// number of workers, and Load gives back what Save wrote. The rows are several blocks of any of them.
func SameBits(t *testing.T) {
	train, test := NSLKDD(t, "KDDTrain+_20Percent.txt")
	idx := make([]int, 1500)
	for i := range idx {
		idx[i] = i * 8
	}
	train, test = train.Subset(idx), test.Subset(idx[:700])
	for _, name := range models.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info, err := models.Lookup(name)
			Check(t, err)
			var want []float64
			for workers := 1; workers <= 3; workers++ {
				m := Build(t, info.Defaults(), models.Env{Seed: 3, Workers: workers})
				Check(t, m.Fit(context.Background(), train))
				var file bytes.Buffer
				Check(t, m.Save(&file))
				loaded := Build(t, info.Defaults(), models.Env{Workers: workers})
				Check(t, loaded.Load(&file))
				for what, m := range map[string]models.Detector{"fitted": m, "loaded": loaded} {
					got, err := m.Score(context.Background(), test)
					Check(t, err)
					if want == nil {
						want = got
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s, %d workers: other scores", what, workers)
					}
				}
			}
		})
	}
}
