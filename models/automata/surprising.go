package automata

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
)

// surprising is the event of each trace that its model expects least, the first of equals, or where the last event
// alone is judged, that one: its symbol after the one before. surprisal is that of symbol a at place i of a word; with
// end, the end of a trace is an event, too, and stands at its last one.
func surprising(ctx context.Context, s *data.Set, aggregate string, end bool,
	surprisal func(word []int32, i int, a int32) float64) ([]models.Cause, error) {
	out := make([]models.Cause, s.N)
	for t := range out {
		if t%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		word := s.Traces[t].Symbols
		at, most, n := -1, 0.0, len(word)
		if end {
			n++
		}
		for i := range n {
			a := int32(endOfTrace)
			if i < len(word) {
				a = word[i]
			}
			last := aggregate == "last" && i == len(word)-1
			if v := surprisal(word, i, a); at < 0 || v > most || last {
				at, most = i, v
			}
			if last {
				break
			}
		}
		switch {
		case at < 0:
			out[t] = models.Cause{Name: "no events", Event: -1}
		case at < len(word):
			out[t] = models.Cause{Name: symbolText(s, word[at]) + " after " + textBefore(s, word, at), Event: at}
		default:
			out[t] = models.Cause{Name: "the end after " + textBefore(s, word, at), Event: len(word) - 1}
		}
	}
	return out, nil
}

// symbolText is a symbol as the data has it.
func symbolText(s *data.Set, a int32) string {
	if a >= 0 && int(a) < len(s.Alphabet) {
		return s.Alphabet[a]
	}
	return "an unknown symbol"
}

func textBefore(s *data.Set, word []int32, i int) string {
	if i == 0 {
		return "the beginning"
	}
	return symbolText(s, word[i-1])
}

// ngramDetector is the detector.
type ngramDetector struct{ *models.Fitted[*ngram] }

// Causes is the least expected event of each trace.
func (d *ngramDetector) Causes(ctx context.Context, s *data.Set) ([]models.Cause, error) {
	m, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	out, err := surprising(ctx, s, m.spec.Aggregate, m.spec.End, m.surprisal)
	if err != nil {
		return nil, fmt.Errorf("ngram: %w", err)
	}
	return out, nil
}

// Causes is the least expected event of each trace.
func (d *markovDetector) Causes(ctx context.Context, s *data.Set) ([]models.Cause, error) {
	m, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	out, err := surprising(ctx, s, m.spec.Aggregate, false, func(word []int32, i int, a int32) float64 {
		return m.surprisal(m.before(word, i), a)
	})
	if err != nil {
		return nil, fmt.Errorf("markov: %w", err)
	}
	return out, nil
}

var (
	_ models.Detector     = (*ngramDetector)(nil)
	_ models.Investigator = (*ngramDetector)(nil)
	_ models.Investigator = (*markovDetector)(nil)
)
