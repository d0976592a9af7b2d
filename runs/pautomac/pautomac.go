// Package pautomac judges the learner of state machines on the problems of the PAutomaC competition. Learning and
// perplexities are in models/automata/machine, formats of words in data/corpus.
package pautomac

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"plumbline/data/corpus"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

// View is the result on one problem as JSON shows it.
type View struct {
	Problem  int               `json:"problem"`
	Traces   int               `json:"traces"`
	Symbols  int               `json:"symbols"`
	Settings map[string]Excess `json:"settings"` // alergia, likelihood, clean and chosen
	Chosen   string            `json:"chosen"`   // which setting that is
}

// Excess is a perplexity beside the optimum.
type Excess struct {
	Perplexity eval.Number `json:"perplexity"`
	Optimum    eval.Number `json:"optimum"`
	Excess     eval.Number `json:"excess"` // over the optimum, as a share of it
}

// Over is a perplexity beside an optimum.
func Over(perplexity, optimum float64) Excess {
	return Excess{eval.Number(perplexity), eval.Number(optimum), eval.Number(perplexity/optimum - 1)}
}

// Views is rows as JSON shows them.
func Views(rows []Row) []View {
	out := []View{}
	for _, r := range rows {
		v := View{r.problem, r.traces, r.symbols, map[string]Excess{}, r.chosen}
		for i, s := range append(judged(), machine.Setting{Name: "chosen"}) {
			v.Settings[s.Name] = Over(r.perplexity[i], r.optimum)
		}
		out = append(out, v)
	}
	return out
}

// problemFile is the path of one of a problem's files, compressed or not; empty when it is not there.
func problemFile(folder string, problem int, suffix string) string {
	for _, end := range []string{"", ".gz"} {
		path := filepath.Join(folder, strconv.Itoa(problem)+suffix+end)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

var problemParts = []string{".pautomac.train", ".pautomac.test", ".pautomac_solution.txt"}

// Problems is the complete problems of a folder, in order.
func Problems(folder string) (out []int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		number, rest, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.Atoi(number)
		if err != nil || !strings.HasPrefix("."+rest, problemParts[0]) || slices.Contains(out, n) {
			continue
		}
		if !slices.ContainsFunc(problemParts, func(part string) bool { return problemFile(folder, n, part) == "" }) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no complete problem (N%s, N%s, N%s)", folder, problemParts[0], problemParts[1],
			problemParts[2])
	}
	slices.Sort(out)
	return out, nil
}

// Row is the result on one problem: the perplexity of each judged setting.
type Row struct {
	problem, traces, symbols int
	optimum                  float64
	perplexity               []float64
	chosen                   string
}

// judged are the settings that every problem is learnt with; one that is chosen comes after them.
func judged() []machine.Setting {
	return []machine.Setting{
		{Name: "alergia", LearnSpec: machine.Alergia(), OnMissing: machine.Remain},
		{Name: "likelihood", LearnSpec: machine.Likelihood(), OnMissing: machine.Remain},
		{Name: "clean", LearnSpec: machine.Probable(), OnMissing: machine.Remain},
	}
}

// Judge works on several problems of a folder side by side, and tells of each that is done. The first error ends them
// all.
func Judge(ctx context.Context, folder string, problems []int, tell func(problem, done int)) ([]Row, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rows := make([]Row, len(problems))
	var mu sync.Mutex
	done := 0
	err := models.Env{}.Blocks(ctx, len(problems), 1, func(i, _ int) {
		row, err := judgeProblem(ctx, folder, problems[i])
		if err != nil {
			cancel(fmt.Errorf("problem %d: %w", problems[i], err))
			return
		}
		rows[i] = row
		mu.Lock()
		defer mu.Unlock()
		done++
		tell(problems[i], done)
	})
	if err != nil {
		return nil, context.Cause(ctx)
	}
	return rows, nil
}

func judgeProblem(ctx context.Context, folder string, problem int) (Row, error) {
	row := Row{problem: problem}
	var words corpus.Corpus
	read := func(part int) error {
		return open(problemFile(folder, problem, problemParts[part]), func(in io.Reader, name string) error {
			return corpus.ReadAbbadingo(in, name, corpus.PAutomaC, &words)
		})
	}
	if err := read(0); err != nil {
		return row, err
	}
	train := words.Len()
	row.traces, row.symbols = train, len(words.Symbols)
	training := func(yield func([]int32, int32) bool) {
		for i := range train {
			if !yield(words.Trace(i), words.Type[i]) {
				return
			}
		}
	}
	candidates := machine.Candidates()
	best, err := machine.SelectByHeldOut(ctx, candidates, &words)
	if err != nil {
		return row, err
	}
	row.chosen = candidates[best].Name
	var reps []*machine.Replayer
	for _, s := range append(judged(), candidates[best]) {
		m, err := machine.Learn(ctx, s.LearnSpec, training, slices.Clone(words.Alphabet), words.Types, nil)
		if err != nil {
			return row, err
		}
		reps = append(reps, s.Replayer(m))
	}
	if err := read(1); err != nil {
		return row, err
	}
	p, err := ReadSolution(problemFile(folder, problem, problemParts[2]))
	if err != nil {
		return row, err
	}
	if row.optimum, err = machine.Optimum(p); err != nil {
		return row, err
	}
	for _, rep := range reps {
		var logq []float64
		for i := train; i < words.Len(); i++ {
			logq = append(logq, rep.Replay(words.Trace(i), nil, nil))
		}
		v, err := machine.Perplexity(p, logq)
		if err != nil {
			return row, err
		}
		row.perplexity = append(row.perplexity, v)
	}
	return row, nil
}

// Write prints perplexities with their excess over the optimum, and the means of the excess.
func Write(w io.Writer, rows []Row) error {
	var b strings.Builder
	b.WriteString("| problem | traces | symbols | optimum |")
	names := append(judged(), machine.Setting{Name: "chosen"})
	for _, s := range names {
		fmt.Fprintf(&b, " %s |", s.Name)
	}
	b.WriteString(" chosen setting |\n|" + strings.Repeat(" --- |", len(names)+5) + "\n")
	mean := make([]float64, len(names))
	for _, r := range rows {
		fmt.Fprintf(&b, "| %d | %d | %d | %.4f |", r.problem, r.traces, r.symbols, r.optimum)
		for i, v := range r.perplexity {
			excess := 100 * (v/r.optimum - 1)
			mean[i] += excess / float64(len(rows))
			fmt.Fprintf(&b, " %.4f (+%.2f %%) |", v, excess)
		}
		fmt.Fprintf(&b, " %s |\n", r.chosen)
	}
	b.WriteString("| mean excess | | | |")
	for _, m := range mean {
		fmt.Fprintf(&b, " +%.2f %% |", m)
	}
	b.WriteString(" |\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// ReadSolution reads a file of true probabilities, plain or .gz.
func ReadSolution(path string) (p []float64, err error) {
	err = open(path, func(in io.Reader, name string) (err error) {
		p, err = machine.ReadSolution(in, name)
		return err
	})
	return p, err
}

// open lets a function read a file, plain or .gz.
func open(path string, read func(in io.Reader, name string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = bufio.NewReaderSize(f, 1<<20)
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		in = z
	}
	return read(in, path)
}
