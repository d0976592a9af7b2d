package main

import (
	"io"
	"math"
	"strings"
	"testing"
)

// wrkText is in the form that wrk 4.1 prints with --latency.
const wrkText = `Running 2s test @ http://127.0.0.1:8641/v1/predict
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.59ms    2.51ms  27.90ms   88.59%
    Req/Sec     5.49k   601.55     7.20k    75.00%
  Latency Distribution
     50%  472.00us
     75%    1.51ms
     90%    4.89ms
     99%   11.93ms
  10987 requests in 2.02s, 3.35MB read
Requests/sec:   5450.39
Transfer/sec:      1.66MB
`

// TestSaid: what wrk says is taken in one unit, and answers of no success are an error.
func TestSaid(t *testing.T) {
	l, requests, err := said(wrkText)
	if err != nil || l.rate != 5450.39 || math.Abs(l.p50-0.472) > 1e-12 || l.p99 != 11.93 || requests != 10987 {
		t.Errorf("%+v, %v requests, %v", l, requests, err)
	}
	for _, wrong := range []string{"", strings.Replace(wrkText, "99%", "98%", 1),
		wrkText + "  Non-2xx or 3xx responses: 3\n", wrkText + "  Socket errors: connect 0, read 1, write 0, timeout 0\n"} {
		if l, _, err := said(wrong); err == nil {
			t.Errorf("%q is %+v", wrong, l)
		}
	}
}

// TestMatrix: the body has the rows that it is said to have, of numbers from 0 to 1, whatever is read at a time.
func TestMatrix(t *testing.T) {
	in, size, err := matrix(2500, 7)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(io.LimitReader(in, 1<<30))
	if err != nil || int64(len(raw)) != size || size != 2500*7*4 {
		t.Fatalf("%d bytes, %d are announced: %v", len(raw), size, err)
	}
	for i := 0; i < len(raw); i += 4 {
		v := math.Float32frombits(uint32(raw[i]) | uint32(raw[i+1])<<8 | uint32(raw[i+2])<<16 | uint32(raw[i+3])<<24)
		if !(v >= 0 && v <= 1) {
			t.Fatalf("number %d is %v", i/4, v)
		}
	}
}

// TestSummaries: medians with the least and the most, and the slope of a line.
func TestSummaries(t *testing.T) {
	if got := spread([]float64{30, 1, 2, 400}); got != "16.0 (1.000 to 400)" {
		t.Error(got)
	}
	if got := slope([]float64{0, 1, 2, 3}, []float64{5, 7, 9, 11}); math.Abs(got-2) > 1e-12 {
		t.Error(got)
	}
	table := &table{accept: "text/csv"}
	if n, err := table.count(strings.NewReader("score\n1\n2\n")); n != 2 || err != nil {
		t.Error(n, err)
	}
	table.accept = "application/octet-stream"
	if n, err := table.count(strings.NewReader(strings.Repeat("x", 24))); n != 3 || err != nil {
		t.Error(n, err)
	}
}
