package rows

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRecordsDoNotDependOnTheCut: wherever a text is cut into chunks, its records are those of the whole.
func TestRecordsDoNotDependOnTheCut(t *testing.T) {
	tf := &TextFormat{Separator: ',', Quote: true}
	walk := func(text string, line int) (out []string) {
		r := record{tf: tf, text: []byte(text), line: line}
		for r.next() {
			out = append(out, fmt.Sprintf("%d %q %v", r.at, r.cells, r.err))
		}
		return out
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		text := make([]byte, r.IntN(24))
		for i := range text {
			text[i] = "\"\"\"\n\n,,\rab"[r.IntN(10)]
		}
		want := walk(string(text), 1)
		for cut := range len(text) + 1 {
			end := tf.lastRecordEnd(text[:cut])
			got := append(
				walk(string(text[:end]), 1),
				walk(string(text[end:]), 1+bytes.Count(text[:end], []byte{'\n'}))...)
			if !slices.Equal(got, want) {
				t.Fatalf("%q cut at %d of %d: %v, want %v", text, end, cut, got, want)
			}
		}
	}
}

// TestEndIn: the line that ends the data is a whole line.
func TestEndIn(t *testing.T) {
	tf := &TextFormat{End: []byte("Summary")}
	for text, want := range map[string]int{"Summary\n": 0, "a\nSummary\r\nb": 2, "a Summary\nb\nSummary": -1,
		"Summary,1\n": -1, "aSummary\nSummary\n": 9, "": -1} {
		if got := tf.endIn([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestStack: whatever is foreseen, the values come out in order.
func TestStack(t *testing.T) {
	for _, room := range []int{0, 1, 7, 1000} {
		var s stack[int]
		var want []int
		for k := range 40 {
			var v []int
			for i := range k % 9 {
				v = append(v, 100*k+i)
			}
			s.push(v, room)
			want = append(want, v...)
		}
		if got := s.join(len(want)); !slices.Equal(got, want) || cap(got) != len(got) {
			t.Errorf("room %d: %v, want %v", room, got, want)
		}
	}
}
