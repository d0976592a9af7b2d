package figures

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"plumbline/eval"
	"plumbline/models/automata/machine"
	"plumbline/runs/compare"
	"plumbline/runs/record"
)

// group is a run of one data set with a cell for each seed and model, and what it has of files.
func group(t *testing.T, files map[string]string, results ...record.Result) (string, *compare.Group) {
	t.Helper()
	rec := &record.Record{Dir: t.TempDir(), Name: "test", Complete: true}
	for name, text := range files {
		path := filepath.Join(rec.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rec.Results = results
	c, err := compare.Compare([]*record.Record{rec}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Dir, &c.Groups[0]
}

func cell(label string, seed uint64, values map[string]float64) record.Result {
	r := record.Result{Data: "d", Model: label, Label: label, Seed: seed, Unit: "flow", Status: record.OK,
		Cell: "cells/d/" + label + "/s" + strconv.Itoa(int(seed))}
	for name, v := range values {
		r.Set(name, v)
	}
	return r
}

// TestTraining: means over the cells of a row with the smallest and largest, held-out loss as a line of its own.
func TestTraining(t *testing.T) {
	head := "epoch,of,loss,valid_loss,rate,samples\n"
	dir, g := group(t, map[string]string{
		"cells/d/ae/s1/history.csv":  head + "1,2,4,,0.1,9\n2,2,2,,0.1,9\n",
		"cells/d/ae/s2/history.csv":  head + "1,2,8,,0.1,9\n2,2,3,,0.1,9\n",
		"cells/d/sae/s1/history.csv": head + "1,3,4,5,0.1,9\n2,3,2,3,0.1,9\n3,3,1,2,0.1,9\n",
		"cells/d/lof/s1/history.csv": head + "1,1,4,,0.1,9\n",
	}, cell("ae", 1, map[string]float64{"auroc": 0.9}), cell("ae", 2, map[string]float64{"auroc": 0.9}),
		cell("sae", 1, map[string]float64{"auroc": 0.8}), cell("lof", 1, map[string]float64{"auroc": 0.7}))
	f, err := Training(dir, g, 300)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"epoch", "ae", "ae low", "ae high", "sae", "sae, held-out rows"}, {"1", "6", "4", "8", "4", "5"},
		{"2", "2.5", "2", "3", "2", "3"}, {"3", "", "", "", "1", "2"}}
	if !slices.EqualFunc(f.Table, want, slices.Equal[[]string]) {
		t.Errorf("%v, want %v", f.Table, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "cells/d/ae/s1/history.csv"), []byte("a,b\n\"1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Training(dir, g, 300); err == nil {
		t.Error("a damaged file is no error")
	}
}

// TestTrials: one figure for each setting with numbers, on a logarithmic axis where it ranges far.
func TestTrials(t *testing.T) {
	dir, _ := group(t, map[string]string{"trials.csv": "data,label,trial,chosen,status,value,sd,error,models.other.eps," +
		"models.m.rate,models.m.kind,models.m.k\n" +
		"d,m,0,false,ok,0.5,,,,,,\n" + "d,m,1,false,ok,0.6,,,,0.001,\"[8, 4]\",2\n" +
		"d,m,2,true,ok,0.9,,,,1,a = b,3\n" + "d,m,3,false,failed,,,no memory,,10,,\n"}, cell("m", 1, nil))
	got, err := Trials(dir, 300)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d figures, %v", len(got), err)
	}
	all, rate, k := got[0], got[1], got[2]
	want := [][]string{{"rate", "kind", "k", "objective"}, {"", "", "", "0.5"}, {"0.001", "[8, 4]", "2", "0.6"},
		{"1", "a = b", "3", "0.9"}}
	if !slices.EqualFunc(all.Table, want, slices.Equal[[]string]) {
		t.Errorf("%v, want %v", all.Table, want)
	}
	if !slices.Equal(rate.Table[0], []string{"rate", "objective", "class"}) ||
		!slices.Equal(rate.Table[2], []string{"1", "0.9", "chosen"}) || k.Table[1][0] != "2" {
		t.Errorf("%v %v", rate.Table, k.Table)
	}
	own, _ := group(t, map[string]string{"trials.csv": "data,label,trial,chosen,status,value,sd,error\n" +
		"d,m,0,true,ok,0.5,,\n"}, cell("m", 1, nil))
	if none, err := Trials(own, 300); none == nil || len(none) > 0 || err != nil {
		t.Errorf("a search of the file's own settings: %v, %v", none, err)
	}
	if none, err := Trials(t.TempDir(), 300); none != nil || err != nil {
		t.Errorf("a directory without trials: %v, %v", none, err)
	}
}

// TestPlanes: a figure by method, benign rows first, and classes by their number of rows.
func TestPlanes(t *testing.T) {
	dir, g := group(t, map[string]string{"cells/d/m/s1/coordinates.csv": "method,row,kind,class,x,y\n" +
		"pca,1,attack,scan,0,1\n" + "pca,2,benign,,2,3\n" + "pca,3,attack,flood,4,5\n" + "pca,4,attack,flood,6,7\n" +
		"tsne,1,,,1,1\n"}, cell("m", 1, map[string]float64{"auroc": 0.9}))
	got, err := Planes(dir, g, 300, 0)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d figures, %v", len(got), err)
	}
	want := [][]string{{"first coordinate", "second coordinate", "class"}, {"2", "3", "benign"}, {"4", "5", "flood"},
		{"6", "7", "flood"}, {"0", "1", "scan"}}
	if !slices.EqualFunc(got[0].Table, want, slices.Equal[[]string]) || got[1].Table[1][2] != "rows" {
		t.Errorf("%v %v", got[0].Table, got[1].Table)
	}
	few := [][]string{want[0], want[1], want[2], want[4]}
	if got, err = Planes(dir, g, 300, 2); err != nil || !slices.EqualFunc(got[0].Table, few, slices.Equal[[]string]) {
		t.Errorf("at most 2 points and one of each class: %v, %v", got[0].Table, err)
	}
}

