package prep_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/data/datatest"
	"plumbline/data/prep"
	"plumbline/data/source"
)

// BenchmarkFileToMatrix goes from a gzip file to a fitted float32 matrix, one-hot and standardised, on all
// processors: the 10 % file of KDD99 (494,021 × 75) and TON_IoT (211,043 × 195, as pandas and scikit-learn
// make it of all text columns with fewer than a hundred values). Run each alone for its peak of resident
// memory:
//
//	go test ./data/prep -run '^$' -bench FileToMatrix/KDD99 -benchtime 1x
func BenchmarkFileToMatrix(b *testing.B) {
	for _, c := range []struct {
		bench, name, folder, steps string
		rows, columns              int
	}{
		{"KDD99", "kddcup99", "kddcup99", "[impute, {step: scale, kind: zscore}, onehot]", 494021, 75},
		{"TON_IoT", "ton-iot", "ton-iot",
			"[{step: drop, columns: [dns_query]}, impute, {step: scale, kind: zscore}, onehot]", 211043, 195},
	} {
		b.Run(c.bench, func(b *testing.B) {
			before := cpuSeconds()
			for b.Loop() {
				_, t := readConfig(
					b,
					c.name,
					c.folder,
					func(c *source.Config) { c.Files.Test, c.Expect.TestRows = nil, 0 },
				)
				set := fitAll(b, t, c.steps)
				if set.N != c.rows || set.D != c.columns {
					b.Fatalf("%d×%d, want %d×%d", set.N, set.D, c.rows, c.columns)
				}
			}
			b.ReportMetric((cpuSeconds()-before)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(c.rows*b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(peakMB(), "peak-MB")
		})
	}
}

// BenchmarkTenfold reads KDD99's 10 % file as plain text, once and ten times over: ten times should take no
// more than ten times as long, and the peak grow no faster than the matrix (148 MB to 1,482 MB).
func BenchmarkTenfold(b *testing.B) {
	dir := datatest.Dir(b, "kddcup99")
	raw, err := os.ReadFile(filepath.Join(dir, "kddcup99", "kddcup.data_10_percent.gz"))
	if err != nil {
		b.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	for _, times := range []int{1, 10} {
		b.Run(strconv.Itoa(times), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "repeated")
			f, err := os.Create(file)
			if err != nil {
				b.Fatal(err)
			}
			for range times {
				if _, err := f.Write(text); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			for b.Loop() {
				_, t := readConfig(
					b,
					"kddcup99",
					"kddcup99",
					func(c *source.Config) {
						c.Files.Train, c.Files.Test, c.Expect = []string{file}, nil,
							source.Expect{}
					},
				)
				if set := fitAll(b, t, "[impute, {step: scale, kind: zscore}, onehot]"); set.N != times*494021 {
					b.Fatalf("%d rows", set.N)
				}
			}
			b.ReportMetric(float64(times*494021*b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(peakMB(), "peak-MB")
		})
	}
}

// fitAll fits steps to the benign rows and applies them to all.
func fitAll(b *testing.B, t *data.Table, steps string) *data.Set {
	b.Helper()
	all := make([]int32, t.Rows)
	for i := range all {
		all[i] = int32(i)
	}
	spec, err := decode(b, steps)
	if err != nil {
		b.Fatal(err)
	}
	p, err := spec.Fit(context.Background(), t, prep.Rows{Benign: t.Benign(all), All: all}, runtime.GOMAXPROCS(0))
	if err != nil {
		b.Fatal(err)
	}
	set, err := p.Apply(context.Background(), t, all, runtime.GOMAXPROCS(0))
	if err != nil {
		b.Fatal(err)
	}
	return set
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

// cpuSeconds is the processor time of the process, user and system, where the system tells it.
func cpuSeconds() float64 {
	const user, system, perSecond = 13, 14, 100 // fields of proc_pid_stat(5), which count hundredths
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	name := bytes.LastIndexByte(raw, ')') // a name may hold blanks
	fields := strings.Fields(string(raw[name+1:]))
	if len(fields) <= system-2 {
		return 0
	}
	u, _ := strconv.ParseFloat(fields[user-2], 64)
	s, _ := strconv.ParseFloat(fields[system-2], 64)
	return (u + s) / perSecond
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
