package nn

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"plumbline/models"
)

// TestOtherTraining: a training of other data, settings or seed does not take a checkpoint for its own.
func TestOtherTraining(t *testing.T) {
	x, cfg, net := []float32{1, 2}, DefaultTraining(3, 4), mirrored(4, []int{4, 3, 3}, Tanh)
	mark := func(seed uint64, cfg Training, net Network, x, y []float32) string {
		f, err := fingerprint(seed, cfg, net, x, y)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := mark(1, cfg, net, x, x)
	other, deeper := cfg, net
	other.Batch++
	deeper.Shrink = 1
	for what, f := range map[string]string{
		"seed":    mark(2, cfg, net, x, x),
		"setting": mark(1, other, net, x, x),
		"network": mark(1, cfg, deeper, x, x),
		"data":    mark(1, cfg, net, []float32{1, 3}, x),
		"target":  mark(1, cfg, net, x, []float32{2, 2}),
	} {
		if f == base {
			t.Errorf("another %s has the same fingerprint", what)
		}
	}
	if mark(1, cfg, net, x, x) != base {
		t.Error("the same training has another fingerprint")
	}
	if _, err := fingerprint(1, cfg, math.NaN(), x, x); err == nil {
		t.Error("what JSON cannot hold has a fingerprint")
	}
}

func FuzzCheckpoint(f *testing.F) {
	c := &checkpoint{epochs: 1, params: Params{{1, 2}}, averages: [][]float32{{3}}, centres: [][]float32{{4}},
		best: Params{{5}}, history: []models.Epoch{{N: 1, Of: 2, Loss: 1}}}
	raw, err := c.write()
	if err != nil {
		f.Fatal(err)
	}
	again, err := readCheckpoint(raw)
	if err != nil || !reflect.DeepEqual(again, c) {
		f.Fatalf("%+v, %v; written %+v", again, err, c)
	}
	f.Add(raw)
	f.Add([]byte(strings.Replace(string(raw), `"Params":1`, `"Params":9`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := readCheckpoint(raw); err == nil && len(c.history) != c.epochs {
			t.Errorf("%d epochs with a history of %d", c.epochs, len(c.history))
		}
	})
}