// TestCodes: each model's codes of test rows when it was trained, and all epochs of them as panels and as a film.
func TestCodes(t *testing.T) {
	head := "method,row,kind,class,x,y\n"
	dir, g := group(t, map[string]string{
		"cells/d/ae/s1/coordinates.csv": head + "latent@0,1,benign,,0,0\n" + "latent@0,2,attack,scan,1,1\n" +
			"latent,1,benign,,5,0\n" + "latent,2,attack,scan,1,9\n",
		"cells/d/pca/s1/coordinates.csv": head + "tsne,1,benign,,0,0\n",
	}, cell("ae", 1, map[string]float64{"auroc": 0.9}), cell("pca", 1, map[string]float64{"auroc": 0.8}))
	got, err := Planes(dir, g, 300, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range got {
		names = append(names, f.Name)
	}
	want := []string{"plane-tsne-d", "latent-d-ae", "latent-epochs-d-ae", "latent-film-d-ae"}
	if !slices.Equal(names, want) {
		t.Fatalf("%v, want %v", names, want)
	}
	var film strings.Builder
	if err := got[3].SVG(&film); err != nil || strings.Count(film.String(), "<animate ") != 2 {
		t.Errorf("%v %s", err, film.String())
	}
	if want := []string{"before training", "1", "1", "scan"}; !slices.Equal(got[2].Table[2], want) {
		t.Errorf("%v, want %v", got[2].Table, want)
	}
}

// TestCauses: alarms on attacks and on benign flows of each cause.
func TestCauses(t *testing.T) {
	dir, g := group(t, map[string]string{"cells/d/m/s1/investigation.json": `{"groups":[` +
		`{"cause":"dst=10.0.0.7","alarms":5,"attacks":4},{"cause":"","alarms":2,"attacks":0}]}`},
		cell("m", 1, map[string]float64{"auroc": 0.9}))
	got, err := Causes(dir, g, 300)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d figures, %v", len(got), err)
	}
	want := [][]string{{"", "on attacks", "on benign flows"}, {"dst=10.0.0.7", "4", "1"}, {"no cause given", "0", "2"}}
	if !slices.EqualFunc(got[0].Table, want, slices.Equal[[]string]) {
		t.Error(got[0].Table)
	}
}

// TestAchieved: rates beside what was asked; models without a rule of rates are left out.
func TestAchieved(t *testing.T) {
	_, g := group(t, nil, cell("a", 1, map[string]float64{"auroc": 0.9, "fpr": 0.04, "fpr_asked": 0.01}),
		cell("b", 1, map[string]float64{"auroc": 0.8, "fpr": 0.5}))
	f := Achieved(g, 300)
	if f == nil || len(f.Table) != 2 || f.Table[1][0] != "a" || f.Table[1][1] != "0.04" ||
		!strings.Contains(f.Title, "1 %") {
		t.Fatalf("%+v", f)
	}
	_, g = group(t, nil, cell("b", 1, map[string]float64{"auroc": 0.8, "fpr": 0.5}))
	if Achieved(g, 300) != nil {
		t.Error("a figure without a rate that was asked for")
	}
}

// TestPublished: the metric with the most pairs is drawn, on an axis that holds all values.
func TestPublished(t *testing.T) {
	p := &compare.Published{Verdicts: []compare.Verdict{{Label: "ae", Metric: "auroc", Theirs: 0.95, Ours: 0.93},
		{Label: "sae", Metric: "auroc", Theirs: 0.99, Ours: 0.98}, {Label: "ae", Metric: "f1", Theirs: 0.4, Ours: 0.5}}}
	f := Published("d", p, 300)
	if f == nil || len(f.Table) != 3 || f.Table[2][1] != "0.98" || f.Table[2][4] != "0.99" {
		t.Fatalf("%+v", f)
	}
	for i := range p.Verdicts {
		p.Verdicts[i].Ours = eval.Number(math.NaN())
	}
	if Published("d", p, 300) != nil {
		t.Error("a figure without a value of ours")
	}
}

