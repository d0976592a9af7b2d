package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/data/corpus"
	"plumbline/models/automata"
	"plumbline/models/automata/machine"
)

func (a *app) automatonReplayCommand() *cobra.Command {
	var traces traceFlags
	replay := replayFlags{missing: "reset"}
	var out, train, counters string
	var symbols bool
	var sd float64
	var keep cacheSettings
	c := &cobra.Command{
		Use:   "replay MACHINE TRACES | replay RUNDIR/CELL [TRACES]",
		Short: "Run traces through a machine: log-probabilities and states visited",
		Long: `replay runs each trace, or window, through a machine and writes a CSV row for it: its number, label and
length, the natural logarithm of its probability, the mean over its symbols, and the ids of the states after each
symbol (- behind a stop).

With --train, the file that the machine was learnt from, two more columns are SEQUENT's score and the state that is
its root cause; the score counts visits over the whole stream. --counters keeps these counts in a file: it is read
if it is there and written at the end, so a stream scored in pieces has the scores of the stream at once. A file of
counters holds the training visits too, so --train is only needed for the first piece.

A cell of a run is replayed as its model does, without --correction and the like; without a file of traces the
traces of its test part are, with two more columns: the entity, and the file and line of the last flow. Its training
visits are known, so sequent and pdfa need no --train for SEQUENT's score.

With --train and --sd K a column says whether the trace is an alarm: its log-probability is under the mean of the
training traces' minus K times their sample standard deviation.`,
		Example: "  plumbline automaton replay letters.json letters.dat --missing remain\n" +
			"  plumbline automaton replay flows.json monday.csv --window 10 --train train.csv --counters state.json\n" +
			"  plumbline automaton replay flows.json tuesday.csv --window 10 --counters state.json",
		Args: needs(1, 2, "a machine and a file of traces, or a cell of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			withSD := c.Flags().Changed("sd")
			if withSD && (train == "" || !(sd >= 0 && sd < 1e9)) {
				return usage(fmt.Errorf("--sd %v: want a multiple of at least 0, and --train", sd))
			}
			j := replayJob{symbols: symbols, withSD: withSD}
			cell, err := j.open(c, args, replay)
			if err != nil {
				return err
			}
			if err := j.begin(traces, train, counters, sd); err != nil {
				return err
			}
			var words corpus.Words
			if len(args) == 2 {
				var read *corpus.Corpus
				if read, words, err = traces.readFor(j.m, args[1]); err == nil {
					j.labels = read.Types
				}
			} else {
				words, err = a.testPart(c.Context(), cell, keep, &j)
			}
			if err != nil {
				return err
			}
			if err := a.output(out, func(w io.Writer) error { return failed(j.write(w, words)) }); err != nil {
				return err
			}
			if counters == "" {
				return nil
			}
			return saveCounters(counters, j.m, j.roll)
		},
	}
	traces.add(c)
	replay.add(c)
	a.dataFlag(c)
	a.cacheFlags(c, &keep)
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&train, "train", "", "the file that the machine was learnt from")
	c.Flags().StringVar(&counters, "counters", "", "file of SEQUENT's counters, taken up and kept")
	c.Flags().BoolVar(&symbols, "symbols", false, "one more column: the log-probability of each symbol")
	c.Flags().Float64Var(&sd, "sd", 2, "alarms: standard deviations under the mean of the training traces")
	return c
}

// replayJob is one replay.
type replayJob struct {
	m               *machine.Machine
	rep             func(word, states []int32, scores []float64) float64
	labels          []string // of the traces' types
	more            []string // names of more columns
	values          func(trace int) []string
	roll            *automata.StateFrequency // nil: no SEQUENT score
	floor           float64
	symbols, withSD bool
}

