package prep_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/prep"
)

// BenchmarkKDD99 goes from the 10 % file of KDD99 (494,021 rows, 75 MB of text, gzip) to a fitted float32
// matrix of 494,021 × 75, on all processors. Run it alone for the peak of resident memory:
//
//	go test ./data/prep -run '^$' -bench KDD99 -benchtime 1x
func BenchmarkKDD99(b *testing.B) {
	for b.Loop() {
		_, t := readConfig(b, "kddcup99", "kddcup99", func(c *data.Config) { c.Files.Test, c.Expect.TestRows = nil, 0 })
		all := make([]int32, t.Rows)
		for i := range all {
			all[i] = int32(i)
		}
		spec, err := decode(b, "[impute, onehot, {step: scale, kind: zscore}]")
		if err != nil {
			b.Fatal(err)
		}
		p, err := spec.Fit(context.Background(), t, prep.Rows{Benign: t.Benign(all), All: all}, runtime.GOMAXPROCS(0))
		if err != nil {
			b.Fatal(err)
		}
		set, err := p.Apply(context.Background(), t, all, runtime.GOMAXPROCS(0))
		if err != nil || set.N != 494021 || set.D != 75 {
			b.Fatalf("%d×%d, %v", set.N, set.D, err)
		}
	}
	b.ReportMetric(float64(494021*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(peakMB(), "peak-MB")
}

// peakMB is the process's largest resident memory where the system tells it.
func peakMB() float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			v, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 64)
			return v / 1000
		}
	}
	return 0
}

// BenchmarkApply is the last part alone: rows to matrix.
func BenchmarkApply(b *testing.B) {
	_, t := readConfig(b, "nsl-kdd", "nsl-kdd", nil)
	all := make([]int32, t.Rows)
	for i := range all {
		all[i] = int32(i)
	}
	spec, err := decode(b, "[impute, {step: scale, kind: minmax}, {step: onehot, fit: train}]")
	if err != nil {
		b.Fatal(err)
	}
	p, err := spec.Fit(context.Background(), t, prep.Rows{Benign: t.Benign(all), All: all}, 2)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Apply(context.Background(), t, all, runtime.GOMAXPROCS(0)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(t.Rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
