package automaton

import (
	"fmt"

	"github.com/spf13/cobra"

	"plumbline/models/automata/machine"
	"plumbline/runs/pautomac"
)

func (a *app) perplexityCommand() *cobra.Command {
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
			p, err := pautomac.ReadSolution(args[2])
			if err != nil {
				return usage(err)
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
				return a.JSON(pautomac.Over(got, best))
			}
			fmt.Fprintf(a.Out, "perplexity %.4f\noptimum    %.4f\nexcess     %.2f %%\n", got, best, 100*(got/best-1))
			return nil
		},
	}
	traces.add(c)
	replay.add(c)
	a.JSONFlag(c, &asJSON)
	return c
}
