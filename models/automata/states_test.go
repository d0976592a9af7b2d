package automata

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"plumbline/models"
	"plumbline/models/automata/flexfringe"
)

// TestStatesOfAChain checks the machine of a chain against hand counts: of the words ab, aa and b over {a, b}, two
// begin with a and one with b; after a come a and b, once each; an a ends once, a b twice.
func TestStatesOfAChain(t *testing.T) {
	d, err := (&MarkovSpec{Order: 1, Smoothing: 1, Aggregate: "sum"}).New(models.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.(Stated).States([]string{"a", "b"}); err == nil {
		t.Error("the states of an unfitted chain")
	}
	if err := d.Fit(context.Background(), traces(2, []int32{0, 1}, []int32{0, 0}, []int32{1})); err != nil {
		t.Fatal(err)
	}
	st, err := d.(Stated).States([]string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	m := st.Machine
	if len(m.States) != 3 {
		t.Fatalf("%d states", len(m.States))
	}
	for q, want := range [][3]int{{3, 3, 0}, {3, 2, 1}, {2, 0, 2}} { // size, going on, ending
		if s := m.States[q]; s.Size != want[0] || s.Paths != want[1] || s.Final != want[2] {
			t.Errorf("state %d: %+v, want %v", q, s, want)
		}
	}
	if m.Next(0, 0) != 1 || m.Next(0, 1) != 2 || m.Next(1, 0) != 1 || m.Next(1, 1) != 2 || m.Next(2, 0) != -1 {
		t.Errorf("edges %v %v %v", m.Start, m.On, m.To)
	}
	if m.Seen(0, 0) != 2 || m.Seen(0, 1) != 1 || m.Seen(1, 0) != 1 || m.Seen(1, 1) != 1 {
		t.Errorf("counts %v", m.Count)
	}
	word := []int32{0, 0, 1, 1}
	states, scores := make([]int32, len(word)), make([]float64, len(word))
	logp := st.Replay(word, states, scores)
	sum := 0.0
	for _, s := range scores {
		sum += s
	}
	got, err := d.Score(context.Background(), traces(2, word))
	if err != nil || math.Abs(logp+got[0]) > 1e-12 || math.Abs(sum-logp) > 1e-12 ||
		!slices.Equal(states, []int32{1, 1, 2, 2}) {
		t.Errorf("replay %v, scores %v, states %v; the detector's score is %v, %v", logp, scores, states, got, err)
	}
}

// TestStatesAreDrawn: the machine of each detector becomes DOT that is read back with the same edges, before it was
// saved and after it was loaded.
func TestStatesAreDrawn(t *testing.T) {
	var words [][]int32
	for i := range int32(60) {
		words = append(words, []int32{i % 3, (i + 1) % 3, i % 2, 0, 1 + i%2})
	}
	train := traces(3, words...)
	train.Alphabet = []string{"a|x", `b"`, "c d"}
	for _, name := range []string{"markov", "sequent", "pdfa"} {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := info.Defaults().New(models.Env{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Fit(context.Background(), train); err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := d.Save(&file); err != nil {
			t.Fatal(err)
		}
		loaded, _ := info.Defaults().New(models.Env{})
		if err := loaded.Load(&file); err != nil {
			t.Fatal(err)
		}
		for _, det := range []models.Detector{d, loaded} {
			st, err := det.(Stated).States(train.Alphabet)
			if err != nil {
				t.Fatal(err)
			}
			var dot bytes.Buffer
			if err := flexfringe.WriteDOT(st.Machine, &dot); err != nil {
				t.Fatal(err)
			}
			back, err := flexfringe.ReadMachine(&dot, "x.dot")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(back.States) != len(st.Machine.States) || !slices.Equal(back.To, st.Machine.To) ||
				!slices.Equal(back.Count, st.Machine.Count) || !slices.Equal(back.Alphabet, train.Alphabet) {
				t.Errorf("%s: drawn %v, read back %v", name, st.Machine, back)
			}
		}
	}
}
