package all

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
		sameScores(t, "amd64", mine, readScores(t, *scoresAre), elsewhere(t))
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
	sameScores(t, plain, mine, readScores(t, file), nil)
	elsewhere(t)
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

var mayDiffer = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([0-9.e-]+) \\|")

// elsewhere is the models whose scores differ between processors, and by how much at most, as the manual says.
func elsewhere(t *testing.T) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile("../../docs/experiments.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "### Other processors")
	section, _, ends := strings.Cut(section, "\n## ")
	if !found || !ends {
		t.Fatal("docs/experiments.md has no section on other processors")
	}
	out := map[string]float64{}
	for _, m := range mayDiffer.FindAllStringSubmatch(section, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if _, known := models.Lookup(m[1]); err != nil || known != nil {
			t.Errorf("docs/experiments.md: %s: %v, %v", m[0], err, known)
		}
		out[m[1]] = v
	}
	return out
}

// sameScores: equal in every byte, but for models that may differ by so much of a score, or of 1 where it is smaller.
func sameScores(t *testing.T, with string, got, want map[string][]float64, may map[string]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d models, here %d", with, len(want), len(got))
	}
	var other []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if len(got[name]) != len(want[name]) {
			t.Fatalf("%s: %s: %d scores, here %d", with, name, len(want[name]), len(got[name]))
		}
		worst := 0.0
		for i, v := range want[name] {
			worst = max(worst, math.Abs(v-got[name][i])/max(1, math.Abs(v)))
		}
		if most, listed := may[name]; worst > most || worst == 0 && listed {
			other = append(other, fmt.Sprintf("%s (%.1g)", name, worst))
		}
	}
	if len(other) > 0 {
		t.Errorf("%s: of %d models these have other scores than they should (largest difference): %s", with, len(want),
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
