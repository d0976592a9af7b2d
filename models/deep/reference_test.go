package deep

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"plumbline/models/nn"
)

// The reference is PyTorch's: testdata/torch_reference.py has the formulas of the papers and automatic
// differentiation.

const (
	referenceRows    = 48
	referenceColumns = 6
)

func referenceValues(n int, salt, scale float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(scale * math.Sin(12.9898*float64(i+1)+78.233*salt))
	}
	return out
}

// referenceStart is the weights of the script: two salts a layer, whether it has biases or not.
func referenceStart(net nn.Network) nn.Params {
	var p nn.Params
	for _, a := range net.Arrays() {
		salt, scale := float64(10+2*a.Layer), 0.6
		if a.Part == nn.Bias {
			salt, scale = salt+1, 0.2
		}
		p = append(p, referenceValues(a.Len, salt, scale))
	}
	return p
}

// TestObjectivesAsPyTorch: twelve steps of Adam have PyTorch's losses and end with its weights.
func TestObjectivesAsPyTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/torch_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct{ Losses, Weights []float64 }
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	const d = referenceColumns
	centre := []float64{0.3, -0.2, 0.5}
	sphereNet := func(o nn.Objective) nn.Network {
		return nn.Network{Layers: layers(d, []int{5, 3}, nn.Leaky, true), Objective: o}
	}
	mixture := defaultDAGMM()
	mixture.Hidden, mixture.Estimation, mixture.Components, mixture.Dropout = []int{5, 2}, []int{5}, 3, 0
	mixture.Ridge = 1e-3
	dev := &DevNet{Hidden: []int{4}}
	devNetwork := dev.network(d)
	devNetwork.Objective = &deviation{Mean: 0.01, Sd: 0.99, Margin: 5}
	x := referenceValues(referenceRows*d, 1, 1)
	targets, order := make([]float32, referenceRows), make([]int32, referenceRows)
	for i := range targets {
		order[i] = int32(i)
		if i%7 == 0 {
			targets[i] = 1
		}
	}
	for name, net := range map[string]nn.Network{
		"one_class":     sphereNet(&sphere{Centre: centre}),
		"soft_boundary": sphereNet(&sphere{Centre: centre, Soft: true, Nu: 0.2, square: 0.5}),
		"deep_sad":      sphereNet(&repelling{centre, 2}),
		"devnet":        devNetwork,
		"dagmm":         mixture.network(d),
	} {
		net.Optimiser = nn.Optimiser{Kind: "adam", Rate: 0.01}
		e, err := nn.LookupEngine("fused")
		if err != nil {
			t.Fatal(err)
		}
		tr, err := e.New(net, referenceStart(net), 1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(want[name].Losses) != 12 {
			t.Fatalf("%s: %d losses in the reference", name, len(want[name].Losses))
		}
		for k, loss := range want[name].Losses {
			got, err := tr.Epoch(t.Context(), x, targets, order, referenceRows, 0.01)
			if err != nil || math.Abs(got-loss) > 1e-4*math.Abs(loss) {
				t.Errorf("%s: step %d: loss %v, PyTorch has %v (%v)", name, k, got, loss, err)
			}
		}
		p := tr.Params()
		for i, sum := range want[name].Weights {
			got := 0.0
			for _, v := range p[i] {
				got += math.Abs(float64(v))
			}
			if math.Abs(got-sum) > 1e-3*sum {
				t.Errorf("%s: %s: absolute weights add up to %v, PyTorch's to %v", name, net.Arrays()[i].Name, got, sum)
			}
		}
	}
}
