package machine

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"plumbline/data/corpus"
	"plumbline/data/datatest"
)

// pautomac reads one problem's training traces.
func pautomac(tb testing.TB, set int) *corpus.Corpus {
	tb.Helper()
	c := &corpus.Corpus{}
	readProblem(tb, set, "train", c)
	return c
}

// readProblem adds the traces of one of a problem's files.
func readProblem(tb testing.TB, set int, part string, c *corpus.Corpus) {
	tb.Helper()
	z := openProblem(tb, set, ".pautomac."+part)
	defer z.Close()
	if err := corpus.ReadAbbadingo(z, fmt.Sprint(set, part), corpus.PAutomaC, c); err != nil {
		tb.Fatal(err)
	}
}

func openProblem(tb testing.TB, set int, suffix string) *gzip.Reader {
	tb.Helper()
	f, err := os.Open(filepath.Join(datatest.Dir(tb, "pautomac"), "pautomac", fmt.Sprintf("%d%s.gz", set, suffix)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

// solution is the true probabilities of a problem's test words.
func solution(tb testing.TB, set int) (p []float64) {
	tb.Helper()
	z := openProblem(tb, set, ".pautomac_solution.txt")
	defer z.Close()
	sc := bufio.NewScanner(z)
	for sc.Scan(); sc.Scan(); {
		v, err := strconv.ParseFloat(sc.Text(), 64)
		if err != nil {
			tb.Fatal(err)
		}
		p = append(p, v)
	}
	return p
}

// TestPAutomaC checks the learner against FlexFringe's main of January 2026 on problems of the PAutomaC
// competition: red states, written states and steps, and the perplexity of the test words where a missing
// edge ends a word (stop) or leaves the state as it is (remain).
func TestPAutomaC(t *testing.T) {
	for _, c := range []struct {
		set                 int
		optimum             float64
		heuristic           string
		red, written, steps int
		stop, remain        float64
	}{
		{7, 51.2243, "alergia", 56, 67, 173, 51.3449, 51.3996},
		{7, 51.2243, "likelihood", 12, 12, 37, 51.2431, 51.2431},
		{39, 10.0020, "alergia", 76, 189, 378, 10.0200, 10.0134},
		{39, 10.0020, "likelihood", 13, 50, 67, 10.0038, 10.0029},
		{21, 30.5189, "alergia", 102, 712, 1303, 37.5167, 34.0270},
		{21, 30.5189, "likelihood", 74, 714, 954, 32.2982, 32.2007},
		{34, 19.9547, "alergia", 150, 1100, 1569, 25.7639, 22.6086},
		{34, 19.9547, "likelihood", 144, 1813, 1152, 21.2045, 20.5590},
		{18, 57.3289, "likelihood", 24, 24, 110, 57.3314, 57.3314},
		{43, 32.6370, "alergia", 0, 0, 0, 32.9132, 32.9132},
		{3, 49.9561, "likelihood", 0, 0, 0, 50.8697, 50.7647},
		{47, 4.1190, "likelihood", 0, 0, 0, 4.1195, 4.1191},
	} {
		t.Run(fmt.Sprintf("%d/%s", c.set, c.heuristic), func(t *testing.T) {
			corpus := pautomac(t, c.set)
			p := solution(t, c.set)
			spec := Alergia()
			if c.heuristic == "likelihood" {
				spec = Likelihood()
			}
			steps := 0
			train := corpus.Len()
			m, err := Learn(context.Background(), spec, corpus.Words(), corpus.Alphabet, corpus.Types, func(Step) { steps++ })
			if err != nil {
				t.Fatal(err)
			}
			red := 0
			for _, s := range m.States {
				if s.Red {
					red++
				}
			}
			if c.red > 0 && (red != c.red || len(m.States) != c.written || steps != c.steps) {
				t.Errorf("%d red, %d written, %d steps; want %d, %d, %d", red, len(m.States), steps, c.red, c.written, c.steps)
			}
			readProblem(t, c.set, "test", corpus)
			for missing, want := range map[OnMissingEdge]float64{Stop: c.stop, Remain: c.remain} {
				rep := NewReplayer(m, 1, true, missing, V26)
				var logq []float64
				for i := train; i < corpus.Len(); i++ {
					logq = append(logq, rep.Replay(corpus.Trace(i), nil, nil))
				}
				got, err := Perplexity(p, logq)
				if err != nil || math.Abs(got-want) > 6e-5 {
					t.Errorf("%s: perplexity %.4f, %v; want %.4f", missing, got, err, want)
				}
			}
			if got, _ := Optimum(p); math.Abs(got-c.optimum) > 6e-5 {
				t.Errorf("optimum %.4f, want %.4f", got, c.optimum)
			}
		})
	}
}

// TestCleanIsBetter: on problems of every size the clean settings come nearer to the optimum, on average, than
// FlexFringe's two, and so does the candidate that held-out traces choose.
func TestCleanIsBetter(t *testing.T) {
	var clean, chosen, alergia, likelihood float64
	for _, set := range []int{1, 29, 43} {
		words := pautomac(t, set)
		train := words.Len()
		candidates := Candidates()
		best, err := SelectByHeldOut(context.Background(), candidates, words)
		if err != nil {
			t.Fatal(err)
		}
		p := solution(t, set)
		excess := func(s Setting) float64 {
			c := &corpus.Corpus{}
			readProblem(t, set, "train", c)
			m, err := Learn(context.Background(), s.LearnSpec, c.Words(), c.Alphabet, c.Types, nil)
			if err != nil {
				t.Fatal(err)
			}
			readProblem(t, set, "test", c)
			rep := s.Replayer(m)
			var logq []float64
			for i := range p {
				logq = append(logq, rep.Replay(c.Trace(train+i), nil, nil))
			}
			got, err := Perplexity(p, logq)
			if err != nil {
				t.Fatal(err)
			}
			optimum, _ := Optimum(p)
			return got/optimum - 1
		}
		clean += excess(Setting{"", Probable(), Remain})
		chosen += excess(candidates[best])
		alergia += excess(Setting{"", Alergia(), Remain})
		likelihood += excess(Setting{"", Likelihood(), Remain})
	}
	if worse := min(alergia, likelihood); clean >= worse || chosen >= worse {
		t.Errorf("summed excess: clean %.4f, chosen %.4f, alergia %.4f, likelihood %.4f", clean, chosen, alergia, likelihood)
	}
}

// TestPerplexityByHand: p = (½, ½) and q = (¼, ¼) normalise to the same; q = (¾, ¼) gives 2^(½·log₂ 16/3).
func TestPerplexityByHand(t *testing.T) {
	for _, c := range []struct {
		q    [2]float64
		want float64
	}{{[2]float64{0.25, 0.25}, 2}, {[2]float64{0.75, 0.25}, math.Sqrt(16.0 / 3)}} {
		got, err := Perplexity([]float64{0.5, 0.5}, []float64{math.Log(c.q[0]), math.Log(c.q[1])})
		if err != nil || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, %v; want %v", c.q, got, err, c.want)
		}
	}
	if _, err := Perplexity([]float64{1}, []float64{math.NaN()}); err == nil {
		t.Error("NaN is accepted")
	}
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
					m, err := Learn(context.Background(), c.spec, words, corpus.Alphabet, corpus.Types, func(s Step) {
						n++
						fmt.Fprintln(&steps, s)
					})
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

// BenchmarkReplay reports the test words' symbols that a machine scores in a second.
func BenchmarkReplay(b *testing.B) {
	for _, set := range []int{7, 34} {
		b.Run(fmt.Sprint(set), func(b *testing.B) {
			corpus := pautomac(b, set)
			m, err := Learn(context.Background(), Likelihood(), corpus.Words(), corpus.Alphabet, corpus.Types, nil)
			if err != nil {
				b.Fatal(err)
			}
			rep := NewReplayer(m, 1, true, Remain, V26)
			states := make([]int32, len(corpus.Symbols))
			scores := make([]float64, len(corpus.Symbols))
			symbols := 0
			for b.Loop() {
				for word := range corpus.Words() {
					rep.Replay(word, states[:len(word)], scores[:len(word)])
				}
				symbols += len(corpus.Symbols)
			}
			b.ReportMetric(float64(symbols)/b.Elapsed().Seconds(), "symbols/s")
		})
	}
}

// BenchmarkTenfold learns from 10,000 and from 100,000 traces of one problem, in turn; times is how much longer the
// latter take.
func BenchmarkTenfold(b *testing.B) {
	for _, c := range []struct {
		name string
		spec LearnSpec
		size int
	}{{"alergia", Alergia(), 0}, {"likelihood", Likelihood(), 0}, {"clean", Probable(), 0}, {"sequent", Sequent(), 10}} {
		for _, set := range []int{13, 18} {
			b.Run(fmt.Sprintf("%s/%d", c.name, set), func(b *testing.B) {
				corpus := pautomac(b, set)
				var spent [2]time.Duration
				for b.Loop() {
					for k, n := range []int{10000, 100000} {
						part := *corpus
						part.Ends, part.Type = corpus.Ends[:n], corpus.Type[:n]
						words := part.Words()
						if c.size > 0 {
							words = part.Windows(c.size, 1)
						}
						start := time.Now()
						if _, err := Learn(context.Background(), c.spec, words, part.Alphabet, part.Types, nil); err != nil {
							b.Fatal(err)
						}
						spent[k] += time.Since(start)
					}
				}
				b.ReportMetric(float64(spent[1])/float64(spent[0]), "times")
			})
		}
	}
}
