package automaton

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/cmd/command"
	"plumbline/data/corpus"
	"plumbline/eval"
	"plumbline/models/automata"
	"plumbline/models/automata/machine"
)

func (a *app) replayCommand() *cobra.Command {
	var traces traceFlags
	replay := replayFlags{missing: "reset"}
	var out, train, counters string
	var symbols, asJSON bool
	var sd float64
	var keep command.Cache
	c := &cobra.Command{
		Use:   "replay MACHINE TRACES | replay RUNDIR/CELL [TRACES]",
		Short: "Run traces through a machine: log-probabilities and states visited",
		Long: `replay runs each trace, or window, through a machine and writes a CSV row for it: its number, label and
length, the natural logarithm of its probability, the mean over its symbols, and the ids of the states after each
symbol (- after a stop).

With --train, the file that the machine was learnt from, two more columns are SEQUENT's score and the state that is
its root cause; the score counts visits over the whole stream. --counters keeps these counts in a file: it is read
if it is there and written at the end, so a stream scored in pieces has the scores of the stream at once. A file of
counters holds the training visits too, so --train is only needed for the first piece.

A cell of a run is replayed as its model does, without --correction and the like; without a file of traces the
traces of its test part are, with two more columns: the entity, and the file and line of the last flow. Its training
visits are known, so sequent and pdfa need no --train for SEQUENT's score.

With --train and --sd K a column says whether the trace is an alarm: its log-probability is under the mean of the
training traces' minus K times their sample standard deviation.`,
		Example: "  plumbline automaton replay letters.json letters.dat --missing remain --json\n" +
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
			write := j.write
			if asJSON {
				write = j.writeJSON
			}
			inputs := append(args, train)
			if err := a.Output(out, inputs, func(w io.Writer) error { return failed(write(w, words)) }); err != nil {
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
	a.DataFlag(c)
	a.CacheFlags(c, &keep)
	c.Flags().StringVarP(&out, "out", "o", "", "file to write to instead of stdout")
	c.Flags().StringVar(&train, "train", "", "the file that the machine was learnt from")
	c.Flags().StringVar(&counters, "counters", "", "file of SEQUENT's counters, taken up and kept")
	c.Flags().BoolVar(&asJSON, "json", false, "an object a line in place of CSV")
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

// replayed is a trace after its replay. Its states and scores are valid until the next one.
type replayed struct {
	trace, length int
	label         string
	logp, mean    float64
	states        []int32
	symbols       []float64 // log-probability of each
	score         float64   // SEQUENT's
	cause         int       // id of the state that is its root cause, -1: none
	alarm         bool
	more          []string
}

// each replays the traces one after the other.
func (j *replayJob) each(words corpus.Words, visit func(r *replayed) error) error {
	var r replayed
	for word, typ := range words {
		r.trace++
		r.states, r.symbols = resized(r.states, len(word)), resized(r.symbols, len(word))
		r.length, r.label = len(word), j.labels[typ]
		r.logp = j.rep(word, r.states, r.symbols)
		r.mean, r.alarm, r.cause = r.logp/float64(max(1, len(word))), r.logp < j.floor, -1
		if j.roll != nil {
			var at int
			if r.score, at = j.roll.Window(r.states); at >= 0 {
				r.cause = j.m.States[r.states[at]].ID
			}
		}
		if j.values != nil {
			r.more = j.values(r.trace - 1)
		}
		if err := visit(&r); err != nil {
			return err
		}
	}
	return nil
}

// write writes a row of CSV for each trace.
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
	if err := out.Write(append(head, j.more...)); err != nil {
		return err
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	err := j.each(words, func(r *replayed) error {
		row := []string{
			strconv.Itoa(r.trace), r.label, strconv.Itoa(r.length), number(r.logp), number(r.mean), j.ids(r.states),
		}
		if j.symbols {
			texts := make([]string, len(r.symbols))
			for i, s := range r.symbols {
				texts[i] = number(s)
			}
			row = append(row, strings.Join(texts, " "))
		}
		if j.roll != nil {
			id := ""
			if r.cause >= 0 {
				id = strconv.Itoa(r.cause)
			}
			row = append(row, number(r.score), id)
		}
		if j.withSD {
			row = append(row, strconv.FormatBool(r.alarm))
		}
		return out.Write(append(row, r.more...))
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// replayView is a replayed trace as JSON shows it.
type replayView struct {
	Trace   int               `json:"trace"` // from 1
	Label   string            `json:"label"`
	Length  int               `json:"length"`
	LogP    eval.Number       `json:"logp"` // null: not finite
	Mean    eval.Number       `json:"mean"`
	States  []*int            `json:"states"` // ids; null after a stop
	Symbols []eval.Number     `json:"symbols,omitempty"`
	Score   *eval.Number      `json:"score,omitempty"`
	Cause   *int              `json:"cause,omitempty"`
	Alarm   *bool             `json:"alarm,omitempty"`
	More    map[string]string `json:"flow,omitempty"` // of a cell: key and where
}

// writeJSON writes an object for each trace, one a line.
func (j *replayJob) writeJSON(w io.Writer, words corpus.Words) error {
	enc := json.NewEncoder(w)
	return j.each(words, func(r *replayed) error {
		v := replayView{
			Trace: r.trace, Label: r.label, Length: r.length, LogP: eval.Number(r.logp), Mean: eval.Number(r.mean),
			States: []*int{},
		}
		for _, q := range r.states {
			var id *int
			if q >= 0 {
				id = &j.m.States[q].ID
			}
			v.States = append(v.States, id)
		}
		if j.symbols {
			for _, s := range r.symbols {
				v.Symbols = append(v.Symbols, eval.Number(s))
			}
		}
		if j.roll != nil {
			score := eval.Number(r.score)
			v.Score = &score
			if r.cause >= 0 {
				v.Cause = &r.cause
			}
		}
		if j.withSD {
			v.Alarm = &r.alarm
		}
		for i, name := range j.more {
			if v.More == nil {
				v.More = map[string]string{}
			}
			v.More[name] = r.more[i]
		}
		return enc.Encode(v)
	})
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
