package automata

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
	"plumbline/models/automata/planted"
	"plumbline/models/modeltest"
)

// TestStateFrequencyInPieces: a stream scored in pieces of one to seven windows, with the counters saved and loaded
// between any two, has the scores and root causes of the stream scored at once, bit for bit.
func TestStateFrequencyInPieces(t *testing.T) {
	train, test := planted.Words(300, 1), planted.Words(200, 2)
	m, err := machine.Learn(context.Background(), machine.Likelihood(), train.Words(), train.Alphabet, train.Types, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := machine.NewReplayer(m, 1, false, machine.Reset, machine.V23)
	trained := make([]int64, len(m.States))
	windows := func(yield func(states []int32)) {
		for w := range test.Windows(4, 2) {
			states := make([]int32, len(w))
			rep.Replay(w, states, nil)
			yield(states)
		}
	}
	for w := range train.Windows(4, 2) {
		states := make([]int32, len(w))
		rep.Replay(w, states, nil)
		for _, q := range states {
			trained[q]++
		}
	}
	for _, total := range []VisitTotal{DistinctStates, AllVisits} {
		testInPieces(t, m, windows, NewStateFrequency(trained, total), NewStateFrequency(trained, total))
	}
}

func testInPieces(t *testing.T, m *machine.Machine, windows func(func(states []int32)), once, pieces *StateFrequency) {
	n := 0
	windows(func(states []int32) {
		wantScore, wantCause := once.Window(states)
		score, cause := pieces.Window(states)
		if score != wantScore || cause != wantCause {
			t.Fatalf("window %d: %v at %d in pieces, %v at %d at once", n, score, cause, wantScore, wantCause)
		}
		if n++; n%(1+n%7) == 0 {
			var b bytes.Buffer
			err := pieces.Save(&b, m)
			if err != nil {
				t.Fatal(err)
			}
			if pieces, err = LoadStateFrequency(&b, "counters.json", m); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n < 100 {
		t.Errorf("only %d windows", n)
	}
}

func TestLoadStateFrequencyErrors(t *testing.T) {
	c := planted.Words(200, 1)
	m, err := machine.Learn(context.Background(), machine.Likelihood(), c.Words(), c.Alphabet, c.Types, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := NewStateFrequency(make([]int64, len(m.States)), DistinctStates).Save(&b, m); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	other := *m
	other.Alphabet = []string{"x", "y", "z"}
	if _, err := LoadStateFrequency(strings.NewReader(good), "c.json", &other); !errors.Is(err,
		flexfringe.ErrMachine) || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("counters of another machine: %v", err)
	}
	for text, want := range map[string]string{
		"":                                      "c.json:1:1: ",
		"{\n\"visits\": 3}":                     "c.json:2:",
		strings.Replace(good, "[0,", "[-1,", 1): "out of range",
		strings.Replace(good, `"states"`, `"x"`, 1): `against "x"`,
		strings.Replace(good, "[0,", "[0,0,", 1):    "another machine",
	} {
		if _, err := LoadStateFrequency(strings.NewReader(text), "c.json", m); !errors.Is(err, flexfringe.ErrMachine) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestVisitTotals: worked by hand for N = 3, 1 and the states 0, 0, 1.
func TestVisitTotals(t *testing.T) {
	for against, want := range map[VisitTotal]float64{
		// (1/1)/(4/5) · (2/2)/(4/5) · (1/2)/(2/5)
		DistinctStates: math.Log(1.25 * 1.25 * 1.25),
		// (1/2)/(4/6) · (2/3)/(4/6) · (1/4)/(2/6)
		AllVisits: math.Log(0.75 * 1 * 0.75),
	} {
		r := NewStateFrequency([]int64{3, 1}, against)
		if got, _ := r.Window([]int32{0, 0, 1}); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", against, got, want)
		}
		once := NewStateFrequency([]int64{3, 1}, against)
		once.Window([]int32{0, 0, 1})
		r.Resume([]int64{2, 1})
		a, _ := r.Window([]int32{1})
		if b, _ := once.Window([]int32{1}); a != b {
			t.Errorf("%s: resumed %v, at once %v", against, a, b)
		}
	}
}

// TestSequentThresholdHolds: of a stream twenty times as long as that which the threshold was fitted on, drawn from the
// same source, about as many windows are above it. Compared with the number of distinct states, most are.
func TestSequentThresholdHolds(t *testing.T) {
	draw := func(n int, seed uint64) *data.Set {
		var words [][]int32
		for w := range planted.Words(n, seed).Windows(5, 5) {
			words = append(words, slices.Clone(w))
		}
		return traces(3, words...)
	}
	train, valid, test := draw(400, 1), draw(150, 2), draw(3000, 3)
	share := map[VisitTotal]float64{}
	for _, total := range []VisitTotal{AllVisits, DistinctStates} {
		spec := &SequentSpec{machine.Sequent(), total}
		spec.Correction = 1
		d := modeltest.Fitted(t, spec, models.Env{}, train)
		held, err := d.Score(context.Background(), valid)
		if err != nil {
			t.Fatal(err)
		}
		threshold, _, err := eval.ThresholdRule{Rule: "fpr", Value: 0.05}.Fit(held)
		if err != nil {
			t.Fatal(err)
		}
		scores, err := d.Score(context.Background(), test)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range scores {
			if v > threshold {
				share[total] += 1 / float64(len(scores))
			}
		}
	}
	if share[AllVisits] > 0.1 || share[DistinctStates] < 0.5 {
		t.Errorf("asked for 0.05, got %v", share)
	}
}

// FuzzLoadStateFrequency: whatever the bytes, there is an error or counters that score.
func FuzzLoadStateFrequency(f *testing.F) {
	m := &machine.Machine{Alphabet: []string{"a"}, Types: []string{"0"}, States: make([]machine.State, 1),
		Start: []int32{0, 0}, CountStart: []int32{0, 0}}
	var b bytes.Buffer
	if err := NewStateFrequency([]int64{3}, DistinctStates).Save(&b, m); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Fuzz(func(t *testing.T, text string) {
		r, err := LoadStateFrequency(strings.NewReader(text), "c.json", m)
		if err != nil {
			return
		}
		if s, cause := r.Window([]int32{0, -1}); math.IsNaN(s) || cause != 0 {
			t.Fatalf("%v at %d", s, cause)
		}
	})
}

// TestThresholdOfKubernetesWork: alarms when the log-probability of a window is under mean − k·sd of the
// training windows' are those of pdfa with aggregate sum under the rule mean_sd on the training scores.
func TestThresholdOfKubernetesWork(t *testing.T) {
	train := traces(3)
	corpus := planted.Words(400, 1)
	for w := range corpus.Windows(5, 1) {
		train.Traces = append(train.Traces, traces(3, append([]int32(nil), w...)).Traces...)
	}
	train.N = len(train.Traces)
	spec := &PDFASpec{LearnSpec: machine.Likelihood(), OnMissing: machine.Reset, Aggregate: "sum"}
	spec.Compat, spec.FinalProb = machine.V23, false
	d := modeltest.Fitted(t, spec, models.Env{}, train)
	scores, err := d.Score(context.Background(), train)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.(*pdfaDetector).Learned()
	if err != nil {
		t.Fatal(err)
	}
	var logp []float64
	for i := range train.Traces {
		logp = append(logp, m.rep.Replay(train.Traces[i].Symbols, nil, nil))
	}
	for _, k := range []float64{1, 2, 7} {
		threshold, _, err := eval.ThresholdRule{Rule: "mean_sd", Value: k}.Fit(scores)
		if err != nil {
			t.Fatal(err)
		}
		floor := LikelihoodFloor(logp, k)
		if math.Abs(threshold+floor) > 1e-9 {
			t.Errorf("k = %v: threshold %v, floor %v", k, threshold, floor)
		}
		alarms := 0
		for i := range scores {
			if (scores[i] > threshold) != (logp[i] < floor) {
				t.Fatalf("window %d: score %v, log-probability %v", i, scores[i], logp[i])
			}
			if logp[i] < floor {
				alarms++
			}
		}
		if k == 1 && alarms == 0 {
			t.Error("no window is an alarm with k = 1: nothing was compared")
		}
	}
	// 1, 2, 3 and 6: mean 3, sample variance 14/3
	if got := LikelihoodFloor([]float64{1, 2, 3, 6}, 2); math.Abs(got-(3-2*math.Sqrt(14.0/3))) > 1e-12 {
		t.Errorf("floor %v", got)
	}
	if !math.IsNaN(LikelihoodFloor(nil, 2)) || LikelihoodFloor([]float64{-4}, 2) != -4 {
		t.Error("floors of none and one")
	}
}
