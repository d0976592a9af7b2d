package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/data/corpus"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/models/automata/machine"
)

func (a *app) automatonPAutomaCCommand() *cobra.Command {
	var problems []int
	var out string
	var asJSON bool
	c := &cobra.Command{
		Use:   "pautomac FOLDER",
		Short: "Judge the learner's settings on the problems of the PAutomaC competition",
		Long: `pautomac learns a machine for each problem of a folder (N.pautomac.train, .test and N.pautomac_solution.txt,
also .gz) and prints the perplexity of the test words beside the optimum, as Markdown:

  alergia, likelihood   FlexFringe's settings, step for step; a missing edge leaves the state as it is
  clean                 the learner's own settings for probabilities, the default of the model pdfa
  chosen                of several clean settings the one that gives held-out training words, every fifth, the highest
                        probability; then learnt on all training words

Test words and solutions are not looked at before the machines are learnt.`,
		Example: "  plumbline automaton pautomac ~/pautomac --quiet\n  plumbline automaton pautomac ~/pautomac --problems " +
			"7 -o table.md",
		Args: needs(1, 1, "a folder of problems"),
		RunE: func(c *cobra.Command, args []string) error {
			have, err := pautomacProblems(args[0])
			if err != nil {
				return usage(err)
			}
			for _, p := range problems {
				if !slices.Contains(have, p) {
					return usage(fmt.Errorf("%s has no complete problem %d", args[0], p))
				}
			}
			if len(problems) == 0 {
				problems = have
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			rows, err := a.judgeProblems(ctx, args[0], problems)
			if err != nil {
				return failed(err)
			}
			return a.output(out, args, func(w io.Writer) error {
				if asJSON {
					return failed(writeJSON(w, viewProblems(rows)))
				}
				return failed(writeProblems(w, rows))
			})
		},
	}
	c.Flags().IntSliceVar(&problems, "problems", nil, "numbers of the problems; none: all that are complete")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	a.jsonFlag(c, &asJSON)
	return c
}

// problemView is the result on one problem as JSON shows it.
type problemView struct {
	Problem  int                       `json:"problem"`
	Traces   int                       `json:"traces"`
	Symbols  int                       `json:"symbols"`
	Settings map[string]perplexityView `json:"settings"` // alergia, likelihood, clean and chosen
	Chosen   string                    `json:"chosen"`   // which setting that is
}

func viewProblems(rows []problemRow) []problemView {
	out := []problemView{}
	for _, r := range rows {
		v := problemView{r.problem, r.traces, r.symbols, map[string]perplexityView{}, r.chosen}
		for i, s := range append(judged(), machine.Setting{Name: "chosen"}) {
			p := r.perplexity[i]
			v.Settings[s.Name] = perplexityView{
				eval.Number(p), eval.Number(r.optimum), eval.Number(p/r.optimum - 1),
			}
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

// pautomacProblems is the complete problems of a folder, in order.
func pautomacProblems(folder string) (out []int, err error) {
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

// problemRow is the result on one problem: the perplexity of each judged setting.
type problemRow struct {
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

// judgeProblems works on several problems side by side; the first error ends them all.
func (a *app) judgeProblems(ctx context.Context, folder string, problems []int) ([]problemRow, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	rows := make([]problemRow, len(problems))
	var mu sync.Mutex
	begin, done := time.Now(), 0
	err := models.Env{}.Blocks(ctx, len(problems), 1, func(i, _ int) {
		row, err := judgeProblem(ctx, folder, problems[i])
		if err != nil {
			cancel(fmt.Errorf("problem %d: %w", problems[i], err))
			return
		}
		rows[i] = row
		mu.Lock()
		defer mu.Unlock()
		if done++; !a.quiet {
			fmt.Fprintf(a.err, "problem %d: [%d/%d] after %s\n", problems[i], done, len(problems),
				time.Since(begin).Round(time.Second))
		}
	})
	if err != nil {
		return nil, context.Cause(ctx)
	}
	return rows, nil
}

func judgeProblem(ctx context.Context, folder string, problem int) (problemRow, error) {
	row := problemRow{problem: problem}
	files := traceFlags{pautomac: true, stride: 1}
	var corpus corpus.Corpus
	if _, err := files.read(problemFile(folder, problem, problemParts[0]), &corpus); err != nil {
		return row, err
	}
	train := corpus.Len()
	row.traces, row.symbols = train, len(corpus.Symbols)
	words := func(yield func([]int32, int32) bool) {
		for i := range train {
			if !yield(corpus.Trace(i), corpus.Type[i]) {
				return
			}
		}
	}
	candidates := machine.Candidates()
	best, err := machine.SelectByHeldOut(ctx, candidates, &corpus)
	if err != nil {
		return row, err
	}
	row.chosen = candidates[best].Name
	var reps []*machine.Replayer
	for _, s := range append(judged(), candidates[best]) {
		m, err := machine.Learn(ctx, s.LearnSpec, words, slices.Clone(corpus.Alphabet), corpus.Types, nil)
		if err != nil {
			return row, err
		}
		reps = append(reps, s.Replayer(m))
	}
	if _, err := files.read(problemFile(folder, problem, problemParts[1]), &corpus); err != nil {
		return row, err
	}
	p, err := readSolution(problemFile(folder, problem, problemParts[2]))
	if err != nil {
		return row, err
	}
	if row.optimum, err = machine.Optimum(p); err != nil {
		return row, err
	}
	for _, rep := range reps {
		var logq []float64
		for i := train; i < corpus.Len(); i++ {
			logq = append(logq, rep.Replay(corpus.Trace(i), nil, nil))
		}
		v, err := machine.Perplexity(p, logq)
		if err != nil {
			return row, err
		}
		row.perplexity = append(row.perplexity, v)
	}
	return row, nil
}

// writeProblems prints perplexities with their excess over the optimum, and the means of the excess.
func writeProblems(w io.Writer, rows []problemRow) error {
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
