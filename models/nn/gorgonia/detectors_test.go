package gorgonia_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	_ "plumbline/models/all"
	"plumbline/models/modeltest"
)

// TestDetectorsAgree: every detector that is trained by an engine has the same losses over three epochs on both,
// with the settings it comes with, and where these leave out a way of training, with that too.
func TestDetectorsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("the same goroutines as in the tests of one engine")
	}
	type detector struct{ model, params string } // %s stands for the engine
	list := []detector{
		{model: "ae", params: "{engine: %s, epochs: 2, noise: 0.2}"},
		{model: "ae", params: "{engine: %s, epochs: 2, pretrain: 2}"},
		{model: "lstm_ae_repeat",
			params: "{engine: %s, epochs: 2, units: [12, 6], bidirectional: true, dropout: 0.2, loss: mae}"},
		{model: "lstm_pred", params: "{engine: %s, epochs: 2, dropout: 0.3}"},
	}
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		switch spec := info.Defaults(); {
		case slices.Contains(fusedAlone, name):
			if _, err := built(t, name, "{engine: gorgonia}", nil); !errors.Is(err, models.ErrSpec) {
				t.Errorf("%s on gorgonia: %v", name, err)
			}
		case has(spec, "engine"):
			list = append(list, detector{model: name, params: "{engine: %s, epochs: 2}"})
		case has(spec, "adjust_epochs"): // a network for each cluster
			list = append(list, detector{model: name, params: "{base: {model: sae, params: {engine: %s, epochs: 2}}}"})
		}
	}
	if len(list) < 4+13 {
		t.Errorf("%d detectors", len(list))
	}
	for _, c := range list {
		t.Run(c.model+" "+c.params, func(t *testing.T) {
			info, err := models.Lookup(c.model)
			if err != nil {
				t.Fatal(err)
			}
			set := vectors()
			if info.Needs.Input == data.Traces {
				set = traces()
			}
			want := losses(t, c.model, fmt.Sprintf(c.params, "gorgonia"), set)
			got := losses(t, c.model, fmt.Sprintf(c.params, "fused"), set)
			if len(got) != len(want) || len(want) < 2 {
				t.Fatalf("losses %v and %v", got, want)
			}
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-4*math.Abs(want[i]) {
					t.Fatalf("losses %v, want %v", got, want)
				}
			}
		})
	}
}

// fusedAlone are the detectors with objectives of their own, which the Gorgonia engine refuses.
var fusedAlone = []string{"dagmm", "deep_sad", "deep_svdd", "devnet", "mlp"}

// built is a detector with some settings that observes its epochs.
func built(t *testing.T, name, params string, observe func(models.Epoch)) (models.Detector, error) {
	t.Helper()
	spec := modeltest.Spec(t, name, params)
	return spec.New(models.Env{Seed: 5, Workers: 2, Observe: observe})
}

func has(spec models.Spec, key string) bool {
	for _, f := range settings.Fields(spec) {
		if f.Name == key {
			return true
		}
	}
	return false
}

// losses are those of the epochs of all networks of a detector.
func losses(t *testing.T, name, params string, set *data.Set) (out []float64) {
	t.Helper()
	d, err := built(t, name, params, func(e models.Epoch) { out = append(out, e.Loss) })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Fit(context.Background(), set); err != nil {
		t.Fatal(err)
	}
	return out
}

// vectors are rows of two clouds.
func vectors() *data.Set {
	const n, d = 400, 9
	r := rand.New(rand.NewPCG(1, 2))
	s := &data.Set{Kind: data.Vectors, N: n, D: d}
	for i := range n {
		a := r.NormFloat64()
		for j := range d {
			s.X = append(s.X, float32(float64(i%2)+a*float64(j%3)/2+0.3*r.NormFloat64()))
		}
	}
	return s
}

// traces are events with values that go on and symbols that follow each other.
func traces() *data.Set {
	const n, events, d = 20, 15, 3
	r := rand.New(rand.NewPCG(3, 4))
	s := &data.Set{Kind: data.Traces, N: n, D: d, Attack: make([]bool, n), Alphabet: strings.Split("abcdef", "")}
	for i := range n {
		s.Attack[i] = i%3 == 0
		t := data.Trace{Key: fmt.Sprint(i)}
		at, symbol := r.NormFloat64(), r.IntN(6)
		for range events {
			at += 0.5 * r.NormFloat64()
			for j := range d {
				t.Events = append(t.Events, float32(at*float64(j+1)/3+0.1*r.NormFloat64()))
			}
			t.Symbols = append(t.Symbols, int32(symbol))
			symbol = (symbol + 1 + r.IntN(2)) % 6
		}
		s.Traces = append(s.Traces, t)
	}
	return s
}
