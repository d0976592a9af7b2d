package export_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/source"
	"plumbline/models"
	"plumbline/numeric/onnx/onnxtest"
	"plumbline/runs"
	"plumbline/runs/bundle"
	"plumbline/runs/export"
	"plumbline/runs/runstest"
)

// vectorModels are trained on rows, with settings that take little time.
const vectorModels = `
name: exported
data:
  - {data: synth, options: {hosts: 6, hours: 16, rate: 3}}
models:
  - znorm
  - centroid
  - best_feature
  - pca
  - {model: pca, label: pca-weighted, params: {weighted: true}}
  - mahalanobis
  - mcd
  - kmeans
  - cblof
  - {model: cblof, label: cblof-weighted, params: {weighted: true}}
  - gmm
  - kde
  - hbos
  - {model: hbos, label: hbos-pyod, params: {form: pyod}}
  - loda
  - ecod
  - {model: ecod, label: ecod-columns, params: {tails: columns}}
  - copod
  - {model: copod, label: copod-sums, params: {tails: sums}}
  - iforest
  - {model: iforest, label: iforest-contaminated, params: {contamination: 0.05, trees: 20}}
  - lof
  - knn
  - {model: knn, label: knn-mean, params: {distance: mean}}
  - {model: knn, label: knn-median, params: {distance: median, k: 6}}
  - abod
  - birch
  - dbscan
  - hierarchical
  - {model: hierarchical, label: hierarchical-average, params: {linkage: average}}
  - {model: hierarchical, label: hierarchical-complete, params: {linkage: complete}}
  - {model: inne, params: {samples: 50}}
  - {model: kitnet, params: {epochs: 1}}
  - ocsvm
  - {model: ocsvm, label: ocsvm-poly, params: {kernel: poly}}
  - {model: ocsvm, label: ocsvm-sigmoid, params: {kernel: sigmoid, gamma: 0.01}}
  - {model: ocsvm_rff, params: {features: 64, epochs: 2}}
  - {model: ocsvm_nystrom, params: {landmarks: 64, epochs: 2}}
  - {model: ocsvm_sgd, params: {epochs: 2}}
  - {model: ae, params: {epochs: 3}}
  - {model: ae, label: ae-norm, params: {epochs: 3, batch_norm: true, tied: true, activation: relu}}
  - {model: sae, params: {epochs: 3}}
  - {model: sae, label: sae-kde, params: {epochs: 3, latent: kde, latent_scale: zscore}}
  - {model: sae, label: sae-lof, params: {epochs: 3, latent: lof}}
  - {model: dvae, params: {epochs: 3}}
  - {model: hybrid, params: {epochs: 3, pretrain: 2, noise: 0.1}}
  - {model: cae, params: {epochs: 3}}
  - {model: cae, label: cae-relative, params: {epochs: 3, score: relative}}
  - {model: ksae, params: {clusters: 3, base: {model: sae, params: {epochs: 30}}}}
  - {model: bae, params: {base: {model: ae, params: {epochs: 3}}}}
  - logistic
  - {model: logistic, label: logistic-class, params: {target: class}}
  - {model: logistic, label: logistic-platt, params: {calibration: platt}}
  - {model: naive_bayes, params: {calibration: isotonic}}
  - linear_svm
  - svm
  - tree
  - {model: random_forest, params: {trees: 20}}
  - {model: random_forest, label: random_forest-class, params: {trees: 10, target: class}}
  - {model: extra_trees, params: {trees: 20}}
  - {model: boosting, params: {rounds: 20}}
  - {model: boosting, label: boosting-class, params: {rounds: 10, target: class}}
  - {model: adaboost, params: {rounds: 10}}
  - {model: mlp, params: {epochs: 3}}
  - one_rule
  - knn_classifier
  - {model: knn_classifier, label: knn_classifier-distance, params: {weights: balanced, vote: distance}}
  - permuted
  - {model: golearn_bagging, params: {trees: 3}}
  - golearn_tree
  - {model: golearn_random_forest, params: {trees: 5}}
  - golearn_naive_bayes
  - {model: bagging, params: {columns: 0.5}}
  - voting
  - {model: voting, label: voting-hard, params: {vote: hard}}
  - stacking
  - {model: deep_svdd, params: {epochs: 3, pretrain: 2}}
  - {model: deep_svdd, label: deep_svdd-soft, params: {epochs: 3, pretrain: 2, objective: soft_boundary}}
  - {model: deep_sad, params: {epochs: 3, pretrain: 2}}
  - {model: devnet, params: {epochs: 3}}
  - {model: dagmm, params: {epochs: 3}}
  - {model: feature_bagging, params: {estimators: 3}}
  - {model: combine, params: {base: [iforest, pca, knn]}}
  - {model: combine, label: combine-aom, params: {base: [znorm, pca, knn], by: average_of_maxima, group: 2}}
seeds: [1]
split: {kind: random, attacks: split, validation: 0.2}
bootstrap: 0
`

