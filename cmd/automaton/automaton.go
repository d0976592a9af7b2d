// Package automaton is the command that works on state machines outside experiments: learn, replay, judge, draw.
package automaton

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/data/corpus"
	"plumbline/models/automata/flexfringe"
	"plumbline/models/automata/machine"
)

// app holds the subcommands of this package.
type app struct{ *command.App }

// Command is "plumbline automaton" with what stands below it.
func Command(shared *command.App) *cobra.Command {
	a := &app{shared}
	c := &cobra.Command{
		Use:   "automaton",
		Short: "Learn, replay, judge and draw probabilistic automata",
		Long: `automaton works on state machines outside experiments: trace files in, machines in FlexFringe's JSON out, and
back.

Trace files are in the Abbadingo format, in that of the PAutomaC competition (--pautomac), or CSV with FlexFringe's
header (.csv); .gz is read too. Machines are FlexFringe's JSON, of either version, or DOT; draw, replay and perplexity
also take a cell of a run (RUNDIR/CELL) whose model is a machine over symbols.`,
		Example: "  plumbline automaton learn letters.dat --heuristic alergia -o letters.json\n" +
			"  plumbline automaton replay letters.json letters.dat\n" +
			"  plumbline automaton draw letters.json -o letters.svg",
		Args: needs(1, 1, "one of learn, replay, perplexity, pautomac, draw, import-ini"),
		RunE: func(_ *cobra.Command, args []string) error {
			return usage(fmt.Errorf("automaton: unknown command %q: want learn, replay, perplexity, pautomac, draw or "+
				"import-ini", args[0]))
		},
	}
	c.AddCommand(a.learnCommand(), a.replayCommand(), a.perplexityCommand(),
		a.pautomacCommand(), a.drawCommand(), a.importINICommand())
	return c
}

// traceFlags say how trace files are read.
type traceFlags struct {
	pautomac       bool
	window, stride int
}

func (f *traceFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.pautomac, "pautomac", f.pautomac, "lines hold a length and symbols, no label")
	c.Flags().IntVar(&f.window, "window", 0, "cut traces into windows of this many symbols; 0: whole traces")
	c.Flags().IntVar(&f.stride, "stride", 1, "symbols from one window to the next")
}

// read reads a trace file into a corpus, which may hold names already. The words are the traces or windows.
func (f traceFlags) read(path string, into *corpus.Corpus) (corpus.Words, error) {
	if f.window < 0 || f.stride < 1 || f.window > 0 && f.stride > f.window {
		return nil, usage(fmt.Errorf("windows of %d symbols moved on by %d: want at least 1 and no gaps", f.window, f.stride))
	}
	var in io.Reader
	file, err := os.Open(path)
	if err != nil {
		return nil, usage(err)
	}
	defer file.Close()
	in = bufio.NewReaderSize(file, 1<<20)
	name := path
	if plain, ok := strings.CutSuffix(path, ".gz"); ok {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", path, err))
		}
		defer z.Close()
		in, name = z, plain
	}
	if strings.HasSuffix(strings.ToLower(name), ".csv") {
		if err := corpus.ReadFlexFringeCSV(in, path, f.window, f.stride, into); err != nil {
			return nil, usage(err)
		}
		return into.Words(), nil
	}
	dialect := corpus.Abbadingo
	if f.pautomac {
		dialect = corpus.PAutomaC
	}
	if err := corpus.ReadAbbadingo(in, path, dialect, into); err != nil {
		return nil, usage(err)
	}
	if f.window > 0 {
		return into.Windows(f.window, f.stride), nil
	}
	return into.Words(), nil
}

// readFor reads a trace file with the ids that a machine has for symbols and labels. Names that the machine
// lacks get ids above its own, which it takes for unseen.
func (f traceFlags) readFor(m *machine.Machine, path string) (*corpus.Corpus, corpus.Words, error) {
	c := &corpus.Corpus{Alphabet: slices.Clone(m.Alphabet), Types: slices.Clone(m.Types)}
	words, err := f.read(path, c)
	return c, words, err
}

// readMachine reads a machine from a file, or from a cell of a run.
func readMachine(path string) (*machine.Machine, error) {
	cell, err := machineCell(path)
	if err != nil {
		return nil, err
	}
	if cell != nil {
		return cell.states.Machine, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usage(err)
	}
	defer file.Close()
	m, err := flexfringe.ReadMachine(file, path)
	return m, usage(err)
}

// replayFlags say how words run through a machine.
type replayFlags struct {
	correction      float64
	finalProb       bool
	missing, compat string
}

func (f *replayFlags) add(c *cobra.Command) {
	c.Flags().Float64Var(&f.correction, "correction", 1, "added to every count (Laplace smoothing)")
	c.Flags().BoolVar(&f.finalProb, "finalprob", f.finalProb,
		"the end of a word is an event with a probability of its own")
	c.Flags().StringVar(&f.missing, "missing", f.missing,
		"where a state has no edge for a symbol: reset (go on from the initial state), remain (stay) or stop")
	c.Flags().StringVar(&f.compat, "compat", "clean",
		"clean, v26, or v23, which records the state before again where a step ends in the initial one")
}

func (f replayFlags) replayer(m *machine.Machine) (*machine.Replayer, error) {
	if !(f.correction > 0 && f.correction <= 1e9) {
		return nil, usage(fmt.Errorf("--correction %v: want more than 0, at most 1e9", f.correction))
	}
	if !slices.Contains([]string{"reset", "remain", "stop"}, f.missing) {
		return nil, usage(fmt.Errorf("--missing %q: want reset, remain or stop", f.missing))
	}
	if !slices.Contains([]string{"clean", "v26", "v23"}, f.compat) {
		return nil, usage(fmt.Errorf("--compat %q: want clean, v26 or v23", f.compat))
	}
	if !flexfringe.HasCounts(m) {
		return nil, usage(fmt.Errorf("the machine has no counts, so it gives no probabilities; it can be drawn"))
	}
	return machine.NewReplayer(m, f.correction, f.finalProb, machine.OnMissingEdge(f.missing), machine.Compat(f.compat)),
		nil
}
