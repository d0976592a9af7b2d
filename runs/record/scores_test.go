package record

import (
	"bytes"
	"encoding/csv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/klauspost/compress/zstd"

	"plumbline/eval"
)

// judgedUnits are n units of three classes, one of which CSV has to quote.
func judgedUnits(n int) *Scores {
	r := rand.New(rand.NewPCG(61, 1))
	us := &Scores{Row: make([]int32, n), Score: make([]float64, n), Truth: eval.Truth{
		Attack: make([]bool, n), Class: make([]uint32, n), Names: []string{"normal", `a "scan", slow`, ""},
	}}
	for i := range us.Score {
		us.Score[i], us.Row[i] = r.NormFloat64(), int32(3*i)
		us.Truth.Class[i] = uint32(r.IntN(3))
		us.Truth.Attack[i] = us.Truth.Class[i] > 0
	}
	return us
}

// TestScoresFile: what is written is read back by encoding/csv, score for score, and twice the same bytes are written.
func TestScoresFile(t *testing.T) {
	plain := judgedUnits(20_000)
	scores := plain.Score
	keyed := *plain
	for i := range scores {
		keyed.Unit = append(keyed.Unit, []string{"10.0.0.5 10.0.0.9", `odd, "key"`, "two\nlines", "-", ""}[i%5])
	}
	for _, us := range []*Scores{plain, &keyed} {
		var file, again bytes.Buffer
		if err := us.Write(&file); err != nil {
			t.Fatal(err)
		}
		if err := us.Write(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
			t.Errorf("written twice, the bytes differ: %v", err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ScoresFile), file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		back, truth, err := ReadScores(dir, ".")
		if err != nil || !slices.Equal(back, scores) || !slices.Equal(truth.Attack, us.Truth.Attack) {
			t.Errorf("read back: %d scores, %v", len(back), err)
		}
		for i, k := range truth.Class {
			if truth.Names[k] != us.Truth.Names[us.Truth.Class[i]] {
				t.Fatalf("read back: line %d is of class %q", i, truth.Names[k])
			}
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
			if us.Unit != nil {
				want[1] = us.Unit[i]
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
	us := judgedUnits(4_259_264)
	for b.Loop() {
		if err := us.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