// train carries an experiment out and gives its bundles by label.
func train(t testing.TB, text string) map[string]*bundle.Bundle {
	t.Helper()
	e := runstest.Load(t, text)
	out, err := runs.Run(context.Background(), e, runs.Options{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*bundle.Bundle{}
	for _, r := range out.Results {
		if r.Status != "ok" {
			t.Errorf("%s: %s", r.Cell, r.Error)
			continue
		}
		b, err := bundle.Open(filepath.Join(out.Dir, filepath.FromSlash(r.Cell)))
		if err != nil {
			t.Errorf("%s: %v", r.Cell, err)
			continue
		}
		found[b.Label] = b
	}
	return found
}

// everyRow reads the data of a bundle again and keeps each step-th row, without labels.
func everyRow(t testing.TB, text string, step int) *data.Table {
	t.Helper()
	e := runstest.Load(t, text)
	whole, _, err := source.Read(context.Background(), e.Sets[0].Config, e.Finder, 1)
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]bool, whole.Rows)
	for i := 0; i < len(marked); i += step {
		marked[i] = true
	}
	whole.Keep(marked)
	whole.Attack, whole.Class, whole.Classes = nil, nil, nil
	return whole
}

// inputs are rows of a table as an exported model takes them.
func inputs(t testing.TB, m *export.Model, table *data.Table, rows []int32, shape ...int) map[string]onnxtest.Input {
	t.Helper()
	column := table.Lookup()
	out := map[string]onnxtest.Input{}
	if len(m.Numbers) > 0 {
		in := onnxtest.Input{Dims: append(slices.Clone(shape), len(m.Numbers))}
		for _, r := range rows {
			for _, name := range m.Numbers {
				c, err := column(name)
				if err != nil {
					t.Fatal(err)
				}
				in.Doubles = append(in.Doubles, c.Num[r])
			}
		}
		out[export.NumbersInput] = in
	}
	if len(m.Categories) > 0 {
		in := onnxtest.Input{Dims: append(slices.Clone(shape), len(m.Categories))}
		for _, r := range rows {
			for _, name := range m.Categories {
				c, err := column(name)
				if err != nil {
					t.Fatal(err)
				}
				level := ""
				if code := c.Code[r]; code != data.Missing {
					level = c.Levels[code]
				}
				in.Strings = append(in.Strings, level)
			}
		}
		out[export.CategoriesInput] = in
	}
	return out
}

// tolerance is how far a score may be off, as a share of it or, where it is below 1, of 1 or the largest score,
// whichever is smaller.
const tolerance = 1e-5

// scale is the smallest score whose difference is taken as a share of itself.
func scale(want []float64) float64 {
	most := 0.0
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	return min(1, most)
}