// TestMachine: the most visited states, arrows with their most frequent symbols.
func TestMachine(t *testing.T) {
	m := &machine.Machine{Alphabet: []string{"a", "b", "c"}, States: []machine.State{{ID: 0, Size: 9}, {ID: 7, Size: 5}},
		Start: []int32{0, 2, 3}, On: []int32{0, 1, 2}, To: []int32{1, 1, 0},
		CountStart: []int32{0, 2, 3}, CountOn: []int32{0, 1, 2}, Count: []int32{2, 4, 3}}
	f := Machine("m", m, 300)
	want := [][]string{{"from", "to", "label", "weight"}, {"0", "7", "b +1", "6"}, {"7", "0", "c", "3"}}
	if !slices.EqualFunc(f.Table, want, slices.Equal[[]string]) {
		t.Error(f.Table)
	}
	big := &machine.Machine{Start: []int32{0}, CountStart: []int32{0}}
	for i := range 40 {
		big.States = append(big.States, machine.State{ID: i, Size: i})
		big.Start, big.CountStart = append(big.Start, 0), append(big.CountStart, 0)
	}
	if f := Machine("m", big, 300); !strings.Contains(f.Title, "1 of the 40 states") {
		t.Error(f.Title) // no arrow leaves the first state
	}
	// a star of 39 states: those reached most are drawn, each with its arrow though no state shows more than two else
	star := &machine.Machine{Start: []int32{0}, CountStart: []int32{0}}
	for i := range 40 {
		star.States = append(star.States, machine.State{ID: i})
		star.Alphabet = append(star.Alphabet, strconv.Itoa(i))
		if i > 0 {
			star.On, star.To = append(star.On, int32(i)), append(star.To, int32(i))
			star.CountOn, star.Count = append(star.CountOn, int32(i)), append(star.Count, int32(i*i))
		}
	}
	for range star.States {
		star.Start, star.CountStart = append(star.Start, 39), append(star.CountStart, 39)
	}
	f = Machine("m", star, 300)
	if rows := f.Table; len(rows) != 12 || rows[1][1] != "39" || rows[11][1] != "29" ||
		!strings.Contains(f.Title, "12 of the 40") {
		t.Error(f.Title, f.Table)
	}
	if f := Machine("m", &machine.Machine{Start: []int32{0}}, 300); f == nil {
		t.Error("a machine without states is no figure")
	}
}

// TestConfusion: shares of each truth, and none without a threshold.
func TestConfusion(t *testing.T) {
	c := &Curves{Label: "m", called: [2][2]int{{90, 10}, {1, 3}}}
	f := Confusion("d", c, 300)
	if f == nil || f.Table[1][2] != "0.1" || f.Table[2][2] != "0.75" {
		t.Fatalf("%+v", f)
	}
	if Confusion("d", &Curves{}, 300) != nil {
		t.Error("decisions without a threshold")
	}
	classes, share := Recall([]*Curves{{recall: map[string]float64{"b": 1}}, {recall: map[string]float64{"a": 0.5}}})
	if !slices.Equal(classes, []string{"a", "b"}) || !math.IsNaN(share[0][0]) || share[1][0] != 0.5 {
		t.Errorf("%v %v", classes, share)
	}
}

// TestRecallOfFolds: the recall of a class is the mean over the folds that test it, however many others there are.
func TestRecallOfFolds(t *testing.T) {
	tested := [][]eval.ClassMetrics{{{Class: "scan", Recall: 0.9}}, {{Class: "flood", Recall: 0.4}},
		{{Class: "scan", Recall: 0.7}}, {}, {}, {}, {{Class: "worm", Recall: 1}}}
	var cells []record.Result
	for i := range tested {
		cells = append(cells, cell("m", uint64(i), map[string]float64{"auroc": 0.5}))
	}
	dir, g := group(t, nil, cells...)
	for i, classes := range tested {
		err := record.NewDirectory(dir).WriteJSON(cells[i].Cell+"/metrics.json", &eval.Metrics{Classes: classes})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := (&Reader{Dir: dir}).recallOf(&g.Rows[0])
	if want := map[string]float64{"scan": 0.8, "flood": 0.4, "worm": 1}; err != nil || len(got) != len(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	} else {
		for class, v := range want {
			if math.Abs(got[class]-v) > 1e-12 {
				t.Errorf("%s: %v, want %v", class, got[class], v)
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, cells[3].Cell, "metrics.json")); err != nil {
		t.Fatal(err)
	}
	if again, err := (&Reader{Dir: dir}).recallOf(&g.Rows[0]); err != nil || len(again) != len(got) {
		t.Errorf("without the file of a cell: %v, %v", again, err)
	}
}
