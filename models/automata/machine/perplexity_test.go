package machine

import (
	"math"
	"strings"
	"testing"
)

func TestReadSolution(t *testing.T) {
	p, err := ReadSolution(strings.NewReader("3\n0.5\n 1e-3\n0\n\n"), "s.txt")
	if err != nil || len(p) != 3 || p[1] != 1e-3 {
		t.Fatal(p, err)
	}
	for text, want := range map[string]string{
		"":              "s.txt: empty file",
		"x\n1":          `s.txt:1:1: number of words "x"`,
		"2\n0.5":        "s.txt:2:1: 1 probabilities, the first line announces 2",
		"1\n  1.5":      `s.txt:2:3: "1.5" is not a probability`,
		"1\nNaN":        "is not a probability",
		"1\n0.1\n0.2\n": "2 probabilities",
	} {
		if _, err := ReadSolution(strings.NewReader(text), "s.txt"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := Perplexity([]float64{0, 0}, []float64{-1, -1}); err == nil {
		t.Error("probabilities that are all 0 are accepted")
	}
	if _, err := Perplexity([]float64{1}, []float64{math.Inf(-1)}); err == nil {
		t.Error("only impossible words are accepted")
	}
}

// FuzzReadSolution: whatever the bytes, there is an error or probabilities.
func FuzzReadSolution(f *testing.F) {
	f.Add("2\n0.5\n1e-9\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadSolution(strings.NewReader(text), "s.txt")
		if err != nil {
			return
		}
		for _, v := range p {
			if !(v >= 0 && v <= 1) {
				t.Fatal(v)
			}
		}
	})
}
