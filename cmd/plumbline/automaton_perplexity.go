package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/eval"
	"plumbline/models/automata/machine"
)

func (a *app) automatonPerplexityCommand() *cobra.Command {
	traces := traceFlags{pautomac: true}
	replay := replayFlags{missing: "remain", finalProb: true}
	var asJSON bool
	c := &cobra.Command{
		Use:   "perplexity MACHINE TRACES SOLUTION",
		Short: "Judge a machine against the true probabilities of a PAutomaC problem",
		Long: `perplexity runs the test words of a PAutomaC problem through a machine and compares their probabilities with
the true ones of the solution file, as the competition did: 2 to the power of -Σ p·log₂ q, both normalised over the
test words. The optimum is what the true probabilities themselves reach.`,
		Example: "  plumbline automaton perplexity 7.json 7.pautomac.test.gz 7.pautomac_solution.txt.gz --json",
		Args:    needs(3, 3, "a machine, a file of test words and its solution"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readMachine(args[0])
			if err != nil {
				return err
			}
			rep, err := replay.replayer(m)
			if err != nil {
				return err
			}
			_, words, err := traces.readFor(m, args[1])
			if err != nil {
				return err
			}
			p, err := readSolution(args[2])
			if err != nil {
				return err
			}
			var logq []float64
			for word := range words {
				logq = append(logq, rep.Replay(word, nil, nil))
			}
			got, err := machine.Perplexity(p, logq)
			if err != nil {
				return usage(fmt.Errorf("%s, %s: %w", args[1], args[2], err))
			}
			best, err := machine.Optimum(p)
			if err != nil {
				return usage(fmt.Errorf("%s: %w", args[2], err))
			}
			if asJSON {
				return a.json(perplexityView{eval.Number(got), eval.Number(best), eval.Number(got/best - 1)})
			}
			fmt.Fprintf(a.out, "perplexity %.4f\noptimum    %.4f\nexcess     %.2f %%\n", got, best, 100*(got/best-1))
			return nil
		},
	}
	traces.add(c)
	replay.add(c)
	a.jsonFlag(c, &asJSON)
	return c
}

// perplexityView is a perplexity as JSON shows it, null where it is not finite.
type perplexityView struct {
	Perplexity eval.Number `json:"perplexity"`
	Optimum    eval.Number `json:"optimum"`
	Excess     eval.Number `json:"excess"` // over the optimum, as a share of it
}

func readSolution(path string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usage(err)
	}
	defer f.Close()
	var in io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", path, err))
		}
		defer z.Close()
		in = z
	}
	p, err := machine.ReadSolution(in, path)
	return p, usage(err)
}
