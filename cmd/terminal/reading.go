package terminal

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// squeezed is values added up to at most n, as bars; where there is nothing is a blank.
func squeezed(values []float64, n int) string {
	wide := (len(values) + n - 1) / max(n, 1)
	var sums []float64
	for from := 0; from < len(values); from += wide {
		sum := 0.0
		for _, v := range values[from:min(from+wide, len(values))] {
			sum += v
		}
		if sum <= 0 {
			sum = math.NaN()
		}
		sums = append(sums, sum)
	}
	return Bars(sums)
}

// Reading shows how many rows have been read: on a terminal in a moving line, elsewhere in a plain line now and then.
type Reading struct {
	w           io.Writer
	width       func() int // nil: plain lines
	began, said time.Time
	drawn       bool
}

// NewReading shows the reading of rows on a stream, unless it is quiet.
func NewReading(stream io.Writer, quiet bool) *Reading {
	r := &Reading{w: stream, began: time.Now(), said: time.Now()}
	if quiet {
		r.w = io.Discard
	}
	if f, ok := stream.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		r.width = func() int { w, _, _ := term.GetSize(int(f.Fd())); return max(w, 20) }
	}
	return r
}

// Rows says how many rows have been read by now, and the share of all, 0 where that is not known.
func (r *Reading) Rows(rows int, share float64) {
	now := time.Now()
	every := redraw
	if r.width == nil {
		every = heartbeat
	}
	if now.Sub(r.said) < every {
		return
	}
	r.said = now
	text := fmt.Sprintf("%d rows read", rows)
	if share > 0 {
		left := time.Duration(float64(now.Sub(r.began)) * (1 - share) / share)
		text = fmt.Sprintf("[%s%s] %s, about %s left", strings.Repeat("#", int(20*share)),
			strings.Repeat(".", 20-int(20*share)), text, left.Round(time.Second))
	}
	if r.width == nil {
		fmt.Fprintln(r.w, text)
		return
	}
	if w := r.width(); len(text) >= w {
		text = text[:w-1]
	}
	fmt.Fprint(r.w, "\r\x1b[K"+text)
	r.drawn = true
}

// Close takes the moving line away.
func (r *Reading) Close() {
	if r.drawn {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.drawn = false
	}
}