// open takes the machine from its file, or from a cell of a run.
func (j *replayJob) open(c *cobra.Command, args []string, replay replayFlags) (*cellMachine, error) {
	cell, err := machineCell(args[0])
	if err != nil {
		return nil, err
	}
	if cell == nil {
		if len(args) < 2 {
			return nil, usage(errors.New("replay: want a file of traces; only a cell of a run has some of its own"))
		}
		if j.m, err = readMachine(args[0]); err != nil {
			return nil, err
		}
		rep, err := replay.replayer(j.m)
		if err != nil {
			return nil, err
		}
		j.rep = rep.Replay
		return nil, nil
	}
	for _, flag := range []string{"correction", "finalprob", "missing", "compat"} {
		if c.Flags().Changed(flag) {
			return nil, usage(fmt.Errorf("--%s: a cell is replayed as its model does", flag))
		}
	}
	j.m, j.rep = cell.states.Machine, cell.states.Replay
	if cell.states.Visits != nil {
		j.roll = automata.NewStateFrequency(cell.states.Visits, cell.states.Total)
	}
	return cell, nil
}

// begin takes up counters, or counts the visits of the training file, and fits the alarm's floor.
func (j *replayJob) begin(traces traceFlags, train, counters string, sd float64) error {
	if counters != "" {
		f, err := os.Open(counters)
		switch {
		case err == nil:
			j.roll, err = automata.LoadStateFrequency(f, counters, j.m)
			f.Close()
			if err != nil {
				return usage(err)
			}
		case !os.IsNotExist(err):
			return usage(err)
		case train == "":
			return usage(fmt.Errorf("%s is not there yet: the first piece of a stream needs --train", counters))
		}
	}
	if train == "" || j.roll != nil && !j.withSD {
		return nil
	}
	_, words, err := traces.readFor(j.m, train)
	if err != nil {
		return err
	}
	visits := make([]int64, len(j.m.States))
	var states []int32
	var logp []float64
	for word := range words {
		states = resized(states, len(word))
		logp = append(logp, j.rep(word, states, nil))
		for _, q := range states {
			if q >= 0 {
				visits[q]++
			}
		}
	}
	if len(logp) == 0 {
		return usage(fmt.Errorf("%s: no trace or window to count", train))
	}
	j.floor = automata.LikelihoodFloor(logp, sd)
	if j.roll == nil {
		j.roll = automata.NewStateFrequency(visits, automata.DistinctStates)
	}
	return nil
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n)
	}
	return s[:n]
}

func (j *replayJob) write(w io.Writer, words corpus.Words) error {
	out := csv.NewWriter(w)
	head := []string{"trace", "label", "length", "logp", "mean", "states"}
	if j.symbols {
		head = append(head, "symbols")
	}
	if j.roll != nil {
		head = append(head, "score", "cause")
	}
	if j.withSD {
		head = append(head, "alarm")
	}
	head = append(head, j.more...)
	if err := out.Write(head); err != nil {
		return err
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	var states []int32
	var scores []float64
	n := 0
	for word, typ := range words {
		n++
		states, scores = resized(states, len(word)), resized(scores, len(word))
		logp := j.rep(word, states, scores)
		mean := logp / float64(max(1, len(word)))
		row := []string{strconv.Itoa(n), j.labels[typ], strconv.Itoa(len(word)), number(logp), number(mean), j.ids(states)}
		if j.symbols {
			texts := make([]string, len(scores))
			for i, s := range scores {
				texts[i] = number(s)
			}
			row = append(row, strings.Join(texts, " "))
		}
		if j.roll != nil {
			score, cause := j.roll.Window(states)
			id := ""
			if cause >= 0 {
				id = strconv.Itoa(j.m.States[states[cause]].ID)
			}
			row = append(row, number(score), id)
		}
		if j.withSD {
			row = append(row, strconv.FormatBool(logp < j.floor))
		}
		if j.values != nil {
			row = append(row, j.values(n-1)...)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// ids are the states as the machine's file names them.
func (j *replayJob) ids(states []int32) string {
	var b strings.Builder
	for i, q := range states {
		if i > 0 {
			b.WriteByte(' ')
		}
		if q < 0 {
			b.WriteByte('-')
			continue
		}
		b.WriteString(strconv.Itoa(j.m.States[q].ID))
	}
	return b.String()
}

// saveCounters replaces the file whole or not at all.
func saveCounters(path string, m *machine.Machine, roll *automata.StateFrequency) error {
	f, err := os.Create(path + ".part")
	if err != nil {
		return failed(err)
	}
	if err := roll.Save(f, m); err != nil {
		f.Close()
		return failed(err)
	}
	if err := f.Close(); err != nil {
		return failed(err)
	}
	return failed(os.Rename(path+".part", path))
}
