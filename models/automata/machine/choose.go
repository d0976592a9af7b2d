package machine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data/corpus"
)

// Setting is a way to learn a machine and to take probabilities from it.
type Setting struct {
	Name string
	LearnSpec
	OnMissing OnMissingEdge
}

// Replayer takes probabilities from a machine that was learnt with the setting.
func (s Setting) Replayer(m *Machine) *Replayer {
	return NewReplayer(m, s.Correction, s.FinalProb, s.OnMissing, s.Compat)
}

// Candidates are settings of the clean learner to choose among: tests, significance levels, and how few words make a
// state worth a test or an extension.
func Candidates() []Setting {
	var out []Setting
	for _, base := range []struct {
		heuristic string
		levels    []float64
	}{{"likelihood", []float64{0.05, 0.001}}, {"aic", []float64{0.05}}, {"alergia", []float64{0.05}}} {
		for _, level := range base.levels {
			for _, few := range []int{5, 10, 25} {
				s := Probable()
				s.Heuristic, s.Confidence, s.StateCount, s.SinkCount = base.heuristic, level, few, few
				if base.heuristic == "alergia" {
					s.SymbolCount = -1
				}
				out = append(out, Setting{fmt.Sprintf("%s %g, %d words", base.heuristic, level, few), s, Remain})
			}
		}
	}
	return out
}

// ErrTooFew says that there are too few traces to hold some out.
var ErrTooFew = errors.New("too few traces")

// HeldOut learns each setting on four fifths of the traces and returns the mean log-probability (natural) of a symbol,
// ends of traces among them, of the fifth that is held out: every fifth trace, so that the order of a file does not
// matter. It costs a [Learn] for each setting.
func heldOutLogProbability(ctx context.Context, settings []Setting, c *corpus.Corpus) ([]float64, error) {
	const every = 5
	traces := c.Len()
	if traces < every {
		return nil, fmt.Errorf("automata: %w: %d, one in %d is held out", ErrTooFew, traces, every)
	}
	words := func(yield func([]int32, int32) bool) {
		for i := range traces {
			if i%every != every-1 && !yield(c.Trace(i), c.Type[i]) {
				return
			}
		}
	}
	out := make([]float64, len(settings))
	for k, s := range settings {
		m, err := Learn(ctx, s.LearnSpec, words, c.Alphabet, c.Types, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		rep := s.Replayer(m)
		sum, n := 0.0, 0
		for i := every - 1; i < traces; i += every {
			sum += rep.Replay(c.Trace(i), nil, nil)
			n += len(c.Trace(i)) + 1
		}
		if out[k] = sum / float64(n); math.IsNaN(out[k]) {
			return nil, fmt.Errorf("automata: %s: held-out traces have no probability", s.Name)
		}
	}
	return out, nil
}

// Choose is the setting, as an index, that gives held-out traces the highest probability (see [HeldOut]): the first of
// equals.
func SelectByHeldOut(ctx context.Context, settings []Setting, c *corpus.Corpus) (best int, err error) {
	held, err := heldOutLogProbability(ctx, settings, c)
	for i := range held {
		if held[i] > held[best] {
			best = i
		}
	}
	return best, err
}
