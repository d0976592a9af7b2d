package runs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/models"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestNetworksAreTrainedOnce: two one-class models and the reconstruction error of one auto-encoder share its training,
// a seed at a time, and give the bytes that each gives in a run of its own; its history and the time it took stand in
// every cell.
func TestNetworksAreTrainedOnce(t *testing.T) {
	stages := []string{
		"{model: hybrid, label: a, params: {epochs: 8, pretrain: 2, noise: 0.1, latent: znorm}}",
		"{model: hybrid, label: b, params: {epochs: 8, pretrain: 2, noise: 0.1, latent: lof, latent_scale: zscore}}",
		"{model: hybrid, label: c, params: {epochs: 8, pretrain: 2, noise: 0.1, score: reconstruction}}",
	}
	const seeds = "seeds=[1, 2]"
	together := runSmall(t, runstest.Small, Options{Workers: 2}, "models=["+strings.Join(stages, ", ")+"]", seeds)
	taken := 0
	for i, stage := range stages {
		alone := runSmall(t, runstest.Small, Options{Workers: 1}, "models=["+stage+"]", seeds)
		for k, r := range alone.Results {
			same := together.Results[len(alone.Results)*i+k]
			if r.Status != record.OK || same.Status != record.OK || same.Cell != r.Cell {
				t.Fatalf("%s: %s %s; %s: %s %s", r.Cell, r.Status, r.Error, same.Cell, same.Status, same.Error)
			}
			for _, name := range []string{"scores.csv.zst", "history.csv"} {
				want, err := os.ReadFile(filepath.Join(alone.Dir, r.Cell, name))
				got, err2 := os.ReadFile(filepath.Join(together.Dir, r.Cell, name))
				if err != nil || err2 != nil || !bytes.Equal(got, want) {
					t.Errorf("%s of %s differs from that of a run of its own (%v, %v)", name, r.Cell, err, err2)
				}
			}
			log, err := os.ReadFile(filepath.Join(together.Dir, r.Cell, cellLog))
			if err != nil {
				t.Fatal(err)
			}
			taken += strings.Count(string(log), "its weights are taken")
		}
	}
	// of each of two seeds: the network and its layers, in two of the cells at least where those of one seed go on one
	// after the other
	if taken < 2*2*2 {
		t.Errorf("%d trainings were spared", taken)
	}
}

// TestTrainedForget: the oldest weights go where the bytes are too many, and what a cell was spared is counted.
func TestTrainedForget(t *testing.T) {
	store := &trained{}
	cell := &spared{trained: store}
	for i := range 5 {
		w := &models.Weights{Arrays: [][]float32{make([]float32, maxTrained/16)}, Took: time.Duration(i+1) * time.Second}
		cell.Keep(fmt.Sprint(i), w)
		cell.Keep(fmt.Sprint(i), w) // twice is once
	}
	cell.Keep("large", &models.Weights{Arrays: [][]float32{make([]float32, maxTrained/4+1)}})
	for key, want := range map[string]bool{"0": false, "1": true, "4": true, "large": false} {
		if got := cell.Find(key) != nil; got != want {
			t.Errorf("%s: kept %v, want %v", key, got, want)
		}
	}
	if store.bytes > maxTrained || cell.seconds() != 2+5 {
		t.Errorf("%d bytes, %v seconds spared", store.bytes, cell.seconds())
	}
}