// apart is the largest difference of scores, on the scale of tolerance.
func apart(got, want []float64) (most float64, at int) {
	least := scale(want)
	for i, v := range want {
		if d := math.Abs(got[i]-v) / max(least, math.Abs(v)); d > most || math.IsNaN(d) {
			most, at = d, i
			if math.IsNaN(d) {
				return math.Inf(1), i
			}
		}
	}
	return most, at
}

// compared is one model's line of the table.
type compared struct {
	label string
	rows  int
	bytes int
	most  float64
}

// report writes the table where PLUMBLINE_ONNX_TABLE says.
func report(t *testing.T, lines []compared) {
	slices.SortFunc(lines, func(a, b compared) int { return strings.Compare(a.label, b.label) })
	var b strings.Builder
	fmt.Fprintln(&b, "| model | samples | largest difference | file |\n| --- | --: | --: | --: |")
	for _, l := range lines {
		fmt.Fprintf(&b, "| `%s` | %d | %.1e | %d kB |\n", l.label, l.rows, l.most, (l.bytes+999)/1000)
	}
	t.Logf("ONNX Runtime (%s) beside the bundle's own scores:\n%s", onnxtest.Package, b.String())
	if file := os.Getenv("PLUMBLINE_ONNX_TABLE"); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintln(f, b.String())
	}
}

// TestVectorsInONNXRuntime: exported models give the scores and alarms of the bundles, from raw values.
func TestVectorsInONNXRuntime(t *testing.T) {
	vectors(t, vectorModels, 7)
}

// nslkddModels are those whose scores divide by what may be as small as the rounding of float32, and some others, on
// the columns of NSL-KDD.
const nslkddModels = `
name: exported
data:
  - {data: nsl-kdd, name: fifth, folder: nsl-kdd, files: {train: [KDDTrain+_20Percent.txt], test: []}, expect: {}}
models:
  - {model: sae-cao2019, params: {epochs: 60}}
  - {model: sae, label: sae-shrunk, params: {epochs: 30, shrink: 50, tied: true, optimiser: {kind: adam, rate: 0.001}}}
  - {model: sae, label: sae-lof, params: {epochs: 10, latent: lof, latent_scale: zscore}}
  - {model: sae, label: sae-relu, params: {epochs: 10, activation: relu, latent: mahalanobis}}
  - {model: sae, label: sae-sigmoid, params: {epochs: 10, activation: sigmoid, latent: gmm}}
  - {model: dvae, params: {epochs: 10}}
  - {model: cae, params: {epochs: 10, score: relative}}
  - {model: ksae, params: {clusters: 3, base: {model: sae, params: {epochs: 30}}}}
  - {model: ae, params: {epochs: 5}}
  - iforest
  - pca
  - mahalanobis
  - ecod
  - hbos
  - {model: deep_svdd, params: {epochs: 5, pretrain: 2}}
  - {model: random_forest, params: {trees: 20}}
seeds: [1]
split: {kind: random, attacks: split, test: 0.9, validation: 0.03}
prep: [impute, {step: scale, kind: maxabs}, onehot]
bootstrap: 0
audit: off
`

// TestNSLKDDInONNXRuntime: so they do on real columns of very different sizes.
func TestNSLKDDInONNXRuntime(t *testing.T) {
	datatest.Dir(t, "nsl-kdd")
	vectors(t, nslkddModels, 40)
}

