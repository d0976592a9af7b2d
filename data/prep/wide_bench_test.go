package prep_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plumbline/data/datatest"
	"plumbline/data/source"
)

// BenchmarkWideTable goes from a gzip file of 91 columns with times, addresses and flow ids, the four samples of
// the corrected CICIDS2017 six times over (190,782 rows, 118 MB of text), to a fitted float32 matrix.
func BenchmarkWideTable(b *testing.B) {
	const times, rows = 6, 6 * 31797
	dir := datatest.Dir(b, "cicids2017-improved")
	var head, body []byte
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday"} {
		f, err := os.Open(filepath.Join(dir, "cicids2017-improved", day+".sample.csv.gz"))
		if err != nil {
			b.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
		first, rest, _ := bytes.Cut(raw, []byte{'\n'})
		head, body = first, append(body, rest...)
	}
	name := filepath.Join(b.TempDir(), "wide.csv.gz")
	out, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		b.Fatal(err)
	}
	z.Write(append(head, '\n'))
	for range times {
		z.Write(body)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	out.Close()
	body = nil
	before := cpuSeconds()
	for b.Loop() {
		_, t := readConfig(b, "cicids2017-improved", "cicids2017-improved", func(c *source.Config) {
			c.Files.Train = []string{name}
		})
		set := fitAll(b, t, "[{step: drop, columns: [Src Port, Dst Port]}, impute, {step: scale, kind: zscore}, onehot]")
		if set.N != rows {
			b.Fatalf("%d rows", set.N)
		}
	}
	b.ReportMetric((cpuSeconds()-before)/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(peakMB(), "peak-MB")
}
