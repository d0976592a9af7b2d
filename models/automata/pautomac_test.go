package automata

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/data"
)

// pautomac reads one problem's training traces.
func pautomac(tb testing.TB, set int) *data.Corpus {
	tb.Helper()
	dir := os.Getenv("PLUMBLINE_DATA")
	f, err := os.Open(filepath.Join(dir, "pautomac", fmt.Sprintf("%d.pautomac.train.gz", set)))
	if err != nil {
		tb.Skip("PAutomaC files are not in $PLUMBLINE_DATA: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	c := &data.Corpus{}
	if err := data.ReadAbbadingo(z, f.Name(), data.PAutomaC, c); err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkLearn repeats the learning runs that FlexFringe was timed on.
func BenchmarkLearn(b *testing.B) {
	for _, set := range []int{7, 39, 21, 34, 18} {
		seq := Sequent()
		seq.Compat = V26
		for _, c := range []struct {
			name string
			spec LearnSpec
			size int
		}{{"alergia", Alergia(), 0}, {"likelihood", Likelihood(), 0}, {"sequent", seq, 10}, {"sequent-nowin", seq, 0}} {
			b.Run(fmt.Sprintf("%d/%s", set, c.name), func(b *testing.B) {
				corpus := pautomac(b, set)
				for b.Loop() {
					words := corpus.Words()
					if c.size > 0 {
						words = corpus.Windows(c.size, 1)
					}
					var steps strings.Builder
					n := 0
					m, err := Learn(context.Background(), c.spec, words, corpus.Alphabet, corpus.Types, func(s Step) { n++; fmt.Fprintln(&steps, s) })
					if err != nil {
						b.Fatal(err)
					}
					red := 0
					for _, s := range m.States {
						if s.Red {
							red++
						}
					}
					b.ReportMetric(float64(red), "red")
					b.ReportMetric(float64(len(m.States)), "written")
					b.ReportMetric(float64(n), "steps")
				}
			})
		}
	}
}