// vectors trains the models of an experiment, and compares their scores of each step-th row.
func vectors(t *testing.T, experiment string, step int) {
	t.Helper()
	if testing.Short() {
		t.Skip("another program, which the race detector learns nothing from")
	}
	onnxtest.Need(t)
	bundles := train(t, experiment)
	table := everyRow(t, experiment, step)
	rows := make([]int32, table.Rows)
	for i := range rows {
		rows[i] = int32(i)
	}
	var labels []string
	var cases []onnxtest.Case
	var own []*bundle.Scored
	var sizes []int
	for label, b := range bundles {
		m, err := export.ONNX(b, "test")
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		scored, err := b.Score(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		labels, own, sizes = append(labels, label), append(own, scored), append(sizes, len(m.Bytes))
		cases = append(cases, onnxtest.Case{Model: m.Bytes, Inputs: inputs(t, m, table, rows, len(rows))})
	}
	var lines []compared
	for i, r := range onnxtest.Run(t, cases) {
		if r.Error != "" {
			t.Errorf("%s: %s", labels[i], r.Error)
			continue
		}
		want, got := own[i].Scores, r.Outputs[export.ScoreOutput]
		if len(got) != len(want) {
			t.Errorf("%s: %d scores, want %d", labels[i], len(got), len(want))
			continue
		}
		most, at := apart(got, want)
		if !(most <= tolerance) {
			t.Errorf("%s: row %d has %v in ONNX Runtime, %v here: %.2g apart", labels[i], at, got[at], want[at], most)
		}
		alarms := r.Outputs[export.AlarmOutput]
		for k, v := range want {
			near := math.Abs(v-own[i].Limit) <= tolerance*max(scale(want), math.Abs(v))
			if len(alarms) != len(want) || !near && (alarms[k] == 1) != own[i].Alarm(k) {
				t.Errorf("%s: row %d: alarms differ from those of the bundle", labels[i], k)
				break
			}
		}
		if slices.Max(want) == slices.Min(want) {
			t.Errorf("%s: all scores are %v: nothing is compared", labels[i], want[0])
		}
		lines = append(lines, compared{labels[i], len(want), sizes[i], most})
	}
	report(t, lines)
}

// traceModels are trained on traces of events.
const traceModels = `
name: exported
data:
  - {data: synth, options: {hosts: 6, hours: 12, rate: 3}}
models:
  - {model: lstm_pred, params: {epochs: 1, units: [8, 6], window: 6}}
  - {model: lstm_pred, label: lstm_pred-ahead,
     params: {epochs: 1, units: [8], window: 6, ahead: 3, score: mean, pool: max}}
  - {model: lstm_ae, params: {epochs: 1, units: 8, window: 6}}
  - {model: lstm_ae, label: lstm_ae-last, params: {epochs: 1, units: 8, window: 6, rows: last, pool: last}}
  - {model: lstm_ae_repeat, params: {epochs: 1, units: [8, 6], window: 6}}
  - {model: lstm_ae_repeat, label: lstm_ae_repeat-both,
     params: {epochs: 1, units: [8, 6], window: 6, bidirectional: true}}
  - {model: lstm_density, params: {epochs: 1, units: [8], window: 6}}
  - {model: lstm_class, params: {epochs: 1, units: [8], window: 6}}
  - {model: lstm_class, label: lstm_class-both, params: {epochs: 1, units: [8, 4], window: 6, bidirectional: true}}
seeds: [1]
split: {kind: random, attacks: split, validation: 0.2}
traces: {events: true, window: {length: 8, stride: 2, growing: true}}
bootstrap: 0
`

// TestTracesInONNXRuntime: the same for traces, all of one length in one call.
func TestTracesInONNXRuntime(t *testing.T) {
	if testing.Short() {
		t.Skip("another program, which the race detector learns nothing from")
	}
	onnxtest.Need(t)
	bundles := train(t, traceModels)
	table := everyRow(t, traceModels, 3)
	var labels []string
	var cases []onnxtest.Case
	var wants [][]float64
	var sizes []int
	for label, b := range bundles {
		m, err := export.ONNX(b, "test")
		if err != nil {
			t.Errorf("%s: %v", label, err)
			continue
		}
		scored, err := b.Score(context.Background(), table)
		if err != nil {
			t.Fatal(err)
		}
		byLength := map[int][]int{}
		for i, tr := range scored.Samples.Traces {
			byLength[len(tr.Rows)] = append(byLength[len(tr.Rows)], i)
		}
		if len(byLength) < 2 {
			t.Fatalf("%s: traces of one length alone", label)
		}
		for length, traces := range byLength {
			var rows []int32
			var want []float64
			for _, i := range traces {
				rows, want = append(rows, scored.Samples.Traces[i].Rows...), append(want, scored.Raw[i])
			}
			labels, wants, sizes = append(labels, label), append(wants, want), append(sizes, len(m.Bytes))
			cases = append(cases, onnxtest.Case{Model: m.Bytes, Inputs: inputs(t, m, table, rows, len(traces), length)})
		}
	}
	lines := map[string]compared{}
	for i, r := range onnxtest.Run(t, cases) {
		got := r.Outputs[export.ScoreOutput]
		if r.Error != "" || len(got) != len(wants[i]) {
			t.Errorf("%s: %d scores, want %d: %s", labels[i], len(got), len(wants[i]), r.Error)
			continue
		}
		most, at := apart(got, wants[i])
		if most > tolerance {
			t.Errorf("%s: trace %d has %v in ONNX Runtime, %v here: %.2g apart", labels[i], at, got[at], wants[i][at], most)
		}
		l := lines[labels[i]]
		lines[labels[i]] = compared{labels[i], l.rows + len(got), sizes[i], max(l.most, most)}
	}
	report(t, slices.Collect(maps.Values(lines)))
}

// withoutForm are the models that have no ONNX form, and why.
var withoutForm = map[string]string{
	"random": "an order of rows", "rrcf": "an order of rows", "hst": "an order of rows",
	"cof": "nobody has written one", "sod": "nobody has written one", "dif": "distances from cuts",
	"golearn_knn": "needs a C compiler, and nobody has written one", "deeplog": "symbols", "token_lm": "symbols",
	"markov": "symbols", "ngram": "symbols", "pdfa": "symbols", "sequent": "symbols", "msm": "symbols",
	"scores": "from elsewhere", "scores_labels": "from elsewhere", "command": "from elsewhere",
	"command_labels": "from elsewhere", "entity_means": "a state for each entity", "entity_msm": "symbols",
	"entity_symbols": "symbols",
}

// TestEveryModel: each registered model is compared in ONNX Runtime, or known to have no form.
func TestEveryModel(t *testing.T) {
	compared := map[string]bool{}
	for _, text := range []string{vectorModels, traceModels} {
		for _, m := range runstest.Load(t, text).Entries {
			compared[m.Info.Name] = true
		}
	}
	for _, name := range models.Names() {
		if info, err := models.Lookup(name); err != nil || strings.HasPrefix(name, "test_") || info.Doc == "d" {
			continue
		}
		if _, without := withoutForm[name]; without == compared[name] {
			t.Errorf("%s: compared %v, without a form %v: what is it?", name, compared[name], without)
		}
	}
	if len(compared) < 60 {
		t.Errorf("%d models are compared", len(compared))
	}
}

// TestRefused: what has no ONNX form is named, with the reason.
func TestRefused(t *testing.T) {
	bundles := train(t, `
name: refused
data: [{data: synth, options: {hosts: 4, hours: 6, rate: 2}}]
models:
  - random
  - markov
  - {model: iforest, label: oblique, params: {extension: 1}}
  - rrcf
  - {model: dif, params: {networks: 2}}
seeds: [1]
bootstrap: 0
`)
	for label, why := range map[string]string{
		"random": "other rows", "markov": "symbols", "oblique": "planes", "rrcf": "other rows", "dif": "cuts",
	} {
		b := bundles[label]
		if b == nil {
			t.Fatalf("no bundle %s", label)
		}
		_, err := export.ONNX(b, "test")
		if !errors.Is(err, export.ErrNoForm) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", label, err)
		}
		if (label == "oblique" || label == "dif") && !errors.Is(err, models.ErrNoGraph) {
			t.Errorf("%s: %v", label, err)
		}
	}
}
