package automaton

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/configs/settings"
	"plumbline/data/corpus"
	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

// presets are settings to start from.
var presets = map[string]func() machine.LearnSpec{
	"clean": machine.Probable, "alergia": machine.Alergia, "likelihood": machine.Likelihood, "sequent": machine.Sequent,
}

func (a *app) learnCommand() *cobra.Command {
	var traces traceFlags
	var out, preset string
	var steps, asJSON, force bool
	values := map[string]*string{}
	c := &cobra.Command{
		Use:   "learn TRACES",
		Short: "Learn a machine from a file of traces and write FlexFringe's JSON",
		Long: `learn builds the prefix tree of the traces, merges its states, and writes the machine as FlexFringe's JSON.

--preset gives the settings to start from: clean for machines whose probabilities are wanted, alergia and likelihood
as FlexFringe's ini files have them, sequent as they are in force for SEQUENT. The flags named after settings change
single ones; their names, ranges and meaning are those of the models pdfa and sequent ("plumbline models pdfa").`,
		Example: "  plumbline automaton learn letters.dat -o letters.json\n" +
			"  plumbline automaton learn flows.csv --preset sequent --window 10 --sinkcount 40 -o flows.json\n" +
			"  plumbline automaton learn labelled.dat --heuristic edsm --compat clean -o dfa.json",
		Args: needs(1, 1, "a file of traces"),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && out == "" {
				return usage(errors.New("--json prints a summary: the machine needs a file (--out)"))
			}
			base, ok := presets[preset]
			if !ok {
				return usage(fmt.Errorf("--preset %q: want clean, alergia, likelihood or sequent", preset))
			}
			spec := base()
			if err := setFlags(c.Flags().Changed, values, &spec); err != nil {
				return err
			}
			if err := spec.Check(); err != nil {
				return usage(err)
			}
			if err := mayWrite(out, force, args); err != nil {
				return err
			}
			var corpus corpus.Corpus
			words, err := traces.read(args[0], &corpus)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			begin := time.Now()
			m, err := machine.Learn(ctx, spec, words, corpus.Alphabet, corpus.Types, func(s machine.Step) {
				if steps {
					fmt.Fprintln(a.Err, s)
				}
			})
			if err != nil {
				return failed(err)
			}
			took := time.Since(begin)
			if !a.Quiet && !asJSON {
				fmt.Fprintf(a.Err, "%s: %v, learnt in %s\n", args[0], m, took.Round(time.Millisecond))
			}
			if asJSON {
				err = a.JSON(learnView{args[0], len(m.States), len(m.To), len(m.Alphabet), took.Seconds()})
			}
			if err != nil {
				return err
			}
			return a.Output(out, args, func(w io.Writer) error { return failed(flexfringe.WriteJSON(m, w)) })
		},
	}
	traces.add(c)
	c.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&preset, "preset", "likelihood", "settings to start from: clean, alergia, likelihood or sequent")
	c.Flags().BoolVar(&asJSON, "json", false, "a summary of the machine as JSON on stdout; needs --out")
	c.Flags().BoolVar(&steps, "steps", false,
		"print each refinement to stderr as FlexFringe does: x and size, or m and score")
	c.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no summary on stderr")
	for _, f := range settings.Fields(&machine.LearnSpec{}) {
		limits := ""
		if f.Range != "" {
			limits = " (" + f.Range + ")"
		}
		values[f.Name] = c.Flags().String(f.Name, "", f.Doc+limits)
		if f.Type == "bool" || strings.HasPrefix(f.Type, "true") {
			c.Flags().Lookup(f.Name).NoOptDefVal = "true"
		}
	}
	return c
}

// learnView is a learnt machine as JSON sums it up.
type learnView struct {
	Traces      string  `json:"traces"` // the file
	States      int     `json:"states"`
	Transitions int     `json:"transitions"`
	Symbols     int     `json:"symbols"`
	Seconds     float64 `json:"seconds"`
}

// setFlags puts the flags that were given over the settings that dst points to, with the checks of a config.
func setFlags(given func(string) bool, values map[string]*string, dst any) error {
	for _, f := range settings.Fields(dst) {
		if !given(f.Name) {
			continue
		}
		doc, err := settings.Parse("--"+f.Name, []byte(f.Name+": "+*values[f.Name]))
		if err != nil {
			return usage(fmt.Errorf("--%s %q: not a value", f.Name, *values[f.Name]))
		}
		if ps := doc.Decode(dst); len(ps) > 0 {
			return usage(fmt.Errorf("--%s: %s", f.Name, ps[0].Msg))
		}
	}
	return nil
}
