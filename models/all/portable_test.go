package all

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/modeltest"
	"plumbline/numeric/kernel"
)

var (
	scoresTo  = flag.String("scores-to", "", "TestPortable writes every model's scores to this file")
	scoresAre = flag.String("scores-are", "", "TestPortable compares every model's scores with those in this file")
)

// TestPortable: every model's scores are the same bytes in plain Go as with the processor's instructions, and, with
// -scores-are, as on the processor where -scores-to wrote the file.
func TestPortable(t *testing.T) {
	if testing.Short() && *scoresTo == "" && *scoresAre == "" {
		t.Skip("all models again, by other instructions")
	}
	mine := allScores(t)
	if *scoresTo != "" {
		text, err := json.Marshal(mine)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(*scoresTo, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if *scoresAre != "" {
		sameScores(t, filepath.Base(*scoresAre), mine, readScores(t, *scoresAre))
		return
	}
	const plain = "generic" // package kernel holds the vector instructions to each other
	if kernel.Name() == plain {
		t.Skip("there is nothing but plain Go here")
	}
	file := filepath.Join(t.TempDir(), plain)
	child := exec.Command(os.Args[0], "-test.run=^TestPortable$", "-scores-to="+file)
	child.Env = append(os.Environ(), "PLUMBLINE_ISA="+plain)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", plain, err, out)
	}
	sameScores(t, plain, mine, readScores(t, file))
}

func readScores(t *testing.T, file string) (out map[string][]float64) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sameScores(t *testing.T, with string, got, want map[string][]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d models, here %d", with, len(want), len(got))
	}
	var other []string
	for name, scores := range want {
		if !slices.Equal(scores, got[name]) {
			worst := 0.0
			for i, v := range got[name] {
				worst = max(worst, math.Abs(v-scores[i])/max(1, math.Abs(v)))
			}
			other = append(other, fmt.Sprintf("%s (%.1g)", name, worst))
		}
	}
	slices.Sort(other)
	if len(other) > 0 {
		t.Errorf("%s: %d of %d models have other scores (largest difference): %s", with, len(other), len(want),
			strings.Join(other, ", "))
	}
}

// allScores is of every model the scores of a small set, and of vectors those of a wide one too.
func allScores(t *testing.T) map[string][]float64 {
	out := map[string][]float64{}
	for _, name := range models.Names() {
		info, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		benign, attacks := 120, 0
		if info.Needs.Labels.Any() {
			attacks = 40
		}
		kind := info.Needs.Input
		sets := [][2]*data.Set{{modeltest.Samples(kind, benign, attacks, 1), modeltest.Samples(kind, 60, 40, 3)}}
		if kind == data.Vectors {
			sets = append(sets, [2]*data.Set{wide(1, 130), wide(2, 60)})
		}
		for _, set := range sets {
			d := modeltest.Build(t, small(t, name), models.Env{Seed: 1, Workers: 2})
			if err := d.Fit(context.Background(), set[0]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			scores, err := d.Score(context.Background(), set[1])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out[name] = append(out[name], scores...)
		}
	}
	return out
}

// wide is rows like traffic: whole numbers, and quantities of all sizes.
func wide(seed uint64, n int) *data.Set {
	const d = 42
	r := rand.New(rand.NewPCG(seed, d))
	s := wholeNumbers(r, n, d)
	for i := range n {
		row := s.Row(i)
		for j := 20; j < d; j++ {
			row[j] = float32(math.Ldexp(r.Float64(), j/10)) + float32(r.IntN(2))*row[j-20]
		}
	}
	return s
}
