package runs

import (
	"bytes"
	"encoding/csv"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/klauspost/compress/zstd"

	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
)

// judgedUnits are n units of three classes, one of which CSV has to quote.
func judgedUnits(n int) (*prepare.Prepared, []float64) {
	r := rand.New(rand.NewPCG(61, 1))
	us := &experiment.Units{First: make([]int32, n), Truth: eval.Truth{
		Attack: make([]bool, n), Class: make([]uint32, n), Names: []string{"normal", `a "scan", slow`, ""},
	}}
	scores := make([]float64, n)
	for i := range scores {
		scores[i], us.First[i] = r.NormFloat64(), int32(3*i)
		us.Truth.Class[i] = uint32(r.IntN(3))
		us.Truth.Attack[i] = us.Truth.Class[i] > 0
	}
	return &prepare.Prepared{Test: us}, scores
}

// TestScoresFile: what is written is read back by encoding/csv, score for score, and twice the same bytes are written.
func TestScoresFile(t *testing.T) {
	p, scores := judgedUnits(20_000)
	keyed := *p.Test
	for i := range scores {
		keyed.Keys = append(keyed.Keys, []string{"10.0.0.5 10.0.0.9", `odd, "key"`, "two\nlines", "-", ""}[i%5])
	}
	for _, us := range []*experiment.Units{p.Test, &keyed} {
		p := &prepare.Prepared{Test: us}
		var file, again bytes.Buffer
		if err := writeScores(&file, p, scores); err != nil {
			t.Fatal(err)
		}
		if err := writeScores(&again, p, scores); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
			t.Errorf("written twice, the bytes differ: %v", err)
		}
		z, err := zstd.NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(z).ReadAll()
		z.Close()
		head := []string{"row", "unit", "score", "attack", "class"}
		if err != nil || len(rows) != len(scores)+1 || !slices.Equal(rows[0], head) {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows[1:] {
			at := strconv.Itoa(3 * i)
			want := []string{at, at, strconv.FormatFloat(scores[i], 'g', -1, 64), "0", us.Truth.Names[us.Truth.Class[i]]}
			if us.Keys != nil {
				want[1] = us.Keys[i]
			}
			if us.Truth.Attack[i] {
				want[3] = "1"
			}
			if !slices.Equal(row, want) {
				t.Fatalf("line %d is %q, want %q", i, row, want)
			}
		}
	}
}

// BenchmarkWriteScores writes as many units as ten times KDD99's file leaves for the test, no two scores equal.
func BenchmarkWriteScores(b *testing.B) {
	p, scores := judgedUnits(4_259_264)
	for b.Loop() {
		if err := writeScores(io.Discard, p, scores); err != nil {
			b.Fatal(err)
		}
	}
}
