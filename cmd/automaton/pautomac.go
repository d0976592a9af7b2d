package automaton

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/runs/pautomac"
)

func (a *app) pautomacCommand() *cobra.Command {
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
			have, err := pautomac.Problems(args[0])
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
			begin := time.Now()
			rows, err := pautomac.Judge(ctx, args[0], problems, func(problem, done int) {
				if !a.Quiet {
					fmt.Fprintf(a.Err, "problem %d: [%d/%d] after %s\n", problem, done, len(problems),
						time.Since(begin).Round(time.Second))
				}
			})
			if err != nil {
				return failed(err)
			}
			return a.Output(out, args, func(w io.Writer) error {
				if asJSON {
					return failed(command.WriteJSON(w, pautomac.Views(rows)))
				}
				return failed(pautomac.Write(w, rows))
			})
		},
	}
	c.Flags().IntSliceVar(&problems, "problems", nil, "numbers of the problems; none: all that are complete")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no progress on stderr")
	a.JSONFlag(c, &asJSON)
	return c
}
